"""An answer laid over its original: outside the region not a pixel differs, nothing is askew."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from opeai_nb.client.values.only import only_in
from opeai_nb.client.values.request import ImageRequest
from opeai_nb.imaging.overlay.drift import fit
from opeai_nb.imaging.overlay.lay_over import lay_over

SIDES = st.tuples(st.integers(1, 48), st.integers(1, 48))
FILES = ("L", "LA", "P", "RGB", "RGBA", "1", "I;16", "CMYK", "turned", "clear palette")


def noise(size: tuple[int, int], mode: str, seed: int) -> Image.Image:
    """Return a picture of random pixels."""
    source = np.random.default_rng(seed)
    if mode == "I;16":
        deep = source.integers(0, 65536, (size[1], size[0]))
        return Image.fromarray(deep.astype(np.uint16))
    grain = source.integers(0, 256, (size[1], size[0], 4)).astype(np.uint8)
    return Image.fromarray(grain).convert(mode)


def file_of(kind: str, size: tuple[int, int], seed: int) -> bytes:
    """Return a file of this kind."""
    options: dict[str, Any] = {"format": "PNG"}
    mode = kind
    if kind == "CMYK":
        options["format"] = "JPEG"
    elif kind == "turned":
        mode, options["format"] = "RGB", "JPEG"
        exif = Image.Exif()
        exif[0x0112] = 1 + seed % 8
        options["exif"] = exif
    elif kind == "clear palette":
        mode, options["transparency"] = "P", seed % 256
    buffer = BytesIO()
    noise(size, mode, seed).save(buffer, **options)
    return buffer.getvalue()


def pixels(image: Image.Image, mode: str) -> Any:
    """Return the pixels in *mode* as numbers."""
    return np.asarray(image if image.mode == mode else image.convert(mode)).astype(int)


@given(
    kind=st.sampled_from(FILES),
    size=SIDES,
    answer=st.tuples(SIDES, st.sampled_from(("L", "RGB", "RGBA", "P", "I;16"))),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    seed=st.integers(0, 999),
)
def test_outside_the_region_not_a_pixel_differs(
    kind: str,
    size: tuple[int, int],
    answer: tuple[tuple[int, int], str],
    corners: tuple[float, float, float, float],
    seed: int,
) -> None:
    masked = seed % 2 == 1
    data = file_of(kind, size, seed)
    original = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    x, y = int(corners[0] * (original.width - 1)), int(corners[1] * (original.height - 1))
    width = 1 + int(corners[2] * (original.width - x - 1))
    height = 1 + int(corners[3] * (original.height - y - 1))
    inside = np.zeros((original.height, original.width), bool)
    inside[y : y + height, x : x + width] = True
    if masked:
        inside &= np.random.default_rng(seed).random(inside.shape) < 0.7
        inside[y, x] = True
    request = ImageRequest("a hat", image=data)
    only = only_in(request, inside if masked else f"{x},{y},{width},{height}")
    assert only is not None
    result = only.lay_over(noise(answer[0], answer[1], seed + 1)).image
    assert result.size == original.size
    before, after = pixels(original, result.mode), pixels(result, result.mode)
    assert (before[~inside] == after[~inside]).all()


def scene(width: int = 640, height: int = 480) -> Image.Image:
    """Return a picture with shapes in it, the same each time."""
    source = np.random.default_rng(5)
    grain = source.integers(0, 256, (height // 16, width // 16, 3)).astype(np.uint8)
    image = Image.fromarray(grain).resize((width, height), Image.Resampling.BICUBIC)
    drawing = ImageDraw.Draw(image)
    for _ in range(30):
        x, y, radius = (int(source.integers(0, most)) for most in (width, height, width // 12))
        box = (x - radius, y - radius, x + radius, y + radius)
        drawing.ellipse(box, fill=tuple(int(level) for level in source.integers(0, 256, 3)))
    return image


def moved(image: Image.Image, right: float, down: float, zoom: float) -> Image.Image:
    """Return the picture moved by pixels and grown about its middle."""
    x, y = image.width / 2, image.height / 2
    across = (1 / zoom, 0, x - (x + right) / zoom, 0, 1 / zoom, y - (y + down) / zoom)
    affine = Image.Transform.AFFINE
    return image.transform(image.size, affine, across, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("right", "down", "zoom", "size"),
    [
        (0, 0, 1.0, (320, 240)),
        (9, -6, 1.0, (640, 480)),
        (80, 50, 1.0, (640, 480)),
        (0, 0, 1.06, (640, 480)),
        (-20, 8, 0.95, (800, 600)),
    ],
)
def test_an_answer_that_moved_or_grew_is_moved_back(
    right: float, down: float, zoom: float, size: tuple[int, int]
) -> None:
    original = scene()
    answer = moved(original, right, down, zoom)
    ImageDraw.Draw(answer).rectangle((290, 210, 350, 270), fill="red")
    answer = answer.resize(size, Image.Resampling.BICUBIC)
    found = fit(original, answer, Image.new("L", original.size))
    assert found.zoom == pytest.approx(zoom, abs=0.003)
    assert found.shift == pytest.approx((right**2 + down**2) ** 0.5, abs=0.6)
    laid = lay_over(original, answer, (220, 140, 420, 340))
    # Within the region and away from what is new, the answer's pixels are the original's.
    ring = (362, 285, 392, 315)
    off = np.abs(pixels(laid.image.crop(ring), "L") - pixels(original.crop(ring), "L"))
    assert np.median(off) <= 6
    assert bool(laid.note) == (bool(right) or zoom != 1)


def test_an_answer_cut_to_another_shape_lies_where_it_was_cut_from() -> None:
    original = scene()
    answer = original.crop((80, 0, 560, 480)).resize((512, 512), Image.Resampling.BICUBIC)
    laid = lay_over(original, answer, (200, 100, 400, 300))
    assert np.abs(pixels(laid.image, "L") - pixels(original, "L")).max() < 60
    assert laid.note == ""


def test_what_the_answer_does_not_show_stays_and_is_told() -> None:
    original = scene()
    answer = original.crop((80, 0, 560, 480)).resize((512, 512), Image.Resampling.BICUBIC)
    laid = lay_over(original, answer, (40, 100, 400, 300))
    assert laid.note == (
        "The answer shows a part of the region alone: it was laid over at 80,100,320,200."
    )
    assert laid.image.crop((0, 0, 80, 480)).tobytes() == original.crop((0, 0, 80, 480)).tobytes()
    outside = lay_over(original, answer, (0, 0, 60, 60))
    assert "shows nothing of the region" in outside.note
    assert outside.image.tobytes() == original.tobytes()


def test_an_answer_that_is_another_picture_is_told_of() -> None:
    laid = lay_over(scene(), noise((640, 480), "RGB", 3), (200, 100, 400, 300))
    assert "not like the picture" in laid.note


def test_an_edge_is_soft_inward_and_full_further_in() -> None:
    original, answer = Image.new("RGB", (200, 200), "black"), Image.new("RGB", (200, 200), "white")
    row = pixels(lay_over(original, answer, (50, 50, 150, 150)).image, "L")[100]
    assert row[49] == 0
    assert 0 < row[53] < 255
    assert row[75] == 255
    assert (np.diff(row[:100]) >= 0).all()
    border = pixels(lay_over(original, answer, (0, 0, 100, 200)).image, "L")[100]
    assert border[0] == 255  # along the picture's own border there is nothing to be soft against


def test_a_thin_region_does_not_fade_away() -> None:
    original, answer = Image.new("RGB", (300, 300), "black"), Image.new("RGB", (300, 300), "white")
    mask = Image.new("L", (300, 300))
    ImageDraw.Draw(mask).line((0, 0, 299, 299), fill=255, width=3)
    image = lay_over(original, answer, (0, 0, 300, 300), mask).image
    assert pixels(image, "L").sum() > np.asarray(mask).astype(int).sum() / 3


def test_laying_over_costs_less_than_encoding_the_picture_twice() -> None:
    original = scene(2048, 1536)
    answer = moved(original, 12, -7, 1.0)

    def seconds(work: Any) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    laid = seconds(lambda: lay_over(original, answer, (600, 400, 1400, 1100)))
    encoded = seconds(lambda: original.save(BytesIO(), "PNG", compress_level=1))
    assert laid < 2 * encoded, (laid, encoded)  # a third of one, on a quiet machine


def test_a_day_that_became_a_night_is_known_by_its_edges() -> None:
    original = scene()
    night = moved(original.point(lambda level: 255 - level).convert("RGB"), 12, -7, 1.0)
    found = fit(original, night, Image.new("L", original.size))
    assert found.is_sure
    assert found.shift == pytest.approx((12**2 + 7**2) ** 0.5, abs=0.6)
