"""A paid answer that nobody can read yet: kept as it came, and read again by a resume."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.client.values.answer_notes import ECHOED
from opeai_nb.errors import (
    DownloadError,
    NoPictureError,
    OpeaiError,
    OutcomeUnknownError,
    TaskExpiredError,
    TaskFailedError,
    UnreadableAnswerError,
)
from opeai_nb.library import LibraryWarning
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.studio.recovery import way_on
from opeai_nb.testing import Answer, Script, error_answer, pictures_answer, png, task_answer

KEY = "sk-T3stKeyOfOurOwn-0123456789abcdef"
ODD = {"note": f"it is ready, {KEY}", "odd": [1, 2]}


def studio_on(folder: Path, script: Script) -> Studio:
    """Return a studio whose client speaks to a script, and waits no time."""
    now = [1000.0]

    async def at_once(seconds: float) -> None:
        now[0] += seconds

    client = AsyncClient(
        base_url="http://p.test",
        api_key=KEY,
        transport=script,
        sleep=at_once,
        clock=lambda: now[0],
    )
    chosen = settings(base_url="http://p.test", api_key=KEY, library=folder)
    return Studio(chosen, client=client)


@pytest.fixture
def studio_over(tmp_path: Path) -> Callable[..., tuple[Studio, Script]]:
    """A maker of studios of one library, each as a new kernel would have it."""

    def made(*plan: Any) -> tuple[Studio, Script]:
        script = Script(*plan)
        return studio_on(tmp_path / "imagine", script), script

    return made


Studios = Callable[..., tuple[Studio, Script]]


def written_in(studio: Studio) -> bytes:
    files = [path for path in studio.library.folder.rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files)


def test_an_answer_that_cannot_be_read_is_kept_as_it_came(studio_over: Studios) -> None:
    studio, script = studio_over(Answer(ODD))
    with pytest.raises(UnreadableAnswerError) as caught:
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.truth == "answer not read"
    assert entry.answer() == caught.value.answer
    assert b'"odd": [1, 2]' in (entry.answer() or b"")
    assert len(script.posts) == 1
    assert KEY.encode() not in written_in(studio), "on the disk the key is a placeholder"


@pytest.mark.parametrize("body", [b"", b'{"created": 1, "da'], ids=["empty", "cut"])
def test_request_id_of_an_answer_that_says_nothing_else_is_kept(
    studio_over: Studios, body: bytes
) -> None:
    name = "a1b2c3d4-1111-2222"
    studio, _ = studio_over(Answer(body, status=202, headers={"NVCF-REQID": name}))
    with pytest.raises(OutcomeUnknownError) as caught:
        studio.generate("a fox")
    assert caught.value.request_id == name
    (entry,) = studio.library.pending()
    assert body or name in str(entry.error), "for the platform's support, there is nothing else"


def test_a_resume_reads_it_again_without_a_post(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer(ODD))
    with pytest.raises(UnreadableAnswerError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    again, script = studio_over()
    with pytest.raises(UnreadableAnswerError):
        again.resume(entry).result(60)
    assert [left.truth for left in again.library.pending()] == ["answer not read"]
    assert not script.requests


def test_what_a_later_version_can_read_becomes_a_record(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer(ODD))
    with pytest.raises(UnreadableAnswerError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.folder is not None
    (entry.folder / ".answer").write_bytes(pictures_answer(png()).content)  # as if it could read
    later, script = studio_over()
    generation = later.resume(entry).result(60)
    assert generation.pictures[0].data is not None
    assert (later.library.pending(), script.requests) == ([], [])
    assert len(list(later.library.search())) == 1


def test_a_task_in_a_kept_answer_is_followed(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer(ODD))
    with pytest.raises(UnreadableAnswerError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.folder is not None
    (entry.folder / ".answer").write_bytes(task_answer(id="t1").content)
    later, script = studio_over(
        lambda _: task_answer("SUCCESS", id="t1", data=pictures_answer(png()).body["data"])
    )
    assert len(later.resume(entry).result(60)) == 1
    assert not script.posts


def test_pictures_that_a_failed_task_lists_are_kept_and_replayed(studio_over: Studios) -> None:
    failed = task_answer("FAILURE", id="t1", data=[{"url": "http://p.test/1.png"}], fail_reason="x")
    studio, script = studio_over(task_answer("QUEUED", id="t1"), failed, png())
    with pytest.warns(LibraryWarning, match="the task failed"):
        made = studio.generate("a fox", n=2)
    assert (len(made), len(made.failed), len(script.posts)) == (1, 1, 1)
    assert studio.library.pending() == []
    again, script = studio_over()
    assert (len(again.generate("a fox", n=2)), script.requests) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
def test_task_that_a_failure_names_is_not_paid_again_and_followed_later(
    studio_over: Studios, status: int
) -> None:
    body = {"error": {"message": "too many"}, "task_id": "t1"}
    studio, script = studio_over(Answer(body, status=status))
    with pytest.raises(UnreadableAnswerError, match="too many"):
        studio.generate("a fox")
    with pytest.raises(OpeaiError, match="could not be read"):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, way_on(entry), len(script.posts)) == ("answer not read", "resume", 1)
    done = task_answer("SUCCESS", id="t1", data=pictures_answer(png()).body["data"])
    later, script = studio_over(lambda _: done)
    assert len(later.resume(entry).result(60)) == 1
    assert (script.posts, later.library.pending()) == ([], [])


@pytest.mark.parametrize(
    "body", [{"data": []}, {"data": [{"url": "", "b64_json": ""}]}, "<html>Log in</html>"]
)
def test_every_paid_answer_without_a_picture_is_kept(studio_over: Studios, body: Any) -> None:
    studio, script = studio_over(Answer(body))
    with pytest.raises(OpeaiError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.answer() == Answer(body).content
    assert len(script.posts) == 1


def test_a_finished_task_without_a_picture_can_be_asked_again(studio_over: Studios) -> None:
    odd = task_answer("SUCCESS", id="t1", where="in the drawer")
    studio, script = studio_over(
        lambda request: task_answer(id="t1") if request.method == "POST" else odd
    )
    with pytest.raises(NoPictureError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, entry.task_id, len(script.posts)) == ("pending", "t1", 1)
    assert b"in the drawer" in (entry.answer() or b"")
    later, script = studio_over(
        lambda _: task_answer("SUCCESS", id="t1", data=pictures_answer(png()).body["data"])
    )
    assert len(later.resume(entry).result(60)) == 1
    assert not script.posts


@pytest.mark.parametrize(
    ("body", "left"),
    [({"status": "fail", "message": "too big"}, 0), ({"status": "SUCCESS"}, 1)],
)
def test_an_end_without_an_id_is_an_end(studio_over: Studios, body: Any, left: int) -> None:
    studio, script = studio_over(Answer(body))
    with pytest.raises((TaskFailedError, NoPictureError)):
        studio.generate("a fox")
    assert len(script.posts) == 1
    assert [entry.truth for entry in studio.library.pending()] == ["answer not read"] * left


def test_an_end_without_an_id_sends_nobody_to_its_task(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer({"status": "SUCCESS"}))
    with pytest.raises(NoPictureError) as caught:
        studio.generate("a fox")
    assert "the task itself" not in str(caught.value)


def test_a_refusal_is_settled_as_before(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer({"error": {"message": "no", "code": "DataInspectionFailed"}}))
    with pytest.raises(OpeaiError):
        studio.generate("a fox")
    assert studio.library.pending() == []


def test_failure_of_the_server_inside_a_success_is_an_unknown_outcome(
    studio_over: Studios,
) -> None:
    studio, script = studio_over(lambda _: Answer({"code": 503, "msg": "server busy"}))
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, len(script.posts)) == ("outcome unknown", 1)


def test_what_a_failing_server_said_of_a_paid_request_is_kept(studio_over: Studios) -> None:
    said = Answer({"message": "the worker crashed", "output": {"url": "http://p.test/1.png"}}, 502)
    studio, script = studio_over(lambda _: said)
    with pytest.raises(OutcomeUnknownError) as caught:
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert caught.value.answer == entry.answer() == said.content
    assert (entry.truth, len(script.posts)) == ("outcome unknown", 1)


def test_what_was_guessed_and_is_no_picture_leaves_the_answer(studio_over: Studios) -> None:
    odd = {"weird": {"place": "http://p.test/x"}}
    studio, script = studio_over(
        lambda request: Answer(odd) if request.method == "POST" else "<html>a page</html>"
    )
    with pytest.raises(UnreadableAnswerError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, entry.answer()) == ("answer not read", Answer(odd).content)
    assert len(script.posts) == 1


def test_answer_whose_url_was_the_wrong_one_is_read_again(studio_over: Studios) -> None:
    def plan(request: httpx.Request) -> Any:
        if request.method == "POST":
            return Answer({"data": [{"url": "http://p.test/view", "key": KEY}]})
        return png() if request.url.path == "/x.png" else "<html>a page</html>"

    studio, script = studio_over(plan)
    with pytest.raises(DownloadError, match="web page"):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, len(script.posts)) == ("fetching", 1)
    assert b'"http://p.test/view"' in (entry.answer() or b"")
    assert KEY.encode() not in written_in(studio)
    assert entry.folder is not None
    better = Answer({"data": [{"url": "http://p.test/x.png"}]}).content  # as if it could read
    (entry.folder / ".answer").write_bytes(better)
    later, script = studio_over(plan)
    assert len(later.resume(entry).result(60)) == 1
    assert (script.posts, later.library.pending()) == ([], [])


def test_what_no_library_could_unpack_is_read_once_one_can(
    studio_over: Studios, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = import_module("brotli").compress(pictures_answer(png()).content)
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)  # as on a machine without them
    studio, script = studio_over(Answer(body, headers={"Content-Encoding": "br"}))
    with pytest.raises(OpeaiError, match="no library here reads"):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert (entry.truth, entry.answer(), len(script.posts)) == ("answer not read", body, 1)
    with pytest.raises(OpeaiError, match="got an answer that could not be read"):
        studio.generate("a fox")
    assert len(script.posts) == 1
    monkeypatch.undo()
    later, script = studio_over()
    assert len(later.resume(entry).result(60)) == 1
    assert (script.requests, later.library.pending()) == ([], [])


def test_input_that_comes_from_an_address_of_its_own_is_told_and_its_answer_kept(
    studio_over: Studios,
) -> None:
    body = {"ref": "xk-77", "image": "https://pictures.test/1.png"}
    studio, script = studio_over(Answer(body), png())
    with pytest.warns(LibraryWarning, match="the input picture, byte for byte"):
        generation = studio.generate("a fox", image=png(), size="1024x1024")
    assert ECHOED in generation.notes
    (entry,) = studio.library.pending()
    assert entry.answer() == Answer(body).content
    assert (len(list(studio.library.search())), len(script.posts)) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"url": "https://p.test/in.png"}, {"url": "https://p.test/out.png"}]},
        {"image": "https://p.test/in.png", "output": {"image": "https://p.test/out.png"}},
    ],
)
def test_result_beside_an_input_at_an_address_of_its_own_is_what_is_kept(
    studio_over: Studios, body: Any
) -> None:
    pictures = {"/in.png": png(9, 9), "/out.png": png(8, 8)}
    studio, script = studio_over(lambda sent: pictures.get(sent.url.path) or Answer(body))
    for _ in range(2):
        generation = studio.generate("a fox", image=png(9, 9), size="1024x1024")
        assert [picture.size for picture in generation.pictures] == [(8, 8)]
        studio, _ = studio_over()
    assert (len(script.posts), studio.library.pending()) == (1, [])


def test_what_was_guessed_is_told_beside_the_picture(studio_over: Studios) -> None:
    odd = {"weird": {"place": "http://p.test/x.png"}}
    studio, _ = studio_over(lambda request: Answer(odd) if request.method == "POST" else png())
    job = studio.start("a fox")
    with pytest.warns(LibraryWarning, match="seemed to be"):
        assert len(job.result(60)) == 1


@pytest.mark.parametrize("by_task", [False, True])
def test_a_key_in_a_url_is_a_placeholder_on_the_disk_that_a_resume_turns_back(
    studio_over: Studios, by_task: bool
) -> None:
    picture = pictures_answer(f"http://p.test/{KEY}/1.png")
    where = f"/v1/images/{KEY}/t1"

    def until_the_picture(request: httpx.Request) -> Any:
        if request.method == "POST":
            return task_answer(id="t1", poll_url=where) if by_task else picture
        if request.url.path == where:
            return task_answer("SUCCESS", id="t1", data=picture.body["data"])
        return Answer("busy", status=503)

    studio, script = studio_over(until_the_picture)
    with pytest.raises(DownloadError):
        studio.generate("a fox")
    assert KEY.encode() not in written_in(studio)
    assert by_task == any(request.url.path == where for request in script.requests)
    (entry,) = studio.library.pending()
    later, script = studio_over(lambda _: png())
    assert len(later.resume(entry).result(60)) == 1
    assert [request.url.path for request in script.requests] == [f"/{KEY}/1.png"]
    assert KEY.encode() not in written_in(later)


def test_a_key_in_the_address_of_a_task_is_turned_back_too(studio_over: Studios) -> None:
    where = f"/v1/images/{KEY}/t1"
    gone = error_answer("no such task", status=404, code="ResourceNotFound")
    studio, _ = studio_over(
        lambda sent: task_answer(id="t1", poll_url=where) if sent.method == "POST" else gone
    )
    with pytest.raises(TaskExpiredError):
        studio.generate("a fox")
    assert KEY.encode() not in written_in(studio)
    (entry,) = studio.library.pending()
    done = task_answer("SUCCESS", id="t1", data=pictures_answer(png()).body["data"])
    later, script = studio_over(lambda _: done)
    assert len(later.resume(entry).result(60)) == 1
    assert script.requests[0].url.path == where


class TestInPart:
    """An answer of which one item could be read, and another could not."""

    def answer(self, *, by_task: bool) -> Any:
        items = [*pictures_answer(png()).body["data"], {"in": {"the": ["drawer"]}}]
        done = task_answer("SUCCESS", id="t1", data=items)
        if by_task:
            return lambda sent: task_answer(id="t1") if sent.method == "POST" else done
        return lambda _: Answer({"created": 1, "data": items})

    @pytest.mark.parametrize("by_task", [False, True])
    def test_what_came_is_a_record_and_the_answer_stays(
        self, studio_over: Studios, by_task: bool
    ) -> None:
        studio, script = studio_over(self.answer(by_task=by_task))
        generation = studio.generate("a fox", n=2)
        assert (len(generation), len(generation.failed)) == (1, 1)
        (entry,) = studio.library.pending()
        assert entry.truth == "answer not read"
        assert b"drawer" in (entry.answer() or b"")
        assert len(list(studio.library.search())) == 1
        assert len(script.posts) == 1

    def test_it_replays_and_nobody_is_kept_from_asking_again(self, studio_over: Studios) -> None:
        studio, _ = studio_over(self.answer(by_task=False))
        studio.generate("a fox", n=2)
        later, script = studio_over(lambda _: pictures_answer(png(), png()))
        assert later.generate("a fox", n=2).replayed_from is not None
        assert script.requests == []
        assert len(later.generate("a fox", n=2, fresh=True)) == 2
        assert len(later.library.pending()) == 1, "the answer stays until it is read or forgotten"

    def test_a_resume_that_can_read_more_completes_the_record(self, studio_over: Studios) -> None:
        studio, _ = studio_over(self.answer(by_task=False))
        studio.generate("a fox", n=2)
        (entry,) = studio.library.pending()
        again, script = studio_over()
        assert len(again.resume(entry).result(60)) == 1
        (entry,) = again.library.pending()
        assert entry.folder is not None
        (entry.folder / ".answer").write_bytes(pictures_answer(png(), png()).content)
        later, script = studio_over()
        assert len(later.resume(entry).result(60)) == 2
        assert (later.library.pending(), script.requests) == ([], [])
        (record,) = later.library.search()
        assert len(record.paths) == 2
        assert all(path.is_file() for path in record.paths)


def test_a_picture_whose_base64_is_cut_is_told_and_its_answer_kept(studio_over: Studios) -> None:
    whole = pictures_answer(png(64, 48), png(64, 48, (1, 2, 3))).body
    whole["data"][1]["b64_json"] = whole["data"][1]["b64_json"][:100]
    studio, script = studio_over(Answer(whole))
    generation = studio.generate("a fox", n=2)
    told = "Got a picture that ends in the middle (1 of 2)."
    assert (len(generation), generation.differences) == (2, (told,))
    (entry,) = studio.library.pending()
    assert (entry.truth, json.loads(entry.answer() or b"")) == ("answer not read", whole)
    (record,) = studio.library.search()
    assert (record.differences, len(script.posts)) == ([told], 1)


def test_a_success_without_a_picture_stays_when_its_day_is_over(studio_over: Studios) -> None:
    odd = task_answer("SUCCESS", id="t1", where="in the drawer")
    studio, _ = studio_over(lambda sent: task_answer(id="t1") if sent.method == "POST" else odd)
    with pytest.raises(NoPictureError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.folder is not None
    journal = entry.folder / "journal.jsonl"
    journal.write_text(journal.read_text() + '{"deadline": 5.0}\n')
    later, script = studio_over(lambda _: odd)
    for reply in (odd, error_answer("no such task", status=404, code="ResourceNotFound")):
        later, script = studio_over(lambda _, reply=reply: reply)
        (entry,) = later.library.pending()
        with pytest.raises(OpeaiError):
            later.resume(entry).result(60)
        assert not script.posts
        (entry,) = later.library.pending()
        assert b"in the drawer" in (entry.answer() or b"")


LINKS = b'{"data": [{"url": "http://p.test/0.png"}, {"url": "http://p.te'
INSIDE = json.dumps(pictures_answer(png(), png(8, 8)).body).encode()
DRAFT = b'event: image.partial_image\ndata: {"b64_json": "%s"}\n\n' % b64encode(png())


@pytest.mark.parametrize("body", [LINKS, INSIDE[: INSIDE.index(b"}") + 20]])
def test_a_resume_of_an_answer_that_was_cut_keeps_what_is_whole(
    studio_over: Studios, body: bytes
) -> None:
    studio, script = studio_over(Answer(body))
    with pytest.raises(OutcomeUnknownError, match=r"resume. keeps it"):
        studio.generate("a fox", n=3)
    assert len(script.posts) == 1
    (entry,) = studio.library.pending()
    assert way_on(entry) == "resume"
    later, script = studio_over(lambda _: png())
    generation = later.resume(entry).result(60)
    assert [type(picture.error) for picture in generation.pictures] == [
        type(None),
        OutcomeUnknownError,
        OutcomeUnknownError,
    ]
    assert script.posts == []
    assert later.library.pending() == []
    assert len(list(later.library.search())) == 1


def test_a_resume_makes_no_picture_of_a_draft(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer(DRAFT))
    with pytest.raises(UnreadableAnswerError, match="before any picture is whole"):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.received() == {}
    assert entry.answer() == DRAFT
    later, script = studio_over()
    with pytest.raises(UnreadableAnswerError):
        later.resume(entry).result(60)
    assert (len(later.library.pending()), script.posts) == (1, [])


def test_finished_task_whose_picture_nobody_finds_is_kept_although_nobody_knows_it_later(
    studio_over: Studios,
) -> None:
    done = {"id": "t1", "status": "COMPLETED", "output": {"message": "it is at the usual place"}}
    gone = error_answer("no such task", status=404, code="ResourceNotFound")
    studio, script = studio_over(lambda sent: done if sent.method == "POST" else gone)
    with pytest.raises(TaskExpiredError) as caught:
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.answer() == caught.value.answer == Answer(done).content
    assert (entry.task_id, way_on(entry), len(script.posts)) == ("t1", "resume", 1)


@pytest.mark.parametrize(
    "first",
    [
        {"id": "r1", "status": "failed", "error": {"message": "banned"}},
        {"code": 22, "description": "排队中", "result": "1712204995849323"},
    ],
    ids=["at once", "by an id that was guessed"],
)
def test_task_that_failed_for_sure_leaves_nothing_that_holds_up_the_next_run(
    studio_over: Studios, first: Any
) -> None:
    over = {"id": "17", "status": "FAILURE", "imageUrl": "", "failReason": "banned"}
    studio, _ = studio_over(lambda sent: Answer(first if sent.method == "POST" else over))
    with pytest.raises(TaskFailedError, match="banned"):
        studio.generate("a fox")
    assert studio.library.pending() == []


@pytest.mark.parametrize(
    "first",
    [
        {"data": [{"url": "http://p.test/a\ud800.png"}]},
        {"task_id": "t\ud800", "status": "queued"},
        {"task_id": "t1", "poll_url": "/v1/\udfff", "status": "queued"},
    ],
    ids=["url", "id", "address"],
)
def test_half_a_letter_in_a_url_or_an_id_is_an_error_of_ours_or_none(
    studio_over: Studios, first: Any
) -> None:
    done = {"status": "SUCCESS", "data": pictures_answer(png()).body["data"]}
    studio, script = studio_over(lambda sent: Answer(first if sent.method == "POST" else done))
    with suppress(OpeaiError):
        assert len(studio.generate("a fox")) == 1
    kept = len(list(studio.library.search())) + len(studio.library.pending())
    assert (len(script.posts), kept) == (1, 1)


@pytest.mark.parametrize("is_known", [False, True])
def test_what_else_stood_beside_the_id_of_a_task_is_kept_until_the_task_ends(
    studio_over: Studios, *, is_known: bool
) -> None:
    paid = {"task_id": "t-1", "odd": {"packed": "\\x" + png(200, 200).hex() * 8}}
    end = pictures_answer(png()) if is_known else error_answer("no such route", status=404)
    studio, script = studio_over(lambda sent: Answer(paid) if sent.method == "POST" else end)
    if is_known:
        studio.generate("a fox")
        assert not studio.library.pending()
    else:
        with pytest.raises(TaskExpiredError) as caught:
            studio.generate("a fox")
        (entry,) = studio.library.pending()
        assert caught.value.answer == entry.answer() == Answer(paid).content
    assert len(script.posts) == 1


def test_picture_beside_the_id_of_a_task_that_nobody_knows_is_taken_by_a_resume(
    studio_over: Studios,
) -> None:
    paid = {"task_id": "t-1", "status": "ok", "entity": {"src": "http://p.test/x.png"}}
    busy = error_answer("no key", status=401)
    studio, script = studio_over(lambda sent: Answer(paid) if sent.method == "POST" else busy)
    with pytest.raises(OpeaiError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    lost = error_answer("no such route", status=404)
    again, later = studio_over(lambda sent: png(9, 9) if sent.url.path == "/x.png" else lost)
    with pytest.warns(LibraryWarning, match="seemed to be"):
        generation = again.resume(entry).result(60)
    assert [picture.size for picture in generation.pictures] == [(9, 9)]
    assert (len(script.posts), len(later.posts), again.library.pending()) == (1, 0, [])
