"""Kinds of answers in many spellings: each is a picture, by one POST, through both shells."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client.values.task import read_status
from opeai_nb.client.wire.task.read_task import LEFT_BEHIND
from opeai_nb.errors import (
    DownloadError,
    ModerationError,
    OpeaiError,
    OutcomeUnknownError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED, BLUE = png(64, 48, (200, 0, 0)), png(8, 8, (0, 0, 200))
B64 = b64encode(RED).decode()
URL, INPUT = "https://pictures.test/1.png", "https://pictures.test/in.png"
DONE = {"status": "SUCCESS", "data": [{"b64_json": B64}]}

pytestmark = pytest.mark.filterwarnings("ignore::opeai_nb.client.AnswerWarning")


def plays(shell: Shells, post: Any, *polls: Any, **fields: Any) -> list[bytes | None]:
    """Return the pictures that come where *polls* answer the questions, the last for ever."""
    left = list(polls)

    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return post if isinstance(post, Answer) else Answer(post)
        if ".png" in request.url.path:
            return BLUE if "in.png" in request.url.path else RED
        reply = left.pop(0) if len(left) > 1 else left[0]
        return reply if isinstance(reply, Answer) else Answer(reply)

    script = Script(answer)
    generation = shell(transport=script).generate("a fox", **fields)
    assert len(script.posts) == 1
    return [picture.data for picture in generation.good]


@pytest.mark.parametrize(
    "body",
    [
        *({"code": 0, "data": {name: "x99"}} for name in ("id", "tid", "taskNo", "uuid", "ticket")),
        *({name: "x99", "status": "pending"} for name in ("query_id", "imageId", "workId", "job")),
        {"code": 200, "data": "task_abc123", "message": "ok"},
        {"result": "task_abc123", "status": "queued"},
        {"statusCode": 200, "body": json.dumps({"task_id": "task_abc123", "status": "queued"})},
        {"task": "abc123"},
        {"task_ids": ["j1"], "status": "queued"},
        {"jobs": [{"id": "j1", "status": "queued"}]},
        {"request_id": "r7", "status": "queued"},
        {"code": 0, "data": {"operation": "op-7", "state": "running"}},
        {"request_id": "r", "model": "m-1", "trace_id": "t-1", "data": {"track": 1, "ref_id": 77}},
    ],
    ids=str,
)
def test_id_under_an_unknown_name_is_asked_about(shell: Shells, body: Any) -> None:
    assert plays(shell, body, {"status": "running"}, DONE) == [RED]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("completed_successfully", "done"),
        ("processing complete", "done"),
        ("COMPLETED_WITH_ERRORS", "done"),
        ("SucceededWithFailures", "done"),
        ("ImageGenerated", "done"),
        ("SUCCESSFULLY", "done"),
        ("submitted successfully", "queued"),
        ("waiting for a GPU", "queued"),
        ("still running", "painting"),
        ("not completed", "unknown"),
        ("incomplete", "unknown"),
        ("failed to complete", "failed"),
        ("Terminated", "failed"),
        ("Unsuccessful", "failed"),
        ("EXCEPTION", "failed"),
        ("任务超时", "failed"),
        ("not_successful", "unknown"),
        ("ok", "unknown"),
        ("7", "unknown"),
    ],
)
def test_status_of_several_words_is_understood(word: str, status: str) -> None:
    assert read_status(word) == status


@pytest.mark.parametrize("word", ["ok", "100", "dreaming", None])
def test_picture_shown_again_and_again_under_an_unknown_word_is_the_result(
    shell: Shells, word: str | None
) -> None:
    poll = {"task_id": "t", "result_url": URL, **({"status": word} if word else {})}
    assert plays(shell, {"task_id": "t", "status": "QUEUED"}, poll) == [RED]


def test_picture_that_is_shown_while_it_is_painted_is_none_yet(shell: Shells) -> None:
    early = {"task_id": "t", "status": "RUNNING", "result_url": INPUT}
    queued = {"task_id": "t", "status": "QUEUED"}
    assert plays(shell, queued, *[early] * 40, {"status": "SUCCESS", "result_url": URL}) == [RED]


@pytest.mark.parametrize(
    "end",
    [{"progress": 100}, {"progress": "100%"}, {"progress": 1.0}, {"finished_at": "2026-11-27"}],
    ids=str,
)
@pytest.mark.parametrize("word", ["RUNNING", "processing", "queued"])
def test_whole_list_of_a_task_that_is_at_its_end_is_the_result(
    shell: Shells, word: str, end: dict[str, Any]
) -> None:
    poll = {"task_id": "t", "status": word, "data": [{"url": URL}], **end}
    assert plays(shell, {"task_id": "t", "status": "QUEUED"}, poll) == [RED]


@pytest.mark.parametrize(
    "shown",
    [
        {"progress": 100, "result_url": INPUT},
        {"progress": 100, "previews": [{"url": INPUT}]},
        {"progress": 99, "data": [{"url": INPUT}]},
        {"progress": 1, "data": [{"url": INPUT}]},
        {"finished_at": None, "finish_time": 0, "data": [{"url": INPUT}]},
    ],
    ids=str,
)
def test_what_is_shown_before_the_end_is_no_result(shell: Shells, shown: dict[str, Any]) -> None:
    queued, early = {"task_id": "t", "status": "QUEUED"}, {"status": "RUNNING", **shown}
    assert plays(shell, queued, *[early] * 40, {"status": "SUCCESS", "result_url": URL}) == [RED]


@pytest.mark.parametrize(
    "flag",
    [{name: no} for name in ("completed", "isFinished", "is_done") for no in (False, 0)],
    ids=str,
)
def test_flag_that_a_task_is_not_over_makes_its_list_a_draft(
    shell: Shells, flag: dict[str, Any]
) -> None:
    early = {"task_id": "t", **flag, "images": [INPUT]}
    done = {"task_id": "t", **dict.fromkeys(flag, True), "images": [URL]}
    assert plays(shell, {"task_id": "t"}, *[early] * 9, done) == [RED]


def test_picture_that_is_shown_for_a_moment_at_100_percent_is_none_yet(shell: Shells) -> None:
    queued = {"task_id": "t", "status": "QUEUED"}
    early = {"status": "finalizing", "progress": 100, "data": [{"url": INPUT}]}
    assert plays(shell, queued, *[early] * 3, {"status": "SUCCESS", "result_url": URL}) == [RED]


def test_failed_task_that_shows_pictures_keeps_its_answer(shell: Shells) -> None:
    with pytest.raises(TaskFailedError) as caught:
        plays(shell, {"task_id": "t"}, {"status": "FAILED", "msg": "late", "result_url": URL})
    assert URL.encode() in (caught.value.answer or b"")
    assert "new request" not in caught.value.advice


@pytest.mark.parametrize("status", [200, 400, 500])
def test_pictures_that_a_failed_task_lists_are_taken(shell: Shells, status: int) -> None:
    body = {"id": "t", "status": "FAILED", "data": [{"url": URL}], "error": {"message": "late"}}
    script = Script({"task_id": "t"}, Answer(body, status=status), RED)
    found = shell(transport=script).generate("a fox", n=2)
    assert found.good[0].data == RED
    assert [item.error.message for item in found.failed if item.error] == ["The task failed: late."]
    assert found.notes == (LEFT_BEHIND,)


def test_advice_of_a_refusal_stays_beside_what_a_failed_task_shows(shell: Shells) -> None:
    refused = {"code": "content_policy_violation", "message": "the prompt is not allowed"}
    body = {"id": "t", "status": "FAILED", "result_url": URL, "error": refused}
    with pytest.raises(ModerationError) as caught:
        plays(shell, {"task_id": "t"}, body)
    assert caught.value.advice == ModerationError.default_advice


def test_inputs_that_a_failed_edit_lists_are_no_pictures(shell: Shells) -> None:
    body = {"id": "t", "status": "FAILED", "images": [URL], "error": {"message": "late"}}
    with pytest.raises(TaskFailedError, match="late"):
        plays(shell, {"task_id": "t"}, body, image=[RED], size="same")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"errors": {"size": ["too small", "no number"]}}, "size: too small, no number"),
        ({"errors": {"prompt": "too long"}}, "prompt: too long"),
        ({"message": {"zh": "太大", "en": "too big"}}, "too big"),
        ([{"message": "too big"}], "too big"),
        ({"Code": "X", "Message": "too big"}, "too big"),
        ({"resultCode": 3, "resultMsg": "too big"}, "too big"),
        ({"ResponseMetadata": {"Error": {"Code": "X", "Message": "too big"}}}, "too big"),
        ({"error": {"details": [{"message": "too big"}]}}, "too big"),
        ({"status": "error", "info": "too big"}, "too big"),
        ({"fault": {"faultstring": "too big", "detail": {"errorcode": "X.y"}}}, "too big"),
    ],
    ids=str,
)
def test_reason_is_found_in_any_envelope(shell: Shells, body: Any, reason: str) -> None:
    with pytest.raises(OpeaiError, match=reason):
        plays(shell, Answer(body, status=400))


@pytest.mark.parametrize(
    "body",
    [
        {"Response": {"Error": {"Code": "X", "Message": "too big"}, "RequestId": "r"}},
        {"base_resp": {"status_code": 1004, "status_msg": "too big"}},
        {"errcode": 40001, "errmsg": "too big"},
        {"status": "fail", "message": "too big"},
        {"success": "false", "errorMsg": "too big"},
    ],
    ids=str,
)
def test_refusal_with_http_200_is_one(shell: Shells, body: Any) -> None:
    with pytest.raises(OpeaiError, match="too big") as caught:
        plays(shell, body)
    assert not isinstance(caught.value, UnreadableAnswerError)


@pytest.mark.parametrize(
    "fields",
    [
        {"failure": {"message": "limit hit"}},
        {"cause": "limit hit"},
        {"info": {"error": "limit hit"}},
        {"message": "success", "result": {"errorMsg": "limit hit"}},
        {"fail_reason": '{"error": {"message": "limit hit"}}'},
        {"details": {"reason": "limit hit"}},
    ],
    ids=str,
)
def test_reason_of_a_task_is_found_under_any_name(shell: Shells, fields: Any) -> None:
    with pytest.raises(TaskFailedError, match="The task failed: limit hit"):
        plays(shell, {"task_id": "t"}, {"code": 0, "msg": "SUCCEED", "status": "failed", **fields})


@pytest.mark.parametrize("body", [B64.encode(), b"data:image/png;base64," + B64.encode()])
def test_store_that_serves_base64_serves_a_picture(shell: Shells, body: bytes) -> None:
    script = Script(Answer({"data": [{"url": URL}]}), body)
    assert [picture.data for picture in shell(transport=script).generate("a fox").good] == [RED]


def test_path_of_a_servers_own_drive_is_told(shell: Shells) -> None:
    script = Script(Answer({"data": [{"url": r"C:\out\fox.png"}]}))
    with pytest.raises(DownloadError, match="b64_json"):
        shell(transport=script).generate("a fox")
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"b'{B64}'",
        "\\r\\n".join(B64[start : start + 76] for start in range(0, len(B64), 76)),
        f"base64:{B64}",
        "data:image/png;base64," * 3 + B64,
        B64.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        "data%3Aimage/png;base64,".replace("%3A", ":") + B64.replace("/", "%2f"),
    ],
    ids=lambda text: text[:24],
)
@pytest.mark.parametrize("chunk", [None, 7])
def test_base64_in_odd_clothes_is_read(shell: Shells, text: str, chunk: int | None) -> None:
    assert plays(shell, Answer({"data": [{"b64_json": text}]}, chunk=chunk)) == [RED]


def test_url_that_is_escaped_once_too_often_is_one(shell: Shells) -> None:
    assert plays(shell, {"data": [{"url": URL.replace("/", "\\/")}]}) == [RED]


def test_url_beside_bytes_that_are_no_picture_wins(shell: Shells) -> None:
    item = {"b64_json": b64encode(b"expired").decode(), "url": URL}
    assert plays(shell, {"data": [item]}) == [RED]


@pytest.mark.parametrize("name", ["img_url", "images", "input_images", "reference_images"])
def test_result_wins_over_what_may_be_an_input(shell: Shells, name: str) -> None:
    body = {"status": "SUCCESS", name: [INPUT], "result_url": URL}
    assert plays(shell, {"task_id": "t"}, body, image=BLUE) == [RED]
    assert plays(shell, {name: [INPUT], "result_url": URL}, image=BLUE) == [RED]


@pytest.mark.parametrize(
    ("before", "after"),
    [("callback(", ");"), ("```json\n", "\n```"), ("INFO: ready\nINFO: done\n", ""), ("\n \n", "")],
)
def test_json_with_something_around_it_is_read(shell: Shells, before: str, after: str) -> None:
    body = f"{before}{json.dumps(DONE)}{after}"
    assert plays(shell, Answer(body.encode())) == [RED]


@pytest.mark.parametrize(
    ("packer", "label"),
    [
        ("gzip", "br"),
        ("gzip", "utf-8"),
        ("gzip", "gzip;q=1.0"),
        ("gzip", ""),
        ("zstandard", "gzip"),
        ("zstandard", "deflate"),
    ],
)
def test_bytes_say_how_they_are_packed_before_their_label(
    shell: Shells, packer: str, label: str
) -> None:
    body = import_module(packer).compress(json.dumps(DONE).encode())
    answer = Answer(body, headers={"Content-Encoding": label}, chunk=100)
    assert plays(shell, answer) == [RED]


def test_body_that_is_packed_twice_under_one_label_is_read(shell: Shells) -> None:
    body = gzip.compress(gzip.compress(json.dumps(DONE).encode()))
    assert plays(shell, Answer(body, headers={"Content-Encoding": "gzip"}, chunk=100)) == [RED]


@pytest.mark.parametrize("label", ["br", "zstd", "gzip", "deflate"])
def test_what_cannot_be_unpacked_is_kept_to_its_last_byte(shell: Shells, label: str) -> None:
    body = b"\x07\x01junk" * 3000
    with pytest.raises(OutcomeUnknownError) as caught:
        plays(shell, Answer(body, headers={"Content-Encoding": label}, chunk=700))
    assert caught.value.answer == body


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>'
TEXTS = {
    f"data:image/svg+xml,{quote(SVG)}": SVG,
    f"data:image/svg+xml;charset=utf-8,{quote(SVG, safe='<>=/ ')}": SVG,
    f"data:image/svg+xml;utf8,{SVG.decode()}": SVG,
    f"data:image/png,{quote(RED)}": RED,
    SVG.decode(): SVG,
}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:30])
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"data": [{"url": text}]},
        lambda text: {"data": [{"b64_json": text}]},
        lambda text: {"images": [text]},
        lambda text: {"choices": [{"message": {"content": text}}]},
    ],
)
def test_picture_needs_no_base64(
    shell: Shells, text: str, place: Callable[[str], dict[str, Any]]
) -> None:
    assert plays(shell, place(text)) == [TEXTS[text]]


@pytest.mark.parametrize(
    "form",
    [
        {"status": "ok", "url": URL},
        {"code": "0", "data": json.dumps([{"url": URL}])},
        {"b64_json": B64},
        {"task_id": "t1", "status": "queued"},
    ],
    ids=str,
)
def test_form_is_read(shell: Shells, form: dict[str, str]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert plays(shell, Answer(urlencode(form).encode(), headers=headers), DONE) == [RED]


def test_text_with_an_equals_sign_is_no_form(shell: Shells) -> None:
    with pytest.raises(UnreadableAnswerError, match="is not JSON; it begins: 'x = 1 & y'"):
        shell(Answer(b"x = 1 & y")).generate("a fox")


@pytest.mark.parametrize(
    "body",
    [
        f'<?xml version="1.0"?><r xmlns="http://n.test/"><Code>0</Code><Url>{URL}</Url></r>',
        f"<ns:Result><ns:ImageUrl type='x'>\n<![CDATA[{URL}]]></ns:ImageUrl></ns:Result>",
        f"<r><InputUrl>{INPUT}</InputUrl><Preview>{INPUT}</Preview><Image>{URL}</Image></r>",
    ],
)
def test_picture_that_xml_names_is_taken_as_a_guess(shell: Shells, body: str) -> None:
    assert plays(shell, Answer(body.encode())) == [RED]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<Error><Code>x</Code><Message>Denied</Message></Error>", "is XML, not JSON; it says: 'D"),
        (f"<r><CallbackUrl>{URL}</CallbackUrl><Docs>{URL}</Docs></r>", "is XML, not JSON"),
        (f'<html><head/><body><img src="{URL}"></body></html>', "is a page: it has no words"),
        ('{"data": [{"url": undefined}]}', "is JSON that is broken"),
        ("PK\3\4\0\1\2", "is no text, and no picture of a known format"),
        (f"<!DOCTYPE html><p>Log in</p><a>{URL}</a>", "is not JSON; it begins: 'Log in'"),
        (
            "<meta http-equiv=refresh content=\"0; URL='/login'\">",
            "is a page: it redirects to /login",
        ),
    ],
)
def test_page_in_place_of_an_answer_is_told_and_kept(shell: Shells, body: str, told: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=told) as caught:
        plays(shell, Answer(body.encode()))
    assert caught.value.answer == body.encode()
    assert ("OPEAI_BASE_URL" in str(caught.value)) == (body[0] != "{")


@pytest.mark.parametrize("task_id", ["task_8f3a9c77d2", "0385dc79-5ff8-4d82-bcb6-7d4d0f3ad5c1"])
@pytest.mark.parametrize("form", ["{}", '"{}"', "{}\n"])
def test_answer_that_is_an_id_alone_is_a_task(shell: Shells, task_id: str, form: str) -> None:
    script = Script(Answer(form.format(task_id).encode()), Answer(DONE))
    generation = shell(transport=script).generate("a fox")
    assert (generation.task_id, generation.pictures[0].data) == (task_id, RED)
    assert len(script.posts) == 1


@pytest.mark.parametrize("text", ["task_queued", "OK 200", "task 17 is queued", "1234"])
def test_text_that_is_no_id_is_no_task(shell: Shells, text: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        shell(transport=Script(Answer(text.encode()))).generate("a fox")


@pytest.mark.parametrize("name", ["Pictures", "CANDIDATES", "Assets", "Generations"])
def test_list_with_a_capital_is_no_guess(shell: Shells, name: str) -> None:
    script = Script(Answer({name: [{"image": {"url": URL}}, {"url": INPUT}]}), RED, BLUE)
    generation = shell(transport=script).generate("a fox", n=2)
    assert ([p.url for p in generation.pictures], generation.notes) == ([URL, INPUT], ())


ID = "c0ffee1234"
IDS: list[dict[str, Any]] = [
    *({name: ID} for name in ("task_id", "taskId", "id", "job_id", "ID", "uuid", "request_id")),
    *({name: ID} for name in ("ticket", "order_no", "process_id", "hash", "task", "generateUuid")),
    *({"id": 12345}, {"task_id": 739261633651961}, {"name": f"operations/{ID}"}),
    *({"poll_url": f"/v1/x/{ID}"}, {"id": ID, "urls": {"get": f"https://platform.test/x/{ID}"}}),
]
STATUSES: list[tuple[str, Any, Any]] = [
    *(("status", "queued", "SUCCESS"), ("Status", "in-progress", "Ready")),
    *(("JobStatusMsg", "处理中", "处理完成"), ("phase", "rendering", "succeeded")),
    *(("run_state", "doing", "delivered"), ("done", False, True), ("is_ready", False, True)),
    *(("successFlag", 0, 1), ("progress", "30%", "100%")),
    *(("status", {"code": "running"}, {"code": "succeeded"}), ("state", {"name": "new"}, "done")),
]
RESULTS: list[dict[str, Any]] = [
    *({"data": [{"url": URL}]}, {"result": {"sample": URL}}, {"output": URL}, {"images": [B64]}),
    *({"outputs": [URL]}, {"odd": URL}, {"things": [URL]}, {"thing": {"place": {"at": URL}}}),
    *({"artifacts": [{"base64": B64}]}, {"resultJson": json.dumps({"resultUrls": [URL]})}),
    *({"imageUrl": URL}, {"creations": [{"url": URL, "cover_url": INPUT}]}),
    *({"pictures": {"0": URL}}, {"image_result": [{"url": URL}]}, {"image": {"url": URL}}),
]
ENVELOPES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "none": lambda task: task,
    "data": lambda task: {"code": 0, "message": "success", "data": task},
    "Response": lambda task: {"Response": {**task, "RequestId": "r"}},
    "payload": lambda task: {"header": {"code": 0, "message": "Success"}, "payload": task},
    "a list": lambda task: [task],
    "data in a list": lambda task: {"data": [task]},
    "a text": lambda task: {"code": 200, "data": json.dumps(task)},
    "any name": lambda task: {"reply": task},
    "two": lambda task: {"success": True, "response": {"data": task}},
}


@given(*(st.sampled_from(each) for each in (IDS, STATUSES, RESULTS)), st.sampled_from([*ENVELOPES]))
def test_odd_spellings_are_understood_all_at_once(
    shell: Shells, names: Any, status: tuple[str, Any, Any], result: Any, envelope: str
) -> None:
    wrapped, (name, begun, over) = ENVELOPES[envelope], status
    task = wrapped({**names, name: begun})
    assert plays(shell, task, task, wrapped({**names, name: over, **result})) == [RED]


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("name", ["subject", "controlnet"])
def test_object_beside_a_task_is_no_envelope(shell: Shells, name: str, envelope: str) -> None:
    task = {"id": "t1", "status": "SUCCESS", "output": URL, name: {"image": f"{INPUT}?copy"}}
    assert plays(
        shell, {"task_id": "t1"}, ENVELOPES[envelope](task), image=INPUT, size="1024x1024"
    ) == [RED]


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("name", ["image", "images", "image_url", "url"])
@pytest.mark.parametrize(
    "result", [{"output": URL}, {"odd": URL}, {"result": {"url": URL}}], ids=str
)
def test_input_that_a_task_repeats_from_another_host_is_no_result(
    shell: Shells, name: str, result: Any, envelope: str
) -> None:
    copy = f"{INPUT}?copy=1&x=2"
    task = {"task_id": "t1", name: [copy] if name == "images" else copy}
    begun = ENVELOPES[envelope]({**task, "status": "queued"})
    over = ENVELOPES[envelope]({**task, "status": "SUCCESS", **result})
    fields = {"image": INPUT, "size": "1024x1024"}
    assert plays(shell, begun, over, **fields) == [RED]
    assert plays(shell, {"task_id": "t1"}, begun, over, **fields) == [RED]


def test_picture_that_was_there_before_the_end_stays_where_there_is_no_other(shell: Shells) -> None:
    begun, over = ({"id": "t1", "status": word, "url": URL} for word in ("running", "SUCCESS"))
    assert plays(shell, begun, begun, over) == [RED]
