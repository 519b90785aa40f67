"""Picture items: what each one that a server sends stands for."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.client.http.picture_text import begins_as_picture, picture_bytes
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import read_status
from opeai_nb.client.wire.links import link_in, links_in, may_be_picture, relative_link
from opeai_nb.client.wire.read_error import Problem, error_of, find_problem, first_line, problem_of
from opeai_nb.client.wire.reason import reason_anywhere
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import INPUT_LISTS, leaves_in
from opeai_nb.errors import NoPictureError, OpeaiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opeai_nb.client.protocol.steps import Source
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.wire.unwrap import Places

GUESS: Final = (
    "The answer is of a form that nobody described: the picture was taken from where it seemed to "
    "be."
)
IN_DOUBT: Final = (
    "The answer lists other pictures as well, and does not say whether they are results: they were "
    "not taken, and the answer is kept."
)
MOST_ITEMS: Final = 512
"""Pictures of one answer that are looked at: a request has 128 at most (platform.md 2.4)."""
_TOO_MANY: Final = f"The answer lists more than {MOST_ITEMS} pictures: the rest was left out."
_BYTES: Final = ("b64_json",)
_URLS: Final = ("result_url", "image_url", "url")
_EITHER: Final = ("image", *_URLS, "sample", "inline_data", "file", "asset", "result", "output")
_LOOSE: Final = ("data", "content", "value", "media", "picture", "img", "artifact", "resource")
_NAMED: Final = (*_BYTES, *_EITHER, *_LOOSE)
# What an object may say of itself; `image` last, for tasks repeat their input there.
_ALONE: Final = ("b64_json", "result_url", "sample", "image_url", "url", "inline_data", "image")
_RESULTS: Final = ("b64_json", "result_url", "sample")  # which no input is called
# Where an item may hold its picture in an object of its own (Anthropic: `source.data`).
_INSIDE: Final = (*_BYTES, *_EITHER, *_LOOSE, "source")
_DEEPEST_ITEM: Final = 4


def pictures_in(
    places: Places, blobs: Mapping[int, Source], request: ImageRequest | None = None
) -> list[Picture] | None:
    """Return the pictures of an answer, in order; [] for an empty list, None where none can be.

    The first list that holds a picture, else what an object or a wrapper names by itself
    (platform.md 5); lists that a request has as well come last, and an input that is repeated is
    no picture. Where all failed, the failures of the first list.
    """
    echoed = _echoed(places) if request is not None and request.image else frozenset()
    pictures = _trusted(places, blobs, request, echoed)
    is_good = any(picture.error is None for picture in pictures or ())
    return pictures if is_good or not echoed else _trusted(places, blobs, request, frozenset())


class Found(NamedTuple):
    """The pictures of an answer as `pictures_in` returns them, and what is to be told of them."""

    pictures: list[Picture] | None
    notes: tuple[str, ...] = ()


def found_in(
    places: Places, blobs: Mapping[int, Source], request: ImageRequest | None = None
) -> Found:
    """Return the pictures of an answer, those of other lists among them that are surely results.

    Where others may be results, or inputs that are repeated, a note says so.
    """
    pictures = pictures_in(places, blobs, request)
    good = [picture for picture in pictures or () if picture.error is None]
    if not good or pictures is None or not places.lists:
        return Found(pictures)
    echoed = _echoed(places) if request is not None and request.image else frozenset()
    is_in_doubt = False
    for name, items in places.lists:
        listed = _without_inputs(_read_items(items, blobs), request, echoed)
        listed = [picture for picture in listed if picture.error is None]
        new = _unknown(listed, good)
        if not new or _is_echo(name, new, good, request) or _is_elsewhere(new, good, request):
            continue
        is_result = not _may_be_input(name, request) and (
            len(new) < len(listed) or _fits(new, good, request)
        )
        pictures, good = (pictures + new, good + new) if is_result else (pictures, good)
        is_in_doubt |= not is_result
    return Found(pictures, (IN_DOUBT,) if is_in_doubt else ())


def _unknown(listed: list[Picture], good: list[Picture]) -> list[Picture]:
    """Return the pictures that are not among *good*, by their URL or their bytes."""
    urls = {picture.url for picture in good if picture.url}
    # Most answers have one list, which is met again here: its bytes are not to be hashed for that.
    here = {id(picture.source) for picture in good if picture.source is not None}
    new = [p for p in listed if p.url not in urls and id(p.source) not in here]
    if all(picture.source is None for picture in new):
        return new
    contents = {_bytes_of(picture.source) for picture in good}
    return [p for p in new if p.source is None or _bytes_of(p.source) not in contents]


def _bytes_of(source: Source | None) -> bytes | None:
    return source if source is None or isinstance(source, bytes) else source.read_bytes()


def _may_be_input(name: str, request: ImageRequest | None) -> bool:
    return name in INPUT_LISTS and (request is None or bool(request.image))


def _wanted(request: ImageRequest | None) -> int:
    return (request.n if request is not None else None) or 1


def _is_echo(
    name: str, new: list[Picture], good: list[Picture], request: ImageRequest | None
) -> bool:
    """Tell a list that a request has as well, as long as what was sent, beside all results."""
    is_sent = request is not None and len(new) <= len(request.image)
    return is_sent and name in INPUT_LISTS and len(good) >= _wanted(request)


def _is_elsewhere(new: list[Picture], good: list[Picture], request: ImageRequest | None) -> bool:
    """Tell the pictures that are here already: in the other form, or under another address."""
    if len(new) != len(good) or len(good) < _wanted(request):
        return False
    forms = [{picture.source is None for picture in each} for each in (new, good)]
    return forms[0].isdisjoint(forms[1]) or [*map(_file, new)] == [*map(_file, good)] != [""]


def _file(picture: Picture) -> str:
    """Return the last part of a picture's URL: a store and its CDN call a file the same."""
    try:
        return urlsplit(picture.url or "").path.rpartition("/")[2]
    except ValueError:
        return ""


