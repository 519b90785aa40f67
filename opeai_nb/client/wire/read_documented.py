"""The synchronous answer that is documented (platform.md 1.3), read without a look elsewhere.

Most answers are this one. All that the document does not name is left to `read_answer`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.picture_source import begins
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.picture_end import is_cut_short
from opeai_nb.client.wire.links import link_in
from opeai_nb.client.wire.read_item import MOST_ITEMS
from opeai_nb.client.wire.redact import value_without_key

if TYPE_CHECKING:
    from opeai_nb.client.protocol.steps import Reply

_ANSWER: Final = frozenset({"created", "data", "usage"})
_URL: Final = re.compile(r"[\w.~:/?#@%&=+-]+", re.ASCII)
"""What `link_in` leaves as it is."""
_ITEM: Final = frozenset({"url", "b64_json", "revised_prompt"})


def documented_pictures(reply: Reply) -> tuple[Picture, ...]:
    """Return the pictures of an answer that holds what is documented; none for any other one.

    The key is in nothing of them that is shown.
    """
    body = reply.body
    if reply.status != 200 or not isinstance(body, dict) or not body.keys() <= _ANSWER:  # noqa: PLR2004  OK
        return ()
    items = body.get("data")
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        return ()
    pictures = [_picture(item, reply) for item in items]
    return tuple(picture for picture in pictures if picture) if all(pictures) else ()


def _picture(item: Any, reply: Reply) -> Picture | None:
    if not isinstance(item, dict) or not item.keys() <= _ITEM:
        return None
    url, text, revised = item.get("url"), item.get("b64_json"), item.get("revised_prompt")
    source = reply.pictures.get(text.number) if isinstance(text, Blob) and not text.broken else None
    is_read = (
        (begins(source) if source else not text)
        and (_is_link(url) and not (source and is_cut_short(source)) if url else source)
        and (not revised or type(revised) is str)
    )
    if not is_read:
        return None
    revised = value_without_key(revised, reply.key) if revised else None
    return Picture(source=source, url=url or None, revised_prompt=revised, seen=reply.clock)


def _is_link(url: Any) -> bool:
    if type(url) is not str or not url.startswith(("https://", "http://")):
        return False
    return _URL.fullmatch(url) is not None or link_in(url) == url
