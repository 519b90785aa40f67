"""A scene as it is set, and the operations that set it anew: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

from opeai_nb.engine.painter.editing import operations as ops
from opeai_nb.engine.painter.placement import ORDER, level_of, place_of
from opeai_nb.engine.painter.prompt_reading import Scene, Subject
from opeai_nb.engine.painter.subjects import FIGURES
from opeai_nb.engine.painter.view import Actor, Placement, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Staging:
    """What a picture shows, part by part.

    *was* is the setting that it was painted with; *is_bare*: without the style that it had.
    """

    scene: Scene
    setting: str
    time: str
    cast: tuple[Actor, ...]
    was: str
    is_bare: bool = False
    hidden: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    stains: tuple[tuple[str, str], ...] = ()
    backdrop: str | None = None
    season: str | None = None
    is_mirrored: bool = False

    @property
    def has_moved(self) -> bool:
        """Whether it is another place than at first."""
        return self.setting != self.was


def staged(staging: Staging, wanted: Sequence[ops.Operation], view: View) -> Staging:
    """Return the scene after the operations *wanted*; *view* is its stage: frame, light, horizon.

    What names nothing in the scene changes nothing.
    """
    for one in wanted:
        staging = _after(one, staging, view)
    return staging


@singledispatch
def _after(one: ops.Operation, staging: Staging, view: View) -> Staging:  # noqa: ARG001  the others' form
    return staging


@_after.register
def _(one: ops.Recolour, staging: Staging, _view: View) -> Staging:
    kinds = _cast_of(one.target, staging)
    if kinds:
        return _recast(
            staging,
            lambda actor: replace(actor, subject=replace(actor.subject, colour=one.colour)),
            kinds,
        )
    part = _part_of(one.target)
    if part is None:
        return staging
    if part == "flowers":
        return replace(staging, scene=replace(staging.scene, petals=one.colour))
    others = tuple(stain for stain in staging.stains if stain[0] != part)
    return replace(staging, stains=(*others, (part, one.colour)))


@_after.register
def _(one: ops.Replace, staging: Staging, view: View) -> Staging:
    kinds = _cast_of(one.target, staging)
    subjects = one.new.names("subject")
    if kinds and subjects:
        return _exchanged(staging, kinds, one.new, view)
    if not kinds and not subjects and one.new.names("setting"):
        return _after(ops.Place(one.new.names("setting")[0]), staging, view)
    if one.new.names("weather") and not kinds:
        without = _after(ops.Remove(one.target), staging, view)
        return _after(ops.Weather(one.new.names("weather")[0]), without, view)
    return _after(ops.Add(one.new), _after(ops.Remove(one.target), staging, view), view)


def _exchanged(staging: Staging, kinds: tuple[str, ...], noun: ops.Noun, view: View) -> Staging:
    """Return it with each subject of *kinds* replaced where it stands, once for all of them."""
    first = next(actor for actor in staging.cast if actor.subject.kind in kinds)
    kind = noun.names("subject")[0]
    if kind not in FIGURES:
        return _after(ops.Add(noun), _recast(staging, lambda _: None, kinds), view)
    new = _standing_in(first, Subject(kind, noun.colour, max(1, noun.count)), staging, view)
    if noun.count:
        new = replace(new, placements=_company(new, noun.count, view))
    cast = [new if actor is first else actor for actor in staging.cast]
    kept = tuple(one for one in cast if one is new or one.subject.kind not in kinds)
    scene = replace(staging.scene, subjects=tuple(one.subject for one in kept))
    return replace(staging, cast=kept, scene=scene)


def _standing_in(actor: Actor, subject: Subject, staging: Staging, view: View) -> Actor:
    """Return *subject* where *actor* stands, in its own size, at the depth it belongs to."""
    stage = _stage(view, staging)
    old, new = FIGURES[actor.subject.kind], FIGURES[subject.kind]
    level = level_of(stage, subject)
    own = place_of(stage, new, level, 0, 1)
    places = []
    for place in actor.placements:
        share = place.scale / old.size
        y = place.y if level == actor.level else own.y
        places.append(Placement(place.x, y, own.scale * share, place.flip))
    if level == "across":
        places = [own]
    return Actor(subject, level, tuple(places))


@_after.register
def _(one: ops.Remove, staging: Staging, _view: View) -> Staging:
    kinds = _cast_of(one.target, staging)
    if kinds:
        return _recast(staging, lambda _: None, kinds)
    lights = set(one.target.names("part")) & {"sun", "moon", "stars", "trees", "flowers"}
    weathers = set(one.target.names("weather"))
    gone = lights | (weathers & {"cloud"})
    scene = replace(
        staging.scene,
        weathers=tuple(name for name in staging.scene.weathers if name not in weathers),
        subjects=tuple(s for s in staging.scene.subjects if s.kind != "moon" or "moon" not in gone),
    )
    season = None if weathers & {"snow", "autumn"} else staging.season
    hidden, shown = staging.hidden | gone, staging.shown - gone
    return replace(staging, scene=scene, hidden=hidden, shown=shown, season=season)


@_after.register
def _(one: ops.Add, staging: Staging, view: View) -> Staging:
    kinds = [kind for kind in one.new.names("subject") if kind in FIGURES]
    lights = set(one.new.names("part")) & {"sun", "moon", "stars"}
    if kinds:
        return _joined(staging, Subject(kinds[0], one.new.colour, max(1, one.new.count)), view)
    if lights:
        moon = (Subject("moon"),) if "moon" in lights and not staging.scene.has("moon") else ()
        scene = replace(staging.scene, subjects=(*staging.scene.subjects, *moon))
        return replace(
            staging, scene=scene, shown=staging.shown | lights, hidden=staging.hidden - lights
        )
    if "trees" in one.new.names("part") and "trees" in staging.hidden:
        return replace(staging, hidden=staging.hidden - {"trees"})
    if one.new.names("setting"):
        return _after(ops.Place(one.new.names("setting")[0]), staging, view)
    return staging


def _joined(staging: Staging, subject: Subject, view: View) -> Staging:
    stage = _stage(view, staging)
    figure = FIGURES[subject.kind]
    level = level_of(stage, subject)
    crowd = len(staging.cast)
    place = place_of(stage, figure, level, min(3, crowd), min(4, crowd + 1))
    if crowd and level != "across":
        place = replace(place, x=_free(place.x, staging.cast, view))
    if crowd and level in {"air", "deep"}:
        place = _aloft(place, staging.cast, view)
    actor = Actor(subject, level, (place,))
    many = max(figure.many, subject.count)
    if many > 1:
        actor = replace(actor, placements=_company(actor, many, view))
    cast = tuple(sorted((*staging.cast, actor), key=lambda one: ORDER.index(one.level)))
    scene = replace(staging.scene, subjects=(*staging.scene.subjects, subject))
    return replace(staging, cast=cast, scene=scene)


def _aloft(place: Placement, cast: Sequence[Actor], view: View) -> Placement:
    """Return *place* above what floats there already, or below it where that is the free half."""
    middles = [one.y - one.scale / 2 for actor in cast for one in actor.placements]
    high = sum(middles) / len(middles) > view.frame.h * 0.44
    scale = place.scale * 0.75
    return replace(place, scale=scale, y=view.frame.h * (0.24 if high else 0.72) + scale / 2)


def _free(x: float, cast: Sequence[Actor], view: View) -> float:
    """Return the place across that is farthest from everybody, near *x* where two are as far."""
    taken = [place.x for actor in cast if actor.level != "across" for place in actor.placements]
    spots = [view.frame.w * share for share in (0.16, 0.26, 0.36, 0.5, 0.64, 0.74, 0.84)]
    if not taken:
        return x
    return max(spots, key=lambda s: (min(0.42, *(abs(s - t) for t in taken)), -abs(s - x)))


@_after.register
def _(one: ops.Count, staging: Staging, view: View) -> Staging:
    kinds = _cast_of(one.target, staging)
    if not kinds:
        many = max(1, one.many)
        return _after(ops.Add(replace(one.target, count=many)), staging, view)

    def counted(actor: Actor) -> Actor:
        many = one.many or len(actor.placements) + one.more
        subject = replace(actor.subject, count=many)
        return replace(actor, subject=subject, placements=_company(actor, many, view))

    return _recast(staging, counted, kinds[:1])


def _company(actor: Actor, many: int, view: View) -> tuple[Placement, ...]:
    """Return the places of *many*: side by side in the frame, smaller where they need room."""
    if many <= len(actor.placements):
        return actor.placements[-many:]
    main, room = actor.placements[-1], view.frame.w * 0.94
    wide = max(FIGURES[actor.subject.kind].wide, 0.3) * 2 * main.scale
    share = min(1.0, room / (wide * many))
    step = min(wide * share * 1.12, room / many)
    middle = min(max(main.x, step * many / 2), view.frame.w - step * many / 2)
    floats = actor.level in {"air", "deep"}
    places = []
    for number in range(many):
        back = number % 2
        size = main.scale * share * (0.86 if back else 1.0)
        lift = (0.3 if floats else 0.06) * size * back
        x = middle + step * (number - (many - 1) / 2)
        places.append(Placement(x, main.y - lift, size, main.flip))
    return tuple(sorted(places, key=lambda place: place.y))


@_after.register
def _(one: ops.Resize, staging: Staging, _view: View) -> Staging:
    kinds = _cast_of(one.target, staging) if one.target else _main(staging)

    def resized(actor: Actor) -> Actor:
        places = tuple(
            replace(place, scale=min(1.4, place.scale * one.factor)) for place in actor.placements
        )
        return replace(actor, placements=places)

    return _recast(staging, resized, kinds)


@_after.register
def _(one: ops.Move, staging: Staging, view: View) -> Staging:
    kinds = _cast_of(one.target, staging) if one.target else _main(staging)
    goals = {"left": 0.2, "middle": 0.5, "right": 0.8}
    lift = {"up": -0.12, "down": 0.1}.get(one.where, 0.0)

    def moved(actor: Actor) -> Actor:
        main = actor.placements[-1]
        goal = goals.get(one.where)
        shift = 0.0 if goal is None else view.frame.w * goal - main.x
        places = tuple(
            replace(place, x=place.x + shift, y=place.y + lift) for place in actor.placements
        )
        return replace(actor, placements=places)

    return _recast(staging, moved, kinds)


@_after.register
def _(_one: ops.Mirror, staging: Staging, _view: View) -> Staging:
    return replace(staging, is_mirrored=not staging.is_mirrored)


@_after.register
def _(one: ops.Hour, staging: Staging, _view: View) -> Staging:
    scene = replace(staging.scene, times=(one.time,))
    hidden = staging.hidden - {"stars", "moon"} if one.time == "night" else staging.hidden
    if one.time != "night":
        subjects = tuple(subject for subject in scene.subjects if subject.kind != "moon")
        weathers = tuple(name for name in scene.weathers if name != "aurora")
        scene = replace(scene, subjects=subjects, weathers=weathers)
    shown = staging.shown - {"moon", "stars"}
    return replace(staging, scene=scene, time=one.time, hidden=hidden, shown=shown)


_OFF_SEASON = {
    "winter": {"autumn", "rain", "rainbow"},
    "autumn": {"snow"},
    "spring": {"snow", "autumn", "fog"},
    "summer": {"snow", "autumn", "fog", "rain"},
}


@_after.register
def _(one: ops.Season, staging: Staging, view: View) -> Staging:
    weathers = [w for w in staging.scene.weathers if w not in _OFF_SEASON[one.name]]
    if one.name in {"winter", "autumn"}:
        weathers.append({"winter": "snow"}.get(one.name, one.name))
    scene = replace(staging.scene, weathers=tuple(dict.fromkeys(weathers)))
    hidden = staging.hidden - {"flowers", "trees"}
    if one.name in {"winter", "autumn"}:
        hidden = hidden | {"flowers"}
    staging = replace(staging, scene=scene, season=one.name, hidden=hidden)
    if one.name == "summer":
        return _after(ops.Hour("day"), staging, view)
    return staging


_AGAINST = {
    "clear": {"rain", "fog", "cloud"},
    "snow": {"rain", "autumn"},
    "rain": {"snow", "rainbow"},
    "autumn": {"snow"},
}


@_after.register
def _(one: ops.Weather, staging: Staging, view: View) -> Staging:
    against = _AGAINST.get(one.name, set())
    weathers = [name for name in staging.scene.weathers if name not in against]
    hidden = staging.hidden - {"cloud"}
    if one.name == "clear":
        hidden = hidden | {"cloud"}
    elif one.name not in weathers:
        weathers.append(one.name)
    scene = replace(staging.scene, weathers=tuple(weathers))
    staging = replace(staging, scene=scene, hidden=hidden)
    if one.name == "aurora":
        return _after(ops.Hour("night"), staging, view)
    return replace(staging, season="winter") if one.name == "snow" else staging


@_after.register
def _(one: ops.Place, staging: Staging, view: View) -> Staging:
    if one.setting == staging.setting:
        return staging
    if one.setting == "plain" and not staging.cast:
        sky = ops.Recolour(ops.Noun((("part", "sky"),)), one.colour or "white")
        return _after(sky, staging, view)
    scene = replace(staging.scene, settings=(one.setting,))
    setting = one.setting if one.setting != "studio" else "plain"
    return replace(staging, scene=scene, setting=setting, backdrop=one.colour, stains=())


@_after.register
def _(_one: ops.Style, staging: Staging, _view: View) -> Staging:
    return replace(staging, is_bare=True)


def _stage(view: View, staging: Staging) -> View:
    """Return *view* with the place that *staging* has now."""
    setting = "studio" if staging.setting == "plain" else staging.setting
    return replace(view, setting=setting, scene=staging.scene, layers=None)


def _main(staging: Staging) -> tuple[str, ...]:
    return tuple(actor.subject.kind for actor in staging.cast[-1:])


# A word means its neighbour where the neighbour alone is there: "the bird" of a flock.
_KIN: tuple[frozenset[str], ...] = (
    frozenset({"bird", "flock", "owl", "swan"}),
    frozenset({"person", "portrait"}),
    frozenset({"tree", "blossom"}),
    frozenset({"wolf", "dog"}),
    frozenset({"house", "castle", "pagoda"}),
    frozenset({"cup", "teapot"}),
)


def _cast_of(noun: ops.Noun, staging: Staging) -> tuple[str, ...]:
    """Return the kinds of the cast that *noun* means."""
    there = [actor.subject.kind for actor in staging.cast]
    named = [kind for kind in noun.names("subject") if kind in there]
    if named or not noun.names("subject"):
        return tuple(named)
    kin = {one for group in _KIN for one in group if set(noun.names("subject")) & group}
    return tuple(kind for kind in there if kind in kin)


_LAYERS = {
    "sea": "water",
    "lake": "water",
    "mountains": "land",
    "hills": "land",
    "desert": "land",
    "arctic": "land",
    "forest": "trees",
    "city": "buildings",
    "meadow": "land",
    "table": "table",
    "room": "wall",
    "space": "space",
    "underwater": "underwater",
}


def _part_of(noun: ops.Noun) -> str | None:
    """Return the layer that *noun* means: a part, or the place itself."""
    parts = [name for name in noun.names("part") if name not in {"background", "everything"}]
    if parts:
        return parts[0]
    return next((_LAYERS[name] for name in noun.names("setting") if name in _LAYERS), None)


def _recast(
    staging: Staging,
    change: Callable[[Actor], Actor | None],
    kinds: Sequence[str],
) -> Staging:
    """Return it with each actor of *kinds* as *change* returns it; None takes it away."""
    cast = []
    for actor in staging.cast:
        new = change(actor) if actor.subject.kind in kinds else actor
        if new is not None:
            cast.append(new)
    gone = set(kinds) - {actor.subject.kind for actor in cast}
    subjects = tuple(one for one in staging.scene.subjects if one.kind not in gone)
    return replace(staging, cast=tuple(cast), scene=replace(staging.scene, subjects=subjects))
