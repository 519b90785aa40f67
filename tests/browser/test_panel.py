"""The panel in a real JupyterLab: a person types, clicks, uploads, edits, reloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.browsers import in_each_browser
from tests.browser.panel_page import SHOWN, Page
from tests.pictures import png

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.long, in_each_browser]  # minutes of clicks

RECORD_STATES = """() => {
  window.states = [];
  new MutationObserver(() => document.querySelectorAll('.ob-line').forEach(line => {
    if (window.states[window.states.length - 1] !== line.dataset.state)
      window.states.push(line.dataset.state);
  })).observe(document.body, {childList: true, subtree: true});
}"""

PLACES = """buttons => [...buttons.children].filter(one => one.offsetWidth)
  .map(one => [one.innerText, one.offsetLeft, one.offsetWidth])"""


def test_a_task_tells_its_states_while_other_cells_run(panel: Page) -> None:
    panel.page.evaluate(RECORD_STATES)
    panel.choose("rehearsal-slow")
    panel.write("a lighthouse at sunset")
    panel.click("Generate")
    panel.wait_for("queued")
    panel.page.get_by_role("button", name="Stop waiting").wait_for()
    buttons = panel.page.locator(".ob-actions")
    places = buttons.evaluate(PLACES)
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
    assert buttons.evaluate(PLACES) == places, "who aims at Stop never hits Generate"


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
    for width, count in ((1300, 2), (700, 1), (320, 1)):
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
    assert page.locator(".ob-row select").bounding_box()["width"] > 120, "a model's name is read"
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


WAIT_UNTIL_NO_PICTURE_IS_THERE = """
import threading
gone = threading.Event()
panel.observe(lambda change: change.new or gone.set(), 'images')
if panel.images: gone.wait(60)
"""


def test_whoever_goes_on_before_the_kernel_has_answered_keeps_the_focus(
    panel: Page, tmp_path: Path
) -> None:
    page = panel.page
    (tmp_path / "dot.png").write_bytes(png())
    panel.upload(tmp_path / "dot.png")
    page.locator(".ob-source img").wait_for()
    page.evaluate(
        """() => {
          document.querySelector('[aria-label="Remove dot.png"]').click();
          document.querySelector('.opeai-nb-panel textarea').focus();
        }"""
    )
    panel.ask(WAIT_UNTIL_NO_PICTURE_IS_THERE)
    page.keyboard.type("a heron")
    assert page.get_by_label("Prompt", exact=True).input_value() == "a heron"


def test_every_action_is_reached_by_keyboard_with_a_mark_where_the_focus_is(panel: Page) -> None:
    panel.generate("a heron at dawn")
    page = panel.page
    page.get_by_label("Prompt", exact=True).press("Shift+Tab")
    reached, unseen = [], []
    for _ in range(60):
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
    wanted += ["History", "Add a tag", "Show in the gallery"]
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
    second.get_by_label("Prompt", exact=True).fill("only here")
    for one in (page.locator(".opeai-nb-panel").first, second):
        assert one.locator(".ob-chip :checked").count() == 2, "a size and a quality"
    assert page.get_by_label("Prompt", exact=True).first.input_value() == "a boat"
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
