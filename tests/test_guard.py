"""Locks over a fork: what another thread holds is waited for, and never waited for in the child."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opeai_nb.guard import Fork, Guard, cached_property


@contextmanager
def held_elsewhere(guard: Guard) -> Iterator[threading.Event]:
    """Another thread holds *guard*, until the event is set."""
    is_held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with guard:
            is_held.set()
            over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(60)
    try:
        yield over
    finally:
        over.set()
        thread.join(60)


def test_thread_may_take_it_twice() -> None:
    guard = Guard()
    with guard, guard:
        assert guard.take()
        guard.let_go()


def test_fork_holds_every_guard_until_it_is_over() -> None:
    guard, fork, free = Guard(), Fork(), []
    fork.begin()
    thread = threading.Thread(target=lambda: free.append(guard.take()))
    thread.start()
    thread.join(60)
    fork.end()
    assert free == [False]
    assert guard.take()


def test_fork_that_waits_holds_none_that_another_thread_may_wait_for() -> None:
    guard, other, fork = Guard(), Guard(), Fork()
    with held_elsewhere(guard):
        fork.begin(patience=0)
        assert fork.taken == []
        assert other.take()


def test_guard_that_the_forking_thread_holds_is_still_its_own() -> None:
    guard, fork = Guard(), Fork()
    with guard:
        fork.begin()
        fork.end_in_child()
        with held_elsewhere(Guard()):
            assert guard.take()
            guard.let_go()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_child_finds_no_guard_locked() -> None:
    guard = Guard()
    with held_elsewhere(guard):
        child = os.fork()
        if not child:
            os._exit(0 if guard.take() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Told:
    """Tells its value once it goes on."""

    def __init__(self) -> None:
        self.is_there, self.goes_on = threading.Event(), threading.Event()

    @cached_property
    def value(self) -> int:
        self.is_there.set()
        self.goes_on.wait(60)
        return 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_may_ask_for_what_another_thread_was_making() -> None:
    """In a process that hangs it would be an alarm."""
    first, other = Told(), Told()
    other.goes_on.set()
    thread = threading.Thread(target=lambda: first.value)
    thread.start()
    assert first.is_there.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(other.value)
    first.goes_on.set()
    thread.join(60)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert (first.value, first.__dict__["value"]) == (7, 7)
