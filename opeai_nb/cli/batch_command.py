"""`python -m opeai_nb batch`: a batch from the command line, with a bar and exit codes."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.cli.batch_report import Log, reasons, write_errors
from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD, INTERRUPTED, SOME_FAILED
from opeai_nb.cli.terminal.output import say, tell
from opeai_nb.cli.terminal.stop_signals import exit_code, no_interrupts, stop_signals
from opeai_nb.client.values.words import WORDS
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.fields import CONFIRM_ABOVE, DEFAULT_TIMEOUT, FIELDS, Field
from opeai_nb.notebook.magic.confirm import confirm, is_agreed
from opeai_nb.notebook.magic.line import json_or_text
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opeai_nb.bulk.batch.batch import Batch
    from opeai_nb.bulk.run.progress import Progress
    from opeai_nb.bulk.run.run import Run

DONE: Final = ".done"
_LAST_SECONDS: Final = 20.0  # systemd and Slurm kill 30 to 90 s after they asked
_FIELDS: Final = tuple(field for field in FIELDS if field.name != "prompt")

EXIT_CODES: Final = (
    "exit codes: 0 every row has its pictures; 1 some failed, or their outcome is unknown, or a "
    "copy for --mirror could not be made; "
    "2 the input is wrong, and nothing was sent; 130 interrupted, 143 and 129 ended by SIGTERM and "
    "SIGHUP: run it again for the rest. DIR/.done is written on 0 alone, for make and Snakemake. "
    "`batch status DIR` says how far it is."
)


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments."""
    made = CommandParser(
        prog="python -m opeai_nb batch",
        description="Make the pictures of a file, a row each; run it again for what is missing.",
        epilog=EXIT_CODES,
    )
    _add_rows(made.add_argument)
    group = made.add_argument_group("fields of rows that have none")
    for field in _FIELDS:
        _add_field(group, field)
    group.add_argument("--preset", metavar="NAME", help="options and words of your own")
    _add_run(made.add_argument)
    _add_report(made.add_argument)
    return made


def _add_rows(add: Callable[..., object]) -> None:
    """Add what says which rows there are."""
    add("source", help="a CSV, TSV, Excel or JSONL file; a column for each field")
    add("--out", required=True, metavar="DIR", help="gets pictures and manifest")
    add("--prompt", help='a template for the columns: "a poster of {city}"')
    add("--key", metavar="COLUMN", help="names rows: pictures follow it (sku)")
    add(
        "--field-columns",
        metavar="A,B",
        action="append",
        help="the columns that are sent as fields, or none (default: all that are named so)",
    )
    add("--file", metavar="TEMPLATE", help="names pictures of rows without `file`: {sku}-{n}.png")
    add("--only", metavar="KEY", action="append", help="these rows alone")


def _add_run(add: Callable[..., object]) -> None:
    """Add how they are sent."""
    add("--concurrency", type=int, default=16, help="requests at once (default 16)")
    add("--timeout", type=float, default=DEFAULT_TIMEOUT, help="seconds a task is waited for")
    add(
        "--max-wait",
        type=float,
        default=BulkOptions.max_wait,
        metavar="SECONDS",
        help="how long a pause that the platform asks for, or an outage, is waited for "
        f"(default {BulkOptions.max_wait:.0f})",
    )
    for name in WORDS:
        add(
            f"--{name}", metavar="TEXT", help=f"{name} of rows that have none: a poster of {{city}}"
        )
    add("--mirror", metavar="URL", help="gets copies, by fsspec: s3://bucket/path")
    add("--fresh", action="store_true", help="send also what DIR has already")
    add("--send-unknown", action="store_true", help="send again what was cut off in flight before")
    add("--dry-run", action="store_true", help="show the plan and send nothing")
    add("--max-cost", metavar="AMOUNT", help="send nothing if all rows cost more, by your prices")
    add(
        "--yes",
        action="store_true",
        help="ask nothing, and exceed the session's limits: for cron and make, where nobody can "
        f"answer, needed above {CONFIRM_ABOVE} pictures",
    )


def _add_report(add: Callable[..., object]) -> None:
    """Add what is left for the producer."""
    add("--errors", metavar="FILE", help="gets the rows without pictures, to mend")
    add("--log", metavar="FILE", help="gets a line for each event, with the time")
    add("--prune", action="store_true", help="move what no row shows any more to the trash")
    add("--quiet", action="store_true", help="show no bar")


