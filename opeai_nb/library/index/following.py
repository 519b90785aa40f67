"""How the index follows the folders of a library: what is new there is read, what is gone dropped.

A folder's time tells that names in it have come or gone. A library is listed whole once in each
session; then its folder, or the sub-folder, whose time has changed.
"""

from __future__ import annotations

import json
import os
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.library.disk.files import is_text, mark_of, names_in
from opeai_nb.library.disk.subfolder import (
    is_place,
    is_subfolder,
    subfolder_of,
    subfolders_among,
    time_in,
)
from opeai_nb.library.index.folder_time import stamp_of, time_of
from opeai_nb.library.index.growing import MANY, Growth, Source, early_process, grow
from opeai_nb.library.index.index_database import is_in_order, put_in_order, transaction
from opeai_nb.library.index.index_row import DISORDER, ORDERS
from opeai_nb.library.index.index_write import (
    CACHE,
    drop_subfolders,
    home_noted,
    note,
    note_subfolder,
    noted,
    put,
    room_for_many,
    times_noted,
    write_down,
)
from opeai_nb.library.index.names_there import NamesThere, records_among
from opeai_nb.library.records.record import ENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opeai_nb.guard import Guard
    from opeai_nb.library.index.growing import Read
    from opeai_nb.library.index.index_database import IndexDatabase

_SOUND: Final = "SELECT file, mtime, size FROM records WHERE home = ? AND problem IS NULL"
_EACH: Final = "SELECT file, mtime, size FROM records WHERE home = ?"
_BROKEN_FILES: Final = "SELECT file FROM records WHERE home = ? AND problem IS NOT NULL"
_AMONG: Final = """
    SELECT file FROM records WHERE home = ? AND file IN (SELECT value FROM json_each(?))"""
_COUNT: Final = "SELECT count(*) FROM records WHERE home = ?"
_ANY: Final = "SELECT 1 FROM records WHERE home = ? LIMIT 1"
# By what is in an index alone: a home has many rows, and each is wide.
_OF_HOME: Final = "SELECT file FROM records WHERE home = ? AND instr(file, '/') = 0"
_OF_SUBFOLDER: Final = "SELECT file FROM records WHERE home = ? AND file > ? AND file < ?"
_NOT_THERE: Final = (FileNotFoundError, NotADirectoryError)


class Limits(NamedTuple):
    """How many records are written down at once, and from how many on they are very many."""

    step: int = 1_000
    many: int = MANY


class Changes(NamedTuple):
    """What is to be done: files to read and to drop, and the folders that were listed, and why.

    *names* are all in the home where it was listed anew.
    """

    new: list[str]
    gone: set[str]
    stamps: dict[str, int | None]
    no_more: set[str]
    names: Sequence[str] = ()


