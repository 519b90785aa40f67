"""Answers in the envelopes of other vendors: each is the picture, by one POST."""

from __future__ import annotations

import gzip
import html
import json
from base64 import b64decode, b64encode, encodebytes
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client.http.content_encoding import unpacker
from opeai_nb.client.values.answer_notes import ECHOED
from opeai_nb.client.values.task import read_status
from opeai_nb.errors import (
    AnswerError,
    DownloadError,
    ModerationError,
    NoPictureError,
    OpeaiError,
    QuotaError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED, BLUE = png(64, 48, (200, 0, 0)), png(8, 8, (0, 0, 200))
LARGE = RED + bytes(range(256)) * 60
# A picture whose end comes late: its halves are long enough to be taken out while they arrive.
RED_LATE = RED[:-12] + b"\0\0\x30\0tEXt" + bytes(0x3000) + b"\0" * 4 + RED[-12:]
B64 = b64encode(RED).decode()
SENT, MADE = b64encode(LARGE).decode(), b64encode(BLUE + LARGE).decode()
URL, OTHER = "https://pictures.test/1.png", "https://pictures.test/other.png"
HERE = "https://platform.test"
DONE = {"status": "SUCCESS", "data": [{"b64_json": B64}]}

pytestmark = pytest.mark.filterwarnings("ignore::opeai_nb.client.AnswerWarning")


def plays(shell: Shells, post: Any, *polls: Any) -> list[bytes | None]:
    """Return what the pictures hold where *polls* answer the questions, the last for ever."""
    left = list(polls)

    def answer(request: httpx.Request) -> Any:
        if request.url.host == "pictures.test":
            return BLUE if "other" in request.url.path else RED
        reply = post if request.method == "POST" else left.pop(0) if len(left) > 1 else left[0]
        return reply if isinstance(reply, Answer) else Answer(reply)

    script = Script(answer)
    generation = shell(transport=script).generate("a fox")
    assert len(script.posts) == 1
    return [picture.data for picture in generation.pictures]


BY_TASK: dict[str, tuple[Any, ...]] = {
    "Tencent": (
        {"Response": {"JobId": "125-x1", "RequestId": "r"}},
        {"Response": {"JobStatusCode": "2", "JobStatusMsg": "处理中", "ResultImage": []}},
        {"Response": {"JobStatusCode": "5", "JobStatusMsg": "处理完成", "ResultImage": [URL]}},
    ),
    "Volcengine": (
        {"ResponseMetadata": {"RequestId": "r"}, "Result": {"TaskId": "t1"}},
        {"ResponseMetadata": {"RequestId": "r"}, "Result": {"Status": "done", "Url": URL}},
    ),
    "fal": (
        {
            "status": "IN_QUEUE",
            "request_id": "r1",
            "response_url": f"{HERE}/fal/r1",
            "status_url": f"{HERE}/fal/r1/status",
        },
        {"status": "COMPLETED", "request_id": "r1", "response_url": f"{HERE}/fal/r1"},
        {"images": [{"url": URL}], "prompt": "a fox"},
    ),
    "Midjourney, queued": (
        {"code": 22, "description": "排队中", "result": "1712204995849323"},
        {"id": "1712204995849323", "status": "SUCCESS", "imageUrl": URL},
    ),
    "Google": (
        {"name": "operations/op-77", "done": False},
        {"name": "operations/op-77", "done": True, "response": {"images": [{"imageBytes": B64}]}},
    ),
    "an envelope of its own": ({"status": "ok", "payload": {"task_id": "t1"}}, DONE),
    "a word for the question": (
        {"status": "ok", "task_id": "t1", "state": "processing"},
        {"status": "success", "task_id": "t1", "task_status": "processing"},
        {"status": "ok", "task_id": "t1", "state": "done", "odd": URL},
    ),
    "a word for the last step": (
        {"status": "queued", "task_id": "t1", "stage": "upload"},
        {"status": "COMPLETED", "task_id": "t1", "stage": "rendering", "odd": URL},
    ),
    "words for a state": (
        {"id": "t1", "generationStatus": "waiting"},
        {"id": "t1", "run_state": "in progress", "odd": OTHER},
        {"id": "t1", "processStatus": "done", "odd": URL},
    ),
    "an id in envelopes without a word": (
        {"code": 1, "reply": {"value": {"ticket": "c0ffee1234"}}},
        DONE,
    ),
    "a list of one with an id of its own": (
        [{"order_no": "c0ffee1234", "state": "processing"}],
        [{"order_no": "c0ffee1234", "state": "delivered", "odd": URL}],
    ),
    "GraphQL": ({"data": {"generateImage": {"id": "g1", "status": "queued"}}}, DONE),
    "ID": ({"ID": "t1", "Status": "queued"}, DONE),
    "Fireworks": ({"request_id": "0b7b-11"}, {"id": "0b7b-11", "status": "Pending"}, DONE),
    "a state of an object, and how far it is": (
        {"task_id": "t1"},
        {"progress": 0.3, "state": {"job": "txt2img"}, "current_image": OTHER},
        DONE,
    ),
    "Vidu": (
        {"task_id": "v1", "state": "created"},
        {"id": "v1", "state": "success", "creations": [{"url": URL, "cover_url": OTHER}]},
    ),
    "an envelope in a list": (
        [{"code": 0, "message": "SUCCEED", "data": {"task_id": "t1", "task_status": "submitted"}}],
        [
            {
                "jsonrpc": "2.0",
                "id": 1,
                "result": {"taskId": "t1", "status": "done", "images": [URL]},
            }
        ],
    ),
    "an envelope in one of a name of its own": (
        {"status": "success", "reply": {"job": {"id": "t1", "state": "queued"}}},
        {"status": "success", "reply": {"job": {"id": "t1", "state": "done", "url": URL}}},
    ),
    "Google, of a publisher": (
        {"name": "projects/p/locations/l/publishers/google/models/m/operations/op-77"},
        {"done": True, "response": {"predictions": [{"bytesBase64Encoded": B64}]}},
    ),
    "tasks under their ids": (
        {"task_id": "t1"},
        {"t0": {"status": "done", "url": OTHER}, "t1": {"status": "running"}},
        {"data": {"t0": {"status": "done", "url": OTHER}, "t1": {"status": "done", "url": URL}}},
    ),
    "a page of its own, and a picture of somebody else's": (
        {"id": "q-9", "status": "queued", "result_url": f"{HERE}/app/q-9"},
        *[{"task_id": "q-9", "promo": OTHER}] * 45,
        {"id": "q-9", "status": "done", "images": [URL]},
    ),
    "Modal, by its whole address": (
        Answer(b"", status=303, headers={"Location": f"{HERE}/?__modal_function_call_id=fc-01"}),
        {"data": [{"url": URL}]},
    ),
    "a redirect to a task, with words beside it": (
        Answer({"message": "accepted"}, status=303, headers={"Location": f"{HERE}/v1/tasks/t1"}),
        DONE,
    ),
    "a success that names its task in a header alone": (
        Answer(b"", headers={"Location": f"http://{HERE[8:]}/v1/tasks/t1"}),
        DONE,
    ),
    "Modal": (
        Answer(b"", status=303, headers={"Location": "/?__modal_function_call_id=fc-01"}),
        Answer(b"", status=303, headers={"Location": "/?__modal_function_call_id=fc-01"}),
        {"data": [{"url": URL}]},
    ),
    "RunPod": (
        {"id": "r-1", "status": "IN_QUEUE"},
        {"id": "r-1", "output": {"message": B64, "status": "success"}, "status": "COMPLETED"},
    ),
    "RunPod, with a store": (
        {"id": "r-1", "status": "IN_QUEUE"},
        {"id": "r-1", "output": {"message": f"{URL}?X-Sig=1"}, "status": "COMPLETED"},
    ),
    "Higgsfield": (
        {"id": "h1", "jobs": [{"id": "j1", "status": "queued"}]},
        {
            "id": "h1",
            "jobs": [
                {
                    "id": "j1",
                    "status": "completed",
                    "results": {"raw": {"url": URL}, "min": {"url": OTHER}},
                }
            ],
        },
    ),
}


@pytest.mark.parametrize("vendor", BY_TASK)
def test_task_of_another_vendor_is_followed_to_its_picture(shell: Shells, vendor: str) -> None:
    assert plays(shell, *BY_TASK[vendor]) == [RED]


@pytest.mark.parametrize(
    "body",
    [
        {"content": [{"type": "image", "source": {"type": "base64", "data": B64}}]},
        {"message": {"role": "assistant", "content": "", "images": [B64]}, "done": True},
        {
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "image_generation_call", "result": B64},
                {"type": "message", "content": []},
            ]
        },
        {"result": [[URL, 1, "0f3a"]]},
        {"data": {"id": "i1", "type": "images", "attributes": {"url": URL}}},
        {"data": {"id": "i", "attributes": {"url": URL}, "links": {"self": f"{HERE}/i"}}},
        {"_embedded": {"images": [{"href": URL}]}, "_links": {"self": {"href": f"{HERE}/i"}}},
        {"Images": [{"Url": URL}]},
        {"Data": {"Image": B64}},
        {"datasource": {"resource": URL}},
        {"header": {"code": 0, "message": "Success"}, "images": [B64]},
        {"error": {"code": "0", "message": "success"}, "images": [B64]},
        {"header": {"code": 0}, "payload": {"choices": {"status": 2, "text": [{"content": B64}]}}},
        {"success": True, "payload": {"images": [{"url": URL}]}},
        {"data": [{"location": URL, "poster": OTHER}]},
        {"hits": {"total": 1, "hits": [{"_id": "1", "_source": {"prompt": "a", "odd": URL}}]}},
    ],
    ids=str,
)
def test_answer_of_another_vendor_is_its_picture_alone(shell: Shells, body: Any) -> None:
    assert plays(shell, body, body) == [RED]