def fields_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that were set on the command line."""
    values = {name: getattr(options, name) for name in (*(f.name for f in _FIELDS), "preset")}
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
    if list(arguments[:1]) == ["status"]:
        from opeai_nb.cli import batch_status

        return batch_status.run(arguments[1:])
    options = parser().parse_args(arguments)
    _check_empty(options)
    with stop_signals():
        return _run(options)


def _check_empty(options: argparse.Namespace) -> None:
    """Refuse an option without a value: `--mirror "$MIRROR"`, and nobody set the variable."""
    for name, value in vars(options).items():
        if isinstance(value, str) and not value.strip():
            raise InputError(
                f"--{name.replace('_', '-')} is empty.",
                advice="Is a variable of the shell not set? Nothing was sent.",
            )


def _run(options: argparse.Namespace) -> int:
    from opeai_nb.bulk.batch.batch import batch

    rows = batch(
        options.source,
        prompt=options.prompt,
        out=options.out,
        mirror=options.mirror,
        key=options.key,
        file=options.file,
        field_columns=[] if options.field_columns == ["none"] else _names(options.field_columns),
        quiet=options.quiet,
        **fields_of(options),
    )
    for note in rows.rows.table.notes if options.quiet else ():
        tell(f"Note: {note}.")  # it is no bar
    if options.dry_run:
        as_fields = ", ".join(rows.rows.as_fields) or "none"
        say(f"{rows.table}\nColumns that are sent as fields: {as_fields}.\nNothing was sent.")
        return GOOD
    _agree(rows, options)
    with Log(options.log) as log:
        rows.on_line = log.row
        log.write(f"begins: {options.source}, {counted(len(rows.plan), 'row')}")
        interrupt = _made(rows, options, log)
        with no_interrupts():
            code = _report(rows, options)
            log.write(f"ends: {rows.summary}")
    return code if interrupt is None else exit_code(interrupt)


def _names(texts: Sequence[str] | None) -> list[str] | None:
    if texts is None:
        return None
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _agree(rows: Batch, options: argparse.Namespace) -> None:
    """Ask before many pictures are paid for: above as many as in a notebook.

    Raises `OptionError` for a no, and where nobody can answer, as cells do.
    """
    kept = frozenset[int]() if options.fresh else rows.kept
    names = _names(options.only)
    points = rows.plan if names is None else rows.rows.chosen(names)
    requests = [point.request for point in points if point.number not in kept]
    send = [request.count for request in requests]
    if options.yes or sum(send) <= CONFIRM_ABOVE:
        return
    question = f"This asks for {sum(send)} pictures in {counted(len(send), 'request')}"
    question += rows.studio.told_cost(requests)
    question += f", more than {CONFIRM_ABOVE}"
    confirm(question, may_ask=_may_ask(), advice="Nobody is there to be asked: add --yes.")


def _may_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()  # cron and systemd may close it


def _report(rows: Batch, options: argparse.Namespace) -> int:
    """Say what became of the rows, and what helps; return the exit code."""
    paid = f" · sent for {rows.studio.ledger.cost}" if rows.studio.prices else ""
    say(f"{rows.summary} · {options.out}{paid}")
    stopped_by = None if rows.running is None else rows.running.stopped_by
    if stopped_by is not None:
        tell(f"Stopped: {stopped_by}")
    for line in (lines := reasons(rows.manifest, rows.advice)):
        tell(line)
    if options.errors and (count := write_errors(Path(options.errors).expanduser(), rows)):
        tell(f"{counted(count, 'row')} to mend and run again: {options.errors}")
    progress = rows.progress
    good = progress is not None and progress.done + progress.replayed == progress.total
    if options.prune:
        _prune(rows, options)
    if not good or lines:  # a copy that could not be made is one of the reasons
        return SOME_FAILED
    with suppress(OSError):  # a finished folder may be read-only
        (Path(options.out).expanduser() / DONE).write_text(f"{rows.summary}\n", "utf-8")
    return GOOD


def _prune(rows: Batch, options: argparse.Namespace) -> None:
    if not (unused := rows.unused):
        return
    question = f"{counted(len(unused), 'row')} of earlier tables have pictures here"
    if options.yes or (_may_ask() and is_agreed(f"{question}. Move them to the trash?")):
        say(f"{counted(rows.prune(), 'row')} in the trash; %imagine restore ID brings one back")
    else:
        tell(f"{question}, and --prune left them there: add --yes.")


def _made(rows: Batch, options: argparse.Namespace, log: Log) -> KeyboardInterrupt | None:
    """Run the batch with a bar; return what interrupted it."""
    with suppress(OSError):
        (Path(options.out).expanduser() / DONE).unlink(missing_ok=True)
    try:
        running = rows.start(
            concurrency=options.concurrency,
            timeout=options.timeout,
            fresh=options.fresh,
            beyond_limit=options.yes,
            max_cost=options.max_cost,
            send_unknown=options.send_unknown,
            max_wait=options.max_wait,
            only=_names(options.only),
            **{name: getattr(options, name) for name in WORDS},
        )
    except LibraryError as error:
        raise InputError(error.message, advice="Give another --out. Nothing was sent.") from error
    try:
        _follow(running, options, log)
    except KeyboardInterrupt as interrupt:
        _end(running, interrupt)
        return interrupt
    finally:
        with no_interrupts():
            rows.close()
    return None


def _follow(running: Run, options: argparse.Namespace, log: Log) -> None:
    note = ""
    with _bar(len(running.points), quiet=options.quiet) as show:
        for progress in running.follow(tick=0.5):
            show(progress)
            if progress.note and progress.note.partition(" in ")[0] != note.partition(" in ")[0]:
                log.write(f"waits: {progress.note}")
            note = progress.note


def _end(running: Run, interrupt: KeyboardInterrupt) -> None:
    """Begin nothing more and wait for what is under way: after a signal not for ever."""
    running.halt()
    limit = _LAST_SECONDS if exit_code(interrupt) != INTERRUPTED else None
    how = f"at most {limit:.0f} s" if limit else "Ctrl-C drops it"
    tell(f"Interrupted: nothing more is sent; waiting for what is under way ({how}).")
    try:
        is_over = running.wait(limit)
    except KeyboardInterrupt:
        is_over = False
    if not is_over:
        tell("Not waiting: run this again, and it fetches what was under way.")


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
            bar.set_description_str(progress.note, refresh=False)
            bar.update(progress.settled - bar.n)

        yield show


def _postfix(progress: Progress) -> dict[str, Any]:
    counts = {"failed": progress.failed, "unknown": progress.unknown, "kept": progress.replayed}
    return {name: count for name, count in counts.items() if count}


def _line(progress: Progress) -> None:
    sys.stderr.write(f"\r\x1b[K{progress.line()}")
    sys.stderr.flush()
