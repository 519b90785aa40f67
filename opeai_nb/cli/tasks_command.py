"""`python -m opeai_nb tasks`: what is unfinished in the library, and what becomes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED
from opeai_nb.cli.terminal.output import for_shell, say, tell
from opeai_nb.client.values.views.text_output import from_here
from opeai_nb.errors import InputError, OpeaiError
from opeai_nb.printable import escaped_json, printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.library import Entry
    from opeai_nb.studio import Job, Studio

_LONGEST: Final = 64  # letters of a prompt on a line
_WAYS: Final = {
    "wait": "somebody works on it",
    "resume": "resume",
    "send": "forget, or resume ID --send",
    "": "forget",
}
_TICK: Final = 0.25


def run(arguments: Sequence[str]) -> int:
    """List what is unfinished, finish it, or drop one; return the exit code.

    Only `resume ID --send` sends a paid request. Raises `InputError` for words that do not go
    together, `LibraryError` for an id that is not there.
    """
    from opeai_nb.studio import Studio

    options = _parser().parse_args(arguments)
    if (options.send or options.fetch) and not (options.what == "resume" and options.id):
        raise InputError("--send and --fetch are for resume with an ID.", advice="Give it.")
    studio = Studio()
    if options.what == "resume":
        return _resumed(studio, options)
    if options.what == "forget":
        if not options.id:
            raise InputError("Forget which?", advice="Give the ID that `tasks` lists.")
        studio.library.forget(studio.library.entry(options.id))
        tell("Forgotten.")
        return GOOD
    if options.id:
        raise InputError(f"Do what with {options.id!r}?", advice="Write resume ID, or forget ID.")
    return _listed(studio.library.pending(), as_json=options.json)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m opeai_nb tasks",
        description="List the unfinished requests of the library (imagine/, or OPEAI_NB_LIBRARY). "
        "resume finishes all that nothing need be paid for, or the one named; forget drops one.",
    )
    parser.add_argument("what", nargs="?", choices=("list", "resume", "forget"), default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="as it is listed, or its beginning")
    parser.add_argument("--send", action="store_true", help="with an ID: may be paid for again")
    parser.add_argument("--fetch", action="store_true", help="with an ID: download from new hosts")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each listed")
    return parser


def _listed(entries: Sequence[Entry], *, as_json: bool) -> int:
    from opeai_nb.studio.recovery import way_on

    for entry in entries:
        facts = {"id": entry.id, "state": entry.truth, "next": _WAYS[way_on(entry)]}
        facts |= {"model": entry.model, "prompt": entry.prompt}
        if as_json:
            say(escaped_json(json.dumps(facts, ensure_ascii=False)))
        else:
            text = f"{entry.id}  {entry.truth:<15}  {facts['next']:<27}  {entry.model}  "
            say(printable_line(text + entry.prompt[:_LONGEST]))
    if not entries:
        tell("Nothing is pending.")
    return GOOD


def _resumed(studio: Studio, options: Any) -> int:
    if options.id:
        entry = studio.library.entry(options.id)
        jobs = [studio.resume(entry, send=options.send, fetch=options.fetch)]
    else:
        jobs = studio.resume_all()
    failed = sum([not _is_finished(job) for job in jobs])
    left = len(studio.library.pending())
    told = f"{len(jobs) - failed} finished, {left} unfinished."
    tell(told if jobs or left else "Nothing is pending.")
    return SOME_FAILED if failed else GOOD


def _is_finished(job: Job) -> bool:
    """Wait for *job*, and name its pictures, or why there are none."""
    for _ in job.follow(_TICK):
        pass
    try:
        paths = job.result().paths
    except OpeaiError as error:
        tell(printable_line(for_shell(str(error))))
        return False
    for path in paths:
        say(str(from_here(path)))
    return True
