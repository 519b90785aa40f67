from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.client.shells import Shell, shells


@pytest.fixture(params=["sync", "async"])
def shell(request: pytest.FixtureRequest) -> Iterator[Callable[..., Shell]]:
    """A maker of clients, synchronous and asynchronous; give it a transport or replies."""
    with shells(request.param) as make:
        yield make


@pytest.fixture(autouse=True)
def no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or a proxy of whoever runs the tests plays no part in them."""
    for name in ("OPEAI_API_KEY", "OPEAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
