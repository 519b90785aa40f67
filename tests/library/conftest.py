"""What the library's tests share: a clock that is set, small pictures, and a request kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Entry, Library, Slot
from opeai_nb.library.documents import Origin


class Clock:
    """Seconds since 1970 that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_795_348_800.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def encoded(format_: str = "PNG", colour: Any = "teal", mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image = Image.new(mode, (48, 32), colour)
    image.paste(Image.new(mode, (20, 11), "white"), (7, 9))
    image.save(buffer, format_, **options)
    return buffer.getvalue()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Encode a small picture: picture("JPEG", "red")."""
    return encoded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "imagine"


@pytest.fixture
def library(folder: Path, clock: Clock) -> Iterator[Library]:
    library = Library(folder, clock=clock)
    yield library
    library.close()


@pytest.fixture
def begin(library: Library) -> Callable[..., Entry]:
    """Begin a request: begin("a cat", slot=Slot("c1"), n=2)."""

    def begin(
        prompt: ImageRequest | str = "a cat",
        *,
        into: Library = library,
        slot: Slot | None = None,
        origin: Origin = "platform",
        **fields: Any,
    ) -> Entry:
        request = prompt if isinstance(prompt, ImageRequest) else ImageRequest(prompt, **fields)
        return into.begin(
            request, key="key-1", base_url="https://x.example", origin=origin, slot=slot
        )

    return begin


@pytest.fixture
def keep(begin: Callable[..., Entry], library: Library) -> Callable[..., Generation]:
    """Begin and keep at once: keep("a cat", pictures=[...], usage={...})."""

    def keep(
        prompt: ImageRequest | str = "a cat",
        *,
        pictures: list[bytes] | None = None,
        into: Library = library,
        usage: dict[str, Any] | None = None,
        task_id: str | None = None,
        **options: Any,
    ) -> Generation:
        entry = begin(prompt, into=into, **options)
        entry.sending()
        made = tuple(Picture(data) for data in pictures or [encoded()])
        return into.keep(entry, Generation(made, entry.request, usage=usage, task_id=task_id))

    return keep
