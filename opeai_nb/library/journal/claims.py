"""Who decides about a request now: looking and beginning are one step, for one at a time.

Two kernels that ask for the same at the same moment: one looks, begins, and lets go; the other then
sees that it is under way, and waits for its picture.

    .pending/.claim-5f70bf18a0860070…     made by whoever is first, removed when it has begun
    .pending/.3f2a9c1d5e6f7081.part       the same file by another name: a batch keeps it meanwhile

A name that can be made only once is all that is asked of the disk: locks of the operating system
hold between no two machines, and some folders have neither them nor hard links. It is made in the
folder that is looked at next: a network file system then lists that one anew.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from opeai_nb.errors import LibraryError
from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import DISK, discard, is_older, names_in, own_folder
from opeai_nb.library.documents import document_in
from opeai_nb.library.journal.claim_files import BUSY, ClaimFiles
from opeai_nb.library.journal.process import is_gone, this_process
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opeai_nb.library.journal.claim_files import ClaimFile

_CLAIM: Final = ".claim-"
_NAME = re.compile(r"\.claim-[0-9a-f]{16,40}")
_NAME_LENGTH: Final = 40
_LARGEST: Final = 4096
_FIRST, _LONGEST = 0.002, 0.05
"""Seconds between two tries: what is waited for takes a few milliseconds."""
_PATIENCE: Final = 30.0
"""Seconds after which whoever holds a claim is taken for frozen; it then begins nothing."""
_PATIENCE_EMPTY: Final = 5.0  # a file is made and written within microseconds
_REMOVALS: Final = 50  # Windows removes no file that somebody reads just now


class Claim:
    """The right to begin a request, while its file says so; without a *path* nobody else can."""

    def __init__(
        self,
        path: str | None,
        text: bytes = b"",
        sleep: Callable[[float], object] = time.sleep,
        file: ClaimFile | None = None,
        files: ClaimFiles | None = None,
    ) -> None:
        self._path = path
        self._text = text
        self._sleep = sleep
        self._file = file
        self._files = files

    @property
    def holds(self) -> bool:
        """False once another has taken it over: what was begun meanwhile must not be sent.

        Whoever takes it over looks afterwards: either this is false then, or that one has seen
        what was begun.
        """
        return self._path is None or _read(self._path) == self._text

    def let_go(self) -> bool:
        """Let the next one in, and tell whether it held until then."""
        file, self._file = self._file, None
        if not self.holds:
            if file is not None:
                file.drop()  # whoever moved the claim away may still look into it
            return False
        path, self._path = self._path, None
        if path is not None:
            self._remove(path)
        if file is not None and self._files is not None:
            self._files.give_back(file)
        return True

    def _remove(self, path: str) -> None:
        for _ in range(_REMOVALS):
            try:
                return os.unlink(path)  # noqa: PTH108  a Path costs more
            except PermissionError:
                self._sleep(_FIRST)
            except OSError:
                return None
        return None


class Claims:
    """One holder for each identity at a time, among all threads, processes and machines.

    *journals* are the folders of what is under way, one for each home of the library: turns are
    taken in the first that can be written, and where none can, they are those of this object's
    threads alone. *clock* gives seconds, *sleep* passes them. *files* are what claims are made of
    while this process works on others as well.
    """

    def __init__(
        self,
        *journals: Path,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        files: ClaimFiles | None = None,
    ) -> None:
        self._journals = journals
        self._files = files or ClaimFiles(lambda: False)
        self._clock = clock
        self._sleep = sleep
        self._guard = Guard()
        self._locks: dict[tuple[int, str], tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, request: str) -> Iterator[Claim]:
        """Wait for one's turn with a request, by its identity, and hold it.

        Raises `LibraryError` where another user's process is frozen, and its file cannot be moved.
        """
        with self.turn(request), self._held(request) as claim:
            yield claim

    @contextmanager
    def _held(self, request: str) -> Iterator[Claim]:
        claim = self._taken(request)
        try:
            yield claim
        finally:
            claim.let_go()

    @contextmanager
    def turn(self, request: str) -> Iterator[Callable[[], AbstractContextManager[Claim]]]:
        """Wait for one's turn among the threads of this object; yields what holds the claim then.

        Who shows what is there begins nothing, and needs no claim.
        """
        with self._alone(request):
            yield partial(self._held, request)

    @contextmanager
    def _alone(self, request: str) -> Iterator[None]:
        key = os.getpid(), request  # whoever has the turn in a parent is not here to end it
        with self._guard:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks.pop(key)
                if users > 1:
                    self._locks[key] = lock, users - 1

    def _taken(self, request: str) -> Claim:
        text = orjson.dumps({"claim": secrets.token_hex(8), **this_process()})
        for journal in self._journals:
            with suppress(OSError):
                folder = own_folder(journal, unlisted=True)
                path = f"{folder}{os.sep}{_CLAIM}{request[:_NAME_LENGTH]}"
                file = self._made(f"{folder}", path, text)
                return Claim(path, text, self._sleep, file, self._files)
        return Claim(None)

    def _made(self, folder: str, path: str, text: bytes) -> ClaimFile | None:
        """Make a claim's file when it is free; return the one that it is a second name of."""
        while True:
            try:
                file = self._files.place(folder, path, text)
                if file is None:
                    _make(path, text)
            except BUSY:
                self._wait_for(path)
            else:
                return file

    def _wait_for(self, path: str) -> None:
        """Return when a claim is free: let go of, or taken from one who will not come back."""
        pause, since, before = _FIRST, self._clock(), _read(path)
        while (now := _read(path)) is not None:
            if now != before:
                since, before = self._clock(), now
            patience = _PATIENCE if now else _PATIENCE_EMPTY
            if _is_left(now) or self._clock() - since >= patience:
                return _move_away(Path(path))
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return None


def sweep(journal: Path, seconds: float) -> None:
    """Remove the claims of processes that died while they looked, when they are so old."""
    for name in names_in(journal):
        if _NAME.fullmatch(name) and is_older(journal / name, seconds):
            discard(journal / name)


def _make(path: str, text: bytes) -> None:
    """Make a claim's file of its own. Raises one of `BUSY` where somebody has it."""
    handle = DISK.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        os.write(handle, text)
    except OSError:
        discard(path)
        raise
    finally:
        os.close(handle)


def _read(path: str) -> bytes | None:
    """Return what a claim says; None where there is none, empty where it cannot be read."""
    try:
        return read_plain(path, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def _is_left(text: bytes) -> bool:
    """Tell whether the process that made a claim is gone."""
    owner = document_in(text)
    return owner is not None and is_gone(owner)


def _move_away(path: Path) -> None:
    """Take a claim from one who is gone, or frozen.

    Another may have done so a moment ago, and this be its claim already: it sees that it is gone
    before it sends, and begins again.
    """
    aside = path.with_name(f"{_CLAIM}{secrets.token_hex(8)}")
    try:
        path.rename(aside)
        aside.unlink()
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise LibraryError(
            "A process of another user holds this library's claim on the request, and does not "
            "let go.",
            advice="Let that user end it, or restart its kernel, and run this again. Nothing was "
            "sent.",
        ) from error
