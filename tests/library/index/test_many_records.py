"""Many records are read at once by a shorter way, and come to the same as one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.library import Library, Slot, identity
from opeai_nb.library.index.growing import Read, read_row
from opeai_nb.library.index.index import Index
from opeai_nb.library.index.index_file import index_file
from opeai_nb.library.index.index_row import COLUMNS
from opeai_nb.library.index.quick_row import quick_row
from opeai_nb.library.records.request_json import canonical, identity_of
from tests.library.replaying import shown

LOOK = COLUMNS.index("look")
PROBLEM = COLUMNS.index("problem")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015e4bd5c30000000049454e44ae426082"
)
SOUND: dict[str, Any] = {
    "opeai_nb": 1,
    "id": "0123abcd",
    "created": "2026-11-22T10:00:00+00:00",
    "origin": "platform",
    "request": {"prompt": "a fox", "model": "qwen-image-2.0"},
    "pictures": [{"file": "a-1.png", "format": "png"}],
    "slot": {"cell": "c", "call": 1},
    "usage": {"total_tokens": 7},
    "duration": 2.5,
}
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**63, 2**70)
    | st.floats()
    | st.text()
    | st.just("\ud83d")
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
PATHS = st.sampled_from(
    [
        ("opeai_nb",),
        ("id",),
        ("created",),
        ("origin",),
        ("request",),
        ("request", "prompt"),
        ("request", "model"),
        ("request", "seed"),
        ("request", "negative_prompt"),
        ("pictures",),
        ("pictures", 0),
        ("pictures", 0, "file"),
        ("pictures", 0, "revised_prompt"),
        ("slot",),
        ("slot", "cell"),
        ("slot", "call"),
        ("usage",),
        ("usage", "total_tokens"),
        ("duration",),
        ("task_id",),
    ]
)


def changed(stands: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(stands))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return dict(copy)


@example(path=("usage", "total_tokens"), value=2**64, is_ascii=False)
@example(path=("duration",), value=-(2**64) - 1, is_ascii=False)
@given(path=PATHS, value=VALUES, is_ascii=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_short_way_says_of_any_record_what_the_careful_one_says_or_leaves_it_to_that(
    tmp_path: Path, path: tuple[str | int, ...], value: object, is_ascii: bool
) -> None:
    text = json.dumps(changed(SOUND, path, value), ensure_ascii=is_ascii)
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    (tmp_path / "a-1.png").write_bytes(PNG)
    quick = quick_row(str(tmp_path), 0, "a.json", {"a.json", "a-1.png"})
    careful = read_row(tmp_path, 0, "a.json")
    assert careful is not None
    if quick is not None and careful[PROBLEM] is None:
        assert (*quick[:LOOK], *quick[LOOK + 1 :]) == (*careful[:LOOK], *careful[LOOK + 1 :])
        assert quick[LOOK] is None


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6))
def test_the_identity_of_a_request_is_that_of_its_canonical_json(written: dict[str, Any]) -> None:
    import hashlib

    written.pop("image", None)
    telling = {k: v for k, v in written.items() if k not in {"response_format", "user"}}
    for name in ("prompt", "negative_prompt"):
        if isinstance(telling.get(name), str):
            telling[name] = telling[name].replace("\r\n", "\n")
    try:
        expected = hashlib.sha256(canonical(telling).encode()).hexdigest()
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            identity_of(written)
    else:
        assert identity_of(written) == expected


@pytest.fixture
def shelf(keep: Callable[..., Generation], library: Library, folder: Path) -> Path:
    """A library of twelve records, without its index."""
    for number in range(12):
        keep(f"fox {number}", slot=Slot(f"c{number}"), into=library)
    library.close()
    index_file(folder).unlink()
    return folder


class Many(Library):
    """A library whose index takes three records for many."""

    def __init__(self, folder: Path, read: Read = read_row) -> None:
        super().__init__(folder)
        self._index = Index(*self.homes.all, step=3, read=read)


def test_what_was_read_at_once_is_searched_replayed_and_counted_as_ever(shelf: Path) -> None:
    many, one_by_one = Many(shelf), Library(shelf)
    requests = [ImageRequest(f"fox {number}") for number in range(12)]
    assert many.holds(map(identity, requests)) == {identity(request) for request in requests}
    found = shown(many, requests[7], slot=Slot("c7"))
    assert found is not None
    assert found.prompt == "fox 7"
    assert [r.id for r in many.records()] == [r.id for r in one_by_one.records()]
    assert many.usage().total == one_by_one.usage().total
    many.close()


@pytest.mark.parametrize("spoil", ["gone", "empty", "text", "folder"])
def test_a_spoiled_picture_is_told_of_records_that_were_read_at_once(
    shelf: Path, spoil: str
) -> None:
    picture = next(iter(sorted(shelf.glob("*fox-7*.png"))))
    picture.unlink()
    if spoil == "folder":
        picture.mkdir()
    elif spoil != "gone":
        picture.write_bytes(b"" if spoil == "empty" else b"version https://git-lfs")
    many, request = Many(shelf), ImageRequest("fox 7")
    assert many.holds([identity(request)]) == frozenset()
    assert shown(many, request, slot=Slot("c7")) is None
    assert len([*many.records()]) == 11
    assert len(many.search("fox")) == 11
    (problem,) = many.problems()
    assert picture.name in problem
    many.close()


def test_a_shown_record_that_nobody_had_looked_at_is_read_once(shelf: Path) -> None:
    reads: list[str] = []

    def read(
        folder: Path, home: int, file: str, there: frozenset[str] = frozenset()
    ) -> tuple[Any, ...] | None:
        reads.append(file)
        return read_row(folder, home, file, there)

    many = Many(shelf, read)
    many.origins()
    reads.clear()
    for _ in range(2):
        assert len(many.search("fox")) == 12
        assert len([*many.records()]) == 12
    assert len(reads) == len(set(reads)) == 12
    many.close()


@given(st.lists(st.tuples(st.sampled_from("aedrt"), st.integers(0, 5)), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_whatever_was_done_to_a_folder_by_hand_the_next_session_sees_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """The mark of a folder that is unchanged spares the comparison, and hides no change."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "a-1.png").write_bytes(PNG)
    expected: dict[str, str] = {}
    for count, (step, number) in enumerate(steps):
        file = folder / f"{number}.json"
        if step in "ae":
            prompt = f"fox {count}"
            text = changed(SOUND | {"id": f"{number:08x}"}, ("request", "prompt"), prompt)
            file.write_text(json.dumps(text))
            expected[file.name] = prompt
        elif step == "d":
            file.unlink(missing_ok=True)
            expected.pop(file.name, None)
        elif step == "r" and file.exists():
            file.rename(folder / f"r{number}.json")
            expected[f"r{number}.json"] = expected.pop(file.name)
        elif step == "t" and file.exists():
            os.utime(file, ns=(count, count))
        library = Library(folder)
        assert {r.file: r.prompt for r in library.records()} == expected
        library.close()


def statements(library: Library, ask: Callable[[], object]) -> list[str]:
    """Return what the index is asked meanwhile."""
    said: list[str] = []
    library._index._database.connection().set_trace_callback(said.append)
    ask()
    return said


def test_an_unchanged_library_is_opened_without_reading_its_rows(shelf: Path) -> None:
    first = Many(shelf)
    assert len(first.search("fox")) == 12
    first.close()
    again = Library(shelf)
    said = statements(again, lambda: again.search("fox", limit=1))
    assert not [text for text in said if "SELECT file, mtime, size" in text]
    again.close()


def test_a_record_edited_in_place_is_no_take_of_what_it_was_and_one_of_what_it_is(
    shelf: Path,
) -> None:
    library = Library(shelf)
    assert len(library.search("fox")) == 12
    library.close()
    file = next(iter(shelf.glob("*fox-7*.json")))
    file.write_text(file.read_text().replace('"fox 7"', '"a dog of another length"'))
    for prompt, is_there in (("fox 7", False), ("a dog of another length", True), ("fox 3", True)):
        library = Library(shelf)
        assert (shown(library, ImageRequest(prompt), slot=Slot("c")) is not None) == is_there
        library.close()