class Following:
    """Brings *database* up to the *homes*, by *read*.

    Of many records *step* are written down at once. Very many (*limits*: from how many on) are read
    in the background, and *lock* is taken for each step: meanwhile the index tells what it has, and
    nothing else is followed.
    """

    def __init__(
        self,
        homes: tuple[Path, ...],
        database: IndexDatabase,
        read: Read,
        lock: Guard,
        limits: Limits,
    ) -> None:
        self._homes = homes
        self._database = database
        self._read = read
        self._lock = lock
        self._step, self._many = limits
        self.last: Growth | None = None
        self._names: dict[int, NamesThere] = {}
        self.is_spread = False
        """Whether there are sub-folders, as far as is known."""
        self.drops = 0
        """How often records were found to be no more where they were."""
        self._age = 0
        self._seen: set[int] = set()
        self._absent: set[int] = set()

    @property
    def _compared(self) -> set[int]:
        """The homes that were compared with the database as it is open now."""
        if self._age != self._database.age:
            self._age, self._seen, self._absent = self._database.age, set(), set()
        return self._seen

    @property
    def growth(self) -> Growth | None:
        """What comes into the database as it is open now; None where nothing does."""
        growth = self.last
        if growth is None or growth.is_over or growth.age != self._database.age:
            return None
        return growth

    @property
    def has_seen_all(self) -> bool:
        """Tell whether each home was compared, or looked for: most libraries have one alone."""
        return len(self._compared | self._absent) == len(self._homes)

    # -- what has changed

    def changed(self, database: sqlite3.Connection) -> dict[int, set[str] | None]:
        """Return the homes that are not as they were noted, with what of each has changed.

        These are sub-folders, and "" for the home itself; None stands for whatever is there.
        """
        if self.growth is not None:
            return {}
        times = times_noted(database)
        self.is_spread = any(set(parts) - {""} for parts in times.values())
        found = {home: self._changed(home, times[home]) for home in range(len(self._homes))}
        return {home: change for home, change in found.items() if change is None or change}

    def _changed(self, home: int, times: Mapping[str, int | None]) -> set[str] | None:
        if home not in self._compared:
            return None
        folder = self._homes[home]
        try:
            is_same = time_of(folder) == times.get("")
        except _NOT_THERE:
            return None if home not in self._absent or times else set()
        own = set() if is_same else {""}
        return own | {each for each in times if each and time_in(folder, each) != times[each]}

    def has_other_time(self, database: sqlite3.Connection, home: int) -> bool:
        """Tell whether a home's time is not as noted; where it is not there, whether it was.

        What this toolkit puts into a sub-folder changes the time of the home, too.
        """
        try:
            return time_of(self._homes[home]) != noted(database, home)[0]
        except _NOT_THERE:
            return _has_any(database, home)

    def is_as_noted(self, home: int, file: str, mtime: int, size: int) -> bool:
        """Tell whether a record's file has the time and the size that its row has."""
        try:
            status = os.lstat(f"{self._homes[home]}{os.sep}{file}")
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_size) == (mtime, size)

    # -- following it

    def follow(self, database: sqlite3.Connection, changed: Mapping[int, set[str] | None]) -> None:
        """Bring the index up to what has changed."""
        for home, which in changed.items():
            try:
                self._compare(database, home, which)
            except _NOT_THERE:  # or removed just now
                self._drop(database, home)

    def _compare(self, database: sqlite3.Connection, home: int, which: set[str] | None) -> None:
        """Bring the index up to a home: list what has changed, and read what is new.

        Files are read before the transaction, so that no other process waits for it.
        """
        self._absent.discard(home)
        folder, process = self._homes[home], None
        if is_anew := which is None and _is_anew(database, home):
            process = early_process(home, folder, self._read)
        source = Source(home, folder, self._read, process=process)
        try:
            changes = self._changes(database, home, which, is_anew=is_anew)
        except OSError:
            source.end()
            raise
        if is_anew:
            note(database, home, None, mark_of(()))
        source = source._replace(names=changes.names)
        count = len(changes.new)
        if count >= self._many and self.growth is None:
            return self._begin_growth(source, changes)
        source.end()
        if count >= self._many:  # the other home grows, which comes first
            return None
        if count >= self._step:
            with room_for_many(database):
                grow(source, changes.new, partial(_written, database, home), self._step)
            changes = changes._replace(new=[])
        return self._finish(database, source, changes)

    def _begin_growth(self, source: Source, changes: Changes) -> None:
        self.last = growth = Growth(len(changes.new), self._database.age)
        stamp = partial(self.new_stamp, source.home)
        self._names = {source.home: NamesThere(source.folder, stamp, changes.new, changes.stamps)}
        growth.begin(partial(self._grow, growth, source, changes))

    def _finish(self, database: sqlite3.Connection, source: Source, changes: Changes) -> None:
        """Read what is new, and write that, what is gone and the folders' times down.

        What others published since the listing, while nothing was locked, stays: whatever is there
        once this process alone may write.
        """
        new, gone, stamps, no_more, *_ = changes
        home, folder, read, *_ = source
        rows = [row for file in new if (row := read(folder, home, file)) is not None]
        times = times_noted(database)[home]
        if not is_in_order(database):  # a session ended while it filled it
            put_in_order(database)
        if new or gone or no_more or any(times.get(each) != stamps[each] for each in stamps):
            with transaction(database):
                times, mark = home_noted(database, home)
                gone = {file for file in gone if not _is_there(folder, file)}
                self.drops += bool(gone)
                rows = [row for row in rows if _is_there(folder, row[1])]
                mark = put(database, home, mark, [*gone, *new], rows)
                still = {
                    part: stamp if self._time_of(home, part) == stamp else times.get(part)
                    for part, stamp in stamps.items()
                }
                note(database, home, still.pop("", times.get("")), mark)
                for part, stamp in still.items():
                    note_subfolder(database, home, part, stamp)
                drop_subfolders(database, home, no_more)
        self._compared.add(home)

    # -- very many at once

    def _grow(self, growth: Growth, source: Source, changes: Changes) -> None:
        """Read them all: what fails here is found out by the next question, which begins anew."""

        def write(files: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> bool:
            is_written = self._within(growth, lambda it: write_down(it, source.home, files, rows))
            growth.count += len(files)
            return is_written

        begun = self._within(growth, partial(_make_room, home=source.home, count=growth.total))
        if not begun:
            source.end()
        elif grow(source, changes.new, write, self._step):
            # One by one: in between there are questions to be answered.
            # What is put in order is read once, and sorted a fifth sooner in little memory.
            for order in ("PRAGMA cache_size = -2000", *ORDERS):
                self._within(growth, partial(_order, statement=order))
            rest = changes._replace(new=[])
            self._within(growth, lambda it: self._finish(it, source, rest))

    def _within(self, growth: Growth, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Do *work* with the database that *growth* is of; tell whether it is still that.

        One that was closed meanwhile is not opened again: whoever asks next does.
        """
        with self._lock:
            if growth.age != self._database.age:
                return False
            try:
                database = self._database.connection()
                if growth.age == self._database.age:
                    work(database)
            except sqlite3.Error as error:
                self._database.forsake(error)
                self._database.in_memory()
            except OSError:  # the folder is gone
                return False
            return growth.age == self._database.age

    def meet(self, database: sqlite3.Connection, slug: str) -> bool:
        """Read those records that the index lacks yet whose names tell *slug*, or tell nothing.

        Tell whether that could be: where a thousand have one name they are not told apart by it.
        """
        for home, folder in enumerate(self._homes):
            files = self.names(home).of(slug)
            known = {file for (file,) in database.execute(_AMONG, (home, json.dumps(files)))}
            files = [file for file in files if file not in known]
            if len(files) > self._step:
                return False
            rows = [row for file in files if (row := self._read(folder, home, file)) is not None]
            write_down(database, home, files, rows)
        return True

    def came(
        self, home: int, part: str, before: int | None, stamp: int | None, files: Sequence[str]
    ) -> int | None:
        """Return the stamp of a part of a home once *files*, and nothing else, came into it.

        *before* is its time until then, *stamp* what was noted: where they differ, more came.
        """
        names = None if self.growth is None else self.names(home)
        is_listed = names is not None and names.has_listed(part, before)
        now = self.new_stamp(home, part) if is_listed or before == stamp else None
        if names is not None and is_listed:
            names.came(part, now, files)
        return now if before == stamp else stamp

    def names(self, home: int) -> NamesThere:
        """Return the names in a home, as they are known since the last growth began."""
        if home not in self._names:
            self._names[home] = NamesThere(self._homes[home], partial(self.new_stamp, home))
        return self._names[home]

    def _changes(
        self, database: sqlite3.Connection, home: int, which: set[str] | None, *, is_anew: bool
    ) -> Changes:
        folder, times = self._homes[home], times_noted(database)[home]
        subfolders = times.keys() - {""}
        # The stamp comes before the listing: what changes in between shows next time.
        stamps = {"": self.stamp(home, "", times)} if which is None or "" in which else {}
        names = list[str]()
        if is_anew:
            names, there = _names_listed(folder)
        elif which is None:
            own, there = _listed(folder)
        elif "" in which:
            there = set(subfolders_among(names_in(folder)))
            there = {each for each in there if time_in(folder, each) is not None}
        else:
            there = {each for each in subfolders if time_in(folder, each) is not None}
        is_first = home not in self._compared
        listed = there if is_first else (there - subfolders) | (there & (which or set()))
        stamps |= {each: self.stamp(home, each, times) for each in sorted(listed)}
        no_more = subfolders - there
        new: Iterable[str]
        if is_anew:  # then their times say nothing
            new, gone = [*records_among(names), *_names_within(folder, listed)], set[str]()
        elif which is None:
            new, gone = self._whole(database, home, _with_times(folder, own, listed))
        else:
            new, gone = self._parts(database, home, {*stamps, *no_more})
        # Names begin with their day: the newest are read first.
        newest_first = sorted(filter(is_place, new), reverse=True)
        return Changes(newest_first, gone, stamps, no_more, names)

    def _whole(
        self, database: sqlite3.Connection, home: int, files: Iterable[tuple[str, int, int]]
    ) -> tuple[set[str], set[str]]:
        """Return which of all *files* of a home are to be read, and those that are no more.

        A hundred thousand are mostly as they were: then their mark is. Else whole rows are compared
        as sets.
        """
        broken = {name for (name,) in database.execute(_BROKEN_FILES, (home,))}
        found = [*files]
        time, mark = noted(database, home)
        if mark is not None and mark == mark_of(found):
            return broken, set()  # what they lacked may have come
        known = set(database.execute(_SOUND, (home,)))
        note(database, home, time, mark_of(database.execute(_EACH, (home,))))
        there, names = {name for name, _, _ in found}, {name for name, _, _ in known}
        return {name for name, _, _ in set(found) - known}, (names | broken) - there

    def _parts(
        self, database: sqlite3.Connection, home: int, parts: Iterable[str]
    ) -> tuple[set[str], set[str]]:
        """Return what is new and what is gone in parts of a home: new names alone, none looked at.

        Once it was compared whole, a change of a folder's time tells of no more.
        """
        broken = {name for (name,) in database.execute(_BROKEN_FILES, (home,))}
        there: set[str] = set()
        known: set[str] = set()
        for part in parts:
            known.update(name for (name,) in _rows_in(database, home, part))
            place = self._homes[home] / part
            names = names_in(place) if not part or time_in(self._homes[home], part) else []
            there.update(records_among(names, part))
        return there - (known - broken), known - there

    def _drop(self, database: sqlite3.Connection, home: int) -> None:
        """Forget the records of a home that is not there."""
        if times_noted(database)[home] or _has_any(database, home):
            with transaction(database):
                database.execute("DELETE FROM records WHERE home = ?", (home,))
                database.execute("DELETE FROM folder WHERE home = ?", (home,))
        self._compared.add(home)
        self._absent.add(home)

    # -- times

    def stamp(self, home: int, part: str, times: Mapping[str, int | None]) -> int | None:
        """Return the time of a home, or of a part of it, as a mark (`stamp_of`).

        Where it is as noted in *times*, it is that.
        """
        now = self._time_of(home, part)
        if now is not None and now == times.get(part):
            return now
        return self.new_stamp(home, part)

    def new_stamp(self, home: int, part: str) -> int | None:
        """Return the time of a home, or of a part of it, as a mark that it has from now on."""
        folder = self._homes[home]
        return stamp_of(folder / part if part else folder, may_set=self._database.is_shared)

    def _time_of(self, home: int, part: str) -> int | None:
        folder = self._homes[home]
        return time_in(folder, part) if part else time_of(folder)


def _rows_in(database: sqlite3.Connection, home: int, part: str) -> Iterable[tuple[str]]:
    if not part:
        return database.execute(_OF_HOME, (home,))
    return database.execute(_OF_SUBFOLDER, (home, f"{part}/", f"{part}0"))  # 0 follows the slash


def _listed(folder: Path) -> tuple[list[tuple[str, int, int]], set[str]]:
    """Return name, time and size of each record in a home itself, and its sub-folders."""
    files, subfolders = [], set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(ENDING) and is_text(entry.name):
                status = entry.stat(follow_symlinks=False)
                files.append((entry.name, status.st_mtime_ns, status.st_size))
            elif is_subfolder(entry.name) and entry.is_dir(follow_symlinks=False):
                subfolders.add(entry.name)
    return files, subfolders


def _names_listed(folder: Path) -> tuple[list[str], set[str]]:
    """Return all names in a home itself, and its sub-folders. Raises `OSError`."""
    names = os.listdir(folder)  # noqa: PTH208  Path.iterdir takes long for ten thousand
    return names, {each for each in subfolders_among(names) if time_in(folder, each) is not None}


def _names_within(folder: Path, subfolders: Iterable[str]) -> Iterator[str]:
    for subfolder in subfolders:
        yield from records_among(names_in(folder / subfolder), subfolder)


def _is_there(folder: Path, file: str) -> bool:
    """Tell whether a file is in a home, or in a sub-folder that is no link."""
    is_in = not (subfolder := subfolder_of(file)) or time_in(folder, subfolder) is not None
    return is_in and os.path.lexists(f"{folder}{os.sep}{file}")


def _is_anew(database: sqlite3.Connection, home: int) -> bool:
    """Tell whether nothing is noted of a home yet."""
    return not times_noted(database)[home] and not _has_any(database, home)


def _has_any(database: sqlite3.Connection, home: int) -> bool:
    """Tell whether a record of a home is known."""
    return bool(database.execute(_ANY, (home,)).fetchall())


def _with_times(
    folder: Path, own: Iterable[tuple[str, int, int]], subfolders: Iterable[str]
) -> Iterator[tuple[str, int, int]]:
    yield from own
    for subfolder in subfolders:
        try:
            files, _ = _listed(folder / subfolder)
        except OSError:  # gone since it was seen
            continue
        yield from ((f"{subfolder}/{name}", time, size) for name, time, size in files)


def _written(
    database: sqlite3.Connection, home: int, files: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> bool:
    write_down(database, home, files, rows)
    return True


def _order(database: sqlite3.Connection, statement: str) -> None:
    database.execute(statement)


def _make_room(database: sqlite3.Connection, home: int, count: int) -> None:
    """Make a database ready for *count* records, most of what it will have: ordered at the end."""
    database.execute(f"PRAGMA cache_size = -{CACHE}")
    ((there,),) = database.execute(_COUNT, (home,))
    if there < count:
        with transaction(database):
            for order in DISORDER:
                database.execute(order)
