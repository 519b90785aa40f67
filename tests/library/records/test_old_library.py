"""A library of 0.1.0 opens as it is: nothing in it is changed, all of it is found and marked."""

from __future__ import annotations

import shutil
from pathlib import Path

from opeai_nb.library import Library, info, lineage

OLD = Path(__file__).parents[1] / "from_0_1_0" / "kept"


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_an_old_library_is_read_searched_and_marked_and_its_files_stay_as_they_are(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "imagine"
    shutil.copytree(OLD, folder)
    before = contents(folder)
    library = Library(folder)
    records = list(library.records())
    assert len(records) == len(list(OLD.glob("*.json"))) > 0
    assert [record.id for record in library.search("edit")] == [record.id for record in records]
    assert library.usage().total.requests == len(records)
    assert library.problems() == library.pending() == []
    first = records[0]
    assert info(first.paths[0])["request"]["prompt"] == first.prompt
    assert lineage.edits(library, first) == ()
    library.mark(first.id, star=True, tag=["old"])
    library.mark(records[-1].id, trash=True)
    assert [record.id for record in library.search(starred=True, tag="old")] == [first.id]
    assert len(list(library.records())) == len(records) - 1
    assert before.items() <= contents(folder).items()
    library.close()
