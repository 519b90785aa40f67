"""Answers as gateways and other vendors write them: understood, or kept whole."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opeai_nb.client import AnswerWarning, Generation, ImageRequest, Task
from opeai_nb.client.http import content_encoding
from opeai_nb.client.protocol.read_submission import reread
from opeai_nb.errors import (
    AnswerError,
    NoPictureError,
    OpeaiError,
    OutcomeUnknownError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.secret import Secret
from opeai_nb.testing import Answer, Script, pictures_answer, png, task_answer
from tests.client.shells import KEY, Shell

Shells = Callable[..., Shell]
RED = png(64, 48, (200, 0, 0))
BLUE = png(48, 64, (0, 0, 200))
LARGE = png(64, 48) + bytes(range(256)) * 40
B64 = b64encode(RED).decode()
URL = "https://pictures.test/1.png"
DATA = f"data:image/png;base64,{B64}"
OK = {"data": [{"b64_json": B64}]}


def data_of(generation: Generation) -> list[bytes | None]:
    return [picture.data for picture in generation.pictures]


def by_method(post: Any, *gets: Any) -> Callable[[Any], Any]:
    """Return a plan: one answer to the POST, then these to the GETs, the last again and again."""
    queue = list(gets)

    def plan(request: Any) -> Any:
        if request.method == "POST":
            return post
        if request.url.host == "pictures.test":
            return RED
        return queue.pop(0) if len(queue) > 1 else queue[0]

    return plan


class TestPicturesUnderAnyName:
    @pytest.mark.parametrize(
        "body",
        [
            {"code": 10000, "message": "Success", "data": {"images": [{"b64_json": B64}]}},
            {"code": 201, "msg": "created", "data": [{"b64Json": B64}]},
            {"artifacts": [{"base64": B64, "finishReason": "SUCCESS"}]},
            {"predictions": [{"bytesBase64Encoded": B64, "mimeType": "image/png"}]},
            {
                "candidates": [
                    {"content": {"parts": [{"text": "x"}, {"inlineData": {"data": B64}}]}}
                ]
            },
            {"output": [{"type": "image_generation_call", "status": "completed", "result": B64}]},
            {"data": {"binary_data_base64": [B64]}},
            {"data": [{"image": {"data": B64}}]},
            {"data": [{"B64_JSON": B64}]},
            {"imageBase64": B64},
            {"choices": [{"message": {"content": f"![x](data:image/png;base64,{B64})"}}]},
            {
                "choices": [
                    {
                        "message": {
                            "images": [{"image_url": {"url": f"data:image/png;base64,{B64}"}}]
                        }
                    }
                ]
            },
            {"images": {"0": B64}},
            json.dumps(OK),
            {"result": json.dumps(json.dumps(OK))},
        ],
    )
    def test_bytes_are_found(self, shell: Shells, body: Any) -> None:
        script = Script(Answer(json.dumps(body).encode()))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"output": URL},
            {"result": URL},
            {"outputs": [URL]},
            {"data": {"url": [URL]}},
            {"data": {"imageUrls": [URL]}},
            {"result": {"sample": URL}},
            {"data": {"resultJson": json.dumps({"resultUrls": [URL]})}},
            {"data": [{"imageUrl": URL}]},
            {"data": [{"file": {"signedUrl": URL}}]},
            {"data": [{"url": URL, "task_id": "t"}]},
            {"choices": [{"message": {"content": f"Here it is: [![a]({URL})]({URL})"}}]},
            {"choices": [{"message": {"content": f"<img src='{URL}'> done"}}]},
            {"choices": [{"message": {"content": URL}}]},
        ],
    )
    def test_url_is_found(self, shell: Shells, body: Any) -> None:
        script = Script(Answer(body), RED)
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert [str(request.url) for request in script.requests[1:]] == [URL]

    @pytest.mark.parametrize(
        ("url", "path"),
        [
            (f" {URL}\n", "/1.png"),
            (f"<{URL}>", "/1.png"),
            ("files/x.png", "/files/x.png"),
            ("./files/x.png?a=1", "/files/x.png"),
            ("//pictures.test/1.png", "/1.png"),
            ("/images/x.png", "/images/x.png"),
        ],
    )
    def test_oddly_written_url_is_one(self, shell: Shells, url: str, path: str) -> None:
        script = Script(Answer({"data": [{"url": url}]}), RED)
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert script.requests[1].url.path == path

    @pytest.mark.parametrize("picture", [RED, LARGE])
    @pytest.mark.parametrize(
        "spelling",
        [
            lambda text: "data:image/png;base64," * 2 + text,
            lambda text: "data:image/png;base64,image/png;base64," + text,
            lambda text: "base64," + text,
            lambda text: text.replace("+", " "),
            lambda text: text.replace("+", "-").replace("/", "_"),
            lambda text: "\n  ".join(text[i : i + 60] for i in range(0, len(text), 60)),
            lambda text: f" {text} ",
        ],
    )
    def test_oddly_written_base64_is_read(
        self, shell: Shells, picture: bytes, spelling: Callable[[str], str]
    ) -> None:
        text = spelling(b64encode(picture).decode())
        answer = Answer({"data": [{"b64_json": text}]}, chunk=700)
        assert data_of(shell(answer).generate("a fox")) == [picture]

    def test_items_that_name_their_task_are_pictures(self, shell: Shells) -> None:
        items = [{"url": URL, "task_id": "t"}, {"url": URL, "task_id": "t"}]
        assert len(shell(Answer({"data": items}), RED, RED).generate("a fox")) == 2

    def test_body_that_is_the_picture_is_it(self, shell: Shells) -> None:
        answer = Answer(LARGE, headers={"Content-Type": "image/png"}, chunk=100)
        with pytest.warns(AnswerWarning, match="seemed to be"):
            assert data_of(shell(answer).generate("a fox")) == [LARGE]

    def test_last_resort_is_told_as_a_guess(self, shell: Shells) -> None:
        body = {
            "ok": True,
            "weird": {"place": URL, "thumbnail": f"{URL}?t", "callback": f"{URL}?c"},
        }
        script = Script(Answer(body), RED)
        with pytest.warns(AnswerWarning, match="seemed to be"):
            generation = shell(transport=script).generate("a fox")
        assert data_of(generation) == [RED]
        assert [str(request.url) for request in script.requests[1:]] == [URL]
        assert "seemed to be" in generation.notes[0]

    def test_last_resort_that_is_no_picture_is_none(self, shell: Shells) -> None:
        body = {"ok": True, "weird": {"place": URL}}
        with pytest.raises(UnreadableAnswerError, match="might be is none") as caught:
            shell(Answer(body), "<html>it is only a page</html>").generate("a fox")
        assert caught.value.answer == Answer(body).content


class TestEchoes:
    def test_result_beside_the_inputs_wins(self, shell: Shells) -> None:
        done = {"status": "SUCCESS", "images": [f"{URL}?in"], "result_url": URL}
        script = Script(by_method(task_answer(), Answer(done)))
        shell(transport=script).generate("a fox", image=f"{URL}?in")
        assert [r.url for r in script.requests if r.url.host == "pictures.test"] == [URL]

    @pytest.mark.parametrize("name", ["image", "images", "image_url"])
    def test_input_that_is_repeated_is_no_picture(self, shell: Shells, name: str) -> None:
        done = {"status": "SUCCESS", name: [URL] if name == "images" else URL}
        with pytest.raises(NoPictureError):
            shell(by_method(task_answer(), Answer(done))).generate("a fox", image=URL)

    def test_input_object_is_never_looked_into(self, shell: Shells) -> None:
        done = {"status": "succeeded", "input": {"image": f"{URL}?in"}, "output": [URL]}
        script = Script(by_method(task_answer(), Answer(done)))
        shell(transport=script).generate("a fox")
        assert [r.url for r in script.requests if r.url.host == "pictures.test"] == [URL]


class TestTasksInAnySpelling:
    @pytest.mark.parametrize(
        ("body", "task_id"),
        [
            ({"code": 10000, "message": "Success", "data": {"task_id": "739"}}, "739"),
            ({"code": 202, "message": "accepted", "data": {"task_id": 739}}, "739"),
            ({"code": 200, "msg": "success", "data": {"taskId": "281e"}}, "281e"),
            ({"TaskID": "T1", "Status": "Queued"}, "T1"),
            ({"taskid": "t1"}, "t1"),
            ({"job_id": "t1", "status": "created"}, "t1"),
            ({"id": 12345}, "12345"),
            ({"id": 12345, "status": "queued"}, "12345"),
            ({"id": "x1", "polling_url": "/v1/get_result?id=x1"}, "x1"),
            ({"pollingUrl": "/v1/get_result?id=x1"}, "x1"),
            ({"id": "p1", "status": "starting", "urls": {"get": "/v1/predictions/p1"}}, "p1"),
            ({"sdGenerationJob": {"generationId": "g1"}}, "g1"),
            ({"request_id": "r1", "status_url": "/v1/requests/r1/status"}, "r1"),
        ],
    )
    def test_id_is_found_and_followed(self, shell: Shells, body: Any, task_id: str) -> None:
        script = Script(by_method(Answer(body), Answer(OK)))
        generation = shell(transport=script).generate("a fox")
        assert (data_of(generation), generation.task_id) == ([RED], task_id)
        assert len(script.posts) == 1

    def test_empty_202_with_a_location_is_a_task(self, shell: Shells) -> None:
        accepted = Answer(b"", status=202, headers={"Location": "/v1/jobs/abc"})
        script = Script(by_method(accepted, Answer(OK)))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert script.requests[1].url.path == "/v1/jobs/abc"

    @pytest.mark.parametrize(
        ("headers", "path"),
        [
            (
                {"Link": '<http://a.test/x>; rel="help", </v1/jobs/abc>; rel="monitor"'},
                "/v1/jobs/abc",
            ),
            ({"X-Polling-Url": "/v1/jobs/abc"}, "/v1/jobs/abc"),
            ({"X-Task-Id": "abc-1"}, "/v1/images/generations/abc-1"),
        ],
    )
    @pytest.mark.parametrize("body", [b"", b"null", b"{}", b"Accepted", {"status": "accepted"}])
    def test_task_that_headers_alone_name_is_followed(
        self, shell: Shells, body: Any, headers: dict[str, str], path: str
    ) -> None:
        script = Script(by_method(Answer(body, status=202, headers=headers), Answer(OK)))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert [request.url.path for request in script.requests[1:2]] == [path]
        assert len(script.posts) == 1

    def test_id_of_the_body_goes_before_one_of_a_header(self, shell: Shells) -> None:
        named = Answer({"id": 7, "status": "queued"}, status=202, headers={"X-Job-Id": "worker-1"})
        script = Script(by_method(named, Answer(OK)))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert script.requests[1].url.path.endswith("/7")

    @pytest.mark.parametrize(
        ("status", "body"), [(303, b""), (302, b""), (200, {"message": "accepted"}), (200, {})]
    )
    def test_post_that_says_where_its_task_is_seen_is_followed(
        self, shell: Shells, status: int, body: Any
    ) -> None:
        other = Answer(body, status=status, headers={"Location": "/v1/tasks/abc"})
        script = Script(by_method(other, Answer(OK)))
        assert data_of(shell(transport=script).generate("a fox")) == [RED]
        assert len(script.posts) == 1

    @pytest.mark.parametrize("status", [302, 303])
    @pytest.mark.parametrize("target", ["/login", "/v1/images/generations/", "//evil.test/tasks/1"])
    def test_post_that_is_sent_to_a_page_is_no_task(
        self, shell: Shells, target: str, status: int
    ) -> None:
        script = Script(Answer(b"", status=status, headers={"Location": target}))
        with pytest.raises(UnreadableAnswerError, match="redirects"):
            shell(transport=script).generate("a fox")

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            *[(w, "queued") for w in ("starting", "InQueue", "IN-QUEUE", "TASK_STATUS_QUEUED")],
            *[(w, "painting") for w in ("InProgress", "inprogress", "TASK_STATUS_PROCESSING")],
            *[(w, "done") for w in ("Ready", "TASK_STATUS_SUCCEED", "JOB_STATE_SUCCEEDED", "成功")],
            *[(w, "failed") for w in ("Request Moderated", "create_task_failed", "TimedOut")],
        ],
    )
    def test_word_of_other_families_is_understood(
        self, shell: Shells, word: str, status: str
    ) -> None:
        items = [{"b64_json": B64}] if status == "done" else []
        assert shell(task_answer(word, data=items)).task("image_1").status == status

    def test_reason_is_the_tasks_own(self, shell: Shells) -> None:
        data = {"task_id": "8", "task_status": "failed", "task_status_msg": "picture too small"}
        body = {"code": 0, "message": "SUCCEED", "data": data}
        with pytest.raises(TaskFailedError, match="failed: picture too small") as caught:
            shell(by_method(task_answer(id="8"), Answer(body))).generate("a fox")
        assert caught.value.task_id == "8"
        assert b"picture too small" in (caught.value.answer or b"")

    @pytest.mark.parametrize("word", ["SUCCEED", "success", "OK", "操作成功"])
    def test_reason_is_never_a_word_of_success(self, shell: Shells, word: str) -> None:
        body = {"code": 0, "message": word, "data": {"task_id": "8", "task_status": "failed"}}
        with pytest.raises(TaskFailedError, match="no reason given"):
            shell(by_method(task_answer(id="8"), Answer(body))).generate("a fox")

    def test_refusal_beside_a_task_carries_its_id(self, shell: Shells) -> None:
        body = {"error": {"message": "no"}, "task_id": "t9"}
        with pytest.raises(AnswerError) as caught:
            shell(Answer(body)).generate("a fox")
        assert caught.value.task_id == "t9"


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            f'{{"data":[{{"b64_json":"{B64}","revised_prompt":"one\nline\ttwo"}}]}}',
            json.dumps(OK) + "\0\0",
            json.dumps(OK) + "\n" + json.dumps({"usage": {"total_tokens": 1}}),
            f'{{"data":[{{"b64_json":"{B64}"}},],}}',
            "\n\n   " + json.dumps(OK),
            ": keep-alive\n\ndata: " + json.dumps(OK) + "\n\ndata: [DONE]\n\n",
            'data: {"progress": 10}\n\ndata: ' + json.dumps(OK) + "\n\n",
        ],
    )
    def test_what_is_not_quite_json_is_read(self, shell: Shells, body: str) -> None:
        assert data_of(shell(Answer(body.encode())).generate("a fox")) == [RED]

    def test_event_stream_gives_the_completed_picture_alone(self, shell: Shells) -> None:
        def event(kind: str, picture: bytes) -> str:
            data = {"type": kind, "b64_json": b64encode(picture).decode()}
            return f"event: {kind}\ndata: {json.dumps(data)}\n\n"

        partial, completed = "image_generation.partial_image", "image_generation.completed"
        body = event(partial, BLUE + b"x" * 9000) + event(completed, LARGE)
        assert data_of(shell(Answer(body.encode(), chunk=900)).generate("a fox")) == [LARGE]

    @pytest.mark.parametrize("coding", ["UTF-8", "none", "aws-chunked", "binary", "br", "gzip"])
    def test_plain_body_under_any_coding_is_read(self, shell: Shells, coding: str) -> None:
        answer = Answer(pictures_answer(RED).content, headers={"Content-Encoding": coding})
        assert data_of(shell(answer).generate("a fox")) == [RED]

    def test_codings_are_undone_in_order(self, shell: Shells) -> None:
        raw = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = pictures_answer(LARGE).content
        forms = {
            "gzip, identity": gzip.compress(body),
            "gzip, gzip": gzip.compress(gzip.compress(body)),
            "deflate": raw.compress(body) + raw.flush(),
            "deflate, gzip": gzip.compress(zlib.compress(body)),
            "GZIP": gzip.compress(body[:99]) + gzip.compress(body[99:]),
        }
        for coding, content in forms.items():
            answer = Answer(content, headers={"Content-Encoding": coding}, chunk=300)
            assert data_of(shell(answer).generate("a fox")) == [LARGE], coding

    @pytest.mark.parametrize("coding", ["br", "zstd", "zstd, zstd", "gzip, br"])
    def test_codings_of_a_library_are_undone(self, shell: Shells, coding: str) -> None:
        brotli, zstandard = import_module("brotli"), import_module("zstandard")
        packers = {"br": brotli.compress, "zstd": zstandard.compress, "gzip": gzip.compress}
        body = pictures_answer(LARGE).content
        for word in coding.split(", "):
            body = packers[word](body)
        answer = Answer(body, headers={"Content-Encoding": coding}, chunk=300)
        assert data_of(shell(answer).generate("a fox")) == [LARGE]
        cut = Answer(body[:-40], headers={"Content-Encoding": coding}, chunk=300)
        with pytest.raises(OutcomeUnknownError, match="incomplete"):
            shell(cut).generate("a fox")

    @pytest.mark.parametrize("coding", ["gzip", "zstd"])
    def test_a_body_of_too_many_parts_is_kept_as_it_came(self, shell: Shells, coding: str) -> None:
        """Empty ones: a few megabytes of them would keep a processor busy for a minute."""
        part = gzip.compress(b"") if coding == "gzip" else import_module("zstandard").compress(b"")
        answer = Answer(part * 10_001, headers={"Content-Encoding": coding})
        with pytest.raises(OutcomeUnknownError, match="too many parts") as raised:
            shell(answer).generate("a fox")
        assert raised.value.answer == part * 10_001

    def test_a_thousand_codings_are_no_stack_too_deep(self, shell: Shells) -> None:
        body = pictures_answer(LARGE).content
        label = {"Content-Encoding": ", ".join(["gzip"] * 3000)}
        assert data_of(shell(Answer(body, headers=label)).generate("a fox")) == [LARGE]

    def test_a_window_beyond_that_of_http_is_refused(self, shell: Shells) -> None:
        """zstd may ask for 128 MB of memory; over HTTP 8 are allowed (RFC 9659)."""
        zstandard = import_module("zstandard")
        wide = zstandard.ZstdCompressionParameters(window_log=27)
        packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
        body = packer.compress(pictures_answer(LARGE).content) + packer.flush()
        with pytest.raises(OutcomeUnknownError, match="not compressed as it says"):
            shell(Answer(body, headers={"Content-Encoding": "zstd"})).generate("a fox")

    def test_a_brotli_that_takes_no_limit_is_given_a_byte_at_a_time(self) -> None:
        brotli = import_module("brotli")

        class Older:
            def __init__(self) -> None:
                self._unpack = brotli.Decompressor()
                self.is_finished = self._unpack.is_finished

            def process(self, data: bytes) -> bytes:
                assert len(data) == 1
                return bytes(self._unpack.process(data))

        module = SimpleNamespace(Decompressor=Older, error=brotli.error)
        body = pictures_answer(LARGE).content
        assert b"".join(content_encoding._Brotli(module)(brotli.compress(body))) == body

    def test_several_frames_are_one_body(self, shell: Shells) -> None:
        pack = import_module("zstandard").compress
        body = pictures_answer(LARGE).content
        both = Answer(pack(body[:99]) + pack(body[99:]), headers={"Content-Encoding": "zstd"})
        assert data_of(shell(both).generate("a fox")) == [LARGE]

    def test_picture_under_an_unknown_coding_is_kept(self, shell: Shells) -> None:
        picture = Answer(RED, headers={"Content-Encoding": "aws-chunked"})
        assert data_of(shell(pictures_answer(URL), picture).generate("a fox")) == [RED]

    def test_declared_charset_is_believed(self, shell: Shells) -> None:
        body = json.dumps({"error": {"message": "图片太小"}}, ensure_ascii=False).encode("gbk")
        answer = Answer(body, status=400, headers={"Content-Type": "application/json; charset=gbk"})
        with pytest.raises(AnswerError, match="图片太小"):
            shell(answer).generate("a fox")


class TestKeptAnswers:
    """What is paid for and cannot be read stands on the error as it came."""

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ({"created": 1, "data": []}, NoPictureError),
            ({"data": [{"url": "", "b64_json": ""}]}, NoPictureError),
            ({"note": "your picture is ready"}, UnreadableAnswerError),
            ("<html>Log in</html>", UnreadableAnswerError),
            ('{"data": [{"b64_json": "iVBO', OutcomeUnknownError),
            ({"status": "QUEUED"}, UnreadableAnswerError),
        ],
    )
    def test_answer_is_on_the_error_and_nobody_is_asked_to_pay_again(
        self, shell: Shells, body: Any, kind: type[OpeaiError]
    ) -> None:
        script = Script(Answer(body))
        with pytest.raises(kind) as caught:
            shell(transport=script).generate("a fox")
        assert caught.value.answer == Answer(body).content
        assert len(script.posts) == 1
        told = str(caught.value).lower()
        assert "run again" not in told
        assert "ask anew" not in told
        assert "new request" not in told

    def test_pictures_of_a_kept_answer_are_in_it(self, shell: Shells) -> None:
        body = {"odd": [{"status": {"picture": b64encode(LARGE).decode()}}]}
        with pytest.raises(OpeaiError) as caught:
            shell(Answer(body, chunk=500)).generate("a fox")
        assert caught.value.answer == Answer(body).content
        assert [picture.data for picture in caught.value.pictures] == [LARGE]

    def test_cut_answer_is_kept_to_the_last_byte(self, shell: Shells) -> None:
        whole = pictures_answer(LARGE, LARGE).content
        with pytest.raises(OutcomeUnknownError) as caught:
            shell(Answer(whole, drop_after=len(whole) - 3001, chunk=500)).generate("a fox", n=2)
        kept = caught.value.answer
        assert kept is not None
        assert whole.startswith(kept[:-4])
        assert len(whole) - 3001 - len(kept) < 4

    def test_broken_base64_is_kept_as_it_came(self, shell: Shells) -> None:
        text = b64encode(LARGE).decode()
        body = {"data": [{"b64_json": f"{text[:8000]}!!{text[8000:]}"}]}
        with pytest.raises(NoPictureError, match="broken") as caught:
            shell(Answer(body, chunk=900)).generate("a fox")
        assert caught.value.answer == Answer(body).content

    def test_finished_task_without_pictures_keeps_its_answer(self, shell: Shells) -> None:
        done = {"status": "SUCCESS", "where": "in the drawer"}
        with pytest.raises(NoPictureError) as caught:
            shell(by_method(task_answer(), Answer(done))).generate("a fox")
        assert b"in the drawer" in (caught.value.answer or b"")
        assert caught.value.task_id == "image_1"

    def test_key_in_a_kept_answer_is_a_placeholder_that_can_be_turned_back(
        self, shell: Shells
    ) -> None:
        body = {"note": f"they sent {KEY}"}
        with pytest.raises(UnreadableAnswerError) as caught:
            shell(Answer(body)).generate("a fox")
        answer = caught.value.answer
        assert answer is not None
        assert KEY.encode() not in answer
        assert Secret(KEY).restored(answer) == Answer(body).content

    @pytest.mark.parametrize(
        "answer", [pictures_answer(RED, LARGE), pictures_answer(URL), task_answer(id="t1")]
    )
    def test_kept_answer_can_be_read_anew(self, answer: Answer) -> None:
        read = reread(answer.content, ImageRequest("a fox"), None)
        assert isinstance(read, Generation) or (isinstance(read, Task) and read.id == "t1")

    def test_client_reads_a_kept_answer_anew(self, tmp_path: Path) -> None:
        from opeai_nb.client import Client

        client = Client(base_url="http://p.test", api_key=KEY, transport=Script())
        generation = client.reread(pictures_answer(LARGE).content, ImageRequest("a fox"))
        assert isinstance(generation, Generation)
        assert data_of(generation) == [LARGE]


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens_details": {"text_tokens": 9, "image_tokens": 0}},
        {"inputTokensDetails": {"textTokens": 9, "imageTokens": 0}},
        {"prompt_tokens_details": {"image_tokens": 0}},
        {"input_tokens_details": {"image_tokens": "0"}},
        {"input_tokens_details": {"image_tokens": 0.0}},
    ],
)
def test_gateway_that_dropped_the_input_is_told(shell: Shells, usage: dict[str, Any]) -> None:
    with pytest.warns(AnswerWarning, match="may have dropped `image`"):
        generation = shell(pictures_answer(RED, usage=usage)).generate("a fox", image=URL)
    assert "may have dropped `image`" in generation.notes[0]
    plain = shell(pictures_answer(RED, usage=usage)).generate("a fox")
    assert not plain.notes


@pytest.mark.parametrize("name", ["input", "request", "parameters", "source_image", "inputImages"])
def test_input_that_the_answer_itself_calls_one_is_no_result(
    shell: Callable[..., Shell], name: str
) -> None:
    given, made = "https://pictures.test/given.png", "https://pictures.test/made.png"
    body = {"images": [given], name: {"image": given}, "result": {"images": [{"url": made}]}}
    script = Script(Answer(body), png())
    shell(transport=script).generate("a fox", image=png(8, 8))
    assert [str(request.url) for request in script.requests[1:]] == [made]
    assert len(script.posts) == 1


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\xa0", "\u2060", "\0"])
def test_letters_that_nobody_sees_are_no_part_of_a_url(
    shell: Callable[..., Shell], unseen: str
) -> None:
    script = Script(
        Answer({"data": [{"url": f"{unseen}https://pictures.test/1.png{unseen}"}]}), png()
    )
    assert len(shell(transport=script).generate("a fox")) == 1
    assert str(script.requests[1].url) == "https://pictures.test/1.png"
