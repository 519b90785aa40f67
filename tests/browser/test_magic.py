"""The magic and the quickstart in a real JupyterLab and a real Notebook 7, seen in both themes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.browsers import in_each_browser
from tests.browser.conftest import KERNEL_IS_READY, Notebook

# By the same parameter as `in_each_browser` has: one browser, and one JupyterLab in it, for all.
in_chromium = pytest.mark.parametrize("browser", ["chromium"], indirect=True, scope="module")
CELLS = [
    '%load_ext opeai_nb\n%config Imagine.engine = "always"',
    "%%imagine -n 4 -s 512x512 -o cats\na watercolour cat by the window",
    "%%imagine -m gpt-image-2 -s 1536x1024 --no-wait -o sea\nthe sea at dawn, oil painting",
    "sea.result().summary",
    "sea",
    "%%imagine -m rehearsal-failed -o lost\na lighthouse",
    "%%imagine --sice 512x512\na mouse",
    "%%imagine -m rehearsal-partial -n 2 -s 512x512\na hill",
    "%imagine config",
]
BADGES = """() => [...document.querySelectorAll('.jp-OutputArea-output b[style*=inline-block]')]
  .map(s => s.innerText)"""
PICTURES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
  .filter(i => i.complete && i.naturalWidth > 0).map(i => i.naturalWidth)"""

