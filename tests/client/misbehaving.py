"""A server on a real socket that misbehaves at a chosen stage, and counts what reaches it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

from opeai_nb.testing import Answer, error_answer, pictures_answer, png

GOOD = pictures_answer(png())
BUSY = error_answer("当前分组上游负载已饱和", status=429, code=None)


def busy(**headers: str) -> Answer:
    """Return a 429 with these headers; `_` in a name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(BUSY.body, status=429, headers=named)


def in_seconds(seconds: float) -> dict[str, str]:
    """Return a Retry-After as an HTTP date, with the Date that it is compared with."""
    now = time.time()
    return {
        "Retry_After": formatdate(now + seconds, usegmt=True),
        "Date": formatdate(now, usegmt=True),
    }


# What ZeroMQ greets with: in another test a kernel's client still looks for one that had this port.
_ZMTP = b"\xff"


class Misbehaving:
    """Plays one stage for all: an `Answer`, `"drop"`, `"half"`, `"stall"` or `"mute"`."""

    def __init__(self, stage: object) -> None:
        self.stage = stage
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self._over = threading.Event()
        self._arrival = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def keys(self) -> list[str | None]:
        """The Idempotency-Key of each POST."""
        return [headers.get("idempotency-key") for line, headers in self.requests if "POST" in line]

    def wait_for(self, requests: int) -> None:
        """Return when so many have arrived: who gave up waiting may be ahead of them."""
        with self._arrival:
            assert self._arrival.wait_for(lambda: len(self.requests) >= requests, 60)

    def close(self) -> None:
        self._over.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                if line[:1] == _ZMTP:
                    return
                headers = {}
                while text := stream.readline().decode().strip():
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                stream.read(int(headers.get("content-length", 0)))
                with self._arrival:
                    self.requests.append((line.decode(), headers))
                    self._arrival.notify_all()
                if not self._answer(connection):
                    return

    def _answer(self, connection: socket.socket) -> bool:
        """Play the stage; tell whether the connection lives on."""
        if self.stage == "drop":
            return False
        if self.stage == "mute":
            return not self._over.wait(30)
        answer = self.stage if isinstance(self.stage, Answer) else GOOD
        content = answer.content
        names = {"Content-Length": str(len(content)), **answer.all_headers()}
        head = "".join(f"{name}: {value}\r\n" for name, value in names.items())
        whole = isinstance(self.stage, Answer)
        body = content if whole else content[: len(content) // 2]
        connection.sendall(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode() + body)
        if "Connection" in names:
            return False
        return whole or (self.stage == "stall" and not self._over.wait(30))


@contextmanager
def misbehaving(stage: object) -> Iterator[Misbehaving]:
    server = Misbehaving(stage)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def nobody() -> Iterator[str]:
    """Yield the URL of a port where nobody listens: connections are refused."""
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{placeholder.getsockname()[1]}"
