"""Work in a daemon thread of its own, waited for so long and no longer."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def begun_in_thread(work: Callable[[], Result]) -> Future[Result]:
    """Begin *work* in a thread, and return what tells of its end.

    A daemon thread, for neither a pool nor the end of the process should wait for a name server
    that says nothing.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  it is raised where it is awaited
            with suppress(InvalidStateError):  # nobody waits any more
                future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                future.set_result(result)

    threading.Thread(target=run, name="opeai_nb-daemon", daemon=True).start()
    return future


def done_in_thread(work: Callable[[], Result], seconds: float) -> Result | None:
    """Return what *work* returns; None where that takes longer than so many *seconds*."""
    try:
        return begun_in_thread(work).result(seconds)
    except TimeoutError:
        return None
