"""Advisory locks of the operating system, tried and never waited for.

Not `filelock`: it cannot look at a lock without taking it, and its files belong to one user.
"""

from __future__ import annotations

import os

if os.name == "nt":  # pragma: no cover  the other half runs there

    def try_lock(handle: int, *, shared: bool = False) -> bool:  # noqa: ARG001  POSIX's alone
        """Take the lock; False when somebody holds it."""
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
        except PermissionError:
            return False
        return True
else:

    def try_lock(handle: int, *, shared: bool = False) -> bool:
        """Take the lock; False when somebody holds it. Raises `OSError` where there are none.

        Who only looks takes it *shared*: two who look at once must not see each other. It is let
        go of when *handle* is closed.
        """
        import fcntl

        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
