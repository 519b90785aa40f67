"""The studio of here: the notebook's where one is open, else one for the environment's settings."""

from __future__ import annotations

import os
import time
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.settings import Settings
    from opeai_nb.studio.studio import Studio

    Source = Callable[[], Studio]

_lock = Guard()
"""Threads that ask first at one moment get one studio: a limit is of all of them together."""
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

    So `%config Imagine.engine = "always"` holds for a sweep in Python, too. Where no notebook is,
    it is one for this process, so that a session's limit holds from call to call.
    """
    if (source := _here.get(_latest)) is None:
        with _lock:
            source = _own(os.getpid())
    return source()


def following(settings: Callable[[], Settings]) -> Source:
    """Return what gives the studio for *settings* as they are when it is asked.

    Its session outlives a changed setting.
    """
    studio: Studio | None = None

    def now() -> Studio:
        from opeai_nb.studio.studio import Studio  # half of what a panel would wait for

        nonlocal studio
        wanted = settings()
        with _lock:
            if studio is None:
                studio = Studio(wanted)
            elif studio.settings != wanted:
                studio = studio.adjusted(wanted)
            return studio

    return now


@cache
def _own(process: int) -> Source:  # noqa: ARG001  a fork has no threads of its parent's
    from opeai_nb.settings import settings

    return following(settings)


def private_studio(shared: Callable[[], Studio]) -> Callable[[], Studio]:
    """Return what gives a studio like *shared*, with a library that is its caller's alone.

    It lies in `imagine-visitors` beside the library `imagine`, in a folder of its own that nobody
    else can name; the session and its limits are those of *shared*.
    """
    name = f"{time.strftime('%Y-%m-%d')}-{os.urandom(8).hex()}"
    mine: Studio | None = None

    def studio() -> Studio:
        nonlocal mine
        now = shared()
        library = now.settings.library
        wanted = replace(now.settings, library=library.with_name(f"{library.name}-visitors") / name)
        if mine is None or mine.settings != wanted:
            mine = (mine or now).adjusted(wanted)
        return mine

    return studio
