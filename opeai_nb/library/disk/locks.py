"""Advisory locks of the operating system: nobody waits inside it, where nothing could end that.

Not `filelock`: it cannot look at a lock without taking it, and its files belong to one user.
"""

from __future__ import annotations

import os
import time
from typing import Final

_PAUSE: Final = 0.002
"""Seconds between two tries: what is done under a lock takes milliseconds."""

if os.name == "nt":  # pragma: no cover  the other half runs there

    def try_lock(handle: int) -> bool:
        """Take the lock; False when somebody holds it."""
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
        except PermissionError:
            return False
        return True
else:

    def try_lock(handle: int) -> bool:
        """Take the lock; False when somebody holds it. Raises `OSError` where there are none.

        It is let go of when *handle* is closed.
        """
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def lock_within(handle: int, seconds: float) -> bool:
    """Take the lock as soon as it is free; False when somebody holds it longer than *seconds*.

    Raises `OSError` as `try_lock` does.
    """
    until = time.monotonic() + seconds
    while not (is_locked := try_lock(handle)) and time.monotonic() < until:
        time.sleep(_PAUSE)
    return is_locked
