"""The layers of a picture under way: whose pixels are whose, and the chance that each part had.

A changed picture keeps what stays only if each part draws the numbers that it drew before,
whatever was drawn more or less in between: stars that came, a tree that went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from opeai_nb.engine.painter.raster.canvas import Canvas


Chances = dict[str, list[Any]]
_SEEN = 10  # of 255: a pixel that changed less is still that of the layer below


class Layers:
    """Notes of one painting; *chances*, of another one, are what its parts begin with again."""

    def __init__(self, canvas: Canvas, chances: Mapping[str, list[Any]] | None = None) -> None:
        self.chances: Chances = {}
        self._before = chances or {}
        self._canvas = canvas
        self._seen = canvas.image.copy()
        self._labels = Image.new("L", canvas.frame.size)
        self._names: list[str] = [""]
        self._now = ""

    def begin(self, canvas: Canvas, rng: np.random.Generator, layer: str) -> None:
        """Let what is painted from now on be *layer*'s; "" is a veil, which covers nobody."""
        self._settle()
        if canvas is self._canvas:
            self._now = layer
        turns = self.chances.setdefault(layer, [])
        before = self._before.get(layer, [])
        if len(turns) < len(before):
            rng.bit_generator.state = before[len(turns)]
        turns.append(rng.bit_generator.state)

    def mask(self, layer: str) -> Image.Image:
        """Return an L picture of the canvas's size, 255 where *layer* is to be seen."""
        self._settle()
        if layer not in self._names:
            return Image.new("L", self._labels.size)
        number = self._names.index(layer)
        return self._labels.point([255 if v == number else 0 for v in range(256)])

    def _settle(self) -> None:
        image = self._canvas.image
        if self._now:
            if self._now not in self._names:
                self._names.append(self._now)
            red, green, blue = ImageChops.difference(image, self._seen).split()
            most = ImageChops.lighter(red, ImageChops.lighter(green, blue))
            changed = most.point([255 if v > _SEEN else 0 for v in range(256)])
            self._labels.paste(self._names.index(self._now), mask=changed)
        self._seen = image.copy()
