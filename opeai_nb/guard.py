"""Locks that a fork leaves in order, and a cached property that has none.

A fork copies one thread. What another one held stays locked in the child for ever, and what it was
changing stays half done: SQLite's own books too. So a fork waits, for a moment, until nobody holds
a guard. Whatever is held longer is new in the child.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from functools import cached_property as cached_property  # noqa: PLC0414  so mypy hands it on
    from types import TracebackType
else:

    class cached_property(functools.cached_property):  # noqa: N801  as its own
        """One without a lock, as from Python 3.12 on: 3.11 has one for all objects of a class.

        A fork while another thread held it left the child waiting for ever.
        """

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            """Return the value, made when it is first asked for."""
            if instance is None:
                return self
            value = self.func(instance)
            # Not by `__dict__`: who asks for that makes one, of 200 bytes, for each instance.
            object.__setattr__(instance, self.attrname, value)
            return value


_PATIENCE: Final = 1.0  # seconds that a fork waits for
_STEP: Final = 0.02  # seconds for one guard; then all are let go, for two may wait for each other


class Guard:
    """A re-entrant lock for a `with` block, free in every forked child."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _guards[id(self)] = self

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def take(self, seconds: float = 0.0) -> bool:
        """Take it within so many *seconds*; tell whether it is taken."""
        return self._lock.acquire(timeout=seconds)

    def let_go(self) -> None:
        """Let go what was taken."""
        self._lock.release()

    def renew(self) -> None:
        """Have a new lock where the old one is held, for its holder was not forked along."""
        if self.take():
            self.let_go()
        else:
            self._lock = threading.RLock()


_guards: WeakValueDictionary[int, Guard] = WeakValueDictionary()


class Fork(threading.local):
    """What a thread that forks does about the guards: it holds them all, where it can."""

    def __init__(self) -> None:
        self.taken: list[Guard] = []

    def begin(self, patience: float = _PATIENCE) -> None:
        """Take all guards, within so many seconds."""
        until = time.monotonic() + patience
        while not self._take_all() and time.monotonic() < until:
            time.sleep(_STEP)

    def _take_all(self) -> bool:
        for guard in _all():
            if not guard.take(_STEP):
                self.end()
                return False
            self.taken.append(guard)
        return True

    def end(self) -> None:
        """Let all go that were taken."""
        while self.taken:
            self.taken.pop().let_go()

    def end_in_child(self) -> None:
        """Let all go, and those of threads that are not here too."""
        self.end()
        for guard in _all():
            guard.renew()


def _all() -> list[Guard]:
    guards = [reference() for reference in _guards.valuerefs()]
    return [guard for guard in guards if guard is not None]


_fork = Fork()
if hasattr(os, "register_at_fork"):  # not on Windows, which forks nothing
    os.register_at_fork(
        before=_fork.begin, after_in_parent=_fork.end, after_in_child=_fork.end_in_child
    )
