"""How fast the panel is in a real JupyterLab: python -m tests.bench.bench_panel.

Times are the page's own, from Ctrl+Enter (or the click) to what is seen, beside the same for one
stock button in the same run: that is what a cell with any widget costs here. Bytes are what the
page receives over its websockets. `--only shown`, `busy`, `500`, `10000` or `two` measures a part.

Pictures are of 1024 x 1024 with some grain, as a platform sends them. In the library of 10,000 all
but the newest 100 are small: no page shows them, and the disk is spared ten gigabytes.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image
from playwright.sync_api import sync_playwright

import opeai_nb
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Library
from tests.browser.browsers import CHROMIUM, FLAGS
from tests.browser.conftest import KERNEL_IS_READY, Lab, Notebook
from tests.pictures import encoded

MANY = (500, 10_000)
LARGE = 100  # pictures, the newest ones: four pages of the gallery
BUTTON = "import ipywidgets\nipywidgets.Button(description='one button')"
PANEL = "import opeai_nb\npanel = opeai_nb.panel()\npanel"
BUSY = "import time\ntime.sleep(30)"
# Choose each model in turn, and count the frames until sizes and qualities stay what they become.
SWITCH = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const panel = document.querySelector('.opeai-nb-panel');
  const select = panel.querySelector('.ob-row select');
  const look = () => [...panel.querySelectorAll('.ob-chips')].map(one => one.innerText).join();
  const frame = () => new Promise(requestAnimationFrame);
  const names = [...select.options].map(one => one.value).filter(name => name.length > 1);
  const found = [];
  for (const name of names) {
    if (name === select.value) continue;
    await frame();
    const [before, start] = [look(), performance.now()];
    select.value = name;
    select.dispatchEvent(new Event('change', {bubbles: true}));
    const script = performance.now() - start;
    const seen = [];
    let first = 0;
    while (seen.length < 10) {
      await frame();
      first = first || performance.now() - start;
      seen.push(look());
    }
    const frames = 1 + seen.findIndex((_, i) => seen.slice(i).every(one => one === seen[9]));
    found.push([frames, script, first, seen[9] !== before]);
  }
  return [kernel.status, found];
}"""
PAINTED = """count => {
  const thumbs = [...document.querySelectorAll('.ob-thumb')];
  return thumbs.length >= count && thumbs.every(
    thumb => thumb.firstChild.complete && thumb.firstChild.naturalWidth > 0);
}"""
# When the last of them is there: looked at with each change and each picture that was loaded.
WATCH_PAINTED = (
    """count => {
  window.painted = null;
  const isPainted = ("""
    + PAINTED
    + """);
  const look = () => {
    if (window.painted === null && isPainted(count)) window.painted = performance.now();
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  document.addEventListener('load', look, true);
}"""
)
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["shown", "busy", "500", "10000", "two"])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    # Compiled modules are there, as in every installation, whatever this environment says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(Path(opeai_nb.__file__).parent, quiet=1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            measure(browser, asked.only, asked.rounds)
        finally:
            browser.close()


def measure(browser: Any, only: str | None, rounds: int) -> None:
    if only in (None, "shown"):
        with new_lab() as lab:
            one(lab, browser, rounds)
    if only in (None, "busy"):
        with new_lab() as lab:
            busy(lab, browser)
    for count in MANY:
        if only in (None, str(count), *(["two"] if count == MANY[0] else [])):
            with new_lab() as lab:
                fill(lab.folder / "imagine", count)
                if only != "two":
                    many(lab, browser, count, rounds)
                if count == MANY[0]:
                    two(lab, browser, rounds)


@contextmanager
def new_lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "notebooks", Path(place) / "home"
        folder.mkdir()
        home.mkdir()
        lab = Lab(folder, home)
        try:
            yield lab
        finally:
            lab.stop()


def one(lab: Lab, browser: Any, rounds: int) -> None:
    button, first, again, clicks = [], [], [], []
    for run in range(rounds):
        notebook = opened(lab, browser, f"{run}.ipynb", [BUTTON, PANEL, PANEL])
        button.append(shown(notebook, 0, ".widget-button"))
        first.append(shown(notebook, 1, ".opeai-nb-panel .ob-generate"))
        notebook.page.wait_for_timeout(1500)  # the gallery and the models are there
        clicks.append(clicked(notebook))
        again.append(shown(notebook, 2, ".jp-Cell:nth-child(3) .ob-generate"))
        notebook.page.context.close()
    floor = statistics.median(button)
    print(f"from Ctrl+Enter to the screen, median of {rounds}, fresh kernel each:")
    print(f"  one stock button, ipywidgets imported  {floor:8.0f} ms  (baseline)")
    tell("the panel, first in its kernel", first, 250)
    tell("another panel", again, 250)
    print("from a click to its badge:")
    tell("badge", clicks, 30)