@pytest.mark.parametrize(
    "name",
    [
        *("image_result", "sub_task_results", "imageResultList", "generated", "final_output"),
        *("model_outputs", "inferenceResult", "image-outputs"),
    ],
)
@pytest.mark.parametrize("items", [[{"url": URL}], {"url": URL}, [URL]], ids=str)
def test_name_that_ends_as_a_result_holds_it(shell: Shells, name: str, items: Any) -> None:
    done = {"task_status": "SUCCESS", "id": "8353992", name: items}
    for play in ([done, done], [{"id": "8353992", "task_status": "PROCESSING"}, done]):
        script = Script(
            lambda sent, play=play: RED if ".png" in sent.url.path else Answer(play.pop(0))
        )
        generation = shell(transport=script).generate("a fox")
        assert ([p.data for p in generation.pictures], generation.notes) == ([RED], ())


@pytest.mark.parametrize("name", ["input_results", "preview_output", "error_result", "mask_images"])
def test_name_of_an_input_or_a_draft_holds_none(shell: Shells, name: str) -> None:
    with pytest.raises(OpeaiError):
        plays(shell, {"task_status": "SUCCESS", "id": "1", name: [{"url": URL}]}, {})


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"artifacts": [{"base64": B64, "finishReason": "CONTENT_FILTERED"}]}, "CONTENT_FILTERED"),
        ({"image": B64, "finish_reason": "CONTENT_FILTERED", "seed": 1}, "CONTENT_FILTERED"),
        ({"images": [{"url": URL}], "has_nsfw_concepts": [True]}, "has_nsfw_concepts"),
        ({"artifacts": [{"base64": B64, "finishReason": "SUCCESS"}]}, ""),
        ({"images": [{"url": URL}], "has_nsfw_concepts": [False], "nsfw": None}, ""),
    ],
)
def test_picture_that_was_filtered_is_told_so(shell: Shells, body: Any, word: str) -> None:
    generation = shell(transport=Script(Answer(body), RED)).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]
    assert [word] * bool(word) == [note.split("'")[1] for note in generation.notes]
    assert generation.answer is None


