"""What a page or a text says, in one line."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from opeai_nb.client.wire.links import refresh_in

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>?", re.DOTALL | re.IGNORECASE)
_XML_MESSAGE = re.compile(r"<message>\s*([^<>\s][^<>]{0,199})", re.IGNORECASE)


def first_line(text: str) -> str:
    """Return the first line with words in it of a page or a text, without its tags.

    Of an error in XML its `Message`: its `Code` stands before it.
    """
    if found := _XML_MESSAGE.search(text):
        return found[1].strip()
    plain = _TAGS.sub("\n", text)
    return next((line.strip()[:200] for line in plain.splitlines() if line.strip()), "")


def words_of_page(page: str) -> str:
    """Return what a page says: its first line, else where it sends who opens it, else nothing."""
    words, target = first_line(page), refresh_in(page)
    return words or (redirected(target) if target else "")


NO_WORDS: Final = "it has no words"


def is_readable(words: str) -> bool:
    """Tell words from bytes that are no text."""
    return words.isprintable() and "\ufffd" not in words


def redirected(target: str) -> str:
    """Return where an API call was redirected to: a wrong base URL, or a login page."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return _NOWHERE
    host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.hostname else ""
    return f"it redirects to {host}{parts.path}" if host or parts.path else _NOWHERE


_NOWHERE: Final = "it redirects, and does not say where to"
