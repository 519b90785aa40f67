"""The panel in a real JupyterLab: a person types, clicks, uploads, edits, reloads."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import Pages
from tests.browser.panel_page import SHOWN, Page
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


def test_a_photo_of_15_mb_arrives_in_pieces_and_60_mb_are_refused_before_they_are_sent(
    panel: Page, tmp_path: Path
) -> None:
    larger, large = tmp_path / "larger.jpg", tmp_path / "photo.jpg"
    large.write_bytes(photo() + b"\0" * 15_000_000)
    larger.write_bytes(photo() + b"\0" * 60_000_000)
    for path in (larger, large):
        with panel.page.expect_file_chooser() as chooser:
            panel.click("Upload")
        chooser.value.set_files(path)
        if path is larger:
            panel.page.get_by_text("It was not sent").wait_for()
            panel.page.get_by_text("give its path").wait_for()
    panel.page.locator(".ob-source img").wait_for()
    taken = "panel.images[0].images[0].data"
    size = f"import io, PIL.Image; print(PIL.Image.open(io.BytesIO({taken})).size)"
    assert panel.ask(size) == "(900, 1200)", "upright"
    panel.click("Remove photo.jpg")
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


def test_words_of_a_prompt_are_never_markup(panel: Page) -> None:
    prompt = "<img src=x onerror=alert(1)> & a fox"
    panel.generate(prompt)
    panel.page.locator(".ob-caption b").get_by_text(prompt).wait_for()
    panel.click("Insert code")
    panel.page.get_by_text("Added below").wait_for()
    assert panel.page.locator(".opeai-nb-panel img[src=x]").count() == 0
    panel.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")


def test_the_page_answers_while_the_kernel_is_busy_and_a_click_is_one_request(
    panel: Page, tmp_path: Path
) -> None:
    before = panel.records()
    page = panel.page
    released = tmp_path / "released"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(released)!r}).exists():"
    page.evaluate(
        """code => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          window.work = kernel.requestExecute({code, store_history: false});
        }""",
        f"{wait} time.sleep(0.05)",
    )
    panel.choose("gpt-image-2")
    page.get_by_role("radio", name="3:2").check(force=True)
    assert page.get_by_text("this model is believed to ignore it").count() == 0
    panel.write("a heron in the reeds")
    panel.page.locator(".ob-generate").click(click_count=3, delay=20)
    released.touch()
    page.evaluate("() => window.work.done.then(() => undefined)")
    panel.wait_for_picture("a heron in the reeds")
    asked = panel.ask("r = panel.result.request; print(r.model, r.size)")
    assert asked == "gpt-image-2 1536x1024"
    assert panel.records() == before + 1


def test_every_action_is_reached_by_keyboard_with_a_mark_where_the_focus_is(panel: Page) -> None:
    panel.generate("a heron at dawn")
    page = panel.page
    page.get_by_label("Prompt").focus()
    reached, unseen = [], []
    for _ in range(40):
        name, is_marked, is_inside = page.evaluate(
            """() => {
              const e = document.activeElement;
              const look = getComputedStyle(e.closest('label.ob-chip') || e);
              return [e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent,
                      look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0,
                      !!e.closest('.opeai-nb-panel')]; }"""
        )
        if not is_inside:
            break
        reached.append(name)
        unseen += [] if is_marked else [name]
        page.keyboard.press("Tab")
    assert unseen == []
    wanted = ["Model", "Pictures", "other…any size", "Upload", "Add", "More options", "Generate"]
    wanted += ["Insert code", "Edit this", "Restore settings", "Save as…", "Search the gallery"]
    assert [name for name in wanted if name not in reached] == []
    assert any(name.startswith("a heron at dawn") for name in reached), "the gallery"


def test_a_picture_is_starred_trashed_and_brought_back_and_a_failure_dims_it(panel: Page) -> None:
    panel.generate("a snowy owl")
    page = panel.page
    panel.click("Star")
    page.locator(".ob-thumb[title^='★']").first.wait_for()
    panel.click("Trash")
    page.get_by_text("Your picture appears here").wait_for()
    panel.click("Undo")
    page.wait_for_function(SHOWN, arg="a snowy owl")
    panel.choose("rehearsal-moderation")
    panel.click("Generate")
    panel.wait_for("failed")
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.ob-place')).opacity < 1"
    )


def test_any_two_pictures_are_compared(panel: Page) -> None:
    panel.generate("a red balloon")
    panel.generate("a blue balloon")
    page = panel.page
    page.locator(".ob-thumb").nth(1).click(modifiers=["Shift"])
    page.get_by_alt_text("The other: a red balloon").wait_for()
    panel.click("Compare")
    page.locator(".ob-compare").wait_for(state="detached")
    page.locator(".ob-thumb").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    page.get_by_label("Compare before and after").wait_for()


def test_two_panels_on_a_page_keep_their_own_pictures(panel: Page) -> None:
    panel.generate("a boat")
    page = panel.page
    page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("second = opeai_nb.panel()\nsecond")
    panel.notebook.run_cell(1)
    second = page.locator(".opeai-nb-panel").nth(1)
    second.locator(".ob-thumb img").first.wait_for()
    page.locator(".opeai-nb-panel").first.locator(".ob-thumb").first.hover()
    shown = """() => [...document.querySelectorAll('.ob-thumb img')]
      .every(i => i.complete && i.naturalWidth > 0)"""
    page.wait_for_function(shown)
    second.get_by_label("Prompt").fill("only here")
    for one in (page.locator(".opeai-nb-panel").first, second):
        assert one.locator(".ob-chip :checked").count() == 2, "a size and a quality"
    assert page.get_by_label("Prompt").first.input_value() == "a boat"
    page.keyboard.press("Escape")
    page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("6 * 7")
    panel.notebook.run_cell(1)
    second.wait_for(state="detached")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_to_mend(panel: Page, theme: str) -> None:
    """With a picture, an input picture, further options and an error: all has name and contrast."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    panel.page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    panel.generate("a lighthouse at noon")
    panel.click("Edit this")
    panel.page.locator(".ob-source img").wait_for()
    panel.choose("rehearsal-moderation")
    panel.write("a fox")
    panel.click("Generate")
    panel.page.get_by_role("alert").get_by_text("Word the prompt differently").wait_for()
    panel.page.get_by_text("More options").click()
    found = axe.Axe().run(panel.page, context=".opeai-nb-panel").response
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
    assert any(each["id"] == "color-contrast" for each in found["passes"])
