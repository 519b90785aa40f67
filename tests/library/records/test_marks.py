"""Star, tag, note and trash: what people say of what is kept, and what becomes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.errors import LibraryError
from opeai_nb.library import Library, Marks, Slot, info
from opeai_nb.library.marks import put_together
from tests.library import replaying
from tests.library.conftest import Clock

Keep = Callable[..., Generation]


@pytest.fixture
def fox(keep: Keep, library: Library) -> str:
    """The id of a record, a fox, beside which there is an owl."""
    keep("an owl")
    keep("a fox", slot=Slot("cell-1"), usage={"total_tokens": 10})
    return library.search("fox")[0].id


def test_a_record_without_marks_has_none(library: Library, fox: str) -> None:
    assert library.marks(library.record(fox)) == Marks()
    assert not (library.folder / "marks").exists()


def test_star_tags_and_note_are_found_again_by_another_process(library: Library, fox: str) -> None:
    library.mark(fox, star=True, tag=["#Poster", "talk"], note="for the 今晚 talk")
    marks = library.mark(fox, untag=["TALK"])
    assert marks == Marks(starred=True, tags=("Poster",), note="for the 今晚 talk")
    assert str(marks) == "★ #Poster for the 今晚 talk"
    again = Library(library.folder)
    assert again.marks(again.record(fox)) == marks
    assert [record.id for record in again.search(starred=True)] == [fox]
    assert [record.id for record in again.search("fox", tag="poster", model="gpt*")] == []
    assert [record.id for record in again.search(tag="poster")] == [fox]
    assert [record.id for record in again.search(tag="#poster")] == [fox], "as it is listed"
    assert again.search("owl", starred=True) == []
    library.mark(fox, star=False)
    assert again.search(starred=True) == [], "the other one looks again"
    again.close()


def test_where_one_of_several_is_none_none_is_changed(library: Library, fox: str) -> None:
    for other in (f"{fox}-2", "00000000"):
        with pytest.raises(LibraryError):
            library.mark_all([fox, other], star=True)
    assert library.marks(library.record(fox)) == Marks()


def test_what_is_undone_is_undone_though_the_clock_was_set_back(
    library: Library, fox: str, clock: Clock
) -> None:
    """Or stands an hour behind, on the machine of another who shares the folder."""
    library.mark(fox, trash=True, note="blurred")
    clock.pass_(-86_400)
    for other in (library, Library(library.folder, clock=clock)):
        assert not other.mark(fox, trash=False).trashed
        assert other.mark(fox, trash=True).trashed
    assert library.mark(fox, note="sharp").note == "sharp"


def test_one_picture_of_several_is_starred_tagged_and_noted_by_itself(
    library: Library, keep: Keep, picture: Callable[..., bytes]
) -> None:
    kept = keep("a hare", pictures=[picture(colour=it) for it in ("red", "blue", "teal")])
    hare = library.search("hare")[0]
    library.mark(hare.id, tag=["may"])
    library.mark(f"{hare.id}-2", star=True, note="this one")
    marks = library.mark(f"{hare.id[:6]}-3", tag=["spare"])
    assert str(marks) == "#may · 2: ★ this one · 3: #spare"
    assert [marks.at(n).starred for n in (1, 2, 3)] == [False, True, False]
    assert marks.at(3).tags == ("may", "spare")
    assert [record.id for record in library.search(starred=True, tag="spare")] == [hare.id]
    told = [info(each.path) for each in kept.pictures]
    assert [(each["starred"], each["note"]) for each in told[:2]] == [
        (False, ""),
        (True, "this one"),
    ]
    assert library.mark(f"{hare.id}-2", star=False, note="").pictures[0][0] == 3


def test_pictures_that_replay_together_go_into_the_trash_together(
    library: Library, keep: Keep, picture: Callable[..., bytes]
) -> None:
    keep("a hare", pictures=[picture()] * 2)
    hare = library.search("hare")[0].id
    with pytest.raises(LibraryError, match="one of 2 pictures that replay together"):
        library.mark(f"{hare}-1", trash=True)
    for number in ("3", "0", "x"):
        with pytest.raises(LibraryError, match="has no picture"):
            library.mark(f"{hare}-{number}", star=True)


def test_the_only_picture_of_a_record_is_the_record(library: Library, fox: str) -> None:
    assert library.mark(f"{fox}-1", star=True) == Marks(starred=True)
    assert library.mark(f"{fox}-1", trash=True).trashed


def test_the_record_itself_is_not_touched(library: Library, fox: str) -> None:
    file = library.folder / library.record(fox).file
    before = file.read_bytes()
    library.mark(fox, star=True)
    assert file.read_bytes() == before
    (marks,) = (library.folder / "marks").iterdir()
    assert marks.name == file.with_suffix(".jsonl").name
    assert json.loads(marks.read_text())["star"] is True


def test_trash_hides_and_deletes_nothing_and_can_be_undone(library: Library, fox: str) -> None:
    files = sorted(path.name for path in library.folder.iterdir())
    paid = library.usage().total
    library.mark(fox, trash=True)
    assert [record.prompt for record in library.search()] == ["an owl"]
    assert [record.prompt for record in library.records()] == ["an owl"]
    assert [record.prompt for record in library.search(trashed=True)] == ["a fox"]
    assert len(list(library.records(trashed=True))) == 2
    assert library.usage().total == paid, "what was paid for stays paid for"
    assert set(files) <= {path.name for path in library.folder.iterdir()}
    library.mark(fox, trash=False)
    assert [record.prompt for record in library.search()] == ["a fox", "an owl"]


def test_what_is_in_the_trash_is_not_replayed(library: Library, fox: str) -> None:
    request = ImageRequest("a fox")

    def shown() -> str | None:
        record = replaying.shown(library, request, slot=Slot("cell-1"))
        return record.id if record else None

    identity = library.record(fox).identity
    assert (shown(), library.holds([identity])) == (fox, {identity})
    library.mark(fox, trash=True)
    assert (shown(), library.holds([identity])) == (None, frozenset())
    library.mark(fox, trash=False)
    assert (shown(), library.holds([identity])) == (fox, {identity})


@pytest.mark.parametrize("tag", ["", "#", "two words", "'two", "x" * 65])
def test_a_tag_is_one_word(library: Library, fox: str, tag: str) -> None:
    with pytest.raises(LibraryError, match="is no tag"):
        library.mark(fox, tag=[tag])
    assert library.marks(library.record(fox)) == Marks()


def test_two_kernels_mark_one_record_and_lose_nothing(library: Library, fox: str) -> None:
    other = Library(library.folder)
    for n in range(20):
        (library, other)[n % 2].mark(fox, tag=[f"t{n:02}"])
    assert len(library.marks(library.record(fox)).tags) == 20
    other.close()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_beside_another_users_file_ones_own_begins(library: Library, fox: str) -> None:
    library.mark(fox, star=True)
    (theirs,) = (library.folder / "marks").iterdir()
    theirs.chmod(0o444)
    assert library.mark(fox, tag=["mine"]) == Marks(starred=True, tags=("mine",))
    assert len(list((library.folder / "marks").iterdir())) == 2


BAD = [
    b"{",
    b"7",
    b'{"star": true}',
    b'{"at": "2026", "star": "yes"}',
    b'{"at": "2026", "tag": [7]}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("line", BAD)
def test_a_line_of_a_stranger_is_passed_over(library: Library, fox: str, line: bytes) -> None:
    library.mark(fox, star=True)
    (file,) = (library.folder / "marks").iterdir()
    file.write_bytes(file.read_bytes() + b"\n" + line)
    assert library.mark(fox, tag=["x"]) == Marks(starred=True, tags=("x",))


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_no_link_is_followed(library: Library, fox: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (library.folder / "marks").symlink_to(elsewhere)
    library.mark(fox, star=True)  # into the second home
    assert list(elsewhere.iterdir()) == []
    assert library.marks(library.record(fox)) == Marks(starred=True)


changes = st.fixed_dictionaries(
    {"at": st.integers(0, 9).map(str)},
    optional={
        "star": st.booleans(),
        "trash": st.booleans(),
        "note": st.text(max_size=3),
        "tag": st.lists(st.sampled_from(["a", "A", "b"]), max_size=2),
        "untag": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    },
)


@given(st.lists(changes, unique_by=lambda change: change["at"]), st.randoms())
def test_the_order_in_which_files_are_read_changes_nothing(lines: list[Any], random: Any) -> None:
    mixed = random.sample(lines, len(lines))
    assert put_together(mixed) == put_together(lines)
    stars = [line["star"] for line in sorted(lines, key=lambda it: it["at"]) if "star" in line]
    assert put_together(lines).starred is (stars[-1] if stars else False)
