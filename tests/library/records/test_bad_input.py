"""What a person, a crash or a stranger may have put into the folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.library import Library, Slot
from tests.library.replaying import shown

EDITS: dict[str, Callable[[str], str]] = {
    "cut short": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "not JSON": lambda text: "hello",
    "not UTF-8": lambda text: "\udcff",
    "a list": lambda text: "[]",
    "deep": lambda text: "[" * 100_000,
    "huge": lambda text: text + " " * 8_000_001,
    "huge number": lambda text: text.replace('"bytes": ', '"bytes": 1e400, "b": '),
}
CHANGES: dict[str, dict[str, Any]] = {
    "another's JSON": {"opeai_nb": None},
    "a newer version": {"opeai_nb": 2},
    "no id": {"id": None},
    "no time": {"created": "yesterday"},
    "a time far off": {"created": "99999-01-01"},
    "no request": {"request": None},
    "a prompt that is no text": {"request": {"prompt": 7, "model": "m"}},
    "inputs that are none": {"request": {"prompt": "x", "model": "m", "image": ["a"]}},
    "no pictures": {"pictures": []},
    "pictures that are none": {"pictures": [7]},
    "an item with nothing": {"pictures": [{}]},
    "a size that is none": {"pictures": [{"file": "a.png", "size": [1]}]},
    "a slot that is none": {"slot": {"cell": 7, "call": 0}},
    "a call far off": {"slot": {"cell": "bad", "call": 10**30}},
    "a duration far off": {"duration": 10**30},
    "usage that is none": {"usage": "much"},
}
OUTSIDE = [
    "../secret.png",
    "/etc/passwd",
    "a/../../secret.png",
    "..",
    ".hidden.png",
    "a\\b.png",
    "",
]


@pytest.fixture
def kept(keep: Callable[..., Generation], library: Library, folder: Path) -> tuple[Path, str]:
    """One good record, and one to be spoiled: (path, text)."""
    keep("good", slot=Slot("good"))
    keep("bad", slot=Slot("bad"))
    record = next(library.records())
    path = folder / record.file
    return path, path.read_text(encoding="utf-8")


def check_that_it_is_skipped(folder: Path, path: Path) -> str:
    for library in (Library(folder), Library(folder)):
        assert [record.prompt for record in library.records()] == ["good"]
        (problem,) = library.problems()
        assert problem.startswith(f"{path.name}: ")
        assert library.problems(new=True) == [problem]
        assert library.problems(new=True) == []
        assert library.problems() == [problem]
        assert [r.prompt for r in library.search()] == ["good"]
        for prompt, is_shown in (("good", True), ("bad", False)):
            found = shown(library, ImageRequest(prompt), slot=Slot(prompt))
            assert (found is not None) == is_shown
        library.close()
    return problem


@pytest.mark.parametrize("name", EDITS)
def test_a_spoiled_record_is_told_and_skipped(
    kept: tuple[Path, str], folder: Path, name: str
) -> None:
    path, text = kept
    path.write_text(EDITS[name](text), encoding="utf-8", errors="surrogateescape")
    check_that_it_is_skipped(folder, path)


@pytest.mark.parametrize("name", CHANGES)
def test_an_edited_record_is_told_and_skipped(
    kept: tuple[Path, str], folder: Path, name: str
) -> None:
    path, text = kept
    path.write_text(json.dumps({**json.loads(text), **CHANGES[name]}))
    check_that_it_is_skipped(folder, path)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_record_never_leads_out_of_the_library(
    kept: tuple[Path, str], folder: Path, name: str, picture: Callable[..., bytes]
) -> None:
    path, text = kept
    (folder.parent / "secret.png").write_bytes(picture())
    told = json.loads(text)
    told["pictures"][0]["file"] = name
    path.write_text(json.dumps(told))
    assert "outside the library" in check_that_it_is_skipped(folder, path)


def test_tokens_beyond_counting_spoil_no_other_record(kept: tuple[Path, str], folder: Path) -> None:
    path, text = kept
    path.write_text(json.dumps({**json.loads(text), "usage": {"total_tokens": 10**30}}))
    library = Library(folder)
    assert [record.prompt for record in library.records()] == ["bad", "good"]
    assert library.usage().total.pictures == 2
    library.close()


def test_half_a_letter_in_a_record_spoils_no_other(kept: tuple[Path, str], folder: Path) -> None:
    path, text = kept
    told = json.loads(text)
    told["request"]["prompt"] = "a cat \ud83d and \ud83d\ude00"  # JSON writes each as \\u…
    path.write_text(json.dumps(told))
    library = Library(folder)
    assert [record.prompt for record in library.records()] == ["a cat ? and \U0001f600", "good"]
    assert [record.prompt for record in library.search("cat")] == ["a cat ? and \U0001f600"]
    library.close()


def picture_of(path: Path) -> Path:
    return path.parent / json.loads(path.read_text())["pictures"][0]["file"]


def test_a_missing_picture(kept: tuple[Path, str], folder: Path) -> None:
    picture_of(kept[0]).unlink()
    assert "is missing" in check_that_it_is_skipped(folder, kept[0])


def test_a_picture_that_is_not_one(kept: tuple[Path, str], folder: Path) -> None:
    picture_of(kept[0]).write_text("<html>")
    assert "is no png picture" in check_that_it_is_skipped(folder, kept[0])


def test_a_picture_that_is_empty(kept: tuple[Path, str], folder: Path) -> None:
    picture_of(kept[0]).write_text("")
    check_that_it_is_skipped(folder, kept[0])


def test_a_picture_that_is_a_link(
    kept: tuple[Path, str], folder: Path, picture: Callable[..., bytes]
) -> None:
    (folder.parent / "secret.png").write_bytes(picture())
    picture_of(kept[0]).unlink()
    picture_of(kept[0]).symlink_to(folder.parent / "secret.png")
    assert "it is a link" in check_that_it_is_skipped(folder, kept[0])


def test_a_picture_that_is_a_pipe(kept: tuple[Path, str], folder: Path) -> None:
    picture_of(kept[0]).unlink()
    os.mkfifo(picture_of(kept[0]))
    check_that_it_is_skipped(folder, kept[0])


def test_a_record_that_is_a_link(kept: tuple[Path, str], folder: Path) -> None:
    path, text = kept
    (folder.parent / "elsewhere.json").write_text(text)
    path.unlink()
    path.symlink_to(folder.parent / "elsewhere.json")
    assert "it is a link" in check_that_it_is_skipped(folder, path)


def test_a_record_that_is_a_folder(kept: tuple[Path, str], folder: Path) -> None:
    path, _ = kept
    path.unlink()
    path.mkdir()
    check_that_it_is_skipped(folder, path)


def test_a_record_that_is_mended_is_found_again(
    kept: tuple[Path, str], folder: Path, library: Library
) -> None:
    path, text = kept
    path.write_text("{")
    check_that_it_is_skipped(folder, path)
    path.write_text(text, encoding="utf-8")
    library.close()
    assert [record.prompt for record in library.records()] == ["bad", "good"]
    assert library.problems() == []


def test_a_record_that_an_editor_gave_a_byte_order_mark_is_read(
    kept: tuple[Path, str], folder: Path
) -> None:
    path, text = kept
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    library = Library(folder)
    assert [record.prompt for record in library.records()] == ["bad", "good"]
    assert library.problems() == []


def test_a_prompt_edited_by_hand_is_another_request(
    kept: tuple[Path, str], folder: Path, library: Library
) -> None:
    path, text = kept
    path.write_text(text.replace('"bad"', '"better"', 1), encoding="utf-8")
    library.close()
    for prompt, is_shown in (("bad", False), ("better", True)):
        found = shown(library, ImageRequest(prompt), slot=Slot("bad"))
        assert (found is not None) == is_shown


def test_a_picture_spoiled_under_a_running_session_is_not_shown(
    kept: tuple[Path, str], folder: Path, library: Library
) -> None:
    assert len(list(library.records())) == 2
    picture_of(kept[0]).write_text("<html>")  # in place: the folder itself has not changed
    found = shown(library, ImageRequest("bad"), slot=Slot("bad"))
    assert found is None
    assert "is no png picture" in library.problems()[0]


def test_an_older_generation_is_shown_where_the_newest_is_spoiled(
    keep: Callable[..., Generation], library: Library
) -> None:
    for _ in range(2):
        keep("a cat", slot=Slot("c"))
    newest, oldest = library.records()
    newest.paths[0].write_text("<html>")
    found = shown(library, ImageRequest("a cat"), slot=Slot("c"))
    assert found.id == oldest.id


def test_inputs_that_are_not_what_they_say_are_not_used(
    keep: Callable[..., Generation], library: Library, folder: Path, picture: Callable[..., bytes]
) -> None:
    keep(ImageRequest("x", image=picture("PNG", "red")))
    (path,) = (folder / ".inputs").iterdir()
    path.write_bytes(picture("PNG", "blue"))
    (record,) = library.records()
    with pytest.raises(Exception, match="is not in the library"):
        _ = record.request
    again = library.generation(record)  # it is shown all the same
    assert again[0].size == (48, 32)


def test_a_folder_of_another_use_is_survived(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.json").write_text('{"a": 1}')
    (folder / "holiday.png").write_bytes(b"x")
    shutil.copytree(folder, folder / "inner")
    library = Library(folder)
    assert list(library.records()) == []
    assert library.problems() == ["notes.json: it is not a record of this library"]
    library.close()


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode, whatever the locale")
def test_names_that_the_locale_has_not_are_told_and_what_bears_them_is_not_skipped(
    keep: Callable[..., Generation], folder: Path
) -> None:
    """What is skipped is paid for again."""
    keep("水彩猫")
    code = """if True:
        import sys
        from pathlib import Path
        from opeai_nb.errors import LibraryError
        from opeai_nb.library import Library
        try:
            list(Library(Path(sys.argv[1])).records())
        except LibraryError as error:
            print(error)
    """
    latin = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = {**os.environ, **latin}
    done = subprocess.run(
        [sys.executable, "-c", code, folder], env=environment, capture_output=True, check=True
    )
    assert b"Set PYTHONUTF8=1" in done.stdout
