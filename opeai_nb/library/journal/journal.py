"""The journal: what was about to be sent, and how far it came."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.task import ids_in
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.library.disk.files import (
    GONE,
    PART,
    discard,
    is_link,
    is_older,
    names_in,
    own_folder,
    remove_folder,
    syncs_begun,
)
from opeai_nb.library.journal import claims
from opeai_nb.library.journal.entry import Entry, record_file
from opeai_nb.library.journal.journal_file import begin_facts, line_of, read_facts
from opeai_nb.library.journal.spare_folders import SpareFolders
from opeai_nb.library.library_warning import reason
from opeai_nb.library.records.input_files import keep_inputs
from opeai_nb.library.records.record import LONGEST_REQUEST, VERSION
from opeai_nb.library.records.request_json import identity_of, write_request
from opeai_nb.library.records.validate import writable
from opeai_nb.library.replay.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.library.journal.liveness import Liveness

FOLDER: Final = ".pending"
_NEW: Final = ".new-"
"""The beginning of the name of an entry that is being written, and who writes it behind that."""
_NEW_NAME = re.compile(r"\.new-([0-9a-f]{16})-[0-9a-f]{16}")
_BEGUN_SECONDS: Final = 3600.0  # an entry is written in milliseconds
_ID = re.compile(r"[0-9a-f]{8,32}")


class Journal:
    """The unfinished requests of a library's *homes*, each in a folder of its own.

    *on_idle* is called when this process works on none of a home's any more.

    Its file is a list of lines that is only ever added to: a line that a crash cut short does not
    count, and the ones before it do.
    """

    def __init__(
        self,
        homes: Homes,
        clock: Callable[[], float],
        liveness: Mapping[Path, Liveness],
        on_idle: Callable[[], object] = bool,
    ) -> None:
        self._homes = homes
        self._clock = clock
        self._liveness = liveness
        self._problems: dict[str, str] = {}
        self._requests: dict[str, str] = {}
        self._folders = {home: home / FOLDER for home in liveness}
        self._synced: set[Path] = set()
        self._spares = {
            home: SpareFolders(each.is_busy, on_idle=on_idle) for home, each in liveness.items()
        }

    def begin(
        self,
        request: ImageRequest,
        *,
        entry_id: str,
        name: str,
        created: float,
        key: str,
        base_url: str,
        origin: str,
        slot: Slot | None,
        place: str | None,
        metadata: bool,
        words: dict[str, Any] | None = None,
        identity: str | None = None,
        subfolder: str | None = None,
    ) -> Entry:
        """Write the intent and return the entry; it outlasts a power cut once it is `sending`.

        *identity* is that of the request, where it is known, *subfolder* where its record will lie.
        Raises `InputError` when the request is too long to be read back, `LibraryError` when no
        disk takes it.
        """
        facts = {
            "opeai_nb": VERSION,
            "id": entry_id,
            "name": name,
            "created": created,
            "key": key,
            "base_url": base_url,
            "origin": origin,
            "slot": slot.to_json() if slot else None,
            "place": place,
            "metadata": metadata,
            "words": words,
            "subfolder": subfolder,
            "request": writable(write_request(request)),
            "state": "intended",
        }
        try:
            entry = self._homes.write(lambda home: self._write(home, facts, request))
        except OSError as error:
            raise LibraryError(
                f"Neither the library folder nor your own data folder can be written "
                f"({reason(error)}).",
                advice="Free some room, or set Imagine.library to a folder that can be written. "
                "Nothing was sent.",
            ) from error
        self._requests[entry_id] = identity or identity_of(facts["request"])
        return entry

    def _entry(
        self, facts: dict[str, Any], home: Path, folder: Path, request: ImageRequest | None = None
    ) -> Entry:
        return Entry(
            facts,
            library=home,
            folder=folder,
            clock=self._clock,
            liveness=self._liveness[home],
            request=request,
            disk=self._homes.disk,
            spares=self._spares[home],
        )

    def _write(self, home: Path, facts: dict[str, Any], request: ImageRequest) -> Entry:
        disk, liveness = self._homes.disk, self._liveness[home]
        journal = own_folder(self._folders[home], unlisted=True, disk=disk)
        facts["owner"] = liveness.owner()
        line = line_of(facts)
        if len(line) > LONGEST_REQUEST:  # no more of them is the request
            _check_length(facts["request"])
        keep_inputs(home, request, disk)
        folder = journal / str(facts["id"])
        new = f"{journal}{os.sep}{_NEW}{facts['owner']['token']}-"
        try:
            liveness.hold(facts["id"])
            # `Entry.sending` waits for the disk: nothing is lost with an intent that nothing
            # followed. The first one waits here, too: a drive whose fsync fails is no home.
            write = partial(begin_facts, line=line, durable=home not in self._synced, disk=disk)
            has_blank = self._spares[home].begin(new, folder, write, disk)
            self._synced.add(home)
        except OSError:
            liveness.let_go(facts["id"])
            raise
        entry = self._entry(facts, home, folder, request)
        entry.has_blank, entry.syncs = has_blank, syncs_begun(journal)
        return entry

    def entries(self) -> list[Entry]:
        """Return everything unfinished, oldest first, whichever process wrote it.

        What is finished but for its removal (the record is there) is removed.
        """
        places = list(self._places())
        for home in self._homes.all:
            self._sweep(home)
        found = [entry for place in places if (entry := self._read(*place)) is not None]
        return sorted(found, key=lambda entry: (entry.created, entry.id))

    def _places(self) -> Iterator[tuple[Path, str]]:
        """Yield the home and the name of each entry."""
        for home, folder in self._there():
            yield from ((home, name) for name in names_in(folder) if _ID.fullmatch(name))

    def _there(self) -> Iterator[tuple[Path, Path]]:
        """Yield each home that is there, and its folder of entries."""
        for home in self._homes.there:
            if not is_link(folder := self._folders[home]):
                yield home, folder

    def of(self, request: str) -> list[Entry]:
        """Return the unfinished entries of one request, by its identity, oldest first.

        What an entry asks for never changes: each is read once to know it.
        """
        asked = self._requests
        # Of a batch nearly all are known to ask for something else, and are not looked at.
        places = [
            (home, name)
            for home, folder in self._there()
            for name in names_in(folder)
            if asked.get(name, request) == request and _ID.fullmatch(name)
        ]
        entries = [entry for place in places if (entry := self._read(*place)) is not None]
        same = [entry for entry in entries if self._requests[entry.id] == request]
        return sorted(same, key=lambda entry: (entry.created, entry.id))

    def now(self, entry: Entry) -> Entry | None:
        """Return an entry as it stands on the disk now; None where it is settled."""
        return self._read(entry.home, entry.id)

    def _sweep(self, home: Path) -> None:
        """Remove what processes left that were killed while they began or settled an entry."""
        journal = home / FOLDER
        if is_link(journal):
            return
        self._liveness[home].sweep()
        claims.sweep(journal, _BEGUN_SECONDS)
        for name in names_in(journal):
            path = journal / name
            is_begun = name.startswith(_NEW) or name.endswith(PART)
            is_old = is_begun and is_older(path, _BEGUN_SECONDS)
            if name.startswith(GONE) or is_old or self._is_left(home, name):
                discard(path) if name.endswith(PART) else remove_folder(path)

    def _is_left(self, home: Path, name: str) -> bool:
        """Tell whether the process that began to write an entry is gone, as far as it is known."""
        begun = _NEW_NAME.fullmatch(name)
        return begun is not None and not self._liveness[home].is_at_work(begun[1])

    def _read(self, home: Path, name: str) -> Entry | None:
        folder = home / FOLDER / name
        if is_link(folder):
            self._problems[name] = f"{FOLDER}/{name}: it is a link"
            return None
        try:
            facts = read_facts(folder)
        except FileNotFoundError:
            return None  # another process has just settled it
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            self._problems[name] = f"{FOLDER}/{name}: the journal cannot be read ({told})"
            return None
        entry = self._entry(facts, home, folder)
        is_kept = any((each / record_file(facts)).is_file() for each in self._homes.all)
        if is_kept and not entry.has_unread:
            remove_folder(folder)
            return None
        self._requests[name] = identity_of(facts["request"])
        return entry

    def problems(self) -> list[str]:
        """Return the entries that cannot be read, each with the reason."""
        self._problems.clear()
        self.entries()
        return list(self._problems.values())

    def entry(self, text: str) -> Entry:
        """Return the one entry whose id begins with *text*, or whose task has this id.

        Raises `LibraryError` when there is none, or more than one.
        """
        found = [e for e in self.entries() if e.id.startswith(text) or text in ids_in(e.task_id)]
        if not text or not found:
            raise LibraryError(
                f"No unfinished request begins with {text!r}.",
                advice="`%imagine tasks` lists what is unfinished.",
            )
        if len(found) > 1:
            raise LibraryError(
                f"Several unfinished requests begin with {text!r}: "
                f"{', '.join(entry.id for entry in found)}.",
                advice="Give more of the id.",
            )
        return found[0]


def _check_length(request: dict[str, Any]) -> None:
    """Raise `InputError` when a record of this request would be too long to be read back."""
    length = len(json.dumps(request, ensure_ascii=False).encode())
    if length > LONGEST_REQUEST:
        raise InputError(
            f"The request has {length / 1e6:.1f} MB of text; the library keeps up to "
            f"{LONGEST_REQUEST // 1_000_000} MB.",
            advice="Shorten the prompt. Nothing was sent.",
        )
