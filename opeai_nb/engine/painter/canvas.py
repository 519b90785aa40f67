"""The canvas: shapes laid over one another with soft edges, and a matte of what is not ground."""
# ruff: noqa: PLR0917 - coordinates go by position, as in every drawing library
# ruff: noqa: PLR2004 - a picture is measures found by eye, and each stands where it is used

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .colour import mixed, scaled, whole
from .shape import placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .colour import Colour
    from .field import Field
    from .frame import Frame
    from .light import Light
    from .shape import Outline

    Patch = tuple[Image.Image, tuple[int, int]]

# The order of a 4 x 4 Bayer matrix breaks up the steps of a slow gradient and still packs well.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16


def dithered(field: Field) -> Image.Image:
    """Answer a picture of *field* (rows, columns, 3; 0 to 255) without visible steps."""
    return enlarged(field, (field.shape[1], field.shape[0]))


def enlarged(field: Field, size: tuple[int, int]) -> Image.Image:
    """Answer a picture of *size* from a coarser *field* (rows, columns, 3; 0 to 255)."""
    width, height = size
    pattern = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
    planes = []
    for channel in range(3):
        plane = np.array(field[..., channel], np.float32, order="C")
        if field.shape[:2] != (height, width):
            image = Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)
            plane = np.array(image, np.float32)
        plane += pattern
        np.clip(plane, 0, 255, out=plane)
        planes.append(Image.fromarray(plane.astype(np.uint8)))
    return Image.merge("RGB", planes)


