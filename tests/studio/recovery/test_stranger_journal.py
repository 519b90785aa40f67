"""An unfinished request in somebody else's folder: it is asked first where its pictures lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import AsyncClient, Generation, ImageRequest, Picture
from opeai_nb.errors import OptionError, RefusedDownloadError
from opeai_nb.library import Library
from opeai_nb.notebook.commands import pending_commands
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Answer, Script, pictures_answer, png

URL = "https://x.example"
ELSEWHERE = "https://tracker.example/1.png"


@pytest.fixture
def script() -> Script:
    """A platform whose every host has a picture."""
    return Script(lambda _: Answer(png()))


@pytest.fixture
def studio_at(tmp_path: Path, script: Script) -> Callable[..., Studio]:
    def studio_at(name: str) -> Studio:
        client = AsyncClient(base_url=URL, api_key="any-key-at-all", transport=script)
        chosen = settings(base_url=URL, api_key="any-key-at-all", library=tmp_path / name)
        return Studio(chosen, client=client)

    return studio_at


def begun(folder: Path, url: str, answer: bytes = b"") -> None:
    """Leave a request that has an answer and not yet its picture, as a kernel that died does."""
    library = Library(folder)
    entry = library.begin(ImageRequest("a fox"), key="k", base_url=URL, origin="platform")
    entry.sending()
    if answer:
        entry.unread("it could not be read", answer)
    else:
        entry.answered(Generation((Picture(url=url),), entry.request))
    entry.release()
    library.close()


@pytest.fixture
def somebody_elses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """`begun` by another user, who has a data folder of their own."""

    def begun_by_another(*arguments: Any) -> None:
        with monkeypatch.context() as other:
            other.setenv("OPEAI_NB_DATA", str(tmp_path / "another"))
            begun(*arguments)

    return begun_by_another


def test_ones_own_is_fetched_from_anywhere(
    tmp_path: Path, studio_at: Callable[..., Studio]
) -> None:
    begun(tmp_path / "imagine", ELSEWHERE)
    (job,) = studio_at("imagine").resume_all()
    assert len(job.result()) == 1


def test_somebody_elses_asks_first_and_fetches_nothing(
    tmp_path: Path,
    studio_at: Callable[..., Studio],
    script: Script,
    somebody_elses: Callable[..., None],
) -> None:
    somebody_elses(tmp_path / "imagine", ELSEWHERE)
    studio = studio_at("imagine")
    (entry,) = studio.library.pending()
    asks: list[Callable[[], object]] = [
        lambda: studio.resume(entry).result(),
        lambda: studio.generate("a fox"),
    ]
    for ask in asks:
        with pytest.raises(RefusedDownloadError, match=r"fetched from tracker\.example") as caught:
            ask()
        assert "--fetch" in str(caught.value.advice)
    assert script.requests == []
    assert len(studio.resume(entry, fetch=True).result()) == 1
    assert [request.url.host for request in script.requests] == ["tracker.example"]


def test_hosts_that_were_changed_are_somebody_elses(
    tmp_path: Path, studio_at: Callable[..., Studio], script: Script
) -> None:
    """A folder that was handed on and came back: its old seal is worth nothing."""
    begun(tmp_path / "imagine", "https://pictures.example/1.png")
    shutil.move(tmp_path / "imagine", tmp_path / "back")
    (journal,) = (tmp_path / "back").rglob("journal.jsonl")
    journal.write_text(journal.read_text().replace("pictures.example", "tracker.example"))
    (job,) = studio_at("back").resume_all()
    with pytest.raises(RefusedDownloadError):
        job.result()
    assert script.requests == []


def test_the_base_urls_own_host_is_no_new_one(
    tmp_path: Path, studio_at: Callable[..., Studio], somebody_elses: Callable[..., None]
) -> None:
    somebody_elses(tmp_path / "imagine", f"{URL}/files/1.png")
    (job,) = studio_at("imagine").resume_all()
    assert len(job.result()) == 1


def test_an_answer_that_somebody_else_kept_asks_first_too(
    tmp_path: Path,
    studio_at: Callable[..., Studio],
    script: Script,
    somebody_elses: Callable[..., None],
) -> None:
    answer = httpx.Response(200, json={"data": [{"url": ELSEWHERE}]}).content
    somebody_elses(tmp_path / "theirs", "", answer)
    begun(tmp_path / "mine", "", answer)
    (theirs,) = studio_at("theirs").resume_all()
    with pytest.raises(RefusedDownloadError):
        theirs.result()
    assert script.requests == []
    (mine,) = studio_at("mine").resume_all()
    assert len(mine.result()) == 1


def test_bytes_that_came_need_no_question(
    tmp_path: Path, studio_at: Callable[..., Studio], somebody_elses: Callable[..., None]
) -> None:
    somebody_elses(tmp_path / "imagine", "", pictures_answer(png()).content)
    (job,) = studio_at("imagine").resume_all()
    assert len(job.result()) == 1


def test_fetching_is_for_one_request(studio_at: Callable[..., Studio]) -> None:
    with pytest.raises(OptionError, match="--fetch is for one request"):
        pending_commands.resume(None, "--fetch")  # it asks no session
