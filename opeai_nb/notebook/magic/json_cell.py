"""A cell with `--json`: lines of JSON for a program, in place of a badge and pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opeai_nb.client.values.result_json import error_json, generation_json, print_json
from opeai_nb.errors import OpeaiError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.bulk import Sweep
    from opeai_nb.client import Generation
    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.notebook.session import Session

    Run = Callable[[Session, Parsed, str, Mapping[str, Any]], Any]


def run(how: Run, session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]) -> Any:
    """Run a cell as *how* does, and print a line for each request: what it made, or its error.

    Returns what `--dry-run` shows, else None: the lines are all that the cell outputs, and `-o`
    names the result. Raises the cell's error after its line is printed, and `OptionError` for a
    cell that does not wait, which has nothing to tell yet.
    """
    if parsed.cell.get("no_wait"):
        raise OptionError(
            "--json tells what came, and --no-wait does not wait for it.",
            advice="Leave one of them out. Nothing was sent.",
        )
    quiet = replace(parsed, cell={**parsed.cell, "quiet": True, "show": "none"})
    try:
        result = how(session, quiet, prompt, names)
    except OpeaiError as error:
        model = parsed.request.get("model") or session.request_defaults.get("model")
        print_json(error_json(prompt.strip(), model, error))
        raise
    if parsed.cell.get("dry_run"):
        return result
    for line in _lines(result):
        print_json(line)
    return None


def _lines(result: Generation | Sweep) -> list[dict[str, Any]]:
    from opeai_nb.client import Generation

    if isinstance(result, Generation):
        return [generation_json(result)]
    lines = []
    for point in result.plan:
        outcome = result.outcomes[point.number]
        if outcome.generation is not None:
            lines.append(generation_json(outcome.generation))
        elif outcome.error is not None:
            lines.append(error_json(point.request.prompt, point.request.model, outcome.error))
    return lines
