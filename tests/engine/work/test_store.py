"""SQLite as the engine uses it: several processes, 24 hours, one answer for each key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opeai_nb.engine.server.cache_dir import cache_folder
from opeai_nb.engine.work.store import Store, StoredGeneration, StoredPicture
from opeai_nb.engine.work.store_cache import CachedStore, _Entry

DAY = 86_400.0


def generation(id_: str, *, created: float = 0.0, key: str | None = None) -> StoredGeneration:
    return StoredGeneration(id_, "task", "{}", created, created, created, "success", key, "digest")


def picture(generation_: str) -> StoredPicture:
    return StoredPicture(f"p-{generation_}", generation_, 0, "Expires=1", DAY, painted=False)


@pytest.fixture(params=["memory", "file", "cached"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    folder = None if request.param == "memory" else tmp_path
    store = CachedStore(folder) if request.param == "cached" else Store(folder)
    yield store
    store.close()


def test_what_is_added_is_found(store: Store) -> None:
    kept = store.add(generation("a"), [b"input"], [picture("a")])
    assert store.generation("a", now=0.0) == kept
    assert store.inputs("a") == [b"input"]
    assert store.count_inputs("a") == 1
    assert store.pictures("a") == [picture("a")]
    assert store.picture("p-a") == picture("a")


def test_bytes_make_a_picture_painted(store: Store) -> None:
    store.add(generation("a"), [], [picture("a")])
    assert store.data("p-a") is None
    store.put_data(picture("a"), b"bytes")
    assert store.data("p-a") == b"bytes"
    assert store.pictures("a") == [replace(picture("a"), painted=True)]


def test_what_is_unknown_is_none(store: Store) -> None:
    assert store.generation("a", 0.0) is None
    assert store.by_key("a", 0.0) is None
    assert store.picture("a") is None
    assert store.data("a") is None


def test_a_key_keeps_its_first_generation(store: Store) -> None:
    first = store.add(generation("a", key="k"), [], [])
    assert store.add(generation("b", key="k"), [], []) == first
    assert store.by_key("k", 0.0) == first


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    store.add(generation("a"), [], [])
    with pytest.raises(Exception, match="UNIQUE"):
        store.add(generation("a"), [b"x"], [])
    assert store.count_inputs("a") == 0


def test_after_24_hours_bytes_are_dropped_and_after_a_week_all(store: Store) -> None:
    store.add(generation("old"), [b"input"], [picture("old")])
    store.put_data(picture("old"), b"bytes")
    store.add(generation("new", created=DAY + 601), [], [])
    assert store.data("p-old") is None
    assert store.inputs("old") == []
    assert store.picture("p-old") is not None
    store.add(generation("newer", created=8 * DAY), [], [])
    assert store.picture("p-old") is None
    assert store.generation("new", DAY + 601) is not None


def test_a_file_gives_the_room_of_old_pictures_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(generation("old"), [], [picture("old")])
    store.put_data(picture("old"), bytes(20_000_000))
    store.add(generation("new", created=DAY + 601), [], [])
    store.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1_000_000


def test_a_register_reads_no_disk_for_what_it_knows(tmp_path: Path) -> None:
    cached = CachedStore(tmp_path)
    cached.add(generation("a"), [b"input"], [picture("a")])
    cached.put_data(picture("a"), b"bytes")
    cached.close()
    assert cached.generation("a", 0.0) == generation("a")
    assert cached.pictures("a") == [replace(picture("a"), painted=True)]
    assert cached.count_inputs("a") == 1


def test_a_register_sees_what_another_process_has_painted(tmp_path: Path) -> None:
    one, other = CachedStore(tmp_path), CachedStore(tmp_path)
    one.add(generation("a"), [], [picture("a")])
    assert other.generation("a", 0.0) == generation("a")
    one.put_data(picture("a"), b"bytes")
    assert other.pictures("a") == [picture("a")]
    assert other.pictures("a", fresh=True) == one.pictures("a")
    one.close()
    other.close()


def test_a_register_does_not_grow_for_ever(tmp_path: Path) -> None:
    cached = CachedStore(tmp_path)
    for n in range(5000):
        cached._remember(_Entry(generation(f"{n}"), [], 0))
    assert len(cached._entries) == 4096
    cached.close()


def test_a_closed_store_says_so(store: Store) -> None:
    assert not store.closed
    store.close()
    assert store.closed


def test_several_processes_share_one_file_and_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from opeai_nb.engine.work.store import StoredGeneration, Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for n in range(50):\n"
        "    name = f'{sys.argv[2]}-{n}'\n"
        "    for id, key in ((name, f'k{n}'), ('x' + name, None)):\n"
        "        row = id, 'task', '{}', 0, 0, 0, 'success', key, ''\n"
        "        store.add(StoredGeneration(*row), [], [])\n"
        "store.close()\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    processes = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True) for name in "abcd"
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    store = Store(tmp_path)
    assert all(store.generation(f"x{name}-{n}", 0.0) for name in "abcd" for n in range(50))
    assert all(store.by_key(f"k{n}", 0.0) for n in range(50))
    store.close()


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "engine-1.sqlite3").write_bytes(b"something else altogether" * 100)
    with pytest.raises(Exception, match="not a database"):
        Store(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/me"}, "/home/me/.cache"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/c"}, "/c"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "/home/me/.cache"),
        ({"HOME": "/home/me", "OPEAI_NB_CACHE": "/own", "XDG_CACHE_HOME": "/c"}, "/own"),
    ],
)
def test_the_cache_folder_is_the_systems_own(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: str
) -> None:
    for name in ("OPEAI_NB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder().as_posix() == f"{folder}/opeai_nb/engine"
