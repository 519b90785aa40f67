"""A record on its way into its folder, by whichever thread has the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.library.records.record import Record


class Placing:
    """Puts the files of *record* into its folder by *place*, once.

    *error* is what *place* raised. *is_done* says that nothing is left to do.
    """

    def __init__(self, record: Record, place: Callable[[], None]) -> None:
        self.record = record
        self.error: Exception | None = None
        self.is_done = False
        self._place: Callable[[], None] | None = place

    @property
    def is_put(self) -> bool:
        """Tell whether it was done, or failed."""
        return self._place is None

    def put(self) -> bool:
        """Do it, unless it was done; tell whether the files are there."""
        place, self._place = self._place, None
        try:
            if place is not None:
                place()
        except Exception as error:  # noqa: BLE001  raised in the thread that it belongs to
            self.error = error
        return self.error is None
