"""MAKE: client and library on one loop thread. Requests go in, jobs come out.

from opeai_nb.studio import Studio
job = Studio().start("a red fox in the snow", n=2)
job.result()                                   # or: await job
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.studio.job import Job, Update
    from opeai_nb.studio.studio import Studio

_HOMES = {"Job": "job", "Studio": "studio", "Update": "job"}

__all__ = ["Job", "Studio", "Update"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
