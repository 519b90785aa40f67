"""Kernels as forks of one process that has loaded what every kernel loads.

To load it takes a kernel more than a second, and a run starts forty of them. Kernels that start as
a user's do are those of `test_runners.py`, `test_terminal.py` and the browsers. Where there are no
forks or no pidfds, all do. (The fork server of `multiprocessing` would load pytest into each.)
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_client.launcher import launch_kernel

_ROOT = Path(__file__).parents[1]
_COMMAND = [sys.executable, "-m", "ipykernel_launcher"]


class Forked:
    """A kernel's process, as `subprocess.Popen` shows one; its watcher tells how it ended."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, watcher: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._watcher = watcher

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises `subprocess.TimeoutExpired` where it runs on."""
        if self.returncode is None:
            if not select.select([self._watcher], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(_COMMAND, timeout or 0)
            self.returncode = int(self._watcher.recv(16) or -signal.SIGKILL)
            self._watcher.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _messages() -> tuple[socket.socket, socket.socket]:
    """Return two ends between which a message is one, whatever is sent behind it."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@cache
def _server() -> socket.socket:
    """Start the process that forks; it ends with this one, as nobody can ask it any more."""
    ours, its = _messages()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kernel_fork_server", str(its.fileno())],
        cwd=_ROOT,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # first: the last in is the first out
    return ours


def launch(cmd: list[str], **options: Any) -> Any:
    """Do what `jupyter_client.launcher.launch_kernel` does, by a fork where that is the same."""
    plain = options.keys() <= {"env", "cwd"} and cmd[:3] == _COMMAND
    if not (plain and hasattr(os, "pidfd_open")):
        return launch_kernel(cmd, **options)
    ours, watchers = _messages()
    variables = {**os.environ} if options.get("env") is None else options["env"]
    asked = {"arguments": cmd[3:], "folder": options.get("cwd") or str(Path.cwd())}
    message = json.dumps({**asked, "variables": variables}).encode()
    socket.send_fds(_server(), [message], [watchers.fileno(), 1, 2])
    watchers.close()
    return Forked(int(ours.recv(16)), ours)
