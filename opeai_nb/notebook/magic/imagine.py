"""`%%imagine`: a door. It parses, makes one call, shows, and stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic import output_can_be_silenced as silenceable
from traitlets import Bool, Enum, Float, Int, List, Unicode

from opeai_nb.fields import DEFAULT_MODEL, DEFAULT_TIMEOUT
from opeai_nb.notebook.display.frontend import cell_id, frontend, is_vscode, notebook_folder, run_id
from opeai_nb.studio.here import set_studio_here

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from opeai_nb.bulk import Run
    from opeai_nb.client import ImageRequest
    from opeai_nb.library import Slot
    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.settings import Settings
    from opeai_nb.studio import Studio

_NOT_SET: Final = ("", 0, None)
_REQUEST_TRAITS: Final = ("model", "size", "quality", "n", "output_format", "dialect")
_CELL_TRAITS: Final = ("timeout", "show", "save", "quiet")


def _usage() -> str:
    from opeai_nb.notebook.commands.sub_commands import usage

    return usage()


@magics_class
class Imagine(Magics):
    """Generate images. Set defaults with `%config Imagine.model = "…"`."""

    model = Unicode("", help=f"the model; empty: {DEFAULT_MODEL}").tag(config=True)
    size = Unicode("", help="such as 1024x1024 or 16:9; empty: the platform's default").tag(
        config=True
    )
    quality = Unicode("", help="passed to the model; empty: not sent").tag(config=True)
    n = Int(0, min=0, help="how many pictures; 0: the platform's default").tag(config=True)
    output_format = Unicode("", help="png, jpeg or webp; empty: not sent").tag(config=True)
    dialect = Enum(("", "openai", "aliyun"), "", help="the endpoint; empty: openai").tag(
        config=True
    )
    timeout = Float(DEFAULT_TIMEOUT, min=0.1, help="how long a task is waited for, in seconds").tag(
        config=True
    )
    show = Enum(("thumb", "full", "none"), "thumb", help="how results are shown").tag(config=True)
    save = Unicode("", help="a folder that gets copies of the pictures; empty: none").tag(
        config=True
    )
    quiet = Bool(False, help="show no badge").tag(config=True)
    replay = Bool(True, help="show what the library has instead of paying again").tag(config=True)
    metadata = Bool(True, help="embed the request in the picture files").tag(config=True)
    max_images_per_session = Int(
        0,
        min=0,
        help="how many pictures are asked for before somebody has to agree; 0: any number",
    ).tag(config=True)
    confirm_above = Int(8, help="sweeps of more pictures than this ask before they send").tag(
        config=True
    )
    engine = Enum(
        ("", "auto", "always", "never"), "", help="the embedded engine; empty: the environment"
    ).tag(config=True)
    base_url = Unicode("", help="where requests go; empty: the environment").tag(config=True)
    library = Unicode("", help="the library's folder; empty: imagine/ beside the notebook").tag(
        config=True
    )
    allow_hosts = List(Unicode(), help="private hosts to download pictures from").tag(config=True)

    def __init__(self, shell: InteractiveShell, **options: Any) -> None:
        super().__init__(shell, **options)
        self.models_told: list[str] = []
        self._names: dict[str, Any] = shell.user_ns
        self.folder = notebook_folder(shell)
        self._studio: Studio | None = None
        self._run: tuple[str, int] = ("", 0)
        self._looks: WeakKeyDictionary[Any, tuple[str, str]] = WeakKeyDictionary()

    # What stands behind {braces} is filled in by us, in the prompt alone and in one pass.
    @no_var_expand
    @silenceable
    @line_cell_magic
    def imagine(self, line: str, cell: str | None = None) -> Any:
        """Generate images from a prompt; `%imagine help` lists options and commands."""
        # What a first run needs is imported by it: `%load_ext` stays cheap.
        from opeai_nb.notebook.commands import sub_commands
        from opeai_nb.notebook.magic import sweep_cell
        from opeai_nb.notebook.magic.line import parse

        if cell is None and (command := sub_commands.command_in(line)) is not None:
            return command(self)
        parsed = parse(line, self._names)
        if parsed.cell.get("help"):
            print(sub_commands.usage())  # noqa: T201  help is what was asked for
            return None
        prompt = _prompt(parsed, cell)
        if sweep_cell.is_sweep(parsed, prompt):
            return sweep_cell.run(self, parsed, prompt, self.request_defaults)
        request = self.request_of(parsed, prompt)
        if parsed.cell.get("dry_run"):
            return sub_commands.dry_run(request, self.studio)
        from opeai_nb.notebook.magic.run_cell import run

        return run(self, request, {**self.cell_defaults, **parsed.cell})

    imagine.getdoc = _usage  # type: ignore[union-attr]  # where IPython's `?` looks first

    # -- for whoever runs a request

    @property
    def settings(self) -> Settings:
        """The settings as they are now: those of `%config`, else those of the environment."""
        from dataclasses import replace

        from opeai_nb.settings import settings

        now = settings(
            base_url=self.base_url or None,
            engine=self.engine or None,
            library=self.library or None,
            allow_hosts=self.allow_hosts or None,
            replay=self.replay,
            metadata=self.metadata,
            max_images_per_session=self.max_images_per_session,
        )
        if now.library.is_absolute():
            return now
        return replace(now, library=self.folder / now.library)

    @property
    def studio(self) -> Studio:
        """The studio for the settings as they are now; its session outlives a changed setting."""
        from opeai_nb.studio import Studio

        now = self.settings
        if self._studio is None:
            self._studio = Studio(now)
            self._studio.watcher = self._watch
        elif self._studio.settings != now:
            self._studio = self._studio.adjusted(now)
        return self._studio

    def be_here(self, *_: object) -> None:
        """Make this notebook's studio that of the code which runs now."""
        set_studio_here(lambda: self.studio)

    def _watch(self, run: Run) -> None:
        """Show a run that Python code of this notebook waits for."""
        from opeai_nb.notebook.display.badge_display import Screen
        from opeai_nb.notebook.magic.sweep_cell import watched

        watched(run, Screen(self.frontend))

    @property
    def frontend(self) -> Any:
        """Who looks at the output of this cell."""
        return frontend(self.shell)

    @property
    def has_one_display(self) -> bool:
        """True where one cell can update one display only (VS Code)."""
        return is_vscode(self.shell)

    @property
    def cell_defaults(self) -> dict[str, Any]:
        """What `%config` says about this notebook: the options of a cell that has none."""
        set_here = {name: getattr(self, name) for name in _CELL_TRAITS}
        return {name: value for name, value in set_here.items() if value not in _NOT_SET}

    def slot(self) -> Slot | None:
        """Return the cell that asks, and which call in this run of it; None where none is told."""
        cell = cell_id(self.shell)
        if cell is None:
            return None
        from opeai_nb.library import Slot

        run = run_id(self.shell)
        self._run = (run, self._run[1] + 1 if self._run[0] == run else 1)
        return Slot(cell, self._run[1])

    def store(self, name: str | None, value: Any) -> None:
        """Put a result, or the job that failed, into the user's namespace."""
        if name is not None:
            self._names[name] = value

    def will_show(self, value: Any, show: str) -> None:
        """Note how *value* is shown when it is the result of the cell that runs now."""
        self._looks[value] = (run_id(self.shell), show)

    def look(self, value: Any) -> str | None:
        """Return how *value* is shown in the cell that runs now; None where nothing was noted."""
        run, show = self._looks.get(value, ("", ""))
        return show if run and run == run_id(self.shell) else None

    def bundle(self, generation: Any) -> Any:
        """Return the mimebundle of a generation, as the cell that runs now wants it."""
        from opeai_nb.notebook.display.result_view import generation_bundle

        return generation_bundle(generation, self.look(generation) or "thumb")

    def sweep_bundle(self, sweep: Any) -> Any:
        """Return the mimebundle of a sweep, as the cell that runs now wants it."""
        from opeai_nb.notebook.magic.sweep_cell import sweep_bundle

        return sweep_bundle(sweep, self.look(sweep) or "thumb")

    def show_job(self, job: Any) -> None:
        """Show a job in the cell that runs now, unless its own cell does so already."""
        from opeai_nb.notebook.display.job_view import show_job

        if self.look(job) is None:
            show_job(job, self.frontend, one_slot=self.has_one_display)

    @property
    def request_defaults(self) -> dict[str, Any]:
        """What `%config` says about requests: the fields of a cell that does not set them."""
        set_here = {name: getattr(self, name) for name in _REQUEST_TRAITS}
        return {name: value for name, value in set_here.items() if value not in _NOT_SET}

    def interpolated(self, prompt: str) -> str:
        """Return *prompt* with the user's names filled in."""
        from opeai_nb.notebook.magic.prompt import interpolated

        return interpolated(prompt, self._names)

    def request_of(self, parsed: Parsed, prompt: str) -> ImageRequest:
        """Return the request that a line and a prompt say, with the defaults of `%config`."""
        from opeai_nb.client.values.request import build_request

        if not parsed.cell.get("raw"):
            prompt = self.interpolated(prompt)
        request = build_request(prompt, {**self.request_defaults, **parsed.request})
        _hint(request)
        return request


def _prompt(parsed: Parsed, cell: str | None) -> str:
    if cell is None:
        return parsed.rest.removesuffix(";")  # it silences the output, as everywhere in IPython
    if parsed.rest:
        from opeai_nb.errors import OptionError

        raise OptionError(
            f"The first line of a %%imagine cell holds options only, not {parsed.rest[:60]!r}.",
            advice="Put the prompt into the body, below. Nothing was sent.",
        )
    from opeai_nb.notebook.magic.prompt import without_markers

    return without_markers(cell)


def _hint(request: ImageRequest) -> None:
    from opeai_nb.client.wire.hints import hints

    for hint in hints(request):
        print(f"Note: {hint}", file=sys.stderr)  # noqa: T201  where a cell's warnings stand
