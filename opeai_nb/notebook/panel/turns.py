"""Whose turn it is: what a click does while a request runs. Pure, with the time given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from opeai_nb.client import ImageRequest

Turn = Literal["start", "wait", "ignore"]

ONE_CLICK: Final = 0.5
"""Seconds within which clicks with unchanged controls are one: a double click pays once.

Counted from the last click and from the end of a request: where handlers block (Colab), the
second click of two is handled when the first has its picture.
"""


class Turns:
    """One request runs, others wait in the order in which they were asked."""

    def __init__(self) -> None:
        self.waiting: list[ImageRequest] = []
        self.is_busy = False
        self._last: ImageRequest | None = None
        self._quiet_since = float("-inf")

    def ask(self, request: ImageRequest, now: float) -> Turn:
        """Take a click: start it, let it wait for its turn, or ignore it."""
        unchanged = request == self._last
        recent = now - self._quiet_since < ONE_CLICK
        self._quiet_since = now
        if unchanged and (self.is_busy or recent):
            return "ignore"
        self._last = request
        if self.is_busy:
            self.waiting.append(request)
            return "wait"
        self.is_busy = True
        return "start"

    def done(self, now: float) -> ImageRequest | None:
        """Take the end of what ran; return what starts now, if anything waits."""
        self._quiet_since = now
        if self.waiting:
            return self.waiting.pop(0)
        self.is_busy = False
        return None

    def drop(self) -> int:
        """Forget what waits and was not sent; return how many that were."""
        dropped = len(self.waiting)
        self.waiting.clear()
        return dropped
