"""The sub-commands of `%imagine`: words that stand alone, each a small answer."""

from __future__ import annotations

import re
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.errors import OptionError
from opeai_nb.notebook.commands import (
    export_commands,
    kept_commands,
    mark_commands,
    pending_commands,
)
from opeai_nb.notebook.display.table import Table, Text
from opeai_nb.notebook.magic.options import help_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.notebook.session import Session

# An id, or the beginning of one: the journal's are hexadecimal, the platform's have a digit.
_ID = re.compile(rf"[0-9a-f]{{3,}}|\S*\d\S*|{pending_commands.SEND}")
# The path or the name of a file, or an id of a record.
_FILE = re.compile(r".*[./\\].*|[0-9a-f]{4,8}(-\d+)?")
_OPTION = re.compile(r"--[a-z]")  # those of a prompt stand in front of it
# An id, also of one of its pictures, an option, or the file of a picture: no word of a prompt.
_ARGUMENT = re.compile(
    rf"(?=\w*\d)[0-9a-f]{{4,}}(?:-\d+)?|{pending_commands.SEND}|\S+\.(?:png|jpe?g|webp)"
)
_OTHERWISE: Final = {
    **dict.fromkeys(("delete", "remove", "rm", "trashed"), "trash"),
    **dict.fromkeys(("undo", "undelete", "untrash"), "restore"),
    **dict.fromkeys(("starred", "favorite", "favourite"), "star"),
    **dict.fromkeys(("list", "ls", "search", "find"), "history"),
    "tagged": "tag",
}
"""What people say where a command has another name."""


def command_in(line: str) -> Callable[[Session], Any] | None:
    """Return the command that *line* names, ready to run; None when it names none.

    Raises `OptionError` when a command's word is followed by anything but its own arguments, and
    for a near miss of one: it may be a prompt, and says how to write that.
    """
    words = line.split()
    if not words:
        return None
    name, arguments = words[0], words[1:]
    command = COMMANDS.get(name)
    if command is None:
        if meant := _meant(name, arguments):
            raise _no_prompt(f"{name!r} looks like the command {meant!r}.", meant, line)
        return None
    if not command.least <= len(arguments) <= command.most or not command.fits(arguments):
        raise _no_prompt(f"{name!r} is a command of %imagine.", name, line)
    return lambda session: command.run(session, *arguments)


def _no_prompt(message: str, name: str, line: str) -> OptionError:
    usage = f"%imagine {name} {COMMANDS[name].arguments}".rstrip()
    # What stands behind `key` may be one, and would then be in the notebook twice.
    prompt = "key …" if name == "key" else line.strip()
    advice = f"The command: {usage}. As a prompt: %imagine -- {prompt}. Nothing was sent."
    return OptionError(message, advice=advice)


def _meant(word: str, arguments: Sequence[str]) -> str | None:
    """Return the command that *word* is a near miss of, where a prompt is unlikely.

    A word alone is near with one slip of the keys, or where the command has another name. With
    more words it begins a prompt (`task force at dawn`), unless two of its letters are swapped,
    only a command has such a word behind it, or it is a command that takes any words, which no
    ordinary word is near to (`histry fox`).
    """
    near = next((name for name in COMMANDS if _is_one_slip(word.lower(), name)), None)
    if near is None:
        other = _OTHERWISE.get(word.lower())
        return other if not arguments or _ARGUMENT.fullmatch(arguments[0]) else None
    if not arguments:
        return near
    is_swapped = len(word) == len(near) and sorted(word) == sorted(near)
    is_free = COMMANDS[near].arguments == kept_commands.HISTORY
    has_option = _OPTION.match(arguments[0]) is not None
    has_id = _ARGUMENT.fullmatch(arguments[0]) is not None
    return near if is_swapped or is_free or has_option or has_id else None


def _is_one_slip(word: str, name: str) -> bool:
    """Tell whether one letter lacks, is too many or is another, or two neighbours are swapped."""
    pairs = zip(word, name, strict=False)
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    a, b = word[start:], name[start:]
    swapped = a[1::-1] + a[2:]
    return b in {a, a[1:], swapped} or a == b[1:] or (a[1:] == b[1:] and bool(a and b))


