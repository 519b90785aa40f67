"""Whatever a server says, only our own errors come out, and it never takes long."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from opeai_nb.client import Client, Generation, ImageRequest, Picture, Task
from opeai_nb.client.protocol import schedule
from opeai_nb.client.values.size import parse_size
from opeai_nb.errors import InputError, OpeaiError
from opeai_nb.testing import Answer, Script

NAMES = (
    *(
        "data",
        "result",
        "output",
        "task_result",
        "images",
        "results",
        "choices",
        "message",
        "error",
    ),
    *("content", "url", "b64_json", "image", "task_id", "id", "status", "task_status", "code"),
    *("fail_reason", "progress", "usage", "created", "success", "metadata", "request_id", "detail"),
)
WORDS = (
    "SUCCESS",
    "FAILED",
    "RUNNING",
    "https://x.test/1",
    "/1",
    "QUJD",
    "",
    "{}",
    "[1]",
    "sk-x" * 9,
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=20)
)
answers = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
        | inner.map(json.dumps)
    ),
    max_leaves=14,
)
statuses = st.sampled_from([200, 200, 200, 202, 204, 301, 400, 401, 404, 418, 429, 500, 502, 599])


def outcome(*plan: object, task: str | None = None) -> Any:
    """Return what the client makes of it; fail on any error that is not our own."""
    script = Script(*plan)
    with Client(
        transport=script, base_url="http://p.test", api_key="sk-0123456789", sleep=_no
    ) as c:
        try:
            result: Any = c.wait(task, timeout=40) if task else c.submit("a fox")
        except OpeaiError as error:
            result = error
    assert len(script.requests) < 1000
    repr(result), str(result)
    return result


def _no(_: float) -> None: ...


class TestAnyAnswer:
    @given(body=answers, status=statuses)
    @example(body='{"Error":1}', status=301)
    @example(body={"message": 'told: {"errors": [[1], 2]}'}, status=400)
    @example(body={"data": [{"url": "https://x.test/1"}, {"type": {}}]}, status=200)
    def test_any_json_is_a_result_or_our_own_error(self, body: Any, status: int) -> None:
        content = json.dumps(body).encode()
        found = outcome(lambda _: Answer(content, status))
        assert isinstance(found, (Generation, Task, OpeaiError))

    @given(body=answers, status=statuses)
    def test_any_json_about_a_task_ends(self, body: Any, status: int) -> None:
        content = json.dumps(body).encode()
        clock = iter(range(10**9)).__next__
        script = Script(lambda _: Answer(content, status))
        with Client(transport=script, base_url="http://p.test", sleep=_no, clock=clock) as client:
            try:
                found: Any = client.watch("image_1", timeout=100)
            except OpeaiError as error:
                found = error
        assert isinstance(found, Task) or found.task_id == "image_1"

    @given(
        body=st.binary(max_size=200),
        status=statuses,
        kind=st.sampled_from(["", "application/json"]),
    )
    def test_any_bytes_are_a_result_or_our_own_error(
        self, body: bytes, status: int, kind: str
    ) -> None:
        found = outcome(lambda _: Answer(body, status, {"Content-Type": kind}, chunk=7))
        assert isinstance(found, (Generation, Task, OpeaiError))

    @given(url=st.text(max_size=40) | st.from_regex(r"https?://[^ ]{0,30}", fullmatch=True))
    def test_any_url_is_a_picture_or_our_own_error(self, url: str) -> None:
        script = Script(lambda _: Answer(b"\x89PNG"))
        client = Client(transport=script, base_url="http://p.test", sleep=_no)
        try:
            client.fetch(Generation((Picture(url=url),), ImageRequest("x")))
        except OpeaiError:
            assert len(script.requests) <= 4

    @given(
        name=st.sampled_from(
            ["retry-after", "location", "x-request-id", "date", "content-encoding"]
        ),
        value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
        status=statuses,
    )
    def test_any_header_is_harmless(self, name: str, value: str, status: int) -> None:
        answer = httpx.Response
        outcome(lambda _: answer(status, headers={name: value}, stream=httpx.ByteStream(b"{}")))


class TestPureParts:
    @given(st.text(max_size=20) | st.from_regex(r"\d{0,4} ?[x*×:/] ?\d{0,4}", fullmatch=True))
    def test_size_is_a_size_or_an_input_error(self, text: str) -> None:
        try:
            size = parse_size(text)
        except InputError:
            return
        assert isinstance(size, (str, tuple))
        if isinstance(size, str):
            assert parse_size(size) == size

    @given(
        elapsed=st.floats(0, 10**5),
        durations=st.lists(st.floats(0.01, 10**4), max_size=30),
    )
    def test_next_poll_is_a_sane_pause(self, elapsed: float, durations: list[Any]) -> None:
        pause = schedule.next_poll(elapsed, durations)
        assert 0.1 <= pause <= max(10.0, *durations, 0)

    @given(
        st.dictionaries(
            st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text(max_size=30)
        )
    )
    def test_retry_after_is_a_pause_or_none(self, headers: dict[str, Any]) -> None:
        wish = schedule.retry_after(headers)
        assert wish is None or 0 <= wish < float("inf")
