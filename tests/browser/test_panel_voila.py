"""The panel as an app: Voilà serves the tutorial's notebook, and its panel paints."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import free_port, server_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            wait_for(url, process, tmp_path / "voila.log")
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{url}/voila/static/", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, log.read_text(errors="replace")
            time.sleep(0.25)
    pytest.fail(f"Voilà did not start: {log.read_text(errors='replace')}")


def test_voila_serves_the_panel_and_it_generates(voila: str, chromium: Any) -> None:
    page = chromium.new_context(viewport={"width": 1300, "height": 1250}).new_page()
    page.goto(voila, timeout=90_000)
    page.wait_for_selector(".opeai-nb-panel[data-ready='1']", timeout=60_000)
    page.get_by_label("Prompt").fill("a hot-air balloon over the sea")
    page.get_by_role("button", name="Generate").click()
    page.get_by_alt_text("a hot-air balloon over the sea").first.wait_for(timeout=60_000)
    page.locator(".ob-line[data-state=done]").wait_for()
    page.screenshot(path=str(artifact()))
    page.context.close()


def artifact() -> Path:
    from tests.browser.conftest import ARTIFACTS

    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS / "panel-voila.png"
