"""What every test has: a cache folder that is nobody's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let indexes and the engine's tasks lie in a folder of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
