"""The two addresses of Binder, on a server that is started as Binder starts it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import KERNEL_IS_READY, Lab, Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.conftest import Pages

pytestmark = pytest.mark.long  # a server of its own

ROOT = Path(__file__).parents[2]


def addresses(document: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"mybinder\.org/v2/gh/OWNER/REPOSITORY/HEAD\?urlpath=([\w/.]+)", text)


@pytest.fixture(scope="module")
def binder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("binder", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    server = Lab(folder, tmp_path_factory.mktemp("home"), str(folder / "binder" / "start"))
    yield server
    server.stop()


def test_readme_and_documentation_name_the_same_two_addresses() -> None:
    assert len(addresses("README.md")) == 2
    assert addresses("README.md") == addresses("notebooks/how-to/hub.md")


def test_the_first_opens_the_quickstart(binder: Lab, pages: Pages) -> None:
    page = pages.new(1300, 950)
    page.goto(f"{binder.url}/{addresses('README.md')[0]}")
    page.wait_for_function(KERNEL_IS_READY)
    assert page.evaluate("jupyterapp.shell.currentWidget.title.label") == "01_quickstart.ipynb"


def test_the_second_is_the_panel_as_an_app(binder: Lab, pages: Pages) -> None:
    page = pages.new(1300, 1250)
    page.goto(f"{binder.url}/{addresses('README.md')[1]}")
    page.wait_for_selector(".opeai-nb-panel[data-ready='1']")
    page.get_by_label("Prompt", exact=True).fill("a hot-air balloon over the sea")
    page.get_by_role("button", name="Generate").click()
    page.locator(".ob-line[data-state=done]").wait_for()
    Notebook(page).screenshot("panel-binder")
