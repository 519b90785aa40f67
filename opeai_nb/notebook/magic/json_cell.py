"""A cell with `--json`: lines of JSON for a program, in place of a badge and pictures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opeai_nb.client.values.views.result_json import error_json, generation_json, print_json
from opeai_nb.errors import OpeaiError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from opeai_nb.bulk import Sweep
    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.notebook.session import Session

    Run = Callable[[Session, Parsed, str, Mapping[str, Any]], Any]


def run(how: Run, session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]) -> Any:
    """Run a cell as *how* does, and print a line for each request: what it made, or its error.

    Returns what `--dry-run` shows, else None: the lines are all that the cell outputs, and `-o`
    names the result. The lines are those of the command line, the copies of `--save` in them.
    Raises the first error, after its line, where every line tells of one (a copy that could not be
    written is one, too), and `OptionError` for a cell that does not wait: it has nothing to tell.
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
    target = session.cell_options(parsed.cell).get("save")
    errors = [_tell(made, is_copied=bool(target)) for made in _each(result, target)]
    if errors[0] is not None and all(errors):
        raise errors[0]
    return None


class _Made(NamedTuple):
    """What became of a request, and what writes the copies of its pictures."""

    request: ImageRequest
    generation: Generation | None
    error: OpeaiError | None
    save: Callable[[], list[Path]]


def _each(result: Generation | Sweep, target: Any) -> Iterator[_Made]:
    from opeai_nb.client import Generation

    if isinstance(result, Generation):
        yield _Made(result.request, result, None, partial(result.save, target, metadata=True))
        return
    for point in result.plan:
        outcome = result.outcome(point)
        save = partial(result.save_point, point, target, metadata=True)
        yield _Made(point.request, outcome.generation, outcome.error, save)


def _tell(made: _Made, *, is_copied: bool) -> OpeaiError | None:
    """Write the copies, print the line, and return the error that it tells of."""
    error = made.error
    if made.generation is not None:
        try:
            copies = made.save() if is_copied else None
        except OpeaiError as refusal:
            error = refusal
        else:
            print_json(generation_json(made.generation, copies))
    if error is not None:
        print_json(error_json(made.request.prompt, made.request.model, error, made.generation))
    return error
