"""`%load_ext opeai_nb`: what is registered, and how it is taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.magic import Imagine

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# By name, so that the class is loaded only when one is there to be shown.
_GENERATION = ("opeai_nb.client.generation", "Generation")


def load(shell: InteractiveShell) -> None:
    """Register the magic and the look of a generation. Prints nothing; twice does no harm."""
    if not any(isinstance(known, Imagine) for known in shell.configurables):
        shell.register_magics(Imagine)
    _formatter(shell).for_type_by_name(*_GENERATION, _bundle)


def unload(shell: InteractiveShell) -> None:
    """Take away what `load` registered; jobs under way go on."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("imagine", None)
    shell.magics_manager.registry.pop(Imagine.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, Imagine)]
    formatter = _formatter(shell)
    for printers, key in (
        (formatter.deferred_printers, _GENERATION),
        (formatter.type_printers, _loaded_generation()),
    ):
        printers.pop(key, None)


def _formatter(shell: InteractiveShell) -> Any:
    if shell.display_formatter is None:
        raise OpeaiError("This shell displays nothing: there is no display formatter.")
    return shell.display_formatter.mimebundle_formatter


def _loaded_generation() -> Any:
    import sys

    module = sys.modules.get(_GENERATION[0])
    return getattr(module, _GENERATION[1], None)


def _bundle(generation: Any) -> Any:
    from opeai_nb.notebook.view import generation_bundle

    return generation_bundle(generation)
