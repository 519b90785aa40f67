"""What a long session costs: 500 cells with four pictures each, in one kernel's process.

    python tests/bench/bench_session.py [CELLS] [PIXELS OF A SIDE]

Every cell is a real `%%imagine` in an IPython shell: bodies are read, pictures kept on the disk,
contact sheets made and displayed; only the platform is a transport that always sends the same
answer. The baselines are what the same session would hold if it kept what it received, and what
IPython itself keeps: every output that was displayed (`history_manager.outputs`).
Figures are resident memory, read from /proc (Linux).
"""

from __future__ import annotations

import gc
import io
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import httpx
from IPython.core.interactiveshell import InteractiveShell
from loopback import b64_body, noisy_png, print_ratios, verdict
from traitlets.config import Config

from opeai_nb.client import AsyncClient
from opeai_nb.studio.clients import Clients

CELLS = 500
PIXELS = 512
PICTURES = 4
MOST_MEGABYTES = 200.0
WARM = 10


def resident() -> float:
    """Return this process's resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def shell_in(folder: Path, body: bytes) -> Any:
    """Return a shell whose `%%imagine` speaks to a canned platform."""
    os.environ.update(
        OPEAI_BASE_URL="https://canned.example",
        OPEAI_API_KEY="any-key-at-all",
        OPEAI_NB_LIBRARY=str(folder / "imagine"),
        OPEAI_NB_FRONTEND="terminal",
        IPYTHONDIR=str(folder / "ipython"),
    )
    config = Config()
    config.HistoryManager.enabled = False
    shell: Any = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "opeai_nb")
    answer = httpx.Response(200, content=body, headers={"Content-Type": "application/json"})
    client = AsyncClient(
        base_url="https://canned.example",
        api_key="any-key-at-all",
        transport=httpx.MockTransport(
            lambda _: httpx.Response(200, content=answer.content, headers=answer.headers)
        ),
    )
    studio = shell.magics_manager.registry["Imagine"].session.studio
    studio._clients = Clients(studio.settings, client)
    return shell


def main() -> None:
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else CELLS
    pixels = int(sys.argv[2]) if len(sys.argv) > 2 else PIXELS
    pictures = [noisy_png(pixels, number) for number in range(PICTURES)]
    received = sum(map(len, pictures)) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        shell = shell_in(Path(folder), b64_body(pictures))
        started = time.perf_counter()
        for number in range(cells):
            cell = f"%%imagine -n 4 -o result_{number}\na fox, number {number}"
            with redirect_stdout(io.StringIO()):
                done = shell.run_cell(cell, store_history=True)
            done.raise_error()
            shell.display_formatter.format(done.result)
            if number + 1 == WARM:
                gc.collect()
                before = resident()
        seconds = time.perf_counter() - started
        gc.collect()
        grown = resident() - before
        kept = len(list((Path(folder) / "imagine").glob("*.png")))
    title = f"{cells} cells, {kept} pictures of {pixels}x{pixels}, {seconds:.0f} s"
    holding = received * (cells - WARM)
    outputs = shell.history_manager.outputs.values()
    shown = sum(len(str(output.bundle)) for told in outputs for output in told) / 1e6
    figures = {"holding what was received": holding, "kept by IPython": shown, "grown": grown}
    print_ratios(title, "MB", figures, "grown")
    verdict(f"growth after cell {WARM}, MB", grown, MOST_MEGABYTES)


if __name__ == "__main__":
    main()
