"""What an item of a list of pictures stands for, and which items stand beside pictures alone.

    read_items   all items of a list, those of chats from inside their messages
    read_item    one: a text, or an object with bytes before URLs before another object inside it

An item without a picture has an error that says why: `item_error`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.client.http.picture_source import begins, bytes_of
from opeai_nb.client.http.picture_text import picture_bytes
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.picture_end import is_cut_short
from opeai_nb.client.wire.error.item_error import failed, item_error
from opeai_nb.client.wire.error.messages import EMPTY, NO_BYTES, NO_OBJECT, NO_PICTURE
from opeai_nb.client.wire.error.page_text import first_line
from opeai_nb.client.wire.error.read_error import find_problem
from opeai_nb.client.wire.links import link_in, links_in, may_be_picture, relative_link
from opeai_nb.client.wire.read_documented import MOST_ITEMS
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import is_never, leaves_in, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opeai_nb.client.protocol.steps import Source

_BYTES: Final = ("b64_json",)
_URLS: Final = ("result_url", "image_url", "url")
_EITHER: Final = ("image", *_URLS, "sample", "inline_data", "file", "asset", "result", "output")
_STRICT: Final = (*_BYTES, *_EITHER)
_LOOSE: Final = ("data", "content", "value", "media", "picture", "img", "artifact", "resource")
# Where an item may hold its picture in an object of its own (Anthropic: `source.data`).
_INSIDE: Final = (*_STRICT, *_LOOSE, "source")
_DEEPEST_ITEM: Final = 4
_TOO_MANY: Final = f"The answer lists more than {MOST_ITEMS} pictures: the rest was left out."


def read_items(
    items: list[Any], blobs: Mapping[int, Source], *, any_name: bool = False
) -> list[Picture]:
    """Return what the items of a list stand for, without what merely stands beside a picture.

    With *any_name* bytes count whatever they are called: no input is repeated.
    """
    pairs = [
        (item, picture)
        for item in islice(_flat(items), MOST_ITEMS)
        for picture in read_item(item, blobs, any_name=any_name)[:MOST_ITEMS]
    ]
    results = [pair for pair in pairs if not _is_labelled(pair[0])]
    if any(picture.error is None for _, picture in results):
        pairs = results
    is_good = any(picture.error is None for _, picture in pairs)
    # A task alone is the answer itself; several, or one beside pictures, are pictures to come.
    is_alone = len(items) == 1
    pictures = [
        picture
        for item, picture in pairs
        if picture.error is None
        or not (_is_remark(item) if is_good else is_alone and _is_task(item))
    ]
    if len(items) <= MOST_ITEMS and len(pictures) <= MOST_ITEMS:
        return pictures
    return [*pictures[:MOST_ITEMS], Picture(error=failed(_TOO_MANY))]


def read_item(item: Any, blobs: Mapping[int, Source], *, any_name: bool = False) -> list[Picture]:
    """Return what one item of a list stands for: a picture, or the reason why it is none.

    A text with Markdown in it, and an object with a list of URLs, may stand for several.
    """
    if isinstance(item, str):
        return _in_text(item)
    if isinstance(item, Blob):
        item = {"b64_json": item}
    if not isinstance(item, dict):
        return [Picture(error=failed(EMPTY if item is None else NO_OBJECT))]
    names = ("revised_prompt", "actual_prompt")
    revised = next((item[key] for key in names if item.get(key) and type(item[key]) is str), None)
    pictures = _pictures_of(item, blobs) or (_under_any_name(item, blobs) if any_name else [])
    if pictures and revised is None:
        return pictures
    if pictures:
        return [replace(picture, revised_prompt=revised) for picture in pictures]
    return [Picture(revised_prompt=revised, error=item_error(item))]


def _in_text(text: str) -> list[Picture]:
    if (link := link_in(text)) is not None:
        return [Picture(url=link)]
    if data := picture_bytes(text):
        return [Picture(source=data)]
    if links := _links_of(text):
        said = text if text.split() != links else None
        return [replace(_linked(link), said=said) for link in links]
    if (link := relative_link(text)) is not None and may_be_picture(link) and "." in link:
        return [Picture(url=link)]
    if len(text.split()) == 1 and decode_base64(text):  # words without a comma would do as base64
        return [Picture(error=failed(NO_PICTURE))]
    words = first_line(text)
    told = f"Instead of a picture came text: {words!r}." if words else NO_BYTES
    return [Picture(error=failed(told))]


def _links_of(text: str) -> list[str]:
    """Return what a text shows; where it is JSON, nothing under the name of an input or a draft."""
    inner = unpacked(text)
    if not isinstance(inner, (dict, list)):
        return links_in(text)
    texts = [leaf for leaf in leaves_in(inner) if isinstance(leaf, str)]
    shown = [[text] if picture_bytes(text) else links_in(text) for text in texts]
    # A path is the server's own: no name of ours says that it is a URL.
    links = [each for links in shown for each in links if link_in(each) is None or "://" in each]
    return list(dict.fromkeys(links))


def _linked(link: str) -> Picture:
    if data := picture_bytes(link):
        return Picture(source=data)
    is_data = link[:5].lower() == "data:"
    return Picture(error=failed(NO_PICTURE)) if is_data else Picture(url=link)


def _is_task(item: Any) -> bool:
    return isinstance(item, dict) and ("task_id" in item or "task_status" in item)


def _is_labelled(item: Any) -> bool:
    """Tell an item that says of itself that it is no result: an input, a mask, a preview."""
    words = [item.get(key) for key in _LABELS] if isinstance(item, dict) else ()
    return any(isinstance(word, str) and squeezed(word) in _NO_RESULTS for word in words)


_LABELS: Final = ("type", "role", "kind", "name", "variant", "purpose")
_NO_RESULTS: Final = frozenset(
    [
        *("input", "inputimage", "source", "sourceimage", "reference", "mask", "preview", "draft"),
        *("thumbnail", "thumb", "partial", "placeholder"),
    ]
)


def _is_remark(item: Any) -> bool:
    """Tell what stands in a list beside its pictures and is no picture that failed.

    What a chat thinks and says (OpenAI), and what follows a URL in a list (`[url, seed, id]`).
    """
    if isinstance(item, dict):
        return str(item.get("type")) in _REMARKS and find_problem(item) is None
    return isinstance(item, _Remark)


_REMARKS: Final = frozenset(
    [*("reasoning", "thinking", "message", "text", "output_text", "summary", "tool_use", "audio")]
)


class _Remark(str):
    """A text in an item that is a list: a name or an id, and no reason."""

    __slots__ = ()


def _flat(items: list[Any]) -> Iterator[Any]:
    """Yield the items of a list; those of a chat's choices from inside their messages."""
    for item in items:
        message = item.get("message", item) if isinstance(item, dict) else None
        message = message if isinstance(message, dict) else {}
        content = message.get("content")
        if isinstance(content, dict) and isinstance(content.get("parts"), list):
            content = content["parts"]
        if isinstance(message.get("images"), list) and message["images"]:
            yield from message["images"]
        elif isinstance(content, list):
            yield from _content(content)
        elif isinstance(content, str) and content:
            yield content
        elif isinstance(item, list):
            parts = (part for part in item if not isinstance(part, (int, float)))
            yield from (_Remark(part) if isinstance(part, str) else part for part in parts)
        else:
            yield item


