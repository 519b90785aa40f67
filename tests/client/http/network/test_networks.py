"""The network on asyncio: held to what anyio's does, which httpcore would take."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpcore
import pytest

from opeai_nb.client.http.network.asyncio_sockets import AsyncioBackend
from tests.client.playing import CERTIFICATE, Play, in_tls, playing, reset

networks = pytest.mark.parametrize("network", [AsyncioBackend, httpcore.AnyIOBackend])
pytestmark = networks


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65_536):
        connection.sendall(data)


def mute(connection: socket.socket) -> None:
    """Say and read nothing until the other side ends."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while connection.recv(1, socket.MSG_PEEK):
        threading.Event().wait(0.02)


def tunnel_to(port: int) -> Play:
    """Pass on, in both directions."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def play(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as further:
            back = threading.Thread(target=pump, args=(further, connection), daemon=True)
            back.start()
            pump(connection, further)
            back.join(30)

    return play


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.set_alpn_protocols(["http/1.1"])
    return context


@asynccontextmanager
async def connected(
    network: Callable[[], httpcore.AsyncNetworkBackend], port: int
) -> AsyncIterator[httpcore.AsyncNetworkStream]:
    stream = await network().connect_tcp("127.0.0.1", port, 30)
    try:
        yield stream
    finally:
        await stream.aclose()


async def read_exactly(stream: httpcore.AsyncNetworkStream, size: int) -> bytes:
    got = bytearray()
    while len(got) < size and (data := await stream.read(512 * 1024, 30)):
        got += data
    return bytes(got)


def run(
    play: Play,
    network: Callable[[], httpcore.AsyncNetworkBackend],
    talk: Callable[[httpcore.AsyncNetworkStream], Any],
) -> Any:
    """Return what *talk* returns, spoken with a server that plays so."""

    async def spoken(port: int) -> Any:
        async with connected(network, port) as stream:
            return await talk(stream)

    with playing(play) as port:
        return asyncio.run(spoken(port))


BIG = bytes(range(256)) * 20_000
"""More than any socket takes at once."""


def test_what_is_written_comes_back(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> bytes:
        await stream.write(b"hello", 30)
        return await read_exactly(stream, 5)

    assert run(echo, network, talk) == b"hello"


@pytest.mark.parametrize("is_tls", [False, True])
def test_large_data_goes_both_ways_at_once(network: Any, is_tls: bool) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> bytes:
        if is_tls:
            stream = await stream.start_tls(trusting(), "localhost", 30)
        writing = asyncio.create_task(stream.write(BIG, 30))
        got = await read_exactly(stream, len(BIG))
        await writing
        return got

    assert run(in_tls(echo) if is_tls else echo, network, talk) == BIG


def test_end_is_nothing_to_read(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> bytes:
        await stream.write(b"x", 30)
        return await stream.read(1, 30) + await stream.read(1, 30)

    assert run(lambda connection: connection.recv(1), network, talk) == b""


def test_port_where_nobody_listens_is_a_connect_error(network: Any) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
        with pytest.raises(httpcore.ConnectError):
            asyncio.run(network().connect_tcp("127.0.0.1", port, 30))


def test_silence_is_a_read_timeout(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        await stream.read(1, 0.05)

    with pytest.raises(httpcore.ReadTimeout):
        run(mute, network, talk)


def test_what_nobody_takes_is_a_write_timeout(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        for _ in range(20):
            await stream.write(BIG, 0.05)

    with pytest.raises(httpcore.WriteTimeout):
        run(mute, network, talk)


def test_reset_is_a_read_error(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        await stream.write(b"x", 30)
        await stream.read(1, 30)

    with pytest.raises(httpcore.ReadError):
        run(reset, network, talk)


def test_writing_after_a_reset_is_a_write_error(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        await stream.write(b"x", 30)
        with suppress(httpcore.ReadError):
            await stream.read(1, 30)
        await stream.write(b"x", 30)

    with pytest.raises(httpcore.WriteError):
        run(reset, network, talk)


def test_closed_stream_neither_reads_nor_writes(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        await stream.aclose()
        await stream.aclose()
        with pytest.raises(httpcore.ReadError):
            await stream.read(1, 30)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", 30)

    run(echo, network, talk)


def test_idle_stream_is_readable_once_the_server_has_ended(network: Any) -> None:
    ends = threading.Event()

    async def talk(stream: httpcore.AsyncNetworkStream) -> list[bool]:
        before = stream.get_extra_info("is_readable")
        ends.set()
        await asyncio.to_thread(select.select, [stream.get_extra_info("socket")], [], [], 30)
        return [before, stream.get_extra_info("is_readable")]

    assert run(lambda _: ends.wait(30), network, talk) == [False, True]


def test_addresses_of_both_ends_are_there(network: Any) -> None:
    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        ours, theirs = (stream.get_extra_info(f"{end}_addr") for end in ("client", "server"))
        plain = stream.get_extra_info("socket")
        assert (ours, theirs) == (plain.getsockname(), plain.getpeername())
        assert stream.get_extra_info("ssl_object") is None
        assert stream.get_extra_info("anything else") is None

    run(echo, network, talk)


def test_options_and_local_address_are_taken(network: Any) -> None:
    async def talk(port: int) -> None:
        option = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stream = await network().connect_tcp("127.0.0.1", port, 30, "127.0.0.1", [option])
        plain = stream.get_extra_info("socket")
        assert plain.getsockopt(*option[:2]) == 1
        assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        await stream.aclose()

    with playing(echo) as port:
        asyncio.run(talk(port))


def test_cancelled_reader_leaves_a_stream_that_can_be_closed(network: Any) -> None:
    ended = threading.Event()

    def listen(connection: socket.socket) -> None:
        connection.sendall(b"x")
        if connection.recv(1) == b"":
            ended.set()

    async def talk(stream: httpcore.AsyncNetworkStream) -> None:
        await stream.read(1, 30)
        reading = asyncio.create_task(stream.read(1, 30))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await stream.aclose()
        assert await asyncio.to_thread(ended.wait, 30)

    run(listen, network, talk)


class TestTls:
    """Handshakes, and what goes wrong in them: nothing was sent."""

    def test_what_was_agreed_on_can_be_asked_for(self, network: Any) -> None:
        async def talk(stream: httpcore.AsyncNetworkStream) -> None:
            inside = await stream.start_tls(trusting(), "127.0.0.1", 30)
            assert inside.get_extra_info("ssl_object").version().startswith("TLS")
            assert inside.get_extra_info("server_addr") == stream.get_extra_info("server_addr")
            assert inside.get_extra_info("is_readable") in {True, False}
            await inside.aclose()

        run(in_tls(echo), network, talk)

    @pytest.mark.parametrize("has_farewell", [False, True])
    def test_end_is_nothing_to_read(self, network: Any, has_farewell: bool) -> None:
        def play(connection: Any) -> None:
            connection.recv(1)
            connection.sendall(b"ab")
            if has_farewell:
                connection.unwrap()

        async def talk(stream: httpcore.AsyncNetworkStream) -> list[bytes]:
            inside = await stream.start_tls(trusting(), "localhost", 30)
            await inside.write(b"x", 30)
            got = await read_exactly(inside, 2)
            try:
                return [got, await inside.read(1, 30), await inside.read(1, 30)]
            finally:
                await inside.aclose()

        assert run(in_tls(play), network, talk) == [b"ab", b"", b""]

    @pytest.mark.parametrize(
        "name", [pytest.param("elsewhere.test", id="another's"), pytest.param(None, id="nobody's")]
    )
    def test_certificate_that_is_not_trusted(self, network: Any, name: str | None) -> None:
        context = trusting() if name else ssl.create_default_context()

        async def talk(stream: httpcore.AsyncNetworkStream) -> None:
            await stream.start_tls(context, name or "localhost", 30)

        with pytest.raises(httpcore.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            run(in_tls(echo), network, talk)

    @pytest.mark.parametrize(
        "play", [pytest.param(lambda c: c.sendall(b"HTTP/1.1 400 X\r\n\r\n"), id="HTTP"), reset]
    )
    def test_server_that_speaks_no_tls(self, network: Any, play: Play) -> None:
        async def talk(stream: httpcore.AsyncNetworkStream) -> None:
            await stream.start_tls(trusting(), "localhost", 30)

        with pytest.raises(httpcore.ConnectError):
            run(play, network, talk)

    def test_handshake_that_nobody_answers(self, network: Any) -> None:
        async def talk(stream: httpcore.AsyncNetworkStream) -> None:
            await stream.start_tls(trusting(), "localhost", 0.05)

        with pytest.raises(httpcore.ConnectTimeout):
            run(mute, network, talk)

    def test_silence_is_a_read_timeout(self, network: Any) -> None:
        async def talk(stream: httpcore.AsyncNetworkStream) -> None:
            inside = await stream.start_tls(trusting(), "localhost", 30)
            try:
                await inside.read(1, 0.05)
            finally:
                await inside.aclose()

        with pytest.raises(httpcore.ReadTimeout):
            run(in_tls(echo), network, talk)

    def test_runs_in_a_tunnel_that_is_tls_itself(self, network: Any) -> None:
        async def talk(stream: httpcore.AsyncNetworkStream) -> bytes:
            outer = await stream.start_tls(trusting(), "localhost", 30)
            inner = await outer.start_tls(trusting(), "localhost", 30)
            await inner.write(b"hello", 30)
            try:
                return await read_exactly(inner, 5)
            finally:
                await inner.aclose()

        with playing(in_tls(echo)) as port:
            assert run(in_tls(tunnel_to(port)), network, talk) == b"hello"
