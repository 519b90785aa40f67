from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opeai_nb.testing import Script
from tests.client.shells import Shell


@pytest.fixture(params=["sync", "async"])
def shell(request: pytest.FixtureRequest) -> Iterator[Callable[..., Shell]]:
    """A maker of clients, synchronous and asynchronous; give it a transport or replies."""
    made: list[Shell] = []

    def make(*plan: Any, transport: Any = None, **options: Any) -> Shell:
        made.append(Shell(request.param, Script(*plan) if plan else transport, **options))
        return made[-1]

    yield make
    for each in made:
        each.shut()


@pytest.fixture(autouse=True)
def no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or a proxy of whoever runs the tests plays no part in them."""
    for name in ("OPEAI_API_KEY", "OPEAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
