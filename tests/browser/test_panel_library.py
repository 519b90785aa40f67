"""The panel over its library, in each browser: the history of prompts, tags, and by keyboard."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.browsers import in_each_browser

if TYPE_CHECKING:
    from tests.browser.panel_page import Page

pytestmark = [pytest.mark.long, in_each_browser]

# What a page sends may be handled in a thread beside the one that runs code.
PROMPT_IN_THE_KERNEL = """
import threading
there = threading.Event()
panel.observe(lambda change: change.new and there.set(), 'prompt')
if not panel.prompt: there.wait(60)
print(panel.prompt)
"""
PROMPT = "() => document.querySelector('.ob-prompt').value"
# Every tile that was ever put into a grid from now on, and whether it had its picture then.
BUILT = """() => {
  const before = new Set(document.querySelectorAll('.ob-thumb'));
  const built = window.built = new Map();
  new MutationObserver(() => {
    for (const one of document.querySelectorAll('.ob-thumb')) {
      if (!before.has(one) && !built.has(one)) built.set(one, !!one.querySelector('img'));
    }
  }).observe(document.body, {childList: true, subtree: true});
}"""
AGAIN = """() => {
  const keys = [...window.built.keys()].map(one => one.dataset.key);
  return keys.filter((key, i) => keys.indexOf(key) !== i).length;
}"""


# Two panels of which none reads its library: one of that of the panel that is there.
UNREAD = """
beside, alone = (
    type(panel)(panel._studio, spawn=lambda work: None, library_id=one)
    for one in (panel._library_id, ""))
