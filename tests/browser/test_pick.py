"""A blind choice in a real JupyterLab, by keys alone: each is one choice, and none leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_magic import write

pytestmark = pytest.mark.long

CELLS = [
    "%load_ext opeai_nb\nfrom opeai_nb import sweep",
    'made = sweep("a {animal} in snow", animal=["fox", "owl", "cat"], size="512x512").run()',
    "pick = made.pick()\npick",
]
CELL_COUNT = "() => document.querySelectorAll('.jp-Notebook .jp-Cell').length"


def test_every_pair_is_chosen_by_keys_and_the_last_choice_taken_back(lab: Any, opened: Any) -> None:
    write(lab.folder / "pick.ipynb", CELLS)
    notebook = opened("pick.ipynb")
    for number in range(len(CELLS)):
        notebook.run_cell(number)
    page = notebook.page
    output = notebook.cell(2).locator(".jp-Cell-outputArea")
    cells = page.evaluate(CELL_COUNT)

    def told(summary: str) -> None:
        """Wait until the pairs and the table below both say it."""
        output.locator(f"[role=status]:has-text('{summary}')").wait_for()
        output.locator(f"caption:has-text('{summary}')").wait_for()

    told("0 of 3 pairs chosen")
    output.locator("button.opeai-nb-left").focus()
    page.keyboard.press("ArrowRight")
    told("1 of 3 pairs chosen")
    notebook.screenshot("pick-pair")
    page.keyboard.press("Backspace")
    told("0 of 3 pairs chosen")
    for number, key in enumerate(("ArrowLeft", "=", "s"), 1):
        page.keyboard.press(key)
        told(f"{number} of 3 pairs chosen")
    output.locator("[role=status]:has-text('Every pair has its choice.')").wait_for()
    notebook.screenshot("pick-done")
    page.keyboard.press("Backspace")  # the buttons of the choices are disabled by now
    told("2 of 3 pairs chosen")
    output.locator("img[data-choice=left]").click()
    told("3 of 3 pairs chosen")
    page.keyboard.press("Backspace")
    told("2 of 3 pairs chosen")
    assert page.evaluate(CELL_COUNT) == cells, "no key was a shortcut of the notebook's"
