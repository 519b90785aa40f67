"""The tree of errors: class, next step and evidence of each; and that they travel."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from opeai_nb import errors
from opeai_nb.client import ImageRequest, Picture, Task
from opeai_nb.errors import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    DownloadError,
    ModelNotFoundError,
    ModerationError,
    NotFoundError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    UnreachableError,
)
from opeai_nb.testing import Answer, Refuse, Script, error_answer, pictures_answer, png
from tests.client.shells import Shell

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, OpeaiError) and kind is not OpeaiError
]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[(code, OutcomeUnknownError) for code in (500, "502", 503, 504)],
        *[(400, BadRequestError), (401, AuthenticationError), (402, QuotaError)],
        *[(403, PermissionDeniedError), ("429", RateLimitError), (1500, AnswerError)],
    ],
)
@pytest.mark.parametrize("key", ["code", "errcode", "error"])
def test_status_inside_a_success_is_one_and_is_not_sent_again(
    shell: Callable[..., Shell], key: str, code: Any, kind: type[OpeaiError]
) -> None:
    told = {"code": code, "message": "it went wrong"}
    answer = Answer({"error": told} if key == "error" else {key: code, "msg": "it went wrong"})
    script = Script(answer)
    with pytest.raises(kind, match="it went wrong") as caught:
        shell(transport=script).generate("a fox")
    assert (type(caught.value), len(script.posts)) == (kind, 1)
    assert (caught.value.status_code, caught.value.answer) == (200, answer.content)


class TestClassOfAnAnswer:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, "invalid_image_request", BadRequestError),
            (400, None, BadRequestError),
            (400, 400, BadRequestError),
            (413, "read_request_body_failed", BadRequestError),
            (422, "", BadRequestError),
            (500, "invalid_request", BadRequestError),
            (401, "", AuthenticationError),
            (401, None, AuthenticationError),
            (400, "InvalidApiKey", AuthenticationError),
            (402, "", QuotaError),
            (403, "insufficient_user_quota", QuotaError),
            (429, "insufficient_quota", QuotaError),
            (400, "Arrearage", QuotaError),
            (429, "InsufficientQuota", QuotaError),
            (429, "billing-hard-limit-reached", QuotaError),
            (400, "contentFilter", ModerationError),
            (400, "Content Policy Violation", ModerationError),
            (404, "Model-Not-Found", ModelNotFoundError),
            (400, "Invalid.API.Key", AuthenticationError),
            (429, "Throttling.AllocationQuota", QuotaError),
            (403, "access_denied", PermissionDeniedError),
            (403, "", PermissionDeniedError),
            (404, "", NotFoundError),
            (404, "ModelNotFound", ModelNotFoundError),
            (503, "model_not_found", ModelNotFoundError),
            (200, "model_not_found", ModelNotFoundError),
            (400, "moderation_blocked", ModerationError),
            (400, "content_policy_violation", ModerationError),
            (400, "DataInspectionFailed", ModerationError),
            (500, "sensitive_words_detected", ModerationError),
            (501, "api_not_implemented", OutcomeUnknownError),
            (500, "do_request_failed", OutcomeUnknownError),
            (503, None, OutcomeUnknownError),
            (408, None, OutcomeUnknownError),
            (524, None, OutcomeUnknownError),
            (418, None, AnswerError),
            (200, "whatever", AnswerError),
        ],
    )
    def test_paid_request(
        self,
        shell: Callable[..., Shell],
        status: int,
        code: int | str | None,
        kind: type[OpeaiError],
    ) -> None:
        script = Script(error_answer("no", status=status, code=code))
        with pytest.raises(kind) as caught:
            shell(transport=script).generate("a fox")
        assert type(caught.value) is kind
        assert caught.value.status_code == status
        assert caught.value.code == (str(code) if code else None)
        assert caught.value.advice
        assert caught.value.request.prompt == "a fox"
        assert len(script.posts) == 1

    @pytest.mark.parametrize(
        ("message", "status", "kind"),
        [
            ("该令牌额度已用尽", 401, QuotaError),
            ("Your request was rejected as a result of our safety system.", 400, ModerationError),
            ("未提供令牌", 401, AuthenticationError),
        ],
    )
    def test_message_tells_what_no_code_says(
        self, shell: Callable[..., Shell], message: str, status: int, kind: type[OpeaiError]
    ) -> None:
        with pytest.raises(kind, match=message):
            shell(error_answer(message, status=status, code=None)).generate("a fox")

    def test_type_tells_what_no_code_says(self, shell: Callable[..., Shell]) -> None:
        answer = error_answer("no", status=429, code=None, type="insufficient_quota")
        with pytest.raises(QuotaError):
            shell(answer).generate("a fox")

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_free_request_that_keeps_failing_is_a_server_error(
        self, shell: Callable[..., Shell], status: int
    ) -> None:
        script = Script(lambda _: Answer("<html>Bad</html>", status=status))
        with pytest.raises(ServerError):
            shell(transport=script).models()
        assert len(script.requests) == 5

    def test_empty_429_that_lasts_is_a_rate_limit(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(RateLimitError, match="gave no reason"):
            shell(lambda _: Answer(b"", status=429)).generate("a fox")

    def test_server_not_there_is_unreachable(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(UnreachableError, match="Connection refused") as caught:
            shell(lambda _: Refuse()).models()
        assert "Errno" not in str(caught.value)


class TestMessage:
    @pytest.mark.parametrize(
        "body",
        [
            {"error": {"message": "size is wrong", "type": "t", "param": "", "code": "c"}},
            {"error": {"message": "size is wrong"}},
            {"error": "size is wrong"},
            {"code": "c", "message": "size is wrong", "request_id": "r"},
            {"code": "c", "message": "size is wrong", "data": None},
            {"success": False, "message": "size is wrong"},
            {"detail": "size is wrong"},
            {"detail": [{"loc": ["body", "size"], "msg": "size is wrong"}]},
            {"message": "size is wrong"},
            {"msg": "size is wrong"},
            {"description": "size is wrong", "type": "upstream_error", "code": 4},
            {"error": {"error_msg": "size is wrong"}},
            "size is wrong",
        ],
    )
    def test_text_is_found_in_every_envelope(
        self, shell: Callable[..., Shell], body: dict[str, Any] | str
    ) -> None:
        with pytest.raises(BadRequestError, match="size is wrong"):
            shell(Answer(b'"size is wrong"' if body == "size is wrong" else body, 400)).generate(
                "x"
            )

    @pytest.mark.parametrize("body", [[], None, 7, {}, {"error": {}}])
    def test_no_text_is_told_as_such(self, shell: Callable[..., Shell], body: Any) -> None:
        import json

        with pytest.raises(BadRequestError, match="gave no reason"):
            shell(Answer(json.dumps(body).encode(), 400)).generate("x")

    def test_request_id_moves_out_of_the_message(self, shell: Callable[..., Shell]) -> None:
        answer = error_answer("当前分组上游负载已饱和 (request id: 2026abc)", status=400, code=None)
        with pytest.raises(BadRequestError) as caught:
            shell(answer).generate("a fox")
        assert caught.value.request_id == "2026abc"
        assert caught.value.message == "The platform refused: 当前分组上游负载已饱和."

    def test_header_tells_the_request_id(self, shell: Callable[..., Shell]) -> None:
        answer = error_answer("no", headers=[("X-Oneapi-Request-Id", "h-1")])
        with pytest.raises(BadRequestError) as caught:
            shell(answer).generate("a fox")
        assert caught.value.request_id == "h-1"

    def test_task_id_does_not_stand_in_the_message(self, shell: Callable[..., Shell]) -> None:
        answer = error_answer("task image_2f9b9a3d8c1e4f5a6b7c8d9e burned")
        with pytest.raises(BadRequestError) as caught:
            shell(answer).generate("a fox")
        assert "image_2f9b" not in str(caught.value)

    def test_message_without_end_is_cut(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(BadRequestError) as caught:
            shell(error_answer("w" * 1_000_000 + " (request id: r-7)")).generate("a fox")
        assert len(str(caught.value)) < 1200
        assert caught.value.request_id == "r-7"

    def test_traceback_has_message_advice_and_evidence(self, shell: Callable[..., Shell]) -> None:
        answer = error_answer("no", headers=[("x-request-id", "r-1")])
        with pytest.raises(BadRequestError) as caught:
            shell(answer).generate("a fox")
        first, second = caught.value._render_traceback_()
        assert first == "BadRequestError: The platform refused: no."
        assert "HTTP 400 · code invalid_image_request · request id r-1" in second
        assert "r-1" not in str(caught.value)

    def test_too_large_a_request_says_what_to_do(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(BadRequestError, match="smaller input pictures"):
            shell(Answer("<html>413</html>", status=413)).generate("a fox")


class TestTree:
    def test_every_class_stands_in_the_drawing(self) -> None:
        names = [kind.__name__ for kind in CLASSES]
        assert [name for name in names if f"-- {name}" not in errors.__doc__] == []

    def test_every_leaf_says_what_to_do(self) -> None:
        leaves = [kind for kind in CLASSES if not kind.__subclasses__()]
        assert [kind for kind in leaves if not kind("x").advice] == [errors.LibraryError]

    @pytest.mark.parametrize("kind", CLASSES)
    @pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
    def test_every_error_travels_with_its_evidence(
        self, kind: type[OpeaiError], travel: Callable[..., Any]
    ) -> None:
        request = ImageRequest("a fox", image=png(), extra={"a": [1]})
        error = kind(
            "what",
            status_code=400,
            code="c",
            type="t",
            request_id="r",
            task_id="i",
            request=request,
        )
        error.pictures = (Picture(source=b"x", error=error),)
        error.retry_after = 3.0
        twin = travel(error)
        assert (type(twin), str(twin), twin.evidence()) == (kind, str(error), error.evidence())
        assert (twin.request, twin.retry_after) == (request, 3.0)
        # Where dask is imported, tblib copies the error of a picture apart from the one it is on.
        within = twin.pictures[0].error
        assert (type(within), str(within), within.evidence()) == (
            kind,
            str(error),
            error.evidence(),
        )

    def test_download_error_travels_with_its_url(self) -> None:
        twin = pickle.loads(pickle.dumps(DownloadError("no", url="https://x.test/?a=1")))
        assert (twin.message, twin.url) == ("no", "https://x.test/?a=1")


class TestValuesTravel:
    def test_generation_and_its_pictures(self, shell: Callable[..., Shell]) -> None:
        generation = shell(pictures_answer(png())).generate("a fox", extra={"a": 1})
        assert generation[0].size == (64, 64)  # decoded, and held weakly by the picture
        twin = pickle.loads(pickle.dumps(generation))
        assert (twin[0].size, twin.request, twin.usage) == ((64, 64), generation.request, None)

    def test_task(self) -> None:
        task = Task("t", "done", pictures=(Picture(url="u"),), request=ImageRequest("a fox"))
        twin = pickle.loads(pickle.dumps(task))
        assert (twin.id, twin.pictures[0].url, twin.request) == ("t", "u", task.request)


@pytest.mark.parametrize(
    "items", [[{"id": "m", "owned_by": "ali", "features": {"async_only": True}}]]
)
def test_models_are_listed(shell: Callable[..., Shell], items: list[dict[str, Any]]) -> None:
    (model,) = shell(Answer({"success": True, "object": "list", "data": items})).models()
    assert (model.id, model.owned_by, model.async_only) == ("m", "ali", True)


def test_models_that_are_refused_with_200_are_an_error(shell: Callable[..., Shell]) -> None:
    with pytest.raises(AnswerError, match="get user group failed"):
        shell(Answer({"success": False, "message": "get user group failed"})).models()
