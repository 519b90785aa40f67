"""A database that somebody put into a library folder is not opened, whatever is in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.library import Library
from opeai_nb.library.index.index import Index
from opeai_nb.library.index.index_file import index_file

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("index-1.sqlite3", "index-2.sqlite3")
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT"


@pytest.fixture
def strangers(folder: Path, keep: Callable[..., Any], library: Library) -> Path:
    """A library with one record, and an `.index` folder as 0.1.0 made it."""
    keep("a fox")
    library.close()
    (folder / ".index").mkdir()
    for name in NAMES:
        shutil.copy(index_file(folder), folder / ".index" / name)
    return folder / ".index"


def prompts(folder: Path) -> list[str]:
    return [record.prompt for record in Library(folder).records()]


def test_a_hot_journal_deletes_no_file_that_it_names(
    strangers: Path, folder: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "thesis.tex"
    victim.write_text("years")
    name, magic = os.fsencode(victim), bytes.fromhex("d9d505f920a163d7")
    for file in NAMES:
        raw = (strangers / file).read_bytes()
        (size,) = struct.unpack(">H", raw[16:18])
        head = (magic + struct.pack(">IIIII", 0, 1, len(raw) // size, 512, size)).ljust(512, b"\0")
        tail = struct.pack(">I", 0x40000000 // size + 1) + name
        tail += struct.pack(">II", len(name), sum(name)) + magic
        (strangers / f"{file}-journal").write_bytes(head + tail)
    assert prompts(folder) == ["a fox"]
    assert victim.read_text() == "years"


@pytest.mark.parametrize("target", ["nothing", "empty", "database"])
def test_a_link_in_the_indexs_place_is_not_written_through(
    strangers: Path, folder: Path, tmp_path: Path, target: str
) -> None:
    outside = tmp_path / "outside"
    if target == "empty":
        outside.touch()
    elif target == "database":
        with contextlib.closing(sqlite3.connect(outside)) as made:
            made.execute("CREATE TABLE mine (x)")
    before = outside.read_bytes() if outside.exists() else None
    for name in NAMES:
        (strangers / name).unlink()
        (strangers / name).symlink_to(outside)
    assert prompts(folder) == ["a fox"]
    assert (outside.read_bytes() if outside.exists() else None) == before


@pytest.mark.parametrize(
    "script",
    [
        f"DROP VIEW kept; CREATE VIEW kept AS {ENDLESS} r.n AS created, records.* FROM r, records;",
        f"CREATE TRIGGER t BEFORE INSERT ON records BEGIN {ENDLESS} count(*) FROM r; END;",
        "CREATE TRIGGER t BEFORE INSERT ON records BEGIN SELECT RAISE(IGNORE); END;",
        "UPDATE records SET stands = NULL, id = NULL;",
    ],
    ids=["endless view", "endless trigger", "hiding trigger", "empty rows"],
)
def test_no_script_in_it_is_run(
    strangers: Path, folder: Path, keep: Callable[..., Any], script: str
) -> None:
    for name in NAMES:
        with contextlib.closing(sqlite3.connect(strangers / name)) as made:
            made.executescript(script)
            made.commit()
    library = Library(folder)
    keep("an owl", into=library)
    assert {record.prompt for record in library.records()} == {"a fox", "an owl"}


@pytest.mark.parametrize(
    "script", ["DROP VIEW kept; CREATE VIEW kept AS SELECT 1", "CREATE TABLE x (y)"]
)
def test_our_own_index_with_other_tables_or_views_is_made_anew(
    folder: Path, keep: Callable[..., Any], library: Library, script: str
) -> None:
    """The cache may have been restored from somewhere."""
    keep("a fox")
    library.close()
    with contextlib.closing(sqlite3.connect(index_file(folder))) as made:
        made.executescript(script)
    assert prompts(folder) == ["a fox"]


ROWS: list[object] = [None, "[]", "{", "[" * 5000, b"\0\xff", 7, "null", '{"opeai_nb": 1}']


@pytest.mark.parametrize("stands", ROWS, ids=[repr(row)[:12] for row in ROWS])
def test_a_row_that_is_no_record_is_read_again_from_its_file(
    folder: Path, keep: Callable[..., Any], library: Library, stands: object
) -> None:
    keep("a fox")
    library.close()
    with contextlib.closing(sqlite3.connect(index_file(folder))) as made:
        made.execute("UPDATE records SET stands = ?", (stands,))
        made.commit()
    reader = Library(folder)
    assert [record.prompt for record in reader.search("fox")] == ["a fox"]
    assert [record.prompt for record in reader.records()] == ["a fox"]


def test_a_row_that_names_a_file_outside_is_not_believed(
    folder: Path, keep: Callable[..., Any], library: Library, tmp_path: Path
) -> None:
    keep("a fox")
    (record,) = library.records()
    library.close()
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    stands = json.loads(record.dumps())
    stands["pictures"][0]["file"] = "../secret.txt"
    status = secret.lstat()
    with contextlib.closing(sqlite3.connect(index_file(folder))) as made:
        made.execute(
            "UPDATE records SET stands = ?, look = ?",
            (json.dumps(stands), (status.st_mtime_ns + status.st_size) % 2**62),
        )
        made.commit()
    (found,) = Library(folder).records()
    assert found.paths == record.paths


def test_an_index_that_another_process_holds_delays_nobody_twice(
    folder: Path, keep: Callable[..., Any], library: Library
) -> None:
    """It is waited for once; then the index is in memory as long as the library is open."""
    keep("a fox")
    library.close()
    with contextlib.closing(sqlite3.connect(index_file(folder), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        index = Index(folder, patience=0.01)
        for _ in range(3):
            assert len(index.rows("SELECT id FROM kept")) == 1
        assert not index._database.is_shared
        holder.execute("ROLLBACK")


def test_an_index_that_is_taken_while_a_picture_is_kept_is_waited_for_once(
    folder: Path, keep: Callable[..., Any], library: Library
) -> None:
    keep("a fox")
    index = Index(folder, patience=0.01)
    (record,) = library.records()
    assert len(index.rows("SELECT id FROM kept")) == 1
    library.close()
    with contextlib.closing(sqlite3.connect(index_file(folder), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        placed: list[bool] = []
        index.publish(record, lambda: placed.append(True))
        assert (placed, index._database.is_shared) == ([True], False)
        assert len(index.rows("SELECT id FROM kept")) == 1
        holder.execute("ROLLBACK")
