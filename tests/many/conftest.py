"""Studios over an engine with a canned painter: what runs many requests is tested, not painting."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL, Engine
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.studio.conftest import Watched


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


@pytest.fixture
def transport(engine: Engine) -> Watched:
    return Watched(engine)


@pytest.fixture
def new_studio(tmp_path: Path, transport: Watched) -> Callable[..., Studio]:
    """Return a studio as a new kernel would have it: same folder, same server, new session."""

    def made(**given: Any) -> Studio:
        chosen = settings(**{"base_url": "engine:", "library": tmp_path / "imagine", **given})
        client = AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport)
        return Studio(chosen, client=client)

    return made


@pytest.fixture
def studio(new_studio: Callable[..., Studio]) -> Studio:
    return new_studio()
