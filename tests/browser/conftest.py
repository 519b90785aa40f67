"""A real JupyterLab on a free port, and real browsers that look at it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser.browsers import OPEN as OPEN_BROWSERS
from tests.browser.browsers import opened_browser, why_skipped
from tests.browser.panel_page import ASK, Page
from tests.kernel_files import short_folder

HERE = Path(__file__).parent
ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
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

KERNEL_STATE = """() => {
  const w = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const k = w && w.sessionContext && w.sessionContext.session && w.sessionContext.session.kernel;
  return k ? `${k.id} ${k.connectionStatus} ${k.status}` : 'none';
}"""
# What each thread of the kernel does.
THREADS = """
import sys, threading, traceback
for one in threading.enumerate():
    print('--', one.name, *traceback.format_stack(sys._current_frames()[one.ident])[-6:])
"""
ASK_SOON = f"""code => Promise.race([({ASK})(code),
  new Promise(done => setTimeout(done, 5000, 'the kernel does not answer'))])"""
# Opens a notebook in a JupyterLab that is there, and closes what was open, its kernel too.
OPEN = """async path => {
  const app = window.jupyterapp;
  for (const old of [...app.shell.widgets('main')]) {
    if (old.context) {
      old.context.model.dirty = false;
      await old.context.sessionContext.shutdown();
    }
    old.dispose();
  }
  await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
}"""
NOT_NAMED = SimpleNamespace(params={})
LOGS: list[Path] = []  # of the servers: what a failure shows
GUARDS: list[socket.socket] = []  # datagrams have ports of their own: the server's stays free


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.browser)
            name = str(getattr(item, "callspec", NOT_NAMED).params.get("browser", "chromium"))
            if reason := why_skipped(name):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish() -> None:
    for guard in GUARDS:
        guard.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed before a page says what stood on it: a time-out alone explains nothing."""
    report = yield
    if report.failed and item.path.parent == HERE:
        for browser in OPEN_BROWSERS:
            for page in (page for context in browser.contexts for page in context.pages):
                report.sections.append((f"the page at {page.url}", what_stands_on(page, item.name)))
        for log in LOGS:
            said = log.read_text(errors="replace")[-4000:]
            report.sections.append((f"the end of {log}", said))
    return report


def what_stands_on(page: Any, name: str) -> str:
    """What a person would see on *page*, and what its console and kernel say."""
    ARTIFACTS.mkdir(exist_ok=True)
    try:
        page.screenshot(path=ARTIFACTS / f"failed-{name}.png", timeout=5_000)
        seen = page.evaluate("() => [document.body.innerText, (" + KERNEL_STATE + ")()]")
        threads = "" if seen[1] == "none" else page.evaluate(ASK_SOON, THREADS)
    except Exception as problem:  # noqa: BLE001  whatever stops the look is itself the finding
        return f"the page can't be looked at: {problem}"
    lines = [f"{message.type}: {message.text}" for message in page.console_messages()]
    return f"{seen[0][:2000]}\n-- kernel: {seen[1]}\n{threads}\n" + "\n".join(lines[-30:])


class Lab:
    """JupyterLab serving a folder; *url* is where it answers. *start* is what starts it, if any."""

    def __init__(self, folder: Path, home: Path, *start: str) -> None:
        self.folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = home / "config" / "labconfig" / "default_setting_overrides.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(LAB_SETTINGS))
        if os.name != "nt":  # see tests/kernel_files.py
            kernels = {"KernelManager": {"transport": "ipc"}}
            (home / "config" / "jupyter_server_config.json").write_text(json.dumps(kernels))
        self._log = (home / "server.log").open("wb")
        self._process = subprocess.Popen(
            [
                *(*start, sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                *("--IdentityProvider.token=", "--ServerApp.password="),
                *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}"),
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
                # Else it asks yarn whether it is built, for two seconds.
                "--ServerApp.tornado_settings={'page_config_data': {'buildCheck': False}}",
            ],
            env=server_environment(home),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        LOGS.append(home / "server.log")
        wait_until_it_answers(f"{self.url}/api/status", self._process, LOGS[-1])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server of *process* answers at *url*, whatever it says."""
    for _ in range(360):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, log.read_text(errors="replace")
            time.sleep(0.25)
    pytest.fail(f"No server has come: {log.read_text(errors='replace')}")


def free_port() -> int:
    """Return a port that is free, and stays so until a server of this process listens there.

    It is none of those that the system hands out, and a guard keeps other runs of these tests away.
    """
    for port in range(20_000, 30_000):
        guard = socket.socket(type=socket.SOCK_DGRAM)
        try:
            guard.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            guard.close()
            continue
        GUARDS.append(guard)
        return port
    pytest.fail("All ports are taken.")


def server_environment(home: Path) -> dict[str, str]:
    """Everything that Jupyter writes goes below *home*; pictures come from the engine, keyless."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "OPEAI", "JPY_"))}
    return {
        **keep,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(short_folder()),
        "IPYTHONDIR": str(home / "ipython"),
        "OPEAI_NB_CACHE": str(home / "cache"),
        "OPEAI_BASE_URL": "engine:",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), keep.get("PYTHONPATH")])),
    }


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    made = Lab(folder, tmp_path_factory.mktemp("home"))
    yield made
    made.stop()


