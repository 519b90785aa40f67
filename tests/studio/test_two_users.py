"""Two users of one shared folder: their kernels see each other, wait, and take over."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.canned import Held

pytestmark = [
    pytest.mark.long,  # kernels of other users
    pytest.mark.skipif(
        os.name == "nt" or os.geteuid() != 0, reason="only root may run as other users"
    ),
]

GROUP, ANN, BEN = 5700, 5701, 5702
KERNEL = """
import os, sys, tempfile
from opeai_nb.errors import OpeaiError
from opeai_nb.library.replay.slot import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
user, group, umask = map(int, sys.argv[1:4])
model, size = sys.argv[4:]
# All that is imported late is imported by root: the interpreter may lie in root's own folder.
with tempfile.TemporaryDirectory() as folder:
    Studio(settings(library=folder)).generate("warm", model=model, size=size)
os.setgroups([])
os.setgid(group)
os.setuid(user)
os.umask(umask)
studio = Studio()
print("ready", flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "start":
        job = studio.start("a red fox", model=model, size=size, slot=Slot("cell-1", 1))
        for update in job.follow(0.02):
            if update.state in ("painting", "waiting"):
                print(update.state, update.whom, flush=True)
                break
    elif word == "result":
        try:
            print(len(job.result(100).pictures[0].data), flush=True)
        except OpeaiError as error:
            print(type(error).__name__, flush=True)
    elif word == "forget":
        for entry in studio.library.pending():
            try:
                studio.library.forget(entry)
            except OpeaiError as error:
                print(error, flush=True)
    elif word == "left":
        print(len(studio.library.pending()), len(list(studio.library.records())), flush=True)
"""


WAYS_TO_SHARE = pytest.mark.parametrize(
    ("shared", "umask"),
    [(0o2775, 0o002), (0o2775, 0o077), (0o775, 0o022), (0o777, 0o022)],
    indirect=["shared"],
    ids=["set-gid", "set-gid, private umask", "of the same group", "of everybody"],
)


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that others may write to; pytest's own are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="opeai-shared-"))
    try:
        os.chown(folder, 0, GROUP)
        folder.chmod(request.param)
        yield folder
    finally:
        shutil.rmtree(folder)


class Kernel:
    """A process of a user's."""

    def __init__(self, shared: Path, url: str, user: int, umask: int, *work: str) -> None:
        home = shared / f"home-{user}"
        if not home.exists():
            home.mkdir(mode=0o700)
            os.chown(home, user, GROUP)
        group = user if shared.stat().st_mode & stat.S_IWOTH else GROUP
        self._process = subprocess.Popen(
            [sys.executable, "-c", KERNEL, str(user), str(group), str(umask), *work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=shared,
            env={
                "OPEAI_BASE_URL": url,
                "OPEAI_API_KEY": f"key-of-{user}",
                "OPEAI_NB_LIBRARY": str(shared / "imagine"),
                "HOME": str(home),
                "USER": {ANN: "ann", BEN: "ben"}[user],
                "PYTHONPATH": ":".join(sys.path),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        assert self.hears() == "ready"

    def does(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def hears(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def asks(self, word: str) -> str:
        self.does(word)
        return self.hears()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def ends(self) -> None:
        self._process.communicate()


@pytest.fixture
def painter() -> Held:
    return Held()


@pytest.fixture
def engine(painter: Held) -> Iterator[Engine]:
    made = Engine(painter=painter, task_seconds=(0.5, 1.0))
    yield made
    painter.may_paint.set()
    made.close()


def posts(engine: Engine) -> int:
    """Return how often the fox was asked for: each kernel has asked for something else before."""
    return sum(line.method == "POST" for line in engine.requests) - 2


@WAYS_TO_SHARE
def test_the_second_waits_for_the_first_and_takes_over_when_it_is_killed(
    shared: Path, engine: Engine, painter: Held, umask: int
) -> None:
    work = ("gpt-image-2", "1024x1024")
    painter.may_paint.set()
    with serving(engine) as url:
        ann, ben = (Kernel(shared, url, user, umask, *work) for user in (ANN, BEN))
        painter.may_paint.clear()
        assert ann.asks("start").startswith("painting")
        assert ben.asks("start").startswith("waiting ann's kernel")
        assert "works on the request" in ben.asks("forget")
        ann.kill()
        painter.may_paint.set()
        assert int(ben.asks("result")) > 0
        assert ben.asks("left") == "0 1"
        ben.ends()
    assert posts(engine) == 1


@pytest.mark.parametrize(
    ("shared", "umask"), [(0o2775, 0o022), (0o777, 0o077)], indirect=["shared"]
)
def test_of_two_users_at_one_moment_one_pays(
    shared: Path, engine: Engine, painter: Held, umask: int
) -> None:
    work = ("qwen-image-2.0", "512x512")
    painter.may_paint.set()
    with serving(engine) as url:
        kernels = [Kernel(shared, url, user, umask, *work) for user in (ANN, BEN)]
        for kernel in kernels:
            kernel.does("start")
            kernel.does("result")
        for kernel in kernels:
            while (told := kernel.hears()).split()[0] in ("painting", "waiting"):
                pass
            assert int(told) > 0
            kernel.ends()
    assert posts(engine) == 1
