"""Which requests have a record that may be shown, and which seem to have lost theirs."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from opeai_nb.client.values.filename import slug
from opeai_nb.library.disk.files import is_link, is_text, names_in
from opeai_nb.library.disk.subfolder import is_subfolder, slug_in, time_in
from opeai_nb.library.queries import Catalogue
from opeai_nb.library.records.record import ENDING, Record, read_record, record_said
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from opeai_nb.library.journal.journal import Journal

Result = TypeVar("Result")

_AT_ONCE: Final = 10_000
"""Identities of a plan that are looked up at once: a hundred thousand take no memory to speak of"""
_HELD: Final = """
    SELECT identity, look IS NOT NULL, home, file FROM kept
    WHERE identity IN (SELECT value FROM json_each(?))
    AND id NOT IN (SELECT value FROM json_each(?))"""
_BROKEN: Final = "SELECT home, file FROM records WHERE problem IS NOT NULL"


class KeptRequests(Catalogue):
    """The records of a library, by what was asked. Nothing is written but the index."""

    _journal: Journal
    _found_at: tuple[int, list[tuple[Path, str]]] = (-1, [])

    def holds(self, identities: Iterable[str], *, prompt: str | None = None) -> frozenset[str]:
        """Return those of these identities that some record has that may be shown.

        *prompt* is that of all of them, where they have one: as for `look`.
        """
        rest, trash = iter(identities), json.dumps(sorted(self._marks.trashed()))
        held: set[str] = set()
        while part := list(islice(rest, _AT_ONCE)):
            held.update(self._held(json.dumps(part), trash, prompt))
        return frozenset(held)

    def _held(self, identities: str, trash: str, prompt: str | None) -> set[str]:
        """Return what is held of these; records at which nobody has looked yet are read first."""
        rows, _ = self._asked(prompt, partial(self._index.rows, _HELD, (identities, trash)))
        seen = {identity for identity, is_seen, _, _ in rows if is_seen}
        unseen = [(home, file) for identity, _, home, file in rows if identity not in seen]
        if not unseen:
            return seen
        for home in (0, 1):
            self._index.reread(home, *(file for its, file in unseen if its == home))
        rows = self._index.rows(_HELD, (identities, trash), whole=prompt is None)
        return {identity for identity, _, _, _ in rows}

    def kept(self, file: Path) -> Record | None:
        """Return the record in a file of a look; None where it has been spoiled since."""
        if (place := self.homes.place_of(file)) is None:
            return None
        home, name = place
        try:
            return read_record(self.homes.all[home], name)
        except UnusableRecordError:
            # Changed in place: the next look does not see it.
            self._index.reread(home, name)
            return None

    def lost(self, asked: Iterable[tuple[str, str]], *, or_damaged: bool = True) -> set[str]:
        """Return those requests of which a record is skipped for want of its pictures.

        *asked* are identities and prompts. Of records of the platform, which were paid for: a
        folder that was copied in part lacks files, or Git LFS has put notes in their place. With
        *or_damaged*, a record that is damaged itself, or missing beside its pictures, is of a
        request if its name says so: nothing else tells, not even who painted it.
        """
        rows = self._index.rows(_BROKEN, whole=False)
        broken = [(self.homes.all[home], file) for home, file in rows]
        if not (broken := [*broken, *self._passed_over()]):
            return set()
        named: defaultdict[str | None, set[str]] = defaultdict(set)
        for request, prompt in asked:
            named[slug(prompt)].add(request)
            named[None].add(request)  # a person may rename any
        found: set[str] = set()
        for home, file in broken:
            if not (may_be := named.get(told := slug_in(file.rpartition("/")[2]))):
                continue
            record = record_said(home, file)
            if record is None:
                found |= may_be if or_damaged and told is not None else set()
            elif record.origin == "platform":
                found |= may_be & {record.identity}
        return found

    def _passed_over(self) -> list[tuple[Path, str]]:
        """Return home and name of each record that the index cannot have.

        Their names are no text, or pictures tell of them and they are not there; but for those that
        an unfinished request will write: it was killed between the two, or is at it. Or a person
        has moved their folder. All names of a large library are not listed for each request, but
        for the first, and where records have gone since.
        """
        if (drops := self._index.drops) != self._found_at[0]:
            found = [
                (home, name)
                for home in self.homes.there
                for part in places_in(home)
                for name in self._unindexed(home, part)
            ]
            self._found_at = drops, found
        return self._found_at[1]

    def _unindexed(self, home: Path, part: Place) -> list[str]:
        names = set(names_in(home / part.name))
        told = {f"{n.rpartition('-')[0]}{ENDING}" for n in names if not n.endswith(ENDING)}
        missing = told - names if part.is_followed else told | unrenamed_among(names)
        found = {part.holding(name) for name in missing if slug_in(name) is not None}
        if found and part.is_followed:
            found -= {entry.record_file for entry in self._journal.entries()}
            # Some were finished since the names were listed.
            found -= {part.holding(name) for name in names_in(home / part.name)}
        return [*map(part.holding, nameless(names)), *found]

    def _answers(
        self, prompt: str | None, *asked: tuple[str, Any]
    ) -> tuple[list[list[tuple[Any, ...]]], bool]:
        """Return the rows of several questions to the index at once, as `_asked` does."""
        return self._asked(prompt, partial(self._index.answers_at_once, *asked))

    def _asked(self, prompt: str | None, ask: Callable[..., Result]) -> tuple[Result, bool]:
        """Return what the index has, once it has what there is of a prompt; of None: has all.

        Tell, too, whether it had not all yet.
        """
        if prompt is None:
            return ask(whole=True), False
        return self._index.of_prompt(slug(prompt), partial(ask, whole=False))


class Place(NamedTuple):
    """A folder in a home by its *name* there, "" for the home itself, and whether it is read."""

    name: str
    is_followed: bool

    def holding(self, file: str) -> str:
        """Return the name that a file in it has in the home."""
        return f"{self.name}/{file}" if self.name else file


def places_in(home: Path) -> Iterator[Place]:
    """Yield where records may lie: in the home, its sub-folders, and where a person put some.

    Large days are moved to another disk, with a link in their place, or into an archive.
    """
    yield Place("", is_followed=True)
    for name in _folders_in(home):
        is_followed = is_subfolder(name) and time_in(home, name) is not None
        if is_subfolder(name) or not is_link(home / name):
            yield Place(name, is_followed)
        if not is_followed and not is_link(home / name):
            for inner in _folders_in(home / name):
                if not is_link(home / name / inner):
                    yield Place(f"{name}/{inner}", is_followed=False)


def _folders_in(folder: Path) -> list[str]:
    """Return what may be folders there: our files have dots in their names."""
    return [name for name in names_in(folder) if "." not in name and is_text(name)]


def unrenamed_among(names: Iterable[str]) -> set[str]:
    """Return the names that are those of records which nobody has renamed."""
    return {name for name in names if name.endswith(ENDING) and slug_in(name) is not None}


def passed_over(home: Path) -> Iterator[tuple[str, str]]:
    """Yield what the index cannot have, and why: files by their names, folders of records."""
    for place in places_in(home):
        names = names_in(home / place.name)
        for name in map(place.holding, nameless(names)):
            text = os.fsencode(name).decode(errors="replace")
            yield text, "its name is no text: an archive of another system"
        if not place.is_followed and unrenamed_among(names):
            is_moved = is_link(home / place.name)
            why = "it is a link" if is_moved else "its name is not that of a day (2026-11-22)"
            yield place.name, f"records in it are not looked at: {why}"


def nameless(names: Iterable[str]) -> list[str]:
    """Return the names of records that are no text: the index cannot have them."""
    return [name for name in names if name.endswith(ENDING) and not is_text(name)]
