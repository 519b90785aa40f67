"""Who works on what is under way: each process renews a counter while it works on something.

    .pending/.alive/3f2a9c1d5e6f7081     who it is, and the counter

Whoever watches calls a process dead when its counter stands still for two minutes of the
watcher's own clock, or at once where it can see that the process is gone. No clock is compared
with another's.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import DISK, discard, is_link, names_in, own_folder
from opeai_nb.library.journal.process import is_gone, this_process
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FOLDER: Final = ".alive"
BEAT_SECONDS: Final = 10.0
DEAD_SECONDS: Final = 120.0
"""Twelve beats: a kernel that computes without letting other threads run misses some."""
_TOKEN = re.compile(r"[0-9a-f]{16}")
_LARGEST: Final = 4096


if sys.platform == "win32":  # pragma: no cover  the other half runs there

    def awake_seconds() -> float:
        """Return seconds that stand still while this machine sleeps: there `monotonic` goes on."""
        import ctypes

        steps = ctypes.c_ulonglong()  # of 100 ns
        ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(steps))
        return steps.value / 1e7
else:
    awake_seconds = time.monotonic


class Liveness:
    """Tell who works on what: this process in a *journal*, and the others as far as it sees them.

    *clock* gives seconds and stands still while this machine sleeps: who wakes up has not watched.
    Without *beats* nothing renews the counter but `beat` (tests). Any thread may use it.
    """

    def __init__(
        self, journal: Path, clock: Callable[[], float] = awake_seconds, *, beats: bool = True
    ) -> None:
        self._folder = journal / FOLDER
        self._journal = journal
        self.clock = clock
        self._beats = beats
        self._watched: dict[str, tuple[bytes, float]] = {}
        self._pid = 0
        self._lock = Guard()
        self._begin()

    def _begin(self) -> None:
        """Begin anew: in a fork, too, which is another process and has none of its threads."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():  # another thread was first
                return
            self._token = secrets.token_hex(8)
            self._held: set[str] = set()
            self._count = 0
            self._heart: threading.Thread | None = None
            self._pid = os.getpid()

    # -- this process

    def owner(self) -> dict[str, Any]:
        """Return who this process is, as it stands in a journal's entry."""
        self._begin()
        return {"token": self._token, **this_process()}

    def hold(self, entry: str) -> None:
        """Work on an entry from now on. Raises `OSError` where the folder cannot be written."""
        self._begin()
        with self._lock:
            counter = f"{self._folder}{os.sep}{self._token}"
            if self._heart is None or not os.path.exists(counter):  # noqa: PTH110  a Path is dear
                self._write()  # a person may have emptied the folder
            if self._heart is None:
                self._heart = threading.Thread(target=self._live, name="opeai_nb-beat", daemon=True)
                if self._beats:
                    self._heart.start()
            self._held.add(entry)

    def is_busy(self) -> bool:
        """Tell whether this process works on any entry."""
        self._begin()
        return bool(self._held)

    def let_go(self, entry: str) -> None:
        """Work on an entry no more."""
        self._begin()
        self._held.discard(entry)

    def beat(self) -> None:
        """Renew the counter; a disk that refuses is tried again at the next beat."""
        try:
            self._write()
        except OSError:
            return

    def _write(self) -> None:
        self._count += 1
        own_folder(self._folder)
        handle = DISK.open(self._folder / self._token, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.write(handle, json.dumps({**self.owner(), "count": self._count}).encode())
        finally:
            os.close(handle)

    def _live(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                if not self._held:
                    discard(self._folder / self._token)
                    self._heart = None
                    return
            self.beat()

    # -- any process

    def is_mine(self, owner: Mapping[str, Any], entry: str) -> bool:
        """Tell whether this very process works on an entry."""
        self._begin()
        return owner.get("token") == self._token and entry in self._held

    def is_alive(self, owner: Mapping[str, Any], entry: str) -> bool:
        """Tell whether the owner of an entry works on it, as far as can be seen from here."""
        self._begin()
        token = str(owner.get("token"))
        if token == self._token:
            return entry in self._held
        return self._is_beating(token, owner)

    def is_at_work(self, token: str) -> bool:
        """Tell whether the process of a counter lives, as far as can be seen from here."""
        self._begin()
        return token == self._token or self._is_beating(token, _owner_in(self._folder / token))

    def is_surely_gone(self, owner: Mapping[str, Any]) -> bool:
        """Tell whether an owner can never come back: its process has ended, or it let go."""
        return not owner.get("token") or is_gone(owner)

    def _is_beating(self, token: str, owner: Mapping[str, Any]) -> bool:
        if not _TOKEN.fullmatch(token) or is_gone(owner):
            return False
        try:
            count = read_plain(self._folder / token, _LARGEST)
        except FileNotFoundError:
            return False  # it is there before any entry of its, and goes after them
        except OSError:
            count = b""
        before, since = self._watched.get(token, (None, 0.0))
        if before != count:
            self._watched[token] = count, self.clock()
            return True
        return self.clock() - since < DEAD_SECONDS

    def sweep(self) -> None:
        """Remove the counters that dead processes left."""
        self._begin()
        for token in [] if is_link(self._folder) else names_in(self._folder):
            if not _TOKEN.fullmatch(token):
                continue
            if not self.is_at_work(token):
                discard(self._folder / token)


def _owner_in(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(read_plain(path, _LARGEST))
    except (OSError, ValueError, RecursionError):  # just being written, or of 0.1.0
        return {}
    return written if isinstance(written, dict) else {}
