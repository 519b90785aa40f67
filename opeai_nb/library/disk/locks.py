"""Advisory locks of the operating system, tried and never waited for.

Not `filelock`: it cannot look at a lock without taking it, and its files belong to one user.
"""

from __future__ import annotations

import os

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
