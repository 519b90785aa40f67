"""One event loop on one daemon thread, for all jobs of a process.

A daemon thread, because a notebook user never closes anything: a portal that is left open keeps
the process alive for ever, a daemon thread ends with it (measured on Python 3.11 to 3.13).
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from opeai_nb.client.http.per_loop import running_loop
from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

Result = TypeVar("Result")

_lock = Guard()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None
_tasks: set[asyncio.Task[None]] = set()


def loop() -> asyncio.AbstractEventLoop:
    """Return the loop, started when it is first asked for; a forked process gets its own."""
    global _running  # noqa: PLW0603  one loop for each process
    with _lock:
        if _running is None or _running[0] != os.getpid():
            made = asyncio.new_event_loop()
            started = threading.Event()
            made.call_soon(started.set)
            threading.Thread(target=_run, args=[made], name="opeai_nb", daemon=True).start()
            started.wait()
            _running = (os.getpid(), made)
        return _running[1]


def _run(made: asyncio.AbstractEventLoop) -> None:
    """Run the loop for ever: `SystemExit` in a user's function ends the task, and no other's.

    asyncio hands it to the task and raises it out of the loop as well, which would then stand
    still, and every job of the process with it.
    """
    while True:
        try:
            made.run_forever()
        except (SystemExit, KeyboardInterrupt):
            continue
        return


def begin(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run *coroutine* on the loop, from whatever thread; nobody waits for it.

    From the loop's own thread it is a plain task: waking a loop that is awake costs a sweep a
    system call and a round of the loop for each of its requests.
    """
    if running_loop() is not loop():
        schedule(coroutine)
        return
    task = asyncio.create_task(coroutine)
    _tasks.add(task)  # the loop itself holds tasks weakly
    task.add_done_callback(_tasks.discard)


def schedule(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Run *coroutine* on the loop, from whatever thread; return its future at once."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop())
