"""What stays in memory of each point of a run: ten thousand of them grow by 30 MB at the most."""

from __future__ import annotations

import gc
import traceback
import tracemalloc
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.client import AsyncClient
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import error_answer, pictures_answer, png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PIL import Image

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.testing import Answer

SMALL: dict[str, Any] = {"size": "512x512"}
FIRST, LAST = 100, 600


def painted(number: int) -> Answer:
    details = {"text_tokens": number, "image_tokens": 0}
    usage = {"total_tokens": 2000 + number, "input_tokens": number, "input_tokens_details": details}
    return pictures_answer(png(), usage=usage)


def refused(number: int) -> Answer:
    return error_answer(f"Prompt {number} is refused.", code="content_policy_violation")


def studio_over(answer: Callable[[int], Answer], folder: Path) -> Studio:
    """Return a studio in front of a platform that answers each request as *answer* says."""
    numbers = count(2000)  # of small ones Python has each but once

    def send(_: httpx.Request) -> httpx.Response:
        told = answer(next(numbers))
        return httpx.Response(told.status, json=told.body)

    given: dict[str, Any] = {"base_url": "https://x.example", "api_key": "k"}
    client = AsyncClient(transport=httpx.MockTransport(send), **given)
    return Studio(settings(**given, library=folder), client=client)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("answer", "most"), [(painted, 2_400), (refused, 1_200)])
def test_a_point_leaves_little_in_memory(
    answer: Callable[[int], Answer], most: int, tmp_path: Path
) -> None:
    """One that was painted left 3,800 bytes, and one that was refused 17,700: its frames."""
    made = sweep("picture {i}", i=range(LAST), studio=studio_over(answer, tmp_path), **SMALL)
    run, held = made.start(), dict[int, int]()
    for progress in run.follow(least=0.0):
        if progress.settled >= (LAST if held else FIRST):
            gc.collect()
            held[progress.settled] = tracemalloc.get_traced_memory()[0]
    early = min(held)
    assert (held[LAST] - held[early]) / (LAST - early) < most
    assert len(made.outcomes) == LAST


def test_what_a_function_had_opened_is_let_go_when_it_raises(studio: Studio) -> None:
    opened: list[weakref.ref[Image.Image]] = []

    def upload(generation: Generation) -> None:
        image = generation.image
        opened.append(weakref.ref(image))
        raise ConnectionError(image.size)

    made = sweep("a {it}", it=["fox", "owl"], studio=studio, **SMALL)
    made.run(then=upload)
    gc.collect()
    assert [image() for image in opened] == [None, None]
    for error in made.failed.values():
        told = traceback.format_exception(error.__cause__)
        assert "raise ConnectionError(image.size)" in "".join(told)
