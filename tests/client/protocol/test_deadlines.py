"""A server that drips, stalls or sends round in circles cannot hold anybody longer than asked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle, repeat
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import DownloadError, OpeaiError, TaskTimeoutError, UnreachableError
from tests.client.shells import Shell

TIMEOUT = 0.4
AN_AGE = 20.0
"""Seconds: far above what a loaded machine adds to `TIMEOUT`, far below any timeout of silence."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'\r\n{"task_id": "t1", "status": "IN_PROGRESS"'


def circle(port: int) -> Iterator[bytes]:
    yield f"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:{port}/v1/x\r\n".encode()
    yield from (b"X-%d: y\r\n" % number for number in range(3))
    yield b"Content-Length: 0\r\n\r\n"


ENDLESS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "nothing": lambda _: cycle([b""]),
    "bytes of a status line": lambda _: repeat(b"H"),
    "lines of a head": lambda _: iter([HEAD, *([b"X-1: y\r\n"] * 1000)]),
    "letters of a header": lambda _: iter([HEAD, b"X-1: ", *([b"y"] * 1000)]),
    "interim answers": lambda _: repeat(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "spaces of a body": lambda _: iter([HEAD, BODY, *([b" "] * 1000)]),
    "chunks of a body": lambda _: iter(
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", *([b"1\r\n \r\n"] * 1000)]
    ),
    "a circle of redirects": circle,
}
RECORD: Callable[[int], Iterator[bytes]] = lambda _: iter(  # noqa: E731  as those above
    [b"\x16\x03\x03\x3f\xff", *([b"\0"] * 1000)]
)


@contextmanager
def dripping(drops: Callable[[int], Iterator[bytes]]) -> Iterator[str]:
    """Yield the URL of a server that answers whatever is asked with drops, one each 50 ms."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        # Whoever asked may be gone by now, and the listener with the test.
        with suppress(OSError), connection:
            connection.recv(65_536)
            for drop in drops(port):
                connection.sendall(drop)
                if over.wait(0.05):
                    return

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            over.set()


@pytest.fixture(params=["sync", "async"])
def real(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Shell]]:
    """A shell over real sockets, by the real clock; its pauses take no time."""
    shells: list[Shell] = []

    def make(url: str) -> Shell:
        shell = Shell(request.param, base_url=url)
        shell.client._clock = time.monotonic
        shells.append(shell)
        return shell

    yield make
    for shell in shells:
        shell.shut()


@contextmanager
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AN_AGE


def raised_by_each_kind(verb: Callable[[str], object]) -> dict[str, OpeaiError]:
    """Return what *verb* raises against a server of each kind; all of them at once."""

    def raised(kind: str) -> OpeaiError:
        with dripping(ENDLESS[kind]) as url, pytest.raises(OpeaiError) as caught:
            verb(url)
        return caught.value

    with in_time(), ThreadPoolExecutor(len(ENDLESS)) as pool:
        return dict(zip(ENDLESS, pool.map(raised, ENDLESS), strict=True))


def test_waiting_for_a_task_ends_by_its_timeout(real: Callable[[str], Shell]) -> None:
    errors = raised_by_each_kind(lambda url: real(url).wait("t1", timeout=TIMEOUT))
    assert {kind: error.task_id for kind, error in errors.items()} == dict.fromkeys(ENDLESS, "t1")
    assert {type(error) for error in errors.values()} == {TaskTimeoutError}


def test_one_question_ends_by_its_timeout(real: Callable[[str], Shell]) -> None:
    errors = raised_by_each_kind(lambda url: real(url).task("t1", timeout=TIMEOUT))
    assert {kind: error.task_id for kind, error in errors.items()} == dict.fromkeys(ENDLESS, "t1")


def test_downloads_end_by_their_timeout_and_keep_the_url(real: Callable[[str], Shell]) -> None:
    def fetch(url: str) -> None:
        generation = Generation((Picture(url=f"{url}/1.png"),), ImageRequest("a fox"))
        real(url).fetch(generation, timeout=TIMEOUT)

    errors = raised_by_each_kind(fetch)
    urls = [picture.url or "" for error in errors.values() for picture in error.pictures]
    assert [url[-6:] for url in urls] == ["/1.png"] * len(ENDLESS)


@pytest.mark.parametrize("kind", ["lines of a head", "chunks of a body"])
def test_a_proxy_changes_nothing(
    real: Callable[[str], Shell], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dripping(ENDLESS[kind]) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        with in_time(), pytest.raises(TaskTimeoutError):
            real("http://platform.test").wait("t1", timeout=TIMEOUT)


def test_handshake_that_drips_ends_too(real: Callable[[str], Shell]) -> None:
    with dripping(RECORD) as url:
        client = real(url.replace("http:", "https:"))
        with in_time(), pytest.raises(TaskTimeoutError):
            client.wait("t1", timeout=TIMEOUT)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server that says nothing until the test is over."""
    over = threading.Event()

    def silence(*_: Any, **__: Any) -> list[Any]:
        over.wait(AN_AGE)
        raise OSError("nobody answered")

    monkeypatch.setattr(socket, "getaddrinfo", silence)
    yield
    over.set()


@pytest.mark.usefixtures("silent")
def test_name_server_that_says_nothing_is_not_waited_for(real: Callable[[str], Shell]) -> None:
    generation = Generation((Picture(url="http://silent.test/1.png"),), ImageRequest("a fox"))
    with in_time(), pytest.raises(DownloadError, match="looked up in time"):
        real("http://127.0.0.1:9").fetch(generation, timeout=TIMEOUT)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("proxied", [False, True])
def test_the_name_of_the_platform_is_not_waited_for_either(
    real: Callable[[str], Shell], monkeypatch: pytest.MonkeyPatch, proxied: bool
) -> None:
    if proxied:
        monkeypatch.setenv("HTTP_PROXY", "http://silent.test:3128")
    with in_time(), pytest.raises(TaskTimeoutError):
        real("http://silent.test").wait("t1", timeout=TIMEOUT)


def test_a_name_without_an_address_was_sent_nothing(
    real: Callable[[str], Shell], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnreachableError, match=r"Name or service not known.*Nothing was sent"):
        real("http://nobody.test").submit("a fox")
