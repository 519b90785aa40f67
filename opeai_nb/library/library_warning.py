"""What the library says when it cannot do its work and the pictures are there all the same."""

from __future__ import annotations

from opeai_nb import warning


class LibraryWarning(UserWarning):
    """Something could not be written; the text says what is no longer guaranteed."""


def warn(text: str) -> None:
    """Warn whoever called the library, or tell the listener."""
    warning.warn(text, LibraryWarning, stacklevel=5)


def reason(error: OSError) -> str:
    """Return why the disk refused, without a path and without a number."""
    return (error.strerror or type(error).__name__).rstrip(".")