@pytest.mark.parametrize("is_task", [False, True])
@pytest.mark.parametrize("word", ["SUCCESS", "CONTENT_FILTERED"])
def test_headers_beside_a_picture_alone_tell_that_it_was_filtered(
    shell: Shells, word: str, is_task: bool
) -> None:
    headers = {"Content-Type": "image/png", "finish-reason": word, "seed": "1"}
    first = [Answer({"task_id": "t", "status": "queued"})] if is_task else []
    script = Script(*first, Answer(RED, headers=headers))
    generation = shell(transport=script).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]
    assert any(word in note for note in generation.notes) == (word == "CONTENT_FILTERED")


@pytest.mark.parametrize(
    "end",
    [
        {"status": "COMPLETED", "request_id": "r1", "error": "boom", "response_url": f"{HERE}/r1"},
        {"name": "operations/r1", "done": True, "error": {"code": 3, "message": "boom"}},
        {"id": "r1", "status": "finished", "output": None, "error": {"message": "boom"}},
    ],
    ids=["fal", "Google", "a word"],
)
def test_task_that_is_over_with_an_error_has_failed(shell: Shells, end: Any) -> None:
    script = Script(lambda sent: {"task_id": "r1"} if sent.method == "POST" else Answer(end))
    with pytest.raises(TaskFailedError, match="boom"):
        shell(transport=script).generate("a fox")
    assert len(script.requests) == 2


