"""The panel in a real JupyterLab: a person types, clicks, uploads, edits, reloads."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import Pages
from tests.browser.panel_page import Page
from tests.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long  # a minute of clicks

RECORD_STATES = """() => {
  window.states = [];
  new MutationObserver(() => document.querySelectorAll('.ob-line').forEach(line => {
    if (window.states[window.states.length - 1] !== line.dataset.state)
      window.states.push(line.dataset.state);
  })).observe(document.body, {childList: true, subtree: true});
}"""
SETTLE = """
import threading
for thread in threading.enumerate():
    if thread.name == 'opeai_nb-panel':
        thread.join()
"""


@pytest.fixture(scope="module")
def opened(lab: Any, chromium: Any) -> Iterator[Page]:
    pages = Pages(chromium)
    yield Page(pages, lab, "panel.ipynb")
    pages.close()


@pytest.fixture
def panel(opened: Page) -> Page:
    opened.make()
    return opened


def photo() -> bytes:
    """A photograph as a phone makes it: grainy, lying on its side, upright by its EXIF."""
    grain = np.random.default_rng(7).normal(0, 12, (900, 1200, 3))
    slope = np.linspace(40, 200, 1200)[None, :, None] + np.zeros((900, 1, 3))
    picture = Image.fromarray(np.clip(slope + grain, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


def test_three_clicks_are_one_request_and_its_picture_appears(panel: Page) -> None:
    before = panel.records()
    panel.write("a red fox in a snowy forest")
    panel.page.locator(".ob-generate").click(click_count=3, delay=20)
    panel.wait_for_picture("a red fox in a snowy forest")
    panel.ask(SETTLE)  # each click has been looked at
    assert panel.records() == before + 1
    assert panel.page.locator(".opeai-nb-still").is_hidden(), "the live panel stands in its place"


def test_a_task_tells_its_states_while_other_cells_run(panel: Page) -> None:
    panel.page.evaluate(RECORD_STATES)
    panel.choose("rehearsal-slow")
    panel.write("a lighthouse at sunset")
    panel.click("Generate")
    panel.wait_for("queued")
    panel.notebook.run_cell(1)
    panel.notebook.cell(1).get_by_text("42").wait_for()
    panel.wait_for("painting")
    panel.page.get_by_text("%").first.wait_for()
    panel.click("Stop waiting")
    panel.wait_for("stopped")
    assert panel.page.evaluate("() => window.states") == [
        "sending",
        "queued",
        "painting",
        "stopped",
    ]
    panel.page.get_by_role("button", name="Wait again").wait_for()


def test_an_error_is_readable_and_the_next_click_works(panel: Page) -> None:
    panel.choose("rehearsal-moderation")
    panel.write("a fox")
    panel.click("Generate")
    panel.page.get_by_role("alert").get_by_text("Word the prompt differently").wait_for()
    panel.choose("qwen-image-2.0")
    panel.generate("a quiet fox")


def test_a_picture_is_edited_and_compared(panel: Page) -> None:
    panel.generate("a lighthouse at sunset")
    panel.click("Edit this")
    panel.page.locator(".ob-source img").wait_for()
    panel.generate("the same at night, in teal")
    panel.click("Compare")
    slider = panel.page.get_by_label("Compare before and after")
    slider.focus()
    panel.page.keyboard.press("Home")
    cut = "() => document.querySelector('.ob-compare').style.getPropertyValue('--cut')"
    assert panel.page.evaluate(cut) == "0%"
    panel.page.keyboard.press("End")
    assert panel.page.evaluate(cut) == "100%"


def test_a_photo_is_taken_and_15_mb_are_refused_before_they_are_sent(
    panel: Page, tmp_path: Path
) -> None:
    large, small = tmp_path / "large.jpg", tmp_path / "photo.jpg"
    large.write_bytes(photo() + b"\0" * 15_000_000)
    small.write_bytes(photo())
    for path in (large, small):
        with panel.page.expect_file_chooser() as chooser:
            panel.page.locator(".widget-upload").click()
        chooser.value.set_files(path)
        if path is large:
            panel.page.get_by_text("It was not sent").wait_for()
            assert "give its path" in panel.page.locator(".ob-upload-note").inner_text()
    panel.page.locator(".ob-source img").wait_for()
    taken = "panel.images[0].images[0].data"
    size = f"import io, PIL.Image; print(PIL.Image.open(io.BytesIO({taken})).size)"
    assert panel.ask(size) == "(900, 1200)", "upright"
    panel.page.get_by_role("button", name="×", exact=True).click()
    panel.page.locator(".ob-source").wait_for(state="detached")


def test_a_dropped_file_is_taken_and_a_path_is_too(panel: Page, lab: Any) -> None:
    picture = png()
    (lab.folder / "beside.png").write_bytes(picture)
    panel.page.evaluate(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', {type: 'image/png'}));
          document.querySelector('.opeai-nb-panel').dispatchEvent(
            new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(picture),
    )
    panel.page.get_by_text("dropped.png").wait_for()
    panel.page.get_by_placeholder("path, URL or variable").fill("beside.png")
    panel.page.keyboard.press("Enter")
    panel.page.get_by_text("beside.png is in the list already").wait_for()


def test_the_inserted_cell_shows_the_panels_picture_and_pays_nothing(panel: Page) -> None:
    panel.generate("a whale in the deep sea {calm}")
    panel.click("Insert code")
    panel.page.get_by_text("Added below").wait_for()
    before = panel.records()
    below = panel.notebook.cell(1)
    text = below.locator(".cm-content").inner_text()
    assert text.startswith("%%imagine --model qwen-image-2.0 --size 768x512 --raw\n")
    panel.notebook.run_cell(1)
    below.locator("img").wait_for()
    assert panel.records() == before
    assert panel.ask("print(_.replayed_from == panel.selected.record.id)") == "True"
    panel.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")


def test_control_enter_generates_and_keys_stay_in_the_panel(panel: Page) -> None:
    cells = panel.page.locator(".jp-Notebook .jp-Cell").count()
    panel.write("a castle in the clouds")
    panel.page.get_by_label("Prompt").focus()
    panel.page.keyboard.press("Control+Enter")
    panel.wait_for_picture("a castle in the clouds")
    assert panel.ask("print(panel.result.request.prompt)") == "a castle in the clouds"
    panel.page.get_by_role("button", name="Insert code").focus()
    panel.page.keyboard.press("b")
    assert panel.page.locator(".jp-Notebook .jp-Cell").count() == cells, (
        "no shortcut of the notebook"
    )


def test_every_control_has_a_name_for_a_screen_reader(panel: Page) -> None:
    panel.generate("flowers")
    nameless = panel.page.evaluate(
        """() => [...document.querySelector('.opeai-nb-panel')
          .querySelectorAll(':is(input, select, textarea, button)')]
          .filter(e => e.offsetParent && e.type !== 'file')
          .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label')
                       && !e.textContent.trim() && !e.title).map(e => e.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_two_columns_become_one_on_a_narrow_page(panel: Page, theme: str) -> None:
    page = panel.page
    page.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
        f"JupyterLab {theme}",
    )
    page.wait_for_function(
        "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
    )
    panel.generate("mountains over a lake, watercolour")
    for width, count in ((1300, 2), (700, 1)):
        page.set_viewport_size({"width": width, "height": 1250})
        page.wait_for_function(
            """count => getComputedStyle(document.querySelector('.ob-columns'))
              .gridTemplateColumns.split(' ').length === count""",
            arg=count,
        )
        spill = page.evaluate(
            "() => { const p = document.querySelector('.opeai-nb-panel');"
            "return p.scrollWidth - p.clientWidth; }"
        )
        assert spill <= 0, "nothing stands out of the panel"
        panel.notebook.screenshot(f"panel-{theme.lower()}-{width}")
    page.set_viewport_size({"width": 1300, "height": 1250})
