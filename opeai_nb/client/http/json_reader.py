"""Reads a body as it arrives, taking the pictures out of it.

A JSON body of four pictures is 8 MB of base64 around 1 KB of JSON. `JsonReader` decodes each long
base64 string while it arrives, so that neither the text nor a second copy of the picture is ever
held; what remains is a skeleton of a few hundred bytes for `json`. Incremental parsers (ijson) hand
out a string whole, which is what must not be held.

The states, each a method that takes what it can judge (`_mode` is the current one):

    _outside --"--> _inside --short, or no base64--> _text --"--> _outside
                       `-----long and base64-----> _picture --"--> _outside
    _outside --a picture alone--> _whole, to the end
    _inside and _text step over escapes by _escape; an escape that is cut in the middle waits in
    _tail (text) or _open (picture) for the next chunk
"""

from __future__ import annotations

import codecs
import json
import re
import secrets
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.base64_text import (
    DATA_URL,
    PACKED,
    decode_base64,
    layout_at_end,
    plain_base64,
    without_open_escape,
)
from opeai_nb.client.http.body_parts import has_parts, pictures_and_texts
from opeai_nb.client.http.json_documents import drafts_in, json_values, whole_part
from opeai_nb.client.http.picture_text import is_hexadecimal, number_lists, picture_bytes
from opeai_nb.client.protocol.steps import (
    Blob,
    CutAnswer,
    Documents,
    Event,
    NotJson,
    PictureEnd,
    Piece,
)
from opeai_nb.formats import sniff_format
from opeai_nb.guard import cached_property

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opeai_nb.client.protocol.steps import Source

MAX_PICTURE_BYTES: Final = 512 * 1024 * 1024
"""All pictures of one body together; more is a lie or a mistake."""
MAX_REST_BYTES: Final = 12 * 1024 * 1024
"""A body without its pictures: the JSON alone. What is made of it takes five times its size, and
the peak of an answer is held to 64 MB and one and a half times its pictures."""
MAX_VALUES: Final = 100_000
"""Values of one body, by their commas and brackets: three bytes of JSON make a list of 64. An
answer of 128 pictures has about a thousand."""
MAX_UNJUDGED_BYTES: Final = 8 * 1024 * 1024
"""What is taken in of a body with more values: a picture may stand in it, byte by byte."""
MAX_PICTURES: Final = 1024
"""Pictures of one body: a request has 128 at most (platform.md 2.4)."""
MAX_BODY_BYTES: Final = 2 * MAX_PICTURE_BYTES
"""All that is read of one body, whatever it means: base64 is a third longer than its picture."""
MAX_RAW_BYTES: Final = 32 * 1024 * 1024
"""What is kept of an answer that cannot be read."""
_TOO_MUCH: Final = "it holds more than any answer can, and was not read further"
_ENCODED_AT_ONCE: Final = 3 * 256 * 1024
_INLINE: Final = 4096
_SMALLEST: Final = 64
"""Characters of a picture under its own name: shorter ones are placeholders, and stay JSON."""
_QUOTED: Final = 2000
"""Characters that are enough to quote from what is no JSON."""
_STRIDE: Final = 64 * 1024
"""Decoded at once: what fits into a processor's cache is decoded twice as fast."""

_QUOTE: Final = ord('"')
_PAD: Final = ord("=")
_AROUND: Final = b'" \t\r\n'
_QUOTE_OR_ESCAPE = re.compile(rb'["\\]')
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_ASTRAL = re.compile(rb"[\xf0-\xf4]")
_TEXT_KEYS: Final = frozenset(
    {b"prompt", b"revised_prompt", b"orig_prompt", b"actual_prompt", b"text", b"message"}
)


def _decoded(text: bytearray, charset: str | None) -> str:
    """Return a body as text: as declared, else UTF-8, UTF-16, UTF-32 or GB 18030 as it begins."""
    if charset and charset.lower() not in ("utf-8", "utf8"):
        try:
            return text.decode(charset)
        except (LookupError, UnicodeDecodeError):
            pass  # servers declare Latin-1 by habit, or what nobody knows
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or text[:4].count(0) > 1:
        return text.decode(json.detect_encoding(text[:4]), "replace").removeprefix("\ufeff")
    try:
        return codecs.utf_8_decode(text, "strict", False)[0].removeprefix(
            "\ufeff"
        )  # it may end inside a letter
    except UnicodeDecodeError:
        return text.decode("gb18030", "replace")


