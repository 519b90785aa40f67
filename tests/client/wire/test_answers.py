"""platform.md 7, bullet by bullet: what a submission may be answered with."""

from __future__ import annotations

import gzip
import io
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from opeai_nb.client import AnswerWarning, Generation, Task
from opeai_nb.errors import (
    AnswerError,
    ModerationError,
    NoPictureError,
    OutcomeUnknownError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.testing import Answer, Script, pictures_answer, png, task_answer
from tests.client.shells import Shell

RED = png(64, 48, (200, 0, 0))
BLUE = png(48, 64, (0, 0, 200))
# More than the reader leaves in the JSON, so that it is taken out while it arrives.
LARGE = png(64, 48) + bytes(range(256)) * 40
B64 = b64encode(RED).decode()
URL = "https://pictures.test/1.png"


def data_of(generation: Generation) -> list[bytes | None]:
    return [picture.data for picture in generation.pictures]


class TestTaskOrData:
    """The same POST answers with `data[]` or with a task; the answer decides, not the caller."""

    def test_data_is_a_generation(self, shell: Callable[..., Shell]) -> None:
        generation = shell(pictures_answer(RED, BLUE)).generate("a fox", n=2)
        assert data_of(generation) == [RED, BLUE]
        assert [image.size for image in generation] == [(64, 48), (48, 64)]

    def test_task_is_a_task(self, shell: Callable[..., Shell]) -> None:
        task = shell(task_answer("QUEUED", id="image_2f9b")).submit("a fox", model="wan2.6-t2i")
        assert (task.id, task.status, task.platform_status) == ("image_2f9b", "queued", "QUEUED")

    def test_submit_downloads_nothing(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(URL))
        generation = shell(transport=script).submit("a fox")
        assert (generation.pictures[0].url, generation.pictures[0].data) == (URL, None)
        assert len(script.requests) == 1

    def test_accepted_with_location_is_polled_there(self, shell: Callable[..., Shell]) -> None:
        script = Script(
            Answer(
                {"id": "abc", "status": "queued"},
                status=202,
                headers={"Location": "/v1/jobs/abc", "Retry-After": "3"},
            ),
            task_answer("completed", data=[{"b64_json": B64}]),
        )
        client = shell(transport=script)
        assert data_of(client.generate("a fox")) == [RED]
        assert script.requests[1].url.path == "/v1/jobs/abc"
        assert client.pauses == [3.0]

    def test_poll_url_on_another_server_is_not_asked(self, shell: Callable[..., Shell]) -> None:
        script = Script(
            task_answer("queued", id="abc", poll_url="https://elsewhere.test/abc"),
            task_answer("completed", data=[{"b64_json": B64}]),
        )
        shell(transport=script).generate("a fox")
        assert str(script.requests[1].url) == "https://platform.test/v1/images/generations/abc"

    @pytest.mark.parametrize(
        "link", ["//elsewhere.test/x?u=http://y", "https://platform.test.evil/x"]
    )
    def test_poll_url_that_pretends_is_not_asked(
        self, shell: Callable[..., Shell], link: str
    ) -> None:
        script = Script(
            task_answer("queued", id="abc", poll_url=link),
            task_answer("completed", data=[{"b64_json": B64}]),
        )
        shell(transport=script).generate("a fox")
        assert script.requests[1].url.host == "platform.test"

    @pytest.mark.parametrize(
        ("body", "task_id"),
        [
            ({"task_id": "t/1 ä", "status": "QUEUED"}, "t/1 ä"),
            ({"id": "t1", "status": "QUEUED"}, "t1"),
            ({"id": 17, "task_id": "task_x", "status": "NOT_START"}, "task_x"),
            ({"task_id": 17, "status": "NOT_START"}, "17"),
            ({"id": "t1", "object": "image.generation.task"}, "t1"),
            ({"request_id": "r", "output": {"task_id": "t1", "task_status": "PENDING"}}, "t1"),
            ({"code": "success", "data": {"task_id": "t1", "id": 3, "status": "SUBMITTED"}}, "t1"),
            ({"status": "success", "data": {"task_id": "t1", "status": "IN_PROGRESS"}}, "t1"),
            ({"data": [{"task_id": "t1", "status": "submitted"}]}, "t1"),
            ({"data": '{"task_id": "t1", "status": "submitted"}'}, "t1"),
        ],
    )
    def test_task_id_is_found(
        self, shell: Callable[..., Shell], body: dict[str, Any], task_id: str
    ) -> None:
        script = Script(Answer(body), task_answer("SUCCESS", data=[{"b64_json": B64}]))
        client = shell(transport=script)
        task = client.submit("a fox")
        assert isinstance(task, Task)
        assert task.id == task_id
        client.wait(task)
        assert script.requests[1].url.path.endswith(f"/{task_id}")

    def test_task_id_is_percent_encoded(self, shell: Callable[..., Shell]) -> None:
        script = Script(
            task_answer(id="a/../b?c"), task_answer("SUCCESS", data=[{"b64_json": B64}])
        )
        shell(transport=script).generate("a fox")
        assert script.requests[1].url.raw_path == b"/v1/images/generations/a%2F..%2Fb%3Fc"

    def test_task_without_any_id_says_so(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(UnreadableAnswerError, match="no task id"):
            shell(Answer({"status": "QUEUED"})).generate("a fox")

    def test_success_in_the_submit_answer_is_not_polled(self, shell: Callable[..., Shell]) -> None:
        script = Script(task_answer("SUCCESS", data=[{"b64_json": B64}]))
        generation = shell(transport=script).generate("a fox")
        assert (data_of(generation), generation.task_id) == ([RED], "image_1")
        assert len(script.requests) == 1

    @pytest.mark.parametrize("told", [{"id": "g1", "status": "ok"}, {"task_id": "g1"}])
    def test_pictures_beside_a_status_that_says_nothing_are_kept(
        self, shell: Callable[..., Shell], told: dict[str, str]
    ) -> None:
        script = Script(Answer({**told, "data": [{"b64_json": B64}]}))
        generation = shell(transport=script).generate("a fox")
        assert (data_of(generation), generation.task_id) == ([RED], "g1")
        assert len(script.requests) == 1

    def test_input_that_a_task_echoes_is_no_picture_of_it(
        self, shell: Callable[..., Shell]
    ) -> None:
        script = Script(
            Answer({"task_id": "g1", "image": URL, "url": "/v1/tasks/g1"}),
            task_answer("SUCCESS", data=[{"b64_json": B64}]),
        )
        assert data_of(shell(transport=script).generate("a fox")) == [RED]

    def test_bytes_that_came_with_a_failure_are_on_the_error(
        self, shell: Callable[..., Shell]
    ) -> None:
        item = {"b64_json": b64encode(LARGE).decode()}
        with pytest.raises(TaskFailedError) as caught:
            shell(task_answer("FAILURE", fail_reason="late", **item)).generate("a fox")
        assert [picture.data for picture in caught.value.pictures] == [LARGE]

    def test_bytes_that_a_failure_lists_are_a_picture(self, shell: Callable[..., Shell]) -> None:
        item = {"b64_json": b64encode(LARGE).decode()}
        listed = task_answer("FAILURE", fail_reason="one of two", data=[item])
        with pytest.warns(AnswerWarning, match="the task failed; it lists pictures"):
            assert data_of(shell(listed).generate("a fox")) == [LARGE]

    def test_failure_in_the_submit_answer_is_the_reason(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(TaskFailedError, match="The task failed: no capacity") as caught:
            shell(task_answer("FAILURE", fail_reason="no capacity")).generate("a fox")
        assert caught.value.task_id == "image_1"


class TestItems:
    """Everything that an item of a list of pictures was seen to be."""

    @pytest.mark.parametrize(
        "item",
        [
            {"b64_json": B64, "url": ""},
            {"b64_json": B64},
            {"b64_json": B64, "url": URL},
            {"b64_json": f"data:image/png;base64,{B64}"},
            {"b64_json": "\n".join(B64[i : i + 20] for i in range(0, len(B64), 20))},
            {"b64_json": B64.rstrip("=")},
            {"b64_json": urlsafe_b64encode(RED).decode()},
            {"url": f"data:image/png;base64,{B64}"},
            {"url": B64},
            {"image": B64},
            {"image": f"data:image/png;base64,{B64}"},
            {"image_url": {"url": f"data:image/png;base64,{B64}"}},
            B64,
            f"data:image/png;base64,{B64}",
        ],
    )
    def test_bytes_are_found(self, shell: Callable[..., Shell], item: dict[str, Any] | str) -> None:
        script = Script(Answer({"created": 1, "data": [item]}))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert len(script.requests) == 1  # bytes are preferred to a URL

    @pytest.mark.parametrize(
        "item",
        [
            {"url": URL, "b64_json": ""},
            {"url": URL, "b64_json": None},
            {"url": URL},
            {"image": URL},
            {"image_url": URL},
            {"image_url": {"url": URL}},
            {"url": [URL]},
            URL,
        ],
    )
    def test_url_is_found_and_fetched(
        self, shell: Callable[..., Shell], item: dict[str, Any] | str
    ) -> None:
        script = Script(Answer({"created": 1, "data": [item]}), RED)
        generation = shell(transport=script).generate("a fox")
        assert data_of(generation) == [RED]
        assert str(script.requests[1].url) == URL

    @pytest.mark.parametrize("form", ["{}", "data:image/png;base64,{}"])
    @pytest.mark.parametrize("escape", [False, True])
    def test_long_base64_is_read_as_it_arrives(
        self, shell: Callable[..., Shell], form: str, escape: bool
    ) -> None:
        body = json.dumps({"data": [{"b64_json": form.format(b64encode(LARGE).decode())}]})
        body = body.replace("/", "\\/") if escape else body
        answer = Answer(body.encode(), headers={"Content-Type": "text/plain"}, chunk=1000)
        assert data_of(shell(answer).generate("a fox")) == [LARGE]

    @pytest.mark.parametrize(
        ("item", "told"),
        [
            ({"url": "", "b64_json": ""}, "neither bytes nor a URL"),
            ({"url": None}, "neither bytes nor a URL"),
            ({}, "neither bytes nor a URL"),
            (None, "empty item"),
            (7, "empty item"),
            ({"b64_json": "no base64 at all!"}, "neither bytes nor a URL"),
            ({"b64_json": "A" * 5000 + "!"}, "base64 of this picture is broken"),
            ({"error": {"code": "InternalError", "message": "it burned"}}, "it burned"),
            ({"code": "InternalError", "message": "it burned"}, "it burned"),
            ({"message": "it burned"}, "it burned"),
        ],
    )
    def test_failed_item_says_why_and_the_rest_is_kept(
        self, shell: Callable[..., Shell], item: dict[str, Any] | int | None, told: str
    ) -> None:
        generation = shell(Answer({"data": [{"b64_json": B64}, item]})).generate("a fox", n=2)
        assert (len(generation), data_of(generation)) == (1, [RED, None])
        assert told in generation.failed[0].error.message

    def test_failed_item_has_the_class_of_its_reason(self, shell: Callable[..., Shell]) -> None:
        error = {"code": "OutputImageSensitiveContentDetected", "message": "unsafe"}
        generation = shell(Answer({"data": [{"b64_json": B64}, {"error": error}]})).generate(
            "a fox"
        )
        assert isinstance(generation.failed[0].error, ModerationError)
        assert generation.failed[0].error.code == "OutputImageSensitiveContentDetected"

    def test_all_items_failed_alike_is_that_error(self, shell: Callable[..., Shell]) -> None:
        item = {"error": {"code": "DataInspectionFailed", "message": "unsafe"}}
        with pytest.raises(ModerationError) as caught:
            shell(Answer({"data": [item, item]})).generate("a fox", n=2)
        assert (len(caught.value.pictures), caught.value.request.n) == (2, 2)

    def test_items_all_empty_is_no_picture(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(NoPictureError, match="without any picture"):
            shell(Answer({"data": [{"url": "", "b64_json": ""}] * 2})).generate("a fox", n=2)

    @pytest.mark.parametrize(("asked", "comes"), [("url", B64), ("b64_json", URL)])
    def test_form_that_was_asked_for_is_never_assumed(
        self, shell: Callable[..., Shell], asked: str, comes: str
    ) -> None:
        script = Script(pictures_answer(RED if comes is B64 else URL), RED)
        generation = shell(transport=script).generate("a fox", response_format=asked)
        assert data_of(generation) == [RED]
        assert len(script.requests) == (1 if comes is B64 else 2)

    @pytest.mark.parametrize(("asked", "comes"), [("png", "jpeg"), ("webp", "png"), (None, "webp")])
    def test_format_that_was_asked_for_is_never_assumed(
        self, shell: Callable[..., Shell], asked: str | None, comes: str
    ) -> None:
        file = io.BytesIO()
        Image.new("RGB", (8, 6), "red").save(file, comes)
        script = Script(pictures_answer(file.getvalue()))
        generation = shell(transport=script).generate(
            "a fox", model="tomorrow-1", output_format=asked
        )
        assert (generation.pictures[0].format, generation[0].size) == (comes, (8, 6))

    def test_extra_fields_and_revised_prompt_are_kept(self, shell: Callable[..., Shell]) -> None:
        item = {"b64_json": B64, "size": "2048x2048", "revised_prompt": "a red fox"}
        generation = shell(Answer({"data": [item]})).generate("a fox")
        assert generation.revised_prompt == "a red fox"


class TestEnvelopes:
    """Bodies that are flat, wrapped, nested or encoded as a string."""

    @pytest.mark.parametrize(
        "body",
        [
            {"data": [{"b64_json": B64}]},
            {"images": [{"b64_json": B64}]},
            {"results": [{"b64_json": B64}]},
            {"result": {"data": [{"b64_json": B64}]}},
            {"code": "success", "message": "", "data": {"data": [{"b64_json": B64}]}},
            {"output": {"results": [{"url": "", "b64_json": B64}]}},
            {"output": {"choices": [{"message": {"content": [{"image": B64}]}}]}},
            {"data": {"b64_json": B64}},
            {"data": json.dumps([{"b64_json": B64}])},
            {"data": json.dumps({"data": json.dumps({"images": [B64]})})},
            {"b64_json": B64},
            {"task_result": {"images": [{"image": B64}]}},
            [{"b64_json": B64}],
            [B64],
        ],
    )
    def test_picture_is_found_through_wrappers(
        self, shell: Callable[..., Shell], body: dict[str, Any] | list[Any]
    ) -> None:
        assert data_of(shell(Answer(body)).generate("a fox")) == [RED]

    def test_body_may_begin_with_a_byte_order_mark(self, shell: Callable[..., Shell]) -> None:
        body = b"\xef\xbb\xbf" + json.dumps({"data": [{"b64_json": B64}]}).encode()
        assert data_of(shell(Answer(body)).generate("a fox")) == [RED]

    def test_several_choices_and_several_parts_are_all_kept(
        self, shell: Callable[..., Shell]
    ) -> None:
        parts = [{"text": "a red fox"}, {"image": B64, "type": "image"}, {"image": URL}]
        choice = {"message": {"role": "assistant", "content": parts}}
        body = {"output": {"choices": [choice, {"message": {"content": [{"image": B64}]}}]}}
        generation = shell(Answer(body), BLUE).generate("a fox", n=3)
        assert data_of(generation) == [RED, BLUE, RED]
        assert generation.pictures[0].revised_prompt == "a red fox"

    @pytest.mark.parametrize("count", [1, 3])
    def test_fewer_or_more_pictures_than_n_are_all_kept(
        self, shell: Callable[..., Shell], count: int
    ) -> None:
        assert len(shell(pictures_answer(*[RED] * count)).generate("a fox", n=2)) == count

    def test_empty_data_is_no_picture(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(NoPictureError, match="without any picture"):
            shell(Answer({"created": 1, "data": []})).generate("a fox")

    @pytest.mark.parametrize("body", [{}, {"data": None}, "ok", 7, {"created": 1}])
    def test_json_that_says_nothing_is_unreadable(
        self, shell: Callable[..., Shell], body: dict[str, Any] | int | str
    ) -> None:
        with pytest.raises(UnreadableAnswerError, match="neither a picture, nor a task"):
            shell(Answer(json.dumps(body).encode())).generate("a fox")

    def test_error_beside_pictures_is_kept_as_a_failed_item(
        self, shell: Callable[..., Shell]
    ) -> None:
        body = {"data": [{"b64_json": B64}], "error": {"code": "X", "message": "one of two failed"}}
        generation = shell(Answer(body)).generate("a fox", n=2)
        assert (len(generation), len(generation.failed)) == (1, 1)
        assert "one of two failed" in str(generation.failed[0].error)

    @pytest.mark.parametrize("error", [None, {}, "", {"message": "", "code": None, "type": ""}])
    def test_empty_error_is_none(
        self, shell: Callable[..., Shell], error: dict[str, Any] | str | None
    ) -> None:
        assert len(shell(Answer({"data": [{"b64_json": B64}], "error": error})).generate("x")) == 1


class TestAccount:
    """`usage`, `created` and `model` in any vocabulary, or none."""

    def test_the_counts_keep_the_platforms_own_names(self, shell: Callable[..., Shell]) -> None:
        usage = {"generated_images": 1, "total_tokens": 9, "input_tokens_details": {"src": 1}}
        answer = {"data": [{"b64_json": B64}], "usage": usage}
        assert shell(Answer(answer)).generate("x").usage == usage

    @pytest.mark.parametrize("usage", [None, {}, 7])
    def test_no_usage_is_none(
        self, shell: Callable[..., Shell], usage: dict[str, Any] | int | None
    ) -> None:
        assert (
            shell(Answer({"data": [{"b64_json": B64}], "usage": usage})).generate("x").usage is None
        )

    def test_usage_is_kept_as_it_is(self, shell: Callable[..., Shell]) -> None:
        usage = {"image_count": 1, "width": 0, "input_tokens_details": {"text_tokens": 24}}
        answer = pictures_answer(RED, usage=usage)
        assert shell(answer).generate("a fox").usage == usage

    @pytest.mark.parametrize(
        ("field", "created"),
        [({"created": 5}, 5), ({"created_at": 6}, 6), ({"created": 0}, None), ({}, None)],
    )
    def test_created_is_read(
        self, shell: Callable[..., Shell], field: dict[str, Any], created: int | None
    ) -> None:
        body = {"data": [{"b64_json": B64}], **field}
        assert shell(Answer(body)).generate("a fox").created == created

    def test_model_may_differ_from_the_one_asked_for(self, shell: Callable[..., Shell]) -> None:
        answer = pictures_answer(RED, model="seedream-4-5-251128")
        generation = shell(answer).generate("a fox", model="doubao-seedream-4.5")
        assert generation.model == "seedream-4-5-251128"
        assert generation.request.model == "doubao-seedream-4.5"

    @pytest.mark.parametrize("name", ["X-Oneapi-Request-Id", "x-request-id"])
    def test_request_id_comes_from_the_headers(
        self, shell: Callable[..., Shell], name: str
    ) -> None:
        answer = Answer(pictures_answer(RED).body, headers={name: "req-1"})
        assert shell(answer).generate("a fox").request_id == "req-1"


class TestNotJson:
    """Pages, text and halves of JSON where JSON was promised."""

    def test_page_with_200_is_unreadable_and_quoted(self, shell: Callable[..., Shell]) -> None:
        page = "<!doctype html><html><head><style>b{}</style><title>Log in</title></head></html>"
        with pytest.raises(UnreadableAnswerError, match="begins: 'Log in'"):
            shell(Answer(page)).generate("a fox")

    def test_page_with_502_leaves_the_outcome_unknown(self, shell: Callable[..., Shell]) -> None:
        page = Answer("<html><h1>502 Bad Gateway</h1></html>", status=502)
        with pytest.raises(OutcomeUnknownError, match="502 Bad Gateway") as caught:
            shell(page).generate("a fox")
        assert caught.value.status_code == 502

    def test_redirect_names_where_to(self, shell: Callable[..., Shell]) -> None:
        answer = Answer(b"", status=301, headers={"Location": "https://other.test/login?a=1"})
        with pytest.raises(UnreadableAnswerError, match=r"redirects to https://other\.test"):
            shell(answer).generate("a fox")

    @pytest.mark.parametrize("body", [b"", b'{"data": [{"b64_json": "iVBO', b"["])
    def test_half_a_success_leaves_the_outcome_unknown(
        self, shell: Callable[..., Shell], body: bytes
    ) -> None:
        with pytest.raises(OutcomeUnknownError):
            shell(Answer(body)).generate("a fox")

    def test_pictures_before_the_end_of_a_half_are_on_the_error(
        self, shell: Callable[..., Shell]
    ) -> None:
        whole = pictures_answer(LARGE, LARGE).content
        with pytest.raises(OutcomeUnknownError) as caught:
            shell(Answer(whole[:-3000])).generate("a fox", n=2)
        assert [picture.data for picture in caught.value.pictures] == [LARGE]

    def test_refusal_with_200_is_that_refusal(self, shell: Callable[..., Shell]) -> None:
        error = {
            "message": "失败",
            "type": "ali_error",
            "param": "",
            "code": "DataInspectionFailed",
        }
        with pytest.raises(ModerationError, match="失败") as caught:
            shell(Answer({"error": error})).generate("a fox")
        assert caught.value.status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            {"error": "the upstream said no"},
            {"success": False, "message": "the upstream said no"},
            {"code": "NoIdea", "message": "the upstream said no", "request_id": "r"},
            {"code": "NoIdea", "message": "the upstream said no", "data": None},
            {"response": {"error": {"message": "the upstream said no"}}},
            {"header": {"message": "the upstream said no"}},
        ],
    )
    def test_error_with_200_in_any_envelope_is_an_answer_error(
        self, shell: Callable[..., Shell], body: dict[str, Any]
    ) -> None:
        with pytest.raises(AnswerError, match="the upstream said no"):
            shell(Answer(body)).generate("a fox")

    def test_failed_task_with_200_is_the_reason(self, shell: Callable[..., Shell]) -> None:
        output = {"task_id": "t", "task_status": "FAILED", "code": "Bad", "message": "not allowed"}
        with pytest.raises(TaskFailedError, match="not allowed") as caught:
            shell(Answer({"request_id": "r-9", "output": output})).generate("a fox")
        assert (caught.value.code, caught.value.request_id) == ("Bad", "r-9")


def test_compressed_answers_are_read(shell: Callable[..., Shell]) -> None:
    for encoding in ("gzip", "x-gzip"):
        body = gzip.compress(pictures_answer(LARGE).content)
        answer = Answer(body, headers={"Content-Encoding": encoding}, chunk=500)
        assert data_of(shell(answer).generate("a fox")) == [LARGE]


def test_identity_is_asked_for(shell: Callable[..., Shell]) -> None:
    script = Script(pictures_answer(RED))
    shell(transport=script).generate("a fox")
    assert script.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b\x08 no gzip behind its head", gzip.compress(b"{}" * 900, mtime=0)[:-9]],
    ids=["no gzip", "cut"],
)
def test_body_that_is_not_encoded_as_it_says_is_cut(
    shell: Callable[..., Shell], body: bytes
) -> None:
    answer = Answer(body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(OutcomeUnknownError):
        shell(answer).generate("a fox")
