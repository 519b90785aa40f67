"""Starting: what an import costs, and how long a fresh process takes to its first answer.

    python tests/bench/bench_start.py [rounds]

Targets: a fresh process to its first answer at most 1.15 x bare httpx; `import opeai_nb` at most
0.15 x `import httpx; httpx.Client()`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

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


def main(rounds: int = 15) -> None:
    imports = milliseconds(IMPORTS, rounds)
    base = next(iter(IMPORTS))
    loopback.print_ratios("imports", "ms", imports, base)
    loopback.verdict("import opeai_nb", imports["import opeai_nb"] / imports[base], 0.15)
    answer = loopback.http_answer(ANSWER)
    with loopback.prepared_server({loopback.GENERATIONS: answer}) as url:
        programs = {name: code.format(url=url) for name, code in FIRST_ANSWER.items()}
        first = milliseconds(programs, rounds)
    loopback.print_ratios("a fresh process to its first answer", "ms", first, "bare httpx")
    loopback.verdict("first answer / bare httpx", first["opeai_nb"] / first["bare httpx"], 1.15)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
