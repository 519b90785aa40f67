"""A notebook over a large library whose index is being made: history and gallery say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.library.index.index import Index
from opeai_nb.notebook.commands.kept_commands import history
from opeai_nb.notebook.panel.panel import Panel
from opeai_nb.notebook.panel.request_queue import in_place
from opeai_nb.testing import pictures_answer
from tests.library.index.test_growing import Slow
from tests.pictures import png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.notebook.shell import Cells

COUNT = 12


@pytest.fixture
def slow() -> Slow:
    return Slow(free=9)


@pytest.fixture
def cells(
    shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> Iterator[Cells]:
    """Cells over a library that has eight of its twelve records in the index, at least."""
    monkeypatch.chdir(tmp_path)
    shared.begin(tmp_path, lambda _: pictures_answer(png()))
    for number in range(COUNT):
        shared.studio.start(ImageRequest(f"fox {number}", size="64x48")).result(30)
    library = shared.studio.library
    library._index.close()
    library._index = Index(library.folder, library.homes.second, step=4, many=10, read=slow)
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "another cache"))
    yield shared
    slow.goes_on.set()
    library.close()


def test_the_history_shows_what_is_there_and_how_much_of_it(cells: Cells, slow: Slow) -> None:
    cells.studio.library.growth()
    assert slow.is_there.wait(60)
    table = history(cells.session)
    assert 4 <= len(table) < COUNT
    assert f"of {COUNT} records so far" in table.note
    slow.goes_on.set()
    cells.studio.library.usage()  # which waits for all
    table = history(cells.session)
    assert (len(table), table.note) == (COUNT, "")


def test_the_gallery_shows_what_is_there_and_how_much_of_it(cells: Cells, slow: Slow) -> None:
    cells.studio.library.growth()
    assert slow.is_there.wait(60)
    panel = Panel(lambda: cells.studio, spawn=in_place)
    panel.fill()
    assert 4 <= len(panel._gallery["finds"]) < COUNT
    assert f"of {COUNT} records so far" in panel._status["notes"][0]
    slow.goes_on.set()
    cells.studio.library.usage()
    panel.search("")
    assert len(panel._gallery["finds"]) == COUNT
    assert panel._status == {}
    panel.close_all()


def test_the_gallery_shows_all_once_they_are_there(cells: Cells, slow: Slow) -> None:
    """Nobody asks it to: it follows the index to its end, and takes back what it said of it."""
    cells.studio.library.growth()
    assert slow.is_there.wait(60)
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: cells.studio, spawn=works.append)
    panel._displayed.set()
    panel._shown.set()
    works.pop(0)()
    (follows,) = works
    assert len(panel._gallery["finds"]) < COUNT
    slow.goes_on.set()
    follows()
    assert len(panel._gallery["finds"]) == COUNT
    assert panel._status == {}
    panel.close_all()
