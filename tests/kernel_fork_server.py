"""Fork a kernel for each that is asked for; see `kernel_fork.py`, which starts this program."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from typing import Any

_LOADED = (
    *("ipykernel.kernelapp", "httpx", "httpcore", "starlette.applications", "pybase64"),
    *("numpy.random", "numpy.typing", "PIL.ImageEnhance", "PIL.ImageOps", "PIL.ImageStat"),
)
# Of ours what a picture needs; none of it looks at the environment or a folder when it is imported.
_OURS = (
    *("opeai_nb.notebook.extension", "opeai_nb.client.http.exchange", "opeai_nb.studio.studio"),
    *("opeai_nb.engine.server.app", "opeai_nb.engine.painter.composition"),
)
_OF_THE_SERVER = {sys.path[0], *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
_PATH = [path for path in sys.path if path not in _OF_THE_SERVER]


def loaded() -> None:
    """Load what every kernel loads, and let no collector of a kernel look at it."""
    for name in _LOADED + _OURS:
        importlib.import_module(name)
    from PIL import Image

    Image.init()
    gc.collect()
    gc.freeze()


def forked(server: socket.socket) -> list[str]:
    """Return in each kernel, with its arguments; the server itself ends with who started it."""
    while True:
        asked, descriptors, _, _ = socket.recv_fds(server, 1 << 20, 3)
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            server.close()
            return _watched(json.loads(asked), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """Nobody asks how a watcher ended."""


def _watched(asked: dict[str, Any], conversation: int, *streams: int) -> list[str]:
    """Return in the kernel; its watcher stays to tell how it ends, and ends it with who asked."""
    asker = socket.socket(fileno=conversation)
    if (kernel := os.fork()) == 0:
        return _moved_in(asked, asker, *streams)
    poll = select.poll()
    poll.register(os.pidfd_open(kernel), select.POLLIN)
    poll.register(asker, select.POLLIN)  # its end: it says nothing
    poll.poll()
    if select.select([asker], [], [], 0)[0]:
        os.kill(kernel, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
    with contextlib.suppress(OSError):
        asker.sendall(str(code).encode())
    os._exit(0)


def _moved_in(asked: dict[str, Any], asker: socket.socket, *streams: int) -> list[str]:
    """Let this process be as one that was started anew, in its session, folder and environment."""
    os.setsid()
    asker.sendall(str(os.getpid()).encode())
    asker.close()
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["variables"])
    os.chdir(asked["folder"])
    time.tzset()
    tempfile.tempdir = None
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [*map(os.path.abspath, paths), *_PATH]
    return [*asked["arguments"], f"--IPKernelApp.parent_handle={os.getppid()}"]


if __name__ == "__main__":
    loaded()
    sys.argv[1:] = forked(socket.socket(fileno=int(sys.argv[1])))
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
