"""What the engine's tests share: a clock that is set, a painter that is quick, two doors."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import ENGINE_URL, Engine, EngineTransport
from opeai_nb.engine.server.uvicorn_server import serving

Answers = Callable[..., httpx.Response]
"""A function that sends a request made of its arguments and returns the answer."""
Clients = Callable[..., httpx.Client]
"""A function from an engine to a client of it."""
Files = Callable[..., bytes]
"""The function that makes the file of a plain picture."""


class Clock:
    """Seconds since the epoch that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_777_440_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class Swatches:
    """A stand-in for the painter: one colour for each prompt and variant; counts its pictures."""

    def __init__(self) -> None:
        self.painted: list[str] = []

    def paint(
        self, prompt: str, size: tuple[int, int], /, *, variant: int = 0, **manner: Any
    ) -> Image.Image:
        self.painted.append(prompt)
        shade = sum(prompt.encode()) + 40 * variant
        return Image.new("RGB", size, (shade % 256, shade // 256 % 256, 120))

    def edit(
        self, images: Sequence[Image.Image], prompt: str, size: tuple[int, int], /, **manner: Any
    ) -> Image.Image:
        self.painted.append(prompt)
        return images[0].convert("RGB").resize(size)

    def encode(
        self, image: Image.Image, /, output_format: str = "png", output_compression: int = 100
    ) -> bytes:
        file = io.BytesIO()
        image.save(file, output_format)
        return file.getvalue()


def _picture(
    width: int = 64, height: int = 48, format_: str = "PNG", colour: str = "teal"
) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, format_)
    return file.getvalue()


@pytest.fixture
def picture() -> Files:
    """The function that makes the file of a plain picture."""
    return _picture


KEY = {"Authorization": "Bearer sk-any"}
# A client of a server here reads no certificates: nobody asks for them, and it takes 20 ms or more.
PLAIN: dict[str, Any] = {"trust_env": False, "verify": False}


def _client_of(engine: Engine, **options: Any) -> httpx.Client:
    return httpx.Client(
        transport=EngineTransport(engine),
        base_url=ENGINE_URL,
        headers=KEY,
        **{"timeout": 60, **options},  # a machine may be busy
    )


@pytest.fixture
def client_of() -> Clients:
    """The function that opens a client of an engine, in process."""
    return _client_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def painter() -> Swatches:
    return Swatches()


@pytest.fixture
def engine(clock: Clock, painter: Swatches) -> Iterator[Engine]:
    engine = Engine(clock=clock, painter=painter, workers=0, task_seconds=(10.0, 10.0))
    yield engine
    engine.close()


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with _client_of(engine) as client:
        yield client


@pytest.fixture(params=["in process", "over a socket"])
def door(request: pytest.FixtureRequest, engine: Engine) -> Iterator[httpx.Client]:
    """A client of the same engine through each of its two doors."""
    with ExitStack() as stack:
        if request.param == "in process":
            yield stack.enter_context(_client_of(engine))
        else:
            url = stack.enter_context(serving(engine))
            yield stack.enter_context(httpx.Client(base_url=url, headers=KEY, timeout=60, **PLAIN))


@pytest.fixture
def create(client: httpx.Client) -> Answers:
    """The function that posts a request and returns the answer."""

    def create(model: str = "qwen-image-2.0", **fields: object) -> httpx.Response:
        body = {"model": model, "prompt": "a cat", **fields}
        return client.post("/v1/images/generations", json=body)

    return create
