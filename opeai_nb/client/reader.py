"""Reads a body as it arrives, taking the pictures out of it.

A JSON body of four pictures is 8 MB of base64 around 1 KB of JSON. `JsonReader` decodes each long
base64 string while it arrives, so that neither the text nor a second copy of the picture is ever
held; what remains is a skeleton of a few hundred bytes for `json`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

from opeai_nb.client.steps import Blob, Cut, End, Event, NotJson, Piece

MAX_PICTURE_BYTES: Final = 512 * 1024 * 1024
"""All pictures of one body together; more is a lie or a mistake."""
MAX_REST_BYTES: Final = 16 * 1024 * 1024
"""A body without its pictures: the JSON alone."""
_INLINE: Final = 4096

_QUOTE: Final = ord('"')
_PAD: Final = ord("=")
_QUOTE_OR_ESCAPE = re.compile(rb'["\\]')
_OPEN_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_ESCAPE = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|([/nrt]))")
_DATA_URL = re.compile(rb"data:[^,;]{0,80}(?:;[^,;]{0,80}){0,4};base64,")
_PACKED = re.compile(rb"[A-Za-z0-9+/\-_]*={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PAGES: Final = (b"", b"<", b"{")
_TEXT_KEYS: Final = frozenset(
    {b"prompt", b"revised_prompt", b"orig_prompt", b"actual_prompt", b"text", b"message"}
)


Mode = Callable[[bytes, int, list[Event]], int]


class JsonReader:
    """Takes the base64 strings out of a JSON body of any shape.

    A string of more than *inline* bytes that is base64 (bare or a data URL, with escaped slashes,
    line breaks, URL-safe letters or without padding) becomes a picture; all else stays JSON.
    Raises `Cut` beyond the caps.
    """

    def __init__(self, inline: int = _INLINE) -> None:
        self._inline = inline
        self._rest = bytearray()
        self._tail = b""
        self._mark = secrets.token_hex(8)
        self._broken: set[int] = set()
        self._count = 0
        self._decoded = 0
        self._quads = b""
        self._open = b""
        self._padded = False
        self._mode: Mode = self._outside
        self._string = 0
        self._key = b""
        self._last = b""
        self._gap = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Take some bytes of the body; return the pieces of pictures that they hold."""
        data = self._tail + chunk if self._tail else chunk
        self._tail = b""
        events: list[Event] = []
        position = 0
        while position < len(data):
            position = self._mode(data, position, events)
        if len(self._rest) > MAX_REST_BYTES or self._decoded > MAX_PICTURE_BYTES:
            raise Cut("it is larger than any answer can be, and was not read further")
        return events

    def finish(self) -> list[Event]:
        """Complete nothing: a picture ends with its string."""
        return []

    def rest(self) -> bytes:
        """Return the JSON without its pictures; what stood unfinished at the end stays unfinished."""
        return bytes(self._rest) + self._tail

    def body(self, rest: bytes) -> Any:
        """Return the values of the JSON, with a `Blob` for each picture, or `NotJson`."""
        try:
            value = json.loads(rest.decode("utf-8-sig", "replace"))
            return self._with_blobs(value) if self._count else value
        except (ValueError, RecursionError):
            return NotJson(rest[:2000].decode("utf-8", "replace"))

    # What to do with the bytes at *position*, by where in the JSON they stand. Each returns the
    # position behind what it has used; what it cannot judge yet it leaves in the tail.

    def _outside(self, data: bytes, position: int, _: list[Event]) -> int:
        quote = data.find(b'"', position)
        if quote < 0:
            self._rest += data[position:]
            return len(data)
        self._rest += data[position : quote + 1]
        if self._rest[self._gap : -1].lstrip().startswith(b":"):
            self._key = self._last
        self._string = len(self._rest)
        self._mode = self._inside
        return quote + 1

    def _inside(self, data: bytes, position: int, events: list[Event]) -> int:
        found = _QUOTE_OR_ESCAPE.search(data, position)
        stop = found.start() if found else len(data)
        room = max(0, self._string + self._inline - len(self._rest))
        if stop - position > room:
            stop, found = position + room, None
        self._rest += data[position:stop]
        if found and data[stop] == _QUOTE:
            return self._end_of_text(stop)
        if len(self._rest) - self._string >= self._inline:
            self._mode = self._text
            self._begin_picture(events)
            return stop
        return self._escape(data, stop) if found else stop

    def _text(self, data: bytes, position: int, _: list[Event]) -> int:
        found = _QUOTE_OR_ESCAPE.search(data, position)
        stop = found.start() if found else len(data)
        self._rest += data[position:stop]
        if found is None:
            return stop
        return self._end_of_text(stop) if data[stop] == _QUOTE else self._escape(data, stop)

    def _picture(self, data: bytes, position: int, events: list[Event]) -> int:
        quote = data.find(b'"', position)
        stop = len(data) if quote < 0 else quote
        piece = self._open + data[position:stop] if self._open else data[position:stop]
        piece, self._open = _without_open_escape(piece)
        self._decode(piece, events)
        if quote < 0:
            return stop
        if self._open:  # an escaped quote: no base64, and not the end of the string
            self._open = b""
            self._broken.add(self._count)
        else:
            self._end_of_picture(events)
        return quote + 1

    def _escape(self, data: bytes, position: int) -> int:
        if position + 1 >= len(data):
            self._tail = data[position:]
            return len(data)
        self._rest += data[position : position + 2]
        return position + 2

    def _end_of_text(self, quote: int) -> int:
        self._last = bytes(self._rest[self._string : self._string + 40])
        self._rest += b'"'
        self._gap = len(self._rest)
        self._mode = self._outside
        return quote + 1

    def _begin_picture(self, events: list[Event]) -> None:
        """Turn to reading a picture when the string so far can be nothing else."""
        head, still_open = _without_open_escape(bytes(self._rest[self._string :]))
        head = _plain(head)
        if found := _DATA_URL.match(head):
            head = head[found.end() :]
        elif self._key in _TEXT_KEYS:
            return
        if not _PACKED.fullmatch(head):
            return
        del self._rest[self._string :]
        self._open, self._quads, self._padded = still_open, b"", False
        self._mode = self._picture
        self._decode(head, events)

    def _decode(self, piece: bytes, events: list[Event]) -> None:
        import pybase64

        if self._count in self._broken:
            return
        text = self._quads + piece
        whole = len(text) & ~3
        try:
            data = pybase64.b64decode(text[:whole], validate=True)
        except ValueError:
            text = _plain(text)
            whole = len(text) & ~3
            try:
                data = pybase64.b64decode(text[:whole], validate=True)
            except ValueError:
                self._broken.add(self._count)
                return
        if data and self._padded:
            self._broken.add(self._count)
            return
        self._quads = text[whole:]
        self._decoded += len(data)
        if data:
            self._padded = text[whole - 1] == _PAD
            events.append(Piece(self._count, data))

    def _end_of_picture(self, events: list[Event]) -> None:
        last = _plain(self._quads).rstrip(b"=")
        self._quads = b""
        self._decode(last + b"=" * (-len(last) % 4), events)
        if self._count not in self._broken:
            events.append(End(self._count))
        self._rest += f'{self._mark}{self._count}"'.encode()
        self._count += 1
        self._gap = len(self._rest)
        self._last = b""
        self._mode = self._outside

    def _with_blobs(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(self._mark):
            number = int(value[len(self._mark) :])
            return Blob(number, number in self._broken)
        if isinstance(value, list):
            return [self._with_blobs(item) for item in value]
        if isinstance(value, dict):
            return {name: self._with_blobs(item) for name, item in value.items()}
        return value


class PictureReader:
    """Reads a body that is one picture, such as the one behind a picture's URL."""

    def __init__(self, limit: int = MAX_PICTURE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._head = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """Hand every byte on."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise Cut("it is larger than any picture can be, and was not read further")
        if len(self._head) < 2000:  # noqa: PLR2004  enough to quote from an error page
            self._head += chunk[:2000]
        # A page (HTML, XML, JSON) is told apart by its first character, and never kept as a picture.
        return [Piece(0, chunk)] if chunk and not self._is_page() else []

    def _is_page(self) -> bool:
        return self._head.lstrip()[:1] in _PAGES

    def finish(self) -> list[Event]:
        """Complete the picture: it ends with the body."""
        return [End(0)] if self._size and not self._is_page() else []

    def rest(self) -> bytes:
        """Return the beginning of the body, to tell a picture from an error page."""
        return self._head[:2000]

    def body(self, rest: bytes) -> Any:
        """Return the beginning of the body as it is."""
        return rest


def decode_base64(text: str) -> bytes | None:
    """Decode a short base64 string as liberally as `JsonReader` does; None when it is broken."""
    import pybase64

    data = text.encode("utf-8", "replace")
    if found := _DATA_URL.match(data):
        data = data[found.end() :]
    packed = _plain(data).rstrip(b"=")
    try:
        return pybase64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except ValueError:
        return None


def _without_open_escape(text: bytes) -> tuple[bytes, bytes]:
    """Split off an escape that is cut in the middle, such as `\\u00`, from the end of *text*."""
    found = _OPEN_ESCAPE.search(text, max(0, len(text) - 5))
    return (text[: found.start()], text[found.start() :]) if found else (text, b"")


def _plain(text: bytes) -> bytes:
    """Return base64 without JSON escapes, white space and URL-safe letters."""
    if b"\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    return text.translate(_URL_SAFE, b" \t\r\n")


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 16)])
    return b"/" if found[2] == b"/" else b""
