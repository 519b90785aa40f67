"""A request that is cut short at any moment, by us or by the server: with either network alike."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import AsyncClient
from opeai_nb.client.http.connection_pool import AsyncWideTransport
from opeai_nb.client.http.network.asyncio_sockets import AsyncioBackend
from opeai_nb.errors import OpeaiError
from opeai_nb.testing import Answer, pictures_answer, png, task_answer
from tests.client.playing import CERTIFICATE, in_tls, playing, reset
from tests.client.shells import KEY

NETWORKS = (AsyncioBackend, httpcore.AnyIOBackend)
VERBS: dict[str, tuple[Answer, Callable[[Any], Any]]] = {
    "a paid request": (pictures_answer(png()), lambda client: client.generate("a fox")),
    "a question": (task_answer(), lambda client: client.task("image_1")),
}


def written(answer: Answer) -> bytes:
    names = {**answer.all_headers(), "Content-Length": str(len(answer.content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in names.items())
    return f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode() + answer.content


def read_request(connection: socket.socket) -> bytes:
    """Return a request, as far as it comes."""
    request = b""
    while data := connection.recv(65_536):
        request += data
        head, is_whole, body = request.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if is_whole and len(body) >= int(length or 0):
            break
    return request


class CancelledAt:
    """Awaits *work* and cancels its task where that waits for the *turn*-th time."""

    def __init__(self, turn: int, work: Coroutine[Any, Any, Any]) -> None:
        self.turn = turn
        self.waits = 0
        self._work = work

    def __await__(self) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        while True:
            try:
                waits_for = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self.turn and (task := asyncio.current_task()) is not None:
                task.cancel()
            error = None
            try:
                yield waits_for
            except BaseException as thrown:  # noqa: BLE001  the work shall see whatever it is
                error = thrown


class Left:
    """Keeps a journal of whether a paid request left."""

    def __init__(self) -> None:
        self.is_noted = False

    async def leaves(self) -> None:
        self.is_noted = True

    async def returned(self, why: str) -> None:
        raise AssertionError(why)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("network", NETWORKS)
def test_request_that_is_cancelled_at_any_moment_closes_its_connection(
    network: Callable[[], Any], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    arrived: list[bytes] = []

    def play(connection: socket.socket) -> None:
        arrived.append(read_request(connection))
        connection.sendall(written(VERBS["a paid request"][0]))
        assert connection.recv(1) == b""

    async def cancelled_at(turn: int, port: int) -> tuple[int, bool]:
        """Return how often it waited, and whether it was noted that it leaves."""
        watched = _watched_files()
        transport, sending = AsyncWideTransport(network()), Left()
        url = f"{scheme}://127.0.0.1:{port}"
        async with AsyncClient(api_key=KEY, base_url=url, transport=transport) as client:
            attempt = CancelledAt(turn, client.submit("a fox", sending=sending))
            try:
                await attempt
            except asyncio.CancelledError:
                assert attempt.waits >= turn
            else:
                assert attempt.waits < turn
        assert _watched_files() == watched
        return attempt.waits, sending.is_noted

    turn = 0
    while True:
        turn += 1
        arrived.clear()
        with playing(in_tls(play) if scheme == "https" else play) as port:
            waits, has_left = asyncio.run(cancelled_at(turn, port))
        assert has_left or not any(arrived), "what left is noted before"
        if waits < turn:
            break
    assert turn > 1, "it waits at least for the answer"
    assert sum(request.startswith(b"POST") for request in arrived) == 1


def _watched_files() -> set[int]:
    """Return the files that the loop watches: none of a connection that is closed."""
    loop: Any = asyncio.get_running_loop()
    return set(loop._selector.get_map())


async def outcome(network: Callable[[], Any], port: int, verb: str) -> object:
    """Return what a request comes to: what is told of it, and what is kept."""

    async def no_pause(_: float) -> None: ...

    transport = AsyncWideTransport(network())
    url = f"http://127.0.0.1:{port}"
    async with AsyncClient(
        api_key=KEY, base_url=url, transport=transport, sleep=no_pause
    ) as client:
        try:
            result = await VERBS[verb][1](client)
        except OpeaiError as error:
            kept = [picture.data for picture in error.pictures]
            left_out = {"request", "idempotency_key", "pictures"}
            evidence = {name: what for name, what in vars(error).items() if name not in left_out}
            return type(error), str(error), kept, evidence
    return type(result), [picture.data for picture in result.pictures]


@pytest.mark.parametrize("verb", VERBS)
@given(st.data())
def test_server_that_hangs_up_at_any_moment_has_one_outcome(verb: str, data: st.DataObject) -> None:
    answer = written(VERBS[verb][0])
    cut = data.draw(st.integers(0, len(answer)), label="bytes of the answer")
    is_rude = cut == 0 and data.draw(st.booleans(), label="reset")

    def play(connection: socket.socket) -> None:
        if is_rude:
            reset(connection)
        else:
            read_request(connection)
            connection.sendall(answer[:cut])

    def told(network: Callable[[], Any]) -> object:
        with playing(play) as port:
            return asyncio.run(outcome(network, port, verb))

    ours, theirs = map(told, NETWORKS)
    assert ours == theirs
