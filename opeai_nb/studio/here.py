"""The studio of here: the notebook's where one is open, else one for the environment's settings."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.studio.studio import Studio

    Source = Callable[[], Studio]

_here: ContextVar[Source | None] = ContextVar("studio_here")
_latest: Source | None = None


def set_studio_here(source: Source | None) -> None:
    """Let *source* give the studio of this context; None ends it.

    A notebook's session sets it when it is loaded and before each cell, since a cell may run in a
    context of its own.
    """
    global _latest  # noqa: PLW0603  a thread that a cell starts has an empty context
    _latest = source
    _here.set(source)


def studio_here() -> Studio:
    """Return the studio of this context.

    So `%config Imagine.engine = "always"` holds for a sweep in Python, too.
    """
    from opeai_nb.studio.studio import Studio

    source = _here.get(_latest)
    return Studio() if source is None else source()
