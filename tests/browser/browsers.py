"""The browsers that are on this machine; Playwright drives them, WebDriver drives WebKit.

A test of each is marked `in_each_browser` and takes the fixture `browser`, or what rests on it
(`pages`, `opened`, `open_notebook`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.browser import webkit

COMMANDS = {
    # The shell is Chromium without windows, tabs and menus: it starts in a third of the time.
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
PATHS = {name: next(filter(None, map(shutil.which, COMMANDS[name])), None) for name in COMMANDS}
CHROMIUM = PATHS["chromium"]
REQUIRED = frozenset(os.environ.get("OPEAI_NB_BROWSERS", "").split())
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
OPEN: list[Any] = []  # what a failure shows
# Chromium alone in a quick run: another browser takes its time.
in_each_browser = pytest.mark.parametrize(
    "browser",
    [
        "chromium",
        pytest.param("firefox", marks=pytest.mark.long),
        pytest.param("webkit", marks=pytest.mark.long),
    ],
    indirect=True,
    scope="module",
)


def missing(name: str) -> str:
    """Return what this machine lacks for a browser; empty where it lacks nothing."""
    if name == "webkit":
        return webkit.missing()
    return "" if PATHS[name] else f"there is no {name} on this machine"


def why_skipped(name: str) -> str:
    """Return why the tests of a browser are skipped; empty where they run."""
    if not REQUIRED:
        return missing(name)
    return "" if name in REQUIRED else f"OPEAI_NB_BROWSERS names {' and '.join(sorted(REQUIRED))}"


@contextmanager
def opened_browser(playwright: Any, name: str) -> Iterator[Any]:
    """Open a browser by its name; it is closed at the end."""
    if reason := missing(name):
        pytest.fail(f"{reason}, and OPEAI_NB_BROWSERS requires it")
    with ExitStack() as stack:
        if name == "webkit":
            browser: Any = webkit.Browser(stack.enter_context(webkit.display()))
        elif name == "firefox":
            browser = playwright.firefox.launch(channel="moz-firefox", executable_path=PATHS[name])
        else:
            browser = playwright.chromium.launch(executable_path=PATHS[name], args=FLAGS)
        stack.callback(browser.close)
        OPEN.append(browser)
        stack.callback(OPEN.remove, browser)
        yield browser
