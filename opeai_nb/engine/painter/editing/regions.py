"""Where things are in a picture of unknown scene: guesses, and ground put where a thing was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

if TYPE_CHECKING:
    from opeai_nb.engine.painter.raster.noise_field import Field

_SIDE = 160  # pixels on the long side in which ground is grown: it is soft anyway
_SKYLINE = (0.34, 0.52)  # of the height: above the first all is sky, below the second nothing


def region(part: str, matte: Image.Image) -> Image.Image:
    """Return an L picture, 255 where *part* (sky, water, land …) probably is, *matte* left out."""
    width, height = matte.size
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    above = 1 - np.clip((rows - _SKYLINE[0]) / (_SKYLINE[1] - _SKYLINE[0]), 0, 1)
    share = above if part == "sky" else 1 - above
    if part in {"wall", "curtains", "buildings", "trees", "background"}:
        share = np.ones_like(share)
    mask = Image.fromarray((share * 255).astype(np.uint8)).resize((width, height))
    return ImageChops.multiply(mask, ImageOps.invert(matte))


def without_thing(image: Image.Image, matte: Image.Image) -> Image.Image:
    """Return *image* (RGB) with the ground around *matte* grown over what is under it."""
    wide = matte.filter(ImageFilter.GaussianBlur(max(1.0, min(image.size) / 40)))
    firm = wide.point([min(255, v * 9) for v in range(256)])
    answer = image.copy()
    answer.paste(_grown(image, firm), (0, 0), firm)
    return answer


def _grown(image: Image.Image, matte: Image.Image) -> Image.Image:
    scale = _SIDE / max(image.size)
    size = max(4, round(image.width * scale)), max(4, round(image.height * scale))
    pixels = np.asarray(image.resize(size, Image.Resampling.BOX), np.float32)
    known = 1 - np.asarray(matte.resize(size, Image.Resampling.BOX), np.float32) / 255
    known = np.where(known > 0.97, 1.0, 0.0).astype(np.float32)
    filled = pixels * known[..., None]
    for radius in (2, 5, 12, 40):
        near, share = _blurred(filled, radius), _blurred(known[..., None] * 255, radius) / 255
        fresh = near / np.maximum(share, 1e-3)
        take = (known < 1) & (share[..., 0] > 0.04)
        filled = np.where(take[..., None], fresh, filled)
        known = np.where(take, 1.0, known).astype(np.float32)
    ground = Image.fromarray(np.clip(filled, 0, 255).astype(np.uint8))
    return ground.resize(image.size, Image.Resampling.BICUBIC)


def _blurred(field: Field, radius: float) -> Field:
    planes = [
        np.asarray(
            Image.fromarray(np.clip(field[..., n], 0, 255).astype(np.uint8)).filter(
                ImageFilter.GaussianBlur(radius)
            ),
            np.float32,
        )
        for n in range(field.shape[2])
    ]
    answer: Field = np.stack(planes, axis=-1)
    return answer


def thing_box(matte: Image.Image) -> tuple[int, int, int, int]:
    """Return where the subject is; the middle of the picture where none stands out."""
    firm = matte.point([255 if v > 127 else 0 for v in range(256)])
    box = firm.getbbox()
    width, height = matte.size
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) < width * height / 400:
        return width // 4, height // 4, width - width // 4, height - height // 8
    return box
