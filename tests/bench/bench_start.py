"""Starting: what an import costs, and how long a fresh process takes to its first answer.

    python tests/bench/bench_start.py [rounds]

Targets: a fresh process to its first answer at most 1.15 x bare httpx; in a live kernel, `import
opeai_nb` and `%load_ext opeai_nb` together at most 0.15 x `import httpx; httpx.Client()`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import loopback

ANSWER = b'{"created": 1, "data": [{"url": "http://127.0.0.1/1.png", "b64_json": ""}]}'
FIRST_ANSWER = {
    "bare httpx": (
        "import httpx; httpx.Client().post({url!r} + '/v1/images/generations', "
        "json={{'model': 'm', 'prompt': 'a fox'}}).json()"
    ),
    "opeai_nb": (
        "from opeai_nb.client import Client; Client(base_url={url!r}, api_key='k').submit('a fox')"
    ),
    "opeai_nb, async": (
        "import asyncio; from opeai_nb.client import AsyncClient; "
        "asyncio.run(AsyncClient(base_url={url!r}, api_key='k').submit('a fox'))"
    ),
    "openai-python": (
        "import openai; openai.OpenAI(base_url={url!r} + '/v1', api_key='k')"
        ".images.generate(prompt='a fox', model='m')"
    ),
}
IMPORTS = {
    "import httpx; httpx.Client()": "import httpx; httpx.Client()",
    "import opeai_nb": "import opeai_nb",
    "from opeai_nb import Client": "from opeai_nb import Client",
    "import openai": "import openai",
}
CELLS = {
    "import httpx; httpx.Client()": "import httpx; httpx.Client()",
    "import and %load_ext opeai_nb": "import opeai_nb\n%load_ext opeai_nb",
    "import openai; openai.OpenAI()": "import openai; openai.OpenAI(api_key='k')",
}


def milliseconds(programs: dict[str, str], rounds: int) -> dict[str, float]:
    """Return the median time of a whole process for each program, less that of an empty one."""
    programs = {"": "pass", **programs}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as compiled:
        # Compiled modules are kept, as in every installation, whatever this environment says.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment = {**kept, "PYTHONPYCACHEPREFIX": compiled}
        for number in range(rounds + 1):
            for name, code in programs.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], check=True, env=environment)
                if number:  # the first round compiles
                    taken[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) * 1e3 for name, times in taken.items()}
    empty = medians.pop("")
    print(f"(an empty interpreter, already taken off: {empty:.0f} ms)")
    return {name: value - empty for name, value in medians.items()}


def in_kernels(cells: dict[str, str], rounds: int) -> dict[str, float]:
    """Return the median time of each cell, each time the first one of a new kernel."""
    taken: dict[str, list[float]] = {name: [] for name in cells}
    with tempfile.TemporaryDirectory() as compiled:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment = {**kept, "PYTHONPYCACHEPREFIX": compiled}
        for number in range(rounds + 1):
            for name, cell in cells.items():
                seconds = first_cell(cell, environment)
                if number:  # the first round compiles
                    taken[name].append(seconds)
    return {name: statistics.median(times) * 1e3 for name, times in taken.items()}


def first_cell(cell: str, environment: dict[str, str]) -> float:
    """Return the seconds that *cell* takes in a kernel that has run nothing yet."""
    from jupyter_client.manager import start_new_kernel

    said: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        said.append(message["content"].get("text", ""))

    manager, client = start_new_kernel(env=environment, stderr=subprocess.DEVNULL)
    clock = "__import__('time').perf_counter()"
    timed = f"__begun = {clock}\n{cell}\nprint({clock} - __begun)"
    client.execute_interactive(timed, timeout=60, output_hook=listen)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return float("".join(said))


def main(rounds: int = 15) -> None:
    imports = milliseconds(IMPORTS, rounds)
    base = next(iter(IMPORTS))
    loopback.print_ratios("imports", "ms", imports, base)
    cells = in_kernels(CELLS, rounds)
    loopback.print_ratios("the first cell of a kernel", "ms", cells, base)
    ratio = cells["import and %load_ext opeai_nb"] / cells[base]
    loopback.verdict("import and %load_ext, in a live kernel", ratio, 0.15)
    answer = loopback.http_answer(ANSWER)
    with loopback.prepared_server({loopback.GENERATIONS: answer}) as url:
        programs = {name: code.format(url=url) for name, code in FIRST_ANSWER.items()}
        first = milliseconds(programs, rounds)
    loopback.print_ratios("a fresh process to its first answer", "ms", first, "bare httpx")
    loopback.verdict("first answer / bare httpx", first["opeai_nb"] / first["bare httpx"], 1.15)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
