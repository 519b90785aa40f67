"""`python -m opeai_nb doctor`: what is wrong, and what to do about it; nothing is paid."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED
from opeai_nb.printable import escaped_json
from opeai_nb.studio.doctor import examine

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Print a line for each thing that was looked at; return 1 where one of them is wrong."""
    parser = CommandParser(
        prog="python -m opeai_nb doctor",
        description="Look at settings, key, proxy, certificates, platform, library and versions. "
        "No picture is asked for. Exit code 1: something is wrong.",
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects instead")
    parser.add_argument(
        "--timeout", type=float, default=20.0, help="seconds for the platform (default 20)"
    )
    options = parser.parse_args(arguments)
    checkup = examine(timeout=options.timeout)
    if options.json:
        text = json.dumps([asdict(finding) for finding in checkup], ensure_ascii=False)
        print(escaped_json(text))  # noqa: T201  it is what was asked for
    else:
        print(checkup)  # noqa: T201  it is what was asked for
    sys.stdout.flush()
    return GOOD if checkup.is_well else SOME_FAILED
