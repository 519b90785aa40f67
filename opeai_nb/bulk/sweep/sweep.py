"""A sweep: a space of prompts and settings, explored. `sweep(...)` plans, `.run()` sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.run.before_paying import ask_before_paying, kept_of, within_cost
from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.bulk.run.callback import name_of
from opeai_nb.bulk.run.counts import Counts
from opeai_nb.bulk.run.outcome import stopped
from opeai_nb.bulk.run.run import Run, missing
from opeai_nb.bulk.run.start import start
from opeai_nb.bulk.sweep.plan import Asking, Plan, Point, plan_of
from opeai_nb.client.values.name_template import Named, at_home, values_for
from opeai_nb.client.values.save_target import names_at
from opeai_nb.errors import OpeaiError, OptionError
from opeai_nb.studio.current_studio import studio_here
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.run.progress import Progress
    from opeai_nb.bulk.sweep.axis import Missing
    from opeai_nb.bulk.sweep.grid import Grid
    from opeai_nb.bulk.sweep.pick import Pick
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.library.export.export import Export
    from opeai_nb.library.export.split import Split
    from opeai_nb.studio import Studio


def sweep(
    prompt: str | Path | Sequence[str] | Mapping[str, str],
    *,
    studio: Studio | None = None,
    missing: Missing = "refuse",
    sample: int | None = None,
    only: object = None,
    **values: Any,
) -> Sweep:
    """Plan a sweep; nothing is sent before `run()`.

    *prompt* may hold words (`{animal}`) and alternatives (`{cat|dog}`, `{2$$ and $$ink|oil}`), or
    be several prompts. *values* are for those words, for the fields of `ImageRequest` and for
    `preset`: a list is varied, a mapping is varied under labels of its own, anything else is the
    same for all.
    *studio* default: the notebook's, else one for the settings of the environment. *missing* `skip`
    leaves values out that are none (None, NaN), which are refused else. A `Path` to a text file
    gives prompts, or values of a word, one a line.

    *sample* takes so many of all combinations, and `draw([…])` draws a value for each point; an
    integer as `seed` (default 0) makes another choice. The same seed chooses the same points, so
    that running again is free. *only* is where edits may change their picture: x, y, width and
    height, a mask, or `alpha` (see `Studio.start`). Raises `InputError`.

        sweep("a {animal} in {style}", animal=["fox", "owl"], style=["ink", "oil"], n=2)
    """
    asking = Asking(lambda: (studio or studio_here()).presets)
    plan = plan_of(prompt, values, missing=missing, sample=sample, asking=asking, only=only)
    return Sweep(plan, studio)


class Sweep:
    """A plan and what came of it. `sweep["fox", "ink"]` is one generation.

    Values are given by position, `sweep["animal":"fox"]` by name (a part of the sweep, where
    several points have it), or as `sweep.at(animal="fox", style="ink")`.
    """

    def __init__(self, plan: Plan, studio: Studio | None = None) -> None:
        self.plan = plan
        self.outcomes: dict[int, Outcome] = {}
        self._studio = studio
        self._run: Run | None = None
        self._then = BulkOptions()

    def __repr__(self) -> str:
        return f"<Sweep: {self.summary}>"

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata that show the plan, or the grid of what came of it."""
        if not self.outcomes:
            return {"text/plain": f"{self!r}\n{self.table}"}, {}
        grid = self.grid()
        data, metadata = grid._repr_mimebundle_()
        text = data["text/plain"].replace(repr(grid), repr(self), 1)
        return {**data, "text/plain": text}, metadata

    @property
    def studio(self) -> Studio:
        """What makes the pictures."""
        if self._studio is None:
            self._studio = studio_here()
        return self._studio

    @property
    def summary(self) -> str:
        """Return `12 pictures · animal × style`; the same for sent and replayed, no id in it."""
        axes = [" × ".join(axis.name for axis in self.plan.axes if len(axis) > 1)]
        if not self.outcomes:
            return " · ".join(
                filter(None, [*axes, f"{counted(len(self.plan), 'request')} planned"])
            )
        states: list[str] = [outcome.state for outcome in self.outcomes.values()]
        counts = Counts(
            failed=states.count("failed"),
            unknown=states.count("unknown"),
            unsent=len(self.plan) - len(states) + states.count("stopped"),
        )
        told = counts.line(counted(sum(len(each) for each in self.generations), "picture"))
        return " · ".join(filter(None, [told, *axes]))

    # -- running

    def start(self, **orders: Any) -> Run:
        """Begin what is missing and return the run at once. *orders* are those of `run`.

        Raises `OptionError` while a run is under way.
        """
        if self._run is not None and not self._run.is_over:
            raise OptionError(
                "This sweep is running already.", advice="Wait for it, or halt it: .running.halt()"
            )
        cluster = orders.pop("on", None)
        given = BulkOptions(**orders)
        if given.then is not None and not given.then_again:
            known = self.studio.library.handed_on.answers(name_of(given.then))
            given = replace(given, then_values=known)
        self._then = given
        points = missing(self.plan, {} if given.fresh else self.outcomes)
        given = within_cost(self.studio, points, given)
        ask_before_paying(self.studio, points, given)
        if given.fresh:
            self.outcomes.clear()
        self._run = start(Run(points, self._settled), self.studio, given, cluster)
        return self._run

    def run(self, **orders: Any) -> Sweep:
        """Send what the library does not have, wait for it, and return the sweep itself.

        *concurrency* requests at once at most (default 16; fewer after a 429). *fresh* sends all
        anew. *timeout* is how long a task is waited for, in seconds. *then* is a function called
        with each generation, once for each record: `outcomes[i].value` has its answer, also in a
        later session, where it is text, numbers or lists of them (any other is asked for anew, and
        *then_again* asks for all). *on* is a Dask client: its
        workers share the work. *send_unknown* sends again what was cut off in flight before.
        *beyond_limit* agrees to more than the session's limits; *max_cost* refuses what would cost
        more in all, by the user's prices; *metadata* overrides the setting.

        A failed point is marked and ends nothing else. An interrupt ends the waiting and the
        sending; what is under way is kept, and running again sends what is missing. Raises the
        error of a point only where no point at all has pictures.
        """
        self.start(**orders).watch(self.studio.watcher)
        self.check()
        return self

    def check(self) -> None:
        """Raise the first error where no point at all has pictures."""
        errors = [outcome.error for outcome in self.outcomes.values() if outcome.error]
        if errors and not self.generations:
            raise errors[0]

    @property
    def running(self) -> Run | None:
        """The run under way, or the last one."""
        return self._run

    @property
    def progress(self) -> Progress | None:
        """How far the run is; None before the first."""
        return None if self._run is None else self._run.progress

    def _settled(self, point: Point, outcome: Outcome) -> None:
        self.outcomes[point.number] = outcome
        then = self._then.then
        if then is None or not outcome.is_handed_on or outcome.id is None:
            return
        if outcome.id not in self._then.then_values:
            self.studio.library.handed_on.add(outcome.id, name_of(then), outcome.value)

    # -- what is there

    @property
    def kept(self) -> frozenset[int]:
        """The numbers of the points that the library can show now; nothing is sent for those."""
        return kept_of(self.studio, self.plan)

    @property
    def table(self) -> str:
        """The plan as text: how many requests, what the library has, what would be sent."""
        from opeai_nb.bulk.sweep.plan_table import plan_text

        return plan_text(self.plan, self.kept, self.studio.told_cost)

    @property
    def generations(self) -> list[Generation]:
        """The generations that are there, in the order of the plan."""
        outcomes = (self.outcomes.get(point.number) for point in self.plan)
        return [each.generation for each in outcomes if each and each.generation is not None]

    @property
    def failed(self) -> dict[tuple[str, ...], OpeaiError]:
        """Why points have no pictures, by their labels."""
        return {
            point.labels: outcome.error
            for point in self.plan
            if (outcome := self.outcomes.get(point.number)) and outcome.error is not None
        }

    def outcome(self, point: Point) -> Outcome:
        """Return what became of a point; `stopped` where it was not begun."""
        return self.outcomes.get(point.number) or stopped()

    def at(self, **wanted: object) -> Any:
        """Return the generation at these values, or the part of the sweep that has them.

        Raises `KeyError` for a value that is not in the sweep, and the point's own error where it
        has no pictures.
        """
        points = self.plan.where(wanted)
        if len(points) == 1:
            outcome = self.outcome(points[0])
            if outcome.generation is None:
                raise outcome.error or AssertionError("an outcome has pictures or an error")
            return outcome.generation
        part = Sweep(self.plan.part(points), self._studio)
        part.outcomes = {
            point.number: self.outcomes[point.number]
            for point in points
            if point.number in self.outcomes
        }
        return part

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if isinstance(key, Mapping):
            return self.at(**key)
        if all(isinstance(item, slice) for item in keys):
            return self.at(**{item.start: item.stop for item in keys})
        if len(keys) > len(self.plan.axes):
            raise KeyError(f"{len(keys)} values for {counted(len(self.plan.axes), 'axis', 'axes')}")
        return self.at(**{a.name: k for a, k in zip(self.plan.axes, keys, strict=False)})

    def __iter__(self) -> Iterator[Generation]:
        return iter(self.generations)

    def names(self, target: str | Path) -> list[list[str]] | None:
        """Return what a template would name each point's pictures; None for a folder, or a file.

        Beside the words of `Generation.save` there are the axes, by their labels, and `{index}`,
        the point's number. Raises `InputError` for a word without a value, where two points would
        have one name, and for a place where nothing can be saved.
        """
        return names_at(target, self._named())

    def _named(self) -> list[Named]:
        return [
            Named(
                " · ".join(filter(None, point.labels)) or f"point {point.number + 1}",
                point.request,
                {**values_for(point.request, point.number + 1), **self.plan.words(point)},
            )
            for point in self.plan
        ]

    def save(self, folder: str | Path = ".", *, metadata: bool = False) -> list[Path]:
        """Write copies of all pictures into *folder*, and the grid as `grid.png`; return the paths.

        *folder* may be a template, `out/{animal}-{n}.png`, as `Generation.save` takes it, and
        *metadata*; then the pictures alone are written. Raises `InputError` as `names` does,
        `LibraryError` when the disk refuses.
        """
        is_named = self.names(folder) is not None
        paths = [
            path
            for point in self.plan
            if self.outcome(point).generation is not None
            for path in self.save_point(point, folder, metadata=metadata)
        ]
        target = at_home(Path(folder))
        if is_named or not target.is_dir():  # names, or one file for one point
            return paths
        return [*paths, *self.grid().save(target / "grid.png")]

    def save_point(self, point: Point, target: str | Path, *, metadata: bool = False) -> list[Path]:
        """Write copies of one point's pictures, as `save` names them, and return their paths.

        Raises the point's error where it has no pictures, else as `Generation.save` does.
        """
        outcome = self.outcome(point)
        if outcome.generation is None:
            raise outcome.error or AssertionError("an outcome has pictures or an error")
        words = {**self.plan.words(point), "index": point.number + 1}
        return outcome.generation.save(target, words, metadata=metadata)

    def grid(self, rows: str | None = None, columns: str | None = None) -> Grid:
        """Return the pictures as a labelled grid: two axes, any others as pages.

        *rows* and *columns* name axes; by default the first two.
        """
        from opeai_nb.bulk.sweep.grid import Grid

        return Grid(self.plan, self.outcomes, rows, columns)

    def pick(self, seed: int = 0) -> Pick:
        """Return pairs of the pictures to choose from, with their labels hidden.

        *seed* draws the order. Choices are kept in the library, so that running the cell again goes
        on where it ended. Raises `InputError` where no two pictures differ in an axis.
        """
        from opeai_nb.bulk.sweep.pick import pick_of

        return pick_of(self.plan, self.outcomes, self.studio.library.picks, seed)

    def export(
        self,
        target: str | Path,
        *,
        split: Split | None = None,
        side: int | None = None,
        replace: bool = False,
    ) -> Export:
        """Write the pictures for others, as `Library.export` does, with the values of the axes.

        A data set has them in its column `axes`. Raises as that does.
        """
        from opeai_nb.library.export.export import export
        from opeai_nb.library.export.piece import pieces_of

        library = self.studio.library
        points = {
            outcome.id: point.labels
            for point in self.plan
            if (outcome := self.outcomes.get(point.number)) and outcome.generation and outcome.id
        }
        names = [axis.name for axis in self.plan.axes]
        axes = {id_: dict(zip(names, labels, strict=True)) for id_, labels in points.items()}
        pieces = pieces_of(map(library.record, points), library.marks, axes=axes)
        return export(
            pieces, target, split=split, side=side, replace=replace, disk=library.homes.disk
        )

    def to_dataframe(self) -> Any:
        """Return a pandas table: a row for each point, a column for each axis and fact.

        Raises `LibraryError` where pandas is not there.
        """
        from opeai_nb.library.usage import dataframe

        return dataframe(self._row(point) for point in self.plan)

    def _row(self, point: Point) -> dict[str, Any]:
        outcome = self.outcome(point)
        names = [axis.name for axis in self.plan.axes]
        request = point.request
        usage = (outcome.generation and outcome.generation.usage) or {}
        return {
            **dict(zip(names, point.labels, strict=True)),
            "status": outcome.state,
            "pictures": 0 if outcome.generation is None else len(outcome.generation),
            "files": outcome.files,
            "error": outcome.reason or None,
            "tokens": usage.get("total_tokens"),
            **{f"request_{name}": getattr(request, name) for name in ("prompt", "model", "size")},
        }
