"""Where a picture has its place: a notebook cell, and which call of a request in its run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTEBOOK_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@lru_cache(1024)
def cell_of(cell: str | None) -> str | None:
    """Return how a cell is told: by its id, or by a hash of one that is more than an id."""
    if cell is None or _NOTEBOOK_ID.fullmatch(cell):
        return cell
    # The fragment alone: the path before it changes when the notebook is moved.
    telling = cell.rpartition("#")[2]
    digest = hashlib.sha256(telling.encode("utf-8", "replace")).hexdigest()
    return f"hash-{digest[:16]}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A notebook cell, and which call of the same request in that run of it, counted from 1.

    Without cell ids *cell* is None, and *call* counts the runs of this request in its session. An
    id that is more than a notebook's own (some editors send a path) is kept as a hash.
    """

    cell: str | None
    call: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "cell", cell_of(self.cell))

    @property
    def lasts(self) -> bool:
        """True where it is the same slot in another session: nbstripout's bare numbers are not."""
        return self.cell is not None and not self.cell.isdecimal()

    def to_json(self) -> dict[str, Any]:
        """Return the slot as it stands in a record."""
        return {"cell": self.cell, "call": self.call}

    @classmethod
    def from_json(cls, written: Mapping[str, Any] | None) -> Slot | None:
        """Return the slot of a record; None for a find of the panel."""
        return None if written is None else cls(written.get("cell"), written.get("call", 1))
