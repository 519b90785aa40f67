"""Kernels that listen on files, and a folder whose name is short enough for those.

A port that is free when a kernel is told of it may be taken when the kernel listens there: by a
server of another test, or by a kernel that another worker starts at the same moment.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager, KernelManager

_numbers = count()


@cache
def short_folder() -> Path:
    """Return a folder of this process: sockets are files with names of about a hundred letters."""
    folder = Path(tempfile.mkdtemp(prefix="jpy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def listening() -> dict[str, str]:
    """Return the options of a manager whose kernel listens on files; on Windows there are none."""
    if os.name == "nt":
        return {}
    file = short_folder() / f"{os.getpid()}-{next(_numbers)}.json"
    return {"transport": "ipc", "connection_file": str(file)}


def kernel_manager(**options: Any) -> KernelManager:
    return KernelManager(**listening(), **options)


class Manager(AsyncKernelManager):
    """For `NotebookClient(kernel_manager_class=…)`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**listening(), **options)
