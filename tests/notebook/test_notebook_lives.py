"""A notebook's life between two Restart & Run Alls, with the tools that people use on notebooks."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupytext
import nbformat
import pytest

from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import pictures_answer, png
from tests.notebook.shell import Cells, shell_cells

LOOP = "for c in {!r}:\n    seen.append(get_ipython().run_line_magic('imagine', f'a {{c}} owl'))"
SOURCES = (
    "%%imagine\na red fox",
    "%%imagine\na red fox",
    LOOP.format(("green", "blue")),
    "hare = %imagine a hare\nseen.append(hare)",
)
FOX, HARE, OWL = (f"a = %imagine {it}\nseen.append(a)\n" for it in ("a fox", "a hare", "an owl"))
Notebook = Any
Shown = dict[str, list[bytes]]


@pytest.fixture(scope="module")
def shell() -> Iterator[Cells]:
    with shell_cells() as made:
        yield made


class Desk:
    """Opens a notebook in a new kernel, as often as it is told, over one library."""

    def __init__(self, cells: Cells, folder: Path) -> None:
        self._cells, self.folder = cells, folder
        self._runs = itertools.count(1)
        self._pictures = itertools.count(1)
        self.posts = 0
        self._parent: dict[str, Any] = {}

    def opens(self, notebook: Notebook, *, ids: bool = True) -> Shown:
        """Run all cells in a new session; return the pictures for each prompt, in order.

        Without *ids* as by a front end that sends none.
        """
        self._cells.begin(self.folder, answers=self._answered)
        shell: Any = self._cells.shell
        shell.kernel = SimpleNamespace(get_parent=lambda *_: self._parent)
        seen: list[Any] = []
        self._cells.shell.user_ns["seen"] = seen
        try:
            for cell in notebook.cells:
                value = self._run(cell, ids=ids)
                seen.append(value)
        finally:
            del shell.kernel
        shown: Shown = {}
        for generation in filter(None, seen):
            pictures = [picture.data for picture in generation.pictures]
            shown.setdefault(generation.request.prompt, []).extend(pictures)
        return shown

    def _run(self, cell: Any, *, ids: bool) -> Any:
        """Run a cell; return what it shows as its value."""
        self._parent = {
            "header": {"msg_id": f"run-{next(self._runs)}"},
            "metadata": {"cellId": cell.id} if ids and "id" in cell else {},
            "content": {"allow_stdin": False},
        }
        return self._cells.run(cell.source)

    def _answered(self, _: Any) -> Any:
        """Paint another picture each time."""
        self.posts += 1
        return pictures_answer(png(8, 7 + next(self._pictures)))


@pytest.fixture
def desk(shell: Cells, tmp_path: Path) -> Desk:
    return Desk(shell, tmp_path)


def written(*sources: str) -> Notebook:
    """Return a notebook of format 4.5, which has ids, with cells of these sources."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def renewed(notebook: Notebook) -> Notebook:
    """Return a notebook as JupyterLab opens one of format 4.4: with ids that it invents."""
    return written(*(cell.source for cell in notebook.cells))


def stripped(notebook: Notebook, folder: Path) -> Notebook:
    """Return what nbstripout leaves: no outputs, and bare numbers for ids."""
    if all(cell.id.isdecimal() for cell in notebook.cells):
        return notebook
    path = folder / "notebook.ipynb"
    nbformat.write(notebook, path)
    subprocess.run([sys.executable, "-m", "nbstripout", str(path)], check=True)
    made = nbformat.read(path, 4)
    assert [cell.id for cell in made.cells] == [str(n) for n in range(len(made.cells))]
    return made


def as_script(notebook: Notebook, _: Path) -> Notebook:
    """Return what jupytext makes of a notebook that it wrote as a script: other ids."""
    made = jupytext.reads(jupytext.writes(notebook, "py:percent"), "py:percent")
    assert [cell.source for cell in made.cells] == [cell.source for cell in notebook.cells]
    assert not {cell.id for cell in made.cells} & {cell.id for cell in notebook.cells}
    return made


