"""What every test has: a cache folder of the run's own, and so many tries of what is endless."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# `.ci/run` asks for the thorough profile; the README's command is one that people wait for. Both
# try the same examples each time: a red run is this commit's doing. "explore" is for looking.
settings.register_profile(
    "quick",
    deadline=None,  # a busy machine is no failure
    derandomize=True,
    max_examples=30,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=200)
settings.register_profile(
    "explore", settings.get_profile("quick"), derandomize=False, max_examples=500
)
settings.load_profile("quick")

# Tests start about a hundred Python processes and kernels: each compiled the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let indexes and the engine's tasks lie in a folder of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
