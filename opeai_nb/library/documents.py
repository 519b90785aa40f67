"""The JSON documents of a library: a record, its marks, and a journal entry.

    2026-11-22-fox-3f2a9c1d.json           RecordDocument, once and for all
    2026-11-22-fox-3f2a9c1d-1.png          a picture that it names
    2026-11-22/…-1.png, …-2.png, ….json    the same in a large library, by day
    marks/2026-11-22-fox-3f2a9c1d.jsonl    MarkDocument, a line for each change of its marks
    .pending/3f2a9c1d/journal.jsonl        EntryDocument, a line for each change, the last one wins
    .pending/3f2a9c1d/0/received.png       a picture on its way, by its place in the answer
    only/2026-11-22-fox-3f2a9c1d-1b2c3d4e.json   OverlayDocument: it was laid over its original
    .sessions/1795348800.123456-3f2a.jsonl NoteDocument, a line for each take that a slot had

Documents come from strangers, too: `check` is what stands between them and the code. Fields of a
later version are passed over; one that is absent and one that is null are the same.
"""

from __future__ import annotations

import json
from functools import lru_cache
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    TypedDict,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Origin = Literal["platform", "engine"]
State = Literal["intended", "sending", "pending", "fetching", "unknown"]


class SlotDocument(TypedDict):
    """Where a picture has its place: the cell's id, and which call in that run, from 1."""

    cell: str | None
    call: int


class ImageDocument(TypedDict):
    """An input picture by its content; the bytes lie in `.inputs/` under this sha256."""

    sha256: str
    pixels: NotRequired[str]
    kind: NotRequired[str]
    name: NotRequired[str]


class RequestDocument(TypedDict):
    """The fields that were set, under the API's names; what is not listed here is passed on."""

    prompt: str
    model: str
    image: NotRequired[list[ImageDocument]]


class ErrorDocument(TypedDict):
    """Why an item has no picture: the class of the error, its message and the platform's code."""

    type: NotRequired[str]
    message: NotRequired[str]
    code: NotRequired[str | int]


class PictureDocument(TypedDict):
    """One item of a record, or of an answer in the journal.

    *file* is a name in the library's folder (in the journal: in the entry's, `/` allowed once),
    *size* is width and height in pixels; *bytes* and *sha256* are of the bytes as received.
    """

    file: NotRequired[str]
    format: NotRequired[str]
    size: NotRequired[list[int]]
    bytes: NotRequired[int]
    sha256: NotRequired[str]
    revised_prompt: NotRequired[str]
    error: NotRequired[ErrorDocument]
    url: NotRequired[str]


class WordsDocument(TypedDict):
    """What a person said of the pictures when they were asked for."""

    alt: NotRequired[str]
    caption: NotRequired[str]
    keywords: NotRequired[list[str]]


class RecordDocument(TypedDict):
    """What was asked and what came back: the file beside the pictures.

    *opeai_nb* is the version of this form, *created* ISO 8601 in UTC, *duration* in seconds;
    *platform_created* is the platform's own time in seconds since 1970.
    """

    opeai_nb: int
    id: str
    created: str
    origin: str
    request: RequestDocument
    pictures: list[PictureDocument]
    usage: NotRequired[dict[str, Any]]
    differences: NotRequired[list[str]]
    task_id: NotRequired[str]
    request_id: NotRequired[str]
    duration: NotRequired[float]
    answered_model: NotRequired[str]
    platform_created: NotRequired[int]
    slot: NotRequired[SlotDocument]
    place: NotRequired[str]
    words: NotRequired[WordsDocument]
    toolkit: NotRequired[str]


class MarkDocument(TypedDict):
    """A change of what people say of a record, or of one *picture* of it, from 1.

    *at* is ISO 8601 in UTC.
    """

    at: str
    picture: NotRequired[int]
    star: NotRequired[bool]
    trash: NotRequired[bool]
    note: NotRequired[str]
    tag: NotRequired[list[str]]
    untag: NotRequired[list[str]]
    alt: NotRequired[str]
    caption: NotRequired[str]
    keywords: NotRequired[list[str]]


