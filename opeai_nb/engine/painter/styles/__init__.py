"""Styles: hands that paint a finished scene over again in their own technique."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import facet, graphic, lens, wet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL.Image import Image

    from .sheet import Sheet

    Hand = Callable[[Image, Sheet], Image]

HANDS: Mapping[str, Hand] = {
    "watercolour": wet.watercolour,
    "oil": wet.oil,
    "dots": wet.dots,
    "pencil": wet.pencil,
    "ink": graphic.ink,
    "print": graphic.block_print,
    "poster": graphic.poster,
    "comic": graphic.comic,
    "pixel": facet.pixels,
    "lowpoly": facet.low_poly,
    "mosaic": facet.mosaic,
    "neon": lens.neon,
    "photo": lens.photo,
}
# The short side, in pixels, at which each hand wants the scene: what it would blur or
# coarsen anyway need not be painted finer.
SHORT_SIDES: Mapping[str, int] = {
    "watercolour": 640, "oil": 448, "dots": 384, "pencil": 640, "ink": 704, "print": 640,
    "poster": 704, "comic": 640, "pixel": 384, "lowpoly": 448, "mosaic": 448, "neon": 640,
    "photo": 832,
}
