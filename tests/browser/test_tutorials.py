"""Every tutorial by Run All in a live JupyterLab: it ends by itself, and nobody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Lab

pytestmark = pytest.mark.long  # seven notebooks, each painted whole

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# Cells that show an error without saying that they may; and those that have not run. In the model:
# what is far from sight is not on the page.
CELLS = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  const code = cells.filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim());
  const errors = cell => cell.toJSON().outputs.filter(output => output.output_type === 'error');
  const may = cell => (cell.getMetadata('tags') || []).includes('raises-exception');
  return {
    failed: code.filter(cell => errors(cell).length && !may(cell)).map(cell => cell.id),
    waiting: code.filter(cell => cell.executionCount === null).map(cell => cell.id),
  };
}"""
IS_OVER = f"""() => {{
  const cells = ({CELLS})();
  return !cells.waiting.length || cells.failed.length || document.querySelector('.jp-Stdin-input');
}}"""


@pytest.mark.parametrize("tutorial", NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all_comes_to_its_end(lab: Lab, open_notebook: Any, tutorial: Path) -> None:
    folder = lab.folder / f"all-{tutorial.stem}"
    folder.mkdir()
    unrun = nbformat.read(tutorial, 4)
    for cell in unrun.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(unrun, folder / tutorial.name)
    notebook = open_notebook(f"{folder.name}/{tutorial.name}")
    notebook.run_all()
    notebook.page.wait_for_function(IS_OVER)
    assert not notebook.page.locator(".jp-Stdin-input").count(), "a question is waiting"
    notebook.wait_until_idle()
    assert notebook.page.evaluate(CELLS) == {"failed": [], "waiting": []}
