"""Processes as forks of one that has loaded what all load: kernels, commands and `-c` programs.

To load it takes a second of processor, and a run starts about a hundred. A fork is a process with a
session, folder, environment, streams, signals and exit code of its own. What depends on the start
itself starts as a user's does: options of the interpreter, another user, what an import loads, the
kernels of `test_runners.py`, `test_terminal.py` and the browsers. Where there are no forks or no
pidfds, all do. (The fork server of `multiprocessing` would load pytest into each.)
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
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen, TimeoutExpired
from typing import Any

_ROOT = Path(__file__).parents[1]
_KERNEL = [sys.executable, "-m", "ipykernel_launcher"]
address = f"\0opeai_nb-forks-{os.getpid()}"
"""Where the process that forks is asked; the workers of one run of tests share it."""


class Fork(Popen[Any]):
    """A fork, as `subprocess` shows a process; its watcher tells how it ended."""

    def _execute_child(self, args: list[str], *rest: Any) -> None:
        """Ask for the process; `subprocess` would fork and execute here, and has made the pipes."""
        (folder, variables), pipes = rest[4:6], rest[9:15]
        self._watcher, watchers = _messages()
        message = {
            "arguments": args[1:],
            "folder": str(folder or Path.cwd()),
            "variables": {**(os.environ if variables is None else variables)},
        }
        ends = enumerate((pipes[0], *pipes[3::2]))
        streams = [number if end < 0 else end for number, end in ends]
        socket.send_fds(_server(), [json.dumps(message).encode()], [watchers.fileno(), *streams])
        watchers.close()
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # as its own does
        self._child_created = True
        self.pid = int(self._watcher.recv(16))

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises `TimeoutExpired` where it runs on."""
        if self.returncode is None:
            if not select.select([self._watcher], [], [], timeout)[0]:
                raise TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._watcher.recv(16) or -signal.SIGKILL)
            self._watcher.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except TimeoutExpired:
            return None


def start(command: list[str], **options: Any) -> Popen[Any]:
    """Start Python with `-m` or `-c`, as `subprocess.Popen` does, by a fork where there are any."""
    assert command[0] == sys.executable
    assert command[1] in {"-m", "-c"}, "a fork has the interpreter's options as they are"
    return (Fork if hasattr(os, "pidfd_open") else Popen)(command, **options)


def run(command: list[str], *, text: str | None = None, **options: Any) -> CompletedProcess[str]:
    """Run Python to its end, with *text* as its input; return its exit code, and what it said."""
    with start(
        command,
        stdin=DEVNULL if text is None else PIPE,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
        **options,
    ) as process:
        said = process.communicate(text)
    return CompletedProcess(command, process.returncode, *said)


def _messages() -> tuple[socket.socket, socket.socket]:
    """Return two ends between which a message is one, whatever is sent behind it."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@cache
def _server() -> socket.socket:
    """Return the way to the process that forks, which ends when nobody can ask it any more."""
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    while ours.connect_ex(address):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as its:
            try:
                its.bind(address)
            except OSError:  # another worker starts it at this moment
                continue
            its.listen()
            _start_server(its.fileno())
    atexit.register(ours.close)  # first: the last in is the first out
    return ours


def _start_server(listening: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server", str(listening)],
        cwd=_ROOT,
        pass_fds=[listening],
        stdin=DEVNULL,
        stdout=DEVNULL,  # it may outlive who starts it
        start_new_session=True,
    )
    atexit.register(process.wait)


def launch(cmd: list[str], **options: Any) -> Any:
    """Do what `jupyter_client.launcher.launch_kernel` does, by a fork where that is the same."""
    known = options.keys() <= {"env", "cwd", "stderr"}  # nbval sends its kernels' errors nowhere
    if known and cmd[:3] == _KERNEL and hasattr(os, "pidfd_open"):
        return Fork(cmd, stdin=DEVNULL, **options)
    from jupyter_client.launcher import launch_kernel

    return launch_kernel(cmd, **options)
