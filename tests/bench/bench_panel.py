"""How fast the panel is in a real JupyterLab: python -m tests.bench.bench_panel.

Times are the page's own, from Ctrl+Enter (or the click) to what is seen, beside the same for one
stock button in the same run: that is what a cell with any widget costs here. Bytes are what the
page receives over its websockets.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image
from playwright.sync_api import sync_playwright

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Library
from tests.browser.browsers import CHROMIUM, FLAGS
from tests.browser.conftest import KERNEL_IS_READY, Lab, Notebook
from tests.pictures import encoded

RUNS = 5
MANY = 500
BUTTON = "import ipywidgets\nipywidgets.Button(description='one button')"
PANEL = "import opeai_nb\npanel = opeai_nb.panel()\npanel"
PAINTED = """() => [...document.querySelectorAll('.ob-thumb')].every(
  thumb => thumb.firstChild.complete && thumb.firstChild.naturalWidth > 0)"""
WATCH = """selector => {
  window.seen = null;
  const look = () => { if (window.seen === null && document.querySelector(selector))
    window.seen = performance.now(); };
  window.watch && window.watch.disconnect();
  window.watch = new MutationObserver(look);
  window.watch.observe(document.body, {childList: true, subtree: true});
}"""
BEGIN = """() => {
  const began = () => { window.began = performance.now(); };
  document.addEventListener('keydown', e => { if (e.ctrlKey && e.key === 'Enter') began(); }, true);
  document.addEventListener('click', e => { if (e.target.closest('.ob-generate')) began(); }, true);
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder, home = Path(place) / "notebooks", Path(place) / "home"
        folder.mkdir()
        home.mkdir()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        lab = Lab(folder, home)
        try:
            measure(lab, browser, folder)
        finally:
            browser.close()
            lab.stop()


def measure(lab: Lab, browser: Any, folder: Path) -> None:
    button, first, again, clicks = [], [], [], []
    for run in range(RUNS):
        notebook = opened(lab, browser, folder, f"{run}.ipynb", [BUTTON, PANEL, PANEL])
        button.append(shown(notebook, 0, ".widget-button"))
        first.append(shown(notebook, 1, ".opeai-nb-panel .ob-generate"))
        notebook.page.wait_for_timeout(1500)  # the gallery and the models are there
        clicks.append(clicked(notebook))
        again.append(shown(notebook, 2, ".jp-Cell:nth-child(3) .ob-generate"))
        notebook.page.context.close()
    floor = statistics.median(button)
    print(f"from Ctrl+Enter to the screen, median of {RUNS}, fresh kernel each:")
    print(f"  one stock button, ipywidgets imported  {floor:8.0f} ms  (baseline)")
    tell("the panel, first in its kernel", first, floor, 1200)
    tell("another panel", again, floor, None)
    print("from a click to its badge:")
    tell("badge", clicks, floor, 150)
    many(lab, browser, folder, floor)


def many(lab: Lab, browser: Any, folder: Path, floor: float) -> None:
    fill(folder / "imagine")
    on_screen, times, painted, sizes = [], [], [], []
    for run in range(RUNS):
        received: list[int] = []
        notebook = opened(lab, browser, folder, f"many{run}.ipynb", [PANEL], received=received)
        before = sum(received)
        on_screen.append(shown(notebook, 0, ".opeai-nb-panel .ob-generate"))
        notebook.page.wait_for_selector(".ob-thumb:nth-child(24)", state="attached")
        times.append(float(notebook.page.evaluate("() => performance.now() - window.began")))
        notebook.page.wait_for_function(PAINTED, timeout=60_000)
        painted.append(float(notebook.page.evaluate("() => performance.now() - window.began")))
        sizes.append((sum(received) - before) / 1e6)
        notebook.page.context.close()
    print(f"a library of {MANY} pictures:")
    tell("the panel is on the screen", on_screen, floor, 1500)
    tell("its first page can be clicked", times, floor, None)
    tell("all thumbnails are painted", painted, floor, None)
    print(
        f"  received by the page                   {statistics.median(sizes):8.2f} MB; budget 1 MB"
    )


def opened(
    lab: Lab,
    browser: Any,
    folder: Path,
    name: str,
    cells: list[str],
    *,
    received: list[int] | None = None,
) -> Notebook:
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python", "language": "python", "name": "python3"}}
    )
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(made, folder / name)
    page = browser.new_context(viewport={"width": 1300, "height": 1250}).new_page()
    if received is not None:
        page.on("websocket", lambda ws: ws.on("framereceived", lambda f: received.append(len(f))))
    page.goto(f"{lab.url}/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(KERNEL_IS_READY, timeout=60_000)
    page.evaluate(BEGIN)
    return Notebook(page)


def shown(notebook: Notebook, cell: int, selector: str) -> float:
    notebook.page.evaluate(WATCH, selector)
    notebook.run_cell(cell)
    notebook.page.wait_for_function("() => window.seen !== null", timeout=60_000)
    return float(notebook.page.evaluate("() => window.seen - window.began"))


def clicked(notebook: Notebook) -> float:
    notebook.page.get_by_label("Prompt").fill("a red fox in the snow")
    notebook.page.evaluate(WATCH, ".ob-status .ob-line")
    notebook.page.locator(".ob-generate").click()
    notebook.page.wait_for_function("() => window.seen !== null")
    found = float(notebook.page.evaluate("() => window.seen - window.began"))
    notebook.page.locator(".ob-line[data-state=done]").wait_for(timeout=60_000)
    return found


def fill(folder: Path) -> None:
    """Keep 500 pictures of 1024 x 1024 with some grain, as a platform sends them."""
    library = Library(folder)
    for number in range(MANY):
        small = Image.effect_noise((256, 256), 60).convert("RGB")
        tinted = Image.blend(small, Image.new("RGB", small.size, (number * 7 % 255, 90, 140)), 0.5)
        data = encoded(tinted.resize((1024, 1024)), "JPEG", quality=90)
        request = ImageRequest(f"picture number {number}")
        entry = library.begin(request, key=f"{number}", base_url="engine:", origin="engine")
        entry.sending()
        library.keep(entry, Generation((Picture(data),), request))
    library.close()


def tell(name: str, found: list[float], floor: float, budget: float | None) -> None:
    median = statistics.median(found)
    told = f"; budget {budget:.0f} ms" if budget else ""
    print(f"  {name:<38}{median:8.0f} ms  {median / floor:.2f} x (best {min(found):.0f}){told}")


if __name__ == "__main__":
    main()
