"""What a panel knows and does, whatever shows it: traits in, requests out, no widget."""

from __future__ import annotations

import threading
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from traitlets import Any as AnyTrait
from traitlets import Dict, Int, List, TraitError, Unicode, observe

from opeai_nb.client.values.size import SAME
from opeai_nb.client.wire.hints import hints
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.notebook.panel import input_sources, region, save_files, status
from opeai_nb.notebook.panel.controls import (
    ADVANCED,
    NAMES,
    set_by,
)
from opeai_nb.notebook.panel.gallery.finds import finds_of
from opeai_nb.notebook.panel.gallery.shown_library import ShownLibrary
from opeai_nb.notebook.panel.gallery.stage import unkept_stage
from opeai_nb.notebook.panel.input_sources import UPLOAD_LIMIT, Uploads
from opeai_nb.notebook.panel.model_options import grouped, known_models
from opeai_nb.notebook.panel.request_queue import (
    Runs,
    Wish,
    in_place,
    in_thread,
    once_idle,
)
from opeai_nb.notebook.panel.shown_panels import ShownPanels
from opeai_nb.notebook.panel.static_output import Still
from opeai_nb.presets.preset import preset_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client import ImageRequest
    from opeai_nb.notebook.display.frontend import Frontend
    from opeai_nb.notebook.panel.input_sources import Source
    from opeai_nb.presets.preset import Preset
    from opeai_nb.studio import Job, Studio, Update

SHOWN: Final = ShownPanels()
_READING: Final = threading.Lock()
_UNSEEN: Final = 0.5
"""Seconds after which a panel that no page says to show is filled in all the same."""


