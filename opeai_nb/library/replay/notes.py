"""What each session showed where: a file of lines for each, only ever added to.

    .sessions/1795348800.123456-3f2a9c1d.jsonl     the session's name sorts by when it began

Notes keep a notebook's pictures in their places when its cells get other ids, are split, merged or
moved. They may be lost: then what stands in the records rules.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import append_line, is_link, names_in, own_folder, write_new
from opeai_nb.library.documents import NoteDocument, check
from opeai_nb.library.replay.replay import Note
from opeai_nb.library.replay.slot import Slot
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from opeai_nb.library.disk.homes import Homes

FOLDER: Final = ".sessions"
_ENDING: Final = ".jsonl"
_NAME = re.compile(r"\d{1,12}\.\d{6}-[0-9a-f]{8}")
_LARGEST: Final = 64_000_000
_WATCHED: Final = 32
"""Sessions whose files are looked at again and again: older ones run no more."""


class Notes:
    """The notes of a library's sessions, by request. Any thread may use it."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes
        self._lock = Guard()
        self._folders = {home: home / FOLDER for home in homes.all}
        self._seen: dict[Path, int] = {}
        self._names: defaultdict[Path, set[str]] = defaultdict(set)
        self._late: dict[Path, list[str]] = {}
        self._own: set[str] = set()
        self._notes: defaultdict[str, list[Note]] = defaultdict(list)

    def add(self, request: str, note: Note) -> None:
        """Note what a slot has; where the disk refuses, this session alone remembers it."""
        said = {"at": note.at, "request": request, "slot": note.slot.to_json(), "take": note.take}
        if note.notebook:
            said["notebook"] = note.notebook
        line = json.dumps(said).encode()
        with self._lock:
            self._notes[request].append(note)
            self._own.add(note.session)
            with suppress(OSError):  # where nothing can be written, it still replays
                self._homes.write(lambda home: self._add_line(home, note.session, line))

    def _add_line(self, home: Path, session: str, line: bytes) -> None:
        disk = self._homes.disk
        path = own_folder(home / FOLDER, unlisted=True, disk=disk) / f"{session}{_ENDING}"
        with suppress(FileExistsError):
            write_new(path, b"", durable=False, disk=disk)
        append_line(path, line, durable=False, disk=disk)

    def of(self, request: str) -> tuple[Note, ...]:
        """Return all notes on a request, in the order in which they were made."""
        with self._lock:
            self._read_new()
            notes = self._notes.get(request, ())
            return tuple(sorted(notes, key=lambda note: (note.at, note.session, note.take)))

    def latest_start(self, until: float) -> float:
        """Return when the latest session began that says it did before *until*; 0 without one."""
        names = [name for home in self._homes.all for name in names_in(home / FOLDER)]
        starts = (
            float(name.partition("-")[0])
            for name in names
            if _NAME.fullmatch(name.removesuffix(_ENDING))
        )
        return max((start for start in starts if start < until), default=0.0)

    def _read_new(self) -> None:
        for home in self._homes.there:
            if not is_link(folder := self._folders[home]):
                self._read_folder(folder)

    def _read_folder(self, folder: Path) -> None:
        """Read the files that are new, and those of late sessions: a library has thousands."""
        names = self._names[folder]
        come = {*names_in(folder)} - names
        names |= come
        sessions = {name.removesuffix(_ENDING) for name in come} - self._own
        new = [session for session in sessions if _NAME.fullmatch(session)]
        late = self._late[folder] = sorted([*self._late.get(folder, ()), *new])[-_WATCHED:]
        for session in sorted({*new, *late}):
            self._read(session, folder / f"{session}{_ENDING}")

    def _read(self, session: str, path: Path) -> None:
        """Read what was added to a session's file since it was read last."""
        try:
            if path.lstat().st_size == self._seen.get(path, -1):
                return
            text = read_plain(path, _LARGEST)
        except OSError:
            self._seen[path] = -1
            return
        start = max(0, self._seen.get(path, 0))
        last = max(start, text.rfind(b"\n"))
        for line in text[start:last].splitlines():
            self._take(session, line)
        # The last line may be on its way: then it is read again when the file has grown.
        self._seen[path] = len(text) if self._take(session, text[last:]) else last

    def _take(self, session: str, text: bytes) -> bool:
        """Take a line; False where it is none: cut short, or edited."""
        try:
            line = json.loads(text)
            check(line, NoteDocument)
            slot = Slot(line["slot"]["cell"], line["slot"]["call"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        notebook = line.get("notebook") or ""
        note = Note(float(line["at"]), session, slot, line["take"], notebook)
        self._notes[line["request"]].append(note)
        return True


def notebook_beside(library: Path, notebook: Path | None) -> str:
    """Return how a notebook is named in the notes: seen from the folder that *library* lies in.

    Empty where it lies elsewhere: its name would tell of other folders of its owner.
    """
    if notebook is None:
        return ""
    home, file = library.absolute().parent, notebook.absolute()
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else ""


def notes_there(library: Path, notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return the notes without the names of notebooks that are there no more.

    Such a one was renamed, moved, or put in another's place: what it had is its successor's.
    """
    home = library.absolute().parent
    there = {name for name in {note.notebook for note in notes} if _is_there(home, name)}
    return tuple(n if n.notebook in there else n._replace(notebook="") for n in notes)


def _is_there(home: Path, name: str) -> bool:
    """Tell whether a notebook is there; a name that leads out of *home* is a stranger's."""
    named = PureWindowsPath(name)
    if not name or named.anchor or ".." in named.parts:
        return False
    try:
        return (home / name).is_file()
    except (OSError, ValueError):
        return False
