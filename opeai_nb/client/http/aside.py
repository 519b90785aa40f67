"""Work in a thread of its own, waited for so long and no longer."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def done_aside(work: Callable[[], Result], seconds: float) -> Result | None:
    """Return what *work* returns; None where that takes longer than so many *seconds*.

    A daemon thread, for a name server that says nothing must not hold up the end of the process.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  it is raised where it is awaited
            with suppress(InvalidStateError):
                future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                future.set_result(result)

    threading.Thread(target=run, name="opeai_nb-aside", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        return None