class PanelState(ShownLibrary):
    """The panel without its looks; a subclass that is a widget shows it.

    What its traits are, `Panel` tells; those with an underscore are what is shown: see `protocol`.
    Raises `TraitError` for a control that there is not, or a value that it does not take,
    `InputError` for a region that the input picture does not have.
    """

    request = AnyTrait(None, read_only=True)
    state = Unicode("idle", read_only=True)
    result = AnyTrait(None, read_only=True)
    error = AnyTrait(None, read_only=True)

    _controls = Dict().tag(sync=True)
    _inputs: List[Any] = List().tag(sync=True)
    _models: List[Any] = List().tag(sync=True)
    _presets = Dict().tag(sync=True)
    _advice = Dict().tag(sync=True)
    _limit = Int().tag(sync=True)
    _name = Unicode().tag(sync=True)
    _library_id = Unicode().tag(sync=True)

    def __init__(
        self,
        studio: Callable[[], Studio],
        *,
        defaults: Callable[[], Mapping[str, Any]] = dict,
        names: Mapping[str, Any] | None = None,
        frontend: Callable[[], Frontend] = lambda: "live",
        cell: Callable[[], tuple[str | None, str]] = lambda: (None, ""),
        spawn: Callable[[Callable[[], object]], object] = in_thread,
        has_magic: bool = True,
        upload_limit: int = UPLOAD_LIMIT,
        library_id: str = "",
        tell_kept: Callable[[Any], None] = lambda _: None,
        **controls: Any,
    ) -> None:
        if unknown := sorted(controls.keys() - {*NAMES, "only"}):
            there = ", ".join((*NAMES, "only"))
            raise TraitError(f"There is no control {unknown[0]!r}. Controls: {there}.")
        self._studio = studio
        self._defaults = defaults
        self._frontend, self._cell = frontend, cell
        self._spawn, self._has_magic = spawn, has_magic
        self.names: Mapping[str, Any] = names if names is not None else {}
        self.runs = Runs(studio, self, spawn)
        self.uploads = Uploads(upload_limit)
        self._still = Still()
        self._displayed, self._shown = threading.Event(), threading.Event()
        self._painted = threading.Event()
        self._dropped = 0
        self._tell_kept, self._is_behind = tell_kept, False
        self._edit: list[Any] = []  # of the page: what it sent last, so that it knows its own
        self._before_click: status.Status = {}
        self._limit, self._name, self._library_id = upload_limit, token_hex(8), library_id
        self._preset: Preset | None = None  # as it was read when it was chosen
        self._drawn: region.Drawn | None = None  # the region as a page draws it
        self._list_models(())
        self._presets = {"choices": [], "problem": ""}
        self.set_controls(**self._defaults())
        self.set_controls(**controls)
        self._reread()
        super().__init__()  # a widget opens now, with the whole of its state in one message
        if spawn is not in_place:  # else once it is shown: whoever waits sees it
            spawn(self.fill)

    def fill(self) -> None:
        """Fill in what takes time: the gallery, and the models that the platform tells of.

        The library is loaded and read once the cell's own messages are out, while the page builds
        the panel; nothing of it is sent before the panel stands there, which would hold it back.
        Of several panels one reads at a time, and the next once what it read is on the screen: a
        page shows it in all panels of the library. The models come once the gallery is on the
        screen: to load what lists them takes a processor for a fifth of a second.
        """
        self.gallery.reload()
        self._wait_for(self._displayed)
        with _READING:
            show_gallery = self._read_gallery()
            if self._shown.is_set():
                show_gallery()
                self._wait_for(self._painted)
        self._wait_for(self._shown)
        show_gallery()
        if self._is_growing and self._spawn is not in_place:
            self._spawn(self._follow_growth)
        self.list_presets()
        self._wait_for(self._painted)
        try:
            self._list_models([model.id for model in self.studio.models()])
        except OpeaiError as error:
            self._list_models(known_models())
            self._status = status.said(f"Could not load the list of models: {error.message}")

    def renew(self) -> None:
        """Show what a cell or another panel kept meanwhile: once, however many end at a time."""
        if self._gallery and not (self._is_behind or self._is_growing):
            self._is_behind = True
            self._spawn(self._catch_up)

    def _catch_up(self) -> None:
        with _READING:
            self._is_behind = False
            self._reload()

    def _wait_for(self, event: threading.Event) -> None:
        if self._spawn is not in_place:
            event.wait(_UNSEEN)

    def _go_on_unseen(self) -> None:
        """Wait for no page."""
        self._shown.set()
        self._painted.set()

    @property
    def _is_in_terminal(self) -> bool:
        """Tell whether a terminal or a console shows it: a text, and at best stock widgets."""
        return self._frontend() == "terminal"

    def _is_shown(self) -> None:
        """Close what the cell showed before; publish the picture for readers without a kernel."""
        for former in SHOWN.take(self, *self._cell()):
            self._take_region(former)
            former.close()
        self._still.show(self.result, self._frontend())
        if self._frontend() != "live":  # nobody looks yet, and no page will say that it is there
            self._go_on_unseen()
        once_idle(self._displayed.set)
        if self._spawn is in_place:
            self.fill()

    # -- the controls

    @observe("model")
    def _adapt(self, _: Any) -> None:
        adapted = self.controls.adapted(self.model)
        with self.hold_trait_notifications():
            self.size, self.quality, self.n = adapted.size, adapted.quality, adapted.n
            for name in ADVANCED:
                setattr(self, name, adapted.advanced.get(name))
        self._models = grouped([*self._listed], self.model)

    def _list_models(self, names: Any) -> None:
        """Offer the models of these *names*; the chosen one is among them in any case."""
        self._listed = tuple(names)
        self._models = grouped(self._listed, self.model)

    @observe("preset")
    def _choose_preset(self, _: Any) -> None:
        self.list_presets()

    def list_presets(self) -> None:
        """Read the presets anew; where the chosen one is another now, the controls show it."""
        presets: Mapping[str, Preset] = {}
        preset, problem = None, ""
        try:
            presets = self.studio.presets
            preset = preset_named(self.preset, presets) if self.preset else None
        except OpeaiError as error:
            problem = f"{error.message} {error.advice}".strip()
        choices = [
            {"name": each.name, "prompt": each.prompt, "fields": set_by(each)}
            for each in presets.values()
        ]
        self._presets = {"choices": choices, "problem": problem}
        if preset != self._preset:
            former, self._preset = self._preset, preset
            self.take(self.controls.with_preset(former, preset))
        self._reread()

    @observe(*NAMES)
    def _reread(self, _: Any = None) -> None:
        """Make the request anew, and say what one should know of it before sending."""
        try:
            request = self._asked()
        except OpeaiError:
            request = None
        self.set_trait("request", request)
        self._advice = self._advised(request)
        self._controls = {**self.plain_values, "only": self._drawn, "edit": self._edit}

    def _advised(self, request: ImageRequest | None) -> dict[str, Any]:
        of = [self.model, self.size, self.quality, self.n]
        if request is None:
            return {"of": of, "notes": [], "cost": ""}
        notes, cost = list(hints(request)), ""
        try:
            bill = self.studio.cost([request])
            cost = str(bill) if bill and bill.is_known else ""
        except OpeaiError as error:  # the price list is wrong, and sending will be refused
            notes.append(error.message)
        return {"of": of, "notes": notes, "cost": cost}

    def _asked(self) -> ImageRequest:
        preset = self._preset
        if preset is None and self.preset:
            preset = preset_named(self.preset, self.studio.presets)  # or it says why there is none
        return self.controls.request(self._defaults(), preset)

    def _read(self) -> Wish:
        request, only = self._asked(), self.only
        if only is not None and len(request.image) != 1:
            from opeai_nb.client.values.only import only_in  # which most panels do without

            only_in(request, only.box)  # says why that cannot be
        return Wish(request, only)

    @observe("images")
    def _show_images(self, change: Any) -> None:
        self._inputs = [input_sources.shown(source) for source in change.new]
        if self.only is not None and not region.is_of(self.only, change.new):
            self.only = None
        if not change.new and self.size == SAME:  # of nothing
            self.size = ""

    @observe("only")
    def _show_region(self, _: Any) -> None:
        """Tell the page of a region that was set from code."""
        self._drawn = self.only and region.drawn_of(self.only, self.images)
        self._reread()

    def draw(self, drawn: region.Drawn | None) -> None:
        """Take a region as a page has drawn it; None: the edit may change the whole picture.

        Raises `InputError` for one that is empty, or leaves its picture.
        """
        if drawn != self._drawn:
            self.only = drawn and region.value_of(drawn, self.images)
            self._drawn = drawn  # to the pixel as it is on the page

    def _take_region(self, former: PanelState) -> None:
        """Go on with the region of the cell's former run, where it is of this panel's picture.

        Nobody paints it anew because the cell ran again; one that the cell itself says goes before.
        """
        pictures = {input_sources.key_of(source) for source in self.images}
        if self.only is None and former._drawn and pictures == {former._drawn["digest"]}:
            self.draw(former._drawn)

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

    def click(self, then: Callable[[], object] = lambda: None) -> None:
        """Take a click on Generate; *then* is called once it is known what it leads to."""
        if not self.runs.is_busy:
            self._before_click, self._status = self._status, status.sending()
        self.runs.click(self._read, then)

    def add_upload(self, name: str, content: bytes) -> str:
        """Take a file as input picture; return what one should know of it.

        Raises `ImageInputError` for what is no picture, `InputError` for one that is there.
        """
        return self._add(input_sources.uploaded(name, content))

    def add_named(self, text: str) -> str:
        """Take what a path, a URL or a variable names as input picture, as `add_upload`."""
        return self._add(input_sources.named(text, self.names))

    def _add(self, source: Source) -> str:
        self.images = input_sources.with_source(self.images, source)
        return source.note

    def remove(self, digest: str) -> None:
        """Take an input picture away."""
        kept = [source for source in self.images if input_sources.key_of(source) != digest]
        self.images = tuple(kept)

    def cell(self) -> str:
        """Return the cell that asks for the same. An upload becomes a file for it.

        It is a `%%imagine` cell; outside of IPython, as in marimo, it is Python.
        """
        # Not before: a fifth of what a panel imports is the magic's own.
        from opeai_nb.notebook.panel.code_cell import cell_text, python_text

        wish, homes = self._read(), self.studio.library.homes
        images = [save_files.source_written(source, homes) for source in self.images]
        only = wish.only and save_files.region_written(wish.only, self.images[0].label, homes)
        write = cell_text if self._has_magic else python_text
        return write(wish.request, images, preset=self._preset, prompt=self.prompt, only=only or "")

    def insert(self) -> tuple[str, str]:
        """Return the cell that asks for the same, and what its first run does.

        The picture on the stage is kept for it, where it is one of this request.
        """
        from opeai_nb.library import identity
        from opeai_nb.library.replay.replay import row_key

        self.list_presets()  # the cell will read them anew
        code, wish = self.cell(), self._read()
        wanted, digest = identity(wish.request), wish.only.digest if wish.only else None
        if self.selected is not None and self.selected.record.identity == wanted:
            self.studio.session.reserve(row_key(wanted, digest), self.selected.record.id)
            if self.selected.region == digest:
                return code, "Its first run shows this picture and sends nothing."
            return code, "Its first run shows the answer of this picture and sends nothing."
        if self.studio.library.holds([wanted]):
            return (
                code,
                "Its first run shows a picture that is kept and unused, or sends a request.",
            )
        return code, "Running it sends a request."

    # -- what the runs tell, from the thread that follows the job

    def moved(self, job: Job, update: Update, waiting: int) -> None:
        """Show how far a job has come."""
        self.set_trait("state", update.state)
        self._status = status.moved(job, update, waiting)

    def ended(self, job: Job) -> None:
        """Show what came of a job."""
        error, notes = job.exception(), job.take_notes()
        self.set_trait("error", error)
        if error is None:
            self._arrived(job)
            notes += job.result().differences
        shown = status.ended(job, self._dropped, notes)
        self._status = {**shown, "stop": self.runs.is_busy}
        self._dropped = 0
        self.set_trait("state", job.status)

    def refused(self, error: Exception) -> None:
        """Show why nothing was started."""
        self.set_trait("error", error)
        self._status = {**status.failed(error), "stop": self.runs.is_busy}
        self.set_trait("state", "failed")

    def ignored(self) -> None:
        """Show what the click before this one led to."""
        if self._status == status.sending():
            self._status = self._before_click

    def _arrived(self, job: Job) -> None:
        generation = job.result()
        try:
            library = self.studio.library
            self.show(finds_of(library.record(job.id), library)[0])
        except LibraryError:
            self.show(None)
            self._stage = unkept_stage(generation)
        self._reload()
        self._tell_kept(self)
        self._still.update(generation)
        self.set_trait("result", generation)
