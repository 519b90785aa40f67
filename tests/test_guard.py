"""Locks over a fork: what another thread holds is waited for, and never waited for in the child."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opeai_nb.guard import Fork, Guard


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
