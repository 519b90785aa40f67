"""A batch: rows in, pictures and a manifest out; it can be stopped and run again."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.batch.copies import Copies
from opeai_nb.bulk.batch.manifest import Manifest
from opeai_nb.bulk.batch.manifest_file import NAME, read_lines
from opeai_nb.bulk.batch.manifest_line import ours
from opeai_nb.bulk.batch.mirror import Mirror
from opeai_nb.bulk.batch.rows import Rows, rows_of
from opeai_nb.bulk.run.before_paying import ask_before_paying, kept_of, within_cost
from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.bulk.run.counts import Counts
from opeai_nb.bulk.run.run import Run
from opeai_nb.bulk.run.start import start
from opeai_nb.client.values.name_template import at_home
from opeai_nb.errors import LibraryError, OptionError
from opeai_nb.library.records.spreading import MANY
from opeai_nb.studio.current_studio import studio_here
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.bulk.batch.manifest_line import Line
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.run.progress import Progress
    from opeai_nb.bulk.sweep.axis import Missing
    from opeai_nb.bulk.sweep.plan import Plan, Point
    from opeai_nb.library import Library
    from opeai_nb.studio import Studio

_MANY: Final = 10_000
"""Fewer rows are mostly read and planned before anybody wonders."""
_SILENCE: Final = 1.0
"""Seconds after which somebody wonders."""


def batch(
    source: object,
    *,
    prompt: str | None = None,
    out: str | Path | None = None,
    mirror: str | None = None,
    studio: Studio | None = None,
    missing: Missing = "refuse",
    key: str | None = None,
    field_columns: Sequence[str] | None = None,
    file: str | None = None,
    quiet: bool = False,
    **fields: Any,
) -> Batch:
    """Read a batch; nothing is sent before `run()`.

    *source* is a list of prompts or mappings, a DataFrame, or a CSV, TSV, Excel or JSONL file with
    a column for each field. *prompt* is a template that the columns fill (`a poster of {city}`).
    *fields*, `preset` among them, are for all rows that have none of their own. A column `only`, or
    the keyword, says where edits may change their picture (see `Studio.start`). *out* is the folder
    that gets the pictures and `manifest.jsonl` (default: the library); *mirror* an fsspec URL that
    gets copies.
    *missing* `skip` leaves rows out that lack a word of the template, which are refused else.
    *key* is the column that says which row is which (`sku`): pictures and manifest follow it,
    whatever is sorted or taken out. *field_columns* are the columns that are sent as fields
    (default: all that are named so); the others only go to the manifest. The column `file`, or
    the template *file* such as `{sku}-{n}.png` for rows without, names copies of a row's pictures
    in *out*. Of ten thousand rows or more, and outside a notebook of any that take a second, a
    line on standard error tells how many are read and planned, and of any what was noted of the
    table (empty rows), unless *quiet*.
    Raises `InputError` for a row that cannot be right, with its number.
    """
    rows = rows_of(
        *(source, prompt, fields, missing),
        key=key,
        field_columns=field_columns,
        file=file,
        on_read=(lambda *_: None) if quiet else Reading(),
        presets=lambda: (studio or studio_here()).presets,
    )
    for note in () if quiet else rows.table.notes:
        sys.stderr.write(f"Note: {note}.\n")
    return Batch(rows, _studio(studio, out), mirror, has_folder=out is not None)


class Reading:
    """Tells on standard error how far the reading is: of many rows, and of any that take long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause = _SILENCE
        self._due = clock() + _SILENCE
        self._is_told = False

    def __call__(self, count: int, total: int | None) -> None:
        """Write a line, where one is due, of *count* rows of *total* (None: nobody knows yet)."""
        if (stream := sys.stderr) is None:  # a program without a console has none
            return
        # What a notebook keeps is the same in each run (nbval), at whatever pace the machine has.
        is_kept = type(stream).__module__.partition(".")[0] == "ipykernel"
        is_late = self._clock() >= self._due and not is_kept
        is_due = is_late or (self._is_told and count == total)
        is_terminal = stream.isatty()
        text = reading_text(count, total, is_terminal=is_terminal, is_due=is_due)
        if not text:
            return
        stream.write(text)
        stream.flush()
        self._is_told = True
        self._pause *= 1 if is_terminal else 1 + is_late
        self._due = self._clock() + self._pause