def as_markdown(notebook: Notebook, _: Path) -> Notebook:
    return jupytext.reads(jupytext.writes(notebook, "md"), "md")


def as_it_was(notebook: Notebook, _: Path) -> Notebook:
    return notebook


def opened_anew(notebook: Notebook, _: Path) -> Notebook:
    return renewed(notebook)


@pytest.mark.parametrize(
    "between", [as_it_was, opened_anew, stripped, as_script, as_markdown], ids=lambda f: f.__name__
)
def test_opened_again_it_shows_the_same_and_sends_nothing(
    desk: Desk, tmp_path: Path, between: Callable[[Notebook, Path], Notebook]
) -> None:
    """Again and again: what one opening showed in other cells, the next one shows, too."""
    notebook = written(*SOURCES)
    first = desk.opens(notebook)
    assert (desk.posts, {len(set(it)) for it in first.values()}) == (5, {1, 2})
    for _ in range(2):
        notebook = between(notebook, tmp_path)
        assert desk.opens(notebook) == first
    assert desk.opens(notebook, ids=False) == first
    assert desk.posts == 5


def test_split_merged_moved_and_duplicated_cells_send_nothing(desk: Desk) -> None:
    first = desk.opens(written(FOX + HARE, OWL))
    assert desk.opens(written(OWL, HARE, FOX)) == first
    merged = written(HARE + FOX + OWL)
    assert desk.opens(merged) == first
    assert desk.posts == 3


def test_two_cells_of_one_id_keep_their_pictures(desk: Desk) -> None:
    notebook = written("%imagine a fox", "%imagine a hare")
    notebook.cells[1]["id"] = notebook.cells[0]["id"]
    first = desk.opens(notebook)
    assert desk.opens(notebook) == first
    assert desk.posts == 2


def test_a_loop_sends_only_what_is_new_in_it(desk: Desk) -> None:
    def loop(*colours: str) -> Notebook:
        made = written(LOOP.format(colours))
        made.cells[0]["id"] = "the-loop"
        return made

    first = desk.opens(loop("red", "blue"))
    longer = desk.opens(loop("green", "blue", "red"))
    assert desk.posts == 3
    assert {name: longer[name] for name in first} == first


def test_a_cell_that_is_changed_there_and_back_is_free(desk: Desk) -> None:
    def cell(prompt: str) -> Notebook:
        made = written(f"%imagine {prompt}")
        made.cells[0]["id"] = "the-cell"
        return made

    first = desk.opens(cell("a fox"))
    desk.opens(cell("a hare"))
    assert desk.opens(cell("a fox")) == first
    assert desk.posts == 2


@pytest.mark.parametrize("lost", [[".sessions"], [".sessions", ".pending"]])
def test_a_library_committed_without_its_notes_shows_the_same(desk: Desk, lost: list[str]) -> None:
    """As git leaves it: both folders hide themselves from it."""
    import shutil

    notebook = written(*SOURCES)
    first = desk.opens(notebook)
    for name in lost:
        assert (desk.folder / "imagine" / name / ".gitignore").read_text() == "*\n"
        shutil.rmtree(desk.folder / "imagine" / name)
    assert desk.opens(notebook) == first
    assert desk.opens(renewed(notebook)) == first
    assert desk.posts == 5


def test_a_sweep_that_the_library_has_needs_neither_key_nor_engine(
    shell: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.begin(tmp_path)
    shell.run("%%imagine\na {red|blue} fox")
    monkeypatch.delenv("OPEAI_BASE_URL")
    shell.studio = Studio(settings(engine="never", library=tmp_path / "imagine"))
    swept = shell.run("%%imagine\na {red|blue} fox")
    assert [bool(generation.replayed_from) for generation in swept] == [True, True]
    assert "0 to send" in swept.table
