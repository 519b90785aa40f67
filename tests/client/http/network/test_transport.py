"""The way to the network: httpx's errors, connections used again, requests that arrive whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpcore
import httpx
import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.http import connection_pool
from opeai_nb.client.http.connection_pool import AsyncWideTransport, WideTransport, _errors_of_httpx
from opeai_nb.client.http.network import certificates
from opeai_nb.client.http.network.proxies import Proxy
from opeai_nb.client.http.network.proxy_transport import ProxyTransports
from opeai_nb.client.http.network.resolve import addresses_to_try
from opeai_nb.testing import Answer, png
from tests.client.misbehaving import GOOD, misbehaving, nobody
from tests.client.shells import Shell


@pytest.fixture(params=["sync", "async"])
def network(request: pytest.FixtureRequest) -> Callable[..., list[httpx.Response] | None]:
    """A function that sends requests one after the other over one real transport."""

    async def later(*urls: str, **options: Any) -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=AsyncWideTransport(), timeout=60) as client:
            return [await client.get(url, **options) for url in urls]

    def now(*urls: str, **options: Any) -> list[httpx.Response]:
        if request.param == "async":
            return asyncio.run(later(*urls, **options))
        with httpx.Client(transport=WideTransport(), timeout=60) as client:
            return [client.get(url, **options) for url in urls]

    return now


def leaves(kind: type[Exception]) -> list[type[Exception]]:
    found = [leaf for child in kind.__subclasses__() for leaf in leaves(child)]
    return found or [kind]


@pytest.mark.parametrize(
    "kind", [leaf for root in connection_pool._FAILURES for leaf in leaves(root)]
)
def test_every_failure_of_httpcore_has_its_twin_in_httpx(kind: type[Any]) -> None:
    with pytest.raises(getattr(httpx, kind.__name__)), _errors_of_httpx():
        raise kind("x")


def test_every_failure_that_httpx_maps_is_mapped() -> None:
    known = {leaf for root in connection_pool._FAILURES for leaf in leaves(root)}
    errors = {
        e for e in vars(httpcore).values() if isinstance(e, type) and issubclass(e, Exception)
    }
    # It is said between httpcore's own pool and connections, and never leaves a pool.
    missing = {e for e in errors - known if not e.__subclasses__()} - {
        httpcore.ConnectionNotAvailable
    }
    assert missing == set()


def test_connection_is_used_again(network: Callable[..., list[httpx.Response] | None]) -> None:
    with misbehaving(Answer(png())) as server:
        answers = network(server.url, server.url, server.url)
        assert {answer.content for answer in answers} == {png()}
        assert server.connections == 1


def test_a_host_is_found_by_its_name(
    network: Callable[..., list[httpx.Response] | None],
) -> None:
    with misbehaving(Answer(png())) as server:
        (answer,) = network(server.url.replace("127.0.0.1", "localhost"))
        assert answer.content == png()


def test_of_a_hosts_addresses_each_is_tried_once_and_ipv4_first() -> None:
    assert addresses_to_try(["::1", "127.0.0.1", "::1"]) == ("127.0.0.1", "::1")


def test_connection_that_the_server_closed_is_not_used_again(
    network: Callable[..., list[httpx.Response] | None],
) -> None:
    answer = Answer(png(), headers={"Connection": "close", "Content-Type": "image/png"})
    with misbehaving(answer) as server:
        assert len(network(server.url, server.url)) == 2
        assert server.connections == 2


@pytest.mark.parametrize(
    ("stage", "kind", "seconds"),
    [
        ("drop", httpx.RemoteProtocolError, 60.0),
        ("half", httpx.RemoteProtocolError, 60.0),
        ("mute", httpx.ReadTimeout, 0.2),
    ],
)
def test_failure_is_one_of_httpx(
    network: Callable[..., list[httpx.Response] | None],
    stage: str,
    kind: type[Any],
    seconds: float,
) -> None:
    with misbehaving(stage) as server, pytest.raises(kind):
        network(server.url, timeout=httpx.Timeout(60, read=seconds))


def test_refused_connection_is_one_of_httpx(
    network: Callable[..., list[httpx.Response] | None],
) -> None:
    with nobody() as url, pytest.raises(httpx.ConnectError, match=r"^(\[Errno \d+\] )?Connection"):
        network(url)


def test_large_body_is_read_in_wide_strokes(
    network: Callable[..., list[httpx.Response] | None],
) -> None:
    body = bytes(3_000_000)
    with misbehaving(Answer(body)) as server:
        assert network(server.url)[0].content == body


@pytest.mark.parametrize("size", [1, 1000, 70_000, 1_000_000])
def test_request_arrives_whole_whatever_its_size(size: int) -> None:
    with misbehaving(GOOD) as server, httpx.Client(transport=WideTransport(), timeout=60) as client:
        assert client.post(server.url, content=b"x" * size).status_code == 200
    assert server.requests[0][1]["content-length"] == str(size)


def test_transport_works_on_an_event_loop_that_is_not_asyncios() -> None:
    trio = pytest.importorskip("trio")

    async def ask(url: str) -> list[bytes]:
        async with httpx.AsyncClient(transport=AsyncWideTransport(), timeout=60) as client:
            return [(await client.get(url)).content, (await client.post(url)).content]

    with misbehaving(Answer(png())) as server:
        assert trio.run(ask, server.url) == [png(), png()]


def test_tls_context_is_made_for_https_alone(
    network: Callable[..., list[httpx.Response] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in certificates.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    made: list[Any] = []
    real = httpx.create_ssl_context

    def making() -> Any:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", making)
    with misbehaving(GOOD) as server:
        network(server.url)
    assert made == []
    with nobody() as url, pytest.raises(httpx.ConnectError):
        network(url.replace("http:", "https:"))
    assert len(made) == 1


def test_certificates_are_read_once_for_all_ways_through_proxies() -> None:
    made: list[Any] = []

    def making(*, verify: Any, **given: Any) -> httpx.HTTPTransport:
        made.append(verify)
        return httpx.HTTPTransport(verify=verify, **given)

    ways = ProxyTransports(making, httpcore.SyncBackend)
    for proxy in ("http://one.example:8080", "http://two.example:8080"):
        for method in ("GET", "POST"):
            ways.way(Proxy(proxy, "HTTP_PROXY"), httpx.Request(method, "http://a.example"))
    assert (len(made), len(set(made))) == (4, 1)


def test_certificates_that_cannot_be_loaded_are_a_failure_to_connect(
    network: Callable[..., list[httpx.Response] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(httpx.ConnectError, match="SSL_CERT_FILE names cannot be loaded"):
        network("https://127.0.0.1:9")


def test_behind_a_proxy_httpx_finds_its_own_way(
    shell: Callable[..., Shell], monkeypatch: pytest.MonkeyPatch
) -> None:
    with misbehaving(Answer(png())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client = shell()
        generation = Generation((Picture(url="http://pictures.test/1.png"),), ImageRequest("x"))
        assert client.fetch(generation).pictures[0].data == png()
    assert proxy.requests[0][0].startswith("GET http://pictures.test/1.png ")
