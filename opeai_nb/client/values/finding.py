"""What a look at the surroundings found: a line for each thing, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, overload

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["well", "note", "wrong"]
SIGNS: Final = {"well": "✓", "note": "!", "wrong": "✗"}


@dataclass(frozen=True)
class Finding:
    """One line: *name* is what was looked at, *text* what was seen, *remedy* what helps.

    *state* is `well`, `note` (it works, and something should be known) or `wrong`.
    """

    name: str
    text: str
    state: State = "well"
    remedy: str = ""

    def __str__(self) -> str:
        line = printable_line(f"{SIGNS[self.state]} {self.name:<14} {self.text}")
        return f"{line}\n  {'':<14} → {printable_line(self.remedy)}" if self.remedy else line


class Checkup(Sequence[Finding]):
    """All findings of one look, in order; shown as a table."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = tuple(findings)

    @property
    def is_well(self) -> bool:
        """True when nothing is wrong; notes do not count."""
        return not any(finding.state == "wrong" for finding in self)

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self._findings[index]

    def __repr__(self) -> str:
        return "\n".join(map(str, self))