def _content(content: list[Any]) -> Iterator[Any]:
    """Yield the images of a message; its text is the prompt as the model rewrote it.

    What Gemini marks as a thought is a draft.
    """
    parts = [part for part in content if isinstance(part, dict) and part.get("thought") is not True]
    text = next((part["text"] for part in parts if isinstance(part.get("text"), str)), None)
    shown = [part for part in parts if any(part.get(key) for key in (*_STRICT, *_LOOSE))]
    for part in shown:
        yield {"revised_prompt": text, **part}
    if not shown and text:
        yield text if links_in(text) else _Remark(text)


def _pictures_of(
    item: dict[str, Any], blobs: Mapping[int, Source], depth: int = 0
) -> list[Picture]:
    """Prefer bytes to a URL: they do not expire and cost no second request."""
    texts = [text for key in _BYTES if isinstance(listed := item.get(key), list) for text in listed]
    if len(texts) > 1:
        joined = _joined(texts, blobs)
        each = ({"b64_json": text} for text in texts)
        return [Picture(source=joined)] if joined else _of_each(each, blobs, depth)
    urls = _urls_under(_STRICT, item)
    named = (_source(key, item[key], blobs) for key in (*_STRICT, *_LOOSE) if key in item)
    sources = [source for source in named if source is not None]
    source = next(filter(begins, sources), None)
    if source is not None and not (urls and is_cut_short(source)):
        return [Picture(source=source, url=urls[0] if urls else None)]
    if urls:
        return [Picture(url=url) for url in urls]
    if sources:
        return [Picture(error=failed(NO_PICTURE))]
    inner = (_of_each(_results_in(item.get(key)), blobs, depth + 1) for key in _INSIDE)
    if depth < _DEEPEST_ITEM and (found := next(filter(None, inner), None)):
        return found
    return [Picture(url=url) for url in _urls_under(_LOOSE, item)]


