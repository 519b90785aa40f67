"""A batch asks for many points at once what is kept of them; who sends still looks by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL
from opeai_nb.library import Library
from opeai_nb.settings import settings
from opeai_nb.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.studio.conftest import Watched

ANIMALS = ["fox", "owl", "cat", "hen", "elk", "ant", "bee"]


class AskedLibrary(Library):
    """Notes of how many requests it was asked at once; one that *forgets* says it holds none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[int] = []
        self.forgets = False

    def holds(self, identities: Iterable[str], *, prompt: str | None = None) -> frozenset[str]:
        part = list(identities)
        self.asked.append(len(part))
        return frozenset() if self.forgets else super().holds(part, prompt=prompt)


@pytest.fixture
def library(tmp_path: Path) -> AskedLibrary:
    return AskedLibrary(tmp_path / "imagine")


def swept(library: Library, transport: Watched, **orders: Any) -> list[str]:
    """Run a sweep in a session of its own and return the states of its points."""
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport)
    studio = Studio(
        settings(base_url="engine:", library=library.folder), client=client, library=library
    )
    made = sweep("a {animal}", animal=ANIMALS, studio=studio).run(**orders)
    return [made.outcomes[number].state for number in range(len(ANIMALS))]


def test_a_new_sweep_asks_once_for_all_of_its_points(
    library: AskedLibrary, transport: Watched
) -> None:
    assert swept(library, transport) == ["done"] * len(ANIMALS)
    assert library.asked == [len(ANIMALS)]


def test_a_fresh_sweep_does_not_ask_for_what_it_will_not_show(
    library: AskedLibrary, transport: Watched
) -> None:
    swept(library, transport)
    library.asked.clear()
    assert swept(library, transport, fresh=True) == ["done"] * len(ANIMALS)
    assert library.asked == []
    assert transport.posts == 2 * len(ANIMALS)


def test_what_was_kept_since_it_was_asked_for_is_shown_and_not_sent(
    library: AskedLibrary, transport: Watched
) -> None:
    """Another process may have made it in between: the look under the claim finds it."""
    swept(library, transport)
    library.forgets = True
    assert swept(library, transport) == ["replayed"] * len(ANIMALS)
    assert transport.posts == len(ANIMALS)
