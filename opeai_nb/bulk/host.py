"""What a front end does for sweeps: it shows a run while it goes on, and has settings of its own.

The extension says so when it is loaded, so that this room need not know the notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.bulk.run.run import Run
    from opeai_nb.studio import Studio

_watcher: Callable[[Run], None] | None = None
_studio: Callable[[], Studio] | None = None


def hosted_by(watcher: Callable[[Run], None] | None, studio: Callable[[], Studio] | None) -> None:
    """Let *watcher* show every run that is waited for, and *studio* give the studio of a sweep.

    So `%config Imagine.engine = "always"` holds for a sweep in Python too. None, None ends it.
    """
    global _watcher, _studio
    _watcher, _studio = watcher, studio


def studio_here() -> Studio:
    """Return the studio of the front end's settings, else one for those of the environment."""
    from opeai_nb.studio import Studio

    return Studio() if _studio is None else _studio()


def watch(run: Run) -> None:
    """Follow *run* to its end, shown where somebody can show it; an interrupt ends the following.

    Raises `KeyboardInterrupt` then; what is under way goes on, and nothing more is begun.
    """
    try:
        if _watcher is not None:
            _watcher(run)
        for _ in run.follow():
            pass
    except KeyboardInterrupt:
        run.halt()
        raise
