"""Pictures as text in other ways than base64: hexadecimal, twice base64, numbers, percent signs.

Each is believed only when what it stands for begins as a picture does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.formats import sniff_format

if TYPE_CHECKING:
    from collections.abc import Iterator

_TELLING: Final = 2000
_HEAD: Final = 120
"""Characters that tell a picture, in whatever way they are written; a multiple of four."""
_STRIDE: Final = 64 * 1024
# PNG, JPEG, GIF, RIFF and TIFF by their first bytes: no base64 of a picture begins so by chance.
_HEX: Final = re.compile(
    rb"\s*(?:0x|\\\\?x)?(?:89504e47|ffd8ff|47494638|52494646|49492a00|4d4d002a)[0-9a-f]{24}",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(
    rb'\[\s*(?:137\s*,\s*80|255\s*,\s*216|-119\s*,\s*80|-1\s*,\s*-40|71\s*,\s*73|82\s*,\s*73)\s*,[^\[\]{}"]{20}'
    rb'|\{\s*"0"\s*:\s*(?:137|255|71|82)\s*,\s*"1"\s*:\s*(?:80|216|73)\s*,'
)
_PLACES: Final = re.compile(rb'"\d{1,9}"\s*:')


# What RFC 2397 calls a data URL without base64; an SVG needs none.
_PLAIN: Final = re.compile(
    r"\s*(?:(data:image/[\w.+-]{1,80}(?:;(?!base64)[^,;]{0,80}){0,4},)|(?=<))", re.IGNORECASE
)


def begins_as_picture(data: bytes) -> bool:
    """Tell whether *data* begins as a picture, SVG included."""
    return sniff_format(data[:_TELLING]) is not None


def is_hexadecimal(head: bytes) -> bool:
    """Tell a text that begins as the hexadecimal of a picture; its letters would do as base64."""
    return _HEX.match(head) is not None


def picture_bytes(text: str) -> bytes | None:
    """Return the picture that *text* stands for.

    Base64, base64 of that, hexadecimal, a data URL without base64, or the text of an SVG.
    """
    if found := _PLAIN.match(text):
        plain = text[found.end() :]
        drawn = unquote_to_bytes(plain) if found[1] else plain.encode("utf-8", "replace")
        return drawn if begins_as_picture(drawn) else None
    if is_hexadecimal(text[:_HEAD].encode("ascii", "replace")):
        return _from_hexadecimal(text)
    data = decode_base64(text)
    if not data:
        return None
    return data if begins_as_picture(data) else packed_picture(data)


def packed_picture(data: bytes) -> bytes | None:
    """Return the picture of which *data* is itself the base64 or hexadecimal; None for none."""
    head = data[:_HEAD]
    if begins_as_picture(head) or not head.isascii():
        return None
    if not is_hexadecimal(head):
        first = head.rpartition(b",")[2].decode()
        if not begins_as_picture(decode_base64(first[: len(first) & ~3]) or b""):
            return None
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    picture = _from_hexadecimal(text) if is_hexadecimal(head) else decode_base64(text)
    return picture if picture and begins_as_picture(picture) else None


def _from_hexadecimal(text: str) -> bytes | None:
    try:
        data = bytes.fromhex(text.strip().removeprefix("0x").removeprefix("0X"))
    except ValueError:
        return None
    return data if begins_as_picture(data) else None


def number_lists(text: bytes | bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Yield the pictures that stand in JSON as numbers: from where, to where, and their bytes.

    Node writes a `Buffer` so (`[137, 80, …]`), browsers a `Uint8Array` (`{"0": 137, "1": 80, …}`),
    and Java bytes with a sign (`[-119, 80, …]`).
    """
    position = 0
    while (found := _NUMBERS.search(text, position)) is not None:
        start = found.start()
        end = text.find(b"]" if text[start] == ord("[") else b"}", start) + 1
        data = _from_numbers(text[start + 1 : end - 1]) if end else None
        if data is not None and begins_as_picture(data):
            yield start, end, data
            position = end
        else:
            position = found.end()


def _from_numbers(text: bytes | bytearray) -> bytes | None:
    data, start = bytearray(), 0
    while start < len(text):
        end = text.find(b",", start + _STRIDE)
        end = len(text) if end < 0 else end
        try:
            numbers = [*map(int, _PLACES.sub(b"", text[start:end]).split(b","))]
            data += bytes(number + 256 if number < 0 else number for number in numbers)
        except ValueError:
            return None
        start = end + 1
    return bytes(data)
