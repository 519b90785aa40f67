"""Where each subject of a scene stands, how big, and in which order it is drawn."""

from __future__ import annotations

from opeai_nb.engine.painter.prompt_reading import Subject
from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import NAMED, scaled
from opeai_nb.engine.painter.raster.shape import ellipse
from opeai_nb.engine.painter.subjects import FIGURES, Figure
from opeai_nb.engine.painter.view import Actor, Placement, View

_AT_MOST = 4  # subjects; more would hide each other
_WATERS = {"sea", "lake", "city"}
_INDOORS = {"room", "table", "studio"}
ORDER = ("far", "across", "air", "water", "deep", "ground", "bust")


def sill_of(view: View) -> float:
    """Return the height of a window's sill, in units from the top."""
    return view.frame.h * 0.5 + min(view.frame.h * 0.27, 0.2 + 0.14 * view.frame.h)


def edge_of(view: View) -> float:
    """Return the height of a table's far edge."""
    return view.frame.h * 0.5 + min(view.frame.h * 0.14, 0.2)


def draw_subjects(view: View) -> None:
    """Draw the view's cast, the far ones first; the scene's subjects where it has none yet."""
    if view.cast is None:
        view.cast = tuple(cast_of(view))
    for actor in view.cast:
        view.begin(actor.subject.kind)
        for placement in actor.placements:
            _draw(view, actor.subject, placement, actor.level)


def cast_of(view: View) -> list[Actor]:
    """Return the scene's subjects, each where it belongs, the far ones first."""
    subjects = [one for one in view.scene.subjects if one.kind in FIGURES][:_AT_MOST]
    placed = [(level_of(view, one), one, number) for number, one in enumerate(subjects)]
    placed.sort(key=lambda item: (ORDER.index(item[0]), item[2] * (-1 if len(subjects) > 1 else 1)))
    cast = []
    for level, subject, number in placed:
        figure = FIGURES[subject.kind]
        main = place_of(view, figure, level, number, len(subjects))
        if subject.kind == "book" and len(subjects) > 1 and level == "ground":
            main = _beside_reader(view, main)
        company = _company(view, figure, subject, main, level)
        cast.append(Actor(subject, level, tuple(company)))
    return cast


def level_of(view: View, subject: Subject) -> str:
    """Return how far back a subject stands in this place: one of `ORDER`."""
    level = FIGURES[subject.kind].level
    if view.setting in _INDOORS:
        return "bust" if level == "bust" else "ground"
    if view.setting in {"space", "underwater"}:
        return "deep" if level != "bust" else level
    if level == "deep":
        level = {"rocket": "air", "astronaut": "ground"}.get(subject.kind, "water")
    if level == "water" and view.setting not in _WATERS:
        level = "ground"
    if level == "ground" and view.setting in {"city", "lake"}:
        level = "quay"
    return "ground" if level == "quay" else level


def place_of(view: View, figure: Figure, level: str, number: int, many: int) -> Placement:
    """Return where the subject of this *number* among so *many* stands."""
    frame, low = view.frame, view.frame.h - view.horizon
    side = -view.light.side
    shift = (0.06, -0.3, 0.34, -0.12)[number] if many > 1 else 0.02
    scale = figure.size * (1.0 if many == 1 else (0.88, 0.74, 0.66, 0.6)[number])
    if figure.size < 0.2:
        scale = figure.size
    x = frame.w / 2 + side * shift * min(frame.w, 1.6)
    y = {
        "far": view.horizon + min(low * 0.22, 0.12),
        "across": view.horizon + 0.06,
        "air": min(view.horizon * 0.82, view.horizon - 0.08),
        "water": view.horizon + low * 0.46,
        "deep": frame.h * 0.5 + scale * 0.5,
        "bust": frame.h * 0.5 + 0.41,
        "ground": min(view.horizon + low * 0.66, view.horizon + 0.42),
    }[level]
    if view.setting == "room":
        y = sill_of(view) + 0.04
    elif view.setting in {"table", "studio"} and level != "bust":
        y = edge_of(view) + min(0.2, (frame.h - edge_of(view)) * 0.45)
    if level == "ground" and view.setting == "sea":
        y = frame.h - 0.07
    if level in {"ground", "water"} and number and view.setting not in _INDOORS:
        y -= min(0.07, low * 0.16)
    if level == "across" and figure.draw.__name__ == "road":
        return Placement(frame.w / 2, frame.h + 0.02, frame.h - view.horizon + 0.02)
    if level == "across":
        scale = max(scale, frame.w / 5.2)
    return Placement(x, y, scale, 1.0 if side < 0 else -1.0)


