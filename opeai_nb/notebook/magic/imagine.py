"""`%%imagine`: a door. Its traits are what `%config` sets; it parses, and makes one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Unicode, Union

from opeai_nb.fields import CONFIRM_ABOVE, DEFAULT_MODEL, DEFAULT_TIMEOUT
from opeai_nb.notebook.magic.cell_transform import DROPPED
from opeai_nb.notebook.session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from opeai_nb.notebook.magic.line import Parsed


def _usage() -> str:
    from opeai_nb.notebook.commands import usage

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
    save = Unicode(
        "", help="a folder that gets copies of the pictures, or a template; empty: none"
    ).tag(config=True)
    quiet = Bool(False, help="show no badge").tag(config=True)
    replay = Bool(True, help="show what the library has instead of paying again").tag(config=True)
    metadata = Bool(True, help="embed the request in the picture files").tag(config=True)
    max_images_per_session = Int(
        0,
        min=0,
        help="how many pictures are asked for before somebody has to agree; 0: any number",
    ).tag(config=True)
    prices = Union(
        (Unicode(), Dict()),
        default_value="",
        help="your prices and presets: a TOML file, or the same as a dict; empty: the environment",
    ).tag(config=True)
    max_cost_per_session = Unicode(
        "", help="what may be spent, by your prices, before somebody has to agree; empty: any"
    ).tag(config=True)
    confirm_above = Int(
        CONFIRM_ABOVE, help="sweeps of more pictures than this ask before they send"
    ).tag(config=True)
    engine = Enum(
        ("", "auto", "always", "never"), "", help="the embedded engine; empty: the environment"
    ).tag(config=True)
    base_url = Unicode("", help="where requests go; empty: the environment").tag(config=True)
    library = Unicode("", help="the library's folder; empty: imagine/ beside the notebook").tag(
        config=True
    )
    subfolders = Enum(
        ("", "auto", "always", "never"),
        "",
        help="new pictures in sub-folders of the library by date; empty: the environment",
    ).tag(config=True)
    allow_hosts = List(Unicode(), help="private hosts to download pictures from").tag(config=True)

    def __init__(self, shell: InteractiveShell, **options: Any) -> None:
        super().__init__(shell, **options)
        self.session = Session(shell, self)

    def update_config(self, config: Config) -> None:
        """Take what `%config Imagine.…` says, or remember why not: IPython only prints it.

        Raises `TraitError` for a wrong value and for an unknown setting.
        """
        unknown = sorted(config.get("Imagine", {}).keys() - self.traits(config=True).keys())
        try:
            super().update_config(config)
            if unknown:
                from opeai_nb.errors import did_you_mean

                hint = did_you_mean(unknown[0], self.traits(config=True))
                raise TraitError(f"There is no setting {unknown[0]!r}.{hint}")
        except TraitError as error:
            self.session.refuse_config(str(error))
            raise

    # What stands behind {braces} is filled in by us, in the prompt alone and in one pass.
    @no_var_expand
    @line_cell_magic
    def imagine(self, line: str, cell: str | None = None) -> Any:
        """Generate images from a prompt; `%imagine help` lists options and commands."""
        if cell is not None or not line.endswith(DROPPED):
            return self._run(line, cell)
        from opeai_nb.notebook.display.badge_display import show_value

        # What Python drops is shown here: a picture that is paid for is to be seen.
        return show_value(self._run(line.removesuffix(DROPPED), None))

    imagine.getdoc = _usage  # type: ignore[union-attr]  # where IPython's `?` looks first

    def _run(self, line: str, cell: str | None) -> Any:
        # What a first run needs is imported by it: `%load_ext` stays cheap.
        from opeai_nb.notebook.commands import command_in
        from opeai_nb.notebook.display.watch import tell_notes
        from opeai_nb.notebook.magic import json_cell, run_cell, sweep_cell
        from opeai_nb.notebook.magic.cell_dependencies import recipe
        from opeai_nb.notebook.magic.line import parse
        from opeai_nb.notebook.magic.prompt import likely_mistakes
        from opeai_nb.notebook.magic.variables import names_here

        if cell is None and (command := command_in(line)) is not None:
            return command(self.session)
        self.session.check_config()
        names = names_here(self.session.names)
        parsed = parse(line, names)
        if parsed.cell.get("help"):
            print(_usage())  # noqa: T201  help is what was asked for
            return None
        prompt = _prompt(parsed, cell)
        if not parsed.is_literal:
            tell_notes(likely_mistakes(prompt, names, is_cell=cell is not None))
        run = sweep_cell.run if sweep_cell.is_sweep(parsed, prompt) else run_cell.run
        made_of = recipe(parsed, prompt, names, lambda: self.session.studio.presets)
        if parsed.cell.get("json"):
            return json_cell.run(run, self.session, parsed, prompt, names)
        result = run(self.session, parsed, prompt, names)
        if names is self.session.names:  # a function's own are gone when it has returned
            self.session.made(result, made_of)
        return result


def _prompt(parsed: Parsed, cell: str | None) -> str:
    if cell is None:
        return parsed.rest
    if parsed.rest:
        from opeai_nb.errors import OptionError

        raise OptionError(
            f"The first line of a %%imagine cell holds options only, not {parsed.rest[:60]!r}.",
            advice="Put the prompt into the body, below. Nothing was sent.",
        )
    from opeai_nb.notebook.magic.prompt import without_markers

    return without_markers(cell)
