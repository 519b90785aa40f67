"""Sockets that are read in wide strokes."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from opeai_nb.client.http.network.sockets import AsyncWideBackend, WideBackend
from tests.client.playing import playing


def wait_for_end(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux makes room for what is waited for")
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_fresh_connection_has_room_for_pictures_and_waits_for_one_byte(*, is_async: bool) -> None:
    def held(plain: socket.socket) -> tuple[int, int]:
        options = (socket.SO_RCVLOWAT, socket.SO_RCVBUF)
        waits, room = (plain.getsockopt(socket.SOL_SOCKET, option) for option in options)
        return waits, room

    async def connected(port: int) -> tuple[int, int]:
        stream = await AsyncWideBackend().connect_tcp("127.0.0.1", port, 30)
        found = held(stream.get_extra_info("socket"))
        await stream.aclose()
        return found

    with playing(wait_for_end) as port:
        if is_async:
            waits, room = asyncio.run(connected(port))
        else:
            stream = WideBackend().connect_tcp("127.0.0.1", port, 30)
            waits, room = held(stream.get_extra_info("socket"))
            stream.close()
    assert waits == 1
    most = int(Path("/proc/sys/net/ipv4/tcp_rmem").read_text().split()[2])
    assert room >= min(3 * 1024 * 1024, most // 2)
