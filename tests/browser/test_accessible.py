"""What cells show, read by axe-core: badges with captions, tables, a page of nbconvert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import opeai_nb.notebook.panel.panel as panel_module
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.table import Table, Thumbnail
from opeai_nb.notebook.panel.static_output import still_bundle
from tests.pictures import png

axe_core = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
TUTORIALS = Path(__file__).parents[2] / "notebooks"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# The colours of JupyterLab's two themes.
THEMES = {"light": ("#ffffff", "#212121"), "dark": ("#111111", "#ffffff")}

# VS Code's own variables in its dark theme and in both of high contrast, the classes of its page,
# and what its extension for widgets makes of them, which is white on white in the second.
VSCODE = {
    "vscode-dark": ("#1f1f1f", "#cccccc", "--jp-layout-color1:#313131;--jp-ui-font-color1:#cccccc"),
    "vscode-high-contrast": ("#000000", "#ffffff", "--jp-ui-font-color1:#ffffff"),
    "vscode-high-contrast-light": ("#ffffff", "#292929", "--jp-ui-font-color1:#292929"),
    "vscode-dark before 2025": ("#1f1f1f", "#cccccc", "--jp-ui-font-color1:rgba(0,0,0,.8)"),
}
PANEL = """
<div class="output_container"><div class="output">
  <div class="cell-output-ipywidget-background" style="{sheet}"><div class="opeai-nb-panel">
    <span class="ob-label">Prompt</span> <div class="ob-note">a note</div>
    <div class="ob-warn">a warning</div> <div class="ob-wrong">a mistake</div>
    <button class="ob-button">Insert code</button>
    <div class="ob-error"><strong>It failed.</strong><small>HTTP 400</small></div>
    <div class="ob-right"><small class="ob-beside">768x512</small></div>
  </div></div>
</div></div>
<div class="output_container"><div class="output"><p class="opeai-nb-still">Still</p></div></div>"""


def cells() -> str:
    """What a notebook's cells show, as HTML."""
    rows = [(Thumbnail(PIXEL, "a red fox"), "a1", 2), (Thumbnail(PIXEL, "an owl"), "b2", 1)]
    states = ("waiting", "sending", "queued", "painting", "fetching")
    ends = ("done", "failed", "stopped", "unknown")
    shown = [
        *(badge.bundle(state, f"{state} 3 s")["text/html"] for state in states),
        *(badge.bundle(state, state, "a red fox", is_end=True)["text/html"] for state in ends),
        Table(("", "id", "pictures"), rows, note="Two are shown.")._repr_html_(),
        still_bundle(Generation((Picture(png()),), ImageRequest("a red fox")))["text/html"],
    ]
    return "".join(f"<div>{each}</div>" for each in shown)


@pytest.mark.parametrize("theme", THEMES)
def test_badges_and_tables_have_no_violation(browser: Any, theme: str) -> None:
    ground, letters = THEMES[theme]
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_content(
            '<html lang="en"><title>cells</title>'
            f'<body style="background:{ground};color:{letters}">'
            f"<main><h1>cells</h1>{cells()}</main>"
        )
        found = axe_core.Axe().run(page).response
    finally:
        context.close()
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
    assert any(each["id"] == "color-contrast" for each in found["passes"])


@pytest.mark.parametrize("theme", VSCODE)
def test_the_panel_is_read_in_each_theme_of_vs_code_and_shown_once(
    browser: Any, theme: str
) -> None:
    ground, letters, sheet = VSCODE[theme]
    css = (
        Path(panel_module.__file__)
        .with_name("page")
        .joinpath("panel.css")
        .read_text(encoding="utf-8")
    )
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_content(
            f'<html lang="en" style="--vscode-editor-background:{ground};'
            f'--vscode-editor-foreground:{letters}"><title>panel</title><style>{css}'
            ".cell-output-ipywidget-background { background: white !important; }</style>"
            f'<body class="{theme}" style="background:{ground};color:{letters}"><main>'
            f'<h1>panel</h1><div class="cell_container">{PANEL.format(sheet=sheet)}</div></main>'
        )
        found = axe_core.Axe().run(page).response
        assert page.get_by_text("a mistake").is_visible()
        assert page.get_by_text("Still").is_hidden()
    finally:
        context.close()
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
    assert any(each["id"] == "color-contrast" for each in found["passes"])
    assert [each["id"] for each in found["incomplete"]] == []


@pytest.mark.parametrize("name", ["02_library", "06_sweeps"])
def test_what_a_page_of_nbconvert_shows_of_us_has_no_violation(browser: Any, name: str) -> None:
    """Tables, badges, pictures and grids. Its prompts, and links in its text, have its colours."""
    nbconvert = pytest.importorskip("nbconvert", reason="no nbconvert here")
    page_of_it, _ = nbconvert.HTMLExporter().from_filename(str(TUTORIALS / f"{name}.ipynb"))
    context = browser.new_context(offline=True)  # it would fetch what draws formulas
    try:
        page = context.new_page()
        page.set_content(page_of_it, wait_until="domcontentloaded")
        assert page.locator(".jp-OutputArea-output img").count() > 0
        found = axe_core.Axe().run(page, context=".jp-OutputArea-output").response
    finally:
        context.close()
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
