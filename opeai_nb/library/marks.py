"""What people say of what is kept: a star, tags, a note, and that it lies in the trash.

    marks/2026-11-22-fox-3f2a9c1d.jsonl       a line for each change; the latest one counts

A record says what was asked and what came, once and for all: so this stands beside it. Lines are
appended: two kernels, or people who share a folder, mark one record at once and lose nothing, and
what is undone can be seen. Where a file is another user's, one's own begins beside it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from opeai_nb.client.values.words import WORDS, Words
from opeai_nb.errors import LibraryError
from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import (
    append_line,
    is_link,
    names_in,
    own_folder,
    times_in,
    write_new,
)
from opeai_nb.library.documents import MarkDocument, document_in
from opeai_nb.library.index.folder_time import stamp_of, time_of
from opeai_nb.library.index.index_row import folded
from opeai_nb.library.library_warning import reason
from opeai_nb.library.records.record import moment_text
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.library.records.record import Record

FOLDER: Final = "marks"
_LINES: Final = ".jsonl"
_LARGEST: Final = 1_000_000  # bytes: some ten thousand changes of one record
_ID_LENGTH: Final = 8
_LONGEST_TAG: Final = 64
_STEP: Final = "microseconds"
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """What holds of one record now; *tags* in the order of the alphabet.

    *said* are the alt text, caption and keywords that were changed since it was made, by name;
    *pictures* are the marks that single pictures of it have, each with its number, from 1.
    """

    starred: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""
    trashed: bool = False
    said: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    pictures: tuple[tuple[int, Marks], ...] = field(default=(), repr=False)

    def has_star(self) -> bool:
        """Tell whether it is starred, or one of its pictures."""
        return self.starred or any(marks.starred for _, marks in self.pictures)

    def has_tag(self, tag: str) -> bool:
        """Tell whether it has this tag, or one of its pictures, without regard to case."""
        own = folded(tag.removeprefix("#")) in map(folded, self.tags)
        return own or any(marks.has_tag(tag) for _, marks in self.pictures)

    def at(self, number: int) -> Marks:
        """Return what holds of one picture: what is said of it, and of the whole record."""
        own = dict(self.pictures).get(number, Marks())
        return Marks(
            starred=self.starred or own.starred,
            tags=tuple(sorted({*self.tags, *own.tags}, key=folded)),
            note=own.note or self.note,
            trashed=self.trashed,
            said=tuple({**dict(self.said), **dict(own.said)}.items()),
        )

    def words(self, record: Record) -> Words:
        """Return what is said of a record now: when it was made, and since."""
        return Words.from_json(record.words).with_changes(dict(self.said))

    def __str__(self) -> str:
        star, trash = "★" * self.starred, "in the trash" * self.trashed
        own = " ".join(filter(None, (star, *(f"#{tag}" for tag in self.tags), self.note, trash)))
        return " · ".join(filter(None, (own, *(f"{n}: {marks}" for n, marks in self.pictures))))


class Change(TypedDict, total=False):
    """One change; what is not in it stays as it is."""

    star: bool
    trash: bool
    note: str
    tag: list[str]
    untag: list[str]
    alt: str
    caption: str
    keywords: Sequence[str]


def put_together(lines: Iterable[Mapping[str, Any]]) -> Marks:
    """Return what the lines of a record come to, whatever the order in which they were read."""
    said: defaultdict[int | None, list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        said[line.get("picture")].append(line)
    whole = _holding(said.pop(None, []))
    each = [(number, _holding(said[number])) for number in sorted(filter(None, said))]
    return replace(whole, pictures=tuple(it for it in each if it[1] != Marks()))


def _holding(lines: Iterable[Mapping[str, Any]]) -> Marks:
    latest: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: str(line["at"])):
        latest.update({name: value for name, value in line.items() if value is not None})
        tags.update({folded(tag): tag for tag in line.get("tag") or ()})
        for tag in line.get("untag") or ():
            tags.pop(folded(tag), None)
    return Marks(
        starred=latest.get("star", False),
        tags=tuple(sorted(tags.values(), key=folded)),
        note=latest.get("note", ""),
        trashed=latest.get("trash", False),
        said=tuple(
            (name, tuple(latest[name]) if name == "keywords" else latest[name])
            for name in WORDS
            if name in latest
        ),
    )


def tags_of(marks: Mapping[str, Marks]) -> dict[str, list[str]]:
    """Return the ids of the records that have each tag, or a picture of them, by the alphabet.

    Of a tag that is written in several ways, the first of them stands for all.
    """
    tagged: dict[str, tuple[str, list[str]]] = {}
    for record, each in marks.items():
        own = {folded(tag): tag for _, one in reversed(each.pictures) for tag in one.tags}
        for key, tag in {**own, **{folded(tag): tag for tag in each.tags}}.items():
            tagged.setdefault(key, (tag, []))[1].append(record)
    return {tag: ids for _, (tag, ids) in sorted(tagged.items())}


def tag_of(text: str) -> str:
    """Return a tag as it is kept, without its `#`. Raises `LibraryError` when it is none."""
    tag = text.strip().removeprefix("#")
    is_word = tag and tag == tag.strip("\"'") and not any(sign.isspace() for sign in tag)
    if not is_word or len(tag) > _LONGEST_TAG:
        raise LibraryError(
            f"{text!r} is no tag.", advice=f"A tag is one word of at most {_LONGEST_TAG} letters."
        )
    return tag


class MarkFiles:
    """The marks of a library's records, read again when their files change. Any thread may ask."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes
        self._lock = Guard()
        self._read: dict[Path, tuple[_Stamp, list[Any]]] = {}
        self._times: dict[Path, int | None] = {}
        self._lines: dict[str, list[Any]] = {}
        self._marks: dict[str, Marks] = {}
        self._trashed: frozenset[str] = frozenset()

    def all(self) -> Mapping[str, Marks]:
        """Return the marks of each record that has some, by its id."""
        with self._lock:
            self._follow()
            return self._marks

    def _follow(self) -> None:
        """Read what has changed since the folders' times were noted, and put that together."""
        folders = [home / FOLDER for home in self._homes.there]
        if self._times == {folder: _time_of(folder) for folder in folders}:
            return
        # Before they are listed: what comes in between shows next time.
        self._times = {folder: _stamp_of(folder) for folder in folders}
        lines: dict[str, list[Any]] = {}
        for path, stamp in self._paths():
            if path not in self._read or self._read[path][0] != stamp:
                self._read[path] = (stamp, _lines_of(path))
            lines.setdefault(_id_in(path.name), []).extend(self._read[path][1])
        same = {id_ for id_, each in lines.items() if self._lines.get(id_) == each}
        self._marks = {
            id_: self._marks[id_] if id_ in same else put_together(each)
            for id_, each in lines.items()
        }
        self._lines = lines
        self._trashed = frozenset(id_ for id_, marks in self._marks.items() if marks.trashed)

    def _next_moment(self, record: str) -> str:
        """Return a time behind every change of a record: the clock may have been set back since."""
        times = [str(line["at"]) for line in self._lines.get(record, ())]
        try:
            latest = datetime.fromisoformat(max(times, default=""))
            return (latest + timedelta(microseconds=1)).astimezone(UTC).isoformat(timespec=_STEP)
        except (ValueError, OverflowError):
            return ""

    def trashed(self) -> frozenset[str]:
        """Return the ids of the records that lie in the trash."""
        with self._lock:
            self._follow()
            return self._trashed

    def change(
        self,
        which: Sequence[tuple[Record, int | None]],
        change: Change,
        clock: Callable[[], float],
    ) -> list[Marks]:
        """Note a change of the marks of records, or of one picture; return what holds then of each.

        *clock* tells seconds since 1970. Raises `LibraryError` where the disk refuses.
        """
        self.all()
        for record, picture in which:
            own = {} if picture is None else {"picture": picture}
            at = max(moment_text(clock()), self._next_moment(record.id))
            text = json.dumps({"at": at, **own, **change}, ensure_ascii=False)
            self._write(record, text.encode("utf-8", "replace"))
        marks = self.all()
        return [marks.get(record.id, Marks()) for record, _ in which]

    def _write(self, record: Record, line: bytes) -> None:
        try:
            self._homes.write(lambda home: self._append(home / FOLDER, record.stem, line))
        except OSError as error:
            raise LibraryError(
                f"{record.id} cannot be marked: {reason(error)}.",
                advice="Marks stand in the library's folder, or in your own data folder.",
            ) from error

    def _append(self, folder: Path, stem: str, line: bytes) -> None:
        own_folder(folder, disk=self._homes.disk)
        try:
            self._add_line(folder / f"{stem}{_LINES}", line)
        except PermissionError:  # another user's, in a folder that is shared
            for name in sorted(names_in(folder)):
                if name.startswith(f"{stem}.") and name.endswith(_LINES):
                    with suppress(PermissionError):
                        return self._add_line(folder / name, line)
            self._add_line(folder / f"{stem}.{secrets.token_hex(4)}{_LINES}", line)

    def _add_line(self, path: Path, line: bytes) -> None:
        disk = self._homes.disk
        with suppress(FileExistsError):
            write_new(path, b"", durable=False, disk=disk)
        append_line(path, line, disk=disk)
        try:
            os.utime(path.parent)  # that a file has grown shows in no folder's time
        except OSError:  # another user's folder: what was noted of it tells nothing
            self._times = {}

    def _paths(self) -> Iterator[tuple[Path, _Stamp]]:
        """Yield each file of marks with its time and size."""
        for home in self._homes.there:
            for name, stamp in _times_in(home / FOLDER).items():
                yield home / FOLDER / name, stamp