def _fits(new: list[Picture], good: list[Picture], request: ImageRequest | None) -> bool:
    """Tell whether *new* are as many as are missing of what was asked, and of the same form."""
    forms = {picture.source is None for picture in (*new, *good)}
    return len(forms) == 1 and len(good) + len(new) <= _wanted(request)


def _trusted(
    places: Places,
    blobs: Mapping[int, Source],
    request: ImageRequest | None,
    echoed: frozenset[str],
) -> list[Picture] | None:
    failed: list[Picture] | None = [] if places.lists else None
    for lists in _by_trust(places.lists):
        for items in lists:
            listed = _read_items(items, blobs)
            pictures = _without_inputs(listed, request, echoed)
            if any(picture.error is None for picture in pictures):
                return pictures
            is_echo = len(pictures) < len(listed)
            failed = failed or pictures or ([Picture(error=_failed(_ECHO))] if is_echo else [])
        if alone := _without_inputs(_named_alone(places, blobs), request, echoed):
            return alone
    return failed


def _by_trust(lists: Sequence[tuple[str, list[Any]]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the lists that only results have, and those that repeat an input at times."""
    own = [items for name, items in lists if name not in INPUT_LISTS]
    return own, [items for name, items in lists if name in INPUT_LISTS]


def _read_items(items: list[Any], blobs: Mapping[int, Source]) -> list[Picture]:
    pairs = [
        (item, picture)
        for item in islice(_flat(items), MOST_ITEMS)
        for picture in read_item(item, blobs)[:MOST_ITEMS]
    ]
    is_good = any(picture.error is None for _, picture in pairs)
    # A task alone is the answer itself; several, or one beside pictures, are pictures to come.
    is_alone = len(items) == 1
    pictures = [
        picture
        for item, picture in pairs
        if picture.error is None
        or not (_is_beside(item) if is_good else is_alone and _is_task(item))
    ]
    if len(items) <= MOST_ITEMS and len(pictures) <= MOST_ITEMS:
        return pictures
    return [*pictures[:MOST_ITEMS], Picture(error=_failed(_TOO_MANY))]


def _named_alone(places: Places, blobs: Mapping[int, Source]) -> list[Picture]:
    """Return the picture that an object or a wrapper names by itself, the outermost first."""
    for names in (_RESULTS, _ALONE[:-1], _ALONE):
        for node in places.nodes:
            values = {name: node[name] for name in names if node.get(name)}
            pictures = read_item(values, blobs) if values else []
            if pictures and pictures[0].error is None:
                return pictures
    for text in places.texts:
        pictures = read_item(text, blobs)
        if pictures and pictures[0].error is None:
            return pictures
    return []


def guessed_in(
    body: Any, blobs: Mapping[int, Source], request: ImageRequest | None
) -> list[Picture]:
    """Return what may be a picture anywhere in a finished answer: URLs, and bytes that begin so."""
    pictures: list[Picture] = []
    for leaf in leaves_in(body):
        if isinstance(leaf, Blob):
            source = None if leaf.broken else blobs.get(leaf.number)
            pictures += [Picture(source=source)] if source and begins(source) else []
        elif isinstance(leaf, str):
            data = picture_bytes(leaf)
            links = [] if data else [link for link in links_in(leaf) if may_be_picture(link)]
            pictures += [Picture(source=data)] if data else [Picture(url=link) for link in links]
    whole = [p for p in pictures if p.source or (p.url or "").lower().startswith("http")]
    unique = {picture.url or id(picture): picture for picture in whole}
    return _without_inputs(list(unique.values()), request)


def _echoed(places: Places) -> frozenset[str]:
    """Return the texts that an answer itself calls an input, under whatever name it adds."""
    return frozenset(
        leaf
        for node in places.nodes
        for name, value in node.items()
        if any(part in squeezed(name) for part in _INPUT_PARTS)
        for leaf in leaves_in({"value": value})
        if isinstance(leaf, str)
    )


_INPUT_PARTS: Final = ("input", "request", "param", "payload", "sourceimage", "initimage")


def _without_inputs(
    pictures: list[Picture], request: ImageRequest | None, echoed: frozenset[str] = frozenset()
) -> list[Picture]:
    inputs = request.image if request is not None else ()
    if not (inputs or echoed):
        return pictures  # megabytes of each picture would be hashed, to be looked for among nothing
    urls = (
        echoed
        | {image.url for image in inputs if image.url}
        | {
            value
            for image in inputs
            for value in (image.raw or {}).values()
            if isinstance(value, str)
        }
    )
    contents = {data for image in inputs for data in (image.data, image.sent) if data}
    return [p for p in pictures if not (p.url and p.url in urls) and p.source not in contents]


def read_item(item: Any, blobs: Mapping[int, Source]) -> list[Picture]:
    """Return what one item of a list stands for: a picture, or the reason why it is none.

    A text with Markdown in it, and an object with a list of URLs, may stand for several.
    """
    if isinstance(item, str):
        return _in_text(item)
    if isinstance(item, Blob):
        item = {"b64_json": item}
    if not isinstance(item, dict):
        return [Picture(error=_failed(_EMPTY if item is None else _NO_ITEM))]
    names = ("revised_prompt", "actual_prompt")
    revised = next((item[key] for key in names if item.get(key) and type(item[key]) is str), None)
    pictures = _pictures_of(item, blobs)
    if pictures and revised is None:
        return pictures
    if pictures:
        return [replace(picture, revised_prompt=revised) for picture in pictures]
    return [Picture(revised_prompt=revised, error=_item_error(item))]


def _in_text(text: str) -> list[Picture]:
    if (link := link_in(text)) is not None:
        return [Picture(url=link)]
    if data := picture_bytes(text):
        return [Picture(source=data)]
    if links := links_in(text):
        return [_linked(link) for link in links]
    if (link := relative_link(text)) is not None and may_be_picture(link) and "." in link:
        return [Picture(url=link)]
    if len(text.split()) == 1 and decode_base64(text):  # words without a comma would do as base64
        return [Picture(error=_failed(_NO_PICTURE))]
    words = first_line(text)
    told = f"Instead of a picture came text: {words!r}." if words else _NO_BYTES
    return [Picture(error=_failed(told))]


def _linked(link: str) -> Picture:
    if data := picture_bytes(link):
        return Picture(source=data)
    is_data = link[:5].lower() == "data:"
    return Picture(error=_failed(_NO_PICTURE)) if is_data else Picture(url=link)


# What an item says beside its picture: with nothing else, it was left empty.
_BESIDE: Final = frozenset(
    [
        *("revisedprompt", "actualprompt", "index", "idx", "id", "seed", "size", "width", "height"),
        *("object", "type", "created", "createdat", "model", "finishreason", "contenttype"),
        *("mimetype", "format", "outputformat", "quality", "background", "status"),
    ]
)
UNFINISHED: Final = "The answer came before this picture was painted."
_ECHO: Final = "The answer repeats the input picture, and holds no other."
_EMPTY: Final = "The platform sent an empty item instead of a picture."
_NO_ITEM: Final = "The platform sent an empty item instead of a picture: no object."
_NO_BYTES_IN: Final = (
    "The platform sent an item with neither bytes nor a URL that can be read: this picture is "
    "missing."
)
_NO_PICTURE: Final = "The bytes that came do not begin as a picture does: this one is missing."
_NO_BYTES: Final = "The platform sent an item with neither bytes nor a URL: this picture failed."


SAID_EMPTY: Final = (_EMPTY, _NO_BYTES)
"""What is said of items that the platform itself left empty: there is nothing in them to read."""


def _is_task(item: Any) -> bool:
    return isinstance(item, dict) and ("task_id" in item or "task_status" in item)


def _is_beside(item: Any) -> bool:
    """Tell what stands in a list beside its pictures and is no picture that failed.

    What a chat thinks and says (OpenAI), and what follows a URL in a list (`[url, seed, id]`).
    """
    if isinstance(item, dict):
        return item.get("type") in _NO_PICTURES and find_problem(item) is None
    return isinstance(item, _Beside)


_NO_PICTURES: Final = frozenset(
    [*("reasoning", "thinking", "message", "text", "output_text", "summary", "tool_use", "audio")]
)


class _Beside(str):
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
            yield from (_Beside(part) if isinstance(part, str) else part for part in parts)
        else:
            yield item


def _content(content: list[Any]) -> Iterator[Any]:
    """Yield the images of a message; its text is the prompt as the model rewrote it."""
    parts = [part for part in content if isinstance(part, dict)]
    text = next((part["text"] for part in parts if isinstance(part.get("text"), str)), None)
    shown = [part for part in parts if any(part.get(key) for key in (*_BYTES, *_EITHER, *_LOOSE))]
    for part in shown:
        yield {"revised_prompt": text, **part}
    if not shown and text:
        yield text if links_in(text) else _Beside(text)


def _pictures_of(
    item: dict[str, Any], blobs: Mapping[int, Source], depth: int = 0
) -> list[Picture]:
    """Prefer bytes to a URL: they do not expire and cost no second request."""
    several = [text for key in _BYTES if isinstance(texts := item.get(key), list) for text in texts]
    if len(several) > 1:
        return [p for text in several for p in _pictures_of({"b64_json": text}, blobs, depth)]
    named = [key for key in _NAMED if key in item]
    urls = [link for key in named if key not in _LOOSE for link in _links(key, item[key])]
    sources = (_source(key, item[key], blobs) for key in named)
    whole = [source for source in sources if source is not None]
    if (source := next(filter(begins, whole), None)) is not None:
        return [Picture(source=source, url=urls[0] if urls else None)]
    if urls:
        return [Picture(url=url) for url in dict.fromkeys(urls)]
    if whole:
        return [Picture(error=_failed(_NO_PICTURE))]
    if depth < _DEEPEST_ITEM:
        for key in _INSIDE:
            inner = item.get(key)
            for value in inner if isinstance(inner, list) else [inner]:
                if isinstance(value, dict) and (found := _pictures_of(value, blobs, depth + 1)):
                    return found
    links = [link for key in named if key in _LOOSE for link in _links(key, item[key])]
    return [Picture(url=link) for link in dict.fromkeys(links)]


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
        return source if source and (key in (*_BYTES, *_EITHER) or begins(source)) else None
    if not isinstance(value, str) or not value or link_in(value) is not None:
        return None
    if key in _BYTES and not links_in(value):
        return picture_bytes(value) or decode_base64(value)
    data = picture_bytes(value)
    for link in () if data else links_in(value):
        data = data or picture_bytes(link)
    return data


def begins(source: Source) -> bool:
    """Tell whether *source* begins as a picture; a file was named by how it does."""
    if isinstance(source, bytes):
        return begins_as_picture(source)
    return source.suffix.lstrip(".") not in ("", "bin")


def _item_error(item: dict[str, Any]) -> OpeaiError:
    if _is_running(item):
        error = _failed(UNFINISHED)
        error.task_id = next((text for key in _IDS if type(text := item.get(key)) is str), None)
        return error
    found: Problem | None = find_problem(item)
    if found is None and isinstance(item.get("message"), str) and item["message"]:
        found = problem_of(item["message"])
    if found is not None:
        return error_of(found, paid=False)
    broken = any(isinstance(value, Blob) and value.broken for value in item.values())
    if broken:
        return _failed("The base64 of this picture is broken.")
    says_nothing = not any(value for key, value in item.items() if squeezed(key) not in _BESIDE)
    says = problem_of(reason_anywhere(item)).message
    told = _NO_BYTES if says_nothing else _NO_BYTES_IN
    return _failed(f"{told} It says: {says!r}." if says else told)


def _is_running(item: Mapping[str, Any]) -> bool:
    words = (item.get(key) for key in ("status", "task_status", "state"))
    told = [read_status(word) for word in words if isinstance(word, str) and word]
    return any(status in {"queued", "painting"} for status in told)


_IDS: Final = ("task_id", "id")


def _failed(message: str) -> NoPictureError:
    return NoPictureError(message, advice="The other pictures of this generation are kept.")