def test_error_beside_a_word_of_success_for_the_question_is_waited_out(shell: Shells) -> None:
    passing = {"status": "success", "error": {"message": "busy"}}
    assert plays(shell, {"task_id": "t"}, *[passing] * 3, DONE) == [RED]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("image generation involves sensitive content", ModerationError),
        ("insufficient balance", QuotaError),
    ],
)
def test_refusal_whose_reason_is_known_is_one_beside_an_id(
    shell: Shells, text: str, kind: type[OpeaiError]
) -> None:
    head = {"status_code": 1026, "status_msg": text}
    with pytest.raises(kind, match=text):
        plays(shell, {"id": "03ff3cd0820949eb8a41", "data": None, "base_resp": head})


@pytest.mark.parametrize("inside", ["http://localhost:8000", "http://api.internal", "//10.0.0.7"])
@pytest.mark.parametrize("name", ["status_url", "Location"])
def test_task_is_asked_about_where_its_server_is_reached_whatever_it_calls_itself(
    shell: Shells, inside: str, name: str
) -> None:
    link = f"{inside}/jobs/t1?full=1"
    first = {"id": "t1", "status": "queued", "status_url": link}
    post = Answer(b"", status=202, headers={name: link}) if name == "Location" else Answer(first)
    places = {f"{HERE}/jobs/t1?full=1": Answer(DONE)}
    script = Script(
        lambda sent: post if sent.method == "POST" else places.get(str(sent.url), refuses(404))
    )
    generation = shell(transport=script).generate("a fox")
    assert [picture.data for picture in generation.pictures] == [RED]
    assert {request.url.host for request in script.requests} == {"platform.test"}
    assert len(script.posts) == 1


@pytest.mark.parametrize("name", ["data", "images", "result", "pictures"])
def test_object_by_numbers_is_a_list_whatever_it_is_called(shell: Shells, name: str) -> None:
    assert plays(shell, {name: {"0": {"url": URL}, "1": {"url": OTHER}}}) == [RED, BLUE]


@pytest.mark.parametrize("fence", ["```json\n%s\n```", "```\n%s```\n", " ```json %s```"])
def test_json_in_a_fence_of_markdown_is_read(shell: Shells, fence: str) -> None:
    text = fence % json.dumps({"predictions": [{"bytesBase64Encoded": B64}]})
    assert plays(shell, {"choices": [{"message": {"content": text}}]}) == [RED]
    assert plays(shell, {"output": text}) == [RED]


@pytest.mark.parametrize("picture", [URL, f"data:image/png;base64,{B64}", B64])
def test_draft_that_json_in_a_chat_names_is_none(shell: Shells, picture: str) -> None:
    draft = OTHER if picture == URL else b64encode(BLUE).decode()
    shown = {"thumbnail": draft, "path": "/tmp/1.png", "image": {"file": picture}}
    for text in (json.dumps(shown), f"```json\n{json.dumps([shown])}\n```"):
        assert plays(shell, {"choices": [{"message": {"content": text}}]}) == [RED]
    with pytest.raises(NoPictureError):
        plays(shell, {"choices": [{"message": {"content": json.dumps({"thumbnail": draft})}}]})


def test_several_texts_under_one_name_are_as_many_pictures(shell: Shells) -> None:
    item = {"b64_json": [B64, b64encode(BLUE).decode()]}
    assert plays(shell, {"data": [item]}) == [RED, BLUE]


@pytest.mark.parametrize("name", ["data", "content", "value", "output", "result"])
def test_list_inside_the_one_item_of_a_list_is_read_to_its_end(shell: Shells, name: str) -> None:
    items = [{"url": f"{URL}?small", "type": "thumbnail"}, {"b64_json": B64}, {"url": OTHER}]
    for body in ([{name: items}], {"items": [{name: items}]}):
        assert plays(shell, body) == [RED, BLUE]


def test_guess_at_the_picture_of_a_finished_task_is_told(shell: Shells) -> None:
    script = Script(
        Answer({"task_id": "t"}), Answer({"status": "SUCCESS", "odd": {"place": URL}}), RED
    )
    generation = shell(transport=script).generate("a fox")
    assert "seemed to be" in generation.notes[0]


