"""Names of picture files: readable, without spaces, safe on every system."""

from __future__ import annotations

import re
import sys
import unicodedata

_SEPARATORS = re.compile(r"[^\w]+", re.UNICODE)
_DEFAULT = "picture"
_OF_NAMES = sys.getfilesystemencoding()  # no UTF-8 in a locale such as ISO-8859-1
_SLUG_LENGTH = 40
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|(com|lpt)[\d¹²³]|con(in|out)\$)\s*(\.|\Z)")
EXTENSIONS = {"jpeg": "jpg"}


def slug(prompt: str, encoding: str = _OF_NAMES) -> str:
    """Return a readable name for *prompt*: lower case, words joined by `-`, at most 40 letters.

    Letters of every script are kept (`水彩猫`), but for those that the system's names cannot have,
    by their *encoding*; a prompt with no letter at all gives `picture`.
    """
    plain = unicodedata.normalize("NFKC", prompt[: 8 * _SLUG_LENGTH]).lower()
    plain = plain.encode(encoding, "replace").decode(encoding)  # a `?` separates
    words = _SEPARATORS.sub("-", plain).strip("-_")
    if len(words) > _SLUG_LENGTH:
        cut = words[: _SLUG_LENGTH + 1]
        words = cut.rsplit("-", 1)[0] if "-" in cut else cut[:_SLUG_LENGTH]
    words = words.strip("-_")
    return f"{words}-" if is_reserved(words) else words or _DEFAULT


def is_reserved(name: str) -> bool:
    """Tell whether Windows takes a name for a device, whatever its ending: `con`, `aux.png`."""
    return _RESERVED.match(name) is not None


def extension(picture_format: str | None) -> str:
    """Return the file ending for a format (`jpeg` is written `jpg`); `bin` when it is unknown."""
    return EXTENSIONS.get(picture_format or "bin", picture_format or "bin")
