"""Base64 as servers write it: bare or a data URL, escaped, broken into lines, without padding."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

# One prefix or several: relays put theirs in front of the one that is there already.
DATA_URL = re.compile(
    rb"(?:\s*(?:data:)?(?:[\w.+\-]+/[\w.+\-]+)?(?:;[^,;]{0,80}){0,4};?base64[,:]\s*)+",
    re.IGNORECASE,
)
PACKED = re.compile(rb"[A-Za-z0-9+/\-_]*={0,2}")

_OPEN_ESCAPE = re.compile(rb"(?:\\(?:u[0-9a-fA-F]{0,3})?|%[0-9a-fA-F]?)\Z")
# Once, or twice where a relay has escaped what was escaped already.
_ESCAPE = re.compile(rb"\\{1,2}(?:u00([0-9a-fA-F]{2})|([/nrt]))")
_LINE_END = re.compile(rb"[\r\n]+")
_LAYOUT = b" \t\r\n"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decode_base64(text: str) -> bytes | None:
    """Return the bytes of a short base64 string or data URL; None when it is broken."""
    import pybase64

    text = text.strip()
    text = text[1:] if text[:2] in {"b'", 'b"'} else text  # Python's own way to write bytes
    data = text.strip("<>\"'`").strip().encode("utf-8", "replace")
    if found := DATA_URL.match(data):
        data = data[found.end() :]
    packed = plain_base64(data).rstrip(b"=")
    try:
        return pybase64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except ValueError:
        return None


def plain_base64(text: bytes) -> bytes:
    """Return base64 without JSON escapes, percent signs, line breaks and URL-safe letters.

    A space inside a line was a `+` before some form decoding; beside a line break it is layout.
    """
    if b"\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if b"%" in text:
        text = unquote_to_bytes(text)
    if b" " in text:
        # Line by line, not by one pattern: that would look through each run of spaces again and
        # again, and a server may send megabytes of them.
        text = b"".join(line.strip(b" \t") for line in _LINE_END.split(text)).replace(b" ", b"+")
    return text.translate(_URL_SAFE, b"\t\r\n")


def layout_at_end(text: bytes) -> bytes:
    """Return the white space that *text* ends with."""
    return text[len(text.rstrip(_LAYOUT)) :]


def without_open_escape(text: bytes) -> tuple[bytes, bytes]:
    r"""Split off an escape cut in the middle, such as `\u00` or `%2`, from the end of *text*."""
    found = _OPEN_ESCAPE.search(text, max(0, len(text) - 5))
    if found is None:
        return text, b""
    head = text[: found.start()]
    backslashes = len(head) - len(head.rstrip(b"\\"))
    # After an odd number of backslashes the one that was found is itself escaped.
    return (text, b"") if backslashes % 2 else (head, text[found.start() :])


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 16)])
    return b"/" if found[2] == b"/" else b"\n"
