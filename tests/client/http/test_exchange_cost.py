"""What one exchange takes, in counts that no machine's load changes: passes, turns, sockets."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import permutations
from typing import Any
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import AsyncClient, Client, Generation
from opeai_nb.client.http.json_reader import JsonReader, occurrences
from opeai_nb.client.protocol.steps import Blob, Reply
from opeai_nb.client.wire.read_answer import read_answer
from opeai_nb.client.wire.read_documented import Pictures, read_documented
from opeai_nb.client.wire.read_pictures import pictures_in
from opeai_nb.client.wire.unwrapped_answer import unwrapped
from opeai_nb.secret import secret
from opeai_nb.testing import Answer, Script, png
from tests.client.misbehaving import misbehaving
from tests.client.shells import KEY, URL, Shell
from tests.profiled import profiled

TINY = Answer({"created": 1, "data": [{"url": "http://127.0.0.1/1.png", "b64_json": ""}]})
WAITS = Answer({"id": "image_1", "status": "IN_PROGRESS", "progress": 50})
VERBS: dict[str, tuple[Answer, Callable[[Any], Any]]] = {
    "a paid request": (TINY, lambda client: client.submit("a fox")),
    "a question": (WAITS, lambda client: client.task("image_1")),
}
verbs = pytest.mark.parametrize("verb", VERBS)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls of this thread, by the names of the functions."""
    calls: Counter[str] = Counter()

    def count(frame: Any, event: str, _: object) -> None:
        if event == "call":
            calls[frame.f_code.co_qualname] += 1

    with profiled(count):
        yield calls


@verbs
def test_small_answer_is_read_in_one_pass(verb: str, shell: Callable[..., Shell]) -> None:
    answer, ask = VERBS[verb]
    client = shell(answer, answer)
    ask(client)  # imports, and what is remembered
    with counted() as calls:
        ask(client)
    assert calls["JSONDecoder.raw_decode"] == 1, "its JSON is decoded once"
    assert calls["JsonReader.feed"] == 1
    steps = ("_outside", "_inside", "_text", "_picture", "_decode")
    assert not any(calls[f"JsonReader.{step}"] for step in steps), "it is not looked through first"


@verbs
def test_key_is_spelled_once_for_all_answers(verb: str, shell: Callable[..., Shell]) -> None:
    answer, ask = VERBS[verb]
    client = shell(*[answer] * 4)
    with counted() as calls:
        for _ in range(4):
            ask(client)
    assert calls["Secret._spelled"] == 1
    assert calls["_is_random"] == 0, "what it is was seen when it was given"


@verbs
def test_answer_that_is_there_needs_no_turn_of_the_loop_and_no_thread(verb: str) -> None:
    answer, ask = VERBS[verb]

    async def steps() -> Any:
        async with AsyncClient(api_key=KEY, base_url=URL, transport=Script(answer)) as client:
            with pytest.raises(StopIteration) as end:
                ask(client).send(None)  # it would hand out here what it waits for
            return end.value.value

    with counted() as calls:
        result = asyncio.run(steps())
    assert isinstance(result, Generation) if verb == "a paid request" else result.id == "image_1"
    assert calls["Thread.start"] == 0


def test_each_paid_request_has_a_connection_of_its_own_and_no_second_one() -> None:
    with misbehaving(TINY) as server, Client(base_url=server.url, api_key=KEY) as client:
        for _ in range(3):
            client.submit("a fox")
        assert (server.connections, len(server.requests)) == (3, 3)


@verbs
def test_no_lock_and_no_task_group_of_anyio_stands_around_a_request(verb: str) -> None:
    answer, ask = VERBS[verb]
    packages: Counter[str] = Counter()

    def look(frame: Any, event: str, _: object) -> None:
        packages[frame.f_globals.get("__name__", "").partition(".")[0]] += event == "call"

    async def asked(url: str) -> None:
        async with AsyncClient(base_url=url, api_key=KEY) as client:
            await ask(client)  # imports
            with profiled(look):
                await ask(client)

    with misbehaving(answer) as server:
        asyncio.run(asked(server.url))
    assert packages["httpcore"] > 0, "it speaks HTTP"
    assert packages["anyio"] == packages["sniffio"] == 0


def test_body_is_let_go_with_its_reader() -> None:
    reader = JsonReader()
    [*reader.feed(b'{"data": [{"b64_json": "' + b"QUJD" * 9999), *reader.finish()]
    there = ref(reader)
    gc.disable()
    try:
        del reader
        assert there() is None, "it waits for nobody to look for what holds itself"
    finally:
        gc.enable()


STRETCHES = st.sampled_from([b",", b",,", b"a", b"a" * 4095, b"a" * 4096, b"a" * 5000])


