"""Things that belong to one event loop of one process: another loop, or a fork, gets its own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

Thing = TypeVar("Thing")


class PerLoop(Generic[Thing]):
    """Gives each running loop its own thing, made by *make* when it is first asked for.

    What belongs to a loop that is closed is dropped: nobody can use it any more.
    """

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._things: dict[tuple[int, asyncio.AbstractEventLoop | None], Thing] = {}

    def here(self) -> Thing:
        """Return the thing of the running loop; outside any loop, of the one asked for last."""
        key = (os.getpid(), running_loop())
        if key[1] is None and self._things:
            key = next(reversed(self._things))
        if key not in self._things:
            closed = [known for known in self._things if known[1] and known[1].is_closed()]
            for known in closed:
                del self._things[known]
            self._things[key] = self._make()
        return self._things[key]


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs on this thread, if one does."""
    if "asyncio" not in sys.modules:  # dear, and the synchronous client needs none
        return None
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
