"""A hundred processes killed at random steps, two at once and in the middle of a resume.

The steps are drawn with a seed; which process is quicker is not, and the verdict holds for all
orders: whatever is asked is sent once, the last kernel shows what was painted, or says that nobody
knows, and everybody who shows a picture shows the same. With `-s` it prints what became of them.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.kernel.kills import rushing
from tests.kernel.kills.test_kills import B64, TASK, URL, CannedPainter, canned

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.long,  # a hundred killed processes
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL"),
]

LIVES = 72
LEAST_KILLS = 100
AT_ONCE = 4
ONE_AT_A_TIME = threading.Lock()  # starting a process looks at all others
KINDS = {
    "at once, one cell": {"does": ["cell"], "fields": {**B64, "n": 2}},
    "URLs, one cell": {"does": ["cell"], "fields": {**URL, "n": 2}},
    "task, one cell": {"does": ["cell"], "fields": {**TASK, "n": 2}},
    "task, a batch of 4": {"does": ["batch"], "fields": TASK},
    "at once, a batch of 4": {"does": ["batch"], "fields": B64},
}
PICTURES = [hashlib.sha256(canned(number)).hexdigest() for number in range(2)]


class Posts:
    """The engine, and which prompts were paid for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.prompts: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def heard() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if scope["method"] == "POST" and body and not message.get("more_body"):
                self.prompts[json.loads(body)["prompt"]] += 1
                body = b""
            return message

        await self._engine(scope, heard, send)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Posts, str]]:
    engine = Engine(painter=CannedPainter(), task_seconds=(0.05, 0.3))
    counting = Posts(engine)
    with serving(counting) as url:  # type: ignore[arg-type]  # an application, as the engine is one
        yield counting, url
    engine.close()


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes that are forked from one that has only imported: quick, and each a real one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["__main__", "tests.kernel.kills.dying", "tests.kernel.kills.rushing"]
    )
    return context


class Life:
    """One notebook's folder, and the kernels that come and go there."""

    def __init__(self, processes: Any, url: str, folder: Path, kind: str) -> None:
        folder.mkdir()
        self.folder, self._processes, self._url = folder, processes, url
        count = 4 if "batch" in kind else 1
        prompts = [f"fox {number} of {folder.name}" for number in range(count)]
        self.work: dict[str, Any] = {**KINDS[kind], "prompts": prompts}
        self.kills = 0

    def kernels(self, *fatal: int | None, **change: Any) -> list[dict[str, Any]]:
        """Let one kernel live for each of *fatal*, all at once; return what they wrote down."""
        work = {**self.work, **change}
        names = [f"report-{number}.json" for number in range(len(fatal))]
        with ONE_AT_A_TIME:
            begun = [
                self._processes.Process(
                    target=rushing.live, args=(self.folder, self._url, work, last, name)
                )
                for last, name in zip(fatal, names, strict=True)
            ]
            for process in begun:
                process.start()
        for process in begun:
            assert wait([process.sentinel], 150), "a process hangs"
            with ONE_AT_A_TIME:
                process.join()
            self.kills += process.exitcode == -signal.SIGKILL
            assert process.exitcode in (0, -signal.SIGKILL)
        reports = [self.folder / name for name in names if (self.folder / name).exists()]
        told = [json.loads(path.read_text()) for path in reports]
        for path in reports:
            path.unlink()
        return told


def lived(life: Life, seed: int, steps: int) -> dict[str, Any]:
    """Let kernels come and go, most of them killed; return what the last one said, and the rest."""
    chance = random.Random(seed)
    others = life.kernels(*(chance.randint(1, steps) for _ in range(chance.choice((1, 2)))))
    if chance.random() < 0.7:  # most are resumed, and killed while they are
        others += life.kernels(chance.randint(1, steps), does=["resume", *life.work["does"]])
    (last,) = life.kernels(None)
    return {"last": last, "others": others}


def shown(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a kernel showed for each prompt, or the error that it told."""
    (made,) = (report[name] for name in ("cell", "batch") if name in report)
    return made if isinstance(made, dict) else {"": made}


def verdict(life: Life, told: dict[str, Any], posts: Counter[str]) -> list[str]:
    """Return what became of each prompt; raises where a promise was broken."""
    said, ends = shown(told["last"]), []
    count = int(life.work["fields"].get("n", 1))
    for prompt in life.work["prompts"]:
        sent, came = posts[prompt], said.get(prompt, said.get(""))
        assert sent <= 1, f"{prompt}: paid {sent} times"
        if isinstance(came, list):
            assert (sent, is_true(came, count)) == (1, True), f"{prompt}: {came}"
            ends.append("shown" if came == PICTURES[:count] else "shown in part")
        else:
            assert str(came).startswith(("OutcomeUnknownError", "unknown")), f"{prompt}: {came}"
            ends.append("unknown, painted" if sent else "unknown, never left")
        for other in told["others"]:
            theirs = shown(other).get(prompt, [])
            assert not isinstance(theirs, list) or theirs == [] or is_true(theirs, count)
    return ends


def is_true(came: list[str], count: int) -> bool:
    """Tell whether all pictures came, or a resume kept what had come and told of the rest."""
    told = [digest.startswith("The answer was cut off") for digest in came]
    good = [digest for digest, is_lost in zip(came, told, strict=True) if not is_lost]
    return len(came) == count and len(good) > 0 and set(good) <= set(PICTURES[:count])


def test_whoever_is_killed_whenever_everything_is_paid_once_and_nothing_is_lost(
    processes: Any, server: tuple[Posts, str], tmp_path: Path
) -> None:
    counting, url = server
    kinds = list(KINDS)
    steps = {}
    for number, kind in enumerate(kinds):
        whole = Life(processes, url, tmp_path / f"whole {number}", kind)
        steps[kind] = whole.kernels(None)[0]["steps"]

    def one(seed: int) -> tuple[str, int, list[str], str | None]:
        kind = kinds[seed % len(kinds)]
        life = Life(processes, url, tmp_path / f"life {seed}", kind)
        told: dict[str, Any] = {}
        try:
            told = lived(life, seed, steps[kind])
            return kind, life.kills, verdict(life, told, counting.prompts), None
        except (AssertionError, ValueError) as error:
            return kind, life.kills, ["broke"], f"life {seed}, {kind}: {error}\n{told}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        lives = list(pool.map(one, range(LIVES)))
    print(f"\n{table(lives)}")
    failures = [text for *_, text in lives if text]
    assert not failures, "\n\n".join(failures)
    assert sum(kills for _, kills, *_ in lives) >= LEAST_KILLS


def table(lives: list[tuple[str, int, list[str], str | None]]) -> str:
    ends = ("shown", "shown in part", "unknown, painted", "unknown, never left", "broke")
    rows = [f"{'':24}{'killed':>8}" + "".join(f"{end:>22}" for end in ends)]
    for kind in KINDS:
        mine = [life for life in lives if life[0] == kind]
        counts = Counter(end for life in mine for end in life[2])
        killed = sum(life[1] for life in mine)
        rows.append(f"{kind:24}{killed:>8}" + "".join(f"{counts[end]:>22}" for end in ends))
    return "\n".join(rows)
