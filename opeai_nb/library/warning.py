"""What the library says when it cannot do its work and the pictures are there all the same."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_listener: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


class LibraryWarning(UserWarning):
    """Something could not be written; the text says what is no longer guaranteed."""


def warn(text: str) -> None:
    """Warn whoever called the library, or tell its listener."""
    listener = _listener.get()
    if listener is None:
        warnings.warn(text, LibraryWarning, stacklevel=4)
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


def reason(error: OSError) -> str:
    """Return why the disk refused, without a path and without a number."""
    return (error.strerror or type(error).__name__).rstrip(".")
