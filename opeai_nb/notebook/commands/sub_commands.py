"""The sub-commands of `%imagine`: words that stand alone, each a small answer."""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.errors import OptionError
from opeai_nb.notebook.commands import library_commands
from opeai_nb.notebook.display.table import Table
from opeai_nb.notebook.magic.options import help_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client import ImageRequest
    from opeai_nb.notebook.magic.imagine import Imagine
    from opeai_nb.studio import Studio


class Text:
    """What a command answers: shown as it is, and the same string for whoever wants it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def command_in(line: str) -> Callable[[Imagine], Any] | None:
    """Return the command that *line* names, ready to run; None when it names none.

    Raises `OptionError` when a command's word is followed by anything but its own arguments: it
    may be a prompt, and says how to write that.
    """
    words = line.split()
    if not words or words[0] not in COMMANDS:
        return None
    name, arguments = words[0], words[1:]
    command = COMMANDS[name]
    if not command.least <= len(arguments) <= command.most:
        usage = f"%imagine {name} {command.arguments}".rstrip()
        # What stands behind `key` may be one, and would then be in the notebook twice.
        prompt = "key …" if name == "key" else line.strip()
        raise OptionError(
            f"{name!r} is a command of %imagine.",
            advice=f"The command: {usage}. If it begins a prompt: %imagine -- {prompt}",
        )
    return lambda magic: command.run(magic, *arguments)


def usage() -> str:
    """Return how the magic is used: for `%imagine help`, `--help` and `%%imagine?`."""
    import textwrap

    commands = " | ".join(f"{name} {it.arguments}".rstrip() for name, it in COMMANDS.items())
    listed = textwrap.fill(f"%imagine {commands}", 96, subsequent_indent=" " * 9)
    return f"""Generate images from a prompt, through the OPE.AI platform or the embedded engine.

%%imagine [options]            the prompt stands below, in the body of the cell
%imagine [options] PROMPT      a short prompt, on the line itself
{listed}

In a prompt, {{name}} is filled in from the notebook; {{{{name}}}} and --raw keep the braces. An
option's value may be a variable: -n $count, -i photo. Defaults: %config Imagine.model = "…".

{help_text()}"""


def _help(_: Imagine) -> Text:
    return Text(usage())


def _config(magic: Imagine) -> Table:
    from opeai_nb.notebook.commands.config import rows

    found = rows(magic)
    return Table(("setting", "value", "from"), found, items=found)


def _key(_: Imagine) -> Text:
    from opeai_nb.notebook.commands.config import ask_for_key

    return Text(ask_for_key())


def _version(_: Imagine) -> Text:
    from opeai_nb import __version__

    return Text(f"opeai_nb {__version__}")


def _models(magic: Imagine) -> Table:
    listed = magic.studio.models()
    magic.models_told = [model.id for model in listed]
    rows = [(model.id, _answers(model.async_only), model.description or "") for model in listed]
    return Table(("model", "answers", ""), rows, items=listed)


def _answers(async_only: bool | None) -> str:
    return {True: "with a task", False: "at once", None: ""}[async_only]


def _panel(_: Imagine) -> Any:
    from opeai_nb.notebook.panel.open_panel import panel

    return panel()


class Command(NamedTuple):
    """What a word does: *run* gets the magic and the words behind, *least* to *most* of them."""

    run: Callable[..., Any]
    arguments: str = ""
    least: int = 0
    most: float = 0


COMMANDS: Final[Mapping[str, Command]] = {
    "help": Command(_help),
    "models": Command(_models),
    "config": Command(_config),
    "key": Command(_key),
    "version": Command(_version),
    "panel": Command(_panel),
    "tasks": Command(library_commands.tasks),
    "resume": Command(library_commands.resume, f"[ID] [{library_commands.SEND}]", 0, 2),
    "stop": Command(library_commands.stop, "ID", 1, 1),
    "forget": Command(library_commands.forget, "ID", 1, 1),
    "info": Command(library_commands.info, "FILE", 1, inf),
    "history": Command(library_commands.history, "[WORDS]", 0, inf),
    "usage": Command(library_commands.usage),
}


def dry_run(request: ImageRequest, studio: Studio) -> Text:
    """Return the exact JSON that would be sent, where to, and how many pictures it asks for."""
    url, body = studio.preview(request)
    shown = json.dumps(_shortened(body), indent=2, ensure_ascii=False)
    count = request.n or 1
    pictures = f"{count} picture{'s' * (count != 1)}"
    return Text(f"POST {url}\n{shown}\n1 request, {pictures}. Nothing was sent.")


def _shortened(value: Any) -> Any:
    """Return *value* with the base64 of input pictures cut: nobody reads megabytes."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:40]}… ({len(value)} characters)"
    return value
