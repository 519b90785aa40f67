"""An answer with a head that is not HTTP, or wrong: what came behind it is read, or kept, and paid
once.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.errors import OutcomeUnknownError
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import pictures_answer, png
from tests.client.http.network.test_hang_ups import read_request
from tests.client.playing import playing
from tests.client.shells import KEY, Shell

PICTURE = png()
BODY = pictures_answer(PICTURE).content
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
OK = b"HTTP/1.1 200 OK\r\n"
HEADS = {
    "line without a colon": OK + b"this is no header\r\n" + LENGTH + b"\r\n",
    "space before the colon": OK + b"X-A : b\r\n" + LENGTH + b"\r\n",
    "zero byte": OK + b"X-A: a\0b\r\n" + LENGTH + b"\r\n",
    "length that is no number": OK + b"Content-Length: abc\r\n\r\n",
    "two lengths": OK + LENGTH + b"Content-Length: 5\r\n\r\n",
    "unknown coding": OK + b"Transfer-Encoding: identity\r\n\r\n",
    "status of words": b"HTTP/1.1 fine OK\r\n" + LENGTH + b"\r\n",
    "other version": b"HTTP/2 200\r\n" + LENGTH + b"\r\n",
    "empty line in front": b"\r\n\r\n" + OK + LENGTH + b"\r\n",
    "none at all": b"",
}


class Server:
    """Answers each request so, and counts them."""

    def __init__(self, answer: bytes, first: bytes | None = None) -> None:
        self.answer = answer
        self.first = first
        self.posts = 0

    def __call__(self, connection: socket.socket) -> None:
        is_post = read_request(connection).startswith(b"POST")
        self.posts += is_post
        connection.sendall(self.first if self.first and is_post else self.answer)


WRONG = {
    "length of letters": OK + b"Content-Length: %d\r\n\r\n" % (len(BODY) - 3),
    "no length": OK + b"Content-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "no chunk's length": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("head", [*HEADS.values(), *WRONG.values()], ids=[*HEADS, *WRONG])
def test_answer_behind_a_head_that_is_wrong_is_read(
    shell: Callable[..., Shell], head: bytes
) -> None:
    server = Server(head + BODY)
    with playing(server) as port:
        generation = shell(base_url=f"http://127.0.0.1:{port}").generate("a fox")
    assert ([p.data for p in generation.pictures], server.posts) == ([PICTURE], 1)


@pytest.mark.parametrize("head", WRONG.values(), ids=WRONG)
def test_task_whose_answer_is_longer_than_its_head_says_is_read(
    shell: Callable[..., Shell], head: bytes
) -> None:
    first = OK + b"Content-Length: 16\r\n\r\n" + b'{"task_id": "t"}'
    server = Server(head + BODY, first)
    with playing(server) as port:
        generation = shell(base_url=f"http://127.0.0.1:{port}").generate("a fox")
    assert ([p.data for p in generation.pictures], server.posts) == ([PICTURE], 1)


@pytest.mark.parametrize("end", [b"", b"0", b"\r\n0\r\n", b"1f", b"\r\n1F\r"])
def test_line_of_a_chunk_is_no_part_of_an_answer(shell: Callable[..., Shell], end: bytes) -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY[:-9]) + BODY[:-9]
    server = Server(OK + chunks + end)
    with playing(server) as port, pytest.raises(OutcomeUnknownError) as caught:
        shell(base_url=f"http://127.0.0.1:{port}").generate("a fox")
    assert (caught.value.answer, server.posts) == (BODY[:-9], 1)


@pytest.mark.parametrize("body", [BODY[:-9], b'{"error": {"message": "no"}}'], ids=["cut", "no"])
def test_answer_behind_such_a_head_is_kept_where_it_is_not_a_picture(
    shell: Callable[..., Shell], body: bytes
) -> None:
    server = Server(HEADS["zero byte"] + body)
    with playing(server) as port, pytest.raises(OutcomeUnknownError) as caught:
        shell(base_url=f"http://127.0.0.1:{port}").generate("a fox")
    assert (caught.value.answer, server.posts) == (body, 1)


def test_journal_keeps_it(tmp_path: Path) -> None:
    server = Server(HEADS["zero byte"] + b'{"odd": [1, 2')
    with playing(server) as port:
        url = f"http://127.0.0.1:{port}"
        client = AsyncClient(base_url=url, api_key=KEY)
        studio = Studio(settings(base_url=url, api_key=KEY, library=tmp_path), client=client)
        for _ in range(2):
            with pytest.raises(OutcomeUnknownError):
                studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, entry.answer(), server.posts) == ("outcome unknown", b'{"odd": [1, 2', 1)
