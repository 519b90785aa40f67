"""The quickstart in a real JupyterLab, seen by a real browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# Everything that a badge ever says, in the order in which it says it: read from the page itself.
RECORD_BADGES = """() => {
  window.badges = [];
  const read = () => document.querySelectorAll('.jp-OutputArea-output span[style]').forEach(s => {
    const text = s.innerText.trim();
    if (text && window.badges[window.badges.length - 1] !== text && s.style.background)
      window.badges.push(text);
  });
  new MutationObserver(read).observe(document.body,
    {childList: true, subtree: true, characterData: true});
}"""
PICTURES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
  .filter(i => i.complete && i.naturalWidth > 0)
  .map(i => ({width: i.naturalWidth, height: i.naturalHeight, alt: i.alt}))"""


def test_the_quickstart_runs_and_its_badges_change(lab: Any, open_notebook: Any) -> None:
    """Run All: every cell runs, the pictures stand on the page, the badge tells each state."""
    name = "01_quickstart.ipynb"
    shutil.copy(NOTEBOOKS / name, lab.folder / name)
    clear_outputs(lab.folder / name)
    notebook = open_notebook(name, height=2400)
    notebook.page.evaluate(RECORD_BADGES)
    notebook.run_all()
    notebook.wait_until_started()
    notebook.wait_until_idle()
    code = [c for c in nbformat.read(lab.folder / name, 4).cells if c.cell_type == "code"]
    asked = [cell for cell in code if "%%imagine" in cell.source or "%imagine " in cell.source]
    notebook.page.wait_for_function(f"n => ({PICTURES})().length >= n", arg=len(asked) - 1)
    pictures = notebook.page.evaluate(PICTURES)
    badges = notebook.page.evaluate("() => window.badges")
    notebook.screenshot("quickstart", full_page=True)
    assert all(min(p["width"], p["height"]) >= 200 for p in pictures), pictures
    assert any("queued" in badge for badge in badges), badges
    assert any("painting" in badge for badge in badges), badges
    assert any(badge.startswith("✓ 2 pictures") for badge in badges), badges
    assert all("embedded engine" in badge for badge in badges), badges
    (red,) = notebook.page.locator(".jp-RenderedText[data-mime-type*='stderr']").all_inner_texts()
    assert red.startswith("InputError: 'big' is not a size.")


def test_a_saved_notebook_shows_its_pictures_without_a_kernel(lab: Any, open_notebook: Any) -> None:
    """Reopened, nothing runs: badges and pictures are those that were saved."""
    name = "reopened.ipynb"
    shutil.copy(NOTEBOOKS / "01_quickstart.ipynb", lab.folder / name)
    notebook = open_notebook(name, height=2400)
    stored = json.loads((lab.folder / name).read_text())
    shown = [
        output
        for cell in stored["cells"]
        for output in cell.get("outputs", [])
        if {"image/png", "image/jpeg"} & set(output.get("data", {}))
    ]
    assert shown
    notebook.page.wait_for_function(f"n => ({PICTURES})().length === n", arg=len(shown))
    notebook.page.get_by_text("✓ ").first.wait_for()


def clear_outputs(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)
