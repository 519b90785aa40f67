"""Real Jupyter kernels, driven over their own protocol."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@dataclass
class Outcome:
    """What one cell said: *displays* and *updates* are mimebundles, *error* the reply's content."""

    status: str = ""
    displays: list[dict[str, str]] = field(default_factory=list)
    updates: list[dict[str, str]] = field(default_factory=list)
    result: dict[str, str] = field(default_factory=dict)
    stream: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def badges(self) -> list[str]:
        """Every line that the badge said, in order."""
        return [bundle["text/plain"] for bundle in (*self.displays, *self.updates)]


class Kernel:
    """A kernel in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        from jupyter_client.manager import start_new_kernel

        self.folder = folder
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), env=environment
        )

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
        began = time.monotonic()
        while True:
            got = self.client.get_iopub_msg(timeout=timeout)
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "display_data":
                found.displays.append(content["data"])
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
        found.seconds = time.monotonic() - began
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

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a kernel: no key, the engine, and every folder below *tmp_path*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPEAI", "JPY_"))}
    return {
        **kept,
        "OPEAI_BASE_URL": "engine:",
        "OPEAI_NB_CACHE": str(tmp_path / "cache"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), kept.get("PYTHONPATH")])),
    }


@pytest.fixture
def kernel(tmp_path: Path, environment: dict[str, str]) -> Iterator[Kernel]:
    folder = tmp_path / "notebook"
    folder.mkdir()
    made = Kernel(folder, environment)
    made.good("%load_ext opeai_nb")
    yield made
    made.stop()
