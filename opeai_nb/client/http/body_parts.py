"""A body of several files: the parts of a multipart one, or what a zip archive holds."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.picture_text import begins_as_picture, picture_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zipfile import ZipFile

_BOUNDARY = re.compile(rb"\s*(--[^\s-][^\r\n]{0,80}?)[ \t]*\r?\n")
_HEAD = re.compile(rb"(?:[\w-]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)*\r?\n")
_ZIP: Final = b"PK\x03\x04"
_MOST_PARTS: Final = 1024
_LARGEST: Final = 32 * 1024 * 1024
"""Bytes of all that an archive is unpacked to: a few kilobytes of one make gigabytes."""
_CODINGS: Final = frozenset({0, 8})
"""Stored and deflated (APPNOTE 4.4.5): others need libraries, with errors of their own."""


def has_parts(body: bytes | bytearray) -> bool:
    """Tell whether *body* begins as one of several files."""
    return body.startswith(_ZIP) or _BOUNDARY.match(body) is not None


def parts_of(body: bytes) -> list[bytes]:
    """Return the files in *body*, in order; none where it is no body of several.

    An archive that is encrypted, damaged, without end or of a rare coding is none.
    """
    if body.startswith(_ZIP):
        return _unpacked(body)
    found = _BOUNDARY.match(body)
    if found is None:
        return []
    pieces = body[found.end() :].split(b"\n" + found[1], _MOST_PARTS)
    return [_content(piece) for piece in pieces if not piece.startswith(b"--")]


def pictures_and_texts(body: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the pictures in a body of several files, as they are or in base64, and its JSON."""
    pictures, texts = [], []
    for part in parts_of(body):
        if begins_as_picture(part):
            pictures.append(part)
        elif part.lstrip()[:1] in (b"{", b"["):
            texts.append(part)
        elif part.isascii() and (picture := picture_bytes(part.decode())):
            pictures.append(picture)
    return pictures, texts


def _content(piece: bytes) -> bytes:
    """Return what a part holds, without its headers and the line end before the next one."""
    piece = piece.removeprefix(b"\r").removeprefix(b"\n").removesuffix(b"\r")
    head = _HEAD.match(piece)
    return piece[head.end() :] if head else piece


def _unpacked(archive: bytes) -> list[bytes]:
    from zipfile import BadZipFile, ZipFile  # no answer but an archive needs it

    try:
        with ZipFile(BytesIO(archive)) as packed:
            return [*_members(packed)]
    except (BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error):
        return []


def _members(packed: ZipFile) -> Iterator[bytes]:
    left = _LARGEST
    for entry in packed.infolist()[:_MOST_PARTS]:
        if entry.compress_type not in _CODINGS:
            raise ValueError("it is packed in a way that no answer is")
        with packed.open(entry) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ValueError("it is unpacked to more than any answer")
        yield content
