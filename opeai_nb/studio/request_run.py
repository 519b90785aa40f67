"""What somebody asks of a studio: a request, and the run of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opeai_nb.guard import cached_property
from opeai_nb.library.records.request_json import identity
from opeai_nb.library.replay.replay import row_key
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from opeai_nb.client import ImageRequest
    from opeai_nb.client.values.only import Only
    from opeai_nb.library import Slot
    from opeai_nb.library.replay.replay import Caller


@dataclass(frozen=True)
class Ask:
    """A run of a request: what is asked, in which slot, by whom and how.

    *slot* is None where no cell is known; a click in the panel never has one. *only* is the region
    in which the answer is laid over the picture that is edited; it is not sent. *is_new* says that
    the library held nothing of it a moment ago: then only the look under the claim is taken.
    """

    request: ImageRequest
    slot: Slot | None = None
    caller: Caller = "cell"
    options: RunOptions = field(default_factory=RunOptions)
    identity: str = ""
    only: Only | None = None
    is_new: bool = False

    def __post_init__(self) -> None:
        if not self.identity:
            object.__setattr__(self, "identity", identity(self.request))

    @property
    def is_without_cell(self) -> bool:
        """True where its slot is the next one of this request in its session."""
        return self.slot is None and self.caller != "panel"

    @cached_property
    def row(self) -> str:
        """What names the row of this request, and of this region alone."""
        return row_key(self.identity, None if self.only is None else self.only.digest)
