"""Studios over an engine with a canned painter: what runs many requests is tested, not painting."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from opeai_nb.engine import Engine
from tests.studio.conftest import new_studio, studio, transport

__all__ = ["engine", "new_studio", "studio", "transport"]


class Canned:
    """Paints the size that is asked for in a colour of the prompt's."""

    def paint(self, prompt: str, size: tuple[int, int], **_: Any) -> Image.Image:
        hue = sum(prompt.encode()) % 360
        return Image.new("RGB", size, f"hsl({hue}, 60%, 50%)")

    def edit(self, images: Any, prompt: str, size: Any, **_: Any) -> Image.Image:
        return self.paint(prompt, size or images[0].size)

    def encode(self, image: Image.Image, *_: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(painter=Canned(), task_seconds=(0.05, 0.1))
    yield made
    made.close()
