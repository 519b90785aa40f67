"""What an answer says is told, wherever it stands; and what came is kept."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from opeai_nb.errors import (
    AnswerError,
    BadRequestError,
    DownloadError,
    ModerationError,
    NoPictureError,
    OpeaiError,
    OutcomeUnknownError,
    QuotaError,
    UnreadableAnswerError,
)
from opeai_nb.secret import Secret
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import KEY, Shell

Shells = Callable[..., Shell]
B64 = b64encode(png()).decode()
SAYS = "the hat is too big"


def error_of(shell: Shells, body: Any, status: int = 200) -> OpeaiError:
    """Return what is raised for *body*, the answer to one POST."""
    script = Script(Answer(body, status=status))
    with pytest.raises(OpeaiError) as caught:
        shell(transport=script).generate("a fox")
    assert len(script.requests) == 1
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        {"output": {"code": "X", "message": SAYS, "task_status": "FAILED"}},
        {"data": {"error": {"message": SAYS}}},
        {"data": {"status": "failed", "message": SAYS}},
        {"fault": {"faultstring": SAYS}},
        {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": SAYS}},
        {"statusCode": 400, "error": "Bad Request", "message": SAYS},
        {"status": 400, "error": "Unprocessable Entity", "detail": SAYS},
        f"<Error><Code>X</Code><Message>{SAYS}</Message></Error>",
    ],
    ids=str,
)
def test_refusal_says_why_wherever_it_stands(shell: Shells, body: Any) -> None:
    error = error_of(shell, body, 400)
    assert isinstance(error, BadRequestError)
    assert SAYS in error.message


@pytest.mark.parametrize(
    "body",
    [
        {"detail": SAYS},
        {"err": SAYS, "payload": {}},
        {"error": True, "message": SAYS},
        {"odd": {"Message": SAYS}},
        {"promptFeedback": {"blockReason": SAYS}},
    ],
    ids=str,
)
def test_answer_that_nobody_can_read_is_quoted_and_kept(shell: Shells, body: Any) -> None:
    error = error_of(shell, body)
    assert isinstance(error, UnreadableAnswerError)
    assert (SAYS in error.message, error.answer) == (True, Answer(body).content)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "filter_reason": SAYS},
        {"candidates": [{"finishReason": "STOP", "content": {"parts": []}}], "error_info": SAYS},
        {"data": [{"url": "", "fail_reason": SAYS}]},
        {"data": [{"status": "failed", "reason": SAYS}]},
        {"predictions": [{"raiFilteredReason": SAYS}]},
        {"choices": [{"message": {"content": None, "refusal": SAYS}}]},
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": SAYS}]}]},
    ],
    ids=str,
)
def test_answer_without_a_picture_says_why_and_is_kept(shell: Shells, body: Any) -> None:
    error = error_of(shell, body)
    assert isinstance(error, NoPictureError)
    assert (SAYS in error.message, error.answer) == (True, Answer(body).content)


@pytest.mark.parametrize("word", ["IMAGE_SAFETY", "PROHIBITED_CONTENT", "content_filter"])
def test_model_that_stopped_on_purpose_says_so(shell: Shells, word: str) -> None:
    assert word in error_of(shell, {"candidates": [{"finishReason": word}]}).message


@pytest.mark.parametrize("why", ["accepted, but it crashed", "duplicate of one in progress"])
def test_reason_with_a_word_of_success_in_it_is_told(shell: Shells, why: str) -> None:
    body = {"code": 0, "message": "accepted", "data": {"status": "error", "reason": why}}
    assert why in error_of(shell, body).message


@pytest.mark.parametrize(
    ("reason", "kind"), [("content_filter", ModerationError), ("max_output_tokens", AnswerError)]
)
def test_response_that_stays_incomplete_says_why(shell: Shells, reason: str, kind: Any) -> None:
    body = {"id": "resp_1", "object": "response", "status": "incomplete", "output": []}
    error = error_of(shell, {**body, "incomplete_details": {"reason": reason}})
    assert (type(error), reason in error.message) == (kind, True)


@pytest.mark.parametrize("status", [302, 307])
def test_redirect_to_nowhere_says_so(shell: Shells, status: int) -> None:
    assert "redirects, and does not say where to" in error_of(shell, b"", status).message


@pytest.mark.parametrize(
    "page", [Answer(b"", status=404), Answer("<h1>Policies</h1>"), Answer("no", status=403)]
)
def test_refusal_that_points_to_a_page_is_quoted(shell: Shells, page: Answer) -> None:
    text = f"I can't draw that, {KEY}: see https://pictures.test/policies."
    body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    script = Script(lambda sent: Answer(body) if sent.method == "POST" else page)
    with pytest.raises(DownloadError, match=r"I can.t draw that, .*policies") as caught:
        shell(transport=script).generate("a fox")
    assert (caught.value.answer, len(script.posts)) == (body_without(KEY, body), 1)
    assert KEY not in str(caught.value)


def body_without(key: str, body: Any) -> bytes:
    return Secret(key).hidden(Answer(body).content)


@pytest.mark.parametrize(
    "says",
    [
        *("NSFW content detected. Try another prompt.", "Your request was flagged", "Moderated"),
        *("Content Moderated", "input new_sensitive", "文本包含违法违规信息"),
        "400: Prompt not allowed because advanced moderation failed",
    ],
)
def test_refusal_of_the_content_is_one_in_any_words(shell: Shells, says: str) -> None:
    assert isinstance(error_of(shell, {"error": says}), ModerationError)
    assert isinstance(error_of(shell, {"error": says}, 403), ModerationError)
    task = {"task_id": "t", "status": "failed", "error": says}
    assert isinstance(error_of(shell, task), ModerationError)


@pytest.mark.parametrize("says", ["the moderation service is down", "model is case-sensitive"])
def test_word_of_moderation_alone_refuses_no_content(shell: Shells, says: str) -> None:
    assert not isinstance(error_of(shell, {"error": {"message": says}}), ModerationError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(402, QuotaError), (400, BadRequestError), (429, AnswerError), (500, OutcomeUnknownError)],
)
def test_status_of_http_inside_a_success_is_what_counts(
    shell: Shells, status: int, kind: Any
) -> None:
    for body in (
        {"status": status, "message": SAYS},
        {"statusCode": status, "body": json.dumps({"message": SAYS})},
    ):
        error = error_of(shell, body)
        assert (isinstance(error, kind), SAYS in error.message) == (True, True)


@pytest.mark.parametrize("says", ["not enough credits", "You are out of credits", "余额不足"])
def test_used_up_credit_is_one_in_any_words(shell: Shells, says: str) -> None:
    assert isinstance(error_of(shell, {"error": says}, 400), QuotaError)


def test_failure_of_the_server_in_an_item_leaves_open_what_was_paid(shell: Shells) -> None:
    failure = {"error": {"code": 502, "message": "Provider returned error"}}
    error = error_of(shell, {"choices": [{**failure, "message": {"content": ""}}]})
    assert isinstance(error, OutcomeUnknownError)
    assert error.answer


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "message": "请求上游超时"},
        {"code": -1, "msg": "read: connection reset by peer", "data": None},
        {"code": "UpstreamTimeout", "message": "no answer"},
        {"success": False, "message": "Internal Server Error"},
        {"error": "read tcp 10.0.0.2:443: i/o timeout"},
        {"error": {"message": 'Post "https://a.test/v1/images/generations": EOF'}},
        {"error": {"message": "the download of the generated image timed out"}},
        {"error": {"message": "upstream returned an empty response"}},
        {"code": -1, "msg": "系统异常", "data": None},
        {"error": {"code": "internal_error", "message": "please contact us"}},
    ],
    ids=str,
)
def test_request_that_a_gateway_lost_is_no_refusal(shell: Shells, body: Any) -> None:
    error = error_of(shell, body)
    assert isinstance(error, OutcomeUnknownError)
    assert error.answer == Answer(body).content


def test_item_that_failed_says_why_beside_one_that_did_not(shell: Shells) -> None:
    items = [{"b64_json": B64}, {"finish_reason": "CONTENT_FILTERED", "b64_json": ""}]
    generation = shell(Answer({"data": items})).generate("a fox")
    assert len(generation.good) == 1
    assert "CONTENT_FILTERED" in str(generation.pictures[1].error)
    assert generation.notes == ()


def test_word_of_success_in_an_item_is_no_reason(shell: Shells) -> None:
    error = error_of(shell, {"data": [{"message": "SUCCEED", "odd": 1}]})
    assert isinstance(error, NoPictureError)
    assert "SUCCEED" not in error.message


def test_what_is_quoted_does_not_show_the_key(shell: Shells) -> None:
    for body in ({"data": [], "reason": f"{KEY} is no"}, {"odd": {"message": f"{KEY} is no"}}):
        error = error_of(shell, body)
        assert "is no" in error.message
        assert KEY not in f"{error}{error!r}{error.answer!r}"
