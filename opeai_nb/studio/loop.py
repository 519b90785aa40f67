"""One event loop on one daemon thread, for all jobs of a process.

A daemon thread, because a notebook user never closes anything: a portal that is left open keeps
the process alive for ever, a daemon thread ends with it (measured on Python 3.11 to 3.13).
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

Result = TypeVar("Result")

_lock = threading.Lock()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None


def loop() -> asyncio.AbstractEventLoop:
    """Return the loop, started when it is first asked for; a forked process gets its own."""
    global _running  # noqa: PLW0603  one loop for each process
    with _lock:
        if _running is None or _running[0] != os.getpid():
            made = asyncio.new_event_loop()
            started = threading.Event()
            made.call_soon(started.set)
            threading.Thread(target=made.run_forever, name="opeai_nb", daemon=True).start()
            started.wait()
            _running = (os.getpid(), made)
        return _running[1]


def schedule(coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Run *coroutine* on the loop, from whatever thread; return its future at once."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop())
