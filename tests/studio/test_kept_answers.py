"""A paid answer that nobody can read yet: kept as it came, and read again by a resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import AsyncClient
from opeai_nb.errors import NoPictureError, OpeaiError, UnreadableAnswerError
from opeai_nb.library import LibraryWarning
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Answer, Script, pictures_answer, png, task_answer

KEY = "sk-T3stKeyOfOurOwn-0123456789abcdef"
ODD = {"note": f"it is ready, {KEY}", "odd": [1, 2]}


@pytest.fixture
def studio_over(tmp_path: Path) -> Callable[..., tuple[Studio, Script]]:
    """A maker of studios of one library, each as a new kernel would have it."""

    def made(*plan: Any) -> tuple[Studio, Script]:
        chosen = settings(base_url="http://p.test", api_key=KEY, library=tmp_path / "imagine")
        script = Script(*plan)

        async def at_once(_: float) -> None: ...

        client = AsyncClient(base_url="http://p.test", api_key=KEY, transport=script, sleep=at_once)
        return Studio(chosen, client=client), script

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


def test_a_refusal_is_settled_as_before(studio_over: Studios) -> None:
    studio, _ = studio_over(Answer({"error": {"message": "no", "code": "DataInspectionFailed"}}))
    with pytest.raises(OpeaiError):
        studio.generate("a fox")
    assert studio.library.pending() == []


def test_what_was_guessed_and_is_no_picture_leaves_the_answer(studio_over: Studios) -> None:
    odd = {"weird": {"place": "http://p.test/x"}}
    studio, script = studio_over(
        lambda request: Answer(odd) if request.method == "POST" else "<html>a page</html>"
    )
    with pytest.raises(UnreadableAnswerError):
        studio.generate("a fox")
    (entry,) = studio.library.pending()
    assert entry.answer() == Answer(odd).content
    assert len(script.posts) == 1


def test_what_was_guessed_is_told_beside_the_picture(studio_over: Studios) -> None:
    odd = {"weird": {"place": "http://p.test/x.png"}}
    studio, _ = studio_over(lambda request: Answer(odd) if request.method == "POST" else png())
    job = studio.start("a fox")
    with pytest.warns(LibraryWarning, match="seemed to be"):
        assert len(job.result(60)) == 1
