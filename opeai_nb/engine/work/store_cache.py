"""A store that answers about the generations it knows from memory, so that a poll touches no disk.

Each SQLite call hands the interpreter's lock over several times, and beside a painting thread each
time costs milliseconds to get it back: polls of 60 ms came from there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from opeai_nb.engine.work.store import RETENTION, Generation, Picture, Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KNOWN_MAX: Final = 4096


@dataclass(slots=True)
class _Known:
    generation: Generation
    pictures: list[Picture]
    inputs: int


class Register(Store):
    """A `Store` with its latest 4,096 generations in memory.

    Only *painted* can change behind its back, by another process: `pictures(id, fresh=True)`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._known: dict[str, _Known] = {}
        self._known_lock = threading.Lock()

    def add(
        self, generation: Generation, inputs: Sequence[bytes], pictures: Sequence[Picture]
    ) -> Generation:
        """Keep *generation*, or return the one that has its Idempotency-Key already."""
        kept = super().add(generation, inputs, pictures)
        if kept is generation:
            self._remember(_Known(generation, list(pictures), len(inputs)))
        return kept

    def generation(self, id_: str, now: float) -> Generation | None:
        """Return the generation, or None when it is unknown or older than 24 hours."""
        known = self._known.get(id_)
        if known is None:
            found = super().generation(id_, now)
            if found is None:
                return None
            known = _Known(found, super().pictures(id_), super().count_inputs(id_))
            self._remember(known)
        return known.generation if known.generation.created >= now - RETENTION else None

    def pictures(self, generation: str, *, fresh: bool = False) -> list[Picture]:
        """Return the pictures of a generation, in order; *fresh* reads them again."""
        known = self._known.get(generation)
        if known is None:
            return super().pictures(generation)
        if fresh:
            known.pictures = super().pictures(generation)
        return known.pictures

    def count_inputs(self, generation: str) -> int:
        """Return how many input images an edit has; 0 for a generation."""
        known = self._known.get(generation)
        return super().count_inputs(generation) if known is None else known.inputs

    def put_data(self, picture: Picture, data: bytes) -> None:
        """Keep the bytes of a picture."""
        super().put_data(picture, data)
        with self._known_lock:
            known = self._known.get(picture.generation)
            if known is not None:
                painted = replace(picture, painted=True)
                known.pictures = [painted if p.id == picture.id else p for p in known.pictures]

    def fail(self, generation: str) -> None:
        """Let a task end as FAILURE, since its pictures could not be painted."""
        super().fail(generation)
        with self._known_lock:
            known = self._known.get(generation)
            if known is not None:
                known.generation = replace(known.generation, fate="failure")

    def _remember(self, known: _Known) -> None:
        with self._known_lock:
            self._known[known.generation.id] = known
            if len(self._known) > _KNOWN_MAX:
                del self._known[next(iter(self._known))]
