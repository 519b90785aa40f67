"""The sheet a style works on: the size wanted, and the chance and inks it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from opeai_nb.engine.painter.raster.frame import Frame
from opeai_nb.engine.painter.raster.noise_field import Field

if TYPE_CHECKING:
    from collections.abc import Callable


_VALUES = np.arange(256, dtype=np.float32)
Texture = TypeVar("Texture", bound=npt.NDArray[Any])


@dataclass(frozen=True, slots=True)
class Paper:
    """What a hand is given beside the picture. *fineness* 1 is usual, less is coarser."""

    frame: Frame
    rng: np.random.Generator
    tints: tuple[str, ...] = ()
    fineness: float = 1.0
    has_margin: bool = True  # whether bare paper may show round the picture


def floats(image: Image.Image) -> Field:
    """Return a picture's pixels as float32."""
    return np.asarray(image).astype(np.float32)


def picture(field: Field) -> Image.Image:
    """Return a picture of *field*, 0 to 255."""
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def grown(image: Image.Image, frame: Frame, *, crisp: bool = True) -> Image.Image:
    """Return *image* at the frame's size; not *crisp* is a third faster, for soft things."""
    if image.size == frame.size:
        return image
    return image.resize(
        frame.size, Image.Resampling.BICUBIC if crisp else Image.Resampling.BILINEAR
    )


def softened(image: Image.Image, across: int, down: int) -> Image.Image:
    """Return *image* with edges half a pixel soft: its mean with a copy moved by a pixel."""
    soft = Image.blend(image, ImageChops.offset(image, across, down), 0.5)
    if down:
        soft.paste(image.crop((0, 0, image.width, down)), (0, 0))
    if across:
        soft.paste(image.crop((0, 0, across, image.height)), (0, 0))
    return soft


def thrice(grey: Image.Image) -> Image.Image:
    """Return an L picture as an RGB one."""
    return Image.merge("RGB", (grey, grey, grey))


def toned(image: Image.Image, *curves: Callable[[Field], Field]) -> Image.Image:
    """Return *image* with its values moved by each channel's curve, or by the only one.

    A curve takes the values 0 to 255 at once.
    """
    moved = np.concatenate([np.round(curve(_VALUES)) for curve in curves])
    table = np.clip(moved, 0, 255).astype(int).tolist()
    return image.point(table * (len(image.getbands()) // len(curves)))


def covered(texture: Texture, frame: Frame) -> Texture:
    """Repeat a square *texture* of pixels over the frame."""
    rows, columns = texture.shape
    answer = np.tile(texture, (frame.height // rows + 1, frame.width // columns + 1))
    return cast("Texture", answer[: frame.height, : frame.width])
