"""The one event loop on which engines run in process, in a daemon thread of its own.

A daemon thread, because a notebook never closes anything and the interpreter must still end.
"""

from __future__ import annotations

import asyncio
import os
import threading

from opeai_nb.guard import Guard

_lock = Guard()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None


def engine_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop, started at the first call and again after a fork."""
    global _running  # noqa: PLW0603  one loop for each process
    with _lock:
        if _running is None or _running[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="opeai_nb-engine", daemon=True).start()
            _running = (os.getpid(), loop)
        return _running[1]