class OverlayDocument(TypedDict):
    """That pictures of a record were laid over what they were made from, in a region of it.

    *at* is ISO 8601 in UTC, *box* x, y, width and height, *mask* the sha256 of an input,
    *pictures* are numbered from 1.
    """

    opeai_nb: int
    at: str
    box: list[int]
    pictures: list[int]
    mask: NotRequired[str]
    notes: NotRequired[list[str]]


class AnswerDocument(TypedDict):
    """What came, and what is still to be fetched; *created* in seconds since 1970."""

    pictures: list[PictureDocument]
    usage: NotRequired[dict[str, Any]]
    created: NotRequired[float]
    model: NotRequired[str]
    request_id: NotRequired[str]
    task_id: NotRequired[str]


class EntryDocument(TypedDict):
    """What the journal knows of an unfinished request.

    *name* is that of the record to be, *created* and *deadline* are in seconds since 1970,
    *duration* in seconds, *key* is the Idempotency-Key, *owner* the process that works on it,
    *holder* one that has pictures of it which no disk took, *sends* how many sendings are over,
    *seal* is this user's over what came, *subfolder* where its record is to lie.
    """

    opeai_nb: int
    id: str
    name: str
    created: float
    key: str
    base_url: str
    origin: str
    request: RequestDocument
    state: State
    owner: dict[str, Any]
    sends: NotRequired[int]
    holder: NotRequired[dict[str, Any]]
    slot: NotRequired[SlotDocument]
    place: NotRequired[str]
    metadata: NotRequired[bool]
    subfolder: NotRequired[str]
    words: NotRequired[WordsDocument]
    task_id: NotRequired[str]
    poll_path: NotRequired[str]
    request_id: NotRequired[str]
    deadline: NotRequired[float]
    duration: NotRequired[float]
    error: NotRequired[str]
    unread: NotRequired[bool]
    answer: NotRequired[AnswerDocument]
    seal: NotRequired[str]


class NoteDocument(TypedDict):
    """A session's word: at this moment (seconds since 1970) the slot had this take of a request.

    *notebook* is the file it stands in, as seen from the folder that the library lies in.
    """

    at: float
    request: str
    slot: SlotDocument
    take: str
    notebook: NotRequired[str]


class _Field(NamedTuple):
    """A field as it is checked: *inner* is the document, or the class, of it or of its items."""

    name: str
    is_required: bool
    classes: tuple[type, ...]
    choices: tuple[str, ...]
    inner: Any
    is_list: bool
    is_deep: bool


def document_in(text: str | bytes, kind: Any = None) -> dict[str, Any] | None:
    """Return the object that *text* is, as *kind* says; None for one cut short, or edited."""
    try:
        document = json.loads(text)
        if kind is not None:
            check(document, kind)
    except (ValueError, TypeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def check(document: object, kind: Any, name: str = "the document") -> None:
    """Raise `TypeError` with the *name* of the first field that is not as *kind* says.

    *kind* is one of the typed dicts of this file.
    """
    if not isinstance(document, dict):
        raise TypeError(name)
    for field in _fields(kind):
        value = document.get(field.name)
        if value is None and not field.is_required:
            continue
        if not isinstance(value, field.classes) or (field.choices and value not in field.choices):
            raise TypeError(field.name)
        if field.inner is not None:
            items: Any = value if field.is_list else (value,)
            for item in items:
                if field.is_deep:
                    check(item, field.inner, field.name)
                elif not isinstance(item, field.inner):
                    raise TypeError(field.name)


@lru_cache(16)
def _fields(kind: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_field(name, hint) for name, hint in hints.items())


def _field(name: str, hint: Any) -> _Field:
    is_required = get_origin(hint) is not NotRequired
    kind = hint if is_required else get_args(hint)[0]
    each = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    is_list = get_origin(kind) is list
    inner = get_args(kind)[0] if is_list else kind if is_typeddict(kind) else None
    classes = tuple(c for one in each for c in _classes(one))
    is_required = is_required and NoneType not in each
    return _Field(name, is_required, classes, choices, inner, is_list, is_typeddict(inner))


def _classes(kind: Any) -> tuple[type, ...]:
    if kind is float:
        return (int, float)  # JSON writes 2.0 seconds as 2 where it was an int
    if get_origin(kind) is Literal:
        return (str,)
    return (dict,) if is_typeddict(kind) else (get_origin(kind) or kind,)
