"""A store that answers about recent generations from memory, so that a poll touches no disk.

Each SQLite call hands the interpreter's lock over several times, and beside a painting thread each
time costs milliseconds to get it back: polls of 60 ms came from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from opeai_nb.engine.work.store import RETENTION, Store, StoredGeneration, StoredPicture
from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENTRIES_MAX: Final = 4096  # generations: some 10 MB, and more than anybody polls at once


@dataclass(slots=True)
class _Entry:
    generation: StoredGeneration
    pictures: list[StoredPicture]
    inputs: int


class CachedStore(Store):
    """A `Store` with its latest 4,096 generations in memory.

    Only *painted* can change behind its back, by another process: `pictures(id, fresh=True)`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._entries: dict[str, _Entry] = {}
        self._entries_lock = Guard()

    def add(
        self,
        generation: StoredGeneration,
        inputs: Sequence[bytes],
        pictures: Sequence[StoredPicture],
    ) -> StoredGeneration:
        """Keep *generation*, or return the one that has its Idempotency-Key already."""
        stored = super().add(generation, inputs, pictures)
        if stored is generation:
            self._remember(_Entry(generation, list(pictures), len(inputs)))
        return stored

    def generation(self, id_: str, now: float) -> StoredGeneration | None:
        """Return the generation, or None when it is unknown or older than 24 hours."""
        entry = self._entries.get(id_)
        if entry is None:
            generation = super().generation(id_, now)
            if generation is None:
                return None
            entry = _Entry(generation, super().pictures(id_), super().count_inputs(id_))
            self._remember(entry)
        return entry.generation if entry.generation.created >= now - RETENTION else None

    def pictures(self, generation: str, *, fresh: bool = False) -> list[StoredPicture]:
        """Return the pictures of a generation, in order; *fresh* reads them again."""
        entry = self._entries.get(generation)
        if entry is None:
            return super().pictures(generation)
        if fresh:
            entry.pictures = super().pictures(generation)
        return entry.pictures

    def count_inputs(self, generation: str) -> int:
        """Return how many input images an edit has; 0 for a generation."""
        entry = self._entries.get(generation)
        return super().count_inputs(generation) if entry is None else entry.inputs

    def put_data(self, picture: StoredPicture, data: bytes) -> None:
        """Keep the bytes of a picture."""
        super().put_data(picture, data)
        with self._entries_lock:
            entry = self._entries.get(picture.generation)
            if entry is not None:
                painted = replace(picture, painted=True)
                entry.pictures = [painted if p.id == picture.id else p for p in entry.pictures]

    def end(self, generation: str, fate: str) -> None:
        """Let a task end otherwise than it would have: `failure` or `canceled`."""
        super().end(generation, fate)
        with self._entries_lock:
            entry = self._entries.get(generation)
            if entry is not None:
                entry.generation = replace(entry.generation, fate=fate)

    def _remember(self, entry: _Entry) -> None:
        with self._entries_lock:
            self._entries[entry.generation.id] = entry
            if len(self._entries) > _ENTRIES_MAX:
                del self._entries[next(iter(self._entries))]
