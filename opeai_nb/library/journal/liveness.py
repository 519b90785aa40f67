"""Whether the process that began a request is still alive: it holds a lock while it lives."""

from __future__ import annotations

import os
import re
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.files import discard, names_in, own_folder
from opeai_nb.library.locks import try_lock
from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FOLDER: Final = ".alive"
_TOKEN = re.compile(r"[0-9a-f]{16}")
_guard = threading.Lock()
_held: dict[tuple[int, Path], tuple[str, int]] = {}


def this_owner(journal: Path) -> dict[str, Any]:
    """Return who this process is to a journal; its lock there is held until the process ends.

    Raises `OSError` when the folder cannot be written.
    """
    place = (os.getpid(), journal)
    with _guard:
        if place not in _held or not (journal / _FOLDER / _held[place][0]).exists():
            _held[place] = _hold(own_folder(journal / _FOLDER))
        token = _held[place][0]
    return {"token": token, "pid": place[0], "host": socket.gethostname()}


def is_mine(journal: Path, owner: Mapping[str, Any]) -> bool:
    """Tell whether this very process is the owner."""
    held = _held.get((os.getpid(), journal))
    return held is not None and held[0] == owner.get("token")


def is_alive(journal: Path, owner: Mapping[str, Any]) -> bool:
    """Tell whether the owner's process still lives.

    The lock says so, and the process id where locks are not to be had. A lock that a child of the
    owner inherited does not count.
    """
    token = str(owner.get("token"))
    if is_mine(journal, owner):
        return True
    if not _TOKEN.fullmatch(token) or not _process_exists(owner):
        return False
    held = _is_held(journal / _FOLDER / token)
    return owner.get("host") == socket.gethostname() if held is None else held


def sweep(journal: Path) -> None:
    """Remove the locks that dead processes left."""
    mine = {token for token, _ in _held.values()}
    for name in names_in(journal / _FOLDER):
        path = journal / _FOLDER / name
        if _TOKEN.fullmatch(name) and name not in mine and _is_held(path) is False:
            discard(path)


def _is_held(path: Path) -> bool | None:
    """Tell whether somebody holds this lock; None where locks are not to be had."""
    try:
        handle = open_plain(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_lock(handle, shared=True)
    except OSError:
        return None
    finally:
        os.close(handle)


def _hold(folder: Path) -> tuple[str, int]:
    while True:
        token = secrets.token_hex(8)
        path = folder / token
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try_lock(handle)
        except OSError:
            return token, handle  # no locks here: the process id has to do
        if path.exists():  # another process may have swept it before it was locked
            return token, handle
        os.close(handle)


def _process_exists(owner: Mapping[str, Any]) -> bool:
    """Tell whether the owner's process id is in use, where that can be known."""
    pid = owner.get("pid")
    if not isinstance(pid, int) or owner.get("host") != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
