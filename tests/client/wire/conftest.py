from __future__ import annotations

from collections.abc import Callable, Iterator
from zlib import crc32

import pytest

from tests.client.shells import Shell, shells


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> Iterator[Callable[..., Shell]]:
    """A maker of clients, as in the other rooms: each case goes through one kind, by its name.

    What an answer means is decided in the flow, which is one for both; what differs between them is
    claimed of both in `http`, `protocol` and the contract.
    """
    with shells(("sync", "async")[crc32(request.node.nodeid.encode()) % 2]) as make:
        yield make
