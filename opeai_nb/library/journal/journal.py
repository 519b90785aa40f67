"""The journal: what was about to be sent, and how far it came."""

from __future__ import annotations

import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError
from opeai_nb.library.files import (
    GONE,
    PART,
    discard,
    is_older,
    names_in,
    own_folder,
    remove_folder,
    sync_folder,
)
from opeai_nb.library.journal import claims
from opeai_nb.library.journal.entry import Entry
from opeai_nb.library.journal.received_files import JOURNAL
from opeai_nb.library.library_warning import reason, warn
from opeai_nb.library.records.input_files import keep_inputs
from opeai_nb.library.records.record import ENDING, VERSION
from opeai_nb.library.records.request_json import identity_of, write_request
from opeai_nb.library.records.validate import check_entry, writable
from opeai_nb.library.slot import Slot
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library.journal.liveness import Liveness

FOLDER: Final = ".pending"
_NEW: Final = ".new-"
_BEGUN_SECONDS: Final = 3600.0  # an entry is written in milliseconds
_ID = re.compile(r"[0-9a-f]{8,32}")
_LARGEST: Final = 8_000_000  # bytes: the request once, and an answer of many URLs


class Journal:
    """The unfinished requests of a library, each in a folder of its own.

    Its file is a list of lines that is only ever added to: a line that a crash cut short does not
    count, and the ones before it do.
    """

    def __init__(self, library: Path, clock: Callable[[], float], liveness: Liveness) -> None:
        self._library = library
        self._folder = library / FOLDER
        self._clock = clock
        self._liveness = liveness
        self._problems: dict[str, str] = {}
        self._requests: dict[str, str] = {}

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
    ) -> Entry:
        """Put the intent on the disk and return the entry; where the disk refuses, warn."""
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
            "request": writable(write_request(request)),
            "state": "intended",
        }
        folder: Path | None = None
        try:
            folder = self._write(facts, request)
            self._requests[entry_id] = identity_of(facts["request"])
        except OSError as error:
            self._liveness.let_go(entry_id)
            warn(
                f"The library folder cannot be written ({reason(error)}): the request goes out, "
                "but if this kernel dies before the pictures are kept, it cannot be resumed."
            )
        return self._entry(facts, folder, request)

    def _entry(
        self, facts: dict[str, Any], folder: Path | None, request: ImageRequest | None = None
    ) -> Entry:
        return Entry(
            facts,
            library=self._library,
            folder=folder,
            clock=self._clock,
            liveness=self._liveness,
            request=request,
        )

    def _write(self, facts: dict[str, Any], request: ImageRequest) -> Path:
        own_folder(self._folder, unlisted=True)
        facts["owner"] = self._liveness.owner()
        self._liveness.hold(facts["id"])
        keep_inputs(self._library, request)
        new = self._folder / f"{_NEW}{secrets.token_hex(8)}"
        new.mkdir()
        try:
            with (new / JOURNAL).open("xb") as file:
                file.write(json.dumps(facts, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            folder = new.rename(self._folder / str(facts["id"]))
        except OSError:
            remove_folder(new)
            raise
        sync_folder(self._folder)
        return folder

    def entries(self) -> list[Entry]:
        """Return everything unfinished, oldest first, whichever process wrote it.

        What is finished but for its removal (the record is there) is removed.
        """
        if self._folder.is_symlink():
            return []
        names = [name for name in names_in(self._folder) if _ID.fullmatch(name)]
        self._sweep()
        found = [entry for name in names if (entry := self._read(name)) is not None]
        return sorted(found, key=lambda entry: (entry.created, entry.id))

    def of(self, request: str) -> list[Entry]:
        """Return the unfinished entries of one request, by its identity, oldest first.

        What an entry asks for never changes: each is read once to know it.
        """
        if self._folder.is_symlink():
            return []
        names = [name for name in names_in(self._folder) if _ID.fullmatch(name)]
        alike = [name for name in names if self._requests.get(name, request) == request]
        entries = [entry for name in alike if (entry := self._read(name)) is not None]
        same = [entry for entry in entries if self._requests[entry.id] == request]
        return sorted(same, key=lambda entry: (entry.created, entry.id))

    def now(self, entry: Entry) -> Entry | None:
        """Return an entry as it stands on the disk now; None where it is settled."""
        return None if entry.folder is None else self._read(entry.id)

    def _sweep(self) -> None:
        """Remove what processes left that were killed while they began or settled an entry."""
        self._liveness.sweep()
        claims.sweep(self._folder, _BEGUN_SECONDS)
        for name in names_in(self._folder):
            path = self._folder / name
            is_begun = name.startswith(_NEW) or name.endswith(PART)
            if name.startswith(GONE) or (is_begun and is_older(path, _BEGUN_SECONDS)):
                discard(path) if name.endswith(PART) else remove_folder(path)

    def _read(self, name: str) -> Entry | None:
        folder = self._folder / name
        if folder.is_symlink():
            self._problems[name] = f"{FOLDER}/{name}: it is a link"
            return None
        try:
            facts = _facts(read_plain(folder / JOURNAL, _LARGEST), name)
        except FileNotFoundError:
            return None  # another process has just settled it
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            self._problems[name] = f"{FOLDER}/{name}: the journal cannot be read ({told})"
            return None
        if (self._library / f"{facts['name']}{ENDING}").is_file():
            remove_folder(folder)
            return None
        self._requests[name] = identity_of(facts["request"])
        return self._entry(facts, folder)

    def problems(self) -> list[str]:
        """Return the entries that cannot be read, each with the reason."""
        self._problems.clear()
        self.entries()
        return list(self._problems.values())

    def entry(self, text: str) -> Entry:
        """Return the one entry whose id begins with *text*, or whose task has this id.

        Raises `LibraryError` when there is none, or more than one.
        """
        found = [e for e in self.entries() if e.id.startswith(text) or e.task_id == text]
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


def _facts(text: bytes, name: str) -> dict[str, Any]:
    """Return what the lines of a journal say together. Raises `ValueError` with the reason."""
    facts: dict[str, Any] = {}
    for line in text.splitlines():
        try:
            said = writable(json.loads(line))
        except (ValueError, RecursionError):
            continue  # empty, or a crash cut it short
        if isinstance(said, dict):
            facts.update(said)
    if not isinstance(facts.get("opeai_nb"), int) or facts["opeai_nb"] > VERSION:
        raise ValueError("it is from a newer version of opeai_nb, or none")
    try:
        check_entry(facts)
    except (TypeError, ValueError) as error:
        raise ValueError("it has been edited") from error
    if facts["id"] != name:
        raise ValueError("it has been edited")
    return facts
