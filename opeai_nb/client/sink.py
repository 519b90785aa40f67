"""Where the bytes of pictures go while they arrive: into memory, or straight into files."""

from __future__ import annotations

import os
import secrets
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from opeai_nb.client.filename import extension
from opeai_nb.client.picture import sniff_format
from opeai_nb.client.steps import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opeai_nb.client.steps import Event, Source


class Sink:
    """Collects the pictures of one body.

    With *folder*, each picture is written to a file there as it arrives and appears under its
    final name only when it is complete; memory stays flat. Without, it is held as bytes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._open: dict[int, IO[bytes]] = {}
        self.complete: dict[int, Source] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Obey what a reader says about pictures."""
        for event in events:
            if isinstance(event, Piece):
                self._write(event)
            else:
                self._finish(event.number)

    def close(self) -> None:
        """Drop what is not complete."""
        for file in self._open.values():
            file.close()
            if not isinstance(file, BytesIO):
                Path(file.name).unlink(missing_ok=True)
        self._open.clear()

    def _write(self, piece: Piece) -> None:
        try:
            self._target(piece.number).write(piece.data)
        except OSError:
            # A full disk must not cost a picture that is already paid for: memory takes over.
            self._to_memory(piece)

    def _to_memory(self, piece: Piece) -> None:
        memory = BytesIO()
        if (file := self._open.pop(piece.number, None)) is not None:
            end = file.tell()
            file.seek(0)
            memory.write(file.read(end))
            file.close()
            Path(file.name).unlink(missing_ok=True)
        self._folder = None
        memory.write(piece.data)
        self._open[piece.number] = memory

    def _target(self, number: int) -> IO[bytes]:
        if number not in self._open:
            if self._folder is None:
                self._open[number] = BytesIO()
            else:
                self._folder.mkdir(parents=True, exist_ok=True)
                name = f".{secrets.token_hex(8)}.part"
                self._open[number] = (self._folder / name).open("w+b")
        return self._open[number]

    def _finish(self, number: int) -> None:
        if (file := self._open.pop(number, None)) is None:
            self.complete[number] = b""
        elif isinstance(file, BytesIO):
            # getvalue() hands out the buffer itself: a picture is held once, never twice.
            self.complete[number] = file.getvalue()
        else:
            self.complete[number] = _named(file)


def _named(file: IO[bytes]) -> Path:
    file.seek(0)
    ending = extension(sniff_format(file.read(16)))
    file.close()
    part = Path(file.name)
    whole = part.with_name(f"{part.stem.lstrip('.')}.{ending}")
    os.replace(part, whole)  # noqa: PTH105  Path.replace is the same call; this one reads as atomic
    return whole
