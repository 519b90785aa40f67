"""`python -m opeai_nb batch`: a batch from the command line, with a bar and exit codes."""

from __future__ import annotations

import sys
from argparse import BooleanOptionalAction
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.manifest import NAME
from opeai_nb.errors import InputError, LibraryError, OpeaiError
from opeai_nb.fields import DEFAULT_TIMEOUT, FIELDS, Field

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from opeai_nb.bulk.batch.batch import Batch
    from opeai_nb.bulk.run.progress import Progress

GOOD: Final = 0
SOME_FAILED: Final = 1
WRONG: Final = 2
INTERRUPTED: Final = 130
_MOST_TOLD: Final = 10
_FIELDS: Final = tuple(field for field in FIELDS if field.name != "prompt")

EXIT_CODES: Final = (
    "exit codes: 0 every row has its pictures; 1 some failed, or their outcome is unknown, or a "
    "copy for --mirror could not be made; "
    "2 the input is wrong, and nothing was sent; 130 interrupted: run it again for the rest"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `batch` to *parser*."""
    parser.epilog = EXIT_CODES
    parser.add_argument("source", help="a CSV, TSV or JSONL file; a column for each field")
    parser.add_argument("--out", required=True, metavar="DIR", help="gets pictures and manifest")
    parser.add_argument("--prompt", help='a template for the columns: "a poster of {city}"')
    group = parser.add_argument_group("fields of rows that have none")
    for field in _FIELDS:
        _add_field(group, field)
    parser.add_argument("--concurrency", type=int, default=16, help="requests at once (default 16)")
    parser.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT, help="seconds a task is waited for"
    )
    parser.add_argument("--mirror", metavar="URL", help="gets copies, by fsspec: s3://bucket/path")
    parser.add_argument("--fresh", action="store_true", help="send also what DIR has already")
    parser.add_argument(
        "--send-unknown", action="store_true", help="send again what was cut off in flight before"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the plan and send nothing")
    parser.add_argument("--quiet", action="store_true", help="show no bar")


def _add_field(group: argparse._ArgumentGroup, field: Field) -> None:
    spellings = [spelling for spelling in field.spellings if spelling != field.unset]
    if field.kind == "flag":
        group.add_argument(*spellings, help=field.description, action=BooleanOptionalAction)
        return
    group.add_argument(
        *spellings,
        dest=field.name,
        help=field.description,
        metavar="JSON" if field.kind == "pairs" else field.metavar,
        action="append" if field.kind == "image" else "store",
        type=int if field.kind == "integer" else str,
        choices=field.choices if field.kind == "choice" else None,
    )


def run(options: argparse.Namespace) -> int:
    """Run a batch and return the exit code."""
    try:
        return _run(options)
    except InputError as error:
        _tell(f"opeai_nb batch: {error}")
        return WRONG
    except OpeaiError as error:
        _tell(f"opeai_nb batch: {error}")
        return SOME_FAILED


def _run(options: argparse.Namespace) -> int:
    from opeai_nb.bulk.batch.batch import batch

    fields = {field.name: getattr(options, field.name) for field in _FIELDS}
    rows = batch(
        options.source,
        prompt=options.prompt,
        out=options.out,
        mirror=options.mirror,
        **{name: value for name, value in fields.items() if value is not None},
    )
    if options.dry_run:
        print(f"{rows.table}\nNothing was sent.")  # noqa: T201  a command's output
        return GOOD
    interrupted = _made(rows, options)
    print(f"{rows.summary} · {options.out}")  # noqa: T201  a command's output
    told = [line for line in rows.manifest if line.get("error")]
    for line in told[:_MOST_TOLD]:
        _tell(f"Row {line['row'] + 1}: {line['error']}")
    if more := len(told) - _MOST_TOLD if len(told) > _MOST_TOLD else 0:
        _tell(f"… and {more} more: {options.out}/{NAME}")
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
        _tell("Interrupted: nothing more is sent; waiting for what is under way (Ctrl-C drops it).")
        try:
            running.wait()
        except KeyboardInterrupt:
            _tell("Not waiting: tasks can be resumed by running this again.")
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
        _tell("")
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


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  a command's output
