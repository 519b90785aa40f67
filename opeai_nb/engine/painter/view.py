"""A view: everything that one picture is painted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opeai_nb.engine.painter.elements.light import Light
from opeai_nb.engine.painter.prompt_reading import Scene
from opeai_nb.engine.painter.raster.canvas import Canvas
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from opeai_nb.engine.painter.editing.layers import Layers
    from opeai_nb.engine.painter.prompt_reading import Subject


@dataclass(slots=True)
class Placement:
    """Where a subject stands: its feet in units, and how tall a figure of height 1 is there."""

    x: float
    y: float
    scale: float
    flip: float = 1.0


@dataclass(frozen=True, slots=True)
class Actor:
    """One subject of the cast: how far back it stands, and the places of it and its fellows."""

    subject: Subject
    level: str
    placements: tuple[Placement, ...]  # the nearest last


@dataclass(slots=True)
class View:
    """One picture under way: its canvas, its light, its chance."""

    frame: Frame
    canvas: Canvas
    scene: Scene
    light: Light
    rng: np.random.Generator
    setting: str
    horizon: float  # units from the top
    scenes: Mapping[str, Callable[[View], None]]  # by setting: a window shows another scene
    key: str = ""  # the prompt in its plain form
    variant: int = 0
    detail: float = 1.0  # how finely land is worked out
    cast: tuple[Actor, ...] | None = None  # None: not thought of yet
    hidden: frozenset[str] = frozenset()  # parts of a place that an edit took away
    shown: frozenset[str] = frozenset()  # and those that it asked for
    layers: Layers | None = None  # of a picture that is to be edited
    _texture: Field | None = None

    def texture(self) -> Field:
        """Return this picture's own noise, seamless, 256 pixels a side with 8 cells across it."""
        if self._texture is None:
            from opeai_nb.engine.painter.raster.noise_field import tile

            self._texture = tile(self.rng, 256, 8, 6, 0.55)
        return self._texture

    def begin(self, layer: str) -> None:
        """Say that what is painted from now on belongs to *layer* (sky, land, water …)."""
        if self.layers is not None:
            self.layers.begin(self.canvas, self.rng, layer)

    @property
    def sun(self) -> tuple[float, float]:
        """Where the sun or the moon is, in units."""
        across = 0.5 + self.light.side * 0.27
        return self.frame.w * across, self.horizon * (1 - self.light.high)

    def uniform(self, low: float, high: float) -> float:
        """Return a number by chance."""
        return low + (high - low) * float(self.rng.random())

    def tells(self, weather: str) -> bool:
        """Whether the scene has this weather."""
        return weather in self.scene.weathers