class Canvas:
    """An RGB picture under way. *matte*, if kept, gathers what stands before the ground."""

    def __init__(self, frame: Frame, *, keeps_matte: bool = False) -> None:
        self.frame = frame
        self.image = Image.new("RGB", frame.size)
        self.matte = Image.new("L", frame.size) if keeps_matte else None

    def patch(self, outlines: Sequence[Outline], opacity: float = 1.0) -> Patch | None:
        """Answer the soft-edged mask of *outlines* (units) and its corner, or None if outside."""
        unit = self.frame.unit
        every = np.concatenate(list(outlines)) * unit
        low = np.maximum(np.floor(every.min(axis=0)) - 1, 0).astype(int)
        high = np.minimum(np.ceil(every.max(axis=0)) + 1, self.frame.size).astype(int)
        width, height = int(high[0] - low[0]), int(high[1] - low[1])
        if width <= 0 or height <= 0:
            return None
        fine = 4 if width * height < 40_000 else 2 if width * height > 160_000 else 3
        mask = Image.new("L", (width * fine, height * fine))
        pen = ImageDraw.Draw(mask)
        for one in outlines:
            pen.polygon(((one * unit - low) * fine).ravel().tolist(), fill=round(255 * opacity))
        return mask.reduce(fine), (int(low[0]), int(low[1]))

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

    def flat(self, outlines: Sequence[Outline], colour: Colour, opacity: float = 1.0,
             *, ground: bool = False) -> None:
        """Fill *outlines* with one colour."""
        self.lay(self.patch(outlines, opacity), colour, ground=ground)

    def graded(self, outlines: Sequence[Outline], top: Colour, bottom: Colour,
               opacity: float = 1.0, *, ground: bool = False, across: bool = False) -> None:
        """Fill *outlines* from *top* to *bottom* (or from left to right)."""
        patch = self.patch(outlines, opacity)
        if patch is None:
            return
        size = patch[0].size
        length = size[0] if across else size[1]
        steps = np.linspace(0, 1, max(2, length), dtype=np.float32)[:, None]
        line = np.array(top, np.float32) * (1 - steps) + np.array(bottom, np.float32) * steps
        strip = Image.fromarray(np.clip(line + 0.5, 0, 255).astype(np.uint8)[:, None, :])
        if across:
            strip = strip.transpose(Image.Transpose.TRANSPOSE)
        self.lay(patch, strip.resize(size, Image.Resampling.NEAREST), ground=ground)

    def round(self, outlines: Sequence[Outline], colour: Colour, light: Light,
              *, depth: float = 1.0, gloss: float = 0.0) -> None:
        """Fill *outlines* as a rounded body: lit on the light's side, shaded on the other."""
        patch = self.patch(outlines)
        if patch is None:
            return
        mask = patch[0]
        shade = _relief(mask, light, depth)
        lit, dark = light.lit(scaled(colour, 1.06)), light.on(scaled(colour, 0.62))
        mid = mixed(light.on(colour), light.lit(colour), 0.45)
        colours = np.empty((*shade.shape, 3), np.float32)
        for channel in range(3):
            colours[..., channel] = np.interp(
                shade, [-1.0, -0.1, 0.75, 1.0],
                [dark[channel], mid[channel], lit[channel], lit[channel] + 70 * gloss])
        small = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
        self.lay(patch, small.resize(mask.size, Image.Resampling.BILINEAR))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add light that fades from (x, y) outwards."""
        unit = self.frame.unit
        low = np.maximum([round((x - radius) * unit), round((y - radius) * unit)], 0)
        high = np.minimum([round((x + radius) * unit), round((y + radius) * unit)], self.frame.size)
        if (high <= low).any():
            return
        area = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        step = 4 if min(high - low) > 64 else 1
        across = (np.arange(area[0], area[2], step, dtype=np.float32) / unit - x) / radius
        down = (np.arange(area[1], area[3], step, dtype=np.float32) / unit - y) / radius
        fall = np.clip(1 - np.sqrt(across[None, :] ** 2 + down[:, None] ** 2), 0, 1) ** 2.2
        light = fall[..., None] * (np.array(colour, np.float32) * np.float32(strength))
        size = (area[2] - area[0], area[3] - area[1])
        bright = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).resize(
            size, Image.Resampling.BILINEAR)
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
            size, Image.Resampling.BILINEAR)
        self.image.paste((10, 8, 18), (int(low[0]), int(low[1]), int(high[0]), int(high[1])), mask)


def _relief(mask: Image.Image, light: Light, depth: float) -> Field:
    """Answer how much each part of the mask, seen as a dome, faces the light: -1 to 1."""
    longest = max(mask.size)
    factor = max(1.0, longest / 56)
    size = (max(3, round(mask.width / factor)), max(3, round(mask.height / factor)))
    small = mask.resize(size, Image.Resampling.BOX)
    border = max(2, min(size) // 3)
    wide = Image.new("L", (size[0] + 2 * border, size[1] + 2 * border))
    wide.paste(small, (border, border))
    dome = np.asarray(wide.filter(ImageFilter.GaussianBlur(max(1.0, min(size) * 0.18))), np.float32)
    inner: Field = dome[border:-border, border:-border] / 255
    down, across = np.gradient(inner)
    side = np.float32(0.75 * light.side)
    bulge = np.float32(min(size) * 0.36 * depth)
    facing = np.asarray((down * np.float32(0.65) - across * side) * bulge + np.float32(0.12))
    answer: Field = np.clip(facing, -1, 1)
    return answer


class Pen:
    """A canvas seen from a figure's own space: feet at (0, 0), y up, one figure high."""

    def __init__(self, canvas: Canvas, light: Light, x: float, y: float, scale: float,
                 flip: float = 1.0) -> None:
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

    def round(self, *outlines: Outline, colour: Colour, depth: float = 1.0,
              gloss: float = 0.0) -> None:
        """Fill as a rounded body under the scene's light."""
        self.canvas.round(self._placed(outlines), colour, self.light, depth=depth, gloss=gloss)

    def graded(self, *outlines: Outline, top: Colour, bottom: Colour, across: bool = False) -> None:
        """Fill from one colour to another, as the scene's light shows them."""
        first, last = self.shown(top), self.shown(bottom)
        if across and self.flip < 0:
            first, last = last, first
        self.canvas.graded(self._placed(outlines), first, last, across=across)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Add light around a point."""
        self.canvas.glow(self.x + x * self.scale * self.flip, self.y - y * self.scale,
                         radius * self.scale, colour, strength)

    def shade(self, x: float, y: float, rx: float, ry: float, strength: float) -> None:
        """Darken the ground softly around a point, unless the ground is left out."""
        if self.canvas.matte is None:
            self.canvas.shade(self.x + x * self.scale * self.flip, self.y - y * self.scale,
                              rx * self.scale, ry * self.scale, strength)

    def shown(self, colour: Colour) -> Colour:
        """Answer how *colour* looks between this scene's light and shade."""
        return mixed(self.light.on(colour), self.light.lit(colour), 0.5)