_PICTURE_KEYS: Final = frozenset({b"b64_json"})
_NAMED_PICTURE: Final = re.compile(rb'"b64_json"\s*+:\s*+"[^"]')
"""A picture under its own name that is not left empty, as it is beside a URL."""


def occurrences(
    sign: bytes, data: bytes | bytearray, start: int = 0, end: int | None = None
) -> int:
    """Count *sign*, and leave out the longest stretch around the middle that has none of it.

    Counting looks at each byte, and most bytes are those of a picture, where none of it stands; a
    place is found at the speed of memory.
    """
    first, last = data.find(sign, start, end), data.rfind(sign, start, end)
    middle = (first + last) // 2
    left, right = data.rfind(sign, first, middle + 1), data.find(sign, middle + 1, last + 1)
    if right - left < _INLINE:
        return data.count(sign, first, last + 1) if first >= 0 else 0
    return occurrences(sign, data, first, left + 1) + occurrences(sign, data, right, last + 1)


Mode = Callable[["JsonReader", bytes, int, list[Event]], int]
"""A method, not bound: a reader that holds itself keeps its body until garbage is collected."""


class JsonReader:
    """Takes the base64 strings out of a JSON body of any shape.

    A string of more than *inline* bytes that is base64 (bare or a data URL, with escaped slashes,
    line breaks, URL-safe letters or without padding) becomes a picture, under `b64_json` a short
    one, too: it is on the disk as soon as it is whole. All else stays JSON.
    Raises `CutAnswer` beyond the caps.
    """

    def __init__(self, inline: int = _INLINE) -> None:
        self._inline = inline
        self._rest = bytearray()
        self._archive: bytes | None = None
        self._is_whole = False
        self._tail = b""
        self._broken: set[int] = set()
        self._spoilt: dict[int, bytearray] = {}
        self._count = 0
        self._received = self._decoded = self._values = self._unknown = 0
        self._is_picture = False
        self._is_astral = False
        self._quads = b""
        self._open = b""
        self._padded = False
        self._mode: Mode = JsonReader._outside
        self._string = 0
        self._key = b""
        self._last = b""
        self._gap = 0

    @cached_property
    def _mark(self) -> str:
        """What stands where a picture stood; most answers hold none."""
        return secrets.token_hex(8)

    def feed(self, chunk: bytes) -> list[Event]:
        """Take some bytes of the body; return the pieces of pictures that they hold.

        Raises `CutAnswer` beyond the caps.
        """
        self._received += len(chunk)
        data = self._tail + chunk if self._tail else chunk
        if self._received <= self._inline and not (self._rest or _NAMED_PICTURE.search(data)):
            self._tail = data  # as yet too short for a picture, and mostly for good
            return []
        self._tail = b""
        if self._received == len(data) and self._is_a_picture(data):
            self._rest += b'"'
            self._is_whole = True
            self._mode = JsonReader._whole
        # Inside a picture there is nothing to count.
        if self._mode is not JsonReader._whole and (
            self._mode is not JsonReader._picture or b'"' in data
        ):
            self._count_values(data)
        if self._values > MAX_VALUES:
            self._stop_judging(data)
        events: list[Event] = []
        position = 0
        while position < len(data):
            position = self._mode(self, data, position, events)
        self._check_caps()
        return events

    @staticmethod
    def _is_a_picture(data: bytes) -> bool:
        """Tell a body that is a picture itself: of a text that begins so the whole will tell."""
        head = data[:_QUOTED]
        return not head.isascii() and sniff_format(head) not in (None, "svg")

    def _stop_judging(self, data: bytes) -> None:
        """Take the rest in as it comes: each value of it would be a step of ours."""
        if self._mode is JsonReader._picture:
            self._tail = data
            raise CutAnswer(_TOO_MUCH)
        self._mode = JsonReader._unjudged

    def _count_values(self, data: bytes | bytearray) -> None:
        self._values += occurrences(b",", data)
        self._values += occurrences(b"[", data) + occurrences(b"{", data)
        self._values += occurrences(b'"', data) // 4  # names and strings, and a step of ours each
        if not (self._is_astral or data.isascii()):
            self._is_astral = _ASTRAL.search(data) is not None

    def _check_caps(self) -> None:
        # A letter beyond the basic plane makes the whole text four bytes a letter.
        most = MAX_REST_BYTES // (2 if self._is_astral else 1)
        if (
            len(self._rest) + sum(map(len, self._spoilt.values())) > most
            or self._unknown > MAX_REST_BYTES
            or self._decoded > MAX_PICTURE_BYTES
            or self._received > MAX_BODY_BYTES
        ):
            raise CutAnswer("it is larger than any answer can be, and was not read further")
        is_unjudged = self._mode is JsonReader._unjudged and len(self._rest) > MAX_UNJUDGED_BYTES
        if self._count > MAX_PICTURES or is_unjudged:
            raise CutAnswer(_TOO_MUCH)

    def finish(self) -> list[Event]:
        """Take the pictures that only the whole body shows: itself, or lists of numbers.

        Raises `CutAnswer` where more values are left than any answer has.
        """
        if self._mode is JsonReader._picture:
            return []
        if self._mode is JsonReader._whole:
            self._mark_picture()
            return [PictureEnd(0)]
        self._rest += self._tail
        self._tail = b""
        whole = None
        if not (self._count or self._rest.startswith((b"{", b"["))):
            if has_parts(self._rest) and (parts := self._pictures_of_parts()):
                return parts
            whole = self._whole_picture()
            if whole is None and (packed := self._packed_json()):
                self._archive, self._rest = bytes(self._rest), packed
        found = [(0, len(self._rest), whole)] if whole else [*number_lists(self._rest)]
        events: list[Event] = []
        for number, (_, _, picture) in enumerate(found, self._count):
            events += [Piece(number, picture), PictureEnd(number)]
        self._count += len(found)
        for back, (start, end, _) in enumerate(reversed(found), 1):
            self._rest[start:end] = f'"{self._mark}{self._count - back}"'.encode()
        if self._mode is JsonReader._unjudged:
            self._values = 0
            self._count_values(self._rest)
            if self._values > MAX_VALUES:
                raise CutAnswer(_TOO_MUCH)
        return events

    def _whole_picture(self) -> bytes | None:
        """Return the picture that the body is: its bytes, or their base64 with nothing around."""
        head = bytes(self._rest[:_QUOTED])
        if sniff_format(head) is not None:
            return bytes(self._rest)
        is_text = head.isascii() and b'"' not in head and head.lstrip()[:1] not in (b"", b"{", b"[")
        return picture_bytes(self._rest.decode("ascii", "replace")) if is_text else None

    def _packed_json(self) -> bytearray | None:
        """Return the JSON of which the whole body is the base64 (AWS Lambda); None for none."""
        if not self._rest[:_QUOTED].lstrip(_AROUND).startswith((b"e", b"W")):  # `{`, `[`
            return None
        text = self._rest.strip(_AROUND).translate(None, b"\r\n")
        if not PACKED.fullmatch(text):
            return None
        data = decode_base64(text.decode("ascii")) or b""
        is_json = data[:1] in (b"{", b"[") and data.count(b",") < MAX_VALUES
        return bytearray(data) if is_json else None

    def _pictures_of_parts(self) -> list[Event]:
        """Take the pictures out of a body of several files; what stays is a list, and their JSON.

        Empty where it is no such body, or holds no picture.
        """
        pictures, texts = pictures_and_texts(bytes(self._rest))
        if not pictures:
            return []
        self._archive, self._rest = bytes(self._rest), bytearray()
        marks = ",".join(f'"{self._mark}{number}"' for number in range(len(pictures)))
        self._rest += b"\n".join([f"[{marks}]".encode(), *texts])
        self._count = len(pictures)
        return [
            event
            for number, picture in enumerate(pictures)
            for event in (Piece(number, picture), PictureEnd(number))
        ]

    def body(self, charset: str | None = None) -> Any:
        """Return the values of the JSON, with a `Blob` for each picture, or `NotJson`."""
        text = _decoded(self._rest + self._tail if self._tail else self._rest, charset)
        try:
            value = json_values(text)
            return self._restored(value) if self._count else value
        except (ValueError, RecursionError):
            is_open = any(text.count(left) != text.count(right) for left, right in ("{}", "[]"))
            whole = self._restored(whole_part(text)) if is_open else None
            return NotJson(re.sub(rf"{self._mark}\d+", "…", text[:_QUOTED]), is_open, whole)

    def drafts(self) -> frozenset[int]:
        """Return the numbers of the pictures in events that only show how far one is."""
        if not self._count or b"data" not in self._rest:
            return frozenset()
        if not (blocks := drafts_in(_decoded(self._rest, None))):
            return frozenset()  # a pattern of a mark is compiled anew for each body
        mark = re.compile(rf"{self._mark}(\d+)")
        return frozenset(int(number) for block in blocks for number in mark.findall(block))

    def raw(self, pictures: Mapping[int, Source]) -> bytes:
        """Return the body as it came, from its rest and the *pictures*, whole or in part.

        Their base64 is written anew (without line breaks, with padding). What would pass
        `MAX_RAW_BYTES` is left out from there on.
        """
        if self._archive is not None:
            return self._archive
        if self._is_whole:
            return self._bytes_of(0, pictures)[:MAX_RAW_BYTES]
        rest = bytes(self._rest) + self._tail
        if self._count == 0 and self._mode is not JsonReader._picture:
            return rest[:MAX_RAW_BYTES]
        body = BytesIO()
        parts = re.split(rb"%b(\d+)" % self._mark.encode(), rest)
        if self._mode is JsonReader._picture:  # the last is unfinished
            parts.append(str(self._count).encode())
        for place, part in enumerate(parts):
            for text in (part,) if place % 2 == 0 else self._texts_of(int(part), pictures):
                body.write(memoryview(text)[: MAX_RAW_BYTES - body.tell()])
                if body.tell() >= MAX_RAW_BYTES:
                    return body.getvalue()
        return body.getvalue()

    def _texts_of(self, number: int, pictures: Mapping[int, Source]) -> Iterator[bytes]:
        import pybase64

        data = self._bytes_of(number, pictures)
        for start in range(0, len(data), _ENCODED_AT_ONCE):
            yield pybase64.b64encode(memoryview(data)[start : start + _ENCODED_AT_ONCE])
        yield bytes(self._spoilt.get(number, b""))
        if number == self._count:  # the last, which is unfinished
            yield self._quads + self._open

    @staticmethod
    def _bytes_of(number: int, pictures: Mapping[int, Source]) -> bytes:
        source = pictures.get(number, b"")
        try:
            return source if isinstance(source, bytes) else source.read_bytes()
        except OSError:  # the folder is gone since: what else came still stands
            return b""

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
        self._mode = JsonReader._inside
        return quote + 1

    def _inside(self, data: bytes, position: int, events: list[Event]) -> int:
        most = min(_SMALLEST, self._inline) if self._key in _PICTURE_KEYS else self._inline
        room = max(0, self._string + most - len(self._rest))
        end = min(len(data), position + room)
        found = _QUOTE_OR_ESCAPE.search(data, position, end)
        stop = found.start() if found else end
        self._rest += data[position:stop]
        if found and data[stop] == _QUOTE:
            return self._end_of_text(stop)
        if len(self._rest) - self._string >= most:
            self._mode = JsonReader._text
            self._begin_picture(events)
            return stop
        return self._escape(data, stop) if found else stop

    def _text(self, data: bytes, position: int, _: list[Event]) -> int:
        found = _TEXT.match(data, position)
        stop = found.end() if found else position
        self._rest += data[position:stop]
        if stop == len(data):
            return stop
        return self._end_of_text(stop) if data[stop] == _QUOTE else self._escape(data, stop)

    def _picture(self, data: bytes, position: int, events: list[Event]) -> int:
        end = min(len(data), position + _STRIDE)
        quote = data.find(b'"', position, end)
        stop = end if quote < 0 else quote
        piece = self._open + data[position:stop] if self._open else data[position:stop]
        piece, self._open = without_open_escape(piece)
        self._decode(piece, events)
        if quote < 0:
            return stop
        if self._open:  # an escaped quote: no base64, and not the end of the string
            self._open = b""
            self._broken.add(self._count)
        else:
            self._end_of_picture(events)
        return quote + 1

    def _whole(self, data: bytes, position: int, events: list[Event]) -> int:
        """Take the bytes of a body that is a picture itself."""
        events.append(Piece(0, data[position:] if position else data))
        self._decoded += len(data) - position
        return len(data)

    def _unjudged(self, data: bytes, position: int, _: list[Event]) -> int:
        self._rest += data[position:]
        return len(data)

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
        self._mode = JsonReader._outside
        return quote + 1

    def _begin_picture(self, events: list[Event]) -> None:
        """Turn to reading a picture when the string so far can be nothing else.

        What a chunk of a chat adds may be any part of one, and is joined as text.
        """
        before = max(0, self._string - _QUOTED)
        if self._key == b"content" and self._rest.find(b'"delta"', before, self._string) >= 0:
            return
        head, still_open = without_open_escape(bytes(self._rest[self._string :]))
        head = plain_base64(head)
        if found := DATA_URL.match(head):
            head = head[found.end() :]
        elif self._key in _TEXT_KEYS:
            return
        if not PACKED.fullmatch(head) or is_hexadecimal(head):
            return
        del self._rest[self._string :]
        self._open, self._quads, self._padded = still_open, b"", False
        self._mode = JsonReader._picture
        self._is_picture = True  # until its beginning says something else
        before = len(events)
        self._decode(head, events)
        begun = next((e.data for e in events[before:] if isinstance(e, Piece)), None)
        self._is_picture = begun is None or sniff_format(begun) is not None

    def _decode(self, piece: bytes, events: list[Event]) -> None:
        import pybase64

        if self._count in self._broken:
            self._spoilt.setdefault(self._count, bytearray()).extend(piece)
            return
        text, layout = self._quads + piece, b""
        whole = len(text) & ~3
        try:
            data = pybase64.b64decode(text[:whole], validate=True)
        except ValueError:
            text, layout = plain_base64(text), layout_at_end(text)
            whole = len(text) & ~3
            try:
                data = pybase64.b64decode(text[:whole], validate=True)
            except ValueError:
                self._break(text)
                return
        if data and self._padded:
            self._break(text)
            return
        if len(layout) > _STRIDE and not layout.strip(b" \t"):
            self._break(text)  # spaces that were a `+` each, or layout: nobody writes so many
            return
        self._quads = text[whole:] + (b"\n" if layout.strip(b" \t") else layout)
        self._decoded += len(data)
        self._unknown += 0 if self._is_picture else len(data)
        if data:
            self._padded = text[whole - 1] == _PAD
            events.append(Piece(self._count, data))

    def _break(self, text: bytes) -> None:
        """Give up decoding this picture; its text is kept from here on."""
        self._broken.add(self._count)
        self._spoilt[self._count] = bytearray(text)
        self._quads = b""

    def _end_of_picture(self, events: list[Event]) -> None:
        last = plain_base64(self._quads).rstrip(b"=")
        self._quads = b""
        self._decode(last + b"=" * (-len(last) % 4), events)
        if self._count not in self._broken:
            events.append(PictureEnd(self._count))
        self._mark_picture()

    def _mark_picture(self) -> None:
        """Write what stands for the picture, and turn to what follows it."""
        self._rest += f'{self._mark}{self._count}"'.encode()
        self._count += 1
        self._gap = len(self._rest)
        self._last = b""
        self._mode = JsonReader._outside

    def _restored(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(self._mark):
            number = int(value[len(self._mark) :])
            return Blob(number, number in self._broken)
        if isinstance(value, Documents):
            return Documents(tuple(map(self._restored, value.values)))
        if isinstance(value, list):
            return [self._restored(item) for item in value]
        if isinstance(value, dict):
            return {name: self._restored(item) for name, item in value.items()}
        return value
