"""What will be asked: every combination of the swept values, as requests that are sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, overload

from opeai_nb.bulk.sweep.alternatives import Choices, expanded, parts_of
from opeai_nb.bulk.sweep.axis import Axis, Missing, axis_of, lines_of, whole
from opeai_nb.bulk.sweep.sample import Draw, Sample, space_of
from opeai_nb.bulk.sweep.template import filled, mentioned, names_in
from opeai_nb.client.values.name_template import NUMBER
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.errors import InputError
from opeai_nb.fields import BY_NAME
from opeai_nb.library import identity
from opeai_nb.library.replay.replay import row_key
from opeai_nb.presets.preset import PRESET, preset_named, with_preset
from opeai_nb.studio.run_options import region_of
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.client.values.name_template import NameTemplate
    from opeai_nb.client.values.only import Only
    from opeai_nb.presets.preset import Preset

MOST: Final = 1_000_000
"""More points than this are asked for by mistake; a batch reads its prompts from a file."""
_OPTIONS: Final = frozenset({PRESET, *(item.name for item in fields(ImageRequest))})
_INTEGERS: Final = frozenset(name for name, item in BY_NAME.items() if item.kind == "integer")


class Draft(NamedTuple):
    """A point without its number: labels, request, what it stands for, and the region if any."""

    labels: tuple[str, ...]
    request: ImageRequest
    row: Mapping[str, Any]
    only: Only | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One combination: its *number* in the plan from 0, a label on each axis, and the request.

    *call* counts points that ask the very same thing, from 1: each gets a picture of its own.
    *identity* is what tells the very same requests; with a *key* the point belongs to that alone,
    as to a product, wherever it stands. *row* is what the point stands for: the values
    of a sweep's axes, or the cells of a batch's row. *file* names copies of its pictures, if any,
    *only* is the region that its answer is laid over, and *said* what its row says of its pictures.
    """

    number: int
    labels: tuple[str, ...]
    request: ImageRequest
    identity: str
    call: int = 1
    key: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    file: NameTemplate | None = field(default=None, compare=False, repr=False)
    only: Only | None = field(default=None, repr=False)
    said: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Asking:
    """What goes into a request besides the values of a plan: presets, by name, and *defaults*."""

    presets: Callable[[], Mapping[str, Preset]] = dict
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def request(self, prompt: str, asked: Mapping[str, Any]) -> ImageRequest:
        """Return the request for a prompt and fields, a `preset` among them expanded."""
        text, values = with_preset(prompt, asked, self.presets, self.defaults)
        return build_request(None, {**values, "prompt": text})

    def takes_seed(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a `seed` among *values* may be meant for the requests."""
        given, name = values.get("dialect", self.defaults.get("dialect")), values.get(PRESET)
        if "dialect" in values or name is None:
            return bool(given == "aliyun")
        if isinstance(name, Mapping):
            name = name.values()
        names = [name] if isinstance(name, str) else name
        chosen = [preset_named(each, self.presets()) for each in names if each is not None]
        return any(preset.fields.get("dialect", given) == "aliyun" for preset in chosen)


_PLAIN: Final = Asking()


class Plan(Sequence[Point]):
    """The points of a sweep or a batch; *axes* say what is varied, the last one fastest.

    *sample* says how the points were chosen where they are not all combinations, else it is None.
    """

    def __init__(
        self, axes: tuple[Axis, ...], points: Sequence[Point], sample: Sample | None = None
    ) -> None:
        self.axes = axes
        self.sample = sample
        self._points = points

    def __repr__(self) -> str:
        return f"<Plan: {counted(len(self), 'request')}, {counted(self.pictures, 'picture')}>"

    def __len__(self) -> int:
        return len(self._points)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        return self._points[index]

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points)

    @property
    def pictures(self) -> int:
        """How many pictures are asked for in all."""
        return sum([point.request.count for point in self._points])

    def axis(self, name: str) -> Axis:
        """Return an axis by its name. Raises `InputError` when nothing of this name is varied."""
        for axis in self.axes:
            if axis.name == name:
                return axis
        known = ", ".join(axis.name for axis in self.axes) or "nothing"
        raise InputError(f"{name!r} is not varied here; varied: {known}.", advice="")

    def where(self, wanted: Mapping[str, object]) -> list[Point]:
        """Return the points that have these values. Raises `KeyError` for a value that none has."""
        labels: dict[int, str] = {}
        for name, value in wanted.items():
            axis = self.axis(name)
            labels[self.axes.index(axis)] = axis.labels[axis.place(value)]
        return [
            point
            for point in self._points
            if all(point.labels[place] == label for place, label in labels.items())
        ]

    def words(self, point: Point) -> dict[str, Any]:
        """Return the axes' labels of a point for names of files; numbers and days as such."""
        told = zip(self.axes, point.labels, strict=True)
        labels = {axis.name: label for axis, label in told if axis.name != NUMBER}
        values = {name: point.row.get(name) for name in labels}
        plain = {name: it for name, it in values.items() if isinstance(it, int | float | date)}
        return {**labels, **plain}

    def part(self, points: Sequence[Point]) -> Plan:
        """Return a plan of some of the points; its axes have the values that are left."""
        axes = []
        for place, axis in enumerate(self.axes):
            left = {point.labels[place] for point in points}
            pairs = [p for p in zip(axis.values, axis.labels, strict=True) if p[1] in left]
            axes.append(Axis(axis.name, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)))
        return Plan(tuple(axes), points, self.sample)


