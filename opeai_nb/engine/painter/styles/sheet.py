"""The sheet a style works on: the size wanted, and the chance and inks it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from ..field import Field
    from ..frame import Frame


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a hand is given beside the picture. *fineness* 1 is usual, less is coarser."""

    frame: Frame
    rng: np.random.Generator
    tints: tuple[str, ...] = ()
    fineness: float = 1.0
    has_margin: bool = True  # whether bare paper may show round the picture


def floats(image: Image.Image) -> Field:
    """Answer a picture's pixels as float32."""
    return np.asarray(image).astype(np.float32)


def picture(field: Field) -> Image.Image:
    """Answer a picture of *field*, 0 to 255."""
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def grown(image: Image.Image, frame: Frame) -> Image.Image:
    """Answer *image* at the frame's size."""
    if image.size == frame.size:
        return image
    return image.resize(frame.size, Image.Resampling.BICUBIC)


def covered(texture: Field, frame: Frame) -> Field:
    """Repeat a square *texture* of pixels over the frame."""
    rows, columns = texture.shape
    answer: Field = np.tile(texture, (frame.height // rows + 1, frame.width // columns + 1))
    return answer[:frame.height, :frame.width]
