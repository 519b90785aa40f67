"""A whole cell in a real kernel: four 1024² PNGs, from POST to shown, with the library on.

    python tests/bench/bench_cell.py [rounds]

Targets: with previews (the default) at least 4 times as fast as openai-python + `display(pil)` in
the same run, with `--show full` at least 5 times. Also: how much a cell adds to the notebook, how
soon an interrupt is heard, and how long a completion takes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import loopback
from jupyter_client.manager import start_new_kernel

OPENAI = """
for item in client.images.generate(model="qwen-image-2.0", prompt="a fox", n=4).data:
    display(Image.open(BytesIO(base64.b64decode(item.b64_json))))
"""
CELLS = {
    "openai-python, display(pil)": OPENAI,
    "%%imagine": "%%imagine --fresh -n 4\na fox",
    "%%imagine --show full": "%%imagine --fresh -n 4 --show full\na fox",
    "%%imagine --show none": "%%imagine --fresh -n 4 --show none\na fox",
}
PREPARE = """
import base64
from io import BytesIO
from PIL import Image
import openai
client = openai.OpenAI(api_key="sk-benchmark", base_url={url!r} + "/v1")
%load_ext opeai_nb
photo = palette = 1
"""


class Kernel:
    """A kernel that looks to it like JupyterLab."""

    def __init__(self, folder: str, url: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OPEAI")}
        environment = {
            **kept,
            "HOME": folder,
            "IPYTHONDIR": f"{folder}/ipython",
            "OPEAI_API_KEY": "sk-benchmark",
            "OPEAI_BASE_URL": url,
            "JPY_SESSION_NAME": f"{folder}/bench.ipynb",  # as a Jupyter server starts it
        }
        self.manager, self.client = start_new_kernel(cwd=folder, env=environment)

    def run(self, code: str) -> tuple[float, int]:
        """Run a cell; return the seconds until all of it is shown, and what it adds in bytes."""
        started = time.perf_counter()
        message = self.client.execute(code, allow_stdin=True)
        shown = []
        while True:
            got = self.client.get_iopub_msg(timeout=60)
            kind, content = got["msg_type"], got["content"]
            if kind == "error":
                raise SystemExit("\n".join(content["traceback"]))
            if kind in {"display_data", "execute_result"}:
                shown.append(content["data"])  # weighed when the clock has stopped
            idle = kind == "status" and content["execution_state"] == "idle"
            if idle and got["parent_header"]["msg_id"] == message:
                seconds = time.perf_counter() - started
                return seconds, sum(len(json.dumps(data)) for data in shown)

    def completion(self, code: str) -> float:
        """Return how long the completer itself takes, in milliseconds: the median of 50."""
        call = f"get_ipython().Completer.completions({code!r}, {len(code)})"
        timed = (
            "import statistics, time\n"
            "from IPython.core.completer import provisionalcompleter\n"
            "taken = []\n"
            "with provisionalcompleter():\n"
            "    for _ in range(50):\n"
            "        began = time.perf_counter()\n"
            f"        list({call})\n"
            "        taken.append(time.perf_counter() - began)\n"
            "print(statistics.median(taken) * 1e3)"
        )
        self.client.execute(timed)
        while True:
            got = self.client.get_iopub_msg(timeout=60)
            if got["msg_type"] == "stream":
                return float(got["content"]["text"])

    def interrupt(self) -> float:
        """Return how many milliseconds a cell lives on after an interrupt."""
        self.run("import os; os.environ['OPEAI_BASE_URL'] = 'engine:'")
        message = self.client.execute("%imagine -m rehearsal-slow a fox", allow_stdin=True)
        while True:
            got = self.client.get_iopub_msg(timeout=60)
            text = got["content"].get("data", {}).get("text/plain", "")
            if got["parent_header"].get("msg_id") == message and "queued 1 s" in text:
                break
        began = time.perf_counter()
        self.manager.interrupt_kernel()
        while True:
            got = self.client.get_iopub_msg(timeout=60)
            idle = got["content"].get("execution_state") == "idle"
            if idle and got["parent_header"].get("msg_id") == message:
                return (time.perf_counter() - began) * 1e3

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main(rounds: int = 7) -> None:
    pictures = [loopback.noisy_png(1024, number) for number in range(4)]
    answer = loopback.http_answer(loopback.b64_body(pictures))
    with (
        tempfile.TemporaryDirectory() as folder,
        loopback.prepared_server({loopback.GENERATIONS: answer}) as url,
    ):
        kernel = Kernel(folder, url)
        try:
            measure(kernel, url, rounds, Path(folder))
        finally:
            kernel.stop()


def measure(kernel: Kernel, url: str, rounds: int, folder: Path) -> None:
    kernel.run(PREPARE.format(url=url))
    sizes: dict[str, int] = {}
    taken: dict[str, list[float]] = {name: [] for name in CELLS}
    for number in range(rounds + 1):
        for name, code in CELLS.items():
            seconds, sizes[name] = kernel.run(code)
            if number:
                taken[name].append(seconds * 1e3)
    figures: dict[str, Any] = {name: statistics.median(times) for name, times in taken.items()}
    base, previews, full, _ = CELLS
    loopback.print_ratios("n = 4 of 1024², POST to shown, the whole cell", "ms", figures, base)
    loopback.verdict("previews / openai-python", figures[previews] / figures[base], 1 / 4)
    loopback.verdict("full / openai-python", figures[full] / figures[base], 1 / 5)
    print(f"  {len(list((folder / 'imagine').glob('*.png')))} files are in the library")
    loopback.print_ratios(
        "what the cell adds to the notebook", "KB", {k: v / 1e3 for k, v in sizes.items()}, base
    )
    loopback.verdict("previews, in KB", sizes[previews] / 1e3, 300)
    for code in ("%%imagine --si", "%%imagine -m gpt-image-2 -s ", "%%imagine\na cat in {pal"):
        loopback.verdict(f"completion of {code!r}, ms", kernel.completion(code), 5)
    loopback.verdict("interrupt to reply, ms", kernel.interrupt(), 500)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
