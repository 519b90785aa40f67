"""Keeping a generation: bytes and record on the disk, then the entry of the journal is settled.

Where the library's folder refuses, in the user's own data folder; where that refuses, too, it stays
in memory and in the journal, and a warning says where each picture is.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opeai_nb.guard import Guard
from opeai_nb.library.library_warning import reason, warn
from opeai_nb.library.records import write_record
from opeai_nb.library.records.input_files import keep_inputs
from opeai_nb.library.records.record import Record, read_record
from opeai_nb.library.records.validate import UnusableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.library.index.index import Index
    from opeai_nb.library.journal.entry import Entry

_IN_PART: Final = "not all of its answer could be read"


class Keeper:
    """Keeps generations in one of a library's *homes*. *unkept* is what no disk took, by entry."""

    def __init__(self, homes: Homes, index: Callable[[], Index]) -> None:
        self._homes = homes
        self._index = index
        self.unkept: dict[str, Generation] = {}
        self._told: set[str] = set()
        self._lock = Guard()

    def keep(self, entry: Entry, generation: Generation) -> Generation:
        """Keep what came of an entry: see `Library.keep`."""
        if generation.answer is not None:  # first: whoever sees the record settles what is whole
            entry.unread(_IN_PART, generation.answer)
        record = self._kept_already(entry)
        try:
            if record is None:
                record = self._homes.write(lambda home: self._keep_in(home, entry, generation))
            elif len(record.paths) < len(generation.good):
                record = self._keep_in(record.folder, entry, generation)
        except OSError as error:
            self.unkept[entry.id] = generation
            entry.hold()
            warn(_not_kept(entry, generation, error))
            return replace(generation, origin=entry.origin)
        self.unkept.pop(entry.id, None)
        self._tell_of_the_disk(record)
        if generation.answer is None:
            entry.forget()
        return replace(
            generation, pictures=write_record.kept_pictures(record), **write_record.facts_of(record)
        )

    def _kept_already(self, entry: Entry) -> Record | None:
        for home in self._homes.all:
            if os.path.exists(f"{home}{os.sep}{entry.record_file}"):  # noqa: PTH110  a Path costs more
                with suppress(UnusableRecordError):
                    return read_record(home, entry.record_file)
        return None

    def _keep_in(self, home: Path, entry: Entry, generation: Generation) -> Record:
        disk = self._homes.disk
        if not os.path.isdir(home):  # noqa: PTH112  a Path costs more; it may be a link: a person may want it on a larger disk
            disk.mkdir(home)
        if home != entry.home:
            keep_inputs(home, generation.request, disk)
        return write_record.keep(
            self._index(), home, entry, generation, metadata=entry.metadata, disk=disk
        )

    def _tell_of_the_disk(self, record: Record) -> None:
        """Say once where pictures lie that the library's folder does not take, and how."""
        disk, refusal = self._homes.disk, self._homes.refusal
        if record.folder != self._homes.folder and refusal is not None:
            self._tell_once(
                f"The library folder cannot be written ({reason(refusal)}): what is made is kept "
                f"in your own data folder, {record.folder}, and listed with the rest."
            )
        if disk.unsynced is not None:
            self._tell_once(
                f"The disk of the library knows no fsync ({reason(disk.unsynced)}): pictures are "
                "kept, and a power cut may cost the last of them."
            )

    def _tell_once(self, text: str) -> None:
        with self._lock:
            is_new = text not in self._told
            self._told.add(text)
        if is_new:
            warn(text)


def _not_kept(entry: Entry, generation: Generation, error: OSError) -> str:
    """Return what is where, of pictures that no disk took."""
    good = [picture for picture in generation.pictures if picture.error is None]
    safe = sum(it.path is not None and it.path.is_relative_to(entry.folder) for it in good)
    where = (
        "They are in memory only: save them elsewhere, with generation.save(…), or free some room "
        "and run `%imagine resume` in this kernel."
    )
    if safe == len(good):
        where = "They are in the journal: `%imagine resume` keeps them once the disk has room."
    elif safe:
        where = (
            f"{safe} of {len(good)} are in the journal, the rest is in memory only: free some room "
            "and run `%imagine resume` in this kernel, or save them with generation.save(…)."
        )
    return f"The pictures could not be kept in the library ({reason(error)}). {where}"
