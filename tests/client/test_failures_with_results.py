"""A status of HTTP that speaks of failure, over a body that shows what was paid for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opeai_nb.client import ImageRequest, Task
from opeai_nb.client.protocol.submit import reread
from opeai_nb.errors import AnswerError, OpeaiError, TaskFailedError, UnreadableAnswerError
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED = png(64, 48, (200, 0, 0))
URL = "https://pictures.test/1.png"
LISTED = {"data": [{"url": URL}]}
STATUSES = [400, 409, 422, 429, 500, 503, 504]

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