SIDES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
  .flatMap(i => [i.naturalWidth, i.naturalHeight])"""
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# Everything that a badge ever says, in the order in which it says it: read from the page itself.
RECORD_BADGES = """() => {
  window.badges = [];
  const read = () => document.querySelectorAll('.jp-OutputArea-output b[style]').forEach(s => {
    const text = s.innerText.trim();
    if (text && window.badges[window.badges.length - 1] !== text && s.style.background)
      window.badges.push(text);
  });
  new MutationObserver(read).observe(document.body,
    {childList: true, subtree: true, characterData: true});
}"""


def write(path: Path, cells: list[str]) -> None:
    may_fail = {"tags": ["raises-exception"]}  # else the cells behind a failure would not run
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell, metadata=may_fail) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)


@in_each_browser
def test_what_a_person_sees(lab: Any, opened: Any) -> None:
    """Run cell by cell: background slots, a job shown again, failures, a partial batch."""
    write(lab.folder / "magic.ipynb", CELLS)
    notebook = opened("magic.ipynb", height=4200)
    for number in range(len(CELLS)):
        notebook.run_cell(number)
    notebook.wait_until_idle()
    for theme in ("Dark", "Light"):  # the last one stays, for all who follow
        assert_theme_shows_all(notebook, f"JupyterLab {theme}")
        notebook.screenshot(f"magic-{theme.lower()}", full_page=True)


def assert_theme_shows_all(notebook: Notebook, theme: str) -> None:
    notebook.page.evaluate(
        "t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", theme
    )
    notebook.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
    notebook.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page
    notebook.page.wait_for_function(f"() => ({PICTURES})().length === 4")  # one in the background
    badges = notebook.page.evaluate(BADGES)
    picture = "✓ 1 picture · gpt-image-2 · 1536x1024 · embedded engine"
    assert badges[0] == "✓ 4 pictures · qwen-image-2.0 · 512x512 · embedded engine"
    assert badges[1:3] == [picture, picture], "its own cell, and the cell that shows it again"
    assert badges[3].startswith("✗")
    assert badges[4].startswith("✓ 1 picture, 1 failed")


@pytest.mark.long
def test_what_lab_saved_passes_strict_nbval(lab: Any, open_notebook: Any) -> None:
    """The live badge has many states; what is stored is the one that a batch run shows."""
    name = "magic-nbval.ipynb"
    write(lab.folder / name, [*CELLS[:4], "%imagine -s 512x512 a red apple"])
    notebook = open_notebook(name)
    notebook.run_all()
    notebook.wait_until_started()
    notebook.wait_until_idle()
    notebook.page.wait_for_function(f"() => ({PICTURES})().length === 3")
    notebook.save()
    notebook.page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    stored = lab.folder / name
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "--opeai-engine",
            "-p",
            "no:cacheprovider",
            name,
        ],
        cwd=lab.folder,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert stored.stat().st_size < 700_000


@in_chromium
def test_tab_offers_options_and_sizes(lab: Any, opened: Any) -> None:
    write(lab.folder / "tab.ipynb", [CELLS[0], ""])
    notebook = opened("tab.ipynb")
    notebook.run_cell(0)
    notebook.wait_until_idle()
    notebook.cell(1).locator(".jp-InputArea-editor .cm-content").click()
    notebook.page.keyboard.type("%%imagine -m gpt-image-2 --")
    notebook.page.keyboard.press("Tab")
    offered = notebook.page.locator(".jp-Completer-item")
    offered.get_by_text("--negative-prompt").wait_for()
    texts = offered.all_inner_texts()
    notebook.screenshot("magic-completion")
    assert not any("--model" in text for text in texts), "it stands on the line already"


@in_chromium
def test_the_quickstart_runs_and_its_badges_change(lab: Any, opened: Any) -> None:
    """Run All: every cell runs, the pictures stand on the page, the badge tells each state."""
    name = "01_quickstart.ipynb"
    shutil.copy(NOTEBOOKS / name, lab.folder / name)
    clear_outputs(lab.folder / name)
    notebook = opened(name, height=2400)
    notebook.page.evaluate(RECORD_BADGES)
    notebook.run_all()
    notebook.wait_until_started()
    notebook.wait_until_idle()
    code = [c for c in nbformat.read(lab.folder / name, 4).cells if c.cell_type == "code"]
    asked = [cell for cell in code if "%%imagine" in cell.source or "%imagine " in cell.source]
    notebook.page.wait_for_function(f"n => ({PICTURES})().length >= n", arg=len(asked) - 1)
    sides = notebook.page.evaluate(SIDES)
    badges = notebook.page.evaluate("() => window.badges")
    notebook.screenshot("quickstart", full_page=True)
    assert min(sides) >= 200, sides
    assert any("queued" in badge for badge in badges), badges
    assert any("painting" in badge for badge in badges), badges
    assert any(badge.startswith("✓ 2 pictures") for badge in badges), badges
    assert all("embedded engine" in badge for badge in badges), badges
    (red,) = notebook.page.locator(".jp-RenderedText[data-mime-type*='stderr']").all_inner_texts()
    assert red.startswith("InputError: 'big' is not a size.")


@in_chromium
def test_a_saved_notebook_shows_its_pictures_without_a_kernel(lab: Any, opened: Any) -> None:
    """Reopened, nothing runs: badges and pictures are those that were saved."""
    name = "reopened.ipynb"
    shutil.copy(NOTEBOOKS / "01_quickstart.ipynb", lab.folder / name)
    notebook = opened(name, height=2400)
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


@pytest.mark.long
def test_notebook_7_shows_the_same(lab: Any, pages: Any) -> None:
    """Its server answers in the same folder; its page has the same cells."""
    write(lab.folder / "seven.ipynb", CELLS[:3])
    page = pages.new(1300, 1700)
    page.goto(f"{lab.url}/notebooks/seven.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(KERNEL_IS_READY)  # a cell that is run before asks for a kernel
    seven = Notebook(page)
    for number in range(3):
        seven.run_cell(number)
        prompt = seven.cell(number).locator(".jp-InputPrompt")
        page.wait_for_function("p => /\\[\\d+\\]/.test(p.innerText)", arg=prompt.element_handle())
    page.wait_for_function(f"() => ({PICTURES})().length === 2")
    badges = page.evaluate(BADGES)
    seven.screenshot("magic-notebook7", full_page=True)
    assert [badge[0] for badge in badges] == ["✓", "✓"]


@pytest.mark.long
def test_voila_shows_the_end(lab: Any, pages: Any) -> None:
    """Updates after the page has loaded would be lost there: it is a batch."""
    pytest.importorskip("voila", reason="Voilà is not installed")
    write(lab.folder / "voila.ipynb", CELLS[:3])
    page = pages.new(1300, 1700)
    page.goto(f"{lab.url}/voila/render/voila.ipynb")
    page.wait_for_function(f"() => ({PICTURES})().length === 2")
    badges = page.evaluate(BADGES)
    Notebook(page).screenshot("magic-voila", full_page=True)
    assert [badge[0] for badge in badges] == ["✓", "✓"]
