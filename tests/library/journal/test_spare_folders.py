"""Folders of settled entries serve the next ones while others are under way, and never stay."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.library import Library
from opeai_nb.library.disk.files import BLANK, DISK, remove_folder, write_into_blank
from opeai_nb.library.journal.journal_file import JOURNAL, line_of
from opeai_nb.library.journal.right_to_send import RightToSend
from opeai_nb.library.journal.spare_folders import SpareFolders

if TYPE_CHECKING:
    from opeai_nb.library import Entry


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "imagine")


def begun(library: Library, prompt: str) -> Entry:
    request = ImageRequest(prompt)
    return library.begin(request, key=prompt, base_url="http://x", origin="platform")


def pending(library: Library) -> set[str]:
    names = {path.name for path in (library.folder / ".pending").iterdir()}
    return names - {".alive", ".gitignore"}


def test_the_next_entry_begins_in_the_folder_of_a_settled_one(library: Library) -> None:
    first, other = begun(library, "a fox"), begun(library, "an owl")
    first.sending()
    (first.folder / "fox.png").write_bytes(b"what came")
    place = first.folder.stat().st_ino
    first.forget()
    following = begun(library, "a cat")
    assert following.folder.stat().st_ino == place
    names = {path.name: path.stat().st_size for path in following.folder.iterdir()}
    assert names == {JOURNAL: len(line_of(following.stands)), BLANK: 0}
    assert following.received() == {}
    assert {entry.id for entry in library.pending()} == {other.id, following.id}


def test_the_last_entry_takes_the_spare_folders_with_it(library: Library) -> None:
    entries = [begun(library, f"fox {number}") for number in range(3)]
    for entry in entries:
        assert len(pending(library)) == len(entries)
        entry.forget()
    assert pending(library) == set()


def test_a_spare_folder_that_another_process_swept_away_is_done_without(library: Library) -> None:
    first, other = begun(library, "a fox"), begun(library, "an owl")
    first.forget()
    assert [entry.id for entry in Library(library.folder).pending()] == [other.id]
    assert pending(library) == {other.id}
    following = begun(library, "a cat")
    assert pending(library) == {other.id, following.id}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_leaves_the_spare_folders_to_its_parent(library: Library) -> None:
    """Both would write into one at once."""
    first, _ = begun(library, "a fox"), begun(library, "an owl")
    place = first.folder.stat().st_ino
    first.forget()
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, f"{begun(library, 'a cat').folder.stat().st_ino}".encode())
        os._exit(0)
    assert os.read(reading, 100) != f"{place}".encode()
    os.wait()
    assert begun(library, "a dog").folder.stat().st_ino == place


def test_an_entry_that_was_taken_over_leaves_no_spare_folder(library: Library) -> None:
    """It may be another user's, who may take the rights to it away."""
    left = begun(library, "a fox")
    left.release()
    begun(library, "an owl")
    library.take_over(left).forget()
    assert not any(name.startswith(".gone-") for name in pending(library))


def test_a_folder_with_folders_in_it_is_removed_whole(library: Library) -> None:
    first, other = begun(library, "a fox"), begun(library, "an owl")
    (first.folder / "0").mkdir()
    (first.folder / "0" / "fox.png").write_bytes(b"what came")
    first.forget()
    assert pending(library) == {other.id}


def test_an_old_spare_folder_is_not_begun_in(tmp_path: Path) -> None:
    """Another process takes a folder that nobody wrote to for an hour for one that was left."""
    now = [0.0]
    spares = SpareFolders(lambda: True, lambda: now[0])
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    place = old.stat().st_ino
    spares.remove(old)
    now[0] = 601.0
    spares.begin(f"{tmp_path / 'passing-'}", new, written, DISK)
    assert new.stat().st_ino != place
    assert (new / JOURNAL).read_bytes() == b"{}\n"


def written(folder: Path | str) -> None:
    Path(folder, JOURNAL).write_bytes(b"{}\n")


@pytest.mark.parametrize("is_written", [True, False])
def test_a_spare_folder_that_is_swept_away_while_it_is_filled_is_done_without(
    tmp_path: Path, is_written: bool
) -> None:
    spares = SpareFolders(lambda: True)
    first, new = tmp_path / "first", tmp_path / "new"
    first.mkdir()
    spares.remove(first)
    filled: list[Path | str] = []

    def write(folder: Path | str) -> None:
        filled.append(folder)
        if len(filled) == 1 and not is_written:
            remove_folder(folder)
        written(folder)
        if len(filled) == 1:
            remove_folder(folder)

    spares.begin(f"{tmp_path / 'passing-'}", new, write, DISK)
    assert len(filled) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (new / JOURNAL).read_bytes() == b"{}\n"


def test_a_spare_folder_on_a_full_disk_is_not_left_behind(tmp_path: Path) -> None:
    spares = SpareFolders(lambda: True)
    first = tmp_path / "first"
    first.mkdir()
    spares.remove(first)

    def refuse(folder: Path | str) -> None:
        written(folder)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="space"):
        spares.begin(f"{tmp_path / 'passing-'}", tmp_path / "new", refuse, DISK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_journal", [True, False])
def test_the_right_to_send_is_taken_once(tmp_path: Path, has_journal: bool) -> None:
    """By a second name of the journal's file, or where there is none by a file of its own."""
    if has_journal:
        (tmp_path / JOURNAL).write_bytes(b"{}\n")
    mine, theirs = RightToSend(tmp_path, 0), RightToSend(tmp_path, 0)
    assert (mine.take(), theirs.take(), mine.take()) == (True, False, False)
    assert not theirs.void()
    assert RightToSend(tmp_path, 1).void()
    assert not RightToSend(tmp_path, 1).take()


@pytest.mark.parametrize("kind", ["written", "second name", "link", "folder", "none"])
def test_what_is_no_empty_file_of_its_own_is_not_written_to(tmp_path: Path, kind: str) -> None:
    """A stranger may have put another file in the place of one that is kept to be used again."""
    path, other = tmp_path / BLANK, tmp_path / "other"
    other.write_bytes(b"theirs" if kind == "written" else b"")
    if kind == "written":
        other.rename(path)
    elif kind == "second name":
        path.hardlink_to(other)
    elif kind == "link":
        path.symlink_to(other)
    elif kind == "folder":
        path.mkdir()
    assert DISK.open_blank(path) is None
    part = write_into_blank(tmp_path, b"ours")
    assert Path(part).read_bytes() == b"ours"
    assert Path(part) != path


def test_a_picture_that_is_kept_under_a_second_name_is_not_emptied(tmp_path: Path) -> None:
    spares = SpareFolders(lambda: True)
    folder, kept = tmp_path / "entry", tmp_path / "kept.png"
    folder.mkdir()
    (folder / "came.png").write_bytes(b"a picture")
    kept.hardlink_to(folder / "came.png")
    spares.remove(folder)
    assert kept.read_bytes() == b"a picture"