def plan_of(
    prompt: str | Path | Sequence[str] | Mapping[str, str],
    values: Mapping[str, Any],
    *,
    word: Callable[[str], str] | None = None,
    raw: bool = False,
    missing: Missing = "refuse",
    sample: int | None = None,
    asking: Asking = _PLAIN,
    only: object = None,
) -> Plan:
    """Return the plan of a prompt, or several, and values: collections among them are axes.

    `{name}` and `__name__` in the prompt stand for the value of that name, `{a|b}` for alternatives
    (axes `choice`, `choice_2`, …); all other names are fields of the request, or `preset`. With
    *word*, the words are its business: it is called with each prompt, its alternatives taken. With
    *raw* all braces are text. *missing* `skip` leaves values out that are none (None, NaN). Of the
    combinations, *sample* are points, chosen by the value `seed`. A preset's words stand around the
    prompt as it is then: braces in them, and in a value, are text. *only* is the region that each
    answer is laid over (see `Studio.start`). Raises `InputError` before
    anything is sent: for a name that is neither in the prompt nor a field, an empty axis, a missing
    value, a sample that is too large, and what `ImageRequest` refuses.
    """
    drawn, values = _draws(values)
    asking = replace(asking, presets=cache(asking.presets))
    chosen, values = _sample(sample, drawn, values, asking)
    prompts = _prompts(prompt, missing)
    templates = (str(prompt),) if prompts is None else prompts.values
    words: set[str] = set()
    if word is None:
        words = {name for template in templates for name in names_in(template)}
        words |= {name for template in templates for name in mentioned(template)} & values.keys()
    _check_names(words, values)
    axes = [] if prompts is None else [prompts]
    pieces = None if prompts is not None else ((str(prompt),) if raw else parts_of(str(prompt)))
    axes += _choices(pieces or ())
    fixed: dict[str, Any] = {}
    for name, given in values.items():
        listed = lines_of(given) if isinstance(given, Path) and name in words else given
        axis = axis_of(name, listed, missing, may_be_none=name not in words)
        if axis is None:
            fixed[name] = given
        else:
            axes.append(axis)
    _check_size(axes, chosen)
    made = _Maker(pieces, words, fixed, tuple(axes), word, chosen, asking, only)
    is_part = chosen.count is not None or bool(chosen.drawn)
    return Plan(tuple(axes), numbered(made), chosen if is_part else None)


def _draws(values: Mapping[str, Any]) -> tuple[frozenset[str], Mapping[str, Any]]:
    """Return the names whose values are drawn, and all values as those of axes."""
    drawn = frozenset(name for name, given in values.items() if isinstance(given, Draw))
    return drawn, {name: given.values if name in drawn else given for name, given in values.items()}


def _sample(
    count: int | None, drawn: frozenset[str], values: Mapping[str, Any], asking: Asking
) -> tuple[Sample, Mapping[str, Any]]:
    """Return how points are chosen, and the values that are the request's own.

    A lone `seed` is the choice's where there is one to make. Raises `InputError` where it may as
    well be the request's.
    """
    seed = values.get("seed")
    if (count is None and not drawn) or not isinstance(seed, int):
        return Sample(count, drawn), values
    if asking.takes_seed(values):
        raise InputError(
            "seed may be the sample's or the request's.",
            advice=f"Write seed=[{seed}] for the request's. Nothing was sent.",
        )
    rest = {name: value for name, value in values.items() if name != "seed"}
    return Sample(count, drawn, seed), rest


