"""What one notebook has: settings, studio, slots, names, and how its results look."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakKeyDictionary, WeakSet

from opeai_nb.notebook.display.frontend import (
    cell_id,
    frontend,
    notebook_file,
    notebook_folder,
    run_id,
)
from opeai_nb.plain_file import as_here
from opeai_nb.studio.current_studio import following, set_studio_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
    from traitlets import HasTraits

    from opeai_nb.client.values.only import Only
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library import Session as Runs
    from opeai_nb.library import Slot
    from opeai_nb.notebook.display.frontend import Frontend
    from opeai_nb.notebook.magic.cell_dependencies import Recipe
    from opeai_nb.settings import Settings
    from opeai_nb.studio import Studio

_NAMED: Final = ("base_url", "engine", "library", "subfolders")
"""Settings that the environment gives where nothing is said."""
_NOT_SET: Final = ("", 0, None)
_REQUEST_TRAITS: Final = ("model", "size", "quality", "n", "output_format", "dialect")
_CELL_TRAITS: Final = ("timeout", "show", "save", "quiet")


class OpenPanel(Protocol):
    """A panel, as its notebook sees it: *comm* is None once it is closed."""

    comm: Any

    def renew(self) -> None:
        """Show what was kept meanwhile."""


class Session:
    """What the magic, its commands and the panel share. *config* has the traits of `%config`.

    *names* is the user's namespace, *folder* the notebook's, *models* what the platform listed.
    """

    def __init__(self, shell: InteractiveShell, config: HasTraits) -> None:
        self.shell = shell
        self.config = config
        self.names: dict[str, Any] = shell.user_ns
        self.folder = notebook_folder(shell)
        self._file = notebook_file(shell)
        self.models: list[str] = []
        self._studio = following(lambda: self.settings)
        self._runs: Runs | None = None
        self._token = os.urandom(8).hex()
        self._refused = ("", "")
        self._looks: WeakKeyDictionary[Any, tuple[str, str]] = WeakKeyDictionary()
        self._recipes: WeakKeyDictionary[Any, Recipe] = WeakKeyDictionary()
        self._made_here: list[weakref.ref[Any]] = []
        self.panels: WeakSet[OpenPanel] = WeakSet()

    @property
    def settings(self) -> Settings:
        """The settings as they are now: those of `%config`, else those of the environment."""
        from dataclasses import replace

        from opeai_nb.settings import settings

        said = self.config.trait_values()
        now = settings(
            **{name: said[name] or None for name in _NAMED},
            allow_hosts=said["allow_hosts"] or None,
            replay=said["replay"],
            metadata=said["metadata"],
            max_images_per_session=said["max_images_per_session"] or None,
            max_cost_per_session=said["max_cost_per_session"] or None,
            prices=said["prices"] or None,
        )
        prices = now.prices
        if isinstance(prices, Path):
            prices = self.folder / prices
        library = self.folder / now.library
        # As the notebook says it; an environment is of this machine, and a `.env` keeps to it.
        library = as_here(library) if said["library"] else library
        return replace(now, library=library, prices=prices)

    @property
    def library_id(self) -> str:
        """What tells whether two panels of this notebook show one library.

        Before the settings are read for the first time, and a panel does not wait for that, it is
        one for all: they will be read for all of them.
        """
        library = "" if self._runs is None else str(self.settings.library)
        return f"{self._token}-{library}"

    @property
    def studio(self) -> Studio:
        """The studio for the settings as they are now; its session outlives a changed setting."""
        studio = self._studio()
        studio.watcher = self.watch
        studio.session.notebook = self._file
        self._runs = studio.session
        return studio

    def be_here(self, *_: object) -> None:
        """Make this notebook's studio that of the code which runs now."""
        set_studio_here(lambda: self.studio)

    @property
    def frontend(self) -> Frontend:
        """Who looks at the output of this cell."""
        return frontend(self.shell)

    @property
    def cell(self) -> tuple[str | None, str]:
        """The id of the cell that runs, where the front end tells it, and of this run of it."""
        return cell_id(self.shell), run_id(self.shell)

    @property
    def may_ask(self) -> bool:
        """True where somebody sits who can answer a question."""
        return self.frontend in {"live", "terminal"}

    def refuse_config(self, reason: str) -> None:
        """Remember that `%config` was refused in the cell that runs now, and why."""
        self._refused = (run_id(self.shell), reason)

    def check_config(self) -> None:
        """Raise `OptionError` where this very cell set something wrong: it would be paid for."""
        run, reason = self._refused
        if run and run == run_id(self.shell):
            from opeai_nb.errors import OptionError

            raise OptionError(
                f"%config in this cell was refused: {reason}",
                advice="Correct it and run the cell again. Nothing was sent.",
            )

    @property
    def request_defaults(self) -> dict[str, Any]:
        """What `%config` says about requests: the fields of a cell that does not set them."""
        return self._set_here(_REQUEST_TRAITS)

    def cell_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a cell: those *given*, else those of `%config`.

        `OPEAI_NB_SHOW` goes before `%config`; its `none`, for programs, before all.
        """
        from opeai_nb.client.values.views.text_output import show_wanted

        show = show_wanted()
        wanted = {"show": show} if show else {}
        first = wanted if show == "none" else {}
        return {**self._set_here(_CELL_TRAITS), **wanted, **given, **first}

    def _set_here(self, names: tuple[str, ...]) -> dict[str, Any]:
        values = self.config.trait_values()
        return {name: values[name] for name in names if values[name] not in _NOT_SET}

    def slot(self, request: ImageRequest, only: Only | None = None) -> Slot | None:
        """Return the slot of the next call of *request* in the cell that runs.

        *only* is the region that the answer is laid over. None where the front end tells no cell.
        """
        from opeai_nb.library import identity
        from opeai_nb.library.replay.replay import row_key

        cell = cell_id(self.shell)
        if cell is None:
            return None
        row = row_key(identity(request), None if only is None else only.digest)
        return self.studio.session.slot(row, cell, run_id(self.shell))

    def cell_ended(self, result: ExecutionResult) -> None:
        """Note how the cell ended: what it paid for before an error is not paid for again."""
        if self._runs is not None:
            cell, run = self.cell
            self._runs.cell_ended(cell, well=bool(result.success), run=run)
        for made in self._made_here:
            value = made()
            if value in self._recipes and self._recipes[value].changed_words(self.names):
                del self._recipes[value]  # a loop over the words: each result is of its own
        self._made_here.clear()
        if self.panels and self.frontend == "live":  # elsewhere it would go into a saved notebook
            self.renew_panels()

    def renew_panels(self, maker: OpenPanel | None = None) -> None:
        """Have the panels that are open show what was kept, but for its *maker*, which knows."""
        for panel in [*self.panels]:
            if panel is not maker and panel.comm is not None:
                panel.renew()

    def made(self, value: Any, recipe: Recipe) -> None:
        """Note what the result of the cell that runs now is made of."""
        if hasattr(value, "_repr_mimebundle_"):  # a generation, a sweep, a job
            self._recipes[value] = recipe
            self._made_here.append(weakref.ref(value))

    def tell_changes(self, value: Any) -> None:
        """Say beside a result that is shown again what it was made of and is something else now."""
        if self.look(value) is not None or (recipe := self._recipe_of(value)) is None:
            return
        from opeai_nb.notebook.display.watch import tell_notes
        from opeai_nb.notebook.magic.cell_dependencies import note

        changed = note(recipe.changed(self.names, lambda: self.studio.presets))
        tell_notes(filter(None, [changed]))

    def _recipe_of(self, value: Any) -> Recipe | None:
        """Return what a result is made of; what a job made is of what its cell said."""
        from opeai_nb.studio import Job

        jobs = (known for known in list(self._recipes) if isinstance(known, Job))
        done = (job for job in jobs if job.is_settled and job.exception() is None)
        made_by = next((job for job in done if job.result() is value), value)
        return self._recipes.get(made_by)

    def store(self, name: str | None, value: Any) -> None:
        """Put a result, or the job that failed, into the user's namespace."""
        if name is not None:
            self.names[name] = value

    def will_show(self, value: Any, show: str) -> None:
        """Note how *value* is shown when it is the result of the cell that runs now."""
        self._looks[value] = (run_id(self.shell), show)

    def look(self, value: Any) -> str | None:
        """Return how *value* is shown in the cell that runs now; None where nothing was noted."""
        run, show = self._looks.get(value, ("", ""))
        return show if run and run == run_id(self.shell) else None

    def watch(self, work: Any) -> None:
        """Show a job, or a run of many, until it is over: what Python code of a cell waits for."""
        from opeai_nb.notebook.display.badge_display import Screen
        from opeai_nb.notebook.display.watch import watch_job, watch_run
        from opeai_nb.studio import Job

        watch = watch_job if isinstance(work, Job) else watch_run
        watch(work, Screen(self.frontend))
