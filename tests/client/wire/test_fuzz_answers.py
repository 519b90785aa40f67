"""Answers that nobody wrote: known ones with bytes changed, cut, doubled and put into each other.

The same examples at each run, for a bounded time: what is found here is a fault for everybody.
"""

from __future__ import annotations

import time
import traceback
import warnings
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opeai_nb.client import Client, Generation, ImageRequest, Picture, Task
from opeai_nb.errors import OpeaiError
from opeai_nb.testing import Answer, Script, error_answer, pictures_answer, png, task_answer

pytestmark = pytest.mark.long
KEY = "sk-4f9ad81c22be77"
AN_AGE = 60.0
"""Seconds: an answer takes some milliseconds, on a loaded machine some hundreds."""
PICTURE = b64encode(png()).decode()
URL = "https://pictures.test/1.png"
SEEDS = [
    pictures_answer(png(), png()).content,
    task_answer("SUCCESS", data=[{"b64_json": PICTURE}]).content,
    task_answer("IN_PROGRESS").content,
    error_answer("no", status=400, code="invalid").content,
    b'data: {"type": "image_generation.completed", "b64_json": "%s"}\n\n' % PICTURE.encode(),
    b'{"output": {"task_status": "SUCCEEDED", "results": [{"url": "%s"}]}}' % URL.encode(),
    b'{"choices": [{"message": {"content": "![](%s)"}}]}' % URL.encode(),
    b'{"code": "success", "data": "{\\"status\\": \\"SUCCESS\\", \\"url\\": \\"x\\"}"}',
    b"<html><title>502</title></html>",
    b'{"error": {"message": "wrong key: Bearer %s", "code": "%s"}}' % (KEY.encode(), KEY.encode()),
    png(),
]
TOKENS = [
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"\0", b"\xff\xfe", b"\xf0\x9f", b",", b":", b"null"),
    *(b"1e999", b"-", b'"data":', b'"status":', b'"SUCCESS"', b'"url":', b"NaN", b"\\ud800"),
    *(b'"b64_json":', b"data: ", b"\n\n", b"\x1b]0;x\x07", b"https://", b"%", b"A" * 5000),
    *(b"file:///etc/passwd", b"[" * 2000, b'{"data":' * 500, b"\xe2\x80\xae"),
]
places = st.floats(0, 1)
changes = st.lists(
    st.tuples(
        st.sampled_from(["insert", "cut", "double", "drop", "splice"]),
        places,
        places,
        st.sampled_from([*TOKENS, *SEEDS]) | st.binary(max_size=8),
    ),
    max_size=6,
)


def changed(body: bytes, steps: list[tuple[str, float, float, bytes]]) -> bytes:
    """Return *body* after some *steps*, each a kind, two places (0 to 1) and some bytes."""
    for kind, one, other, piece in steps:
        start, end = sorted((int(one * len(body)), int(other * len(body))))
        match kind:
            case "insert":
                body = body[:start] + piece + body[start:]
            case "cut":
                body = body[: max(end, 1)]
            case "double":
                body = body[:end] + body[start:]
            case "drop":
                body = body[:start] + body[end:]
            case "splice":
                body = body[:start] + piece + body[end:]
    return body[:100_000]


def outcome_of(verb: Callable[[], object]) -> object:
    """Return what comes of a call: its result, or the error of ours that it raises."""
    try:
        return verb()
    except OpeaiError as error:
        return error


def shown_of(outcome: object) -> list[str]:
    """Return all that somebody may see of an outcome; its pictures are decoded."""
    if isinstance(outcome, OpeaiError):
        return [str(outcome), repr(outcome), *traceback.format_exception(outcome)]
    if isinstance(outcome, Generation):
        for picture in outcome.pictures:
            with suppress(OpeaiError):
                picture.image  # noqa: B018  it is decoded here
    return [str(outcome), repr(outcome)]


@settings(
    derandomize=True,
    max_examples=800,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    seed=st.sampled_from(SEEDS),
    steps=changes,
    status=st.sampled_from([200, 200, 200, 202, 204, 301, 400, 401, 404, 429, 500, 503]),
    kind=st.sampled_from(["application/json", "text/html", "text/event-stream", "image/png", ""]),
    charset=st.sampled_from(["", "; charset=utf-16", "; charset=gbk", "; charset=nothing"]),
)
def test_any_answer_is_a_result_or_our_own_error(
    seed: bytes, steps: list[tuple[str, float, float, bytes]], status: int, kind: str, charset: str
) -> None:
    headers = {"Content-Type": kind + charset, "Retry-After": "0"}
    answer = Answer(changed(seed, steps), status=status, headers=headers)
    script = Script(lambda _: answer)
    client = Client(base_url="http://x.test", api_key=KEY, transport=script, sleep=lambda _: None)
    began = time.monotonic()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for verb in (
            lambda: client.submit("a fox"),
            lambda: client.task("t1"),
            client.models,
            lambda: client.fetch(Generation((Picture(url=URL),), ImageRequest("a fox"))),
        ):
            outcome = outcome_of(verb)
            assert isinstance(outcome, Generation | Task | list | OpeaiError)
            shown = [*shown_of(outcome), *(str(warning.message) for warning in told)]
            assert not [text for text in shown if KEY in text or "\x1b" in text]
    assert time.monotonic() - began < AN_AGE
    assert len({request.headers["idempotency-key"] for request in script.posts}) == 1
    assert len(script.posts) == 1 or status in {301, 429}
