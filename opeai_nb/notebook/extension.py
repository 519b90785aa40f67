"""`%load_ext opeai_nb`: what is registered, and how it is taken away again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.notebook.magic.cell_transform import with_body
from opeai_nb.notebook.magic.imagine import Imagine
from opeai_nb.notebook.magic.matcher import IDENTIFIER, matcher
from opeai_nb.studio.here import set_studio_here

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from opeai_nb.bulk import Grid

# By name, so that a class is loaded only when one is there to be shown.
_GENERATION: Final = ("opeai_nb.client.values.generation", "Generation")
_JOB: Final = ("opeai_nb.studio.job", "Job")
_SWEEP: Final = ("opeai_nb.bulk.sweep.sweep", "Sweep")
_GRID: Final = ("opeai_nb.bulk.sweep.grid", "Grid")


def load(shell: InteractiveShell) -> None:
    """Register the magic, its completion, and how a generation and a job look.

    Prints nothing; twice does no harm.
    """
    if _loaded(shell) is not None:
        return
    shell.register_magics(Imagine)
    magic = _loaded(shell)
    if magic is None:
        from opeai_nb.errors import OpeaiError

        raise OpeaiError("This shell registers no magics.")
    formatters = _formatters(shell)
    formatters.mimebundle_formatter.for_type_by_name(*_GENERATION, magic.bundle)
    formatters.ipython_display_formatter.for_type_by_name(*_JOB, magic.show_job)
    formatters.mimebundle_formatter.for_type_by_name(*_SWEEP, magic.sweep_bundle)
    formatters.mimebundle_formatter.for_type_by_name(*_GRID, _grid_bundle)
    magic.be_here()
    shell.events.register("pre_run_cell", magic.be_here)
    shell.input_transformer_manager.cleanup_transforms.insert(0, with_body)
    completer: Any = shell.Completer
    completer.custom_matchers.append(matcher(shell, magic))


def unload(shell: InteractiveShell) -> None:
    """Take away what `load` registered; jobs under way go on."""
    if (magic := _loaded(shell)) is not None:
        shell.events.unregister("pre_run_cell", magic.be_here)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("imagine", None)
    shell.magics_manager.registry.pop(Imagine.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, Imagine)]
    transforms: Any = shell.input_transformer_manager.cleanup_transforms
    transforms[:] = [known for known in transforms if known is not with_body]
    formatters = _formatters(shell)
    for formatter, name in (
        (formatters.mimebundle_formatter, _GENERATION),
        (formatters.ipython_display_formatter, _JOB),
        (formatters.mimebundle_formatter, _SWEEP),
        (formatters.mimebundle_formatter, _GRID),
    ):
        formatter.deferred_printers.pop(name, None)
        formatter.type_printers.pop(getattr(sys.modules.get(name[0]), name[1], None), None)
    set_studio_here(None)
    completer: Any = shell.Completer
    completer.custom_matchers[:] = [
        known
        for known in completer.custom_matchers
        if getattr(known, "matcher_identifier", "") != IDENTIFIER
    ]


def _grid_bundle(grid: Grid) -> Any:
    from opeai_nb.notebook.magic.sweep_cell import grid_bundle

    return grid_bundle(grid)


def _loaded(shell: InteractiveShell) -> Imagine | None:
    return next((known for known in shell.configurables if isinstance(known, Imagine)), None)


def _formatters(shell: InteractiveShell) -> Any:
    if shell.display_formatter is None:
        from opeai_nb.errors import OpeaiError

        raise OpeaiError("This shell displays nothing: there is no display formatter.")
    return shell.display_formatter
