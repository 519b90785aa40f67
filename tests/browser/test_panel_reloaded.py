"""The panel when its page is loaded again, and what is left of it where there is no kernel.

In a kernel of its own: a page that is loaded again asks for every widget that there ever was.
"""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from tests.browser.browsers import in_each_browser
from tests.browser.conftest import KERNEL_IS_READY
from tests.browser.panel_page import SHOWN, Page, drag
from tests.pictures import png

MODELS = """async () => {
  const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
  const said = await kernel.requestCommInfo({target_name: 'jupyter.widget'});
  return Object.keys(said.content.comms).length;
}"""
EDIT = "import opeai_nb\npanel = opeai_nb.panel(images=['photo.png'])\npanel"
pytestmark = pytest.mark.long  # a page loaded again and again


@in_each_browser
def test_the_panel_survives_a_reload_and_its_picture_the_kernel(lab: Any, pages: Any) -> None:
    file = f"reloaded-{pages.browser_name}.ipynb"
    panel = Page(pages, lab, file)
    page = panel.page
    panel.make()
    panel.generate("a desert at noon")
    page.locator(".opeai-nb-still img").wait_for(state="attached")
    panel.notebook.save()
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.locator(".opeai-nb-panel[data-ready='1']").wait_for()
    page.wait_for_function(SHOWN, arg="a desert at noon")
    assert page.get_by_label("Prompt", exact=True).input_value() == "a desert at noon"
    page.wait_for_function(KERNEL_IS_READY)
    note = page.locator(".ob-still-old")
    assert note.is_hidden()
    panel.generate("a desert at night")
    note.wait_for()  # what is saved keeps the desert at noon, and the panel says so
    saved = nbformat.read(lab.folder / file, 4)
    nbformat.write(saved, lab.folder / f"given away {file}")
    page.goto(f"{lab.url}/lab/tree/given%20away%20{file}?reset")
    page.get_by_alt_text("a desert at noon").wait_for()
    page.wait_for_function(KERNEL_IS_READY)
    page.get_by_text("run this cell for the panel").wait_for()
    page.get_by_text("model not found").wait_for(state="hidden")
    panel.notebook.screenshot("panel-without-a-kernel")


@in_each_browser
def test_what_a_brush_painted_outlasts_a_reload_its_cell_s_next_run_and_another_region(
    lab: Any, pages: Any
) -> None:
    (lab.folder / "painted").mkdir(exist_ok=True)
    (lab.folder / "painted" / "photo.png").write_bytes(png((600, 400), "seagreen"))
    panel = Page(pages, lab, f"painted/{pages.browser_name}.ipynb", EDIT)
    page = panel.page
    panel.make()
    page.get_by_role("button", name="Change only here: photo.png").click()
    surface = page.locator(".ob-surface")
    page.get_by_text("Nothing is drawn yet").wait_for()
    panel.click("Brush")
    drag(surface, (0.5, 0.5), (0.6, 0.5), (0.6, 0.7))
    page.get_by_text("of the picture; all else stays").wait_for()
    painted = shade(page)
    digest = "print(panel.only and panel.only.digest)"
    panel.generate("a blue hat")
    region = panel.ask(digest)

    panel.notebook.save()
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    assert shade(page) == painted
    page.wait_for_function(KERNEL_IS_READY)
    page.get_by_role("button", name="Change only here: photo.png").click()
    page.get_by_text("of the picture; all else stays").wait_for()
    assert page.get_by_role("button", name="Brush").get_attribute("aria-pressed") == "true"

    panel.make()
    assert shade(page) == painted
    assert panel.ask(digest) == region

    page.get_by_role("button", name="Change all of photo.png").click()
    page.locator(".ob-source canvas").wait_for(state="detached")
    page.locator(".ob-thumb").first.click()
    panel.click("Restore settings")
    assert shade(page) == painted
    assert panel.ask(digest) == region


def shade(page: Any) -> str:
    """What of the input picture in the tray is marked, to the pixel."""
    page.locator(".ob-source canvas").wait_for()
    marked: str = page.locator(".ob-source canvas").evaluate("canvas => canvas.toDataURL()")
    return marked


def test_a_cell_that_ran_again_and_again_leaves_one_panel_and_two_tabs_share_it(
    lab: Any, pages: Any
) -> None:
    panel = Page(pages, lab, "shared.ipynb")
    page = panel.page
    for _ in range(6):
        panel.make()
    assert page.evaluate(MODELS) == 2, "the panel and its layout"
    before = panel.records()  # the folder is that of the other tests, too
    panel.generate("a red boat")
    panel.notebook.save()
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    second = pages.beside(page)
    second.goto(f"{lab.url}/lab/workspaces/second/tree/shared.ipynb")
    second.locator(".opeai-nb-panel[data-ready='1']").wait_for()
    second.wait_for_function(SHOWN, arg="a red boat")
    panel.generate("a blue boat")
    second.wait_for_function(SHOWN, arg="a blue boat")
    assert second.get_by_label("Prompt", exact=True).input_value() == "a blue boat"
    second.get_by_label("Prompt", exact=True).fill("a green boat")
    second.locator(".ob-generate").click()
    for tab in (second, page):
        tab.wait_for_function(SHOWN, arg="a green boat")
    assert panel.records() == before + 3


def test_a_panel_whose_kernel_is_gone_says_what_to_do(lab: Any, pages: Any) -> None:
    panel = Page(pages, lab, "restarted.ipynb")
    page = panel.page
    panel.make()
    panel.generate("a desert at noon")
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    page.get_by_text("run this cell again").first.wait_for()
    page.wait_for_function(KERNEL_IS_READY)
    assert page.locator(".ob-generate").get_attribute("aria-disabled") == "true"
    assert page.locator(".ob-stage img").is_visible(), "what was there can still be looked at"
    panel.notebook.screenshot("panel-after-a-restart")
    panel.make()
    panel.generate("a desert at night")


def test_the_plain_form_stays_there_with_its_picture(lab: Any, pages: Any) -> None:
    cell = "import opeai_nb\npanel = opeai_nb.panel(plain=True, size='768x512')\npanel"
    panel = Page(pages, lab, "plain.ipynb", cell)
    panel.notebook.run_cell(0)
    form = panel.page.locator(".opeai-nb-plain")
    form.locator("textarea").first.fill("a desert at noon")
    form.get_by_role("button", name="Generate").click()
    form.get_by_text("1 picture · qwen-image-2.0 · 768x512").wait_for()
    form.locator("img").wait_for()
    panel.page.locator(".opeai-nb-still").wait_for(state="hidden")
    assert form.locator("textarea").first.is_visible()
    panel.notebook.screenshot("panel-plain")