@pytest.mark.parametrize("word", ["failed_retrying", "no error", "not failed", "error_retry"])
def test_word_that_speaks_of_failure_and_goes_on_is_waited_out(shell: Shells, word: str) -> None:
    assert read_status(word) == "unknown"
    assert plays(shell, {"task_id": "t"}, *[{"status": word}] * 9, DONE) == [RED]


@pytest.mark.parametrize("picture", [RED, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    "write",
    [
        lambda data: {"data": [{"b64_json": data.hex()}]},
        lambda data: {"data": [{"image": "0x" + data.hex().upper()}]},
        lambda data: {"images": [data.hex()]},
        lambda data: {"data": [{"image": list(data)}]},
        lambda data: {"data": [{"image": [byte - 256 * (byte > 127) for byte in data]}]},
        lambda data: {"data": [{"b64_json": {"type": "Buffer", "data": list(data)}}]},
        lambda data: {"images": [{"type": "Buffer", "data": list(data)}]},
        lambda data: {"image": {str(place): byte for place, byte in enumerate(data)}},
        lambda data: {"data": [{"b64_json": b64encode(b64encode(data)).decode()}]},
        lambda data: {"image": b64encode(b"data:image/png;base64," + b64encode(data)).decode()},
    ],
)
@pytest.mark.parametrize("chunk", [None, 997])
def test_picture_written_in_another_way_than_base64_is_read(
    shell: Shells, picture: bytes, write: Callable[[bytes], Any], chunk: int | None
) -> None:
    assert plays(shell, Answer(write(picture), chunk=chunk)) == [picture]


def test_picture_of_many_numbers_is_read(shell: Shells) -> None:
    picture = RED + bytes(150_000)  # more values than any other answer may have
    assert plays(shell, Answer({"image": list(picture)}, chunk=65_536)) == [picture]


@pytest.mark.parametrize("numbers", [[137, 80, 78, 71, 999], [137, 80, 1, 2] * 9])
def test_numbers_that_are_no_picture_are_kept(shell: Shells, numbers: list[int]) -> None:
    body = {"data": [{"image": numbers}]}
    with pytest.raises(OpeaiError) as caught:
        plays(shell, body)
    assert caught.value.answer == Answer(body).content


@pytest.mark.parametrize(
    "body",
    [
        repr({"created": 1, "data": [{"b64_json": B64, "url": None, "ok": True}]}),
        repr({"data": ({"b64_json": B64.encode(), 1: None, None: {2}},)}),
        f"<html><body><pre>{json.dumps(DONE)}</pre></body></html>",
        f"<html><body><pre>{html.escape(json.dumps(DONE))}</pre></body></html>",
        f"<br />\n<b>Warning</b>: foo in <b>/x.php</b> on line <b>3</b><br />\n{json.dumps(DONE)}",
        f"[info] done\n{json.dumps(DONE)}",
        f"OK {json.dumps(DONE)}",
        f"\x1e{json.dumps(DONE)}\n",
        f"--x\r\nContent-Type: application/json\r\n\r\n{json.dumps(DONE)}\r\n--x--",
        *(json.dumps(DONE).encode(charset) for charset in ("utf-16-le", "utf-16-be", "utf-32")),
        B64,
        f"  data:image/png;base64,{B64}\n",
        *(b64encode(json.dumps(DONE, indent=indent).encode()) + b"\n" for indent in (None, 1)),
        encodebytes(json.dumps(DONE).encode()),
        json.dumps(b64encode(json.dumps([DONE]).encode()).decode()),
    ],
    ids=lambda body: str(body[:20]),
)
def test_body_that_is_no_bare_json_is_read(shell: Shells, body: str | bytes) -> None:
    assert plays(shell, Answer(body if isinstance(body, bytes) else body.encode())) == [RED]


@pytest.mark.parametrize(
    "body",
    [
        f"<html><script>var settings = {json.dumps(DONE)};</script></html>",
        f'<html><style>p {{}}</style><img src="{URL}"></html>',
        "{data:[{b64_json:'x'}]}",
        repr({"data": {1: {2: "x"}}}),
        repr({(1, 2): "x", b"data": []}),
        f'\'{{"callback": "{OTHER}", "url": "{URL}"\'',
    ],
)
def test_page_is_kept_whatever_stands_in_its_scripts(shell: Shells, body: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        plays(shell, Answer(body.encode()))
    assert caught.value.answer == body.encode()


def test_body_in_base64_is_kept_as_it_came(shell: Shells) -> None:
    body = b64encode(json.dumps({"odd": "e"}).encode())
    with pytest.raises(UnreadableAnswerError) as caught:
        plays(shell, Answer(body))
    assert caught.value.answer == body


def test_what_is_quoted_of_a_body_is_the_same_each_time(shell: Shells) -> None:
    body = b'so: "' + b64encode(LARGE) + b'"'
    told = set()
    for _ in range(2):
        with pytest.raises(UnreadableAnswerError) as caught:
            plays(shell, Answer(body))
        told.add(str(caught.value))
    assert len(told) == 1


@pytest.mark.parametrize("lost", [1, 8])
def test_packed_body_that_lacks_its_sum_alone_is_read(shell: Shells, lost: int) -> None:
    body = gzip.compress(json.dumps(DONE).encode())[:-lost]
    assert plays(shell, Answer(body, headers={"Content-Encoding": "gzip"}, chunk=50)) == [RED]


def refuses(status: int, body: Any = b"no") -> Any:
    return Answer(body, status=status)


@pytest.mark.parametrize("is_task", [False, True], ids=["at once", "by a task"])
@pytest.mark.parametrize(
    "there", [refuses(404), refuses(500), refuses(200, b"<p>Log in</p>"), refuses(200, {"a": 1})]
)
def test_answer_whose_picture_does_not_come_is_kept(
    shell: Shells, there: Any, is_task: bool
) -> None:
    body = {"data": [{"url": URL}], "status": "SUCCESS", "full_size": OTHER}
    first = [Answer({"task_id": "t"})] if is_task else []
    script = Script(*first, Answer(body), there, there, there, there)
    with pytest.raises(DownloadError) as caught:
        shell(transport=script).generate("a fox")
    assert caught.value.answer == Answer(body).content
    assert len(script.posts) == 1


@pytest.mark.parametrize("item", [{"url": "", "b64_json": ""}, {"message": "no luck"}], ids=str)
def test_task_that_brings_no_picture_has_its_answer_kept(shell: Shells, item: Any) -> None:
    done = {"status": "SUCCESS", "data": [item]}
    script = Script(lambda sent: {"task_id": "t"} if sent.method == "POST" else Answer(done))
    with pytest.raises(OpeaiError) as caught:
        shell(transport=script).generate("a fox")
    assert caught.value.answer == Answer(done).content


def test_answer_whose_pictures_all_come_is_not_held(shell: Shells) -> None:
    script = Script(Answer({"data": [{"url": URL}]}), RED)
    assert shell(transport=script).generate("a fox").answer is None


@pytest.mark.parametrize(
    "body",
    [
        {"code": 31, "message": "something is up", "result": "1712204995849323"},
        {"code": "E7", "message": "come back later", "data": {"ticket": "ab12"}},
    ],
)
def test_code_that_nobody_knows_beside_an_id_is_kept(shell: Shells, body: Any) -> None:
    with pytest.raises(UnreadableAnswerError, match="may be the id of a task") as caught:
        plays(shell, body)
    assert caught.value.answer == Answer(body).content


def test_refusal_with_a_number_of_its_own_is_a_refusal(shell: Shells) -> None:
    with pytest.raises(AnswerError, match="refused: too large"):
        plays(shell, {"errno": 17, "code": 400, "message": "too large", "request_id": "ab12"})


def test_word_of_success_for_the_question_alone_does_not_end_the_wait(shell: Shells) -> None:
    empty = {"status": "success", "message": "", "data": None}
    assert plays(shell, {"task_id": "t"}, *[empty] * 4, {"status": "running"}, DONE) == [RED]


def test_empty_list_without_a_status_does_not_end_the_wait(shell: Shells) -> None:
    assert plays(shell, {"task_id": "t"}, *[[], {"data": []}] * 4, DONE) == [RED]


def test_answer_that_only_repeats_the_input_says_so(shell: Shells) -> None:
    script = Script(Answer({"data": [{"b64_json": B64}]}))
    with pytest.raises(NoPictureError, match="repeats the input picture") as caught:
        shell(transport=script).generate("a fox", image=RED, size="1024x1024")
    assert caught.value.answer == Answer({"data": [{"b64_json": B64}]}).content


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize(
    ("cuts", "data"),
    [((40,), RED), ((41,), RED), ((40, 80), RED), ((8000,), RED_LATE), ((7200, 9000), RED_LATE)],
    ids=["text", "text cut anywhere", "three texts", "long", "three long"],
)
def test_pieces_of_one_picture_in_a_list_are_one(
    shell: Shells, tmp_path: Path, cuts: tuple[int, ...], data: bytes, into: bool
) -> None:
    text = b64encode(data).decode()
    pieces = [text[a:b] for a, b in pairwise((0, *cuts, len(text)))]
    client = shell(transport=Script(Answer({"data": [{"b64_json": pieces}]})))
    generation = client.generate("a fox", into=tmp_path if into else None)
    assert [picture.data for picture in generation.pictures] == [data]


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize("more", [{}, {"seed": 7}], ids=["documented", "strange"])
@pytest.mark.parametrize("data", [RED, RED_LATE], ids=["text", "long"])
def test_bytes_that_end_in_the_middle_are_left_for_the_url_beside_them(
    shell: Shells, tmp_path: Path, data: bytes, more: dict[str, int], into: bool
) -> None:
    half = b64encode(data[: len(data) * 2 // 3]).decode()
    script = Script(Answer({"data": [{"b64_json": half, "url": URL, **more}]}), data)
    generation = shell(transport=script).generate("a fox", into=tmp_path if into else None)
    assert [picture.data for picture in generation.pictures] == [data]


@pytest.mark.parametrize(
    "pieces",
    [[B64, B64[40:]], [B64[:40], B64[40:80]], [B64[:40], B64]],
    ids=["the first is whole", "the end is missing", "the second is one"],
)
def test_what_is_no_piece_is_not_joined_and_is_kept(shell: Shells, pieces: list[str]) -> None:
    body = {"data": [{"b64_json": pieces}]}
    generation = shell(transport=Script(Answer(body))).generate("a fox")
    whole = [picture.data for picture in generation.good if picture.data == RED]
    assert whole == [RED] * pieces.count(B64)
    assert len(generation.pictures) == 2
    assert generation.answer == Answer(body).content or len(generation.good) == 2


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"b64_json": SENT}, {"b64_json": MADE}]},
        {"images": [SENT, MADE]},
        {"images": [SENT], "data": [{"b64_json": MADE}]},
        {"odd": {"one": SENT}, "other": {"two": MADE}},
    ],
    ids=["data", "images", "both", "guess"],
)
def test_input_that_an_answer_repeats_beside_its_result_is_none(
    shell: Shells, tmp_path: Path, body: Any, into: bool
) -> None:
    client, folder = shell(transport=Script(Answer(body))), tmp_path if into else None
    generation = client.generate("a fox", image=LARGE, size="1024x1024", into=folder)
    assert [picture.data for picture in generation.pictures] == [b64decode(MADE)]


