"""Generate images from a notebook cell through the OPE.AI platform.

%load_ext opeai_nb

%%imagine -n 2 --size 1536x1024 -o cats
a watercolour cat reading a book by the window
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.client import (
        AsyncClient,
        Client,
        Generation,
        ImageRequest,
        Model,
        Picture,
        Task,
    )
    from opeai_nb.errors import OpeaiError
    from opeai_nb.library import Library, info, request_from
    from opeai_nb.many import Batch, Sweep, batch, sweep
    from opeai_nb.notebook.nested import run
    from opeai_nb.notebook.panel import panel
    from opeai_nb.studio import Job, Studio

__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "client",
    "Batch": "many",
    "Client": "client",
    "Generation": "client",
    "ImageRequest": "client",
    "Job": "studio",
    "Library": "library",
    "Model": "client",
    "OpeaiError": "errors",
    "Picture": "client",
    "Studio": "studio",
    "Sweep": "many",
    "Task": "client",
    "batch": "many",
    "info": "library",
    "panel": "notebook.panel",
    "request_from": "library",
    "run": "notebook.nested",
    "sweep": "many",
}

__all__ = [
    "AsyncClient",
    "Batch",
    "Client",
    "Generation",
    "ImageRequest",
    "Job",
    "Library",
    "Model",
    "OpeaiError",
    "Picture",
    "Studio",
    "Sweep",
    "Task",
    "batch",
    "info",
    "load_ipython_extension",
    "panel",
    "request_from",
    "run",
    "sweep",
    "unload_ipython_extension",
]


def load_ipython_extension(shell: Any) -> None:
    """Register `%%imagine`; called by `%load_ext opeai_nb`."""
    from opeai_nb.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take `%%imagine` away; called by `%unload_ext opeai_nb`."""
    from opeai_nb.notebook.extension import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