def numbered(requests: Iterable[Draft], keys: Sequence[str] | None = None) -> list[Point]:
    """Return points for what is asked; those that ask the very same thing are counted.

    With *keys* each belongs to its own alone, and nothing is counted.
    """
    calls: dict[str, int] = {}
    nothing: Mapping[str, Any] = {}  # one for all: a hundred thousand empty ones are megabytes
    points = []
    for number, (labels, request, row, only) in enumerate(requests):
        same = identity(request)
        place = row_key(same, None if only is None else only.digest)
        call = calls[place] = 1 if keys is not None else calls.get(place, 0) + 1
        key = None if keys is None else keys[number]
        points.append(Point(number, labels, request, same, call, key, row, None, only, nothing))
    return points


@dataclass(frozen=True)
class _Maker:
    """Makes the request of each combination."""

    pieces: tuple[Any, ...] | None
    words: set[str]
    fixed: dict[str, Any]
    axes: tuple[Axis, ...]
    word: Callable[[str], str] | None
    sample: Sample
    asking: Asking
    only: object = None

    def __iter__(self) -> Iterator[Draft]:
        for chosen in self.sample.combinations(self.axes):
            pairs = list(zip(self.axes, chosen, strict=True))
            labels = tuple(axis.labels[place] for axis, place in pairs)
            values = {axis.name: axis.values[place] for axis, place in pairs}
            request = self._request(values)
            yield Draft(labels, request, values, region_of(request, self.only))

    def _request(self, values: dict[str, Any]) -> ImageRequest:
        everything = {**self.fixed, **values}
        text = self._text(everything)
        if self.word is None:
            prompt = filled(text, {n: everything[n] for n in self.words & set(everything)})
        else:
            prompt = self.word(text)
        # `style` is a field of the API too: a word of the prompt is not sent a second time.
        names = _OPTIONS - self.words
        asked = {
            name: whole(value) if name in _INTEGERS else value
            for name, value in everything.items()
            if name in names
        }
        return self.asking.request(prompt, asked)

    def _text(self, values: dict[str, Any]) -> str:
        if self.pieces is None:
            return str(values["prompt"])
        chosen = (values[name] for name in _choice_names(self.pieces))
        return "".join(next(chosen) if isinstance(p, Choices) else p for p in self.pieces)


def _prompts(given: object, missing: Missing = "refuse") -> Axis | None:
    """Return the axis of several prompts, the alternatives in each of them taken out."""
    listed = lines_of(given) if isinstance(given, Path) else given
    axis = axis_of("prompt", listed, missing, may_be_none=False)
    if axis is None or all(parts_of(str(value)) == (value,) for value in axis.values):
        return axis
    return axis_of("prompt", [text for value in axis.values for text in expanded(str(value))])


def _choices(pieces: tuple[Any, ...]) -> list[Axis]:
    groups = [piece for piece in pieces if isinstance(piece, Choices)]
    return [
        Axis(name, group.texts, tuple(_shown(text) for text in group.texts))
        for name, group in zip(_choice_names(pieces), groups, strict=True)
    ]


def _choice_names(pieces: tuple[Any, ...]) -> list[str]:
    count = sum(isinstance(piece, Choices) for piece in pieces)
    return ["choice", *(f"choice_{number}" for number in range(2, count + 1))][:count]


def _shown(text: str) -> str:
    return " ".join(text.split()) or "(nothing)"


def _check_names(words: set[str], values: Mapping[str, Any]) -> None:
    if missing := sorted(words - values.keys()):
        raise InputError(
            f"The prompt has {{{missing[0]}}}, and no value was given for it.",
            advice=f"Pass {missing[0]}=[…], or write {{{{{missing[0]}}}}} to keep the braces. "
            "Nothing was sent.",
        )
    for name in values:
        if name not in words and name not in _OPTIONS:
            known = ", ".join(f"{{{word}}}" for word in sorted(words)) or "no {word}"
            raise InputError(
                f"{name!r} is neither a word of the prompt nor a field of the request.",
                advice=f"The prompt has {known}. Nothing was sent.",
            )


def _check_size(axes: list[Axis], sample: Sample) -> None:
    size = space_of(axes, sample.drawn)
    if size > MOST:
        raise InputError(
            f"This sweep has {size} points.",
            advice=f"At most {MOST}: take a batch from a file. Nothing was sent.",
        )
