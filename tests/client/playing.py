"""A server on a real socket that plays with each connection as a test says, in plain or in TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CERTIFICATE = Path(__file__).parent / "certificates" / "server.pem"
"""One that vouches for itself, for localhost and 127.0.0.1; its key lies beside it."""
Play = Callable[[socket.socket], object]


@contextmanager
def playing(play: Play) -> Iterator[int]:
    """Play with each connection, in a thread of its own; yields the port.

    At its end all of them must be over: who waits for an end that does not come is a failure.
    """
    server = socket.create_server(("127.0.0.1", 0))
    games: list[threading.Thread] = []

    def play_with(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # who is gone is gone
            play(connection)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                games.append(threading.Thread(target=play_with, args=(connection,), daemon=True))
                games[-1].start()

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    with server:
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        serving.join(30)
    for game in games:
        game.join(30)
    assert not any(game.is_alive() for game in games), "a connection is open"


def reset(connection: socket.socket) -> None:
    """Hang up at once, and rudely."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def in_tls(play: Play) -> Play:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))

    def shaken(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            play(inside)

    return shaken
