"""Which of two pictures somebody chose, not knowing how they were made.

picks/1b2c3d4e.jsonl    {"left": "3f2a9c1d-1", "right": "0b1c2d3e-2", "choice": "left"}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from opeai_nb.errors import LibraryError
from opeai_nb.library.disk.line_folder import LineFolder
from opeai_nb.library.library_warning import reason

if TYPE_CHECKING:
    from opeai_nb.library.disk.homes import Homes

Choice = Literal["left", "right", "equal", "skip"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)
FOLDER: Final = "picks"
_BACK: Final = "back"


class Picked(NamedTuple):
    """The pictures of a pair by their ids, as they stood, and what was chosen."""

    left: str
    right: str
    choice: Choice


class Picks:
    """The choices that are kept in a library, by the two pictures."""

    def __init__(self, homes: Homes) -> None:
        self._folder = LineFolder(homes, FOLDER, unlisted=False)

    def all(self) -> dict[frozenset[str], Picked]:
        """Return the last choice for each pair; one that was taken back is none."""
        picks: dict[frozenset[str], Picked] = {}
        for line in self._folder.lines():
            left, right, choice = (line.get(name) for name in ("left", "right", "choice"))
            if not isinstance(left, str) or not isinstance(right, str):
                continue
            if choice in CHOICES:
                picks[frozenset((left, right))] = Picked(left, right, choice)
            elif choice == _BACK:
                picks.pop(frozenset((left, right)), None)
        return picks

    def add(self, left: str, right: str, choice: Choice | None) -> None:
        """Keep a choice; None takes it back. Raises `LibraryError` where the disk refuses."""
        line: dict[str, Any] = {"left": left, "right": right, "choice": choice or _BACK}
        try:
            self._folder.add(line)
        except OSError as error:
            raise LibraryError(
                f"The choice cannot be kept: {reason(error)}.",
                advice="Choices stand in the library's folder, or in your own data folder.",
            ) from error
