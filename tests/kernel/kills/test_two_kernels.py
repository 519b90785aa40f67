"""Two real kernels on one library, and kernels that die with a POST under way."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.testing import pictures_answer, png

pytestmark = [
    pytest.mark.long,  # starts two kernels for each test
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL"),
]

CELL = "%%imagine -s 512x512 -o fox\na red fox"


class Held(ThreadingHTTPServer):
    """A model that answers at once, when it is let; *posts* are those that came whole."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.posts: list[str] = []
        self.came = threading.Semaphore(0)
        self.may_answer = threading.Event()
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    server: Held

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.posts.append(json.loads(self.rfile.read(length))["prompt"])
        self.server.came.release()
        if self.server.refuses:
            self._say(429, b'{"error": {"message": "no room"}}', ("Retry-After", "30"))
            return
        self.server.may_answer.wait(60)
        answer = pictures_answer(png(8, 8))
        self._say(200, answer.content)

    def _say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Held]:
    made = Held()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.may_answer.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def kernel(new_kernel: Any, server: Held, tmp_path: Path) -> Callable[[], Any]:
    """Return a kernel of its own on the library of the test."""

    def made() -> Any:
        library = str(tmp_path / "imagine")
        started = new_kernel(
            OPEAI_BASE_URL=server.url, OPEAI_API_KEY="any-key", OPEAI_NB_LIBRARY=library
        )
        started.good("%load_ext opeai_nb")
        return started

    return made


def waits(kernel: Any, message: str, word: str) -> str:
    """Return what the badge says once *word* stands in it."""
    while True:
        got = kernel.client.get_iopub_msg(timeout=60)
        if got["parent_header"].get("msg_id") != message:
            continue
        text = got["content"].get("data", {}).get("text/plain", "")
        if word in text:
            return str(text)


def killed(kernel: Any) -> None:
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    kernel.restart()
    kernel.good("%load_ext opeai_nb")


def test_the_second_kernel_waits_and_shows_the_picture_of_the_first(
    kernel: Callable[[], Any], server: Held
) -> None:
    first, second = kernel(), kernel()
    message = first.send(CELL, cell="cell-1")
    assert server.came.acquire(timeout=60)
    interrupted = second.send(CELL, cell="cell-1")
    waits(second, interrupted, "waiting")
    second.manager.interrupt_kernel()
    assert "Nothing was sent" in second.outcome(interrupted).error["evalue"]
    waiting = second.send(CELL, cell="cell-1")
    assert waits(second, waiting, "waiting").startswith("⧗ waiting for another kernel ")
    server.may_answer.set()
    ends = [first.outcome(message), second.outcome(waiting)]
    assert [end.badges[-1] for end in ends] == ["✓ 1 picture · qwen-image-2.0 · 8x8"] * 2
    assert server.posts == ["a red fox"]


def test_what_was_in_flight_in_a_killed_kernel_is_told_and_not_sent_again(
    kernel: Callable[[], Any], server: Held
) -> None:
    """By the one that waited, by Run All in a new kernel, and by a batch; until it is forgotten."""
    first, second = kernel(), kernel()
    first.send(CELL, cell="cell-1")
    assert server.came.acquire(timeout=60)
    waiting = second.send(CELL, cell="cell-1")
    waits(second, waiting, "waiting")
    killed(first)
    batch = (
        "opeai_nb.batch([{'prompt': 'a red fox', 'size': '512x512'}]).run().manifest[0]['error']"
    )
    said = [
        second.outcome(waiting).error["evalue"],
        first.run(CELL, cell="cell-1").error["evalue"],
        first.run(CELL, cell="another cell").error["evalue"],
        first.good(f"import opeai_nb\n{batch}").result["text/plain"],
    ]
    for text in said:
        assert "1 picture may have been painted and paid for" in text
    for way in ("%imagine tasks", "%imagine resume", "%imagine forget", "--fresh"):
        assert all(way in text for text in said[:3])
    assert server.posts == ["a red fox"]
    known = first.good("%imagine tasks").result["text/plain"]
    found = re.search(r"\b[0-9a-f]{8}\b", known)
    assert found
    first.good(f"%imagine forget {found[0]}")
    server.may_answer.set()
    first.good(CELL, cell="cell-1")
    assert server.posts == ["a red fox"] * 2


def test_a_kernel_killed_in_the_pause_after_a_429_leaves_a_refused_request(
    kernel: Callable[[], Any], server: Held, tmp_path: Path
) -> None:
    server.refuses = True
    first = kernel()
    first.send(CELL, cell="cell-1")
    assert server.came.acquire(timeout=60)
    # The line says what the refusal was: a `429` alone stands in many a time and digest.
    while not any(
        "no room" in path.read_text() for path in tmp_path.glob("imagine/.pending/*/*.jsonl")
    ):
        pass
    killed(first)
    assert "refused" in first.good("%imagine tasks").result["text/plain"]
    server.refuses = False
    server.may_answer.set()
    first.good(CELL, cell="cell-1")
    assert first.good("%imagine tasks").result["text/plain"] == "Nothing is pending."
    assert server.posts == ["a red fox"] * 2


def test_a_cell_that_paid_and_failed_shows_what_it_made(
    kernel: Callable[[], Any], server: Held
) -> None:
    server.may_answer.set()
    one = kernel()
    assert one.run("a = %imagine a red fox\n1 / 0", cell="cell-1").status == "error"
    one.good("a = %imagine a red fox\n1 / 1", cell="cell-1")
    assert server.posts == ["a red fox"]
    one.good("a = %imagine a red fox\n1 / 1", cell="cell-1")
    assert server.posts == ["a red fox"] * 2, "a run that ended well is followed by a new picture"


def test_a_cell_that_was_interrupted_waits_for_its_own_job(
    kernel: Callable[[], Any], server: Held
) -> None:
    one = kernel()
    message = one.send(CELL, cell="cell-1")
    assert server.came.acquire(timeout=60)
    one.manager.interrupt_kernel()
    assert one.outcome(message).status == "error"
    again = one.send(CELL, cell="cell-1")
    assert "waiting for another cell" in waits(one, again, "waiting")
    server.may_answer.set()
    assert one.outcome(again).status == "ok"
    assert server.posts == ["a red fox"]


def test_a_sweep_and_a_batch_run_again_in_a_session_are_free(
    kernel: Callable[[], Any], server: Held
) -> None:
    server.may_answer.set()
    one = kernel()
    for _ in range(2):
        one.good("%%imagine --yes\na {red|blue} fox", cell="sweep")
        one.good("import opeai_nb\nopeai_nb.batch(['an owl', 'a hare']).run()", cell="batch")
    assert sorted(server.posts) == ["a blue fox", "a hare", "a red fox", "an owl"]
