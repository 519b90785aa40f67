"""What a person chooses beside the words, in a real JupyterLab: a preset, and a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.browsers import in_each_browser
from tests.browser.conftest import Pages
from tests.browser.panel_page import Page, drag
from tests.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.long, in_each_browser]

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
def opened(lab: Any, browser: Any) -> Iterator[Page]:
    (lab.folder / "presets.toml").write_text(PRESETS)
    pages = Pages(browser)
    yield Page(pages, lab, f"choices-{pages.browser_name}.ipynb", CELL)
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
    page.get_by_label("Prompt", exact=True).focus()
    page.get_by_label("Preset").focus()
    page.locator(".ob-preset option[value=bold]").wait_for(state="attached")


def opened_photo(panel: Page, lab: Any, size: tuple[int, int] = (600, 400)) -> Any:
    """Add a picture of *size* pixels and open it to draw in; return what one draws on."""
    (lab.folder / "photo.png").write_bytes(png(size, "seagreen"))
    page = panel.page
    page.get_by_placeholder("path, URL or variable").fill("photo.png")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Change only here: photo.png").click()
    page.locator(".ob-surface img").wait_for()
    page.get_by_text("Nothing is drawn yet").wait_for()
    return page.locator(".ob-surface")


def test_a_box_is_dragged_moved_by_keys_laid_over_and_taken_away(panel: Page, lab: Any) -> None:
    page = panel.page
    surface = opened_photo(panel, lab)
    drag(surface, (0.75, 0.75), (0.5, 0.4), (0.25, 0.25))
    numbers = page.get_by_label("Region: x, y, width, height")
    assert near(numbers.input_value(), [150, 100, 300, 200])
    surface.press("ArrowRight")
    surface.press("Shift+ArrowDown")
    assert near(numbers.input_value(), [156, 100, 300, 206])
    retype(numbers, "500,0,200,10")
    page.get_by_text("500,0,200,10 leaves the picture (600x400).").wait_for()
    panel.ask("panel.n = 2; print(panel.only)")  # what the kernel says meanwhile takes no word away
    assert page.get_by_text("500,0,200,10 leaves the picture (600x400).").is_visible()
    assert panel.ask("panel.n = 1; print(panel.n)") == "1"
    before = panel.records()
    panel.click("Generate")
    page.get_by_role("alert").get_by_text("leaves the picture").wait_for()
    assert panel.records() == before, "the box before it would have been sent"
    retype(numbers, "150,100,300,200")
    page.get_by_text("The edit may change 300×200 at 150,100").wait_for()
    page.keyboard.press("Escape")
    page.locator(".ob-source canvas").wait_for()
    panel.generate("a red hat")
    assert panel.ask("print(panel.result.only)") == "{'box': [150, 100, 300, 200]}"
    assert panel.ask("print(panel.result[0].getpixel((2, 2)))") == "(46, 139, 87)", "as it was"
    panel.click("Insert code")
    page.get_by_text("Its first run shows this picture").wait_for()
    code = page.locator(".ob-code code").text_content()
    assert "--image photo.png --only 150,100,300,200\n" in code
    page.get_by_role("button", name="Change all of photo.png").click()
    page.locator(".ob-source canvas").wait_for(state="detached")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "() => !document.querySelector('.ob-path code').textContent.includes('-only-')"
    )
    panel.wait_for("done")  # the stage comes first, then the result, then this
    assert panel.ask("print(panel.result.only)") == "None"


def test_one_draws_on_a_picture_of_one_column_and_writes_from_right_to_left(
    panel: Page, lab: Any
) -> None:
    panel.write("שועל אדום בשלג")
    direction = "field => getComputedStyle(field).direction"
    assert panel.page.get_by_label("Prompt", exact=True).evaluate(direction) == "rtl"
    surface = opened_photo(panel, lab, (1, 4000))
    assert surface.bounding_box()["width"] >= 20
    drag(surface, (0.1, 0.75), (0.5, 0.5), (0.9, 0.25))
    numbers = panel.page.get_by_label("Region: x, y, width, height").input_value()
    x, y, width, height = map(int, numbers.split(","))
    assert (x, width) == (0, 1)
    assert abs(y - 1000) <= 12 >= abs(height - 2000), "pixels of the screen have seven of these"


def retype(field: Any, text: str) -> None:
    """Write a text by keys: for Firefox, what a driver fills in is no change by a person."""
    field.press("Control+a")
    field.page.keyboard.type(text)
    field.press("Enter")


def near(text: str, numbers: list[int]) -> bool:
    """Whether each number is what was dragged to, but for the pixels of the screen."""
    found = [int(part) for part in text.split(",")]
    return all(abs(one - other) <= 3 for one, other in zip(found, numbers, strict=True))


def test_a_brush_paints_and_an_empty_one_sends_nothing(panel: Page, lab: Any) -> None:
    page = panel.page
    surface = opened_photo(panel, lab)
    panel.write("a blue hat")
    before = panel.records()
    panel.click("Generate")
    page.get_by_role("alert").get_by_text("No region is drawn yet").wait_for()
    panel.click("Brush")
    drag(surface, (0.2, 0.2), (0.4, 0.2))
    painted = page.get_by_text("of the picture; all else stays")
    painted.wait_for()
    panel.click("Undo")
    page.get_by_text("Nothing is drawn yet").wait_for()
    drag(surface, (0.5, 0.5), (0.6, 0.5), (0.6, 0.7))
    painted.wait_for()
    assert panel.records() == before
    panel.click("Generate")
    panel.wait_for_picture("a blue hat")
    assert panel.records() == before + 1
    assert panel.ask("print(sorted(panel.result.only))") == "['box', 'mask']"
    assert panel.ask("print(panel.result[0].getpixel((2, 2)))") == "(46, 139, 87)"


def test_axe_finds_nothing_to_mend_in_an_open_picture(panel: Page, lab: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    surface = opened_photo(panel, lab)
    drag(surface, (0.25, 0.25), (0.75, 0.75))
    panel.page.locator(".ob-source canvas").wait_for()
    panel.page.get_by_label("Preset").select_option("ink")
    found = axe.Axe().run(panel.page, context=".opeai-nb-panel").response
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
