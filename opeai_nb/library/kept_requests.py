"""Which requests have a record that may be shown, and which seem to have lost theirs."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opeai_nb.client.values.filename import slug
from opeai_nb.guard import cached_property
from opeai_nb.library.disk.files import is_text, names_in
from opeai_nb.library.disk.subfolder import slug_in
from opeai_nb.library.queries import Catalogue
from opeai_nb.library.records.record import ENDING, Record, read_record, record_said
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
        if not (broken := [*broken, *self._unindexed_at_first]):
            return set()
        named: defaultdict[str | None, set[str]] = defaultdict(set)
        for request, prompt in asked:
            named[slug(prompt)].add(request)
            named[None].add(request)  # a person may rename any
        found: set[str] = set()
        for home, file in broken:
            if not (may_be := named.get(told := slug_in(file))):
                continue
            record = record_said(home, file)
            if record is None:
                found |= may_be if or_damaged and told is not None else set()
            elif record.origin == "platform":
                found |= may_be & {record.identity}
        return found

    @cached_property
    def _unindexed_at_first(self) -> list[tuple[Path, str]]:
        """Home and name of each record that the index cannot have, as the first request found them.

        Their names are no text, or pictures tell of them and they are not there; but for those that
        an unfinished request will write: it was killed between the two, or is at it. Each request
        would list all names of a large library.
        """
        found = []
        for home in self.homes.there:
            names = set(names_in(home))
            told = {f"{n.rpartition('-')[0]}{ENDING}" for n in names if not n.endswith(ENDING)}
            missing = {name for name in told - names if slug_in(name) is not None}
            if missing:
                missing -= {entry.record_file for entry in self._journal.entries()}
                missing -= set(names_in(home))  # finished since the names were listed
            found += [(home, name) for name in (*nameless(names), *missing)]
        return found

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


def nameless(names: Iterable[str]) -> list[str]:
    """Return the names of records that are no text: the index cannot have them."""
    return [name for name in names if name.endswith(ENDING) and not is_text(name)]