"""
KEPT_BY_A_CELL = """
import threading
told = threading.Event()
panel.observe(lambda _: told.set(), '_gallery')
none = generate('a bittern', size='512x512')
"""
# How often a style sheet of the panel was set from now on: each time all panels are laid out.
STYLES_SET = """() => {
  window.stylesSet = 0;
  const isOurs = ({target, addedNodes}) => [target, ...addedNodes].some(one => one !== document.head
    && one.textContent.includes('.opeai-nb-panel'));
  new MutationObserver(all => { window.stylesSet += all.filter(isOurs).length; })
    .observe(document.head, {childList: true, subtree: true, characterData: true});
}"""
PRESS_AS_IT_COMES = """key => {
  const place = document.querySelector('.ob-place');
  const trash = [...document.querySelectorAll('.ob-stage .ob-button')]
    .find(one => one.innerText === 'Trash');
  new MutationObserver((_, watch) => { watch.disconnect(); trash.click(); })
    .observe(place, {childList: true});
}"""
SHOW = """
there = [find for find in panel.gallery.pages.page() if find.record.prompt == {!r}][0]
panel.show(there)
"""
TRASHED = "lib = panel.library; print([lib.record(one).prompt for one in lib.trashed])"


def choices(panel: Page, text: str = "") -> Any:
    """The choices of the list that is open."""
    return panel.page.locator(".ob-option").filter(has_text=text)


def focused(panel: Page) -> str:
    said: str = panel.page.evaluate(
        "() => document.activeElement.ariaLabel || document.activeElement.className"
    )
    return said


def run_second_cell(panel: Page, code: str) -> None:
    panel.notebook.cell(1).locator(".cm-content").click()
    panel.page.keyboard.press("Control+a")
    panel.page.keyboard.insert_text(code)
    panel.notebook.run_cell(1)


def test_the_page_builds_the_tile_of_each_picture_once_and_with_its_picture(panel: Page) -> None:
    """To build it twice is to decode it twice; only what is said of it anew makes a new one."""
    page, tiles = panel.page, ".ob-thumb[aria-label^='{}']".format
    panel.generate("a heron on one leg")
    page.locator(tiles("a heron on one leg")).wait_for()
    page.evaluate(BUILT)
    panel.make()
    page.locator(tiles("a heron on one leg")).wait_for()
    panel.generate("a stork on a roof")
    page.locator(tiles("a stork on a roof")).click()
    assert page.evaluate(AGAIN) == 0
    panel.click("Star")
    page.locator(tiles("★ · a stork on a roof")).wait_for()
    assert page.evaluate(AGAIN) == 1
    assert page.evaluate("() => [...window.built.values()].every(Boolean)")


def test_a_panel_shows_at_once_what_another_of_its_library_was_told_and_lays_out_no_other(
    panel: Page,
) -> None:
    """Not with the kernel: these read nothing of their library."""
    page = panel.page
    panel.generate("an ibis at dusk")
    page.locator(".ob-thumb[aria-label^='an ibis at dusk']").wait_for()
    page.evaluate(STYLES_SET)
    panel.ask(UNREAD)
    run_second_cell(panel, "display(beside, alone)")
    panels = page.locator(".opeai-nb-panel")
    panels.nth(2).wait_for()
    thumbs = [panels.nth(i).locator(".ob-thumb") for i in range(3)]
    assert thumbs[1].count() == thumbs[0].count() > 0
    assert thumbs[2].count() == 0
    sources = [one.first.locator("img").get_attribute("src") for one in thumbs[:2]]
    assert sources[0] == sources[1]
    assert panel.ask("print(beside._gallery, opeai_nb.panel(private=True)._library_id)") == "{}"
    thumbs[1].first.click()
    panels.nth(1).locator(".ob-stage img[alt^='an ibis at dusk']").wait_for()
    panels.nth(0).get_by_role("button", name="Star").click()
    panels.nth(1).locator(".ob-thumb[aria-label^='★ · an ibis at dusk']").wait_for()
    assert page.evaluate("() => window.stylesSet") == 0
    run_second_cell(panel, "beside.close(); alone.close()")
    panels.nth(1).wait_for(state="detached")


def test_a_panel_shows_what_a_cell_kept_but_to_nobody_who_looks_at_older_pictures(
    panel: Page,
) -> None:
    page = panel.page
    turn = "[generate(f'number {i}', size='512x512') for i in range(25)]"
    run_second_cell(panel, f"from opeai_nb import generate\nnone = {turn}")
    page.locator(".ob-thumb[aria-label^='number 24']").wait_for()
    panel.click("Older pictures")
    page.locator(".ob-thumb[aria-label^='number 0']").wait_for()
    older = [one.get_attribute("aria-label") for one in page.locator(".ob-thumb").all()]
    run_second_cell(panel, KEPT_BY_A_CELL)
    assert panel.ask("print(told.wait(60))") == "True"
    assert [one.get_attribute("aria-label") for one in page.locator(".ob-thumb").all()] == older
    panel.click("Newer pictures")
    page.locator(".ob-thumb[aria-label^='a bittern']").wait_for()


def test_the_trash_takes_the_picture_that_one_saw_not_the_one_that_came_meanwhile(
    panel: Page,
) -> None:
    page, mouse = panel.page, panel.page.mouse
    for prompt in ("a tern", "a gull", "a kite"):
        panel.generate(prompt)
    undo = page.locator(".ob-trashed .ob-button")
    page.locator(".ob-thumb[aria-label^='a kite']").click()  # asked for, so it is what is meant
    place = page.get_by_role("button", name="Trash").bounding_box()
    mouse.move(place["x"] + 20, place["y"] + 10)
    mouse.down()
    panel.ask(SHOW.format("a gull"))
    page.locator(".ob-stage img[alt^='a gull']").wait_for()
    mouse.up()
    page.get_by_text("The picture before this one was moved to the trash").wait_for()
    assert panel.ask(TRASHED) == "['a kite']"
    panel.ask(SHOW.format("a tern"))  # which comes by itself: Undo stays
    page.locator(".ob-stage img[alt^='a tern']").wait_for()
    undo.click()
    page.locator(".ob-stage img[alt^='a kite']").wait_for()
    assert panel.ask(TRASHED) == "[]"
    page.evaluate(PRESS_AS_IT_COMES)
    panel.ask(SHOW.format("a gull"))
    page.get_by_text("The picture before this one was moved to the trash").wait_for()
    assert panel.ask(TRASHED) == "['a kite']"


def test_an_earlier_prompt_is_found_by_typing_and_comes_back_alone_or_with_its_settings(
    panel: Page,
) -> None:
    page = panel.page
    panel.choose("gpt-image-2")
    panel.generate("a puffin on a cliff")
    panel.choose("qwen-image-2.0")
    panel.generate("a walrus on the ice")
    panel.write("")
    page.get_by_label("Prompt").press("ArrowUp")
    assert focused(panel) == "Search the history"
    choices(panel, "a walrus on the ice").wait_for()
    choices(panel, "a puffin on a cliff").locator("img").wait_for()
    page.keyboard.type("CLIFF puffin")
    choices(panel, "a walrus").wait_for(state="detached")
    page.keyboard.press("ArrowDown")
    (active,) = choices(panel).all()
    assert active.get_attribute("aria-selected") == "true"
    marked = page.get_by_label("Search the history").get_attribute("aria-activedescendant")
    assert active.get_attribute("id") == marked
    page.keyboard.press("Enter")
    assert page.evaluate(PROMPT) == "a puffin on a cliff"
    assert "ob-prompt" in focused(panel)
    assert page.locator(".ob-row select").input_value() == "qwen-image-2.0"
    panel.click("History")
    choices(panel, "a puffin").click(modifiers=["Shift"])
    page.wait_for_function("() => document.querySelector('.ob-row select').value === 'gpt-image-2'")
    panel.click("History")
    choices(panel, "a puffin").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".ob-history").is_hidden()
    assert "ob-past" in focused(panel)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a kernel cannot be held here")
def test_the_history_has_what_the_page_knows_while_the_kernel_does_not_answer(panel: Page) -> None:
    """The kernel is held: one with subshells would answer while a cell of it runs."""
    page = panel.page
    panel.generate("a grebe and her young")
    page.locator(".ob-thumb[aria-label^='a grebe'] img").first.wait_for()
    panel.write("")
    kernel = int(panel.ask("import os; print(os.getpid())"))
    os.kill(kernel, signal.SIGSTOP)
    try:
        panel.click("History")
        page.get_by_text("The kernel is busy: these are the prompts").wait_for()
        page.keyboard.type("grebe")
        choices(panel, "a grebe and her young").click()
        assert page.evaluate(PROMPT) == "a grebe and her young"
    finally:
        os.kill(kernel, signal.SIGCONT)
    assert panel.ask(PROMPT_IN_THE_KERNEL) == "a grebe and her young"


def test_a_tag_is_given_completed_looked_for_and_taken_back_by_keyboard(panel: Page) -> None:
    page = panel.page
    panel.generate("a stork on a roof")
    page.get_by_label("Add a tag").fill("wings")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove the tag wings").wait_for()
    panel.generate("a swift in the air")
    page.get_by_label("Add a tag").focus()
    page.keyboard.type("win")
    choices(panel, "#wings").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove the tag wings").wait_for()
    page.get_by_label("Show in the gallery").select_option("#wings")
    thumbs = page.locator(".ob-thumb")
    count = "count => document.querySelectorAll('.ob-thumb').length === count"
    page.wait_for_function(count, arg=2)
    names = [thumb.get_attribute("aria-label") for thumb in thumbs.all()]
    assert [name.startswith("#wings · a s") for name in names] == [True, True]
    page.get_by_role("button", name="Remove the tag wings").press("Enter")
    page.wait_for_function(count, arg=1)
    page.wait_for_function("() => document.activeElement.ariaLabel === 'Add a tag'")
    page.keyboard.type("two words")
    page.keyboard.press("Enter")
    page.get_by_text("'two words' is no tag.").wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_to_mend_in_open_lists(panel: Page, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    page = panel.page
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    panel.generate("a crane in the fog")
    page.get_by_label("Add a tag").fill("grey")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove the tag grey").wait_for()
    panel.click("History")
    choices(panel, "a crane").wait_for()
    page.keyboard.press("ArrowDown")
    found = axe.Axe().run(page, context=".opeai-nb-panel").response
    assert [(each["id"], each["nodes"]) for each in found["violations"]] == []
    assert any(each["id"] == "color-contrast" for each in found["passes"])
