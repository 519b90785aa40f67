"""The panel: everything it says is a trait, and its parts show and change these."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
from traitlets import Any as AnyTrait
from traitlets import TraitError, Unicode, observe

from opeai_nb.client.wire.hints import hints
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.notebook.panel import input_sources, save_files
from opeai_nb.notebook.panel.advanced import Advanced
from opeai_nb.notebook.panel.code_cell import cell_text
from opeai_nb.notebook.panel.controls import ADVANCED, NAMES, ControlTraits, controls_of
from opeai_nb.notebook.panel.gallery import Find, Gallery, finds_of
from opeai_nb.notebook.panel.html import code_html, note_html, style_html
from opeai_nb.notebook.panel.input_images import UPLOAD_LIMIT, Tray
from opeai_nb.notebook.panel.prompt_form import Composer
from opeai_nb.notebook.panel.request_queue import Runs, in_place, in_thread
from opeai_nb.notebook.panel.static_output import Still
from opeai_nb.notebook.panel.status import Status
from opeai_nb.notebook.panel.viewer import Stage
from opeai_nb.notebook.panel.widget_factory import Stock, hide
from opeai_nb.studio.here import private_studio, studio_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opeai_nb.client import ImageRequest
    from opeai_nb.notebook.display.frontend import Frontend
    from opeai_nb.notebook.panel.input_sources import Source
    from opeai_nb.notebook.session import Session
    from opeai_nb.studio import Job, Studio, Update

TEXT: Final = "Panel of opeai_nb: run this cell to use it."
_UNSEEN: Final = 0.5
"""Seconds after which a panel that was not displayed by itself is filled in all the same."""


class Panel(ControlTraits, widgets.VBox):  # type: ignore[misc]  # ipywidgets carries no types
    """The interactive panel. Read and set its traits from code, and `observe` them.

    - Controls: *prompt model n size quality images* and the advanced fields, by the API's names.
      "" and None mean: not set, not sent. *images* takes a list of whatever `image=` takes.
    - *request* is what a click would send (None while that cannot be right), *state* is `idle` or
      a badge state, *result* the last generation, *error* why there is none, *selected* the
      picture on the stage.

    `generate()` is the click, and returns the job. *studio* is asked for at each use, *defaults*
    are those of `%config`, *names* the user's namespace. Observers of *state*, *result* and
    *error* are called on the thread that follows the job. Raises `TraitError` for a control that
    there is not, or a value that it does not take.
    """

    request = AnyTrait(None, read_only=True)
    state = Unicode("idle", read_only=True)
    result = AnyTrait(None, read_only=True)
    error = AnyTrait(None, read_only=True)
    selected = AnyTrait(None, read_only=True)

    def __init__(
        self,
        studio: Callable[[], Studio],
        *,
        defaults: Callable[[], Mapping[str, Any]] = dict,
        names: Mapping[str, Any] | None = None,
        frontend: Callable[[], Frontend] = lambda: "live",
        spawn: Callable[[Callable[[], object]], object] = in_thread,
        upload_limit: int = UPLOAD_LIMIT,
        **controls: Any,
    ) -> None:
        if unknown := sorted(controls.keys() - set(NAMES)):
            raise TraitError(f"There is no control {unknown[0]!r}. Controls: {', '.join(NAMES)}.")
        self._studio = studio
        self._defaults = defaults
        self._frontend = frontend
        self._spawn = spawn
        self.names: Mapping[str, Any] = names if names is not None else {}
        self.stock = Stock()
        super().__init__(layout=self.stock.layout)
        self.runs = Runs(studio, self, spawn)
        self._still, self._shown = Still(), threading.Event()
        self._dropped = 0
        self._make(upload_limit)
        self.set_controls(**controls)
        self._reread()
        if spawn is not in_place:  # else once it is shown: whoever waits sees it
            spawn(self.fill)

    # -- the parts

    def _make(self, upload_limit: int) -> None:
        stock = self.stock
        self.status = Status(stock)
        self.stage = Stage(
            stock,
            edit=self.use_as_input,
            restore=self.restore,
            save_as=self.save_as,
            beside=self._said_beside,
        )
        self.composer, self.advanced = Composer(stock, self), Advanced(stock, self)
        self.tray = Tray(stock, self, self.names, upload_limit)
        self.gallery = Gallery(stock, lambda: self.studio.library, self.show)
        self._hints, self.code = stock.html(), stock.html()
        self.go = stock.button(
            "Generate", self._clicked, hint="Make pictures (Ctrl+Enter)", css="ob-generate"
        )
        self.halt = stock.button(
            "Stop waiting",
            self.stop,
            hint="What was sent continues at the platform",
            css="ob-stop ob-hidden",
        )
        self.again = stock.button(
            "Wait again",
            self._wait_again,
            hint="Check the task again, and wait for it",
            css="ob-again ob-hidden",
        )
        insert = stock.button(
            "Insert code",
            self._show_code,
            hint="Write this request as a %%imagine cell",
            css="ob-insert",
        )
        actions = stock.box([self.go, self.halt, self.again, insert], "ob-actions")
        left = [*self.composer.children, self.tray.box, self.advanced.box]
        left += [actions, self._hints, self.status.box, self.code]
        right = stock.box([self.stage.box, self.gallery.box], "ob-right")
        columns = stock.box([stock.box(left, "ob-composer"), right], "ob-columns")
        self.children = (stock.html(style_html(upload_limit, self.model_id), "ob-style"), columns)
        self.add_class("opeai-nb-panel")

    def fill(self) -> None:
        """Fill in what takes time: the gallery, and the models that the platform tells of.

        The panel is shown first: Pillow and httpx are imported here, and would hold its messages.
        """
        if self._spawn is not in_place:
            self._shown.wait(_UNSEEN)
        self.gallery.reload()
        try:
            self.composer.list_models(self.studio.models())
        except OpeaiError as error:
            self.status.say(f"Could not load the list of models: {error.message}")

    def __repr__(self) -> str:
        return TEXT

    def _ipython_display_(self) -> None:
        """Show the panel, and beside it the picture for readers without a kernel."""
        from IPython.display import display

        data = {**self._repr_mimebundle_(), "text/plain": TEXT}
        display(data, raw=True)
        self._still.show(self.result, self._frontend())
        self._shown.set()
        if self._spawn is in_place:
            self.fill()

    # -- the controls

    @property
    def studio(self) -> Studio:
        """The studio for the settings as they are now."""
        return self._studio()

    @observe("model")
    def _adapt(self, _: Any) -> None:
        adapted = self.controls.adapted(self.model)
        with self.hold_trait_notifications():
            self.size, self.quality, self.n = adapted.size, adapted.quality, adapted.n
            for name in ADVANCED:
                setattr(self, name, adapted.advanced.get(name))
        for part in (self.composer, self.advanced):
            part.adapt()
        self.tray.show()

    @observe(*NAMES)
    def _reread(self, _: Any = None) -> None:
        """Make the request anew, and say what one should know of it before sending."""
        try:
            request = self._read()
        except OpeaiError:
            request = None
        self.set_trait("request", request)
        told = hints(request) if request is not None else ()
        try:
            cost = self.studio.cost([request]) if request is not None else None
        except OpeaiError as error:  # the price list is wrong, and sending will be refused
            cost, told = None, (*told, error.message)
        self.go.description = f"Generate · {cost}" if cost and cost.is_known else "Generate"
        self._hints.value = note_html(*told, css="ob-warn")

    def _read(self) -> ImageRequest:
        return self.controls.request(self._defaults())

    # -- what a person does

    def generate(self) -> Job | None:
        """Ask for pictures as the controls say; return the job, or None when it waits its turn.

        A click that changes nothing while its request runs is the same request: its job comes
        back. Raises `InputError` for controls that cannot be right.
        """
        return self.runs.ask(self._read())

    def stop(self) -> None:
        """Stop waiting. The platform knows no cancel: what was sent goes on there."""
        self._dropped += self.runs.stop()

    def resume(self) -> Job | None:
        """Wait again for the task of the last job, which was not waited for to its end."""
        return self.runs.resume()

    def show(self, find: Find | None) -> None:
        """Put a picture of the library on the stage."""
        self.set_trait("selected", find)
        self.stage.show(find)
        self.gallery.choose(find)

    def use_as_input(self) -> None:
        """Edit the picture on the stage: it becomes the input picture."""
        if self.selected is not None:
            path = save_files.as_written(self.selected.path)
            self._try(lambda: self.set_trait("images", (input_sources.named(path, {}),)))

    def restore(self) -> None:
        """Set the controls as they were for the picture on the stage."""
        if self.selected is not None:
            self._try(self._restore)

    def _restore(self) -> None:
        request = self.selected.record.request
        given = tuple(
            input_sources.Source((image,), image.name or "a picture", image.url, image.data)
            for image in request.image
        )
        self.take(controls_of(request, given))

    def save_as(self, target: str, find: Find) -> Path:
        """Write a copy of a picture of the library to *target*; return its path."""
        generation = self.studio.library.generation(find.record)
        return save_files.save_copy(generation, find.number, target)

    def _said_beside(self, find: Find) -> str:
        """Return how a picture is marked, and where it was made from."""
        from opeai_nb.library import lineage

        library = self.studio.library
        return " · ".join(
            filter(None, (str(find.marks_in(library)), lineage.words(library, find.record)))
        )

    def cell(self) -> str:
        """Return the `%%imagine` cell that asks for the same. An upload becomes a file for it."""
        return cell_text(self._read(), [self._written(source) for source in self.images])

    def _written(self, source: Source) -> str:
        if source.written is not None:
            return source.written
        content = source.original or b""
        homes = self.studio.library.homes
        return save_files.as_written(save_files.upload_file(homes, source.label, content))

    def _show_code(self) -> None:
        self.code.value = ""
        self._try(self._insert_code)

    def _insert_code(self) -> None:
        code = self.cell()
        self.code.set_trait("value", code_html(code, is_free=self._reserve()))

    def _reserve(self) -> bool:
        """Keep the picture on the stage for the cell that asks for the same, if it does."""
        from opeai_nb.library import identity

        wanted = identity(self._read())
        if self.selected is None or self.selected.record.identity != wanted:
            return False
        self.studio.session.reserve(wanted, self.selected.record.id)
        return True

    def _clicked(self) -> None:
        self.code.value = ""
        if not self.runs.is_busy:
            self.status.sending()
        self.runs.click(self._read)

    def _wait_again(self) -> None:
        self._try(self.resume)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OpeaiError as error:
            self.status.failed(error)

    # -- what the runs tell, from the thread that follows the job

    def moved(self, job: Job, update: Update, waiting: int) -> None:
        """Show how far a job has come."""
        self.set_trait("state", update.state)
        hide(self.halt, hidden=False)
        hide(self.again, hidden=True)
        self.status.moved(job, update, waiting)

    def ended(self, job: Job) -> None:
        """Show what came of a job."""
        error, notes = job.exception(), job.take_notes()
        self.set_trait("error", error)
        if error is None:
            self._arrived(job)
            notes += job.result().differences
        self.status.ended(job, self._dropped, notes)
        self._dropped = 0
        hide(self.halt, hidden=not self.runs.is_busy)
        hide(self.again, hidden=error is None or job.task_id is None or not _can_wait(job))
        self.set_trait("state", job.status)

    def refused(self, error: Exception) -> None:
        """Show why nothing was started."""
        self.set_trait("error", error)
        self.status.failed(error)
        hide(self.halt, hidden=not self.runs.is_busy)
        self.set_trait("state", "failed")

    def ignored(self) -> None:
        """Show what the click before this one led to."""
        self.status.not_sending()

    def _arrived(self, job: Job) -> None:
        generation = job.result()
        self.gallery.reload()
        try:
            self.show(finds_of(self.studio.library.record(job.id))[0])
        except LibraryError:
            self.stage.show_unkept(generation)
        self._still.update(generation)
        self.set_trait("result", generation)


def _can_wait(job: Job) -> bool:
    from opeai_nb.errors import TaskExpiredError, TaskFailedError

    return not isinstance(job.exception(), (TaskFailedError, TaskExpiredError))


def panel_on(session: Session | None, *, private: bool = False, **controls: Any) -> Panel:
    """Return a panel on a notebook's session; without one, on this process's own studio.

    With *private* it has a library of its own: nobody sees what another visitor made.
    """
    spawn = in_place if "google.colab" in sys.modules else in_thread
    if session is None:
        return Panel(
            private_studio(studio_here) if private else studio_here, spawn=spawn, **controls
        )

    def defaults() -> dict[str, Any]:
        """Return what `%config Imagine` sets: a cell would add it to its request."""
        names = ("model", "size", "quality", "n")
        return {k: v for k, v in session.request_defaults.items() if k in names}

    return Panel(
        private_studio(lambda: session.studio) if private else lambda: session.studio,
        defaults=defaults,
        names=session.names,
        frontend=lambda: session.frontend,
        spawn=spawn,
        **{**defaults(), **controls},
    )
