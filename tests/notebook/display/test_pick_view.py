"""A blind choice as a notebook shows it: nothing tells how a picture was made, and keys work."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.utils.capture import RichOutput, capture_output

from opeai_nb.notebook.display.frontend import VARIABLE
from opeai_nb.notebook.display.pick_view import PickView
from tests.notebook.shell import Cells, shell_cells

SWEEP = """
from opeai_nb import sweep
made = sweep("a secret {animal} in {style}", animal=["fox", "owl"], style=["ink", "oil"]).run()
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Cells]:
    with shell_cells() as cells:
        cells.begin(tmp_path)
        cells.run(SWEEP)
        yield cells


@pytest.fixture
def view(notebook: Cells) -> PickView:
    return PickView(notebook.run("made.pick()"), "t")


def outputs(notebook: Cells, code: str) -> list[RichOutput]:
    with capture_output() as captured:
        notebook.run(code)
    return captured.outputs


def shown(view: PickView) -> str:
    """Return all text that the widgets have."""
    return "".join(
        str(getattr(widget, "value", "")) + str(getattr(widget, "description", ""))
        for widget in _within(view.box)
    )


def _within(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _within(child)


def test_nothing_tells_how_a_picture_was_made(view: PickView) -> None:
    text = shown(view)
    for word in ("secret", "fox", "owl", "ink", "oil", "imagine", ".png"):
        assert word not in re.sub(r"base64,[^\"]*", "", text)
    sources = re.findall(r'"data:image/(?:png|jpeg);base64,([^"]*)"', text)
    pictures = [b64decode(source) for source in sources]
    assert len(pictures) == 2
    assert b"secret" not in b"".join(pictures)
    assert 'alt="The picture on the left"' in text


def test_buttons_take_choices_and_their_way_back(view: PickView, notebook: Cells) -> None:
    before = shown(view)
    with capture_output():
        view.buttons["left"].click()
        view.buttons["equal"].click()
        view.buttons["skip"].click()
        assert "3 of 6 pairs chosen" in shown(view)
        for _ in range(3):
            view.buttons["back"].click()
        assert shown(view) == before
        for _ in range(6):
            view.buttons["right"].click()
    assert "Every pair has its choice." in shown(view)
    assert [name for name, button in view.buttons.items() if not button.disabled] == ["back"]
    assert notebook.run("made.pick().chosen") == 6


def test_a_live_cell_shows_the_pairs_and_a_saved_one_the_table(
    notebook: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "live")
    widget, table = outputs(notebook, "from IPython.display import display\ndisplay(made.pick())")
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert "run this cell" in widget.data["text/plain"], "what GitHub shows of widgets"
    assert "<" not in widget.data["text/plain"]
    assert "0 of 6 pairs chosen" in table.data["text/plain"]
    assert "<td" in table.data["text/html"]
    monkeypatch.setenv(VARIABLE, "batch")
    (table,) = outputs(notebook, "display(made.pick())")
    assert set(table.data) == {"text/plain", "text/html"}


def test_a_picture_that_is_gone_says_so(notebook: Cells, tmp_path: Path) -> None:
    pick = notebook.run("made.pick()")
    pick.pair.left.picture.path.unlink()
    assert "cannot be read" in shown(PickView(pick, "t"))
