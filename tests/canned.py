"""A painter for tests in which pictures travel and nobody looks at them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random
from typing import Any

from PIL import Image

from tests.pictures import encoded


class Canned:
    """Paints the size that is asked for in a colour of the prompt's and the variant's."""

    def paint(
        self, prompt: str, size: tuple[int, int], /, *, variant: int = 0, **_: Any
    ) -> Image.Image:
        hue = (sum(prompt.encode()) + 40 * variant) % 360
        image = Image.new("RGB", size, f"hsl({hue}, 60%, 50%)")
        band = (min(size[0], 256), min(size[1], 32))
        # A file of some kilobytes, as real ones are never smaller.
        image.paste(Image.frombytes("RGB", band, Random(hue).randbytes(band[0] * band[1] * 3)))
        return image

    def edit(
        self,
        images: Sequence[Image.Image],
        prompt: str,
        size: tuple[int, int] | None,
        /,
        **manner: Any,
    ) -> Image.Image:
        return self.paint(prompt, size or images[0].size, **manner)

    def encode(
        self, image: Image.Image, /, output_format: str = "png", output_compression: int = 0
    ) -> bytes:
        return encoded(image, output_format)


class Held(Canned):
    """Paints nothing while it is not let; *begun* is released once for each picture it is to paint.

    So nothing ends while a test looks at what is under way.
    """

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_paint = threading.Event()

    def paint(
        self, prompt: str, size: tuple[int, int], /, *, variant: int = 0, **manner: Any
    ) -> Image.Image:
        self.begun.release()
        assert self.may_paint.wait(300)
        return super().paint(prompt, size, variant=variant, **manner)
