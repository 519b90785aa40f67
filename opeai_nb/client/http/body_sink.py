"""Where the bytes of pictures go while they arrive: into memory, or straight into files."""

from __future__ import annotations

import os
import secrets
import warnings
from contextlib import suppress
from io import BytesIO, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.client.protocol.steps import Piece
from opeai_nb.client.values.filename import extension
from opeai_nb.formats import sniff_format
from opeai_nb.warning import warn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.protocol.steps import Event, Source

_HEAD: Final = 2000  # bytes: an SVG may begin late


class PictureInMemoryWarning(UserWarning):
    """A picture could not be written to its folder, and is held in memory instead."""


class Sink:
    """Collects the pictures of one body.

    With *folder*, each picture is written to a file there as it arrives and appears under its
    final name only when it is complete; memory stays flat. Without, it is held as bytes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._open: dict[int, _File | BytesIO] = {}
        self.complete: dict[int, Source] = {}
        self._drafts: dict[int, bytes] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Obey what a reader says about pictures."""
        for event in events:
            if isinstance(event, Piece):
                self._write(event)
            else:
                self._finish(event.number)

    def partial(self) -> dict[int, bytes]:
        """Return what there is of the pictures that are not complete, and the drafts."""
        return self._drafts | {
            number: target.written() if isinstance(target, _File) else target.getvalue()
            for number, target in self._open.items()
        }

    def leave_out(self, drafts: Iterable[int]) -> None:
        """Count frames of a picture that is still being painted as no pictures."""
        for number in self.complete.keys() & set(drafts):
            source = self.complete.pop(number)
            if isinstance(source, bytes):
                self._drafts[number] = source
            else:
                self._drafts[number] = source.read_bytes()
                source.unlink(missing_ok=True)

    def close(self) -> None:
        """Drop what is not complete."""
        for target in self._open.values():
            if isinstance(target, _File):
                target.drop()
        self._open.clear()

    def _write(self, piece: Piece) -> None:
        try:
            self._target(piece.number).write(piece.data)
        except OSError as error:
            self._to_memory(piece.number, error).write(piece.data)

    def _target(self, number: int) -> _File | BytesIO:
        if number not in self._open:
            self._open[number] = BytesIO() if self._folder is None else _File(self._folder)
        return self._open[number]

    def _to_memory(self, number: int, error: OSError) -> BytesIO:
        """Go on in memory: a full disk must not cost a picture that is already paid for."""
        target = self._open.get(number)
        memory = BytesIO()
        if isinstance(target, _File):
            memory.write(target.written())
            target.drop()
        self._folder = None
        self._open[number] = memory
        _warn(f"A picture is held in memory, because its folder refuses it: {error.strerror}.")
        return memory

    def _finish(self, number: int) -> None:
        target = self._open.get(number)
        if isinstance(target, _File):
            try:
                self.complete[number] = target.named()
            except OSError as error:
                self.complete[number] = self._to_memory(number, error).getvalue()
        else:
            # getvalue() hands out the buffer itself: a picture is held once, never twice.
            self.complete[number] = b"" if target is None else target.getvalue()
        self._open.pop(number, None)


def _warn(message: str) -> None:
    """Warn; where warnings are errors, print it: a filter must not cost what is paid for."""
    try:
        warn(message, PictureInMemoryWarning, stacklevel=4)
    except PictureInMemoryWarning as warning:
        warnings.showwarning(warning, PictureInMemoryWarning, __file__, 0)


class _File:
    """A picture on its way into a folder. Unbuffered, so that what is written is known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = secrets.token_hex(8)
        self._path = f"{folder}{os.sep}.{self._name}.part"
        try:
            self._file = FileIO(self._path, "x")
        except FileNotFoundError:  # somebody removed the folder meanwhile
            folder.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self._path, "x")
        self._size = 0
        self._head = b""

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._size += len(data)
        if len(self._head) < _HEAD:
            self._head += data[: _HEAD - len(self._head)]

    def written(self) -> bytes:
        """Return what was written before the write that failed."""
        return Path(self._path).read_bytes()[: self._size]

    def named(self) -> Path:
        """Give the complete file its name and return that."""
        self._file.close()
        path = self._folder / f"{self._name}.{extension(sniff_format(self._head))}"
        os.rename(self._path, path)  # noqa: PTH104  a Path costs more
        return path

    def drop(self) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            os.unlink(self._path)  # noqa: PTH108  a Path costs more
