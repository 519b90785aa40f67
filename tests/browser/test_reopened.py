"""A notebook opened again and again in JupyterLab: free, and it shows what one last saw."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.conftest import Notebook, Pages

pytestmark = pytest.mark.long  # opens a notebook three times

CELLS = [
    "%load_ext opeai_nb",
    "%%imagine -s 512x512\na red fox",
    "%%imagine -s 512x512\na red fox",
    'for c in ("green", "blue"):\n    %imagine -s 512x512 a {c} owl',
]
SHOWN = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
  .filter(i => i.complete && i.naturalWidth > 100).map(i => i.src)"""


def written(path: Path, minor: int) -> None:
    """Write a notebook of format 4.*minor*; before 4.5 cells have no ids, and Lab invents some."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    for cell in cells if minor < 5 else ():
        del cell["id"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    made = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": minor}
    path.write_text(json.dumps(made))


def shut_down(lab: Any) -> None:
    """End all kernels, as a person does who closes a notebook for today."""
    with urllib.request.urlopen(f"{lab.url}/api/sessions") as answer:
        sessions = json.load(answer)
    for session in sessions:
        urllib.request.urlopen(
            urllib.request.Request(f"{lab.url}/api/sessions/{session['id']}", method="DELETE")
        ).close()


def seen(notebook: Notebook) -> list[str]:
    """Run all and return the pictures that stand on the page, in order."""
    notebook.page.evaluate(
        "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
    )
    notebook.run_all()
    notebook.wait_until_started()
    notebook.wait_until_idle()
    notebook.page.wait_for_function(f"() => ({SHOWN})().length >= 4")
    notebook.save()
    shown: list[str] = notebook.page.evaluate(SHOWN)
    return shown


@pytest.mark.parametrize("minor", [4, 5])
def test_a_notebook_opened_again_pays_nothing_and_shows_the_same(
    lab: Any, pages: Pages, minor: int
) -> None:
    folder = lab.folder / f"reopened-{minor}"
    folder.mkdir()
    written(folder / "notebook.ipynb", minor)
    openings, ids = [], set()
    for _ in range(3):
        notebook = pages.notebook(lab, f"reopened-{minor}/notebook.ipynb")
        openings.append(seen(notebook))
        read = notebook.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).id"
        )
        ids.add(read)
        notebook.page.close()
        shut_down(lab)
    assert len(set(openings[0])) == len(openings[0]) == 4
    assert openings[1] == openings[2] == openings[0]
    assert len(list((folder / "imagine").glob("*.json"))) == 4, "one for each POST"
    assert len(ids) == (3 if minor == 4 else 1), "Lab invents ids at each opening, or keeps them"