def _under_any_name(item: dict[str, Any], blobs: Mapping[int, Source]) -> list[Picture]:
    """Return the bytes of a picture that stand under a name that nobody knows."""
    others = (_source(key, each, blobs) for key, each in item.items() if not is_never(key, each))
    return [Picture(source=source) for source in others if source and begins(source)][:1]


def _urls_under(names: tuple[str, ...], item: dict[str, Any]) -> list[str]:
    urls = (url for name in names if name in item for url in _links(name, item[name]))
    return list(dict.fromkeys(urls))


def _of_each(
    items: Iterable[dict[str, Any]], blobs: Mapping[int, Source], depth: int
) -> list[Picture]:
    return [picture for item in items for picture in _pictures_of(item, blobs, depth)]


def _results_in(inner: Any) -> list[dict[str, Any]]:
    """Return the objects in what stands inside an item, without inputs and previews among them."""
    values = islice(inner, MOST_ITEMS) if isinstance(inner, list) else [inner]
    objects = [value for value in values if isinstance(value, dict)]
    return [each for each in objects if not _is_labelled(each)] or objects


def _joined(texts: list[Any], blobs: Mapping[int, Source]) -> bytes | None:
    """Return the picture of which *texts* are the pieces; None where the first is one by itself."""
    sources = (_source("b64_json", text, blobs) for text in texts)
    pieces = [source and bytes_of(source) for source in sources]
    if (pieces[0] and not is_cut_short(pieces[0])) or any(p and begins(p) for p in pieces[1:]):
        return None
    # As text they may be cut anywhere.
    is_text = all(isinstance(text, str) for text in texts)
    whole = picture_bytes("".join(texts)) if is_text else b"".join(p or b"" for p in pieces)
    return whole if whole and begins(whole) and not is_cut_short(whole) else None


def _links(key: str, value: Any) -> list[str]:
    """Return the URLs under a name; a relative one only where the name says that it is a URL."""
    if isinstance(value, list):
        return [link for inner in value for link in _links(key, inner)]
    if not isinstance(value, str) or not value.strip() or value[:5].lower() == "data:":
        return []
    if (link := link_in(value)) is not None:
        return [link]
    if key in _BYTES or picture_bytes(value):
        return []
    if links := [link for link in links_in(value) if not link.lower().startswith("data:")]:
        return links
    relative = relative_link(value) if key in _URLS else None
    return [relative] if relative else []


def _source(key: str, value: Any, blobs: Mapping[int, Source]) -> Source | None:
    """Return the bytes under a name: one that says base64 is believed, others must begin so."""
    if isinstance(value, list) and value and key in _BYTES:
        value = value[0]
    if isinstance(value, Blob):
        source = None if value.broken else blobs.get(value.number)
        return source if source and (key in _STRICT or begins(source)) else None
    if not isinstance(value, str) or not value or link_in(value) is not None:
        return None
    if key in _BYTES and not links_in(value):
        return picture_bytes(value) or decode_base64(value)
    data = picture_bytes(value)
    for link in () if data else links_in(value):
        data = data or picture_bytes(link)
    return data