@pytest.mark.parametrize(
    "body", [{"images": [SENT]}, {"odd": {"one": SENT}}], ids=["images", "guess"]
)
def test_input_alone_where_no_result_stands_is_none_in_a_file_either(
    shell: Shells, tmp_path: Path, body: Any
) -> None:
    client = shell(transport=Script(Answer(body)))
    with pytest.raises(OpeaiError) as caught:
        client.generate("a fox", image=LARGE, size="1024x1024", into=tmp_path)
    assert caught.value.answer == Answer(body).content


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize(
    "body", [{"ref": "xk-77", "image": URL}, {"ticket": "xk-77", "url": URL}, [URL]], ids=str
)
def test_input_that_an_answer_shows_under_an_address_of_its_own_is_told(
    shell: Shells, tmp_path: Path, body: Any, into: bool
) -> None:
    script = Script(Answer(body), RED, BLUE)
    folder = tmp_path if into else None
    generation = shell(transport=script).generate("a fox", image=RED, size="1024x1024", into=folder)
    assert ECHOED in generation.notes
    assert generation.answer == Answer(body).content
    assert len(script.posts) == 1


@pytest.mark.parametrize("name", ["imageDataURI", "imageBase64Data", "png", "contents"])
@pytest.mark.parametrize("text", [B64, f"data:image/png;base64,{B64}"], ids=["base64", "data"])
def test_item_that_names_its_task_is_its_picture_under_any_name(
    shell: Shells, name: str, text: str
) -> None:
    generation = shell(
        transport=Script(Answer({"data": [{"taskUUID": "a770-x", name: text}]}))
    ).generate("a fox")
    assert ([p.data for p in generation.pictures], generation.notes) == ([RED], ())


