"""A real JupyterLab on a free port, and a real Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
REQUIRED = os.environ.get("OPEAI_NB_BROWSER") == "required"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Else a news popup stands before the notebook, and autosave writes while a test compares.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
KERNEL_IS_READY = """() => {
  const w = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const k = w && w.sessionContext && w.sessionContext.session && w.sessionContext.session.kernel;
  return !!(k && k.connectionStatus === 'connected' && k.status === 'idle'
            && w.sessionContext.isReady);
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not REQUIRED:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


class Lab:
    """JupyterLab serving a folder; *url* is where it answers."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = home / "config" / "labconfig" / "default_setting_overrides.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(LAB_SETTINGS))
        self._log = (home / "server.log").open("wb")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                *("--IdentityProvider.token=", "--ServerApp.password="),
                *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}"),
                "--LabApp.expose_app_in_browser=True",
            ],
            env=server_environment(home),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait(home / "server.log")

    def _wait(self, log: Path) -> None:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.url}/api/status", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self._process.poll() is None, log.read_text(errors="replace")
                time.sleep(0.25)
        pytest.fail(f"JupyterLab did not start: {log.read_text(errors='replace')}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_environment(home: Path) -> dict[str, str]:
    """Everything that Jupyter writes goes below *home*; pictures come from the engine, keyless."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "OPEAI", "JPY_"))}
    return {
        **keep,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "OPEAI_NB_CACHE": str(home / "cache"),
        "OPEAI_BASE_URL": "engine:",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), keep.get("PYTHONPATH")])),
    }


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if CHROMIUM is None:
        pytest.fail("Chromium is required here (OPEAI_NB_BROWSER=required), and there is none")
    folder = tmp_path_factory.mktemp("lab")
    made = Lab(folder, tmp_path_factory.mktemp("home"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


class Notebook:
    """One open notebook in the browser."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def run_all(self) -> None:
        self.page.evaluate(
            "() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
        )

    def run_cell(self, number: int) -> None:
        cell = self.cell(number)
        cell.locator(".jp-InputArea-editor .cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def cell(self, number: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def wait_until_idle(self, timeout: float = 90_000) -> None:
        """Wait until no cell shows a star any more and the kernel is idle."""
        self.page.wait_for_function(
            """() => ![...document.querySelectorAll('.jp-InputPrompt')]
                 .some(p => p.innerText.includes('*'))""",
            timeout=timeout,
        )
        self.page.wait_for_function(KERNEL_IS_READY, timeout=timeout)

    def wait_until_started(self) -> None:
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('.jp-InputPrompt')]
                 .some(p => p.innerText.includes('*'))"""
        )

    def save(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def screenshot(self, name: str, **options: Any) -> Path:
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=path, **options)
        return path


@pytest.fixture
def open_notebook(lab: Lab, chromium: Any) -> Iterator[Any]:
    pages = []

    def opened(name: str, width: int = 1300, height: int = 950) -> Notebook:
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        pages.append(page)
        page.goto(f"{lab.url}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(KERNEL_IS_READY, timeout=60_000)
        return Notebook(page)

    yield opened
    for page in pages:
        page.context.close()