def _times_in(folder: Path) -> dict[str, _Stamp]:
    """Return time and size of each file of marks in a folder; none where it is a link."""
    try:
        if is_link(folder):
            return {}
        return {name: (time, size) for name, time, size in times_in(folder, _LINES)}
    except OSError:
        return {}


def _time_of(folder: Path) -> int | None:
    """Return the time of a folder of marks; 0 where there is none, or a link."""
    try:
        return 0 if is_link(folder) else time_of(folder)
    except OSError:
        return 0


def _stamp_of(folder: Path) -> int | None:
    """Return the folder's time as a mark that any later change differs from, as `_time_of` does."""
    try:
        return 0 if is_link(folder) else stamp_of(folder, may_set=True)
    except OSError:
        return 0


def _id_in(name: str) -> str:
    """Return the id in the name of a file of marks: `2026-11-22-fox-3f2a9c1d.1b2c3d4e.jsonl`."""
    return name.partition(".")[0][-_ID_LENGTH:]


def _lines_of(path: Path) -> list[Any]:
    """Return the sound lines of a file; one that a crash cut short is passed over."""
    try:
        texts = read_plain(path, _LARGEST).splitlines()
    except OSError:
        return []
    lines = (document_in(text, MarkDocument) for text in texts)
    return [line for line in lines if line is not None]