@pytest.fixture(scope="module")  # its loop runs on in the thread of the tests: others need that
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Chromium, or the one that `in_each_browser` names."""
    with opened_browser(playwright, getattr(request, "param", "chromium")) as made:
        yield made


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

    def wait_until_idle(self) -> None:
        """Wait until no cell shows a star any more and the kernel is idle."""
        self.page.wait_for_function(
            """() => ![...document.querySelectorAll('.jp-InputPrompt')]
                 .some(p => p.innerText.includes('*'))"""
        )
        self.page.wait_for_function(KERNEL_IS_READY)

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


class Pages:
    """Pages of a browser, each of which knows no other; open until `close`."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.browser_name: str = browser.browser_type.name

    def new(self, width: int, height: int) -> Any:
        """Return an empty page; what does not come within 90 s on it is missing."""
        context = self._browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(90_000)
        self._contexts.append(context)
        return self._made(context.new_page())

    def beside(self, page: Any) -> Any:
        """Return an empty page in another tab beside *page*."""
        return self._made(page.context.new_page())

    def _made(self, page: Any) -> Any:
        # It would ask at every frame, and so have every frame drawn.
        page.wait_for_function = partial(page.wait_for_function, polling=100)
        return page

    def notebook(self, lab: Lab, name: str, width: int = 1300, height: int = 950) -> Notebook:
        """Return a page that shows a notebook of *lab*, its kernel ready."""
        page = self.new(width, height)
        page.goto(f"{lab.url}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(KERNEL_IS_READY)
        return Notebook(page)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(browser: Any) -> Iterator[Pages]:
    made = Pages(browser)
    yield made
    made.close()


@pytest.fixture
def open_notebook(lab: Lab, pages: Pages) -> Any:
    return partial(pages.notebook, lab)


@pytest.fixture(scope="module")
def lab_page(lab: Lab, browser: Any) -> Iterator[Any]:
    """A page with a JupyterLab: to load it takes longer than what most tests do there."""
    pages = Pages(browser)
    page = pages.new(1300, 950)
    page.goto(f"{lab.url}/lab?reset")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget")
    yield page
    pages.close()


@pytest.fixture
def opened(lab_page: Any) -> Callable[..., Notebook]:
    """Return a function that shows a notebook in the JupyterLab of the module."""

    def open_(name: str, height: int = 950) -> Notebook:
        lab_page.set_viewport_size({"width": 1300, "height": height})
        lab_page.evaluate(OPEN, name)
        lab_page.wait_for_selector(".jp-Notebook .jp-Cell")
        lab_page.wait_for_function(KERNEL_IS_READY)
        return Notebook(lab_page)

    return open_


@pytest.fixture(scope="module")
def panel_page(lab: Lab, browser: Any) -> Iterator[Page]:
    """A notebook with a panel, for all tests of a module."""
    pages = Pages(browser)
    yield Page(pages, lab, f"{browser.browser_type.name}/panel.ipynb")
    pages.close()


@pytest.fixture
def panel(panel_page: Page) -> Page:
    """The panel of the module, its cell run anew."""
    panel_page.make()
    return panel_page
