"""Kill -9 at every point of a request: what reached us is kept, nothing is paid twice.

Each point is a real process that kills itself, or is killed by its server; another process then
looks at what is left, resumes, and must not send anything. `dying.py` beside it runs in them.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from PIL import Image

from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.bench.loopback import noisy_png
from tests.kernel.kills import dying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.long,  # dozens of killed processes
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL"),
]

AT_ONCE = 8
# Starting a process looks at all others, and who reads an exit code takes it away.
ONE_AT_A_TIME = threading.Lock()
DAY = 86_400
# How often a point is met depends on the clock (polls) or on the network (pieces of a body).
MOST = {"poll": 2, "piece": 3}


class CannedPainter:
    """Paints what was painted before, one picture for each place in the answer."""

    def paint(self, prompt: str, size: tuple[int, int], /, *, variant: int = 0, **_: Any) -> Any:
        image = Image.new("RGB", (1, 1))
        image.info["variant"] = variant
        return image

    def edit(self, images: Any, prompt: str, size: tuple[int, int] | None, /, **manner: Any) -> Any:
        return self.paint(prompt, size or images[0].size, **manner)

    def encode(
        self, image: Any, /, output_format: str = "png", output_compression: int = 0
    ) -> bytes:
        return canned(image.info["variant"])


@lru_cache
def canned(variant: int) -> bytes:
    return noisy_png(400, variant)


class Server:
    """The engine; it knows who asked for what, and kills who is to be killed while it answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.posts: defaultdict[str, list[str]] = defaultdict(list)
        self.gets: list[str] = []
        self.fatal: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self.born: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if scope["method"] != "POST":
            self.gets.append(scope["path"])

            async def told(message: Any) -> None:
                soon(message)
                await send(message)

            await self._engine(scope, receive, told)
            return
        self.posts[key].append(headers.get("idempotency-key", ""))
        fatal = self.fatal.pop(key, "")
        if fatal == "taken":
            self._kill(key)

        async def answer(message: Any) -> None:
            soon(message)
            if fatal == "obeyed" and message["type"] == "http.response.start":
                self._kill(key)
            await send(message)
            if fatal == "half" and message["type"] == "http.response.body":
                self._kill(key)

        await self._engine(scope, receive, answer)

    def _kill(self, key: str) -> None:
        assert self.born[key].wait(60)  # a request may be here before its process has a name here
        if (pid := self.pids.pop(key, None)) is not None:  # once: the next process has another
            os.kill(pid, signal.SIGKILL)


