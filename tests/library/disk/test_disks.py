"""Disks that refuse: read-only, full, without fsync. Nothing paid for is lost, or told wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.library import (
    Entry,
    Library,
    LibraryWarning,
    Session,
    Slot,
    identity,
    info,
    received_bytes,
)
from opeai_nb.library.disk.files import Disk, remove_folder, write_new
from opeai_nb.library.disk.homes import library_of
from opeai_nb.library.replay.replay import decide
from tests.bench.loopback import noisy_png
from tests.library.refusing_disk import BusyDisk, RefusingDisk


@pytest.fixture
def disk() -> RefusingDisk:
    return RefusingDisk()


@pytest.fixture
def shelf(folder: Path, disk: RefusingDisk) -> Library:
    """A library on a disk that may refuse."""
    return Library(folder, disk=disk)


@pytest.fixture
def course(keep: Callable[..., Generation], shelf: Library, disk: RefusingDisk) -> Library:
    """A teacher's library with one picture, which a student may read and not write."""
    keep("a fox", into=shelf, slot=Slot("c1"))
    disk.read_only = (shelf.folder,)
    return shelf


def whole(picture: bytes, entry: Entry, count: int = 1) -> Generation:
    return Generation((Picture(picture),) * count, entry.request)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_name_without_a_folder_lies_in_the_one_that_a_person_works_in(
    kind: Callable[[str], str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_new(kind("fox.txt"), b"a fox")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "owl.txt").touch()
    remove_folder(kind("folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["fox.txt"]


# -- a disk of Windows


def test_what_a_virus_scanner_looks_at_is_kept_a_moment_later(
    folder: Path, keep: Callable[..., Generation]
) -> None:
    library = Library(folder, disk=BusyDisk(moments=5))
    kept = keep("a fox", into=library)
    assert kept.pictures[0].path is not None
    assert kept.pictures[0].path.parent == folder
    assert library.pending() == []


def test_where_nothing_can_be_renamed_nothing_is_begun(
    folder: Path, begin: Callable[..., Entry]
) -> None:
    library = Library(folder, disk=BusyDisk(moments=150))
    with pytest.raises(LibraryError, match="Nothing was sent"):
        begin("a fox", into=library)


# -- a drive without links


def test_where_there_are_no_links_ones_own_journal_is_known_all_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin: Callable[..., Entry],
    shelf: Library,
    disk: RefusingDisk,
) -> None:
    """Else its pictures would be told to be somebody else's, and fetched only when asked."""
    monkeypatch.setenv("OPEAI_NB_DATA", str(tmp_path / "data"))
    disk.link_error = errno.EPERM
    entry = begin("a fox", into=shelf)
    entry.sending()
    url = "https://pictures.example/1.png"
    entry.answered(Generation((Picture(url=url),), entry.request))
    assert shelf.pending()[0].foreign_hosts() == frozenset()
    assert [path.name for path in (tmp_path / "data" / "opeai_nb").iterdir()] == ["seal"]


# -- a folder that cannot be written


def test_what_a_student_makes_in_a_read_only_folder_lies_in_her_own_and_is_told_once(
    course: Library, keep: Callable[..., Generation]
) -> None:
    with pytest.warns(LibraryWarning, match="kept in your own data folder") as told:
        made = keep("a hare", into=course)
    keep("a mole", into=course)  # a second warning would be an error here
    assert len(told) == 1
    assert made.pictures[0].path.parent == course.homes.second
    assert [record.prompt for record in course.records()] == ["a mole", "a hare", "a fox"]
    assert [record.prompt for record in course.search("fox")] == ["a fox"]
    assert [record.prompt for record in course.search("a", limit=2)] == ["a mole", "a hare"]
    assert course.usage().total.requests == 3
    assert course.pending() == []


def test_both_homes_replay_in_the_next_session(
    course: Library, keep: Callable[..., Generation], disk: RefusingDisk
) -> None:
    with pytest.warns(LibraryWarning):
        keep("a hare", into=course, slot=Slot("c2"))
    later = Library(course.folder, disk=disk)
    for prompt, cell in (("a fox", "c1"), ("a hare", "c2")):
        request = identity(ImageRequest(prompt))
        look = later.look(request, Session(), origins={"platform"}, server="https://x.example")
        choice = decide(look.scene, Slot(cell), caller="cell", fresh=False)
        assert choice.does == "show"
        assert later.kept(look.files[choice.take]).prompt == prompt


def test_marks_and_notes_of_a_read_only_library_lie_in_the_second_home(course: Library) -> None:
    (fox,) = course.records()
    course.mark(fox.id, star=True)
    course.note(fox.identity, Session(), Slot("c9"), fox.id)
    later = Library(course.folder)
    assert [record.id for record in later.search(starred=True)] == [fox.id]
    look = later.look(fox.identity, Session(), origins={"platform"}, server="")
    assert [note.slot for note in look.scene.notes] == [Slot("c9")]


def test_an_entry_of_the_second_home_is_resumed_from_there(
    course: Library, begin: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin("a hare", into=course)
    entry.sending()
    entry.answered(whole(picture(), entry))
    (left,) = Library(course.folder, disk=course.homes.disk).pending()
    with pytest.warns(LibraryWarning, match="own data folder"):
        course.keep(left, left.generation())
    assert course.pending() == []
    assert course.record(entry.id).prompt == "a hare"


def test_an_edit_in_a_read_only_folder_keeps_its_input_beside_it(
    course: Library, keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    request = ImageRequest("bluer", image=[picture()])
    with pytest.warns(LibraryWarning):
        keep(request, into=course)
    (record,) = course.search("bluer")
    assert record.request.image[0].data == picture()


def test_what_was_copied_into_the_library_from_the_second_home_is_listed_once(
    course: Library, keep: Callable[..., Generation], disk: RefusingDisk
) -> None:
    with pytest.warns(LibraryWarning):
        keep("a hare", into=course)
    for file in course.homes.second.iterdir():
        if file.is_file():
            (course.folder / file.name).write_bytes(file.read_bytes())
    assert [record.prompt for record in course.records()] == ["a hare", "a fox"]


def test_a_second_home_that_is_removed_takes_its_records_along(
    course: Library, keep: Callable[..., Generation]
) -> None:
    with pytest.warns(LibraryWarning):
        keep("a hare", into=course)
    assert len(list(course.records())) == 2
    course.homes.second.rename(course.homes.second.with_name("elsewhere"))
    assert [record.prompt for record in course.records()] == ["a fox"]


def test_what_was_made_from_a_picture_of_the_other_home_is_told_of_it(
    course: Library, keep: Callable[..., Generation], disk: RefusingDisk
) -> None:
    (fox,) = course.records()
    with pytest.warns(LibraryWarning):
        made = keep(ImageRequest("bluer", image=[fox.paths[0]]), into=course)
    assert info(made.pictures[0].path)["made_from"] == [fox.id]
    assert [edit["prompt"] for edit in info(fox.paths[0])["edits"]] == ["bluer"]


def test_a_file_that_names_a_library_is_believed_of_its_own_second_home_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "library.txt").write_text("/somewhere/else")
    assert library_of(tmp_path) == tmp_path


def test_where_no_disk_takes_the_intent_nothing_may_be_sent(
    course: Library, disk: RefusingDisk
) -> None:
    disk.read_only = (course.folder, course.homes.second)
    with pytest.raises(LibraryError, match=r"Neither .* can be written .*Nothing was sent"):
        course.begin(ImageRequest("a hare"), key="k", base_url="http://x", origin="platform")
    assert course.pending() == []


def test_where_the_sending_cannot_be_noted_it_may_not_be_sent(
    shelf: Library, disk: RefusingDisk, begin: Callable[..., Entry]
) -> None:
    entry = begin(into=shelf)
    disk.room = 0
    with pytest.raises(LibraryError, match="Nothing was sent"):
        entry.sending()
    assert entry.state == "intended"


def test_a_file_in_the_place_of_the_library_is_no_loss(
    folder: Path, keep: Callable[..., Generation]
) -> None:
    folder.write_text("no folder")
    library = Library(folder)
    with pytest.warns(LibraryWarning, match="own data folder"):
        kept = keep("a fox", into=library)
    assert [record.prompt for record in library.records()] == ["a fox"]
    assert kept.pictures[0].path.is_file()


STUDENT = """
    import json, os, sys, warnings
    from opeai_nb.client import Generation, ImageRequest, Picture
    from opeai_nb.library import Library
    warnings.simplefilter("ignore")
    picture = Picture(bytes.fromhex(sys.argv[2]))

    def keep(library):
        request = ImageRequest("a hare")
        entry = library.begin(request, key="k", base_url="http://x", origin="platform")
        entry.sending()
        return library.keep(entry, Generation((picture,), request))

    keep(Library(sys.argv[3]))  # what is imported late lies where she may not read
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
    library = Library(sys.argv[1])
    kept = keep(library)
    names = [record.prompt for record in Library(sys.argv[1]).records()]
    print(json.dumps([names, str(kept.pictures[0].path.parent), str(library.homes.second)]))
"""


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        if not all(above.stat().st_mode & stat.S_IXOTH for above in place.parents):
            pytest.skip("no other user may enter the folder for temporary files")
        yield place


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root becomes another")
def test_another_user_keeps_beside_what_she_may_only_read(
    everybodys: Path, keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    folder, own = everybodys / "imagine", everybodys / "hers"
    keep("a fox", into=Library(folder))
    own.mkdir()
    own.chmod(0o777)
    done = subprocess.run(
        [
            *(sys.executable, "-c", textwrap.dedent(STUDENT)),
            *(str(folder), picture().hex(), str(everybodys / "first")),
        ],
        env={**os.environ, "OPEAI_NB_DATA": str(own / "data"), "OPEAI_NB_CACHE": str(own)},
        capture_output=True,
        text=True,
        check=True,
    )
    names, place, second = json.loads(done.stdout)
    assert names == ["a hare", "a fox"]
    assert place == second


# -- a drive without fsync


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_drive_without_fsync_keeps_pictures_and_tells_it_once(
    folder: Path, keep: Callable[..., Generation], number: int
) -> None:
    library = Library(folder, disk=RefusingDisk(sync=number))
    with pytest.warns(LibraryWarning, match="knows no fsync") as told:
        keep("a fox", into=library)
    keep("a hare", into=library)
    assert len(told) == 1
    assert [record.prompt for record in Library(folder).records()] == ["a hare", "a fox"]


def test_a_drive_whose_fsync_fails_is_no_place_for_an_intent(folder: Path) -> None:
    library = Library(folder, disk=RefusingDisk(sync=errno.EIO))
    with pytest.raises(LibraryError, match="Nothing was sent"):
        library.begin(ImageRequest("a hare"), key="k", base_url="http://x", origin="platform")


def test_a_disk_is_slow_while_each_wait_for_it_takes_long(tmp_path: Path) -> None:
    now = [0.0]

    class Timed(Disk):
        seconds = 0.01

        def fsync(self, handle: int) -> None:
            now[0] += self.seconds

    disk = Timed(clock=lambda: now[0])

    def is_slow_after(waits: int, seconds: float) -> bool:
        disk.seconds = seconds
        for number in range(waits):
            write_new(tmp_path / f"{now[0]}-{number}", b"x", disk=disk)
        return disk.is_slow

    assert not is_slow_after(39, 0.01)  # a busy interpreter makes some of them long
    assert is_slow_after(1, 0.01)
    assert not is_slow_after(1, 0.001)


# -- a disk that is full


def test_a_full_disk_keeps_what_lies_in_the_journal_without_more_room(
    shelf: Library, disk: RefusingDisk, begin: Callable[..., Entry]
) -> None:
    """A resume takes the room of the record alone: the pictures get a second name."""
    large, entry = noisy_png(64), begin("a fox", into=shelf, n=2)
    entry.sending()
    entry.answered(whole(large, entry, 2))
    (left,) = Library(shelf.folder).pending()
    disk.room = 2000
    kept = shelf.keep(left, left.generation())
    assert [each.data for each in kept.pictures] == [large] * 2
    assert all(each.path.parent == shelf.folder for each in kept.pictures)
    assert shelf.pending() == []


def test_what_a_full_disk_does_not_take_lies_where_the_message_says(
    shelf: Library, disk: RefusingDisk, begin: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin("a fox", into=shelf, n=2)
    entry.sending()
    one = whole(picture(), entry)
    entry.answered(one)
    (path,) = entry.received().values()
    both = Generation((Picture(path), Picture(picture())), entry.request)
    disk.room = 0
    with pytest.warns(LibraryWarning, match=r"1 of 2 are in the journal, the rest is in memory"):
        shelf.keep(entry, both)
    assert [left.id for left in shelf.pending()] == [entry.id]
    disk.room = None
    kept = shelf.keep(entry, shelf.unkept(entry))
    assert len(kept.pictures) == 2
    assert (shelf.pending(), shelf.unkept(entry)) == ([], None)


def test_pictures_of_which_nothing_reached_the_disk_are_kept_by_the_process_that_has_them(
    shelf: Library, disk: RefusingDisk, begin: Callable[..., Entry]
) -> None:
    entry = begin("a fox", into=shelf, n=2)
    entry.sending()
    disk.room = 2000  # the line that says who has them fits
    with pytest.warns(LibraryWarning, match="in memory only"):
        shelf.keep(entry, whole(noisy_png(64), entry, 2))
    entry.release()
    assert [left.truth for left in Library(shelf.folder).pending()] == ["outcome unknown"]
    (left,) = shelf.pending()
    assert (left.truth, left.take_state, left.is_held_elsewhere) == ("fetching", "pending", False)
    disk.room = None
    shelf.keep(left, shelf.unkept(left))
    assert len(shelf.record(entry.id).files) == 2
    assert shelf.pending() == []


def test_a_disk_without_links_that_is_full_settles_nothing(
    folder: Path, begin: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    disk = RefusingDisk(links=errno.EPERM)
    shelf = Library(folder, disk=disk)
    entry = begin("a fox", into=shelf)
    entry.sending()
    entry.answered(whole(picture(), entry))
    disk.room = 0
    with pytest.warns(LibraryWarning, match="They are in the journal"):
        shelf.keep(entry, entry.generation())
    assert [file for file in folder.iterdir() if file.is_file()] == []
    (left,) = Library(folder).pending()
    assert len(left.received()) == 1


@pytest.mark.parametrize("room", [0, 100, 700, 1500, 14_000])
@pytest.mark.filterwarnings("ignore::opeai_nb.library.LibraryWarning")
def test_wherever_a_disk_fills_up_an_entry_is_settled_with_all_its_pictures_or_not(
    shelf: Library, disk: RefusingDisk, begin: Callable[..., Entry], room: int
) -> None:
    entry, pictures = begin("a fox", into=shelf, n=3), [noisy_png(n) for n in (8, 32, 64)]
    entry.sending()
    disk.room = room
    came = Generation(tuple(map(Picture, pictures)), entry.request)
    entry.answered(came)
    made = shelf.keep(entry, came)
    assert [received_bytes(each.data) for each in made.pictures] == pictures
    kept = [len(record.files) for record in shelf.records()]
    assert (kept, len(shelf.pending())) in [([], 1), ([3], 0)]


# -- what would be too long to be read back


@pytest.mark.parametrize("letters", [700_000, 3_000_000])
def test_a_prompt_that_could_not_be_read_back_is_refused_before_it_is_sent(
    library: Library, letters: int
) -> None:
    with pytest.raises(InputError, match=r"MB of text.*Nothing was sent"):
        library.begin(ImageRequest("狐" * letters), key="k", base_url="http://x", origin="platform")
    assert library.pending() == []


def test_the_longest_prompt_that_is_taken_is_read_back(
    library: Library, keep: Callable[..., Generation]
) -> None:
    keep("狐" * 600_000)
    (record,) = Library(library.folder).records()
    assert len(record.prompt) == 600_000


def test_a_server_that_says_too_much_of_its_pictures_costs_none(
    library: Library, begin: Callable[..., Entry], picture: Callable[..., bytes]
) -> None:
    entry = begin("a fox", n=3)
    entry.sending()
    said = Picture(picture(), revised_prompt="x" * 3_000_000)
    library.keep(entry, Generation((said,) * 3, entry.request))
    (record,) = Library(library.folder).records()
    assert len(record.files) == 3
