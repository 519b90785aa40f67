"""`%%imagine`: a door. It parses, makes one call, shows, and stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic import output_can_be_silenced as silenceable
from traitlets import Bool, Enum, Float, Int, List, Unicode

from opeai_nb.errors import OptionError
from opeai_nb.notebook import commands
from opeai_nb.notebook.frontend import cell_id, frontend, notebook_folder, run_id
from opeai_nb.notebook.options import Parsed, help_text, parse
from opeai_nb.notebook.prompt import interpolated, without_markers

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from opeai_nb.client import ImageRequest
    from opeai_nb.library import Slot
    from opeai_nb.studio import Studio

_NOT_SET = ("", 0, None)


@magics_class
class Imagine(Magics):
    """Generate images. Set defaults with `%config Imagine.model = "…"`."""

    model = Unicode("", help="the model; empty: qwen-image-2.0").tag(config=True)
    size = Unicode("", help="such as 1024x1024 or 16:9; empty: the platform's default").tag(
        config=True
    )
    quality = Unicode("", help="passed to the model; empty: not sent").tag(config=True)
    n = Int(0, help="how many pictures; 0: the platform's default").tag(config=True)
    timeout = Float(900.0, help="how long a task is waited for, in seconds").tag(config=True)
    show = Enum(("thumb", "full", "none"), "thumb", help="how results are shown").tag(config=True)
    replay = Bool(True, help="show what the library has instead of paying again").tag(config=True)
    engine = Enum(
        ("", "auto", "always", "never"), "", help="the embedded engine; empty: the environment"
    ).tag(config=True)
    library = Unicode("", help="the library's folder; empty: imagine/ beside the notebook").tag(
        config=True
    )
    allow_hosts = List(Unicode(), help="private hosts to download pictures from").tag(config=True)

    def __init__(self, shell: InteractiveShell, **options: Any) -> None:
        super().__init__(shell, **options)
        self._names: dict[str, Any] = shell.user_ns
        self._folder = notebook_folder(shell)
        self._studio: tuple[Any, Studio] | None = None
        self._run: tuple[str, int] = ("", 0)

    # What stands behind {braces} is filled in by us, in the prompt alone and in one pass.
    @no_var_expand
    @silenceable
    @line_cell_magic
    def imagine(self, line: str, cell: str | None = None) -> Any:
        """Generate images from the prompt in the cell, or from the words behind the options.

        %%imagine [options]          %imagine [options] a short prompt
        the prompt                   %imagine help | models | tasks | resume ID | version
        """
        if cell is None and (command := commands.command_in(line)) is not None:
            return command(self)
        parsed = parse(line, self._names)
        if parsed.cell.get("help"):
            print(help_text())  # noqa: T201  help is what was asked for
            return None
        request = self.request_of(parsed, cell)
        if parsed.cell.get("dry_run"):
            return commands.dry_run(request, self.studio)
        from opeai_nb.notebook.running import run

        return run(self, request, {"timeout": self.timeout, "show": self.show, **parsed.cell})

    # -- for whoever runs a request

    @property
    def studio(self) -> Studio:
        """The studio for the settings as they are now; a changed setting makes a new one."""
        from opeai_nb.settings import settings
        from opeai_nb.studio import Studio

        now = settings(
            engine=self.engine or None,
            library=self.library or None,
            allow_hosts=self.allow_hosts or None,
            replay=self.replay,
        )
        if not now.library.is_absolute():
            from dataclasses import replace

            now = replace(now, library=self._folder / now.library)
        if self._studio is None or self._studio[0] != now:
            self._studio = (now, Studio(now))
        return self._studio[1]

    @property
    def frontend(self) -> Any:
        """Who looks at the output of this cell."""
        return frontend(self.shell)

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

    def request_of(self, parsed: Parsed, cell: str | None) -> ImageRequest:
        """Return the request that a line and a body say, with the defaults of `%config`."""
        from opeai_nb.client.request import build_request

        name = parsed.cell.get("out")
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise OptionError(f"-o {name!r} is no name of a variable.", advice="Nothing was sent.")
        prompt = _prompt(parsed, cell)
        if not parsed.cell.get("raw"):
            prompt = interpolated(prompt, self._names)
        set_here = {name: getattr(self, name) for name in ("model", "size", "quality", "n")}
        defaults = {name: value for name, value in set_here.items() if value not in _NOT_SET}
        request = build_request(prompt, {**defaults, **parsed.request})
        _hint(request)
        return request


def _prompt(parsed: Parsed, cell: str | None) -> str:
    if cell is None:
        return parsed.rest
    if parsed.rest:
        raise OptionError(
            f"The first line of a %%imagine cell holds options only, not {parsed.rest[:60]!r}.",
            advice="Put the prompt into the body, below. Nothing was sent.",
        )
    return without_markers(cell)


def _hint(request: ImageRequest) -> None:
    from opeai_nb.client.hints import hints

    for hint in hints(request):
        print(f"Note: {hint}", file=sys.stderr)  # noqa: T201  where a cell's warnings stand
