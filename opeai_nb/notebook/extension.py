"""`%load_ext opeai_nb`: what is registered, and how it is taken away again."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.notebook.display.frontend import is_vscode
from opeai_nb.notebook.magic.cell_transform import is_misread, with_body, with_prompts
from opeai_nb.notebook.magic.imagine import Imagine
from opeai_nb.notebook.magic.matcher import IDENTIFIER, matcher
from opeai_nb.studio.current_studio import set_studio_here

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from opeai_nb.bulk import Pick, Sweep
    from opeai_nb.client import Generation
    from opeai_nb.notebook.session import Session
    from opeai_nb.studio import Job

# By name, so that a class is loaded only when one is there to be shown.
_GENERATION: Final = ("opeai_nb.client.values.generation", "Generation")
_JOB: Final = ("opeai_nb.studio.job", "Job")
_PICK: Final = ("opeai_nb.bulk.sweep.pick", "Pick")
_SWEEP: Final = ("opeai_nb.bulk.sweep.sweep", "Sweep")
_lock: Final = threading.RLock()
"""Threads of a cell may all be the first that call `opeai_nb.generate`."""


def load(shell: InteractiveShell) -> Session:
    """Register the magic, its completion, and how a generation and a job look.

    Prints nothing; twice does no harm. Returns the notebook's session. Raises `OpeaiError` where
    the shell takes no magics, and where the cell that loads it has a prompt that was misread.
    """
    with _lock:
        return _loaded(shell) or _registered(shell)


def _registered(shell: InteractiveShell) -> Session:
    _refuse_misread(_cell_that_runs())
    shell.register_magics(Imagine)
    session = _loaded(shell)
    if session is None:
        from opeai_nb.errors import OpeaiError

        raise OpeaiError("This shell registers no magics.")
    formatters = _formatters(shell)
    formatters.mimebundle_formatter.for_type_by_name(*_GENERATION, partial(_bundle, session))
    formatters.ipython_display_formatter.for_type_by_name(*_JOB, partial(_show_job, session))
    formatters.mimebundle_formatter.for_type_by_name(*_SWEEP, partial(_sweep_bundle, session))
    formatters.ipython_display_formatter.for_type_by_name(*_PICK, partial(_show_pick, session))
    session.be_here()
    shell.events.register("pre_run_cell", session.be_here)
    shell.events.register("post_run_cell", session.cell_ended)
    manager: Any = shell.input_transformer_manager
    manager.cleanup_transforms.insert(0, with_body)
    manager.line_transforms.append(with_prompts)  # behind IPython's own for cell magics
    completer: Any = shell.Completer
    completer.custom_matchers.append(matcher(session))
    return session


def _cell_that_runs() -> str:
    """Return the text of the cell that IPython is running; empty where it runs none."""
    frame = sys._getframe(1)  # noqa: SLF001  IPython tells nobody before the cell has ended
    while frame.f_back and not isinstance(frame.f_locals.get("raw_cell"), str):
        frame = frame.f_back
    text = frame.f_locals.get("raw_cell")
    return text if isinstance(text, str) else ""


def _refuse_misread(cell: str) -> None:
    if is_misread(cell):
        from opeai_nb.errors import OptionError

        raise OptionError(
            "IPython has read a prompt of this cell, and not as one, before opeai_nb was loaded.",
            advice="Put %load_ext opeai_nb into a cell of its own, above; for a script: "
            "ipython --ext opeai_nb script.ipy. Nothing was sent.",
        )


def unload(shell: InteractiveShell) -> None:
    """Take away what `load` registered; jobs under way go on."""
    if (session := _loaded(shell)) is not None:
        shell.events.unregister("pre_run_cell", session.be_here)
        shell.events.unregister("post_run_cell", session.cell_ended)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("imagine", None)
    shell.magics_manager.registry.pop(Imagine.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, Imagine)]
    manager: Any = shell.input_transformer_manager
    for transforms in (manager.cleanup_transforms, manager.line_transforms):
        transforms[:] = [known for known in transforms if known not in {with_body, with_prompts}]
    formatters = _formatters(shell)
    for formatter, name in (
        (formatters.mimebundle_formatter, _GENERATION),
        (formatters.ipython_display_formatter, _JOB),
        (formatters.mimebundle_formatter, _SWEEP),
        (formatters.ipython_display_formatter, _PICK),
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


def _bundle(session: Session, generation: Generation) -> Any:
    """Return the mimebundle of a generation, as the cell that runs now wants it."""
    from opeai_nb.client.values.views.result_view import generation_bundle

    session.tell_changes(generation)
    return generation_bundle(generation, session.look(generation) or "thumb")


def _sweep_bundle(session: Session, sweep: Sweep) -> Any:
    """Return the mimebundle of a sweep, as the cell that runs now wants it."""
    from opeai_nb.notebook.magic.sweep_cell import sweep_bundle

    session.tell_changes(sweep)
    return sweep_bundle(sweep, session.look(sweep) or "thumb")


def _show_job(session: Session, job: Job) -> None:
    """Show a job in the cell that runs now, unless its own cell does so already."""
    from opeai_nb.notebook.display.job_view import show_job

    if session.look(job) is None:
        session.tell_changes(job)
        show_job(job, session.frontend, one_slot=is_vscode(session.shell))


def _show_pick(session: Session, pick: Pick) -> None:
    """Show a blind choice in the cell that runs now."""
    from opeai_nb.notebook.display.pick_view import show_pick

    show_pick(pick, session.frontend)


def _loaded(shell: InteractiveShell) -> Session | None:
    return next(
        (known.session for known in shell.configurables if isinstance(known, Imagine)), None
    )


def _formatters(shell: InteractiveShell) -> Any:
    if shell.display_formatter is None:
        from opeai_nb.errors import OpeaiError

        raise OpeaiError("This shell displays nothing: there is no display formatter.")
    return shell.display_formatter
