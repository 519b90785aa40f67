"""`python -m opeai_nb presets`: the user's presets, each with its words and its options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD
from opeai_nb.cli.terminal.output import say, tell
from opeai_nb.presets.preset import summary
from opeai_nb.printable import escaped_json, printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Print a line for each preset, and the file of them all on standard error.

    Raises `OptionError` for a file that cannot be read, or that holds a preset which cannot be.
    """
    from opeai_nb.studio import Studio

    parser = CommandParser(
        prog="python -m opeai_nb presets",
        description="List the presets of OPEAI_NB_PRICES: name, prompt and options.",
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON for each instead")
    options = parser.parse_args(arguments)
    studio = Studio()
    presets = studio.presets
    width = max(map(len, presets), default=0)
    for each in presets.values():
        if options.json:
            facts = {"name": each.name, "prompt": each.prompt, "options": dict(each.fields)}
            say(escaped_json(json.dumps(facts, ensure_ascii=False, default=str)))
        else:
            words = "  ".join(filter(None, (each.prompt, each.option_text)))
            say(printable_line(f"{each.name:<{width}}  {words}").rstrip())
    tell(summary(presets, studio.settings.prices))
    return GOOD
