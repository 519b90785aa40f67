"""The documentation site: built without a network and a warning, with nothing broken in it."""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.browser.browsers import opened_browser, why_skipped
from tests.browser.conftest import ARTIFACTS

pytest.importorskip("sphinx", reason="Sphinx is not installed")
ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"  # whatever asks for the network is refused


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, as the README says; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(ROOT / "notebooks"), str(folder / "html")],
        env={**os.environ, **proxies},
        capture_output=True,
        text=True,
        check=False,  # what it said is told below
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictured = False
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        self.pictured |= tag == "img"
        if tag in {"script", "img", "iframe", "source"} and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("rel") in {
            "stylesheet",
            "icon",
            "preload",
            "shortcut icon",
        }:
            self.loads.append(values["href"])


@functools.cache
def pages(site: Path) -> dict[str, Page]:
    """Return every page by its address inside the site."""
    files = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {str(path.relative_to(site)): Page(path.read_text("utf-8")) for path in files}


def test_each_page_loads_what_is_there_and_nothing_from_elsewhere(site: Path) -> None:
    """The site opens without a network."""
    absent = [
        (address, load)
        for address, page in pages(site).items()
        for load in page.loads
        if urlsplit(load).scheme != "data" and not stands(site, urljoin(address, load))
    ]
    assert absent == []


def stands(site: Path, address: str) -> bool:
    """Tell whether an address is that of a file of the site."""
    url = urlsplit(address)
    return not url.netloc and (site / unquote(url.path)).is_file()


def test_no_link_inside_the_site_is_broken(site: Path) -> None:
    """Every link leads to a page that is there, and to an anchor that it has."""
    broken = []
    for address, page in pages(site).items():
        for link in page.links:
            url = urlsplit(urljoin(f"http://site/{address}", link))
            if url.netloc != "site":
                continue
            target = unquote(url.path).lstrip("/") or address
            if not (site / target).is_file():
                broken.append((address, link))
            elif url.fragment and target in pages(site):
                anchors = pages(site)[target].anchors | {""}
                if unquote(url.fragment) not in anchors:
                    broken.append((address, link))
    assert broken == []


PUBLIC = (
    "opeai_nb",
    "opeai_nb.bulk",
    "opeai_nb.client",
    "opeai_nb.engine",
    "opeai_nb.library",
    "opeai_nb.studio",
    "opeai_nb.testing",
)


def test_the_reference_has_every_public_name(site: Path) -> None:
    """What `dir` shows of a public package has its docstring in the reference."""
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    told = {name for kind, items in inventory.data.items() if kind[:3] == "py:" for name in items}
    public = {
        f"{package}.{name}"
        for package in PUBLIC
        for name in dir(importlib.import_module(package))
        if name[0] != "_" and f"opeai_nb.{name}" not in told  # some stand in two packages
    }
    constants = {"opeai_nb.engine.ENGINE_URL"}
    assert public - told - constants == set()


def test_the_lists_are_those_of_the_help(site: Path) -> None:
    """Every option, sub-command, command, setting and error stands on its page of the reference."""
    from opeai_nb import errors
    from opeai_nb.cli.main import COMMANDS as PROGRAMS
    from opeai_nb.notebook.commands import COMMANDS
    from opeai_nb.notebook.magic.imagine import Imagine
    from opeai_nb.notebook.magic.options import OPTIONS

    expected = {
        "options": [spelling for option in OPTIONS for spelling in option.spellings],
        "commands": [*(f"%imagine {name}" for name in COMMANDS), *PROGRAMS],
        "settings": list(Imagine.class_trait_names(config=True)),
        "errors": [name for name in vars(errors) if name.endswith("Error")],
    }
    for page, words in expected.items():
        text = (site / "reference" / f"{page}.html").read_text("utf-8")
        plain = "".join(_Text(text).pieces)
        assert [word for word in words if word not in plain] == [], page


class _Text(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Serve the site on a free port."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing: a test's output is for what went wrong."""

    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def to_look_at(site: Path) -> list[str]:
    """Return the pages with a picture, and one of each folder: the others have its scripts."""
    one_of_each = {str(Path(address).parent): address for address in pages(site)}
    return [
        address
        for address, page in sorted(pages(site).items())
        if page.pictured or address in one_of_each.values()
    ]


# What axe-core may find in the text, and whose it is. The frame around it is the theme's: its
# arrows have no names, and its search button changes colours while axe looks.
NOT_OURS = {"definition-list": "Sphinx's own markup of a class and its members"}
TEXT = "#main-content"


in_chromium = pytest.mark.skipif(bool(why_skipped("chromium")), reason="there is no Chromium here")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, opened_browser(playwright, "chromium") as browser:
        yield browser


@pytest.mark.browser
@in_chromium
def test_axe_finds_nothing_to_mend_on_pages_of_each_kind(address: str, chromium: Any) -> None:
    """A page with a table, a tutorial with badges and pictures, the reference; light and dark."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    found: list[tuple[str, str, str]] = []
    with chromium.new_page(viewport={"width": 1300, "height": 1000}) as page:
        page.set_default_timeout(90_000)
        for name, scheme in itertools.product(READ_BY_AXE, ("light", "dark")):
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{address}/{name}.html", wait_until="load")
            for each in axe.Axe().run(page, context=TEXT).response["violations"]:
                found += [(name, each["id"], node["html"]) for node in each["nodes"]]
    assert [one for one in found if one[1] not in NOT_OURS] == []


READ_BY_AXE = ("install", "02_library", "reference/options")
MISSING = "() => [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"


@pytest.mark.browser
@in_chromium
def test_a_browser_sees_every_picture_and_finds_what_it_searches(
    site: Path, address: str, chromium: Any
) -> None:
    """Pages open without an error, light and dark, and the search knows the pages."""
    troubles: list[str] = []
    with chromium.new_page(viewport={"width": 1300, "height": 1000}, color_scheme="dark") as page:
        page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        for name in to_look_at(site):
            page.goto(f"{address}/{name}", wait_until="load")
            page.evaluate(
                "() => document.querySelectorAll('img').forEach(i => i.loading = 'eager')"
            )
            page.wait_for_function(f"() => ({MISSING})().length === 0")
        ARTIFACTS.mkdir(exist_ok=True)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{address}/01_quickstart.html", wait_until="load")
            page.screenshot(path=ARTIFACTS / f"site-{scheme}.png")
        page.goto(f"{address}/search.html?q=sweep", wait_until="load")
        page.wait_for_selector("#search-results ul.search li a")
        found = page.locator("#search-results ul.search li a").evaluate_all(
            "a => a.map(i => i.href)"
        )
    assert troubles == []
    assert any("06_sweeps" in link for link in found)
