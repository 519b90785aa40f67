"""The index is derived: it follows the folder, and can be deleted at any time without loss."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Entry, Library, Slot
from opeai_nb.library.index.growing import read_row
from opeai_nb.library.index.index import Index
from opeai_nb.library.index.index_file import index_file
from tests.fork import run
from tests.library.conftest import Clock
from tests.library.replaying import shown


def prompts(library: Library) -> list[Any]:
    return sorted(record.prompt for record in library.records())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test alone."""
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def database(folder: Path) -> Path:
    return index_file(folder)


@pytest.fixture
def other(tmp_path: Path, keep: Callable[..., Generation], clock: Clock) -> list[Path]:
    """A library elsewhere with one record: its files, to be copied by hand."""
    library = Library(tmp_path / "other", clock=clock)
    keep("from elsewhere", into=library)
    (record,) = library.records()
    library.close()
    return [library.folder / record.file, *record.paths]


def test_the_index_lies_in_the_users_cache_and_the_library_holds_no_database(
    keep: Callable[..., Generation], library: Library, folder: Path, cache: Path
) -> None:
    keep()
    list(library.records())
    assert list(folder.rglob("*.sqlite3*")) == []
    assert database(folder).is_relative_to(cache)
    if os.name == "posix":
        assert stat.S_IMODE(database(folder).parent.stat().st_mode) == 0o700


def test_two_libraries_of_one_name_have_an_index_each(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path, clock: Clock
) -> None:
    other = Library(tmp_path / "elsewhere" / folder.name, clock=clock)
    keep("a")
    keep("b", into=other)
    assert (prompts(library), prompts(other)) == (["a"], ["b"])
    assert database(folder) != database(other.folder)


