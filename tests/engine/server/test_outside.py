"""The engine seen from outside: host names in every spelling, clients that never end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from opeai_nb.engine import Engine
from opeai_nb.engine.server.paced_protocol import PacedProtocol
from opeai_nb.engine.server.uvicorn_server import serving
from tests.engine.conftest import Clients, Swatches

OWN = {"127.0.0.1", "localhost", "::1", "pics.example"}


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """Where an engine listens that answers for its own names alone."""
    with serving(Engine(painter=Swatches(), hosts=OWN)) as url:
        yield "127.0.0.1", int(url.rpartition(":")[2])


def status_for(address: tuple[str, int], *heads: bytes, target: bytes = b"/v1/models") -> int:
    """Return the status of a GET of the models with these lines in its head; 0 for none."""
    with socket.create_connection(address, timeout=30) as connection:
        lines = [b"GET " + target + b" HTTP/1.1", *heads, b"Authorization: Bearer k"]
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        answer = connection.makefile("rb").readline().split()
        return int(answer[1]) if answer else 0


@pytest.mark.parametrize(
    "host",
    [
        *(b"127.0.0.1", b"127.0.0.1:8765", b"localhost", b"LocalHost:80", b"[::1]", b"[::1]:8765"),
        *(b"pics.example", b"PICS.example:443"),
    ],
)
def test_names_of_its_own_are_answered(address: tuple[str, int], host: bytes) -> None:
    assert status_for(address, b"Host: " + host) == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://127.0.0.1/v1/models", 200),
        (b"http://localhost:8765/v1/models/dall-e-3?x=1", 200),
        (b"http://localhost/nothing", 404),
        (b"http://localhost", 200),
        (b"httpx://localhost/v1/models", 404),
    ],
)
def test_a_target_may_be_a_whole_url(address: tuple[str, int], target: bytes, status: int) -> None:
    assert status_for(address, b"Host: localhost", target=target) == status


@pytest.mark.parametrize(
    "heads",
    [
        [b"Host: evil.example"],
        [b"Host: evil.example:8765"],
        [b"host:evil.example"],
        [b"Host: 127.0.0.1.evil.example"],
        [b"Host: evil.example.127.0.0.1"],
        [b"Host: localhost.evil.example"],
        [b"Host: localhost."],
        [b"Host: 127.0.0.1."],
        [b"Host: evil.example@127.0.0.1"],
        [b"Host: 127.0.0.1@evil.example"],
        [b"Host: 127.0.0.1/evil.example"],
        [b"Host: 127.0.0.1#evil.example"],
        [b"Host: 127.0.0.1?evil.example"],
        [b"Host: 127.0.0.1\\evil.example"],
        [b"Host: 127.0.0.1, evil.example"],
        [b"Host: 127.0.0.1 evil.example"],
        [b"Host: 127.0.0.1:80:80"],
        [b"Host: 127.0.0.1:evil"],
        [b"Host: [::1].evil.example"],
        [b"Host: [::ffff:93.184.216.34]"],
        [b"Host: 127.1"],
        [b"Host: 2130706433"],
        [b"Host: 0x7f000001"],
        [b"Host: 127.0.0.2"],
        [b"Host: 0.0.0.0"],
        [b"Host: //127.0.0.1"],
        [b"Host: http://127.0.0.1"],
        [b"Host: "],
        [b"Host: \xe2\x93\x9bocalhost"],
        [b"Host: evil.example", b"Host: 127.0.0.1"],
        [b"Host: 127.0.0.1", b"Host: evil.example"],
        [b"Host: evil.example", b"X-Forwarded-Host: 127.0.0.1"],
        [b"Host: evil.example", b"Forwarded: host=127.0.0.1"],
        [b"Host: evil.example", b"Origin: http://127.0.0.1"],
        [b"Host: evil.example", b"Referer: http://127.0.0.1/"],
        [],
    ],
)
def test_a_rebound_name_is_refused_however_it_is_spelt(
    address: tuple[str, int], heads: list[bytes]
) -> None:
    assert status_for(address, *heads) in {400, 403}


@pytest.mark.parametrize("path", ["/", "/v1/models", "/pictures/x.png", "/openapi.json", "/none"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
def test_a_rebound_name_reaches_no_path_and_no_method(
    client_of: Clients, method: str, path: str
) -> None:
    with client_of(Engine(hosts=OWN)) as client:
        assert client.request(method, path, headers={"Host": "evil.example"}).status_code == 403


POST = b"POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer k\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        POST + b"X-1: ",
        POST + b"Content-Length: 99\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
def test_a_request_without_an_end_is_hung_up_on(
    painter: Swatches, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PacedProtocol, "head_seconds", 0.05)
    monkeypatch.setattr(PacedProtocol, "body_seconds", 0.05)
    with serving(Engine(painter=painter)) as url:
        where = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(where, timeout=30) as connection:
            connection.sendall(sent)
            try:
                assert connection.recv(1) == b""
            except ConnectionResetError:
                return
        assert painter.painted == []


def test_requests_in_pieces_on_one_connection_are_answered(painter: Swatches) -> None:
    body = b'{"prompt": "a fox", "model": "gpt-image-1"}'
    with (
        serving(Engine(painter=painter, time_scale=0.0)) as url,
        httpx.Client(headers={"Authorization": "Bearer k"}, timeout=60) as client,
    ):
        for _ in range(3):
            answer = client.post(
                f"{url}/v1/images/generations",
                content=iter([body[:9], body[9:]]),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 200