def soon(message: Any) -> None:
    """Ask for the next poll soon: without history a client waits a second."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), (b"retry-after", b"0.2")]


class Scenario(NamedTuple):
    """What is asked for; at every how many-th point, and at how many at least, it is killed."""

    fields: dict[str, Any]
    step: int
    points: int

    @property
    def is_task(self) -> bool:
        return str(self.fields["model"]).startswith("gpt-image-2")

    @property
    def pictures(self) -> int:
        return int(self.fields["n"])


B64 = {"model": "qwen-image-2.0", "size": "512x512", "response_format": "b64_json"}
URL = {**B64, "response_format": "url"}
TASK: dict[str, Any] = {"model": "gpt-image-2", "size": "1024x1024"}
SCENARIOS = {
    "b64, three": Scenario({**B64, "n": 3}, 1, 45),
    "url, three": Scenario({**URL, "n": 3}, 2, 22),
    "task, three": Scenario({**TASK, "n": 3}, 2, 25),
    "b64, one": Scenario({**B64, "n": 1}, 4, 6),
    "url, one": Scenario({**URL, "n": 1}, 4, 6),
    "task, one": Scenario({**TASK, "n": 1}, 4, 6),
}


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes that are forked from one that has only imported: quick, and each a real one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.kernel.kills.dying"])
    return context


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Server, str]]:
    engine = Engine(painter=CannedPainter(), task_seconds=(0.05, 0.1))
    watching = Server(engine)
    with serving(watching) as url:  # type: ignore[arg-type]  # an application, as the engine is one
        yield watching, url
    engine.close()


class Life:
    """One request in a folder of its own: asked for by a process that dies, then looked after."""

    def __init__(
        self, processes: Any, server: Server | None, url: str, folder: Path, fields: dict[str, Any]
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.key = f"key-of-{folder.name}" if server else ""
        self._processes, self._server, self._url = processes, server, url
        self._fields = fields

    def ask(self, fatal: Any = None) -> int:
        """Return the exit code: minus the signal."""
        return self._run(dying.ask, self._fields, fatal)

    def look(self, then: str) -> dict[str, Any]:
        assert self._run(dying.look, then) == 0, "the process that looks must not fail"
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def _run(self, work: Callable[..., None], *arguments: Any) -> int:
        process = self._processes.Process(
            target=work, args=(self.folder, self._url, self.key, *arguments)
        )
        with ONE_AT_A_TIME:
            process.start()
        if self._server is not None and work is dying.ask:
            self._server.pids[self.key] = process.pid
            self._server.born[self.key].set()
        assert wait([process.sentinel], 90), "a process hangs"
        with ONE_AT_A_TIME:
            process.join()
        return int(process.exitcode)


def fatal_points(passed: list[tuple[Any, ...]]) -> list[tuple[str, int]]:
    """Return the points worth dying at."""
    return [
        (name, count)
        for name, count in passed
        if not any(word in name and count > most for word, most in MOST.items())
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_anywhere_nothing_is_lost_and_nothing_sent_again(
    name: str, processes: Any, server: tuple[Server, str], tmp_path: Path
) -> None:
    scenario = SCENARIOS[name]
    watching, url = server
    stem = name.replace(", ", "-")

    def life(number: int) -> Life:
        folder = tmp_path / f"{stem}-{number}"
        return Life(processes, watching, url, folder, scenario.fields)

    whole = life(0)
    assert whole.ask() == 0
    passed = [tuple(point) for point in json.loads((whole.folder / "points.json").read_text())]
    points = fatal_points(passed)
    if name != "b64, three":  # until the request leaves, all go the same way
        points = points[points.index(("POST: about to leave", 1)) :]
    points = points[:: scenario.step]

    def check(number: int, fatal: Any) -> str | None:
        one = life(number)
        if isinstance(fatal, str):
            watching.fatal[one.key] = fatal
        code = one.ask(fatal if isinstance(fatal, tuple) else None)
        if code == 0:
            return "not reached"
        assert code == -signal.SIGKILL
        downloaded = list(watching.gets)
        report = one.look("forget" if number % 2 else "send")
        expected = expected_truth(passed, fatal, scenario)
        try:
            check_report(
                report,
                watching,
                one.key,
                downloaded=downloaded,
                scenario=scenario,
                expected=expected,
            )
        except AssertionError as error:
            return f"{fatal}: {error}\n{json.dumps(report, indent=1)}"
        return None

    told = in_parallel(check, [*points, "taken", "obeyed", "half"])
    failures = [text for text in told if text not in (None, "not reached")]
    assert not failures, "\n\n".join(map(str, failures))
    assert told.count(None) >= scenario.points, f"killed at {told.count(None)} points"


def in_parallel(check: Callable[[int, Any], str | None], points: list[Any]) -> list[str | None]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(check, range(1, len(points) + 1), points))


def expected_truth(passed: list[Any], fatal: Any, scenario: Scenario) -> set[str]:
    """Return what can be the truth after a death just before *fatal*.

    The journal is written to in the order of the states; each of its lines is a milestone.
    """
    if fatal in ("taken", "obeyed", "half"):
        return {"outcome unknown"}
    where = passed.index(fatal)
    begun = passed.index(("rename .pending/.new-#-#", 1))
    lines = [i for i, point in enumerate(passed) if point[0] == "write .pending/#/journal.jsonl"]
    states = ["outcome unknown", *(["pending"] if scenario.is_task else []), "fetching"]
    kept = next(
        i
        for i, (name, _) in enumerate(passed)
        if name.startswith("rename") and name.endswith(".part") and i > lines[-1]
    )
    if where <= begun:
        return {"nothing"}
    if where <= lines[0]:
        return {"not sent"}
    reached = states[sum(where > line for line in lines) - 1]
    # Pictures and record get their names side by side with other work: from here both are true.
    return {reached, "kept"} if where > kept else {reached}


def check_report(
    report: dict[str, Any],
    server: Server,
    key: str,
    *,
    downloaded: list[str],
    scenario: Scenario,
    expected: set[str],
) -> None:
    """Hold what the new session saw and did against what the server knows."""
    before, resumed, after = report["before"], report["resumed"], report["after"]
    truth = truth_of(before)
    assert truth in expected, f"{truth}, not one of {expected}"
    posts = server.posts[key]
    if truth not in {"nothing", "kept"}:
        assert truth in report["tasks"], "`%imagine tasks` tells the truth"
    sent_again = truth in {"not sent", "outcome unknown"} and after["records"] != resumed["records"]
    if truth in {"nothing", "not sent"}:
        assert len(posts) == sent_again, "what was not sent has not arrived"
    else:
        assert len(posts) in ({1, 2} if sent_again else {0, 1}), (
            "one POST, and one that was asked for"
        )
    assert len(set(posts)) <= 1, "the same Idempotency-Key"
    if truth in {"pending", "fetching"}:
        assert truth_of(resumed) == "kept", "resume finishes it"
        assert len(posts) == 1
    check_downloads(before, downloaded, server.gets)
    check_pictures(before, after, scenario)
    assert after["entries"] == []
    assert report["tasks after"] == "Nothing is pending."
    assert report["problems"] == []
    assert not [path for path in report["files"] if is_rubbish(path)]


def truth_of(state: dict[str, Any]) -> str:
    assert len(state["entries"]) + len(state["records"]) <= 1, "one request, one place"
    if state["records"]:
        return "kept"
    if not state["entries"]:
        return "nothing"
    entry = state["entries"][0]
    if entry["truth"] == "pending":
        assert DAY - 120 < entry["left"] <= DAY, "the time left is told"
        assert entry["task"]
    return str(entry["truth"])


def check_downloads(before: dict[str, Any], downloaded: list[str], gets: list[str]) -> None:
    """A picture that was complete on the disk is never asked for again."""
    for entry in before["entries"]:
        for number in entry["received"] if entry["urls"] else []:
            path = entry["urls"][number]
            assert gets.count(path) == downloaded.count(path), "downloaded twice"


def check_pictures(before: dict[str, Any], after: dict[str, Any], scenario: Scenario) -> None:
    """Every picture that is kept is whole, and the one that was made for this place."""
    made = [hashlib.sha256(canned(n)).hexdigest() for n in range(scenario.pictures)]
    for record in after["records"]:
        assert len(record["pictures"]) + record["failed"] == scenario.pictures
        assert set(record["pictures"]) <= set(made), "torn, or not ours"
        if not record["failed"]:
            assert record["pictures"] == made
    if truth_of(before) in {"pending", "fetching", "kept"}:
        assert [record["failed"] for record in after["records"]] == [0]
    for entry in before["entries"]:
        if entry["truth"] == "outcome unknown" and entry["received"]:
            assert len(after["records"][0]["pictures"]) >= len(entry["received"])


def is_rubbish(path: str) -> bool:
    """Tell what a killed process left for ever; what it was about to begin goes in an hour."""
    begun = Path(path).parent.name == ".pending" or ".pending/.new-" in path
    return (path.endswith(".part") and not begun) or ".gone-" in path


def test_it_works_on_the_engine_without_a_key(processes: Any, tmp_path: Path) -> None:
    """In process: the engine's tasks live in the cache folder, and outlive the kernel."""
    scenario = Scenario({**TASK, "n": 1, "size": "512x512"}, 1, 8)
    whole = Life(processes, None, "engine:", tmp_path / "whole", scenario.fields)
    assert whole.ask() == 0
    passed = [tuple(point) for point in json.loads((whole.folder / "points.json").read_text())]
    journal = "write .pending/#/journal.jsonl"
    points = [
        *((journal, n) for n in (1, 2, 3)),
        ("POST: about to leave", 1),
        ("POST: all came", 1),
        ("poll: about to leave", 1),
        ("poll: all came", 1),
        ("download: about to leave", 1),
        ("download: a piece came", 1),
        ("download: all came", 1),
        passed[-8],
    ]

    def check(number: int, fatal: Any) -> str | None:
        one = Life(processes, None, "engine:", tmp_path / str(number), scenario.fields)
        assert one.ask(fatal) == -signal.SIGKILL
        report = one.look("forget")
        truth = truth_of(report["before"])
        # The engine ended with its process: what was under way there is nobody's, and unpaid.
        expected = expected_truth(passed, fatal, scenario)
        assert truth in {"not sent" if t == "outcome unknown" else t for t in expected}, fatal
        assert report["posts here"] == 0
        if truth in {"pending", "fetching"}:
            assert truth_of(report["resumed"]) == "kept", fatal
        assert report["tasks after"] == "Nothing is pending."
        return truth

    truths = in_parallel(check, points)
    assert {"not sent", "pending", "fetching"} <= set(truths)


def test_a_kernel_of_jupyter_is_killed_in_the_middle_of_a_task(new_kernel: Any) -> None:
    """With a real kernel: restart, `%imagine tasks`, run the cell: it is not sent again."""
    kernel = new_kernel()
    cell = "%%imagine -m rehearsal-slow -o slow\na fox in the snow"
    message = kernel.send(cell, cell="cell-1")
    while True:
        got = kernel.client.get_iopub_msg(timeout=30)
        if got["parent_header"].get("msg_id") == message and "painting" in str(got["content"]):
            break
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    kernel.restart()
    kernel.good("%load_ext opeai_nb")
    told = kernel.good("%imagine tasks").result
    assert "pending" in told["text/plain"]
    assert "<table" in told["text/html"]
    found = kernel.good(cell, cell="cell-1")
    assert "1 picture" in found.result["text/plain"]
    count = "from opeai_nb.engine.server.engine_transport import shared_engine\n"
    count += "sum(r.method == 'POST' for r in shared_engine().requests)"
    assert kernel.good(count).result["text/plain"] == "0"
    assert kernel.good("%imagine tasks").result["text/plain"] == "Nothing is pending."