def test_the_index_of_a_library_that_is_gone_is_removed_with_the_next_new_one(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path
) -> None:
    keep("a")
    library.close()
    old = database(folder).parent
    shutil.rmtree(folder)
    keep("b", into=Library(tmp_path / "another"))
    assert not old.exists()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write into any folder"
)
def test_a_library_on_a_read_only_disk_can_be_searched(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a red fox")
    library.close()
    folder.chmod(0o555)
    try:
        reader = Library(folder)
        assert [record.prompt for record in reader.search("fox")] == ["a red fox"]
        assert database(folder).is_file()
    finally:
        folder.chmod(0o755)


def test_files_added_by_hand_are_found_at_once(
    keep: Callable[..., Generation], library: Library, folder: Path, other: list[Path]
) -> None:
    keep("mine")
    assert prompts(library) == ["mine"]
    for path in other:
        shutil.copy(path, folder)
    assert prompts(library) == ["from elsewhere", "mine"]


def test_a_change_within_one_step_of_the_file_systems_clock_is_found(
    keep: Callable[..., Generation], library: Library, folder: Path, other: list[Path]
) -> None:
    """Some file systems tell times in steps of seconds: two changes in one get the same time."""
    keep("mine")
    step = 1_795_348_800_000_000_000
    os.utime(folder, ns=(step, step))
    assert prompts(library) == ["mine"]
    for path in other:
        shutil.copy(path, folder)
    os.utime(folder, ns=(step, step))
    assert prompts(library) == ["from elsewhere", "mine"]


def test_a_keep_after_a_change_by_hand_hides_nothing(
    begin: Callable[..., Entry],
    library: Library,
    folder: Path,
    other: list[Path],
    picture: Callable[..., bytes],
) -> None:
    entry = begin("mine")
    assert prompts(library) == []
    for path in other:
        shutil.copy(path, folder)
    library.keep(entry, Generation((Picture(picture()),), entry.request))
    assert prompts(library) == ["from elsewhere", "mine"]


def test_files_removed_by_hand_are_gone_at_once(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    names = ("ant", "bee", "cow")
    for name in names:
        keep(name)
    for name in names:
        (record,) = library.search(name)
        (folder / record.file).unlink()
        assert library.search(name) == []
    assert prompts(library) == []


def test_files_renamed_by_hand_are_found(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("cat")
    (record,) = library.records()
    (folder / record.file).rename(folder / "renamed.json")
    assert [r.file for r in library.records()] == ["renamed.json"]


def test_a_record_edited_in_place_is_seen_by_the_next_session(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("cat")
    (record,) = library.records()
    text = (folder / record.file).read_text()
    (folder / record.file).write_text(text.replace('"cat"', '"a dog"', 1))
    assert prompts(Library(folder)) == ["a dog"]


def test_what_one_library_keeps_another_finds_at_once(
    keep: Callable[..., Generation], library: Library, folder: Path, clock: Clock
) -> None:
    another = Library(folder, clock=clock)
    for n in range(20):
        keep(f"a{n}", into=library)
        assert len(prompts(another)) == 2 * n + 1
        keep(f"b{n}", into=another)
        assert len(prompts(library)) == 2 * n + 2
    another.close()


def test_the_index_may_be_deleted_under_a_running_session(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a")
    assert prompts(library) == ["a"]
    shutil.rmtree(database(folder).parent)
    assert prompts(library) == ["a"]
    keep("b")
    shutil.rmtree(database(folder).parent)
    keep("c")
    assert prompts(library) == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"", b"junk" * 5000, b"SQLite format 3\0" + b"\7" * 9000])
def test_a_broken_index_is_made_anew(
    keep: Callable[..., Generation], library: Library, folder: Path, content: bytes
) -> None:
    keep("a")
    library.close()
    database(folder).write_bytes(content)
    assert prompts(library) == ["a"]
    assert prompts(Library(folder)) == ["a"]
    assert database(folder).read_bytes()[:15] == b"SQLite format 3"


def test_an_index_of_another_make_is_made_anew(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a")
    library.close()
    path = database(folder)
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE records (file, mtime)")
    assert prompts(library) == ["a"]
    with contextlib.closing(sqlite3.connect(path)) as made:
        assert made.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_an_index_that_others_hold_is_done_without(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a")
    library.close()
    with contextlib.closing(sqlite3.connect(database(folder), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        index = Index(folder, patience=0.01)
        assert len(index.rows("SELECT id FROM kept")) == 1
        holder.execute("ROLLBACK")
    assert prompts(Library(folder)) == ["a"]


def test_an_index_that_was_interrupted_while_it_grew_goes_on_with_the_rest(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    for number in range(9):
        keep(f"{number}")
    library.close()
    database(folder).unlink()
    interrupted = Reading(folder, step=2, most=5)
    with pytest.raises(KeyboardInterrupt):
        interrupted.rows("SELECT id FROM kept")
    interrupted.close()
    again = Reading(folder, step=2)
    assert len(again.rows("SELECT id FROM kept")) == 9
    assert len(again.files) == 9 - 4
    assert not {*interrupted.files[:4]} & {*again.files}
    again.close()


class Reading(Index):
    """Notes which records it reads, and is interrupted after the *most* of them."""

    def __init__(self, *homes: Path, step: int, most: int = 1_000) -> None:
        super().__init__(*homes, step=step, read=self.read)
        self.files: list[str] = []
        self._most = most

    def read(
        self, folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        if len(self.files) == self._most:
            raise KeyboardInterrupt
        self.files.append(file)
        return read_row(folder, home, file, there)


def test_where_there_can_be_no_index_it_is_held_in_memory(
    keep: Callable[..., Generation], library: Library, folder: Path, cache: Path
) -> None:
    keep("a")
    library.close()
    shutil.rmtree(cache)
    cache.write_text("a file where the folder should be")
    reader = Library(folder)
    assert prompts(reader) == ["a"]
    keep("b", into=reader)
    assert prompts(reader) == ["a", "b"]
    assert prompts(Library(folder)) == ["a", "b"]


@pytest.mark.parametrize("what", ["folder", "file", "journal"])
def test_an_index_that_is_a_link_is_not_followed(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path, what: str
) -> None:
    keep("a")
    library.close()
    path = database(folder)
    (tmp_path / "elsewhere").mkdir()
    if what == "folder":
        shutil.rmtree(path.parent)
        path.parent.symlink_to(tmp_path / "elsewhere")
    else:
        link = path if what == "file" else path.with_name(f"{path.name}-journal")
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / "elsewhere" / "outside")
    assert prompts(Library(folder)) == ["a"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes here")
def test_a_cache_that_others_may_write_into_is_not_used(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    """What they put there would be run: views, triggers, a journal that names files to delete."""
    keep("a")
    library.close()
    path = database(folder)
    path.parent.chmod(0o777)
    path.write_bytes(b"junk")
    assert prompts(Library(folder)) == ["a"]
    assert path.read_bytes() == b"junk"


def test_the_folder_may_be_deleted_under_a_running_session(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a")
    assert prompts(library) == ["a"]
    shutil.rmtree(folder)
    assert prompts(library) == []
    keep("b")
    assert prompts(library) == ["b"]


def test_a_copy_without_the_index_replays(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path
) -> None:
    keep("a", slot=Slot("c"))
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied, ignore=shutil.ignore_patterns(".index", ".pending"))
    found = shown(Library(copied), ImageRequest("a"), slot=Slot("c"))
    assert found.prompt == "a"


def test_a_copy_with_the_index_of_its_source_replays(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path
) -> None:
    keep("a", slot=Slot("c"))
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    reader = Library(copied)
    assert prompts(reader) == ["a"]
    assert next(reader.records()).paths[0].is_relative_to(copied)


def test_any_thread_may_use_one_library(keep: Callable[..., Generation], library: Library) -> None:
    failures = []

    def work(name: str) -> None:
        try:
            for n in range(10):
                keep(f"{name} {n}")
                assert len(library.search(f"{name} {n}")) >= 1
        except Exception as error:  # noqa: BLE001  told below, by the thread that can fail the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"thread{t}",)) for t in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(prompts(library)) == 60


def test_many_pictures_in_one_record(
    keep: Callable[..., Generation], library: Library, picture: Callable[..., bytes]
) -> None:
    keep("many", pictures=[picture()] * 12)
    (record,) = library.records()
    assert len(record.paths) == 12


def test_pages_of_records_follow_each_other(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a")
    (record,) = library.records()
    text = (folder / record.file).read_text()
    for n in range(1234):
        (folder / f"{n}.json").write_text(text.replace(record.id, f"{n:08x}", 1))
    assert len({r.id for r in library.records()}) == 1235
    assert len(list(library.records(newest_first=False))) == 1235


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    "look", ["len(list(library.records())) == 1", "len(library._new_id()) == 8"]
)
def test_a_forked_process_opens_the_index_for_itself(
    keep: Callable[..., Generation], library: Library, folder: Path, look: str
) -> None:
    keep("a")
    code = (
        "import os, sys\n"
        "from opeai_nb.library import Library\n"
        "library = Library(sys.argv[1])\n"
        "assert len(list(library.records())) == 1\n"
        "child = os.fork()\n"
        f"assert {look}\n"
        "assert library._index._database.opened[0] == os.getpid()\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else 0)\n"
    )
    done = run([sys.executable, "-c", code, str(folder)])
    assert done.returncode == 0, done.stderr
