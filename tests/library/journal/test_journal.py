"""What is unfinished: noted before it happens, and told truly afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from opeai_nb import errors
from opeai_nb.client import Generation, ImageRequest, Picture, Task
from opeai_nb.errors import LibraryError
from opeai_nb.library import Entry, Library, LibraryWarning, Slot
from opeai_nb.library.disk.files import Disk
from opeai_nb.library.journal.journal_file import owner_in
from tests.library.conftest import Clock
from tests.profiled import profiled

URL = "https://x.example/a.png?signature=1"


def journal(entry: Entry) -> Path:
    return entry.folder / "journal.jsonl"


@pytest.fixture
def dead(folder: Path, clock: Clock) -> Callable[..., Entry]:
    """Return an entry as another kernel finds it after its own process has died."""

    def dead(entry: Entry) -> Entry:
        path = journal(entry)
        text = path.read_text()
        facts = json.loads(text.splitlines()[0])
        facts["owner"]["token"] = "0" * 16
        path.write_text("\n".join([json.dumps(facts), *text.splitlines()[1:]]))
        return Library(folder, clock=clock).entry(entry.id)

    return dead


def test_nothing_is_created_before_the_first_write(library: Library, folder: Path) -> None:
    assert library.pending() == []
    assert list(library.records()) == []
    assert library.problems() == []
    assert not folder.exists()


def test_the_intent_is_on_the_disk_with_all_that_a_resume_needs(
    begin: Callable[..., Entry], folder: Path, clock: Clock
) -> None:
    begin("a cat", slot=Slot("c1", 2), n=2)
    (entry,) = Library(folder, clock=clock).pending()
    assert entry.request == ImageRequest("a cat", n=2)
    assert (entry.key, entry.base_url, entry.origin) == ("key-1", "https://x.example", "platform")
    assert entry.slot == Slot("c1", 2)
    assert entry.created == clock.now


def test_the_journal_is_hidden_from_git(begin: Callable[..., Entry], folder: Path) -> None:
    begin()
    assert (folder / ".pending" / ".gitignore").read_text() == "*\n"


def test_input_pictures_are_kept_by_content(
    begin: Callable[..., Entry],
    folder: Path,
    picture: Callable[..., bytes],
    tmp_path: Path,
    clock: Clock,
) -> None:
    source = tmp_path / "cat.png"
    source.write_bytes(picture())
    for _ in range(2):
        begin(ImageRequest("x", image=source))
    source.unlink()
    entry, _ = Library(folder, clock=clock).pending()
    assert entry.request.image[0].data == picture()
    assert entry.request.image[0].name == "cat.png"
    assert len(list((folder / ".inputs").iterdir())) == 1


def test_the_oldest_comes_first(begin: Callable[..., Entry], library: Library) -> None:
    prompts = [begin(str(n)).prompt for n in range(5)]
    assert [entry.prompt for entry in library.pending()] == prompts


def test_what_this_process_works_on_is_in_flight(begin: Callable[..., Entry], folder: Path) -> None:
    entry = begin()
    assert entry.truth == "in flight"
    entry.sending()
    assert [e.truth for e in Library(folder).pending()] == ["in flight"]


@pytest.mark.parametrize(
    ("steps", "state", "truth"),
    [
        ([], "intended", "not sent"),
        (["sending"], "sending", "outcome unknown"),
        (["sending", "submitted"], "pending", "pending"),
        (["sending", "submitted", "answered"], "fetching", "fetching"),
        (["sending", "answered"], "fetching", "fetching"),
        (["sending", "unknown"], "unknown", "outcome unknown"),
    ],
)
def test_after_a_crash_the_truth_is_told(
    begin: Callable[..., Entry],
    dead: Callable[..., Entry],
    steps: list[Any],
    state: str,
    truth: str,
) -> None:
    entry = begin()
    given = {
        "sending": (),
        "submitted": (Task("image_1"),),
        "answered": (Generation((Picture(url=URL),), entry.request),),
        "unknown": ("the connection broke",),
    }
    for step in steps:
        getattr(entry, step)(*given[step])
    found = dead(entry)
    assert (found.state, found.truth) == (state, truth)


def test_what_the_engine_of_a_dead_process_painted_is_asked_for_again(
    begin: Callable[..., Entry], dead: Callable[..., Entry]
) -> None:
    cut_off, told = begin("a cat", origin="engine"), begin("a dog", origin="engine")
    cut_off.sending()
    told.sending()
    told.unknown("rehearsed: the connection broke")
    assert dead(cut_off).truth == "not sent"
    assert dead(told).truth == "outcome unknown", "what a rehearsal teaches stays"


def test_what_the_engine_of_a_dead_process_painted_in_part_is_asked_for_again(
    begin: Callable[..., Entry], dead: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin("a cat", origin="engine", n=2)
    entry.sending()
    (entry.folder / "aa.png").write_bytes(picture())
    assert dead(entry).truth == "not sent"
    (entry.folder / "bb.png").write_bytes(picture("PNG", "blue"))
    assert dead(entry).take_state == "pending", "both are there: nobody need paint"


def test_a_task_is_noted_with_its_deadline(
    begin: Callable[..., Entry], dead: Callable[..., Entry], clock: Clock
) -> None:
    entry = begin()
    entry.sending()
    entry.submitted(Task("image_1", poll_path="/v1/images/generations/image_1"))
    clock.pass_(3600)
    found = dead(entry)
    assert (found.task_id, found.poll_path) == ("image_1", "/v1/images/generations/image_1")
    assert found.time_left() == 23 * 3600
    clock.pass_(24 * 3600)
    assert (found.time_left(), found.truth) == (0, "expired")


def test_an_answer_is_noted_so_that_only_what_is_missing_is_fetched(
    begin: Callable[..., Entry], dead: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin()
    entry.sending()
    failed = errors.ModerationError("refused", code="moderation")
    pictures = (
        Picture(url=URL, revised_prompt="a red cat"),
        Picture(url=URL + "2"),
        Picture(error=failed),
        Picture(url=URL, error=errors.DownloadError("cut", url=URL)),
    )
    entry.answered(Generation(pictures, entry.request, usage={"total_tokens": 3}, task_id="t"))
    (entry.folder / "0").mkdir()
    (entry.folder / "0" / "abc.png").write_bytes(picture())
    (entry.folder / "1").mkdir()
    (entry.folder / "1" / ".def.part").write_bytes(picture()[:20])
    found = dead(entry)
    assert found.received() == {0: entry.folder / "0" / "abc.png"}
    again = found.generation()
    assert [p.data for p in again.pictures] == [picture(), None, None, None]
    assert [p.url for p in again.pictures] == [URL, URL + "2", None, URL]
    assert again.pictures[0].revised_prompt == "a red cat"
    assert isinstance(again.pictures[2].error, errors.ModerationError)
    assert again.pictures[3].error is None  # it is fetched again
    assert (again.usage, again.task_id) == ({"total_tokens": 3}, "t")


def test_bytes_in_memory_are_on_the_disk_once_answered(
    begin: Callable[..., Entry], dead: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin()
    entry.answered(Generation((Picture(picture()), Picture(picture("JPEG"))), entry.request))
    found = dead(entry).generation()
    assert [p.data for p in found.pictures] == [picture(), picture("JPEG")]


def test_files_that_came_straight_into_the_folder_keep_their_places(
    begin: Callable[..., Entry], dead: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin()
    paths = [entry.folder / name for name in ("zz.png", "aa.png")]
    for path, colour in zip(paths, ("red", "blue"), strict=True):
        path.write_bytes(picture("PNG", colour))
    entry.answered(Generation(tuple(Picture(path) for path in paths), entry.request))
    assert dead(entry).received() == {0: paths[0], 1: paths[1]}


def test_pictures_before_a_cut_answer_are_found(
    begin: Callable[..., Entry], dead: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin()
    entry.sending()
    (entry.folder / "aa.png").write_bytes(picture())
    (entry.folder / ".bb.part").write_bytes(picture()[:9])
    (entry.folder / "empty.png").write_bytes(b"")
    found = dead(entry)
    assert found.truth == "outcome unknown"
    assert [p.data for p in found.generation().pictures] == [picture()]


def test_a_failure_settles_it(begin: Callable[..., Entry], library: Library) -> None:
    entry = begin()
    entry.failed("refused")
    assert library.pending() == []
    assert not entry.folder.exists()


def test_a_failure_never_throws_away_what_has_reached_us(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    (entry.folder / "aa.png").write_bytes(picture())
    entry.failed("the answer was cut off")
    (found,) = library.pending()
    assert (found.state, found.error) == ("unknown", "the answer was cut off")


def test_what_is_forgotten_is_gone(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    (entry.folder / "aa.png").write_bytes(picture())
    entry.forget()
    assert library.pending() == []


def test_an_entry_is_found_by_the_beginning_of_its_id_or_by_its_task(
    begin: Callable[..., Entry], library: Library
) -> None:
    entry = begin()
    entry.submitted(Task("image_77"))
    assert library.entry(entry.id[:5]).id == library.entry("image_77").id == entry.id


@pytest.mark.parametrize("text", ["", "zz"])
def test_an_unknown_entry_is_an_error_with_the_next_step(
    begin: Callable[..., Entry], library: Library, text: str
) -> None:
    begin()
    with pytest.raises(LibraryError, match="%imagine tasks") as caught:
        library.entry(text)
    assert "No unfinished request" in caught.value.message


def test_an_ambiguous_id_is_an_error(begin: Callable[..., Entry], library: Library) -> None:
    ids = {begin().id[0] for _ in range(17)}
    seen = next(c for c in ids if sum(e.id[0] == c for e in library.pending()) > 1)
    with pytest.raises(LibraryError, match="Several unfinished requests"):
        library.entry(seen)


def test_who_resumes_takes_it_over(begin: Callable[..., Entry], dead: Callable[..., Entry]) -> None:
    found = dead(begin())
    assert (found.truth, found.is_mine) == ("not sent", False)
    found.adopt()
    assert (found.truth, found.is_mine) == ("in flight", True)


def test_who_takes_over_what_its_owner_settles_in_that_moment_changes_no_other(
    begin: Callable[..., Entry], dead: Callable[..., Entry], folder: Path, clock: Clock
) -> None:
    """The owner woke up, and its next request is in the same file."""

    class Slow(Disk):
        meanwhile: Callable[[], object] | None = None

        def open(self, path: Path | str, flags: int) -> int:
            handle = super().open(path, flags)
            if self.meanwhile is not None:
                meanwhile, self.meanwhile = self.meanwhile, None
                meanwhile()
            return handle

    first, _busy, following = begin("a fox"), begin("an owl"), list[Entry]()
    file = journal(first).stat().st_ino
    dead(first)
    disk = Slow()
    taken = Library(folder, clock=clock, disk=disk).entry(first.id)

    def settle_and_go_on() -> None:
        first.forget()
        following.append(begin("a cat"))

    disk.meanwhile = settle_and_go_on
    taken.adopt()
    (cat,) = following
    assert journal(cat).stat().st_ino == file
    assert first.id.encode() in journal(cat).read_bytes()
    now = Library(folder, clock=clock).entry(cat.id)
    assert (now.request.prompt, now.owner) == ("a cat", cat.owner)
    cat.sending()
    assert owner_in(cat.folder) == cat.owner


def test_every_cut_of_the_journal_is_survived(
    begin: Callable[..., Entry], dead: Callable[..., Entry]
) -> None:
    entry = begin()
    entry.sending()
    entry.submitted(Task("image_1"))
    dead(entry)
    whole = journal(entry).read_bytes()
    first = whole.index(b"\n")
    truths = set()
    for end in range(first, len(whole) + 1):
        journal(entry).write_bytes(whole[:end])
        truths.add(dead(entry).truth)
    assert truths == {"not sent", "outcome unknown", "pending"}


def test_a_line_after_a_cut_one_counts(
    begin: Callable[..., Entry], dead: Callable[..., Entry]
) -> None:
    entry = begin()
    with journal(entry).open("ab") as file:
        file.write(b'\n{"at": 1, "state": "sen')
    entry.submitted(Task("image_1"))
    assert dead(entry).task_id == "image_1"


def test_a_journal_that_vanishes_is_told_once_and_survived(begin: Callable[..., Entry]) -> None:
    entry = begin()
    entry.sending()
    journal(entry).unlink()
    with pytest.warns(LibraryWarning, match="may not be resumed"):
        entry.submitted(Task("image_1"))
    entry.unknown("cut off")  # a second warning would be an error here
    assert (entry.task_id, entry.state) == ("image_1", "unknown")


def test_what_cannot_be_noted_as_sent_does_not_leave(begin: Callable[..., Entry]) -> None:
    entry = begin()
    journal(entry).unlink()
    with pytest.raises(LibraryError, match="Nothing was sent"):
        entry.sending()
    assert entry.state == "intended"


def test_a_disk_that_takes_half_a_line_is_told(begin: Callable[..., Entry]) -> None:
    """It says nothing when it takes the first part, and the line does not count."""
    resource = pytest.importorskip("resource", reason="this system has no limit of file sizes")
    entry = begin()
    room = journal(entry).stat().st_size + 20
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.warns(LibraryWarning, match=r"\(File too large\).*may not be resumed"):
            entry.submitted(Task("image_1"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal(entry).stat().st_size == room


@pytest.mark.parametrize(
    "change",
    [
        {"id": "deadbeef"},
        {"name": "../../evil"},
        {"name": "a/b"},
        {"request": "a cat"},
        {"request": {"prompt": 7, "model": "m"}},
        {"created": "yesterday"},
        {"state": "paid"},
        {"slot": 7},
        {"owner": None},
        {"request": {"prompt": "a cat", "model": "m", "image": 7}},
        {"task_id": 7},
        {"poll_path": 7},
        {"answer": {"pictures": [7]}},
        {"answer": {"pictures": []}},
        {"answer": {"pictures": [{"url": 7}]}},
        {"answer": {"pictures": [{"error": "lost"}]}},
        {"answer": {"pictures": [{"url": "https://x.example/a.png"}], "usage": 7}},
        {"opeai_nb": 2},
        {"deadline": "soon"},
    ],
)
def test_an_edited_entry_is_told_and_skipped(
    begin: Callable[..., Entry], library: Library, change: dict[str, Any]
) -> None:
    good, bad = begin("good"), begin("bad")
    facts = {**json.loads(journal(bad).read_text()), **change}
    journal(bad).write_text(json.dumps(facts))
    assert [entry.id for entry in library.pending()] == [good.id]
    (problem,) = library.problems()
    assert problem.startswith(f".pending/{bad.id}: the journal cannot be read")


def test_an_entry_never_leads_out_of_its_folder(
    begin: Callable[..., Entry],
    dead: Callable[..., Entry],
    tmp_path: Path,
    picture: Callable[..., bytes],
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture())
    entry = begin()
    entry.answered(Generation((Picture(url=URL), Picture(url=URL)), entry.request))
    text = (
        journal(entry).read_text().replace(f'{{"url":"{URL}"}}', '{"file": "../../../secret.png"}')
    )
    assert "secret" in text
    journal(entry).write_text(text)
    (entry.folder / "0").symlink_to(tmp_path)
    (entry.folder / "link.png").symlink_to(secret)
    assert dead(entry).received() == {}


def test_a_journal_folder_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / ".pending").symlink_to(tmp_path / "elsewhere")
    library = Library(folder)
    begun = library.begin(ImageRequest("x"), key="k", base_url="http://x", origin="platform")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert [(entry.id, entry.home) for entry in library.pending()] == [
        (begun.id, library.homes.second)
    ]


def test_what_is_swept_leads_nowhere_else(
    begin: Callable[..., Entry], library: Library, folder: Path, tmp_path: Path
) -> None:
    """A folder from a stranger may hold links in the place of what is removed."""
    begin()
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    for name in (".gone-abc", ".new-old"):
        (folder / ".pending" / name).symlink_to(tmp_path / "papers")
        os.utime(folder / ".pending" / name, (0, 0), follow_symlinks=False)
    library.pending()
    assert (tmp_path / "papers" / "thesis.txt").read_text() == "years of work"
    assert not [path for path in (folder / ".pending").iterdir() if path.is_symlink()]


def test_what_dead_processes_left_half_done_is_swept(
    begin: Callable[..., Entry], library: Library, folder: Path
) -> None:
    entry = begin()
    journals = folder / ".pending"
    for name in (".gone-abc", ".new-old", ".new-young"):
        (journals / name / "0").mkdir(parents=True)
    os.utime(journals / ".new-old", (0, 0))
    assert [found.id for found in library.pending()] == [entry.id]
    left = {path.name for path in journals.iterdir()}
    assert left == {".alive", ".gitignore", ".new-young", entry.id}


@pytest.mark.parametrize("torn", ["", '{"opeai_nb": 1, "ow'])
def test_what_a_dead_process_had_only_begun_is_swept_at_once(
    begin: Callable[..., Entry], library: Library, folder: Path, torn: str
) -> None:
    """Whoever writes it stands in its name: its journal may say nothing yet."""
    begin()
    (alive,) = (folder / ".pending" / ".alive").iterdir()
    of_the_living, of_the_dead = (
        folder / ".pending" / f".new-{token}-{'0' * 16}" for token in (alive.name, "f" * 16)
    )
    for new in (of_the_living, of_the_dead):
        new.mkdir()
        (new / "journal.jsonl").write_text(torn)
    library.pending()
    assert of_the_living.is_dir()
    assert not of_the_dead.exists()


def test_without_metadata_is_kept_through_a_restart(
    dead: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = library.begin(
        ImageRequest("x"), key="k", base_url="http://x", origin="platform", metadata=False
    )
    found = dead(entry)
    kept = library.keep(found, Generation((Picture(picture()),), found.request))
    assert kept.pictures[0].path.read_bytes() == picture()


def test_one_wait_for_the_journals_folder_does_for_all_that_were_begun_before(
    begin: Callable[..., Entry],
) -> None:
    first, second = begin("a cat"), begin("a dog")
    assert folders_synced(second.sending) == 1
    assert folders_synced(first.sending) == 0
    assert folders_synced(begin("an owl").sending) == 1  # begun after it


def folders_synced(work: Callable[[], object]) -> int:
    """Do *work*, and return how many times it was waited for a folder."""
    callers: list[str] = []

    def look(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == "fsync":
            callers.append(frame.f_code.co_name)

    with profiled(look):
        work()
    return callers.count("_sync_folder")


class LookedAt(Disk):
    """A disk on which another session lists what is unfinished once a record has its name."""

    def rename(self, old: Path | str, new: Path | str) -> None:
        super().rename(old, new)
        if str(new).endswith(".json"):
            assert Library(Path(new).parent).pending()


def test_the_rest_of_an_answer_outlives_a_look_at_the_moment_when_its_pictures_are_kept(
    folder: Path, begin: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    library = Library(folder, disk=LookedAt())
    entry = begin(into=library)
    entry.sending()
    answer = errors.Answer(b"{and more")
    library.keep(entry, Generation((Picture(picture()),), entry.request, answer=answer))
    (left,) = Library(folder).pending()
    assert left.answer() == b"{and more"
