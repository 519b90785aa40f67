"""The panel as one component: its page shows the traits of `PanelState`, and sends messages."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import anywidget
from traitlets import Dict, TraitError, Unicode

from opeai_nb.errors import InputError
from opeai_nb.notebook.display.previews import large
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.controls import NAMES
from opeai_nb.notebook.panel.model_table import model_table
from opeai_nb.notebook.panel.page_module import page_module
from opeai_nb.notebook.panel.panel_state import PanelState
from opeai_nb.notebook.panel.protocol import Message, answer, read
from opeai_nb.notebook.panel.request_queue import in_place, in_thread
from opeai_nb.notebook.panel.static_output import TERMINAL_TEXT
from opeai_nb.notebook.panel.status import problem_of
from opeai_nb.studio.current_studio import private_studio, studio_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.notebook.panel.gallery.finds import Find
    from opeai_nb.notebook.panel.plain_panel import PlainPanel
    from opeai_nb.notebook.session import Session
    from opeai_nb.studio import Studio

TEXT: Final = (
    "Panel of opeai_nb: run this cell to use it, in a notebook that shows widgets. "
    "Where it stays away, opeai_nb.panel(plain=True) needs less."
)
_CLICKS: Final = 64
_LATER: Final = object()


class Panel(PanelState, anywidget.AnyWidget):
    """The interactive panel. Read and set its traits from code, and `observe` them.

    - Controls: *prompt model n size quality images* and the advanced fields, by the API's names.
      "" and None mean: not set, not sent. *images* takes a list of whatever `image=` takes.
      *preset* names one of the user's presets: the other controls show what it sets. *only* is
      where an edit may change its one picture, as in `Studio.start`.
    - *request* is what a click would send (None while that cannot be right), *state* is `idle` or
      a badge state, *result* the last generation, *error* why there is none, *selected* the
      picture on the stage.

    `generate()` is the click, and returns the job. *studio* is asked for at each use, *defaults*
    are those of `%config`, *names* the user's namespace, *cell* tells the cell that runs and which
    run of it this is. Observers of *state*, *result* and *error* are called on the thread that
    follows the job. Raises `TraitError` for a control that there is not, or a value that it does
    not take, `InputError` for a region that the input picture does not have.
    """

    _esm = Unicode().tag(sync=True)
    _table = Dict().tag(sync=True)

    def __init__(self, studio: Callable[[], Studio], **options: Any) -> None:
        self._clicks: deque[str] = deque(maxlen=_CLICKS)
        self._esm, self._table = page_module(), model_table()
        super().__init__(studio, **options)
        self.runs.grace = 0  # a click brings the controls with it
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return TERMINAL_TEXT if self._is_in_terminal else TEXT

    def _ipython_display_(self) -> None:
        """Show the panel, and beside it the picture for readers without a kernel."""
        from IPython.display import display

        # A console that has stock widgets would say of this one that it has none.
        view = {} if self._is_in_terminal else self._repr_mimebundle_()[0]  # type: ignore[index]  # None without a view: it has one
        display({**view, "text/plain": repr(self)}, raw=True)
        self._is_shown()

    def close(self) -> None:
        """Take the panel from every page."""
        self.layout.close()
        super().close()

    # -- what a page sends

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        key = str(content.get("id", "")) if isinstance(content, dict) else ""
        try:
            message = read(content, buffers)
            said = self._acts(message)[message.kind]()
        except Exception as error:  # noqa: BLE001  who clicked sees it, whatever it is
            said = {"problem": problem_of(error)}
        if said is not _LATER:
            told = said if isinstance(said, dict) else {}
            pictures = told.pop("buffers", [])
            self.send(answer(key, **told), buffers=pictures)

    def _acts(self, message: Message) -> dict[str, Callable[[], Any]]:
        """Return what each kind of message does; a dict that comes of it is the answer."""
        told = message.fields
        return {
            "shown": self._shown.set,
            "painted": self._painted.set,
            "controls": lambda: self._take_change(told),
            "generate": lambda: self._click(message),
            "presets": self.list_presets,
            "stop": self.stop,
            "again": self.resume,
            "insert": lambda: dict(zip(("code", "first"), self.insert(), strict=True)),
            "select": lambda: self._select(told),
            "edit": lambda: self._select(told, self.use_as_input),
            "restore": lambda: self._select(told, self.restore),
            "save": lambda: {"note": f"Saved: {self.save_as(told['target'], self._find(told))}"},
            "name": lambda: {"note": self.add_named(told["text"])},
            "piece": lambda: self._piece(message),
            "remove": lambda: self.remove(told["digest"]),
            "open": lambda: self._open(told["digest"]),
            "gallery": lambda: self._page(told["number"]),
            "search": lambda: self.search(told["text"], told["marked"]),
            "prompts": lambda: self._prompts(told["text"], told["after"]),
            "recall": lambda: self.recall(told["record"]),
            "mark": lambda: self._mark(told),
            "large": lambda: {"buffers": [large(self._find(told).path)]},
        }

    def _select(self, told: Mapping[str, Any], act: Callable[[], None] = lambda: None) -> None:
        if self.selected is None or self.selected.key != told["key"]:
            self.show(self._find(told))
        act()

    def _take_change(self, told: Mapping[str, Any]) -> None:
        self._take_controls(told)
        self.list_presets()  # the page shows what is another by now, before it is sent

    def _take_controls(self, told: Mapping[str, Any]) -> None:
        if self._is_overtaken(told["edit"]):
            return
        self._edit = told["edit"]
        values = {k: v for k, v in told["values"].items() if k in NAMES and k != "images"}
        try:
            self.set_controls(**values)
            if "only" in told["values"]:
                self.draw(told["values"]["only"])
        except TraitError as error:
            raise InputError(str(error)) from error
        finally:
            self._reread()

    def _is_overtaken(self, edit: Sequence[Any]) -> bool:
        """Tell whether a later edit of the same page is here: subshells may change the order."""
        return self._edit[:1] == list(edit[:1]) and list(edit[1:]) < self._edit[1:]

    def _click(self, message: Message) -> object:
        """Take a click once, however often it comes; it is answered when its turn is known."""
        if message.id in self._clicks:
            return None
        self._clicks.append(message.id)
        self._take_controls(message.fields)
        self.click(lambda: self.send(answer(message.id)))
        return _LATER

    def _piece(self, message: Message) -> dict[str, Any]:
        told = message.fields
        file = message.id.rpartition(".")[0]  # `<file>.<number of the piece>`
        content = self.uploads.take(file, told["size"], told["start"], bytes(message.buffers[0]))
        return {} if content is None else {"note": self.add_upload(told["name"], content)}

    def _open(self, digest: str) -> dict[str, Any]:
        size, picture = input_sources.large(self.images, digest)
        return {"size": size, "buffers": [picture]}

    def _page(self, number: int) -> dict[str, Any]:
        page, tiles = self.gallery.page(number), self.gallery.tiles(number)
        return {"gallery": page, "keys": list(tiles), "buffers": list(tiles.values())}

    def _prompts(self, text: str, after: Sequence[Any]) -> dict[str, Any]:
        page, tiles = self.prompts(text, after)
        return {**page, "keys": list(tiles), "buffers": list(tiles.values())}

    def _mark(self, told: Mapping[str, Any]) -> dict[str, Any]:
        find = self._find(told)
        self.mark(find, **told["change"])
        return {"row": self.gallery.rows([find])[0]}

    def _find(self, told: Mapping[str, Any]) -> Find:
        found = self.find(told["key"])
        if found is None:
            raise InputError(
                "This picture is no longer in the gallery.", advice="Reload the gallery (↻)."
            )
        return found


def panel_on(
    session: Session | None, *, private: bool = False, plain: bool = False, **controls: Any
) -> Panel | PlainPanel:
    """Return a panel on a notebook's session; without one, on this process's own studio.

    With *private* it has a library of its own: nobody sees what another visitor made. With *plain*
    it is the small form of stock widgets.
    """
    spawn = in_place if "google.colab" in sys.modules else in_thread
    made: type[Panel | PlainPanel] = Panel
    if plain:
        from opeai_nb.notebook.panel.plain_panel import PlainPanel

        made = PlainPanel
    if session is None:
        here = private_studio(studio_here) if private else studio_here
        return made(here, spawn=spawn, has_magic=False, **controls)

    def defaults() -> dict[str, Any]:
        """Return what `%config Imagine` sets: a cell would add it to its request."""
        names = ("model", "size", "quality", "n")
        return {k: v for k, v in session.request_defaults.items() if k in names}

    panel = made(
        private_studio(lambda: session.studio) if private else lambda: session.studio,
        defaults=defaults,
        names=session.names,
        frontend=lambda: session.frontend,
        cell=lambda: session.cell,
        spawn=spawn,
        library_id="" if private else session.library_id,
        tell_kept=session.renew_panels,
        **controls,
    )
    session.panels.add(panel)
    return panel
