"""`python -m opeai_nb batch status DIR`: how far a batch is, from any terminal, with no key."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.batch.manifest_file import NAME, read_lines
from opeai_nb.bulk.batch.manifest_line import ours
from opeai_nb.bulk.run.counts import Counts
from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED
from opeai_nb.cli.terminal.output import say
from opeai_nb.errors import InputError
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Tell of the last table of a folder; 0 where every row has its pictures, else 1.

    Raises `InputError` for a folder without a manifest.
    """
    parser = CommandParser(
        prog="python -m opeai_nb batch status", description="Say how far the batch of a folder is."
    )
    parser.add_argument("folder", metavar="DIR", help="the folder that was given as --out")
    parser.add_argument("--json", action="store_true", help="as one line of JSON")
    options = parser.parse_args(arguments)
    path = Path(options.folder).expanduser() / NAME
    lines = list(read_lines(path).values())
    if not lines:
        raise InputError(f"{options.folder} has no {NAME}.", advice="Give the folder of a batch.")
    facts = status_of(lines)
    say(json.dumps(facts) if options.json else status_line(facts))
    return GOOD if facts["done"] == facts["rows"] else SOME_FAILED


def status_of(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return counts of the rows of the last table by status, and of the rows of earlier ones."""
    current = [line for line in lines if ours(line, "current") is not False]
    states = Counter(str(ours(line, "status")) for line in current)
    return {
        "rows": len(current),
        **{state: states[state] for state in ("done", "failed", "unknown", "not sent")},
        "pictures": sum(len(ours(line, "files") or ()) for line in current),
        "earlier": len(lines) - len(current),
    }


def status_line(facts: dict[str, Any]) -> str:
    """Return `300 rows · 120 done · 3 failed · 177 not sent`."""
    counts = Counts(
        done=facts["done"],
        failed=facts["failed"],
        unknown=facts["unknown"],
        unsent=facts["not sent"],
    )
    line = counts.line(counted(facts["rows"], "row"))
    earlier = facts["earlier"]
    return f"{line} · {counted(earlier, 'row')} of earlier tables" if earlier else line
