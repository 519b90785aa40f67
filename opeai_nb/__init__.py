"""Generate images from a notebook cell through the OPE.AI platform.

%load_ext opeai_nb

%%imagine -n 2 --size 1536x1024 -o cats
a watercolour cat reading a book by the window
"""

from typing import TYPE_CHECKING, Any

from opeai_nb._lazy import attach
from opeai_nb._version import __version__ as __version__

if TYPE_CHECKING:
    from opeai_nb import connect as connect
    from opeai_nb.bulk import Batch as Batch
    from opeai_nb.bulk import Sweep as Sweep
    from opeai_nb.bulk.batch.batch import batch as batch
    from opeai_nb.bulk.sweep.sample import draw as draw
    from opeai_nb.bulk.sweep.sweep import sweep as sweep
    from opeai_nb.client import AsyncClient as AsyncClient
    from opeai_nb.client import Client as Client
    from opeai_nb.client import Generation as Generation
    from opeai_nb.client import ImageRequest as ImageRequest
    from opeai_nb.client import Model as Model
    from opeai_nb.client import Picture as Picture
    from opeai_nb.client import Task as Task
    from opeai_nb.errors import OpeaiError as OpeaiError
    from opeai_nb.library import Library as Library
    from opeai_nb.notebook.functions import generate as generate
    from opeai_nb.notebook.functions import info as info
    from opeai_nb.notebook.functions import panel as panel
    from opeai_nb.notebook.functions import request_from as request_from
    from opeai_nb.run_awaitable import run as run
    from opeai_nb.studio import Job as Job
    from opeai_nb.studio import Studio as Studio


def load_ipython_extension(shell: Any) -> None:
    """Register `%%imagine`; called by `%load_ext opeai_nb`."""
    from opeai_nb.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take `%%imagine` away; called by `%unload_ext opeai_nb`."""
    from opeai_nb.notebook.extension import unload

    unload(shell)


__getattr__, __dir__ = attach(__name__)
