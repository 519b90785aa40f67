"""The magic in a real JupyterLab and a real Notebook 7, seen by a real browser in both themes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.conftest import Notebook

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
BADGES = """() => [...document.querySelectorAll('.jp-OutputArea-output span[style]')]
  .map(s => s.innerText)"""
PICTURES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
  .filter(i => i.complete && i.naturalWidth > 0).map(i => i.naturalWidth)"""


def write(path: Path, cells: list[str]) -> None:
    may_fail = {"tags": ["raises-exception"]}  # else the cells behind a failure would not run
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell, metadata=may_fail) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)


@pytest.mark.parametrize("theme", ["dark", "light"])  # the theme stays: light for all who follow
def test_what_a_person_sees(lab: Any, open_notebook: Any, theme: str) -> None:
    """Run cell by cell: background slots, a job shown again, failures, a partial batch."""
    name = f"magic-{theme}.ipynb"
    write(lab.folder / name, CELLS)
    notebook = open_notebook(name, height=4200)
    title = f"JupyterLab {theme.title()}"
    notebook.page.evaluate(
        "t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", title
    )
    notebook.page.wait_for_selector(f"body[data-jp-theme-name='{title}']", state="attached")
    for number in range(len(CELLS)):
        notebook.run_cell(number)
    notebook.wait_until_idle()
    notebook.page.wait_for_function(f"() => ({PICTURES})().length === 4")  # one in the background
    badges = notebook.page.evaluate(BADGES)
    notebook.screenshot(f"magic-{theme}", full_page=True)
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


def test_tab_offers_options_and_sizes(lab: Any, open_notebook: Any) -> None:
    write(lab.folder / "tab.ipynb", [CELLS[0], ""])
    notebook = open_notebook("tab.ipynb")
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


@pytest.mark.long
def test_notebook_7_shows_the_same(lab: Any, pages: Any) -> None:
    """Its server answers in the same folder; its page has the same cells."""
    write(lab.folder / "seven.ipynb", CELLS[:3])
    page = pages.new(1300, 1700)
    page.goto(f"{lab.url}/notebooks/seven.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(
        "() => /Idle|idle/.test((document.querySelector('.jp-Notebook-ExecutionIndicator') "
        "|| {dataset: {}}).dataset.status || '')"
    )
    for number in range(3):
        cell = page.locator(".jp-Notebook .jp-Cell").nth(number)
        _run_until_numbered(page, cell)
    page.wait_for_function(f"() => ({PICTURES})().length === 2")
    badges = page.evaluate(BADGES)
    Notebook(page).screenshot("magic-notebook7", full_page=True)
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


def _run_until_numbered(page: Any, cell: Any) -> None:
    """Press Control+Enter until the cell has run: before the kernel is there it is dropped."""
    prompt = cell.locator(".jp-InputPrompt")
    for _ in range(20):
        cell.locator(".jp-InputArea-editor .cm-content").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1500)
        if "[ ]" not in prompt.inner_text():
            break
    page.wait_for_function("p => /\\[\\d+\\]/.test(p.innerText)", arg=prompt.element_handle())
