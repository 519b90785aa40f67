"""The memory that an answer costs: 64 MB, and one and a half times its pictures, at the most.

Measured in a process of its own: the highest resident size that Linux noted, over what it was.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import chain, islice, repeat
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells peaks"),
]
MB = 1 << 20
MAGIC = b"\x89PNG\r\n\x1a\n"
ENOUGH = 1500 * MB
"""Bytes after which even a server without an end hangs up."""


def over(
    head: bytes, unit: bytes, megabytes: int | None = None, end: bytes = b""
) -> Iterator[bytes]:
    """Yield *head*, then *unit* over and over, for so many megabytes or without an end."""
    block = unit * (MB // len(unit))
    blocks = repeat(block) if megabytes is None else repeat(block, megabytes)
    return chain([head], blocks, [end])


def pictures(*megabytes: int) -> Iterator[bytes]:
    """Yield an answer of pictures of these sizes."""
    for place, size in enumerate(megabytes):
        yield b'{"data":[{"b64_json":"' if place == 0 else b',{"b64_json":"'
        yield b64encode(MAGIC + b"\0")
        yield from repeat(b64encode(bytes(3 * MB // 4)), size * 4 // 3)
        yield b'"}'
    yield b"]}"


def packed(body: Iterator[bytes], coding: str = "gzip") -> Iterator[bytes]:
    """Yield *body* under a coding; it has no end, but a bomb needs none."""
    packers: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
        "gzip": lambda: zlib.compressobj(9, zlib.DEFLATED, 31).compress,
        "deflate": lambda: zlib.compressobj(9).compress,
        "br": lambda: import_module("brotli").Compressor(quality=5, lgwin=24).process,
        "zstd": lambda: import_module("zstandard").ZstdCompressor(level=19).compressobj().compress,
    }
    squeeze = packers[coding]()
    return (out for block in body if (out := squeeze(block)))


URLS = b'{"url":"http://x.test/1.png"},'
KINDS: dict[str, tuple[int, Callable[[], Iterator[bytes]]]] = {
    "endless text": (0, lambda: over(b'{"data":[{"url":"', b"x ")),
    "endless letters beyond the plane": (0, lambda: over(b'{"data":["', "\U0001f600".encode())),
    "endless letters of Chinese": (0, lambda: over(b'{"data":["', "中".encode())),
    "endless base64 of no picture": (0, lambda: over(b'{"data":[{"b64_json":"', b"AAAA")),
    "endless broken base64": (0, lambda: over(b'{"data":[{"b64_json":"', b"AAA=")),
    "lists": (0, lambda: over(b'{"data":[', b"[],")),
    "items": (0, lambda: over(b'{"data":[', URLS, 30, b"{}]}")),
    "fewer items": (0, lambda: over(b'{"data":[', URLS, 1, b"{}]}")),
    "objects in objects": (0, lambda: over(b"", b'{"data":')),
    "lines of JSON": (0, lambda: over(b"", b'{"data":[]}\n', 20)),
    "events": (0, lambda: over(b"", b"data: {}\n\n", 20)),
    "empty events": (0, lambda: over(b"data: {}", b"\n")),
    "a page": (0, lambda: over(b"<html>", b"<p>x</p>")),
    "a packed text": (0, lambda: packed(over(b'{"data":["', b"x ", 600))),
    "a text under deflate": (0, lambda: packed(over(b'{"data":["', b"x ", 600), "deflate")),
    "a text under br": (0, lambda: packed(over(b'{"data":["', b"x ", 600), "br")),
    "blanks under br": (0, lambda: packed(over(b'{"data":["', b"  ", 600), "br")),
    "a text under zstd": (0, lambda: packed(over(b'{"data":["', b"x ", 600), "zstd")),
    "a picture under br": (100, lambda: packed(pictures(100), "br")),
    "a picture under zstd": (100, lambda: packed(pictures(100), "zstd")),
    "many small pictures": (
        4,
        lambda: over(b'{"data":[', b'{"b64_json":"' + b64encode(MAGIC + bytes(4000)) + b'"},', 100),
    ),
    "a picture": (100, lambda: pictures(100)),
    "four pictures": (100, lambda: pictures(25, 25, 25, 25)),
    "half a picture": (150, lambda: islice(pictures(300), 200)),
    "a picture that breaks": (
        60,
        lambda: chain(islice(pictures(100), 80), over(b"=A", b"BBB=")),
    ),
}
ASK = """
import sys
from opeai_nb.client import Client
from opeai_nb.errors import OpeaiError
from opeai_nb.testing import Script, pictures_answer, png

def resident(name):
    lines = open("/proc/self/status").read().split("\\n")
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024

Client(base_url="http://x.test", transport=Script(pictures_answer(png()))).submit("a fox")
open("/proc/self/clear_refs", "w").write("5")
before = resident("VmRSS")
try:
    Client(base_url=sys.argv[1]).submit("a fox")
except OpeaiError:
    pass
print(resident("VmHWM") - before)
"""


@contextmanager
def answering(body: Callable[[], Iterator[bytes]], coding: str) -> Iterator[str]:
    """Yield the URL of a server that answers one request with *body*."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    head += f"Content-Encoding: {coding}\r\n\r\n".encode()

    def answer() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65_536)
            connection.sendall(head)
            sent = 0
            for block in body():
                connection.sendall(block)
                if (sent := sent + len(block)) > ENOUGH:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_peak_of_an_answer_is_bounded(kind: str) -> None:
    megabytes, body = KINDS[kind]
    coding = "gzip" if "packed" in kind else kind.partition(" under ")[2] or "identity"
    with answering(body, coding) as url:
        told = subprocess.run(
            [sys.executable, "-c", ASK, url],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    assert int(told.stdout) <= 64 + 1.5 * megabytes
