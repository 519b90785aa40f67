"""A generation as it is kept on disk: one JSON file beside its pictures."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.picture import sniff_format
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.library.files import is_plain_file, is_plain_name, read_plain
from opeai_nb.library.written_request import identity_of, read_request
from opeai_nb.library.inputs import find_inputs
from opeai_nb.library.replay import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opeai_nb.client.request import ImageRequest

VERSION: Final = 1
ENDING: Final = ".json"
_LARGEST: Final = 4_000_000
_HEAD: Final = 16


class UnusableRecordError(ValueError):
    """A file that is no record that can be shown; the text is the reason, for a person."""


@dataclass(frozen=True)
class KeptPicture:
    """One item of a record: the file of a picture, or the error that came in its place.

    *file* is a name in the library's folder, *size* is (width, height) in pixels, *bytes* and
    *sha256* are of the bytes as they were received, before any metadata was inserted. *url* is
    kept for an item that failed.
    """

    file: str | None = None
    format: str | None = None
    size: tuple[int, int] | None = None
    bytes: int | None = None
    sha256: str | None = None
    revised_prompt: str | None = None
    error: Mapping[str, Any] | None = None
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what is set."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


@dataclass(frozen=True)
class Record:
    """What was asked and what came back.

    *written* is the request as JSON (`request` builds it again), *created* is when it was asked,
    in seconds since 1970, *duration* how many seconds the answer took, *usage* is the platform's
    account, *answered_model* the name that it echoed and *platform_created* its own time. *file*
    is the name of the record in *folder*.
    """

    id: str
    created: float
    origin: str
    written: Mapping[str, Any] = field(repr=False)
    pictures: tuple[KeptPicture, ...]
    folder: Path = field(repr=False)
    file: str
    slot: Slot | None = None
    usage: Mapping[str, Any] | None = field(default=None, repr=False)
    task_id: str | None = None
    request_id: str | None = field(default=None, repr=False)
    duration: float | None = None
    answered_model: str | None = field(default=None, repr=False)
    platform_created: int | None = field(default=None, repr=False)
    toolkit: str | None = field(default=None, repr=False)

    @property
    def model(self) -> str:
        """The model that was asked."""
        return str(self.written["model"])

    @property
    def prompt(self) -> str:
        """What was to be painted."""
        return str(self.written["prompt"])

    @property
    def paths(self) -> tuple[Path, ...]:
        """The picture files."""
        return tuple(self.folder / item.file for item in self.pictures if item.file)

    @cached_property
    def identity(self) -> str:
        """What tells the same requests; of the request as it stands, also when it was edited."""
        return identity_of(self.written)

    @cached_property
    def request(self) -> ImageRequest:
        """The request again, ready to be sent.

        Raises `LibraryError` when one of its input pictures is not in the library.
        """
        return self.rebuilt(strict=True)

    def rebuilt(self, *, strict: bool) -> ImageRequest:
        """Return the request; where not *strict*, input pictures may be missing."""
        images = find_inputs(self.folder, self.written.get("image", ()), strict=strict)
        try:
            return read_request(self.written, images)
        except (InputError, TypeError) as error:
            raise LibraryError(f"The request in {self.file} cannot be asked: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the file, in the order in which a person reads it."""
        stands = {
            "opeai_nb": VERSION,
            "id": self.id,
            "created": moment_text(self.created),
            "origin": self.origin,
            "request": dict(self.written),
            "pictures": [item.to_json() for item in self.pictures],
            "usage": dict(self.usage) if self.usage is not None else None,
            "task_id": self.task_id,
            "request_id": self.request_id,
            "duration": self.duration,
            "answered_model": self.answered_model,
            "platform_created": self.platform_created,
            "slot": self.slot.to_json() if self.slot else None,
            "toolkit": self.toolkit,
        }
        return {name: value for name, value in stands.items() if value is not None}

    def dumps(self) -> bytes:
        """Return the content of the record's file."""
        return (json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n").encode()


def moment_text(moment: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


def read_record(folder: Path, file: str) -> Record:
    """Return the record in a file of the library, its pictures looked at but not read.

    Raises `UnusableRecordError` with the reason: cut short, edited, from a newer version, huge, a
    link, with a picture that is missing, that is a link or that is none.
    """
    try:
        text = read_plain(folder / file, _LARGEST)
    except OSError as error:
        raise UnusableRecordError(f"it cannot be read: {error.strerror}") from error
    record = parse_record(text, folder, file)
    for item in record.pictures:
        check_picture(folder, item)
    return record


def check_picture(folder: Path, item: KeptPicture) -> None:
    """Raise `UnusableRecordError` when a picture is not there, or not what the record says."""
    if item.file is None:
        return
    path = folder / item.file
    if not is_plain_file(path):
        what = "is a link" if path.is_symlink() else "is missing or empty"
        raise UnusableRecordError(f"its picture {item.file} {what}")
    try:
        with path.open("rb") as file:
            found = sniff_format(file.read(_HEAD))
    except OSError as error:
        raise UnusableRecordError(f"its picture {item.file} cannot be read") from error
    if found != item.format:
        raise UnusableRecordError(f"its picture {item.file} is no {item.format} picture")


def parse_record(text: bytes | str, folder: Path, file: str) -> Record:
    """Return the record that *text* is. Raises `UnusableRecordError`."""
    try:
        stands = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableRecordError("it is cut short or no JSON") from error
    if not isinstance(stands, dict) or not isinstance(stands.get("opeai_nb"), int):
        raise UnusableRecordError("it is not a record of this library")
    if stands["opeai_nb"] > VERSION:
        raise UnusableRecordError("it is from a newer version of opeai_nb")
    try:
        return _record_of(stands, folder, file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UnusableRecordError):
            raise
        raise UnusableRecordError(f"it has been edited: {_told(error)}") from error


def _record_of(stands: Mapping[str, Any], folder: Path, file: str) -> Record:
    return Record(
        id=_text(stands, "id"),
        created=_moment(_text(stands, "created")),
        origin=_text(stands, "origin"),
        written=_written(stands["request"]),
        pictures=tuple(_picture(item) for item in _list(stands, "pictures")),
        folder=folder,
        file=file,
        slot=_slot(stands.get("slot")),
        usage=_kind(stands, "usage", dict),
        task_id=_kind(stands, "task_id", str),
        request_id=_kind(stands, "request_id", str),
        duration=_duration(stands),
        answered_model=_kind(stands, "answered_model", str),
        platform_created=_kind(stands, "platform_created", int),
        toolkit=_kind(stands, "toolkit", str),
    )


def _picture(item: Mapping[str, Any]) -> KeptPicture:
    name, size = item.get("file"), item.get("size")
    if name is not None and not is_plain_name(name):
        raise UnusableRecordError("it names a picture outside the library")
    if name is None and _kind(item, "error", dict) is None:
        raise ValueError("a picture has neither a file nor an error")
    return KeptPicture(
        file=name,
        format=_kind(item, "format", str),
        size=(int(size[0]), int(size[1])) if size is not None else None,
        bytes=_kind(item, "bytes", int),
        sha256=_kind(item, "sha256", str),
        revised_prompt=_kind(item, "revised_prompt", str),
        error=_kind(item, "error", dict),
        url=_kind(item, "url", str),
    )


def _written(request: Mapping[str, Any]) -> Mapping[str, Any]:
    _text(request, "prompt")
    _text(request, "model")
    for image in request.get("image", ()):
        _text(image, "sha256")
    return request


def _slot(written: Mapping[str, Any] | None) -> Slot | None:
    if written is None:
        return None
    call = written["call"]
    if not isinstance(call, int) or call < 1:
        raise ValueError("slot")
    return Slot(_kind(written, "cell", str), call)


def _duration(stands: Mapping[str, Any]) -> float | None:
    seconds = _kind(stands, "duration", (int, float))
    return float(seconds) if seconds is not None and math.isfinite(seconds) else None


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(stands: Mapping[str, Any], name: str) -> str:
    value = stands[name]
    if not isinstance(value, str) or not value:
        raise TypeError(name)
    return value


def _list(stands: Mapping[str, Any], name: str) -> list[Any]:
    value = stands[name]
    if not isinstance(value, list) or not value:
        raise TypeError(name)
    return value


def _kind(stands: Mapping[str, Any], name: str, kind: Any) -> Any:
    value = stands.get(name)
    if value is not None and not isinstance(value, kind):
        raise TypeError(name)
    return value


def _told(error: Exception) -> str:
    return str(error).strip("'\"")[:80] or type(error).__name__