def _beside_reader(view: View, placement: Placement) -> Placement:
    """Lay the book before the one who reads it."""
    reader = view.frame.w / 2 - view.light.side * 0.06 * min(view.frame.w, 1.6)
    return Placement(reader + placement.flip * 0.27, placement.y + 0.045, 0.2, placement.flip)


def _company(
    view: View, figure: Figure, subject: Subject, main: Placement, level: str
) -> list[Placement]:
    """Return the places of one subject: itself, then its fellows if the words say several."""
    many = max(figure.many, subject.count if level not in {"across", "bust"} else 1)
    placements = [main]
    for number in range(1, many):
        side = 1 if number % 2 else -1
        spread = (0.5 + 0.5 * number) * max(figure.wide, 0.5) * main.scale * 1.35
        share = view.uniform(0.42, 0.7) if figure.many == 1 else view.uniform(0.35, 1.0)
        lift = (
            (view.uniform(-0.15, 0.3) - 0.35 * (number % 2)) * main.scale
            if level in {"air", "deep"}
            else -0.05 * number
        )
        if figure.many > 1:
            lift, spread = view.uniform(-2.2, 0.9) * main.scale, spread * 1.1
        placements.append(
            Placement(main.x + side * spread, main.y + lift, main.scale * share, main.flip)
        )
    return placements[::-1]


def _draw(view: View, subject: Subject, placement: Placement, level: str) -> None:
    colour = NAMED.get(subject.colour or "")
    pen = Pen(view.canvas, view.light, placement.x, placement.y, placement.scale, placement.flip)
    figure = FIGURES[subject.kind]
    if level == "ground" and view.canvas.matte is None:
        _contact(view, placement, figure)
    if level == "far" and view.canvas.matte is None:
        _air_behind(view, placement)
        if view.setting not in _WATERS:
            _contact(view, placement, figure)
    figure.draw(pen, colour)
    afloat = level == "water" and subject.kind != "boat"
    on_rock = level == "far" and view.setting in _WATERS and subject.kind != "castle"
    if (afloat or on_rock) and view.canvas.matte is None:
        _waterline(view, placement, figure)


def _air_behind(view: View, placement: Placement) -> None:
    """Lift a distant building off what is behind it with a veil of bright air."""
    x, y = placement.x, placement.y - placement.scale * 0.5
    view.canvas.glow(x, y, placement.scale * 1.15, scaled(view.light.haze, 0.9), 0.55)


def _contact(view: View, placement: Placement, figure: Figure) -> None:
    """Darken the ground where a figure touches it."""
    wide = figure.wide * placement.scale
    view.canvas.shade(
        placement.x - view.light.side * wide * 0.25,
        placement.y,
        wide * 1.35,
        0.08 * placement.scale + 0.006,
        0.5,
    )


def _waterline(view: View, placement: Placement, figure: Figure) -> None:
    tone = view.light.lit((214, 232, 240))
    for number in range(3):
        wide = figure.wide * placement.scale * (0.95 - 0.2 * number)
        view.canvas.flat(
            [ellipse(placement.x, placement.y + 0.008 + 0.018 * number, wide, 0.0035)],
            tone,
            0.5 - 0.12 * number,
        )
