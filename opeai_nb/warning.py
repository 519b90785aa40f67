"""Warnings of work that goes on all the same, told to whoever listens."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_listener: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def warn(text: str, category: type[Warning], *, stacklevel: int = 3) -> None:
    """Tell the listener of this context, or warn as `warnings.warn` does where there is none."""
    listener, text = _listener.get(), printable_line(text)
    if listener is None:
        warnings.warn(text, category, stacklevel=stacklevel)
    else:
        listener(text)


@contextmanager
def told_to(listener: Callable[[str], object]) -> Iterator[None]:
    """Hand warnings of this thread to *listener* meanwhile, instead of raising them here.

    A job's disk work runs on threads of its own, where a warning reaches nobody, and where a filter
    that makes errors of warnings would cost the picture.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def silence() -> None:
    """Say no warning in the rest of this context: the caller tells what became of the work."""
    _listener.set(lambda _: None)
