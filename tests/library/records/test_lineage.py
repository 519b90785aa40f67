"""Edits form a tree: where a picture was made from, and what was made from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opeai_nb.client import Generation
from opeai_nb.library import Library, Record, info
from opeai_nb.library.lineage import edits, sources

Keep = Callable[..., Generation]


def path_of(generation: Generation) -> Path:
    path = generation.pictures[0].path
    assert path is not None
    return path


def newest(library: Library) -> Record:
    return library.search(limit=1)[0]


@pytest.fixture
def fox(keep: Keep) -> Generation:
    return keep("a fox")


def test_an_edit_names_what_it_was_made_from_and_is_named_by_it(
    keep: Keep, library: Library, fox: Generation
) -> None:
    first = newest(library)
    blue = keep("make it blue", image=fox)
    second = newest(library)
    keep("now at night", image=path_of(blue))
    third = newest(library)
    keep("an owl")
    assert [one.id for one in sources(library, third)] == [second.id]
    assert sources(library, first) == []
    (edit,) = edits(library, first)
    assert edit.record.id == second.id
    assert [deeper.record.id for deeper in edit.edits] == [third.id]
    told = info(path_of(blue))
    assert told["made_from"] == [first.id]
    assert told["edits"] == [{"id": third.id, "prompt": "now at night", "edits": []}]


@pytest.mark.parametrize("how", ["received", "renamed", "by name alone"])
def test_a_source_is_known_again(
    keep: Keep, library: Library, fox: Generation, how: str, tmp_path: Path
) -> None:
    source = newest(library)
    path = path_of(fox)
    if how == "received":
        from opeai_nb.library import received_bytes

        keep("an edit", image=received_bytes(path.read_bytes()))
    elif how == "renamed":
        (tmp_path / "holiday.png").write_bytes(path.read_bytes())
        keep("an edit", image=tmp_path / "holiday.png")
    else:
        from PIL import Image

        other = tmp_path / path.name
        Image.open(path).convert("L").save(other)  # the metadata is gone, the name is not
        keep("an edit", image=other)
    assert [one.id for one in sources(library, newest(library))] == [source.id]
    assert [edit.record.prompt for edit in edits(library, source)] == ["an edit"]


def test_a_picture_from_elsewhere_has_no_source(
    keep: Keep, library: Library, tmp_path: Path
) -> None:
    from tests.pictures import png

    keep("an edit", image=png())
    assert sources(library, newest(library)) == []
    assert edits(library, newest(library)) == ()


def test_a_record_that_names_itself_is_no_endless_tree(
    keep: Keep, library: Library, fox: Generation
) -> None:
    keep("an edit", image=fox)
    edit = newest(library)
    file = library.folder / edit.file
    text = file.read_text().replace(path_of(fox).name, edit.files[0])
    file.write_text(text)
    again = Library(library.folder)
    assert edits(again, again.record(edit.id)) == ()
    again.close()


def test_info_tells_marks_of_a_file_in_its_library_alone(
    library: Library, fox: Generation, tmp_path: Path
) -> None:
    library.mark(newest(library).id, star=True, tag=["poster"], note="yes")
    told = info(path_of(fox))
    assert (told["starred"], told["tags"], told["note"]) == (True, ["poster"], "yes")
    copy = tmp_path / path_of(fox).name
    copy.write_bytes(path_of(fox).read_bytes())
    assert "starred" not in info(copy)
