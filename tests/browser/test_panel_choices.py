"""What a person chooses beside the words, in a real JupyterLab: a preset, and a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Pages
from tests.browser.panel_page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

CELL = """\
import os
import opeai_nb
os.environ["OPEAI_NB_PRICES"] = "presets.toml"
panel = opeai_nb.panel(size="768x512")
panel"""
PRESETS = """\
[preset.ink]
prompt = "{prompt} in ink"
size = "512x512"
quality = "high"
"""


@pytest.fixture(scope="module")
def opened(lab: Any, chromium: Any) -> Iterator[Page]:
    (lab.folder / "presets.toml").write_text(PRESETS)
    pages = Pages(chromium)
    yield Page(pages, lab, "choices.ipynb", CELL)
    pages.close()


@pytest.fixture
def panel(opened: Page) -> Page:
    opened.make()
    return opened


def test_a_preset_is_chosen_shows_what_it_sets_and_the_cell_names_it(panel: Page, lab: Any) -> None:
    page = panel.page
    page.get_by_label("Preset").select_option("ink")
    page.get_by_text("{prompt} in ink").wait_for()
    assert page.get_by_label("Other size").input_value() == "512x512"
    assert page.get_by_label("high").is_checked()
    panel.write("a heron")
    panel.click("Generate")
    panel.wait_for_picture("a heron in ink")
    panel.click("Insert code")
    page.get_by_text("Its first run shows this picture").wait_for()
    code = page.locator(".ob-code code").text_content()
    assert code == "%%imagine --preset ink --model qwen-image-2.0\na heron"
    page.get_by_label("Preset").select_option("")
    assert page.get_by_label("default").count() == page.locator(".ob-chip :checked").count() == 2
    (lab.folder / "presets.toml").write_text(PRESETS + '[preset.bold]\nprompt = "bold {prompt}"\n')
    page.get_by_label("Prompt").focus()
    page.get_by_label("Preset").focus()
    page.locator(".ob-preset option[value=bold]").wait_for(state="attached")
