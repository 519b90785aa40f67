"""Fork a process for each that is asked for; see `fork.py`, which starts this program."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import termios
import time
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

_LOADED = (
    *("ipykernel.kernelapp", "httpx", "httpcore", "starlette.applications", "pybase64"),
    *("numpy.random", "numpy.typing", "PIL.ImageEnhance", "PIL.ImageOps", "PIL.ImageStat"),
)
# Of ours what a picture needs; none of it looks at the environment or a folder when it is imported.
_OURS = (
    *("opeai_nb.notebook.extension", "opeai_nb.client.http.exchange", "opeai_nb.studio.studio"),
    *("opeai_nb.engine.server.app", "opeai_nb.engine.painter.composition", "opeai_nb.cli.main"),
    *("opeai_nb.cli.batch_command", "opeai_nb.cli.imagine_command", "opeai_nb.testing"),
    *("opeai_nb.client.async_client", "opeai_nb.library.library", "opeai_nb.bulk.batch.batch"),
    *("opeai_nb.notebook.magic.sweep_cell", "opeai_nb.notebook.commands.export_commands"),
    *("opeai_nb.engine.server.engine_transport", "opeai_nb.engine.painter.editing.recipe"),
)
_OF_THE_SERVER = {sys.path[0], *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
_PATH = [path for path in sys.path if path not in _OF_THE_SERVER]


def loaded() -> None:
    """Load what every kernel loads, and let no collector of a fork look at it."""
    for name in _LOADED + _OURS:
        importlib.import_module(name)
    from PIL import Image

    Image.init()
    gc.collect()
    gc.freeze()


def forked(door: socket.socket) -> list[str]:
    """Return in each fork, with its arguments; the server itself ends with the last who asks."""
    who_ask = [door.accept()[0]]
    while who_ask:
        ready = select.select([door, *who_ask], [], [])[0]
        if door in ready:
            who_ask.append(door.accept()[0])
        for one in set(ready) - {door}:
            asked, descriptors, _, _ = socket.recv_fds(one, 1 << 20, 4)
            if not asked:
                who_ask.remove(one)
                one.close()
            elif os.fork() == 0:
                for each in (door, *who_ask):
                    each.close()
                return _watched(json.loads(asked), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """Nobody asks how a watcher ended."""
    os._exit(0)


def _watched(asked: dict[str, Any], conversation: int, *streams: int) -> list[str]:
    """Return in the process; its watcher stays to tell how it ends, and ends it with who asked."""
    asker = socket.socket(fileno=conversation)
    if (process := os.fork()) == 0:
        return _moved_in(asked, asker, *streams)
    for number in (0, 1, 2, *streams):  # its streams end with it
        os.close(number)
    poll = select.poll()
    poll.register(os.pidfd_open(process), select.POLLIN)
    poll.register(asker, select.POLLIN)  # its end: it says nothing
    poll.poll()
    if select.select([asker], [], [], 0)[0]:
        os.kill(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with contextlib.suppress(OSError):
        asker.sendall(str(code).encode())
    os._exit(0)


def _moved_in(asked: dict[str, Any], asker: socket.socket, *streams: int) -> list[str]:
    """Let this process be as one that was started anew, in its session, folder and environment."""
    os.setsid()
    asker.sendall(str(os.getpid()).encode())
    asker.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["variables"])
    os.chdir(asked["folder"])
    time.tzset()
    tempfile.tempdir = None
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [*map(os.path.abspath, paths), *_PATH]
    return list(asked["arguments"])


def start(way: str, program: str, *arguments: str) -> None:
    """Do what `python -m` and `python -c` do."""
    if program == "ipykernel_launcher":
        from ipykernel.kernelapp import launch_new_instance

        sys.argv[1:] = [*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"]
        launch_new_instance()
        return
    _open_streams()
    if way == "-m":
        sys.path.insert(0, str(Path.cwd()))
        sys.argv = [program, *arguments]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, "")
        sys.argv = ["-c", *arguments]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(program, "<string>", "exec"), vars(main))


def _open_streams() -> None:
    """Let the streams be as a start makes them: by lines on a terminal, and it its own."""
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    of: Callable[..., TextIO] = partial(open, closefd=False)
    by_lines = 1 if os.isatty(1) else -1
    sys.stdin = vars(sys)["__stdin__"] = of(0)
    sys.stdout = vars(sys)["__stdout__"] = of(1, "w", by_lines)
    sys.stderr = vars(sys)["__stderr__"] = of(2, "w", 1, errors="backslashreplace")


if __name__ == "__main__":
    loaded()
    start(*forked(socket.socket(fileno=int(sys.argv[1]))))
