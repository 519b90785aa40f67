"""`python -m opeai_nb batch`: a batch from the command line, with a bar and exit codes."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.manifest import NAME, ours
from opeai_nb.cli.command_parser import CommandParser
from opeai_nb.cli.exit_codes import GOOD, INTERRUPTED, SOME_FAILED
from opeai_nb.cli.main import tell
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.fields import DEFAULT_TIMEOUT, FIELDS, Field
from opeai_nb.notebook.magic.line import json_or_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opeai_nb.bulk.batch.batch import Batch
    from opeai_nb.bulk.run.progress import Progress

_MOST_TOLD: Final = 10
_FIELDS: Final = tuple(field for field in FIELDS if field.name != "prompt")

EXIT_CODES: Final = (
    "exit codes: 0 every row has its pictures; 1 some failed, or their outcome is unknown, or a "
    "copy for --mirror could not be made; "
    "2 the input is wrong, and nothing was sent; 130 interrupted: run it again for the rest"
)


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments."""
    made = CommandParser(
        prog="python -m opeai_nb batch",
        description="Make the pictures of a file, a row each; run it again for what is missing.",
        epilog=EXIT_CODES,
    )
    made.add_argument("source", help="a CSV, TSV or JSONL file; a column for each field")
    made.add_argument("--out", required=True, metavar="DIR", help="gets pictures and manifest")
    made.add_argument("--prompt", help='a template for the columns: "a poster of {city}"')
    group = made.add_argument_group("fields of rows that have none")
    for field in _FIELDS:
        _add_field(group, field)
    made.add_argument("--concurrency", type=int, default=16, help="requests at once (default 16)")
    made.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT, help="seconds a task is waited for"
    )
    made.add_argument("--mirror", metavar="URL", help="gets copies, by fsspec: s3://bucket/path")
    made.add_argument("--fresh", action="store_true", help="send also what DIR has already")
    made.add_argument(
        "--send-unknown", action="store_true", help="send again what was cut off in flight before"
    )
    made.add_argument("--dry-run", action="store_true", help="show the plan and send nothing")
    made.add_argument("--yes", action="store_true", help="exceed the session's limit of pictures")
    made.add_argument("--quiet", action="store_true", help="show no bar")
    return made


def fields_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that were set on the command line."""
    values = {field.name: getattr(options, field.name) for field in _FIELDS}
    if values["extra"] is not None:
        values["extra"] = {key: json_or_text(text) for key, text in values["extra"]}
    return {name: value for name, value in values.items() if value is not None}


def _add_field(group: argparse._ArgumentGroup, field: Field) -> None:
    spellings = [spelling for spelling in field.spellings if spelling != field.unset]
    if field.kind == "flag":
        group.add_argument(
            *spellings, help=field.description, action=argparse.BooleanOptionalAction
        )
        return
    metavar = tuple(field.metavar.split())
    group.add_argument(
        *spellings,
        dest=field.name,
        help=field.description,
        metavar=metavar if len(metavar) > 1 else field.metavar,
        nargs=len(metavar) if len(metavar) > 1 else None,
        action="append" if field.may_repeat else "store",
        type=int if field.kind == "integer" else str,
        choices=field.choices if field.kind == "choice" else None,
    )


def run(arguments: Sequence[str]) -> int:
    """Run a batch and return the exit code. Raises `InputError` for what cannot be sent."""
    return _run(parser().parse_args(arguments))


def _run(options: argparse.Namespace) -> int:
    from opeai_nb.bulk.batch.batch import batch

    rows = batch(
        options.source,
        prompt=options.prompt,
        out=options.out,
        mirror=options.mirror,
        **fields_of(options),
    )
    if options.dry_run:
        print(f"{rows.table}\nNothing was sent.")  # noqa: T201  a command's output
        return GOOD
    interrupted = _made(rows, options)
    print(f"{rows.summary} · {options.out}")  # noqa: T201  a command's output
    told = [line for line in rows.manifest if ours(line, "error")]
    for line in told[:_MOST_TOLD]:
        tell(f"Row {ours(line, 'row')}: {ours(line, 'error')}")
    if more := len(told) - _MOST_TOLD if len(told) > _MOST_TOLD else 0:
        tell(f"… and {more} more: {options.out}/{NAME}")
    if interrupted:
        return INTERRUPTED
    progress = rows.progress
    good = progress is not None and progress.done + progress.replayed == progress.total
    return GOOD if good and not told else SOME_FAILED  # a copy that could not be made is told, too


def _made(rows: Batch, options: argparse.Namespace) -> bool:
    """Run the batch with a bar; tell whether it was interrupted."""
    try:
        running = rows.start(
            concurrency=options.concurrency,
            timeout=options.timeout,
            fresh=options.fresh,
            beyond_limit=options.yes,
            send_unknown=options.send_unknown,
        )
    except LibraryError as error:
        raise InputError(error.message, advice="Give another --out. Nothing was sent.") from error
    try:
        with _bar(len(rows.plan), quiet=options.quiet) as show:
            for progress in running.follow(tick=0.5):
                show(progress)
    except KeyboardInterrupt:
        running.halt()
        tell("Interrupted: nothing more is sent; waiting for what is under way (Ctrl-C drops it).")
        try:
            running.wait()
        except KeyboardInterrupt:
            tell("Not waiting: tasks can be resumed by running this again.")
        return True
    finally:
        rows.close()
    return False


@contextmanager
def _bar(total: int, *, quiet: bool) -> Iterator[Callable[[Progress], object]]:
    """Yield what shows progress: tqdm's bar where it is there, else a line, on standard error."""
    if quiet:
        yield lambda _: None
        return
    try:
        from tqdm import tqdm  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there
    except ImportError:
        yield _line if sys.stderr.isatty() else lambda _: None
        tell("")
        return
    with tqdm(total=total, unit="row", dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            bar.set_postfix(_postfix(progress), refresh=False)
            bar.update(progress.settled - bar.n)

        yield show


def _postfix(progress: Progress) -> dict[str, Any]:
    counts = {"failed": progress.failed, "unknown": progress.unknown, "kept": progress.replayed}
    return {name: count for name, count in counts.items() if count}


def _line(progress: Progress) -> None:
    sys.stderr.write(f"\r\x1b[K{progress.line()}")
    sys.stderr.flush()