def reading_text(count: int, total: int | None, *, is_terminal: bool, is_due: bool = False) -> str:
    """Return what is written of *count* rows: a log gets a line at each doubling, and the last.

    Where a word *is_due*, it is written of any.
    """
    is_last = count == total
    line = f"{count:,} rows read" if total is None else f"{count:,} of {total:,} rows planned"
    is_many = (total or count) >= _MANY
    if is_terminal:
        return f"\r{line}" + "\n" * is_last if is_due or is_many else ""
    parts, rest = divmod(count, _MANY)
    is_doubling = parts > 0 and rest == 0 and parts & (parts - 1) == 0
    return f"{line}\n" if is_due or (is_many and (is_doubling or is_last)) else ""


def _studio(studio: Studio | None, out: str | Path | None) -> Studio:
    given = studio or studio_here()
    if out is None:
        return given
    # In the same session: a limit on its pictures holds for those of the batch as well.
    return given.adjusted(replace(given.settings, library=at_home(Path(out))))


class Batch:
    """Rows and what came of them. Nothing but the counts stays in memory: the rest is on the disk.

    `run()` sends what the folder does not have; `manifest` reads what became of each row. *rows*
    are those of the table. *has_folder* tells that the studio's library was named for this batch.
    """

    def __init__(
        self, rows: Rows, studio: Studio, mirror: str | None = None, *, has_folder: bool = False
    ) -> None:
        self.rows = rows
        self.studio = studio
        self._has_folder = has_folder
        self._values: dict[int, Any] = {}
        self.advice: dict[str, str] = {}
        """What to do about each reason why rows have no pictures."""
        self.on_line: Callable[[Line], object] | None = None
        """Is called with the line of each row that is settled."""
        self._mirror = None if mirror is None else Mirror(mirror)
        self._run: Run | None = None
        self._manifest: Manifest | None = None
        self._is_finished = False
        self._outcomes: dict[int, Outcome] = {}
        self._lines: list[dict[str, Any]] = []

    def __repr__(self) -> str:
        return f"<Batch: {self.summary}>"

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata that show the pictures of the first rows."""
        from opeai_nb.bulk.batch.preview import rows_bundle

        return rows_bundle(repr(self), self.folder, self.manifest)

    @property
    def plan(self) -> Plan:
        """The requests, one for each row."""
        return self.rows.plan

    @property
    def folder(self) -> Path:
        """Where pictures and manifest lie."""
        return self.studio.library.folder

    @property
    def summary(self) -> str:
        """Return `100 rows · 98 done · 2 failed`; the same for sent and replayed."""
        rows = counted(len(self.plan), "row")
        if self._run is None:
            return f"{rows} planned"
        progress = self._run.progress
        return Counts(
            done=progress.done + progress.replayed,
            failed=progress.failed,
            unknown=progress.unknown,
            unsent=progress.total - progress.settled if self._run.is_over else 0,
        ).line(rows)

    @property
    def kept(self) -> frozenset[int]:
        """The numbers of the rows that the folder has already; nothing is sent for those."""
        return kept_of(self.studio, self.plan)

    @property
    def table(self) -> str:
        """The plan as text: how many requests, what the folder has, what would be sent."""
        from opeai_nb.bulk.sweep.plan_table import plan_text

        return plan_text(self.plan, self.kept)

    @property
    def running(self) -> Run | None:
        """The run under way, or the last one."""
        return self._run

    def prune(self) -> int:
        """Move pictures that no row of this table shows to the trash; return of how many rows.

        Raises `LibraryError` when the disk refuses.
        """
        return len(self.studio.library.mark_all(self.unused, trash=True))

    @property
    def unused(self) -> list[str]:
        """The ids of the records that rows of earlier tables have here, and no row of this one."""
        lines = read_lines(self.folder / NAME).values()
        trashed = self.studio.library.trashed
        shown = {ours(line, "id") for line in lines if ours(line, "current") is not False}
        earlier = [ours(line, "id") for line in lines if ours(line, "current") is False]
        left = [each for each in earlier if each and each not in shown | trashed]
        return [each for each in left if _is_kept(self.studio.library, each)]

    @property
    def progress(self) -> Progress | None:
        """How far the run is; None before the first."""
        return None if self._run is None else self._run.progress

    def start(self, **orders: Any) -> Run:
        """Begin and return the run at once.

        *orders* are those of `Sweep.run`, and *only*: the keys of the rows that are meant, or
        their numbers where no key is named. Raises `OptionError` while a run is under way, without
        a key for what is to be sent, and what a pool or `max_cost` refuses.
        """
        if self._run is not None and not self._run.is_over:
            raise OptionError("This batch is running already.", advice="Wait for it or halt it.")
        cluster, only = orders.pop("on", None), orders.pop("only", None)
        copies = Copies(self.folder) if any(point.file for point in self.plan) else None
        given = BulkOptions(**orders, mirror=self._mirror, copies=copies)
        points = self.plan if only is None else self.rows.chosen(only)
        given = within_cost(self.studio, points, given)
        ask_before_paying(self.studio, points, given)
        self._check_sender(points)
        earlier = self._begin_manifest(None if only is None else points)
        if given.then is not None and not given.then_again:
            given = replace(given, then_values=_then_values(earlier))
        is_left_to_us = self.studio.settings.subfolders == "auto"
        if is_left_to_us and len(points) > MANY and len(points) - len(self.kept) > MANY:
            self.studio.library.spread()  # of fewer rows nobody asks the library for it
        self._run = start(Run(points, self._settled), self.studio, given, cluster)
        return self._run

    def _check_sender(self, points: Sequence[Point]) -> None:
        """Raise `OptionError` where something is to be sent, and nobody is there to send it to."""
        try:
            _ = self.studio.settings.origin
        except OptionError:
            if len(kept_of(self.studio, points)) < len(points):
                raise

    def run(self, **orders: Any) -> Batch:
        """Send what is missing, wait for it, write the manifest, and return the batch.

        *orders* are those of `start`. A failed row is noted and ends nothing else. An interrupt
        ends the waiting and the sending; running again sends what is missing.
        """
        self.start(**orders)
        return self.wait()

    def wait(self) -> Batch:
        """Follow the run to its end, shown where somebody can show it.

        Raises `OptionError` before the first run.
        """
        if self._run is None:
            raise OptionError("This batch was not started.", advice="Call run().")
        try:
            self._run.watch(self.studio.watcher)
        finally:
            self.close()
        return self

    def close(self) -> None:
        """Put the manifest in order."""
        manifest, self._manifest = self._manifest, None
        if manifest is None:
            return
        self._lines = manifest.planned(self._outcomes) if self._is_finished else manifest.close()

    @property
    def manifest(self) -> list[dict[str, Any]]:
        """What became of each row, in the order of the rows; empty before the first run."""
        return self._lines

    @property
    def values(self) -> dict[str | int, Any]:
        """What the function given as `then` made of the rows, by key, else by row number."""
        return {
            self.plan[place].key or self.rows.number(place): value
            for place, value in sorted(self._values.items())
        }

    @property
    def earlier(self) -> list[dict[str, Any]]:
        """The lines of rows that only earlier tables of this folder had."""
        lines = read_lines(self.folder / NAME).values()
        return [line for line in lines if ours(line, "current") is False]

    def to_dataframe(self) -> Any:
        """Return the manifest as a pandas table. Raises `LibraryError` without pandas."""
        from opeai_nb.library.usage import dataframe

        return dataframe(self.manifest)

    def _begin_manifest(self, asked: Sequence[Point] | None) -> dict[str, dict[str, Any]]:
        """Begin the manifest and return its earlier lines; nothing is sent before.

        A finished folder may be read-only, as nothing is missing there. Raises `LibraryError`
        where a manifest is needed and no folder takes it.
        """
        self._is_finished = False
        own, second = self.studio.library.homes.all
        try:
            return self._manifest_in(own, asked).begin()
        except LibraryError:
            if len(self.kept) == len(self.plan):
                self._is_finished = True
                return _lines_or_none(own / NAME)
            if self._has_folder:  # it was named for this batch, and its user looks there
                raise
        return self._manifest_in(second, asked).begin()

    def _manifest_in(self, folder: Path, asked: Sequence[Point] | None) -> Manifest:
        places = None if asked is None else frozenset(point.number for point in asked)
        rows, prices = self.rows.table.rows, self.studio.prices
        self._manifest = Manifest(folder, rows, self.plan, places, prices)
        return self._manifest

    def _settled(self, point: Point, outcome: Outcome) -> None:
        if outcome.is_handed_on:
            self._values[point.number] = outcome.value
        if outcome.error is not None:
            self.advice[outcome.reason] = outcome.error.advice
        if self._manifest is None:
            return
        if self._is_finished:
            self._outcomes[point.number] = outcome
        else:
            line = self._manifest.add(point, outcome)
            if self.on_line is not None:
                self.on_line(line)


def _is_kept(library: Library, record: object) -> bool:
    """Tell whether a record of an earlier table is there: a person may have removed it."""
    try:
        library.record(str(record))
    except LibraryError:
        return False
    return True


def _lines_or_none(path: Path) -> dict[str, Line]:
    try:
        return read_lines(path)
    except LibraryError:
        return {}  # then nobody knows what was handed on before


def _then_values(lines: Mapping[str, Line]) -> dict[str | None, Any]:
    """Return what `then` made of records in earlier runs, by their ids."""
    return {
        ours(line, "id"): ours(line, "then")
        for line in lines.values()
        if {"then", "opeai_nb_then"} & line.keys()
    }