def busy(lab: Lab, browser: Any) -> None:
    """Switch models while a cell runs: what is on the screen then needs no kernel."""
    notebook = opened(lab, browser, "busy.ipynb", [PANEL, BUSY])
    shown(notebook, 0, ".opeai-nb-panel .ob-generate")
    notebook.page.wait_for_function(
        "() => document.querySelectorAll('.ob-row select option').length > 10"
    )
    notebook.run_cell(1)
    notebook.wait_until_started()
    status, switches = notebook.page.evaluate(SWITCH)
    frames, script, taken, is_other = zip(*switches, strict=True)
    print(f"a model switched, {len(switches)} times, the kernel {status}:")
    print(f"  sizes and qualities became others      {sum(is_other):8d} times")
    print(f"  frames until they stay as they are     {max(frames):8d}     (at most); 1 asked")
    print(f"  script of the page                     {max(script):8.1f} ms  (at most)")
    tell("until that frame", list(taken), None)
    notebook.page.context.close()


def many(lab: Lab, browser: Any, count: int, rounds: int) -> None:
    on_screen, painted, sizes = [], [], []
    for run in range(rounds + 1):
        received: list[int] = []
        notebook = opened(lab, browser, f"many{run}.ipynb", [PANEL], received=received)
        before = sum(received)
        notebook.page.evaluate(WATCH_PAINTED, 24)
        on_screen.append(shown(notebook, 0, ".opeai-nb-panel .ob-generate"))
        painted.append(all_painted(notebook))
        sizes.append((sum(received) - before) / 1e6)
        notebook.page.context.close()
    print(f"a library of {count:,} pictures:")
    tell("the panel is on the screen", on_screen[1:], 250)
    tell("all thumbnails of a page are painted", painted[1:], 600 if count < 1000 else 1000)
    tell("the same, index and tiles not made yet", painted[:1], None)
    print(f"  received by the page                   {statistics.median(sizes):8.2f} MB")


def two(lab: Lab, browser: Any, rounds: int) -> None:
    """One panel beside two in one cell, in turns: until the thumbnails of all are painted."""
    times: dict[int, list[float]] = {1: [], 2: []}
    cells = {1: PANEL, 2: f"{PANEL}\ndisplay(panel)\nopeai_nb.panel()"}
    for run in range(rounds):
        for count, cell in cells.items():
            notebook = opened(lab, browser, f"two{count}-{run}.ipynb", [cell])
            notebook.page.evaluate(WATCH_PAINTED, 24 * count)
            notebook.run_cell(0)
            times[count].append(all_painted(notebook))
            notebook.page.context.close()
    single, both = (statistics.median(times[count]) for count in (1, 2))
    print(f"two panels on a page: {both:.0f} ms, {both / single:.2f} times one ({single:.0f} ms)")
    print("  1.20 times asked")


def all_painted(notebook: Notebook) -> float:
    notebook.page.wait_for_function("() => window.painted !== null", timeout=60_000)
    return float(notebook.page.evaluate("() => window.painted - window.began"))


def opened(
    lab: Lab,
    browser: Any,
    name: str,
    cells: list[str],
    *,
    received: list[int] | None = None,
) -> Notebook:
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python", "language": "python", "name": "python3"}}
    )
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(made, lab.folder / name)
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


def fill(folder: Path, count: int) -> None:
    """Keep so many pictures, the newest ones large."""
    library = Library(folder)
    for number in range(count):
        is_large = number >= count - max(LARGE, MANY[0] if count == MANY[0] else 0)
        side = 256 if is_large else 16
        small = Image.effect_noise((side, side), 60).convert("RGB")
        tinted = Image.blend(small, Image.new("RGB", small.size, (number * 7 % 255, 90, 140)), 0.5)
        data = encoded(tinted.resize((4 * side, 4 * side)), "JPEG", quality=90)
        request = ImageRequest(f"picture number {number}")
        entry = library.begin(request, key=f"{number}", base_url="engine:", origin="engine")
        entry.sending()
        library.keep(entry, Generation((Picture(data),), request))
    library.close()


def tell(name: str, found: list[float], budget: float | None) -> None:
    median = statistics.median(found)
    told = f"; {budget:.0f} ms asked" if budget else ""
    print(f"  {name:<38}{median:8.0f} ms  ({min(found):.0f} to {max(found):.0f}){told}")


if __name__ == "__main__":
    main()
