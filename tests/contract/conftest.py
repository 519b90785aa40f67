"""One platform, three times: a script, the engine in process, the engine on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from opeai_nb.engine import ENGINE_URL, Engine, EngineTransport
from opeai_nb.engine.server.uvicorn_server import serving
from opeai_nb.testing import Script
from tests.canned import Canned
from tests.client.shells import KEY, Shell
from tests.contract.platform import Platform


@dataclass
class Place:
    """Where a client finds a server, and how many POSTs that server has seen."""

    name: str
    base_url: str
    transport: Any
    posts: Callable[[], int]


@contextmanager
def scripted() -> Iterator[Place]:
    script = Script(Platform())
    yield Place("script", "https://platform.test", script, lambda: len(script.posts))


def engine() -> Engine:
    return Engine(painter=Canned(), time_scale=0.0, key=KEY, seed=1, workers=0)


def posts_of(one: Engine) -> Callable[[], int]:
    return lambda: sum(request.method == "POST" for request in one.requests)


@contextmanager
def in_process() -> Iterator[Place]:
    one = engine()
    yield Place("in process", ENGINE_URL, EngineTransport(one), posts_of(one))
    one.close()


@contextmanager
def on_a_socket() -> Iterator[Place]:
    one = engine()
    with serving(one) as url:
        yield Place("socket", url, None, posts_of(one))
    one.close()


@pytest.fixture(scope="session", params=[scripted, in_process, on_a_socket])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with request.param() as found:
        yield found


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, place: Place) -> Iterator[Shell]:
    shell = Shell(request.param, place.transport, base_url=place.base_url)
    yield shell
    shell.shut()