@given(st.lists(STRETCHES, max_size=9).map(b"".join))
def test_signs_around_pictures_are_counted_as_if_each_byte_were_looked_at(data: bytes) -> None:
    assert occurrences(b",", data) == data.count(b",")


class Uncounted(bytes):
    """A body whose bytes are looked at one by one nowhere but around its picture."""

    def count(self, sign: Any, start: Any = 0, end: Any = None) -> int:
        assert (len(self) if end is None else end) - start < 200
        return super().count(sign, start, end)


def test_picture_is_not_looked_through_for_other_values() -> None:
    body = Uncounted(b'{"data": [{"b64_json": "' + b"QUJD" * 9999 + b'"}], "usage": {"n": 1}}')
    reader = JsonReader()
    reader.feed(body)
    assert reader.body()["usage"] == {"n": 1}


class Unhashed(bytes):
    """A picture whose bytes are not to be looked through."""

    __hash__ = None  # whoever asks for it fails


def test_pictures_are_not_hashed_where_there_is_no_input_to_compare_with() -> None:
    body = {"data": [{"b64_json": Blob(number)} for number in range(4)]}
    blobs = {number: Unhashed(png()) for number in range(4)}
    pictures = pictures_in(unwrapped(Reply(200, {}, body, blobs)))
    assert [picture.error for picture in pictures or ()] == [None] * 4


def test_documented_answer_runs_no_reader_of_strange_ones(shell: Callable[..., Shell]) -> None:
    client = shell(TINY, TINY)
    client.submit("a fox")  # imports, and what is remembered
    with counted() as calls:
        client.submit("a fox")
    assert calls["read_documented"] == 1
    for reader in ("places_in", "our_names", "read_task", "find_problem", "found_in"):
        assert calls[reader] == 0, reader


ITEMS: tuple[dict[str, Any], ...] = (
    {"url": "https://pictures.test/1.png?a=1&b=%20+x", "b64_json": "", "revised_prompt": "r"},
    {"url": "https://pictures.test/1.png?a=1,2"},
    {"url": "", "b64_json": Blob(0), "revised_prompt": ""},
    {"url": "http://pictures.test/1.png", "b64_json": Blob(1)},
    {"b64_json": Blob(2)},  # is no picture
    {"b64_json": Blob(0, broken=True), "url": None},
    {"url": " https://pictures.test/2.png "},
    {"url": "/files/2.png", "b64_json": None},
    {"url": "https://a.test/1.png,https://a.test/2.png"},
    {"url": "", "b64_json": "", "revised_prompt": "sorry"},
    {"url": 7, "b64_json": 0},
)


@pytest.mark.parametrize("n", [1, 2])
def test_documented_answer_means_what_the_reader_of_strange_ones_says(n: int) -> None:
    sources = {0: png(), 1: png(9, 9), 2: b"\0" * 99}

    def told(found: object) -> Any:
        assert isinstance(found, Pictures)
        pictures = [
            (p.source, p.url, p.revised_prompt, str(p.error), p.seen) for p in found.pictures
        ]
        return pictures, found.usage, found.created, found.request_id, found.notes

    count = 0
    for items in permutations(ITEMS, n):
        body = {"created": 7, "data": list(items), "usage": {"total_tokens": 1}}
        reply = Reply(200, {"x-request-id": "r"}, body, sources, clock=3.0)
        if (found := read_documented(reply, None)) is not None:
            assert told(found) == told(read_answer(reply)), items
            count += 1
    assert count == {1: 3, 2: 6}[n], "how many of them are documented"


ECHO = f"painted for {KEY} (sk-…)"


@pytest.mark.parametrize("rest", [{"usage": {KEY: ECHO}}, {"usage": None}, {"created": None}, {}])
def test_key_is_in_nothing_of_a_documented_answer_that_is_shown(rest: dict[str, Any]) -> None:
    item = {"url": "https://pictures.test/1.png", "revised_prompt": ECHO}
    body = {"created": 7, "data": [item], **rest}
    reply = Reply(200, {"x-request-id": ECHO}, body, clock=3.0, key=secret(KEY, "given"))

    def told(found: object) -> Any:
        assert isinstance(found, Pictures)
        return replace(found, pictures=()), [vars(picture) for picture in found.pictures]

    assert KEY not in str(told(read_documented(reply, None)))
    assert told(read_documented(reply, None)) == told(read_answer(reply))


@pytest.mark.parametrize("odd", [{"usage": []}, {"created": "7"}, {"created": True}, {"data": []}])
def test_what_is_not_as_documented_is_left_to_the_reader_of_strange_ones(
    odd: dict[str, Any],
) -> None:
    body = {"created": 7, "data": [{"url": "https://pictures.test/1.png"}], **odd}
    assert read_documented(Reply(200, {}, body), None) is None
