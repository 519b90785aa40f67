"""Beyond one process: four workers, one of them killed; the server counts what it was sent."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.bulk import Sweep
from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from opeai_nb.errors import OptionError, SessionLimitError
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.canned import Held

# What Dask's own processes and sockets warn of when one of them is killed is not ours to mend.
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]

KEY = "a-key-for-tests"
SMALL: dict[str, Any] = {"size": "512x512"}


@pytest.fixture(scope="module")
def distributed() -> Any:
    return pytest.importorskip("distributed")  # loads for a second


@pytest.fixture(scope="module")
def cluster(distributed: Any) -> Iterator[Any]:
    # The workers' own environment, also of one that is started anew: no key travels.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPEAI_API_KEY", KEY)
        with distributed.LocalCluster(
            n_workers=4, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as local:
            yield local


@pytest.fixture
def client(distributed: Any, cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as made:
        made.wait_for_workers(4)
        yield made


class Server:
    """An engine over a socket that counts its POSTs, and how many were under way at once."""

    def __init__(self, engine: Engine, painter: Held) -> None:
        self.url, self._engine = "", engine
        self.painter = painter
        self.most = self._under_way = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        counts = scope["method"] == "POST"
        self._under_way += counts
        self.most = max(self.most, self._under_way)
        try:
            await self._engine(scope, receive, send)
        finally:
            self._under_way -= counts

    @property
    def posts(self) -> list[str | None]:
        return [r.idempotency_key for r in self._engine.requests if r.method == "POST"]

    def studio(self, folder: Path) -> Studio:
        return Studio(settings(base_url=self.url, library=folder, api_key=KEY))


@pytest.fixture
def held() -> Iterator[Server]:
    """A server that paints nothing yet."""
    painter = Held()
    engine = Engine(painter=painter, latency=0.1, task_seconds=(0.2, 0.4))
    made = Server(engine, painter)
    with serving(made) as made.url:  # type: ignore[arg-type]  # an application, as the engine is one
        yield made
        painter.may_paint.set()
    engine.close()


@pytest.fixture
def server(held: Server) -> Server:
    held.painter.may_paint.set()
    return held


def killed_in_mid_run(made: Sweep, client: Any, server: Server, state: str) -> None:
    """Kill a worker that has a request in *state*, as the journal knows it; wait for the rest."""
    workers = set(client.run(os.getpid).values())
    run = made.start(on=client, concurrency=8)
    victim = None
    while victim is None:
        assert not run.wait(0.02)
        busy = [
            entry.owner["pid"] for entry in made.studio.library.pending() if entry.state == state
        ]
        victim = next((pid for pid in busy if pid in workers), None)
    os.kill(victim, signal.SIGKILL)
    server.painter.may_paint.set()
    assert run.wait(300)


def test_with_tasks_a_killed_worker_loses_nothing_and_nothing_is_sent_twice(
    client: Any, held: Server, tmp_path: Path
) -> None:
    server = held
    made = sweep("a {x}", x=range(32), model="gpt-image-2", studio=server.studio(tmp_path))
    killed_in_mid_run(made, client, server, "pending")
    assert max(Counter(server.posts).values()) == 1
    sent = len(server.posts)
    unknown = [o for o in made.outcomes.values() if o.state == "unknown"]
    assert len(made.generations) + len(unknown) == 32
    assert len(unknown) <= 2  # cut before their task's id reached us
    made.run(on=client)
    assert len(server.posts) == sent
    assert 32 - len(unknown) <= sent <= 32


def test_a_session_s_limit_holds_for_the_cluster_too(
    client: Any, server: Server, tmp_path: Path
) -> None:
    limited = Studio(
        settings(base_url=server.url, library=tmp_path, api_key=KEY, max_images_per_session=3)
    )
    made = sweep("a {x}", x=range(4), studio=limited, **SMALL)
    with pytest.raises(SessionLimitError, match="limit of 3"):
        made.run(on=client)
    assert server.posts == []
    made.run(on=client, beyond_limit=True)
    assert len(server.posts) == limited.ledger.asked == 4


def test_with_answers_cut_in_flight_each_point_is_sent_once_and_told(
    client: Any, held: Server, tmp_path: Path
) -> None:
    server = held
    made = sweep("a {x}", x=range(32), studio=server.studio(tmp_path), **SMALL)
    killed_in_mid_run(made, client, server, "sending")
    assert max(Counter(server.posts).values()) == 1
    states = Counter(outcome.state for outcome in made.outcomes.values())
    assert sum(states.values()) == 32
    assert 1 <= states["unknown"] <= 2
    assert len(made.generations) == 32 - states["unknown"]
    sent = len(server.posts)
    made.run(on=client)
    assert len(server.posts) == sent <= 32
    made.run(on=client, send_unknown=True)
    assert len(made.generations) == 32
    assert len(server.posts) == sent + states["unknown"]


def test_the_limit_holds_for_all_workers_together(
    client: Any, server: Server, tmp_path: Path
) -> None:
    """Four workers and a limit of 3: three of them have one request each."""
    made = sweep("a {x}", x=range(12), studio=server.studio(tmp_path), **SMALL)
    made.run(on=client, concurrency=3)
    assert len(made.generations) == 12
    assert 1 <= server.most <= 3


def test_what_a_function_makes_of_the_pictures_comes_back(
    client: Any, server: Server, tmp_path: Path
) -> None:
    made = sweep("a {x}", x=range(8), studio=server.studio(tmp_path), **SMALL)
    made.run(on=client, then=lambda generation: generation[0].size)
    assert [made.outcome(point).value for point in made.plan] == [(512, 512)] * 8


def test_a_worker_without_a_key_says_so_and_sends_nothing(
    client: Any, server: Server, tmp_path: Path
) -> None:
    client.run(lambda: os.environ.pop("OPEAI_API_KEY", None))
    try:
        with pytest.raises(OptionError, match="no API key"):
            sweep("a fox", studio=server.studio(tmp_path), **SMALL).run(on=client)
    finally:
        client.run(lambda: os.environ.update(OPEAI_API_KEY="a-key-for-tests"))
    assert server.posts == []


def test_shares_that_a_cluster_cancels_are_our_error_and_found_again(
    client: Any, distributed: Any, held: Server, tmp_path: Path
) -> None:
    """A restart of the cluster cancels what it had: four shares of two points each."""
    made = sweep("a {x}", x=range(40), studio=held.studio(tmp_path), **SMALL)
    run = made.start(on=client, concurrency=4)
    assert held.painter.begun.acquire(timeout=60)
    shares: list[str] = []
    while len(shares) < 4:
        assert not run.wait(0.02)
        shares = [key for key in list(client.futures) if str(key).startswith("opeai_nb-share")]
    client.cancel([distributed.Future(key, client) for key in shares], force=True)
    held.painter.may_paint.set()
    assert run.wait(300)
    assert [error.message for error in made.failed.values()] == [
        "The cluster lost this share: it was cancelled."
    ] * 8
    again = sweep("a {x}", x=range(40), studio=held.studio(tmp_path), **SMALL)
    again.run(send_unknown=True)
    assert len(again.generations) == 40