@pytest.mark.parametrize("name", ["controlImage", "faceData"])
def test_bytes_of_no_known_name_are_no_result_of_an_edit(shell: Shells, name: str) -> None:
    body = {"data": [{"taskUUID": "a770-x", name: b64encode(BLUE).decode()}]}
    generation = shell(transport=Script(Answer(body), Answer(DONE))).generate(
        "a fox", image=png(9, 9), size="1024x1024"
    )
    assert [p.data for p in generation.pictures] == [RED]


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "t1", "pngBase64": B64},
        {"task_id": "t1", "asset": {"photo_url": URL}},
        {"data": [{"task_id": "t1", "photo_url": f"{URL}?X-Sig=a%2Bb"}]},
    ],
    ids=str,
)
def test_picture_beside_the_id_of_a_task_that_nobody_knows_is_not_lost(
    shell: Shells, body: Any
) -> None:
    for status in (400, 403, 404, 405):
        lost = Answer({"error": {"message": "no route"}}, status=status)
        assert plays(shell, body, lost) == [RED]
    assert plays(shell, body, DONE | {"odd": OTHER}) == [RED]


@pytest.mark.parametrize("word", ["ok", "running", "queued", "created"])
@pytest.mark.parametrize(
    "body", [{"entity": {"src": URL}}, {"odd": {"bytes": B64}}, {"odd": f"![fox]({URL})"}], ids=str
)
def test_picture_that_a_task_shows_is_taken_once_nobody_knows_it(
    shell: Shells, word: str, body: Any
) -> None:
    lost = Answer({"error": {"message": "no route"}}, status=404)
    assert plays(shell, {"task_id": "t1", "status": word, **body}, lost) == [RED]
    assert plays(shell, {"task_id": "t1", "status": word, **body}, {"status": word}, DONE) == [RED]