def usage() -> str:
    """Return how the magic is used: for `%imagine help`, `--help` and `%%imagine?`."""
    import textwrap

    commands = " | ".join(f"{name} {it.arguments}".rstrip() for name, it in COMMANDS.items())
    listed = textwrap.fill(f"%imagine {commands}", 96, subsequent_indent=" " * 9)
    return f"""Generate images from a prompt, through the OPE.AI platform or the embedded engine.

%%imagine [options]            the prompt is the body of the cell, below
%imagine [options] PROMPT      a short prompt, on the line itself
{listed}

In a prompt, {{name}} is filled in from the notebook; {{{{name}}}} and --raw keep the braces. An
option's value may be a variable: -n $count, -i photo. Defaults: %config Imagine.model = "…".

{help_text()}"""


def _help(_: Session) -> Text:
    """Show the options and the commands."""
    return Text(usage())


def _config(session: Session) -> Table:
    """List the settings, their values and where they come from."""
    from opeai_nb.notebook.commands.config_commands import rows

    found = rows(session)
    note = "%config Imagine says what each setting does, and changes it."
    return Table(("setting", "value", "from"), found, items=found, note=note)


def _doctor(session: Session) -> Table:
    """Look at all that a picture depends on; nothing is paid."""
    from opeai_nb.notebook.commands.config_commands import doctor

    return doctor(session)


def _key(_: Session) -> Text:
    """Ask for the API key without showing it; an empty answer forgets it."""
    from opeai_nb.notebook.commands.config_commands import ask_for_key

    return Text(ask_for_key())


def _version(_: Session) -> Text:
    """Tell the version of the package."""
    from opeai_nb._version import __version__

    return Text(f"opeai_nb {__version__}")


def _models(session: Session) -> Table:
    """List the models, how they answer and what they take."""
    listed = session.studio.models()
    session.models = [model.id for model in listed]
    rows = [(model.id, _answers(model.async_only), model.description or "") for model in listed]
    return Table(("model", "answers", "what it takes"), rows, items=listed)


def _presets(session: Session) -> Table:
    """List the presets: what each does to a prompt, its options, and the file of them all."""
    from opeai_nb.presets.preset import summary

    presets = session.studio.presets
    rows = [(each.name, each.prompt or "", each.option_text) for each in presets.values()]
    note = summary(presets, session.studio.settings.prices)
    return Table(("preset", "prompt", "options"), rows, items=list(presets.values()), note=note)


def _answers(async_only: bool | None) -> str:
    return {True: "as a task (slower)", False: "immediately", None: ""}[async_only]


def _panel(session: Session) -> Any:
    """Open the panel."""
    from opeai_nb.notebook.panel.panel import panel_on

    return panel_on(session)


class Command(NamedTuple):
    """What a word does: *run* gets the session and the words behind, *least* to *most* of them."""

    run: Callable[..., Any]
    arguments: str = ""
    least: int = 0
    most: float = 0

    def fits(self, words: Sequence[str]) -> bool:
        """Tell whether *words* may be ids or a file, where these are asked for.

        `stop sign`, `info desk` and `export of tea` are prompts.
        """
        if self.arguments == export_commands.EXPORT:
            return export_commands.is_asked_by(words)
        if self.arguments == "FILE":
            return _FILE.fullmatch(" ".join(words)) is not None
        ids = words[:1] if "WORDS" in self.arguments else words
        return "ID" not in self.arguments or all(map(_ID.fullmatch, ids))


COMMANDS: Final[Mapping[str, Command]] = {
    "help": Command(_help),
    "models": Command(_models),
    "presets": Command(_presets),
    "config": Command(_config),
    "key": Command(_key),
    "doctor": Command(_doctor),
    "version": Command(_version),
    "panel": Command(_panel),
    "tasks": Command(pending_commands.tasks),
    "resume": Command(
        pending_commands.resume, f"[ID] [{pending_commands.SEND}] [{pending_commands.FETCH}]", 0, 3
    ),
    "stop": Command(pending_commands.stop, "ID", 1, 1),
    "forget": Command(pending_commands.forget, "ID", 1, 1),
    "info": Command(kept_commands.info, "FILE", 1, inf),
    "history": Command(kept_commands.history, kept_commands.HISTORY, 0, inf),
    "export": Command(export_commands.export, export_commands.EXPORT, 1, inf),
    "star": Command(mark_commands.star, "ID", 1, inf),
    "unstar": Command(mark_commands.unstar, "ID", 1, inf),
    "tag": Command(mark_commands.tag, "ID WORDS", 2, inf),
    "untag": Command(mark_commands.untag, "ID WORDS", 2, inf),
    "note": Command(mark_commands.note, "ID [WORDS]", 1, inf),
    "trash": Command(mark_commands.trash, "ID", 1, inf),
    "restore": Command(mark_commands.restore, "ID", 1, inf),
    "usage": Command(kept_commands.usage, kept_commands.USAGE, 0, inf),
}
