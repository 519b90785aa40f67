"""What cells show, read by axe-core: badges with captions, tables, a page of nbconvert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.table import Table, Thumbnail

axe_core = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
TUTORIALS = Path(__file__).parents[2] / "notebooks"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# The colours of JupyterLab's two themes.
THEMES = {"light": ("#ffffff", "#212121"), "dark": ("#111111", "#ffffff")}


def cells() -> str:
    """What a notebook's cells show, as HTML."""
    rows = [(Thumbnail(PIXEL, "a red fox"), "a1", 2), (Thumbnail(PIXEL, "an owl"), "b2", 1)]
    states = ("waiting", "sending", "queued", "painting", "fetching")
    ends = ("done", "failed", "stopped", "unknown")
    shown = [
        *(badge.bundle(state, f"{state} 3 s")["text/html"] for state in states),
        *(badge.bundle(state, state, "a red fox", is_end=True)["text/html"] for state in ends),
        Table(("", "id", "pictures"), rows, note="Two are shown.")._repr_html_(),
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
