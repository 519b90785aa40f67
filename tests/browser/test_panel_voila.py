"""The panel as an app: Voilà serves the tutorial's notebook, and its panel paints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import (
    Notebook,
    free_port,
    server_environment,
    wait_until_it_answers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long  # a server of its own, and a page painted whole

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_panel.ipynb"


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("voila")
    url = f"http://127.0.0.1:{(port := free_port())}"
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / NOTEBOOK.name).write_bytes(NOTEBOOK.read_bytes())
    with (tmp_path / "voila.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "voila", NOTEBOOK.name, "--no-browser"),
                *(f"--port={port}", "--Voila.ip=127.0.0.1"),
            ],
            cwd=folder,
            env=server_environment(tmp_path / "home"),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(f"{url}/voila/static/", process, tmp_path / "voila.log")
            yield url
        finally:
            process.terminate()
            process.wait(20)


def test_voila_serves_the_panel_and_it_generates(voila: str, pages: Any) -> None:
    page = pages.new(1300, 1250)
    page.goto(voila)
    page.wait_for_selector(".opeai-nb-panel[data-ready='1']")
    page.get_by_label("Prompt", exact=True).fill("a hot-air balloon over the sea")
    page.get_by_role("button", name="Generate").click()
    page.get_by_alt_text("a hot-air balloon over the sea").first.wait_for()
    page.locator(".ob-line[data-state=done]").wait_for()
    Notebook(page).screenshot("panel-voila")
