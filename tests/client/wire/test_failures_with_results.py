"""A status of HTTP that speaks of failure, over a body that shows what was paid for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opeai_nb.client import ImageRequest, Task
from opeai_nb.client.protocol.read_submission import reread
from opeai_nb.errors import AnswerError, OpeaiError, TaskFailedError, UnreadableAnswerError
from opeai_nb.testing import Answer, Script, pictures_answer, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED = png(64, 48, (200, 0, 0))
URL = "https://pictures.test/1.png"
LISTED = {"data": [{"url": URL}]}
STATUSES = [400, 409, 422, 429, 500, 503, 504]
OPEN = [408, 409, 425, 429, 500, 502, 503, 504]
"""Statuses that name no fault of the request."""

pytestmark = pytest.mark.filterwarnings("ignore::opeai_nb.client.AnswerWarning")


def played(post: Any) -> Script:
    """Return a platform that answers a POST so, and then shows that its task is done."""

    def answer(request: httpx.Request) -> Any:
        if request.url.host == "pictures.test":
            return RED
        return post if request.method == "POST" else Answer({"status": "SUCCESS", **LISTED})

    return Script(answer)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "body",
    [
        LISTED,
        {"data": [{"b64_json": b64encode(RED).decode()}]},
        {"task_id": "t1", "status": "queued"},
        {"message": "it runs already", "task_id": "t1", "status": "processing"},
    ],
    ids=["url", "bytes", "task", "task and words"],
)
def test_what_was_made_is_read_and_paid_once(shell: Shells, status: int, body: Any) -> None:
    script = played(Answer(body, status=status))
    generation = shell(transport=script).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]
    assert len(script.posts) == 1


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "more", [LISTED, {"task_id": "t1", "status": "queued"}], ids=["pictures", "task"]
)
def test_error_beside_what_was_made_is_kept_and_invites_nobody_to_pay(
    shell: Shells, status: int, more: Any
) -> None:
    answer = Answer({"error": {"message": "too late"}, **more}, status=status)
    script = played(answer)
    with pytest.raises(UnreadableAnswerError, match="too late") as caught:
        shell(transport=script).generate("a fox")
    error = caught.value
    assert (len(script.posts), error.answer) == (1, answer.content)
    assert error.status_code == status
    assert error.task_id == more.get("task_id")
    assert "run again" not in f"{error} {error.advice}"


ALONE = [{"url": URL}, {"data": {"image_url": URL}}, {"output": {"result_url": URL[:-4]}}]


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429])
@pytest.mark.parametrize("body", ALONE)
def test_picture_that_a_refusal_names_alone_is_read_or_kept_and_paid_once(
    shell: Shells, status: int, body: Any
) -> None:
    script = played(Answer(body, status=status))
    assert [p.data for p in shell(transport=script).generate("a fox").pictures] == [RED]
    answer = Answer({"error": {"message": "too late"}, **body}, status=status)
    refused = played(answer)
    with pytest.raises(UnreadableAnswerError, match="too late") as caught:
        shell(transport=refused).generate("a fox")
    assert caught.value.answer == answer.content
    assert (len(script.posts), len(refused.posts)) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "no", "url": "https://docs.test/errors/1"},
        {"error": {"message": "no", "url": URL}},
    ],
)
def test_page_about_an_error_is_no_picture(shell: Shells, body: Any) -> None:
    with pytest.raises(AnswerError, match="refused: no"):
        shell(transport=played(Answer(body, status=400))).generate("a fox")


@pytest.mark.parametrize("body", ALONE)
def test_input_that_the_refusal_of_an_edit_repeats_is_none(shell: Shells, body: Any) -> None:
    with pytest.raises(AnswerError, match="refused: no"):
        shell(transport=played(Answer({"message": "no", **body}, status=400))).generate(
            "a fox", image=URL, size="1024x1024"
        )


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize(
    "body",
    [{"task_id": "t1"}, {"data": {"taskId": 17}}, {"message": "it runs already", "task_id": "t1"}],
    ids=["id", "number", "words"],
)
def test_task_that_an_open_failure_names_is_followed(shell: Shells, status: int, body: Any) -> None:
    script = played(Answer(body, status=status))
    generation = shell(transport=script).generate("a fox")
    assert ([p.data for p in generation.pictures], len(script.posts)) == ([RED], 1)


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("more", [{}, {"status": "queued"}], ids=["ids", "words"])
@pytest.mark.parametrize("beside", [{}, {"error": {"message": "too late"}}], ids=["", "error"])
def test_several_tasks_that_a_failure_names_are_followed_or_kept_and_paid_once(
    shell: Shells, status: int, more: Any, beside: Any
) -> None:
    body = {"data": [{"task_id": f"t{i}", **more} for i in (1, 2)], **beside}
    answer = Answer(body, status=status, headers={"Retry-After": "1"})
    script = played(answer)
    if beside:
        with pytest.raises(UnreadableAnswerError, match="too late") as caught:
            shell(transport=script).generate("a fox", n=2)
        assert (caught.value.task_id, caught.value.answer) == ("t1, t2", answer.content)
        task = reread(answer.content, ImageRequest("a fox", n=2), None)
        assert (type(task), getattr(task, "id", None)) == (Task, "t1, t2")
    else:
        assert len(shell(transport=script).generate("a fox", n=2)) == 2
    assert len(script.posts) == 1


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "too late"}, "task_id": "t1"},
        {"error": {"message": "too late", "task_id": "t1"}},
        {"code": "busy_now", "message": "too late", "data": {"task_id": "t1"}},
    ],
    ids=["beside", "inside", "flat"],
)
def test_task_that_an_open_failure_names_beside_its_error_is_kept_and_paid_once(
    shell: Shells, status: int, body: Any
) -> None:
    answer = Answer(body, status=status, headers={"Retry-After": "1"})
    script = played(answer)
    with pytest.raises(UnreadableAnswerError, match="too late") as caught:
        shell(transport=script).generate("a fox")
    assert (len(script.posts), caught.value.task_id) == (1, "t1")
    assert caught.value.answer == answer.content
    task = reread(answer.content, ImageRequest("a fox"), None)
    assert (type(task), getattr(task, "id", None)) == (Task, "t1")


def test_poll_that_fails_and_repeats_the_tasks_id_is_a_failure_to_ask(shell: Shells) -> None:
    def answer(request: httpx.Request) -> Any:
        body = {"task_id": "t1", "message": "it is down"}
        return Answer({"task_id": "t1"}) if request.method == "POST" else Answer(body, status=503)

    script = Script(answer)
    with pytest.raises(OpeaiError, match="it is down"):
        shell(transport=script).generate("a fox", timeout=60)
    assert len(script.posts) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "insufficient_quota"), (503, "model_not_found"), (500, "moderation_blocked")],
)
def test_failure_with_a_cause_of_its_own_stays_a_refusal(
    shell: Shells, status: int, code: str
) -> None:
    body = {"error": {"message": "no", "code": code}, "task_id": "t1"}
    script = played(Answer(body, status=status))
    with pytest.raises(AnswerError, match="no") as caught:
        shell(transport=script).generate("a fox")
    assert (len(script.requests), caught.value.task_id) == (1, "t1")
    assert not isinstance(caught.value, UnreadableAnswerError)


@pytest.mark.parametrize("body", [{"error": {"message": "busy"}, "id": "r1"}, {"message": "busy"}])
def test_plain_429_is_still_sent_again(shell: Shells, body: Any) -> None:
    script = Script(Answer(body, status=429), pictures_answer(RED))
    assert len(shell(transport=script).generate("a fox")) == 1
    assert len(script.posts) == 2


def test_what_was_kept_beside_an_error_is_read_later() -> None:
    answer = Answer({"error": {"message": "one of two is too late"}, **LISTED})
    generation = reread(answer.content, ImageRequest("a fox"), None)
    assert [picture.url for picture in getattr(generation, "good", ())] == [URL]


def test_task_that_was_kept_beside_an_error_is_asked_about_later() -> None:
    answer = Answer({"error": {"message": "late"}, "task_id": "t1", "status": "queued"})
    task = reread(answer.content, ImageRequest("a fox"), None)
    assert (type(task), getattr(task, "id", None)) == (Task, "t1")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no"}, "url": "/v1/images/generations", "id": "r1"},
        {"error": {"message": "no"}, "task_id": "t1"},
        {"error": {"message": "no"}, "links": [{"href": "https://docs.test"}]},
        {"error": {"message": "no"}, "task_id": "t1", "status": "failed"},
        {"status": "error", "id": "r1", "message": "no"},
        {"path": "/v1/images/generations", "status": 400, "error": "Bad Request", "message": "no"},
    ],
    ids=str,
)
def test_error_that_names_only_itself_stays_a_refusal(shell: Shells, body: Any) -> None:
    script = played(Answer(body, status=400))
    with pytest.raises(OpeaiError, match="no") as caught:
        shell(transport=script).generate("a fox")
    assert isinstance(caught.value, (AnswerError, TaskFailedError))
    assert not isinstance(caught.value, UnreadableAnswerError)
    assert len(script.requests) == 1


def test_input_that_a_refusal_repeats_is_no_result(shell: Shells) -> None:
    body = {"error": {"message": "no such size"}, "images": [URL]}
    with pytest.raises(OpeaiError, match="no such size") as caught:
        shell(Answer(body, status=400)).generate("a fox", image=URL)
    assert not isinstance(caught.value, UnreadableAnswerError)
