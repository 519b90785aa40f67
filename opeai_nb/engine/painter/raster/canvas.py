"""The canvas: shapes laid over one another with soft edges, and a matte of what is not ground."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from opeai_nb.engine.painter.elements.light import Light
from opeai_nb.engine.painter.raster.colour import Colour, mixed, ramp, scaled, whole
from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field
from opeai_nb.engine.painter.raster.shape import Outline, placed, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    Patch = tuple[Image.Image, tuple[int, int]]

# The order of a 4 x 4 Bayer matrix breaks up the steps of a slow gradient and still packs well.
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16

_GLOW = 128  # pixels across the picture of a glow
_SHADES = np.linspace(-1, 1, 128, dtype=np.float32)


def dithered(field: Field) -> Image.Image:
    """Return a picture of *field* (rows, columns, 3; 0 to 255) without visible steps."""
    return enlarged(field, (field.shape[1], field.shape[0]))


def enlarged(field: Field, size: tuple[int, int]) -> Image.Image:
    """Return a picture of *size* from a coarser *field* (rows, columns, 3; 0 to 255).

    The pattern goes on before the enlargement: whole numbers grow four times as fast as floats.
    """
    rows, columns = field.shape[:2]
    pattern = np.tile(BAYER, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns, None]
    broken = field + pattern
    np.clip(broken, 0, 255, out=broken)
    image = Image.fromarray(broken.astype(np.uint8))
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)


class Canvas:
    """An RGB picture under way. *matte*, if kept, gathers what stands before the ground."""

    def __init__(self, frame: Frame, *, keeps_matte: bool = False) -> None:
        self.frame = frame
        self.image = Image.new("RGB", frame.size)
        self.matte = Image.new("L", frame.size) if keeps_matte else None

    def patch(self, outlines: Sequence[Outline], opacity: float = 1.0) -> Patch | None:
        """Return the soft-edged mask of *outlines* (units) and its corner, or None if outside."""
        every = np.concatenate(outlines) * self.frame.unit
        (x0, y0), (x1, y1) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
        left, top = max(math.floor(x0) - 1, 0), max(math.floor(y0) - 1, 0)
        width = min(math.ceil(x1) + 1, self.frame.width) - left
        height = min(math.ceil(y1) + 1, self.frame.height) - top
        if width <= 0 or height <= 0:
            return None
        fine = 4 if width * height < 20_000 else 2 if width * height > 80_000 else 3
        mask = Image.new("L", (width * fine, height * fine))
        pen = ImageDraw.Draw(mask)
        every -= (left, top)
        every *= fine
        flat, start, fill = every.ravel().tolist(), 0, round(255 * opacity)
        for one in outlines:
            pen.polygon(flat[start : start + one.size], fill=fill)
            start += one.size
        return mask.reduce(fine), (left, top)

    def lay(self, patch: Patch | None, fill: Image.Image | Colour, *, ground: bool = False) -> None:
        """Cover the patch with a colour or a picture of the patch's size."""
        if patch is None:
            return
        mask, corner = patch
        area = (*corner, corner[0] + mask.width, corner[1] + mask.height)
        if isinstance(fill, Image.Image):
            self.image.paste(fill, area, mask)
        else:
            self.image.paste(whole(fill), area, mask)
        if self.matte is not None and not ground:
            self.matte.paste(255, area, mask)

    def flat(
        self,
        outlines: Sequence[Outline],
        colour: Colour,
        opacity: float = 1.0,
        *,
        ground: bool = False,
    ) -> None:
        """Fill *outlines* with one colour."""
        self.lay(self.patch(outlines, opacity), colour, ground=ground)

    def graded(
        self,
        outlines: Sequence[Outline],
        top: Colour,
        bottom: Colour,
        opacity: float = 1.0,
        *,
        ground: bool = False,
        across: bool = False,
        fades: bool = False,
    ) -> None:
        """Fill *outlines* from *top* to *bottom* (or left to right); its foot may fade away."""
        patch = self.patch(outlines, opacity)
        if patch is None:
            return
        size = patch[0].size
        if fades:
            fall = Image.linear_gradient("L").point([min(255, 2 * (255 - v)) for v in range(256)])
            patch = ImageChops.multiply(patch[0], fall.resize(size)), patch[1]
        length = max(2, size[0] if across else size[1])
        line = shares(length)[:, None] * np.subtract(bottom, top) + (np.array(top) + 0.5)
        strip = Image.frombytes(
            "RGB",
            (length, 1) if across else (1, length),
            np.clip(line, 0, 255).astype(np.uint8).tobytes(),
        )
        self.lay(patch, strip.resize(size, Image.Resampling.NEAREST), ground=ground)

    def round(
        self,
        outlines: Sequence[Outline],
        colour: Colour,
        light: Light,
        *,
        depth: float = 1.0,
        gloss: float = 0.0,
    ) -> None:
        """Fill *outlines* as a rounded body: lit on the light's side, shaded on the other."""
        patch = self.patch(outlines)
        if patch is None:
            return
        mask = patch[0]
        shade = _relief(mask, light, depth)
        lit, dark = light.lit(scaled(colour, 1.06)), light.on(scaled(colour, 0.62))
        mid = mixed(light.on(colour), light.lit(colour), 0.45)
        shine = lit[0] + 70 * gloss, lit[1] + 70 * gloss, lit[2] + 70 * gloss
        tones = ramp(((-1.0, dark), (-0.1, mid), (0.75, lit), (1.0, shine)), _SHADES)
        table = np.clip(tones, 0, 255).astype(np.uint8)
        small = Image.fromarray(table.take(((shade + 1) * 63.5).astype(np.uint8), axis=0))
        self.lay(patch, small.resize(mask.size, Image.Resampling.BILINEAR))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add light that fades from (x, y) outwards."""
        unit, (width, height) = self.frame.unit, self.frame.size
        left, top = max(round((x - radius) * unit), 0), max(round((y - radius) * unit), 0)
        right = min(round((x + radius) * unit), width)
        low = min(round((y + radius) * unit), height)
        if right <= left or low <= top:
            return
        scale = _GLOW / (2 * radius)
        seen = [
            min(_GLOW, max(0.0, (edge / unit - place + radius) * scale))
            for edge, place in ((left, x), (top, y), (right, x), (low, y))
        ]
        fall = _fall().resize(
            (right - left, low - top),
            Image.Resampling.BILINEAR,
            (seen[0], seen[1], seen[2], seen[3]),
        )
        tables = np.outer(np.multiply(colour, strength / 255), np.arange(256)) + 0.5
        bright = Image.merge(
            "RGB", [fall.point(table) for table in np.clip(tables, 0, 255).astype(int).tolist()]
        )
        area = (left, top, right, low)
        self.image.paste(ImageChops.screen(self.image.crop(area), bright), area)

    def shade(self, x: float, y: float, rx: float, ry: float, strength: float) -> None:
        """Darken a soft ellipse around (x, y)."""
        unit = self.frame.unit
        low = np.maximum([round((x - rx) * unit), round((y - ry) * unit)], 0)
        high = np.minimum([round((x + rx) * unit), round((y + ry) * unit)], self.frame.size)
        if (high <= low).any():
            return
        across = (np.linspace(low[0], high[0], 48, dtype=np.float32) / unit - x) / rx
        down = (np.linspace(low[1], high[1], 24, dtype=np.float32) / unit - y) / ry
        fall = np.clip(1 - across[None, :] ** 2 - down[:, None] ** 2, 0, 1) ** 1.3
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        mask = Image.fromarray((fall * np.float32(255 * strength)).astype(np.uint8)).resize(
            size, Image.Resampling.BILINEAR
        )
        self.image.paste((10, 8, 18), (int(low[0]), int(low[1]), int(high[0]), int(high[1])), mask)


@cache
def _fall() -> Image.Image:
    """Return how a glow fades, 255 in its middle and 0 on the circle that touches the sides."""
    place = (np.arange(_GLOW, dtype=np.float32) + 0.5) / (_GLOW / 2) - 1
    far = np.sqrt(place[None, :] ** 2 + place[:, None] ** 2)
    return Image.fromarray((np.clip(1 - far, 0, 1) ** 2.2 * 255).astype(np.uint8))


def _relief(mask: Image.Image, light: Light, depth: float) -> Field:
    """Return how much each part of the mask, seen as a dome, faces the light: -1 to 1."""
    longest = max(mask.size)
    factor = max(1.0, longest / 44)
    size = (max(3, round(mask.width / factor)), max(3, round(mask.height / factor)))
    small = mask.resize(size, Image.Resampling.BOX)
    border = max(2, min(size) // 3)
    wide = Image.new("L", (size[0] + 2 * border, size[1] + 2 * border))
    wide.paste(small, (border, border))
    dome = np.asarray(wide.filter(ImageFilter.GaussianBlur(max(1.0, min(size) * 0.18))), np.float32)
    columns, rows = (slice(border, border + side) for side in size)
    after_x, before_x = (slice(border + d, border + d + size[0]) for d in (1, -1))
    after_y, before_y = (slice(border + d, border + d + size[1]) for d in (1, -1))
    bulge = min(size) * 0.36 * depth / 2 / 255
    facing = (dome[after_y, columns] - dome[before_y, columns]) * np.float32(0.65 * bulge)
    facing -= (dome[rows, after_x] - dome[rows, before_x]) * np.float32(0.75 * light.side * bulge)
    facing += np.float32(0.12)
    answer: Field = np.clip(facing, -1, 1)
    return answer


class Pen:
    """A canvas seen from a figure's own space: feet at (0, 0), y up, one figure high."""

    def __init__(
        self, canvas: Canvas, light: Light, x: float, y: float, scale: float, flip: float = 1.0
    ) -> None:
        self.canvas, self.light = canvas, light
        self.x, self.y, self.scale, self.flip = x, y, scale, flip

    def _placed(self, outlines: Sequence[Outline]) -> list[Outline]:
        return [placed(one, self.x, self.y, self.scale, self.flip) for one in outlines]

    def flat(self, *outlines: Outline, colour: Colour, opacity: float = 1.0) -> None:
        """Fill with one colour, as the scene's light shows it."""
        self.canvas.flat(self._placed(outlines), self.shown(colour), opacity)

    def raw(self, *outlines: Outline, colour: Colour, opacity: float = 1.0) -> None:
        """Fill with exactly this colour: a lamp, a glint, a shadow."""
        self.canvas.flat(self._placed(outlines), colour, opacity)

    def round(
        self, *outlines: Outline, colour: Colour, depth: float = 1.0, gloss: float = 0.0
    ) -> None:
        """Fill as a rounded body under the scene's light."""
        self.canvas.round(self._placed(outlines), colour, self.light, depth=depth, gloss=gloss)

    def graded(
        self,
        *outlines: Outline,
        top: Colour,
        bottom: Colour,
        across: bool = False,
        fades: bool = False,
    ) -> None:
        """Fill from one colour to another, as the scene's light shows them."""
        first, last = self.shown(top), self.shown(bottom)
        if across and self.flip < 0:
            first, last = last, first
        self.canvas.graded(self._placed(outlines), first, last, across=across, fades=fades)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add light around a point."""
        self.canvas.glow(
            self.x + x * self.scale * self.flip,
            self.y - y * self.scale,
            radius * self.scale,
            colour,
            strength,
        )

    def shade(self, x: float, y: float, rx: float, ry: float, strength: float) -> None:
        """Darken the ground softly around a point, unless the ground is left out."""
        if self.canvas.matte is None:
            self.canvas.shade(
                self.x + x * self.scale * self.flip,
                self.y - y * self.scale,
                rx * self.scale,
                ry * self.scale,
                strength,
            )

    def shown(self, colour: Colour) -> Colour:
        """Return how *colour* looks between this scene's light and shade."""
        return mixed(self.light.on(colour), self.light.lit(colour), 0.5)
