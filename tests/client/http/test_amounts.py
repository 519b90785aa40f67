"""An answer of absurd size costs bounded work, and says that it was cut."""

from __future__ import annotations

from typing import Any

import pytest

from opeai_nb.client import Client
from opeai_nb.client.wire.read_documented import MOST_ITEMS
from opeai_nb.testing import Answer, Script
from tests.pictures import png


def fetched(items: list[Any]) -> tuple[int, int]:
    """Return how many pictures are good and how many items failed, of an answer of *items*."""
    script = Script(Answer({"data": items}), *[Answer(png())] * (MOST_ITEMS + 1))
    made = Client(base_url="https://x.example", api_key="k", transport=script).submit("a fox")
    assert len(script.posts) == 1
    return len(made.good), len(made.failed)  # type: ignore[union-attr]  # no task


@pytest.mark.parametrize("count", [MOST_ITEMS + 1, 20 * MOST_ITEMS])
def test_an_answer_of_too_many_urls_is_cut_and_says_so(count: int) -> None:
    items = [{"url": f"https://x.example/{number}.png"} for number in range(count)]
    assert fetched(items) == (MOST_ITEMS, 1)


def test_an_item_of_too_many_urls_is_cut_and_says_so() -> None:
    urls = [f"https://x.example/{number}.png" for number in range(3 * MOST_ITEMS)]
    good, failed = fetched([{"url": urls}, {"url": urls}])
    assert (good, failed) == (MOST_ITEMS, 1)


def test_an_answer_of_as_many_as_can_be_is_read_whole() -> None:
    items = [{"url": f"https://x.example/{number}.png"} for number in range(MOST_ITEMS)]
    assert fetched(items) == (MOST_ITEMS, 0)
