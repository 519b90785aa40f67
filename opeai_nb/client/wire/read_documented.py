"""The synchronous answer that is documented (platform.md 1.3), read without a look elsewhere.

Most answers are this one: what reads the others is not even imported for it. All that the document
does not name is left to `read_answer`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.picture_source import begins
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.picture_end import is_cut_short
from opeai_nb.client.wire.redact import value_without_key, without_key
from opeai_nb.client.wire.request_id import request_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.protocol.steps import Reply
    from opeai_nb.client.values.request import ImageRequest

MOST_ITEMS: Final = 512
"""Pictures of one answer that are looked at: a request has 128 at most (platform.md 2.4)."""

_ANSWER: Final = frozenset({"created", "data", "usage"})
_URL: Final = re.compile(r"https?://[\w.~:/?#@%&=+-]+", re.ASCII)
"""Of the URLs that `link_in` leaves as they are, nearly all."""
_ITEM: Final = frozenset({"url", "b64_json", "revised_prompt"})
_WHOLE: Final = (int, type(None))
_ACCOUNT: Final = (dict, type(None))


@dataclass(frozen=True)
class Pictures:
    """An answer that holds pictures; each is fetched already or has a URL or an error.

    *task_id* is set where the answer names a task beside them, *notes* is what a person should be
    told of it, *reason* what the answer itself says where there is none.
    """

    pictures: tuple[Picture, ...]
    usage: Mapping[str, Any] | None
    created: int | None
    model: str | None
    request_id: str | None
    task_id: str | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""


def read_documented(reply: Reply, request: ImageRequest | None) -> Pictures | None:
    """Return what an answer says that holds what is documented; None for any other one.

    The key is in nothing of it that is shown. An edit's may repeat the inputs.
    """
    body = reply.body
    if request is not None and request.image:
        return None
    if reply.status != 200 or not isinstance(body, dict) or not body.keys() <= _ANSWER:  # noqa: PLR2004  OK
        return None
    items, created, usage = body.get("data"), body.get("created"), body.get("usage")
    if not isinstance(items, list) or not 0 < len(items) <= MOST_ITEMS:
        return None
    pictures = [_picture(item, reply) for item in items]
    if not all(pictures) or type(created) not in _WHOLE or type(usage) not in _ACCOUNT:
        return None
    name = request_id_of(reply.headers)
    return Pictures(
        pictures=tuple(picture for picture in pictures if picture),
        usage=value_without_key(usage or None, reply.key),
        created=created or None,
        model=None,
        request_id=name and without_key(name, reply.key),
    )


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
    return type(url) is str and _URL.fullmatch(url) is not None