@pytest.mark.parametrize("name", ["thumbnail", "preview_png", "callback", "logo_url"])
def test_draft_beside_the_id_of_a_task_that_nobody_knows_is_none(shell: Shells, name: str) -> None:
    with pytest.raises(OpeaiError):
        plays(shell, {"task_id": "t1", name: URL}, Answer({"error": "no"}, status=404))


@pytest.mark.parametrize("into", [False, True], ids=["memory", "files"])
@pytest.mark.parametrize("is_task", [False, True], ids=["at once", "by a task"])
@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"url": URL}, {"url": OTHER}]},
        [URL, OTHER],
        {"image": URL, "output": {"image": OTHER}},
        {"before": URL, "after": OTHER},
        {"src": URL, "dst": OTHER},
        {"files": [{"url": URL}], "output_files": [{"url": OTHER}]},
    ],
    ids=str,
)
def test_result_is_found_beside_an_input_at_an_address_of_its_own(
    shell: Shells, tmp_path: Path, body: Any, is_task: bool, into: bool
) -> None:
    first = [Answer({"task_id": "t", "status": "queued"})] if is_task else []
    done = {"status": "SUCCESS", "data": body} if is_task else body
    answers = [*first, Answer(done)]
    pictures = {URL: RED, OTHER: BLUE}
    script = Script(lambda sent: pictures.get(str(sent.url)) or answers.pop(0))
    folder = tmp_path if into else None
    generation = shell(transport=script).generate("a fox", image=RED, size="1024x1024", into=folder)
    assert [picture.data for picture in generation.pictures] == [BLUE]
    assert ECHOED not in generation.notes
    assert len(script.posts) == 1


@pytest.mark.parametrize("body", [{"note": "ready"}, {"status": "QUEUED"}, {"odd": {"x": URL}}])
def test_base_url_is_not_blamed_for_json_that_nobody_reads(shell: Shells, body: Any) -> None:
    script = Script(Answer(body), *[Answer(b"<p>no</p>")] * 9)
    with pytest.raises(OpeaiError) as caught:
        shell(transport=script).generate("a fox")
    assert "OPEAI_BASE_URL" not in str(caught.value)
    assert "error.answer" in str(caught.value)


@pytest.mark.parametrize(
    ("module", "coding", "options"), [("brotli", "br", {"quality": 5}), ("zstandard", "zstd", {})]
)
@pytest.mark.parametrize("chunk", [3, 10_000])
def test_bomb_is_opened_bit_by_bit(
    module: str, coding: str, options: dict[str, int], chunk: int
) -> None:
    size = 16 * 1024 * 1024
    bomb = import_module(module).compress(bytes(size), **options)
    unpack = unpacker(coding, bomb)
    chunks = [bomb[start : start + chunk] for start in range(0, len(bomb), chunk)]
    pieces = [len(piece) for part in chunks for piece in unpack(part)]
    assert sum(pieces) == size
    assert max(pieces) <= size // 4
    assert unpack.is_whole
