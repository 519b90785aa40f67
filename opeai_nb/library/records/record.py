"""A generation as it is kept on disk: one JSON file beside its pictures."""

from __future__ import annotations

import json
import os
import re
import stat
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError
from opeai_nb.formats import sniff_format
from opeai_nb.guard import cached_property
from opeai_nb.library.records.request_facts import Fact, RequestFacts
from opeai_nb.library.records.validate import UnusableRecordError, check_record, writable
from opeai_nb.plain_file import read_plain
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest

VERSION: Final = 1
ENDING: Final = ".json"
LONGEST_REQUEST: Final = 2_000_000
"""Bytes of a request as JSON, without its input pictures: the longest prompts have some 100,000."""
LARGEST: Final = 8_000_000
"""Bytes of a record, which has some 2,000: a request, and what the server said of it."""
_HEAD: Final = 16  # bytes that tell any format (formats.sniff_format)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)  # json.dumps would build one each time
_name: Final = lru_cache(256)(_ENCODER.encode)
_HALF: Final = re.compile(r"\\u[dD][89A-Fa-f]")  # of a letter that may lack its other half
_LARGEST_LOOK: Final = 2**62  # what SQLite holds


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

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> KeptPicture:
        """Return an item of a sound record; fields of a later version are passed over."""
        known = {name: item[name] for name in cls.__dataclass_fields__ if name in item}
        size = item.get("size")
        return cls(**{**known, "size": (size[0], size[1]) if size else None})


@dataclass(frozen=True, repr=False)
class Record(RequestFacts):
    """What was asked and what came back.

    *stands* is the JSON of the file *file* in *folder*, a home of the library; the properties read
    it. *file* begins with the sub-folder, where it lies in one: `2026-11-22/….json`.
    """

    folder: Path
    file: str
    stands: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        text = f"{self.id}: {len(self.pictures)} x {self.model}, {self.prompt[:40]!r}"
        return f"<Record {printable_line(text)}>"

    @cached_property
    def created(self) -> float:
        """When it was asked, in seconds since 1970."""
        return moment_of(self.stands["created"])

    @cached_property
    def pictures(self) -> tuple[KeptPicture, ...]:
        """Every item that came, also those that failed."""
        return tuple(KeptPicture.from_json(item) for item in self.stands["pictures"])

    @property
    def stem(self) -> str:
        """The name of its file, without ending: `2026-11-22-fox-3f2a9c1d`."""
        return self.file.rpartition("/")[2].removesuffix(ENDING)

    @property
    def files(self) -> list[str]:
        """The picture files as they are named in the library, its sub-folder included."""
        names = (item.get("file") for item in self.stands["pictures"])
        return [self.beside(name) for name in names if name]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The picture files."""
        return tuple(self.folder / file for file in self.files)

    def beside(self, name: str) -> str:
        """Return as it is named in the library what lies beside the record under *name*."""
        subfolder, slash, _ = self.file.rpartition("/")
        return f"{subfolder}{slash}{name}"

    def path_of(self, name: str) -> Path:
        """Return the path of what lies beside the record under *name*."""
        return self.folder / self.beside(name)

    usage = Fact[dict[str, Any] | None]()
    """The platform's own account."""
    task_id = Fact[str | None]()
    """The platform's id of the task that painted it, if one did."""
    request_id = Fact[str | None]()
    """The platform's id of the request, for its support."""
    differences = Fact[list[str] | None]()
    """A sentence for each way in which the pictures are not what was asked for."""
    words = Fact[dict[str, Any] | None]()
    """What was said of the pictures when they were asked for; marks tell what is said now."""
    duration = Fact[float | None]()
    """How many seconds the answer took, where one process saw it begin and end."""
    toolkit = Fact[str | None]()
    """The version of opeai_nb that kept it."""

    @cached_property
    def request(self) -> ImageRequest:
        """The request again, ready to be sent.

        Raises `LibraryError` when one of its input pictures is not in the library.
        """
        return self.rebuilt(strict=True)

    def rebuilt(self, *, strict: bool) -> ImageRequest:
        """Return the request; where not *strict*, input pictures may be missing.

        Raises `LibraryError` when the request has been edited, or as `request` does.
        """
        return self._read_request(self.folder, self.file, strict=strict)

    def look(self) -> int | None:
        """Return a number that changes with the picture files; None when one is no file."""
        found = 0
        for file in self.files:
            try:
                told = os.lstat(f"{self.folder}{os.sep}{file}")
            except OSError:
                return None
            if not stat.S_ISREG(told.st_mode):
                return None
            found += told.st_mtime_ns + told.st_size
        return found % _LARGEST_LOOK

    def with_pictures(self, pictures: Iterable[KeptPicture]) -> Record:
        """Return the record with these pictures."""
        items = [picture.to_json() for picture in pictures]
        return Record(self.folder, self.file, {**self.stands, "pictures": items})

    def dumps(self) -> bytes:
        """Return the content of the record's file."""
        return self._text

    @cached_property
    def _text(self) -> bytes:
        # A line for each fact, as a person reads it. json's own indenting is written in Python, and
        # takes five times as long as all the rest of this.
        facts = (f"{_name(name)}: {_ENCODER.encode(value)}" for name, value in self.stands.items())
        return ("{\n " + ",\n ".join(facts) + "\n}\n").encode()


