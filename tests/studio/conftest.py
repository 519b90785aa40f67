"""Studios over an engine of their own: real requests, a canned painter, no socket, no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL, Engine, EngineTransport
from opeai_nb.library import Library
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.canned import Canned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opeai_nb.library.disk.files import Disk
    from opeai_nb.studio import Job


class Watched(httpx.AsyncBaseTransport):
    """Hands requests on to the engine; *before* is called with each, as it leaves."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._inner = EngineTransport(engine)
        self.before: Callable[[httpx.Request], object] = lambda _: None
        self.requests: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.answers_polls = True
        """False lets nobody hear of a task: it cannot end while a test looks at it."""

    @property
    def posts(self) -> int:
        return sum(method == "POST" for method, _ in self.requests)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        if request.method == "POST":
            self.keys.append(request.headers["Idempotency-Key"])
        self.before(request)
        if not self.answers_polls and "/generations/" in request.url.path:
            raise httpx.ConnectError("nobody answers", request=request)
        return await self._inner.handle_async_request(request)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine that keeps its tasks in memory and does not dawdle."""
    made = Engine(painter=Canned(), task_seconds=(0.05, 0.1))
    yield made
    made.close()


@pytest.fixture
def transport(engine: Engine) -> Watched:
    return Watched(engine)


def left(studio: Studio, transport: Watched, prompt: str, **fields: Any) -> Job:
    """Return a job whose task is known, and which was stopped before it could end."""
    transport.answers_polls = False
    job = studio.start(prompt, **fields)
    for _ in job.follow(tick=0.01):
        if job.task_id:
            job.stop()
    transport.answers_polls = True
    return job


@pytest.fixture
def new_studio(tmp_path: Path, transport: Watched) -> Callable[..., Studio]:
    """Return a studio as a new kernel would have it: same folder, same server, new session."""

    def made(
        disk: Disk | None = None, library_class: type[Library] = Library, **given: Any
    ) -> Studio:
        chosen = settings(**{"base_url": "engine:", "library": tmp_path / "imagine", **given})
        client = AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport)
        is_usual = disk is None and library_class is Library
        library = None if is_usual else library_class(chosen.library, disk=disk)
        return Studio(chosen, client=client, library=library)

    return made


@pytest.fixture
def studio(new_studio: Callable[..., Studio]) -> Studio:
    return new_studio()
