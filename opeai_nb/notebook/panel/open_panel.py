"""`opeai_nb.panel()`: a panel on the studio of this notebook's magic."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.notebook.panel.request_queue import in_place, in_thread

if TYPE_CHECKING:
    from opeai_nb.notebook.magic.imagine import Imagine
    from opeai_nb.notebook.panel.panel import Panel
    from opeai_nb.studio import Studio

UPLOAD_LIMIT: Final = 10_400_000
"""Bytes of one upload: a websocket message carries 10 MiB (10,485,760) with its envelope."""


def panel(*, upload_limit: int = UPLOAD_LIMIT, **controls: Any) -> Panel:
    """Return the interactive panel; as the last value of a cell it is shown.

    *controls* set it: `panel(prompt="a fox", model="gpt-image-2", size="16:9")`; each is also a
    trait of the panel, by the name of the API's field (input pictures: `images`).
    *upload_limit* is how many bytes one upload may have: the default is what a Jupyter server
    takes unless it was started with another `websocket_max_message_size`.

    It uses the studio of `%%imagine`: the same settings, library and session. Without a shell it
    makes one from the environment. Raises `TraitError` for a control that there is not.
    """
    from opeai_nb.notebook.panel.panel import Panel

    magic = _magic()
    spawn = in_place if "google.colab" in sys.modules else in_thread
    if magic is None:
        return Panel(cache(_studio), spawn=spawn, upload_limit=upload_limit, **controls)
    named = _defaults(magic)
    return Panel(
        lambda: magic.studio,
        defaults=lambda: _defaults(magic),
        names=magic.shell.user_ns if magic.shell is not None else {},
        frontend=lambda: magic.frontend,
        spawn=spawn,
        upload_limit=upload_limit,
        **{**named, **controls},
    )


def _studio() -> Studio:
    from opeai_nb.studio import Studio

    return Studio()


def _magic() -> Imagine | None:
    """Return this shell's magic, registered now where it was not: the panel writes its cells."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return None
    from opeai_nb.notebook.extension import load
    from opeai_nb.notebook.magic.imagine import Imagine

    load(shell)
    return next(known for known in shell.configurables if isinstance(known, Imagine))


def _defaults(magic: Imagine) -> dict[str, Any]:
    """Return what `%config Imagine` sets: a cell would add it to its request."""
    said = {name: getattr(magic, name) for name in ("model", "size", "quality", "n")}
    return {name: value for name, value in said.items() if value}
