"""A generation as it is kept on disk: one JSON file beside its pictures."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.picture import sniff_format
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.library.files import read_plain
from opeai_nb.library.inputs import find_inputs
from opeai_nb.library.replay import Slot
from opeai_nb.library.soundness import UnusableRecordError, check_record
from opeai_nb.library.written_request import identity_of, read_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opeai_nb.client.request import ImageRequest

VERSION: Final = 1
ENDING: Final = ".json"
_LARGEST: Final = 4_000_000
_HEAD: Final = 16


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
    """Return the record in a file of the library, its pictures looked at but not decoded.

    Raises `UnusableRecordError` with the reason: cut short, edited, from a newer version, huge, a
    link, with a picture that is missing, that is a link or that is none.
    """
    record, _ = read_record_and_text(folder, file)
    return record


def read_record_and_text(folder: Path, file: str) -> tuple[Record, str]:
    """Return the record in a file as `read_record` does, and the file's text."""
    try:
        text = read_plain(f"{folder}{os.sep}{file}", _LARGEST).decode()
    except OSError as error:
        raise UnusableRecordError(error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise UnusableRecordError("it is cut short or no JSON") from error
    record = parse_record(text, folder, file)
    for item in record.pictures:
        if item.file is not None:
            _look_at(folder, item.file, item.format)
    return record, text


def _look_at(folder: Path, file: str, format_: str | None) -> None:
    """Raise `UnusableRecordError` when a picture is not there, or not what the record says."""
    try:
        head = read_plain(f"{folder}{os.sep}{file}", _HEAD, head=True)
    except FileNotFoundError as error:
        raise UnusableRecordError(f"its picture {file} is missing") from error
    except OSError as error:
        raise UnusableRecordError(f"its picture {file}: {error.strerror}") from error
    if not head or sniff_format(head) != format_:
        raise UnusableRecordError(f"its picture {file} is no {format_} picture")


def parse_record(text: str, folder: Path, file: str) -> Record:
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
        check_record(stands)
        return record_of(stands, folder, file)
    except UnusableRecordError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnusableRecordError("it has been edited into something else") from error


def record_of(stands: Mapping[str, Any], folder: Path, file: str) -> Record:
    """Return the record of JSON that is known to be sound."""
    slot = stands.get("slot")
    return Record(
        id=stands["id"],
        created=_moment(stands["created"]),
        origin=stands["origin"],
        written=stands["request"],
        pictures=tuple(_picture(item) for item in stands["pictures"]),
        folder=folder,
        file=file,
        slot=Slot(slot.get("cell"), slot["call"]) if slot else None,
        usage=stands.get("usage"),
        task_id=stands.get("task_id"),
        request_id=stands.get("request_id"),
        duration=stands.get("duration"),
        answered_model=stands.get("answered_model"),
        platform_created=stands.get("platform_created"),
        toolkit=stands.get("toolkit"),
    )


def _picture(item: Mapping[str, Any]) -> KeptPicture:
    size = item.get("size")
    return KeptPicture(
        file=item.get("file"),
        format=item.get("format"),
        size=(size[0], size[1]) if size else None,
        bytes=item.get("bytes"),
        sha256=item.get("sha256"),
        revised_prompt=item.get("revised_prompt"),
        error=item.get("error"),
        url=item.get("url"),
    )


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
