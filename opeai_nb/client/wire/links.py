"""A text that stands for a picture: a URL, base64, or Markdown and HTML around either."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

# Several may stand in a row with a comma between; a comma alone is part of a URL. A possessive
# group would match a part too little in Python 3.11 before 3.11.5 (Debian's own is 3.11.2).
_LINK = re.compile(
    r"https?://[^\s<>\"'`\\,;|]*(?:[,;|](?!https?://)[^\s<>\"'`\\,;|]*)*", re.IGNORECASE
)
_NEXT_LINK = re.compile(r"[\s,;|]https?://", re.IGNORECASE)
_DATA = re.compile(r"data:image/[^\s<>\"'`)\]]+", re.IGNORECASE)
# Base64 may be broken into lines; the end of its string says where it ends.
_TARGET = re.compile(
    r"\]\(\s*<?(data:[^)<>\"'`]+|[^\s)<>]+)"
    r"|<img\b[^<>]*\bsrc\s*=\s*[\"']?(data:[^\"'<>]+(?=[\"'])|[^\"'\s>]+)",
    re.IGNORECASE,
)
_NO_XML: Final = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_IN_XML: Final = re.compile(
    r"<(?:[\w.-]{1,40}:)?([\w.-]{1,80})(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[\s*)?(https?://[^<>\s\]]+)",
    re.IGNORECASE,
)
_REFRESH: Final = re.compile(
    r"<meta\b[^<>]{0,99}?http-equiv\s?=\s?[\"']?refresh\b[^<>]{0,99}?\burl\s?=\s?[\"']?([^\"'<>\s]+)",
    re.IGNORECASE,
)
_WRAPPED = {"<": ">", '"': '"', "'": "'", "`": "`", "(": ")"}
_OTHER_FILES: Final = re.compile(
    r"\.(?:json|html?|txt|md|js|css|xml|pdf|zip|mp4|mov|webm|mp3|wav|php)\Z", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/](?!/)")
_UNSEEN: Final = " \t\r\n\f\v\0\xa0\u200b\u2060\ufeff"


def link_in(text: str) -> str | None:
    """Return the URL that *text* is, without what is wrapped around it; None for none, or several.

    A URL may be relative to the base URL when it is rooted or begins with `./`.
    """
    text = text.strip(_UNSEEN)
    if text[:12].lower().startswith(("http:\\/\\/", "https:\\/\\/")):
        text = text.replace("\\/", "/")  # escaped as JSON may be, and once too often
    if "\\u0026" in text and text[:4].lower() == "http":
        text = text.replace("\\u0026", "&")
    while len(text) > 1 and _WRAPPED.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    if text[:8].lower().startswith(("http://", "https://")):
        if _NEXT_LINK.search(text):
            return None
        return text if not re.search(r"\s", text) else text.split()[0]
    if _DRIVE.match(text):
        return text  # a path of a server's own disk: whoever fetches it says so
    rooted = text.startswith(("/", "./", "../")) and not text.startswith("/9j/")
    return text if rooted and not re.search(r"\s", text) else None


def relative_link(text: str) -> str | None:
    """Return *text* as a path below the base URL, where it looks like one: `files/x.png`."""
    text = text.strip()
    plausible = re.fullmatch(r"[\w.~%!$&'()*+,;=:@/-]+(?:\?\S*)?", text) and len(text) < 2000  # noqa: PLR2004  a URL
    looks = re.search(r"\.(?:png|jpe?g|webp|gif|avif|bmp|tiff?|svg)(?:\?|\Z)", text, re.IGNORECASE)
    return text if plausible and (looks or "/" in text) else None


def links_in(text: str) -> list[str]:
    """Return the URLs of pictures in a text with Markdown, HTML or nothing around them, in order.

    What Markdown or HTML shows as a picture comes before links that merely stand in the text. The
    text is looked through to its end: the base64 in it may be megabytes long.
    """
    if (alone := link_in(text)) is not None:
        return [alone]
    shown = [first or second for first, second in _TARGET.findall(text)]
    # In a forum's text a mark closes behind it: `[img]https://…[/img]`.
    bare = [
        link.partition("[/")[0].rstrip(".,;:!?)]}*_")
        for link in [*_DATA.findall(text), *_LINK.findall(text)]
    ]
    usable = [link for link in shown if link.lower().startswith(("http", "data:", "/"))]
    return list(dict.fromkeys(usable or bare))


def links_in_json(data: bytes) -> frozenset[str]:
    """Return the http(s) URLs in the strings of JSON."""
    text = data.decode(errors="replace").replace("\\/", "/").replace("\\u0026", "&")
    return frozenset(_LINK.findall(text))


def links_in_xml(text: str) -> list[tuple[str, str]]:
    """Return the URLs that elements of XML hold, each with its element's name; [] for HTML."""
    return [] if not is_xml(text) else _IN_XML.findall(text)


def is_xml(text: str) -> bool:
    """Tell XML from a page; what begins with neither is a text."""
    return text.lstrip()[:1] == "<" and _NO_XML.search(text) is None


def refresh_in(page: str) -> str:
    """Return where a page sends who opens it; empty for nowhere."""
    found = _REFRESH.search(page)
    return found[1] if found else ""


def may_be_picture(url: str) -> bool:
    """Tell whether the path of a URL does not name another kind of file."""
    try:
        return not _OTHER_FILES.search(urlsplit(url).path)
    except ValueError:
        return False
