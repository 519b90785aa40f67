"""Asking about a task: platform.md 7's statuses and bodies, and that no failure loses its id."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from opeai_nb.client import ImageRequest, Task
from opeai_nb.errors import (
    AuthenticationError,
    ConnectionLostError,
    InputError,
    ModerationError,
    NoPictureError,
    OpeaiError,
    QuotaError,
    RateLimitError,
    ServerError,
    TaskExpiredError,
    TaskFailedError,
    TaskTimeoutError,
)
from opeai_nb.testing import Answer, Drop, Refuse, Script, Stall, error_answer, png, task_answer
from tests.client.shells import URL, Shell, dripping

RED = png(64, 48, (200, 0, 0))
ITEM = {"b64_json": b64encode(RED).decode(), "url": ""}
DONE = task_answer("SUCCESS", data=[ITEM])
NOT_FOUND = error_answer("image not found", status=404, code="ResourceNotFound", type="NotFound")
NO_ROW = Answer({"code": "success", "message": "", "data": None})


def submitted() -> Task:
    return Task("image_1", request=ImageRequest("a fox"))


class TestStatuses:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            *[(w, "queued") for w in ("NOT_START", "SUBMITTED", "QUEUED", "queued", "PENDING")],
            *[(w, "painting") for w in ("IN_PROGRESS", "in-progress", "In Progress", "RUNNING")],
            *[(w, "painting") for w in ("processing", "SUSPENDED")],
            *[(w, "failed") for w in ("FAILURE", "failed", "CANCELED", "cancelled", "expired")],
            *[(w, "unknown") for w in ("UNKNOWN", "dreaming", "42")],
            *[(w, "done") for w in ("SUCCESS", "SUCCEEDED", "completed", "Finished")],
        ],
    )
    def test_word_of_any_vocabulary_is_understood(
        self, shell: Callable[..., Shell], word: str, status: str
    ) -> None:
        items = [ITEM] if status == "done" else []
        snapshot = shell(task_answer(word, data=items)).task("image_1")
        assert (snapshot.status, snapshot.platform_status) == (status, word)

    @pytest.mark.parametrize(
        "body",
        [
            {"status": "IN_PROGRESS"},
            {"task_status": "IN_PROGRESS"},
            {"state": "IN_PROGRESS"},
            {"data": {"status": "IN_PROGRESS"}},
            {"output": {"task_status": "IN_PROGRESS"}},
            {"code": "success", "data": {"id": 4, "task_id": "image_1", "status": "IN_PROGRESS"}},
            {"result": {"id": "image_1", "state": "IN_PROGRESS"}},
            {"data": '{"status": "IN_PROGRESS"}'},
            {"id": "image_1", "data": {"status": "IN_PROGRESS", "data": None}},
            {
                "status": "IN_PROGRESS",
                "task_id": "image_1",
                "data": {"task_id": "x", "status": "a"},
            },
        ],
    )
    def test_status_is_found(self, shell: Callable[..., Shell], body: dict[str, Any]) -> None:
        assert shell(Answer(body)).task("image_1").status == "painting"

    @pytest.mark.parametrize(
        ("told", "progress"),
        [
            (42, 42),
            ("42%", 42),
            ("42", 42),
            (" 7 % ", 7),
            (None, None),
            ("soon", None),
            (400, None),
        ],
    )
    def test_progress_is_read(
        self, shell: Callable[..., Shell], told: int | str | None, progress: int | None
    ) -> None:
        assert shell(task_answer("RUNNING", progress=told)).task("image_1").progress == progress

    def test_unknown_status_is_waited_out_and_keeps_the_task(
        self, shell: Callable[..., Shell]
    ) -> None:
        client = shell(lambda _: task_answer("dreaming"))
        with pytest.raises(TaskTimeoutError, match="'dreaming', which is not known here") as caught:
            client.wait(submitted(), timeout=60)
        assert caught.value.task_id == "image_1"
        assert sum(client.pauses) == pytest.approx(60)
        assert b"dreaming" in caught.value.answer

    def test_unknown_status_in_passing_is_none(self, shell: Callable[..., Shell]) -> None:
        replies = [task_answer("dreaming")] * 4 + [task_answer("RUNNING")]
        assert len(shell(*replies, *replies, DONE).wait(submitted())) == 1


class TestPicturesOfATask:
    @pytest.mark.parametrize(
        "fields",
        [
            {"data": [ITEM]},
            {"data": {"data": [ITEM]}},
            {"images": [ITEM]},
            {"result": {"data": [ITEM]}},
            {"output": {"results": [ITEM]}},
            {"output": {"choices": [{"message": {"content": [{"image": ITEM["b64_json"]}]}}]}},
            {"result": {"images": [ITEM["b64_json"]]}},
        ],
    )
    def test_pictures_are_found(self, shell: Callable[..., Shell], fields: dict[str, Any]) -> None:
        generation = shell(task_answer("SUCCESS", **fields)).wait(submitted())
        assert [picture.data for picture in generation.pictures] == [RED]

    @pytest.mark.parametrize(
        "fields",
        [
            {"result_url": "https://pictures.test/1.png"},
            {"image_url": "https://pictures.test/1.png"},
            {"url": "https://pictures.test/1.png"},
            {"metadata": {"url": "https://pictures.test/1.png"}},
            {"results": ["https://pictures.test/1.png"]},
            {"fail_reason": "https://pictures.test/1.png"},
            {"data": [], "image_urls": ["https://pictures.test/1.png"]},
        ],
    )
    def test_url_is_found(self, shell: Callable[..., Shell], fields: dict[str, Any]) -> None:
        script = Script(task_answer("SUCCESS", **fields), RED)
        assert len(shell(transport=script).wait(submitted())) == 1
        assert str(script.requests[1].url) == "https://pictures.test/1.png"

    def test_answer_that_is_just_data_is_a_success(self, shell: Callable[..., Shell]) -> None:
        assert shell(Answer({"created": 1, "data": [ITEM]})).task("image_1").status == "done"

    def test_partial_success_keeps_what_came(self, shell: Callable[..., Shell]) -> None:
        failed = {"code": "InternalError", "message": "it burned"}
        output = {"task_status": "SUCCEEDED", "results": [ITEM, failed]}
        generation = shell(Answer({"output": output})).wait(submitted())
        assert (len(generation), "it burned" in str(generation.failed[0].error)) == (1, True)

    def test_success_without_pictures_is_asked_again_then_told(
        self, shell: Callable[..., Shell]
    ) -> None:
        script = Script(lambda _: task_answer("SUCCESS"))
        with pytest.raises(NoPictureError, match="no picture came") as caught:
            shell(transport=script).wait(submitted())
        assert (caught.value.task_id, len(script.requests)) == ("image_1", 3)
        assert "24 hours" in caught.value.advice

    def test_pictures_may_follow_the_success(self, shell: Callable[..., Shell]) -> None:
        assert len(shell(task_answer("SUCCESS"), DONE).wait(submitted())) == 1

    def test_task_known_by_its_id_alone_is_waited_for(self, shell: Callable[..., Shell]) -> None:
        done = task_answer("SUCCESS", data=[ITEM], prompt="a red fox", model="gpt-image-2")
        generation = shell(done).wait("image_1")
        assert (generation.request.prompt, generation.request.model) == ("a red fox", "gpt-image-2")
        assert generation.task_id == "image_1"


class TestFailedTask:
    @pytest.mark.parametrize(
        "fields",
        [
            {"error": {"message": "no capacity", "code": "E1"}},
            {"error": "no capacity"},
            {"fail_reason": "no capacity"},
            {"failReason": "no capacity"},
            {"message": "no capacity"},
            {"msg": "no capacity"},
            {"output": {"message": "no capacity"}},
            {"cancelReason": "no capacity"},
            {"state_detail": "no capacity", "finish_reason": "stop"},
        ],
    )
    def test_reason_is_found(self, shell: Callable[..., Shell], fields: dict[str, Any]) -> None:
        with pytest.raises(TaskFailedError, match="The task failed: no capacity") as caught:
            shell(task_answer("FAILURE", **fields)).wait(submitted())
        assert (caught.value.task_id, caught.value.request.prompt) == ("image_1", "a fox")

    @pytest.mark.parametrize("name", ["failed", "isFailed", "has_failed", "faulted", "cancelled"])
    def test_flag_alone_says_that_it_failed(self, shell: Callable[..., Shell], name: str) -> None:
        body = {"id": "image_1", "done": False, name: True, "message": "no capacity"}
        with pytest.raises(TaskFailedError, match="The task failed: no capacity"):
            shell(Answer(body)).wait(submitted())

    def test_no_reason_is_told_as_such(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(TaskFailedError, match="no reason given"):
            shell(task_answer("FAILURE")).wait(submitted())

    @pytest.mark.parametrize(
        ("code", "kind"), [("DataInspectionFailed", ModerationError), ("Arrearage", QuotaError)]
    )
    def test_reason_that_has_a_class_is_that_error(
        self, shell: Callable[..., Shell], code: str, kind: type[OpeaiError]
    ) -> None:
        output = {"task_status": "FAILED", "code": code, "message": "no"}
        with pytest.raises(kind) as caught:
            shell(Answer({"output": output})).wait(submitted())
        assert caught.value.task_id == "image_1"


class TestFailuresInPassing:
    """A transient failure while polling never loses the task."""

    PASSING = (
        Refuse(),
        Drop(),
        Stall(),
        DONE.half(),
        Answer(b"", status=429),
        Answer(b"", status=500),
        error_answer("请求上游地址失败", status=500, code="do_request_failed"),
        Answer("<html>Bad Gateway</html>", status=502),
        Answer("<html>please wait</html>"),
        Answer(b'{"half": '),
        Answer({}),
    )

    @pytest.mark.parametrize("failure", PASSING)
    def test_waiting_goes_on(self, shell: Callable[..., Shell], failure: Any) -> None:
        generation = shell(failure, failure, DONE).wait(submitted())
        assert len(generation) == 1

    @pytest.mark.parametrize("item", [ITEM, {"url": f"{URL}/1.png"}], ids=["bytes", "url"])
    def test_answer_that_is_whole_before_the_connection_breaks_is_one(
        self, shell: Callable[..., Shell], item: dict[str, str]
    ) -> None:
        done = task_answer("SUCCESS", data=[item])
        cut = replace(done, drop_after=len(done.content))
        client = shell(lambda sent: RED if ".png" in sent.url.path else cut)
        assert [picture.data for picture in client.wait(submitted()).pictures] == [RED]
        assert sum(client.pauses) < 30

    @pytest.mark.parametrize("failure", PASSING)
    def test_failure_that_lasts_carries_the_task(
        self, shell: Callable[..., Shell], failure: Any
    ) -> None:
        client = shell(lambda _: failure)
        with pytest.raises((ConnectionLostError, ServerError, RateLimitError)) as caught:
            client.wait(submitted())
        assert caught.value.task_id == "image_1"
        assert 180 < sum(client.pauses) < 220

    @pytest.mark.parametrize("failure", PASSING)
    def test_asking_once_tries_again(self, shell: Callable[..., Shell], failure: Any) -> None:
        assert shell(failure, failure, DONE).task("image_1").status == "done"

    def test_wrong_key_ends_the_waiting_soon_and_keeps_the_task(
        self, shell: Callable[..., Shell]
    ) -> None:
        client = shell(lambda _: error_answer("无效的令牌", status=401, code=""))
        with pytest.raises(AuthenticationError, match="The task goes on") as caught:
            client.wait(submitted())
        assert caught.value.task_id == "image_1"
        assert 30 <= sum(client.pauses) < 60

    @pytest.mark.parametrize("status", [400, 401, 403, 409, 425, 422, 402])
    def test_refusals_in_passing_do_not_end_the_waiting(
        self, shell: Callable[..., Shell], status: int
    ) -> None:
        refused = error_answer("please wait", status=status, code="")
        replies = [refused] * 4 + [task_answer("RUNNING")] + [refused] * 4 + [DONE]
        assert len(shell(*replies).wait(submitted())) == 1

    def test_first_refusal_is_told_to_whoever_watches(self, shell: Callable[..., Shell]) -> None:
        told: list[str | None] = []
        refused = error_answer("no such key", status=401, code="")
        client = shell(refused, task_answer("RUNNING"), DONE)
        client.wait(submitted(), on_update=lambda task: told.append(task.trouble))
        assert told == [None, "The platform does not accept the key: no such key.", None, None]

    def test_deadline_tells_what_the_polls_were_answered(self, shell: Callable[..., Shell]) -> None:
        client = shell(lambda _: Answer("Something went wrong", status=500))
        with pytest.raises(TaskTimeoutError, match=r"HTTP 500: .*Something went wrong") as caught:
            client.wait(submitted(), timeout=12)
        assert (caught.value.task_id, caught.value.status_code) == ("image_1", 500)

    def test_retry_after_wins_over_the_schedule(self, shell: Callable[..., Shell]) -> None:
        waiting = Answer(task_answer("RUNNING").body, headers={"Retry-After": "7.5"})
        client = shell(waiting, DONE)
        client.wait(submitted())
        assert client.pauses[1:] == [7.5]

    def test_retry_after_is_capped_and_never_hammers(self, shell: Callable[..., Shell]) -> None:
        body = task_answer("RUNNING").body
        client = shell(
            Answer(body, headers={"Retry-After": "99999"}),
            Answer(body, headers={"Retry-After": "0"}),
            DONE,
        )
        client.wait(submitted())
        assert client.pauses[1:] == [120.0, 0.2]


def refused(status: int, code: str = "") -> Answer:
    return error_answer("not now", status=status, code=code)


def page(status: int, title: str = "Just a moment") -> Answer:
    return Answer(f"<html><head><title>{title}</title></head></html>", status=status)


NOT_READY = [
    Answer({"success": False, "message": "still processing"}),
    Answer({"code": -1, "msg": "任务处理中"}),
    Answer({"error": {"message": "Result not ready", "code": "task_running"}}),
    Answer({"error": {"code": "PENDING"}}),
    Answer({"detail": "Request is still in progress"}, status=400),
    Answer({"error": {"message": "the task has not finished", "code": "x"}}, status=404),
    Answer({"error": "not ready"}, status=425),
    Answer({"error": {"message": "still processing"}}, status=500),
    Answer(b"pending"),
    Answer({}, status=202),
    Answer(b"", status=202),
]


class TestAnswersThatItIsNotReady:
    """Some servers say so in an error, or in nothing but a 202: that may last any time."""

    @pytest.mark.parametrize("answer", NOT_READY, ids=str)
    def test_they_are_waited_out(self, shell: Callable[..., Shell], answer: Answer) -> None:
        generation = shell(*[answer] * 60, DONE).wait(submitted())
        assert generation.pictures[0].data == RED

    @pytest.mark.parametrize(
        "answer",
        [
            Answer({"error": {"message": "this key is not ready"}}, status=403),
            Answer({"error": {"message": "too many tasks are running"}}, status=400),
            Answer({"error": {"message": "no", "prompt": "a clock still running"}}, status=400),
            Answer("<html>Checking your browser</html>", status=202),
        ],
        ids=str,
    )
    def test_others_end_the_waiting(self, shell: Callable[..., Shell], answer: Answer) -> None:
        script = Script(lambda _: answer)
        with pytest.raises(OpeaiError):
            shell(transport=script).wait(submitted())
        assert len(script.requests) < 30


class TestPollsThatAllFail:
    """Five equal refusals over half a minute end the waiting, all else three minutes of failures.

    Every error has the task's id and the last answer, says that all questions failed, and that the
    task goes on where it may.
    """

    REFUSED = (
        *(refused(status) for status in (400, 401, 402, 403, 405, 409, 410, 422, 425, 451)),
        refused(404, "ResourceNotFound"),
        refused(429, "insufficient_quota"),
        *(page(status) for status in (401, 403, 404, 410)),
        Answer({"code": "success", "message": "", "data": None}),
        Answer({"error": {"message": "upstream", "type": "ali_error", "code": "InternalError"}}),
        Answer({"id": "image_1", "status": "Task not found"}),
        Answer(b"-", status=302, headers={"Location": "https://login.test/"}),
    )
    PASSING = (
        *(Answer(b"-", status=status) for status in (408, 429, 500, 502, 503, 504, 524)),
        *(page(status) for status in (200, 500, 502, 503)),
        Answer({"hello": "you"}),
    )

    @pytest.mark.parametrize("answer", REFUSED)
    def test_equal_refusals_end_the_waiting(
        self, shell: Callable[..., Shell], answer: Answer
    ) -> None:
        told: list[str | None] = []
        client = shell(lambda _: answer)
        with pytest.raises(OpeaiError, match="The last questions about the task all") as caught:
            client.wait(submitted(), lambda task: told.append(task.trouble))
        assert 30 <= sum(client.pauses) < 60
        self.check(caught.value, answer)
        assert told[0] is None, "what was submitted"
        assert told[1], "the badge tells of the first"

    @pytest.mark.parametrize("answer", PASSING)
    def test_failures_in_passing_last_three_minutes(
        self, shell: Callable[..., Shell], answer: Answer
    ) -> None:
        client = shell(lambda _: answer)
        with pytest.raises(OpeaiError, match="all were answered so") as caught:
            client.wait(submitted())
        assert 180 < sum(client.pauses) < 220
        self.check(caught.value, answer)

    @pytest.mark.parametrize("failure", [Refuse(), Drop(), Stall()])
    def test_lost_connections_say_so(self, shell: Callable[..., Shell], failure: Any) -> None:
        with pytest.raises(ConnectionLostError, match=r"all failed so.*The task goes on") as caught:
            shell(lambda _: failure).wait(submitted())
        assert caught.value.task_id == "image_1"

    @pytest.mark.parametrize(
        "failures",
        [
            [refused(401), refused(403)],
            [refused(404), Answer(b"-", status=500)],
            [Drop(), Refuse(), page(502)],
            [refused(401), Drop()],
        ],
    )
    def test_mixed_failures_are_not_one_refusal(
        self, shell: Callable[..., Shell], failures: list[Any]
    ) -> None:
        turn = itertools.cycle(failures)
        client = shell(lambda _: next(turn))
        with pytest.raises(OpeaiError, match="The last questions about the task all failed"):
            client.wait(submitted())
        assert 180 < sum(client.pauses) < 220

    @pytest.mark.parametrize("answer", [*REFUSED[::5], *PASSING[::5]])
    def test_deadline_tells_of_the_last_answer(
        self, shell: Callable[..., Shell], answer: Answer
    ) -> None:
        client = shell(lambda _: answer)
        with pytest.raises(TaskTimeoutError, match=r"the last . questions about it failed") as told:
            client.wait(submitted(), timeout=20)
        assert "run again" not in str(told.value)
        self.check(told.value, answer)

    def test_deadline_tells_of_a_revoked_key(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(TaskTimeoutError, match=r"OPEAI_API_KEY.*The task goes on") as caught:
            shell(lambda _: refused(401)).wait(submitted(), timeout=20)
        assert "more time" not in str(caught.value)

    @pytest.mark.parametrize(("status", "timeout"), [(403, 900), (404, 900), (403, 20), (404, 20)])
    def test_challenge_is_no_fault_of_the_key_or_the_task(
        self, shell: Callable[..., Shell], status: int, timeout: float
    ) -> None:
        with pytest.raises(OpeaiError, match=r"another network.* The task goes on") as caught:
            shell(lambda _: page(status)).wait(submitted(), timeout=timeout)
        assert "OPEAI_API_KEY" not in str(caught.value)

    def test_deadline_tells_of_the_last_of_several(self, shell: Callable[..., Shell]) -> None:
        turn = itertools.cycle([refused(401), refused(403)])
        with pytest.raises(TaskTimeoutError, match=r"\(the last: HTTP 40"):
            shell(lambda _: next(turn)).wait(submitted(), timeout=20)

    @pytest.mark.parametrize("body", [[], {"created": 1, "data": []}])
    def test_deadline_tells_of_answers_that_say_nothing(
        self, shell: Callable[..., Shell], body: Any
    ) -> None:
        with pytest.raises(TaskTimeoutError, match="neither a status nor a picture"):
            shell(lambda _: Answer(body)).wait(submitted(), timeout=20)

    def check(self, error: OpeaiError, answer: Answer) -> None:
        assert error.task_id == "image_1"
        assert bytes(error.answer or b"") == answer.content
        goes_on = "The task goes on" in error.advice
        assert goes_on or "asks again" in error.advice, "a task that is not there may not go on"
        assert "no picture was made" not in str(error)


class TestDripping:
    """A body that comes byte by byte: no read timeout ends it."""

    def test_asking_ends_and_keeps_the_task(self, shell: Callable[..., Shell]) -> None:
        client: Shell = shell(lambda _: dripping(client, seconds=10))
        with pytest.raises(ConnectionLostError, match="too slowly") as caught:
            client.task(submitted())
        assert caught.value.task_id == "image_1"
        assert client.now - 1000 < 5 * 130 + 60

    def test_waiting_ends_near_its_deadline(self, shell: Callable[..., Shell]) -> None:
        client: Shell = shell(lambda _: dripping(client, seconds=10))
        with pytest.raises(OpeaiError) as caught:
            client.wait(submitted(), timeout=30)
        assert caught.value.task_id == "image_1"
        assert client.now - 1000 < 30 + 130

    def test_slow_body_is_read(self, shell: Callable[..., Shell]) -> None:
        client: Shell = shell(lambda _: dripping(client, DONE.content, seconds=0.1))
        assert len(client.wait(submitted())) == 1

    def test_paid_body_is_never_given_up(self, shell: Callable[..., Shell]) -> None:
        client: Shell = shell(lambda _: dripping(client, DONE.content, seconds=60))
        assert len(client.generate("a fox")) == 1
        assert client.now - 1000 > 3600


class TestUnknownTask:
    @pytest.mark.parametrize(
        "answer",
        [
            NOT_FOUND,
            NO_ROW,
            error_answer("task_not_exist", code="task_not_exist"),
            Answer({"code": "task_not_exist", "message": "x", "data": None}, status=400),
            Answer(b"", status=404),
            error_answer("x", status=200, code="ResourceNotFound"),
        ],
    )
    def test_unknown_task_is_expired(self, shell: Callable[..., Shell], answer: Answer) -> None:
        script = Script(lambda _: answer)
        with pytest.raises(TaskExpiredError) as caught:
            shell(transport=script).wait("image_1")
        assert caught.value.task_id == "image_1"
        assert 5 <= len(script.requests) <= 8
        assert "24 hours" in caught.value.advice

    @pytest.mark.parametrize("times", [1, 4])
    @pytest.mark.parametrize("is_known", [True, False])
    @pytest.mark.parametrize("was_seen", [True, False])
    def test_no_single_answer_says_that_a_task_is_gone(
        self, shell: Callable[..., Shell], times: int, is_known: bool, was_seen: bool
    ) -> None:
        gone = Answer({"code": "task_not_exist", "message": "task_not_exist"}, status=400)
        replies = [task_answer("RUNNING")] * was_seen + [gone] * times + [DONE]
        task = submitted() if is_known else "image_1"
        told: list[str | None] = []
        generation = shell(*replies).wait(task, lambda snapshot: told.append(snapshot.trouble))
        assert len(generation) == 1
        assert any(told), "the badge tells of it"

    def test_dashscopes_unknown_is_expired(self, shell: Callable[..., Shell]) -> None:
        unknown = {"request_id": "r", "output": {"task_id": "t", "task_status": "UNKNOWN"}}
        script = Script(lambda _: Answer(unknown))
        task = Task("t", request=ImageRequest("a fox", dialect="aliyun"))
        with pytest.raises(TaskExpiredError, match="does not know the task") as caught:
            shell(transport=script).wait(task)
        assert (caught.value.task_id, caught.value.request.prompt) == ("t", "a fox")
        assert 5 <= len(script.requests) <= 40

    def test_dashscopes_unknown_may_pass(self, shell: Callable[..., Shell]) -> None:
        unknown = Answer({"output": {"task_id": "t", "task_status": "UNKNOWN"}})
        task = Task("t", request=ImageRequest("a fox", dialect="aliyun"))
        assert len(shell(*[unknown] * 9, DONE).wait(task)) == 1

    def test_gateways_unknown_passes(self, shell: Callable[..., Shell]) -> None:
        replies = [task_answer("UNKNOWN")] * 4
        assert len(shell(*replies, DONE).wait(submitted())) == 1

    def test_fresh_task_may_be_missing_for_a_moment(self, shell: Callable[..., Shell]) -> None:
        assert len(shell(NOT_FOUND, NOT_FOUND, DONE).wait(submitted())) == 1

    def test_task_that_was_seen_and_is_gone_has_expired(self, shell: Callable[..., Shell]) -> None:
        replies = iter([task_answer("RUNNING")])
        script = Script(lambda _: next(replies, NOT_FOUND))
        client = shell(transport=script)
        with pytest.raises(TaskExpiredError):
            client.wait(submitted())
        assert 30 <= sum(client.pauses) < 60


class TestPatience:
    def test_deadline_ends_the_waiting_and_keeps_the_task(
        self, shell: Callable[..., Shell]
    ) -> None:
        client = shell(lambda _: task_answer("RUNNING"))
        with pytest.raises(TaskTimeoutError, match="not ready in the time allowed") as caught:
            client.wait(submitted(), timeout=30)
        assert sum(client.pauses) == pytest.approx(30)
        assert (caught.value.task_id, isinstance(caught.value, TimeoutError)) == ("image_1", True)

    def test_default_deadline_is_fifteen_minutes(self, shell: Callable[..., Shell]) -> None:
        client = shell(lambda _: task_answer("RUNNING"))
        with pytest.raises(TaskTimeoutError):
            client.wait(submitted())
        assert sum(client.pauses) == pytest.approx(900)

    def test_failures_do_not_outlast_the_deadline(self, shell: Callable[..., Shell]) -> None:
        client = shell(lambda _: Refuse())
        with pytest.raises(OpeaiError) as caught:
            client.wait(submitted(), timeout=20)
        assert sum(client.pauses) == pytest.approx(20)
        assert caught.value.task_id == "image_1"

    @pytest.mark.parametrize("timeout", ["soon", None, float("nan"), -1, True])
    def test_timeout_that_is_no_number_is_refused_before_sending(
        self, shell: Callable[..., Shell], timeout: float | str | None
    ) -> None:
        script = Script()
        with pytest.raises(InputError, match="timeout"):
            shell(transport=script).generate("a fox", timeout=timeout)
        assert script.requests == []

    def test_every_snapshot_is_told(self, shell: Callable[..., Shell]) -> None:
        seen: list[Task] = []
        shell(task_answer(), task_answer("RUNNING", progress=30), DONE).generate(
            "a fox", on_update=seen.append
        )
        assert [task.status for task in seen] == ["queued", "painting", "done"]
        assert {task.id for task in seen} == {"image_1"}

    @pytest.mark.parametrize("task", ["", "  ", None, 7])
    def test_no_task_is_refused(self, shell: Callable[..., Shell], task: int | str | None) -> None:
        with pytest.raises(InputError, match="neither a task"):
            shell().wait(task)

    def test_watch_returns_the_last_snapshot(self, shell: Callable[..., Shell]) -> None:
        last = shell(task_answer("RUNNING"), DONE).watch("image_1")
        assert (last.status, len(last.pictures)) == ("done", 1)


def test_async_callback_is_awaited() -> None:
    import asyncio

    from opeai_nb.client import AsyncClient

    seen: list[str] = []

    async def update(task: Task) -> None:
        await asyncio.sleep(0)
        seen.append(task.status)

    async def update_nothing(_: float) -> None: ...

    async def run() -> None:
        script = Script(DONE)
        async with AsyncClient(transport=script, base_url=URL, sleep=update_nothing) as client:
            await client.wait(submitted(), update)

    asyncio.run(run())
    assert seen == ["queued", "done"]
