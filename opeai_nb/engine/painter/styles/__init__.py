"""Styles: hands that paint a finished scene over again in their own technique."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.styles import facets, graphic, lens, wet_media
from opeai_nb.engine.painter.styles.paper import Paper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL.Image import Image

    Style = Callable[[Image, Paper], Image]

STYLES: Mapping[str, Style] = {
    "watercolour": wet_media.watercolour,
    "oil": wet_media.oil,
    "dots": wet_media.dots,
    "pencil": wet_media.pencil,
    "ink": graphic.ink,
    "print": graphic.block_print,
    "poster": graphic.poster,
    "comic": graphic.comic,
    "pixel": facets.pixels,
    "lowpoly": facets.low_poly,
    "mosaic": facets.mosaic,
    "neon": lens.neon,
    "photo": lens.photo,
}
# The short side at which each hand wants the scene: at most so many pixels, and so much of the
# picture's own. What it would blur or coarsen anyway need not be painted finer.
SHORT_SIDES: Mapping[str, tuple[int, float]] = {
    "watercolour": (640, 0.7),
    "oil": (448, 0.55),
    "dots": (384, 0.65),
    "pencil": (640, 0.8),
    "ink": (704, 0.75),
    "print": (640, 0.75),
    "poster": (704, 0.8),
    "comic": (640, 0.75),
    "pixel": (384, 0.65),
    "lowpoly": (448, 0.7),
    "mosaic": (448, 0.65),
    "neon": (640, 0.7),
    "photo": (832, 0.8),
}
_TINY = 256  # pixels on the short side; up to it nothing is saved


def working(frame: Frame, style: str) -> Frame:
    """Return the frame in which *style* wants the scene that it will show in *frame*."""
    most, share = SHORT_SIDES[style]
    return frame if frame.unit <= _TINY else frame.reduced(max(1 / share, frame.unit / most))
