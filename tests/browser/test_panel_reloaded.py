"""The panel when its page is loaded again, and what is left of it where there is no kernel.

In a kernel of its own: a page that is loaded again asks for every widget that there ever was.
"""

from __future__ import annotations

from typing import Any

import nbformat
from playwright.sync_api import TimeoutError as NotThere

from tests.browser.conftest import KERNEL_IS_READY
from tests.browser.panel_page import SHOWN, Page


def load_again(page: Any) -> None:
    """Load the page again, twice where JupyterLab missed the kernel's answer.

    It asks once for the widgets, and shows none when the answer is lost on its way; that is not
    the panel's to mend, and a person loads the page once more. The panel itself is in the kernel.
    """
    panel = page.locator(".opeai-nb-panel[data-ready='1']")
    page.reload()
    try:
        panel.wait_for(timeout=45_000)
    except NotThere:
        print("the first load brought no panel:", page.inner_text("body")[:2000])
        page.reload()
        panel.wait_for()


def test_the_panel_survives_a_reload_and_its_picture_the_kernel(lab: Any, pages: Any) -> None:
    panel = Page(pages, lab, "reloaded.ipynb")
    page = panel.page
    panel.make()
    panel.generate("a desert at noon")
    page.locator(".opeai-nb-still img").wait_for(state="attached")
    panel.notebook.save()
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    load_again(page)
    page.wait_for_function(SHOWN, arg="a desert at noon")
    assert page.get_by_label("Prompt").input_value() == "a desert at noon"
    page.wait_for_function(KERNEL_IS_READY)
    note = page.locator(".ob-still-old")
    assert note.is_hidden()
    panel.generate("a desert at night")
    note.wait_for()  # what is saved keeps the desert at noon, and the panel says so
    saved = nbformat.read(lab.folder / "reloaded.ipynb", 4)
    nbformat.write(saved, lab.folder / "given away.ipynb")
    page.goto(f"{lab.url}/lab/tree/given%20away.ipynb?reset")
    page.get_by_alt_text("a desert at noon").wait_for()
    page.wait_for_function(KERNEL_IS_READY)
    page.get_by_text("run this cell for the panel").wait_for()
    page.get_by_text("model not found").wait_for(state="hidden")
    panel.notebook.screenshot("panel-without-a-kernel")