def moment_text(moment: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> float:
    """Return the seconds since 1970 that ISO 8601 tells. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_record(folder: Path, file: str) -> Record:
    """Return the record in a file of the library, its pictures looked at but not decoded.

    Raises `UnusableRecordError` with the reason: cut short, edited, from a newer version, huge, a
    link, with a picture that is missing, that is a link or that is none.
    """
    record, _ = read_record_and_text(folder, file)
    return record


def read_record_and_text(folder: Path, file: str) -> tuple[Record, str]:
    """Return the record in a file, and its text. Raises `UnusableRecordError`, as `read_record`."""
    record, text = _without_pictures(folder, file)
    here = _as_spelled_here(record)
    for item in here.pictures:
        if item.file is not None:
            _look_at(here.path_of(item.file), item.format)
    return here, here.dumps().decode() if here is not record or has_half_letters(text) else text


def record_said(folder: Path, file: str) -> Record | None:
    """Return what a file says, its pictures there or not; None where it says nothing."""
    try:
        return _without_pictures(folder, file)[0]
    except UnusableRecordError:
        return None


def _without_pictures(folder: Path, file: str) -> tuple[Record, str]:
    try:
        if "/" in file and stat.S_ISLNK(os.lstat(folder / file.rpartition("/")[0]).st_mode):
            raise UnusableRecordError("its folder is a link")
        text = _content(f"{folder}{os.sep}{file}", LARGEST).decode().removeprefix("\ufeff")
    except OSError as error:
        raise UnusableRecordError(error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise UnusableRecordError("it is cut short or not JSON") from error
    return parse_record(text, folder, file), text


def _content(path: Path | str, limit: int, *, head: bool = False) -> bytes:
    try:
        return read_plain(path, limit, head=head)
    except UnicodeEncodeError as error:  # it is there: to skip it would be to pay for it again
        raise LibraryError(
            f"Python reads file names as {error.encoding} here, and a picture has another.",
            advice="Set PYTHONUTF8=1, or LC_ALL=C.UTF-8, before Python starts. Nothing was sent.",
        ) from error


def has_half_letters(text: str) -> bool:
    """Tell whether JSON may have a letter without its other half, which no file takes."""
    return "\\" in text and _HALF.search(text) is not None


def _as_spelled_here(record: Record) -> Record:
    """Return a record with its pictures as they are spelled in its folder.

    An archive that macOS packed has letters and their accents apart, in the names of its files; one
    that was packed on Windows has others in their place, in the record's own name as well.
    """
    if all(map(str.isascii, record.files)):
        return record
    spelled = [
        replace(item, file=_spelled(record.path_of(item.file), record.stem)) if item.file else item
        for item in record.pictures
    ]
    return record if spelled == [*record.pictures] else record.with_pictures(spelled)


def _spelled(path: Path, stem: str) -> str:
    """Return the spelling under which a file is there; its name itself where none is.

    *stem* is how its record's name is spelled.
    """
    folder, name = path.parent, path.name
    beside = f"{stem}-{name.rpartition('-')[2]}"
    forms = [name, unicodedata.normalize("NFD", name), unicodedata.normalize("NFC", name)]
    if stem.isprintable():  # bytes that are no text in this locale are not
        forms.append(beside)
    return next((form for form in forms if os.path.lexists(f"{folder}{os.sep}{form}")), name)


def _look_at(path: Path, format_: str | None) -> None:
    """Raise `UnusableRecordError` when a picture is not there, or not what the record says."""
    file = path.name
    try:
        head = _content(path, _HEAD, head=True)
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
        raise UnusableRecordError("it is cut short or not JSON") from error
    if not isinstance(stands, dict) or not isinstance(stands.get("opeai_nb"), int):
        raise UnusableRecordError("it is not a record of this library")
    if stands["opeai_nb"] > VERSION:
        raise UnusableRecordError("it is from a newer version of opeai_nb")
    if has_half_letters(text):
        stands = writable(stands)
    try:
        check_record(stands)
        record = Record(folder, file, stands)
        _ = record.created  # a time that is none raises here
    except UnusableRecordError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnusableRecordError("it has been edited into something else") from error
    return record
