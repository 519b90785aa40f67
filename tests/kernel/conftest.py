"""Real Jupyter kernels, driven over their own protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent) + os.sep
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.kernel)


@dataclass
class Outcome:
    """What one cell said: *displays* and *updates* are mimebundles, *error* the reply's content.

    *slots* are the ids of the displays that have one.
    """

    status: str = ""
    displays: list[dict[str, str]] = field(default_factory=list)
    updates: list[dict[str, str]] = field(default_factory=list)
    result: dict[str, str] = field(default_factory=dict)
    stream: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)

    @property
    def badges(self) -> list[str]:
        """Every line that the badge said, in order."""
        return [bundle["text/plain"] for bundle in (*self.displays, *self.updates)]


class Kernel:
    """A kernel in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        from tests.kernel_files import kernel_manager

        self.folder = folder
        self._environment = environment
        self.manager = kernel_manager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def send(self, code: str, *, live: bool = True, cell: str | None = None) -> str:
        """Send a cell; *live* as JupyterLab does it, with its *cell* id where one is given."""
        message = self.client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": live,
                "stop_on_error": True,
            },
            metadata={"cellId": cell} if cell else {},
        )
        self.client.shell_channel.send(message)
        sent: str = message["header"]["msg_id"]
        return sent

    def outcome(self, message: str, timeout: float = 60) -> Outcome:
        """Read everything that belongs to a cell until the kernel is idle again."""
        found = Outcome()
        while True:
            got = self.client.get_iopub_msg(timeout=timeout)
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "display_data":
                found.displays.append(content["data"])
                found.slots += filter(None, [content.get("transient", {}).get("display_id")])
            elif kind == "update_display_data":
                found.updates.append(content["data"])
            elif kind == "execute_result":
                found.result = content["data"]
            elif kind == "stream":
                found.stream += content["text"]
            elif kind == "error":
                found.error = content
            elif kind == "status" and content["execution_state"] == "idle":
                break
        found.status = self.reply(message, timeout)["status"]
        return found

    def reply(self, message: str, timeout: float) -> dict[str, Any]:
        while True:
            got = self.client.get_shell_msg(timeout=timeout)
            if got["parent_header"].get("msg_id") == message:
                content: dict[str, Any] = got["content"]
                return content

    def run(self, code: str, **options: Any) -> Outcome:
        """Run a cell to its end; its failure is a failure of the test unless it is looked for."""
        return self.outcome(self.send(code, **options))

    def good(self, code: str, **options: Any) -> Outcome:
        found = self.run(code, **options)
        assert found.status == "ok", "\n".join(found.error.get("traceback", [])) or found.stream
        return found

    def restart(self, *, gently: bool = False) -> None:
        """Begin anew in the same folder, as after a crash, or *gently* as by the restart button."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=not gently)
        self.__init__(self.folder, self._environment)  # type: ignore[misc]  # a new life

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def environment_in(folder: Path) -> dict[str, str]:
    """The environment of a kernel: no key, a quick engine, and every folder below *folder*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPEAI", "JPY_"))}
    return {
        **kept,
        "JPY_SESSION_NAME": "notebook",  # as a server starts a kernel
        "HOME": str(folder),  # no .env, no profile and no history of the person who tests
        "OPEAI_BASE_URL": "engine:",
        "OPEAI_NB_CACHE": str(folder / "cache"),
        "OPEAI_NB_TIME_SCALE": "0.3",
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), kept.get("PYTHONPATH")])),
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path)


@pytest.fixture(scope="session")
def running_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all tests that do no lasting harm: a start takes longer than most of them."""
    folder = tmp_path_factory.mktemp("kernel")
    made = Kernel(folder, environment_in(folder))
    made.good("%load_ext opeai_nb")
    made.good("%imagine -s 512x512 a cat")
    made.good(FROZEN)
    yield made
    made.stop()


# Each `%reset` collects garbage twice, and would look at all that a first picture has loaded.
FROZEN = "import gc; gc.collect(); gc.freeze()"
RESET = """
%reset -f
import os, sys
for _name in ("keyring", "google.colab", "google.colab.userdata"):
    sys.modules.pop(_name, None)
if "opeai_nb.settings" in sys.modules:
    sys.modules["opeai_nb.settings"]._typed.clear()
    sys.modules["opeai_nb.settings"]._stored_key.cache_clear()
for _name in [n for n in os.environ if n.startswith("OPEAI")]:
    del os.environ[_name]
os.environ.update({variables})
os.makedirs({folder!r}, exist_ok=True)
os.chdir({folder!r})
if "imagine" in get_ipython().magics_manager.magics["line"]:
    get_ipython().run_line_magic("unload_ext", "opeai_nb")
get_ipython().config.pop("Imagine", None)
get_ipython().run_line_magic("load_ext", "opeai_nb")
"""


@pytest.fixture
def kernel(running_kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel as it is after a start: empty, in a folder of its own, the extension loaded."""
    folder = tmp_path / "notebook"
    variables = {k: v for k, v in environment_in(tmp_path).items() if k.startswith("OPEAI")}
    running_kernel.folder = folder
    running_kernel.good(RESET.format(variables=variables, folder=str(folder)))
    return running_kernel


@pytest.fixture
def new_kernel(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Kernel]]:
    """Start kernels of the test's own: for what cannot be undone, and for restarts."""
    made: list[Kernel] = []

    def started(**more: str) -> Kernel:
        folder = tmp_path / "notebook"
        folder.mkdir(exist_ok=True)
        made.append(Kernel(folder, {**environment, **more}))
        made[-1].good("%load_ext opeai_nb")
        return made[-1]

    yield started
    for kernel in made:
        kernel.stop()
