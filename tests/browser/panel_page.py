"""A panel in a real JupyterLab, as a person uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Lab, Pages

KERNEL = {"display_name": "Python", "language": "python", "name": "python3"}
CELL = "import opeai_nb\npanel = opeai_nb.panel(size='768x512')\npanel"
# Run code in the notebook's kernel, beside its cells, and read what it prints.
ASK = """code => new Promise(done => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const run = kernel.requestExecute({code, store_history: false});
  let said = '';
  run.onIOPub = m => { if (m.header.msg_type === 'stream') said += m.content.text;
                       if (m.header.msg_type === 'error') said += m.content.evalue; };
  run.done.then(() => done(said.trim()));
})"""
SHOWN = """prompt => {
  const picture = document.querySelector('.ob-stage img');
  return picture && picture.naturalWidth > 0 && picture.alt.startsWith(prompt);
}"""


class Page:
    """One panel on the page, as a person uses it."""

    def __init__(self, pages: Pages, lab: Lab, name: str, cell: str = CELL) -> None:
        """Open a new notebook of that name; its first cell makes a panel.

        In a folder of its own it has a library of its own, whatever other browsers have made.
        """
        self.folder = (lab.folder / name).parent
        self.folder.mkdir(exist_ok=True)
        made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
        made.cells = [nbformat.v4.new_code_cell(cell), nbformat.v4.new_code_cell("6 * 7")]
        nbformat.write(made, lab.folder / name)
        self.notebook = pages.notebook(lab, name, height=1250)
        self.page = self.notebook.page
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def ask(self, code: str) -> str:
        said: str = self.page.evaluate(ASK, code)
        return said

    def make(self) -> None:
        """Run the panel's cell anew."""
        self.notebook.run_cell(0)
        self.page.wait_for_function(
            "before => document.querySelectorAll('.opeai-nb-panel').length === 1 && "
            "document.querySelector('.opeai-nb-panel').dataset.ready === '1' && "
            "document.querySelector('.opeai-nb-panel') !== window.before"
        )
        self.page.evaluate("() => { window.before = document.querySelector('.opeai-nb-panel'); }")

    def choose(self, model: str) -> None:
        self.page.wait_for_function(
            "name => [...document.querySelectorAll('.ob-row option')].some(o => o.text === name)",
            arg=model,
        )
        self.page.locator(".ob-row select").select_option(label=model)

    def write(self, prompt: str) -> None:
        self.page.get_by_label("Prompt", exact=True).fill(prompt)

    def click(self, name: str) -> None:
        self.page.get_by_role(
            "button", name=re.compile(f"{name}$")
        ).click()  # an icon may stand before

    def upload(self, path: Path) -> None:
        """Choose a file. Chromium alone tells its driver of the chooser that a button opens."""
        if self.page.context.browser.browser_type.name != "chromium":
            self.page.locator(".ob-files").set_input_files(path)
            return
        with self.page.expect_file_chooser() as chooser:
            self.click("Upload")
        chooser.value.set_files(path)

    def wait_for(self, state: str) -> None:
        self.page.locator(f".ob-line[data-state={state}]").wait_for()

    def generate(self, prompt: str) -> None:
        self.write(prompt)
        self.click("Generate")
        self.wait_for_picture(prompt)

    def wait_for_picture(self, prompt: str) -> None:
        """Wait for the picture first: the badge may still say what the click before led to."""
        self.page.wait_for_function(SHOWN, arg=prompt)
        self.wait_for("done")

    def records(self) -> int:
        return int(self.ask("print(len(list(panel.studio.library.records())))"))


def drag(surface: Any, *points: tuple[float, float]) -> None:
    """Drag the mouse from point to point, in parts of the picture's sides."""
    place, mouse = surface.bounding_box(), surface.page.mouse
    for number, (x, y) in enumerate(points):
        mouse.move(place["x"] + x * place["width"], place["y"] + y * place["height"])
        if not number:
            mouse.down()
    mouse.up()
