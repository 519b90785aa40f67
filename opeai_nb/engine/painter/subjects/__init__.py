"""Figures: what a prompt names, how it is drawn, how big it is and where it is at home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opeai_nb.engine.painter.raster.canvas import Pen
from opeai_nb.engine.painter.raster.colour import Colour
from opeai_nb.engine.painter.subjects import (
    animals,
    buildings,
    people,
    sitting_animals,
    swimming_and_flying,
    things,
    vehicles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping



    Draw = Callable[[Pen, Colour | None], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """How to draw a subject. *size* is its height in units, *level* where it is by nature.

    Levels: ground, far (on the middle distance), water, air, deep (floats in the middle), across.
    """

    draw: Draw
    home: str
    size: float
    level: str = "ground"
    many: int = 1
    wide: float = 0.4  # half its width, in parts of its height


FIGURES: Mapping[str, Figure] = {
    "cat": Figure(sitting_animals.cat, "room", 0.46),
    "fox": Figure(sitting_animals.fox, "forest", 0.46),
    "wolf": Figure(sitting_animals.wolf, "forest", 0.5),
    "dog": Figure(animals.dog, "hills", 0.42, wide=0.6),
    "owl": Figure(sitting_animals.owl, "forest", 0.44, "air"),
    "bird": Figure(swimming_and_flying.bird, "meadow", 0.36, "air", wide=0.7),
    "flock": Figure(swimming_and_flying.gull, "sea", 0.11, "air", many=7),
    "swan": Figure(swimming_and_flying.swan, "lake", 0.26, "water", wide=0.6),
    "fish": Figure(swimming_and_flying.fish, "underwater", 0.4, "deep", wide=0.7),
    "whale": Figure(swimming_and_flying.whale, "underwater", 0.42, "deep", wide=1.1),
    "jellyfish": Figure(swimming_and_flying.jellyfish, "underwater", 0.42, "deep"),
    "turtle": Figure(swimming_and_flying.turtle, "underwater", 0.4, "deep", wide=0.7),
    "deer": Figure(animals.deer, "forest", 0.46, wide=0.45),
    "rabbit": Figure(sitting_animals.rabbit, "meadow", 0.34),
    "bear": Figure(sitting_animals.bear, "forest", 0.46),
    "panda": Figure(sitting_animals.panda, "forest", 0.46),
    "horse": Figure(animals.horse, "hills", 0.48, wide=0.6),
    "elephant": Figure(animals.elephant, "desert", 0.5, wide=0.65),
    "camel": Figure(animals.camel, "desert", 0.42, wide=0.55),
    "penguin": Figure(sitting_animals.penguin, "arctic", 0.36),
    "butterfly": Figure(swimming_and_flying.butterfly, "meadow", 0.3, "air", wide=0.6),
    "lighthouse": Figure(buildings.lighthouse, "sea", 0.56, "far"),
    "house": Figure(buildings.house, "hills", 0.3, "far", wide=0.6),
    "castle": Figure(buildings.castle, "mountains", 0.46, "far", wide=0.5),
    "pagoda": Figure(buildings.pagoda, "mountains", 0.46, "far"),
    "windmill": Figure(buildings.windmill, "meadow", 0.36, "far"),
    "boat": Figure(vehicles.boat, "sea", 0.36, "water", wide=0.5),
    "balloon": Figure(vehicles.balloon, "hills", 0.4, "air"),
    "rocket": Figure(vehicles.rocket, "space", 0.44, "deep"),
    "train": Figure(vehicles.train, "hills", 0.22, wide=0.5),
    "car": Figure(vehicles.car, "desert", 0.26, wide=0.95),
    "road": Figure(vehicles.road, "hills", 0.4, "across"),
    "bridge": Figure(vehicles.bridge, "lake", 0.46, "across"),
    "person": Figure(people.person, "mountains", 0.34, wide=0.3),
    "portrait": Figure(people.portrait, "studio", 0.78, "bust", wide=0.6),
    "robot": Figure(people.robot, "city", 0.56),
    "astronaut": Figure(people.astronaut, "space", 0.52, "deep", wide=0.5),
    "teapot": Figure(things.teapot, "table", 0.38, wide=0.7),
    "cup": Figure(things.cup, "table", 0.32, wide=0.65),
    "fruit": Figure(things.fruit, "table", 0.34, wide=0.65),
    "vase": Figure(things.vase, "table", 0.5, wide=0.45),
    "book": Figure(things.book, "table", 0.28, wide=0.9),
    "lamp": Figure(things.lamp, "table", 0.4, wide=0.45),
    "tree": Figure(things.tree, "hills", 0.56, wide=0.5),
    "blossom": Figure(things.blossom, "hills", 0.56, wide=0.5),
    "cactus": Figure(things.cactus, "desert", 0.4),
    "mushroom": Figure(things.mushroom, "forest", 0.26, wide=0.5),
    "tent": Figure(buildings.tent, "mountains", 0.22, wide=0.6),
}
