"""A page for a browser: one file that holds its pictures, with no script and no network.

A picture is a link to itself at full size; Escape does nothing without a script, so that `Close`
stands below it, and the browser's way back closes it, too.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, BinaryIO, Final

from opeai_nb.library.export.card import MARK
from opeai_nb.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opeai_nb.library.export.piece import Piece

_MIMES: Final = {"svg": "svg+xml"}
_SAFE: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may do with the page: prompts are words of strangers."""


def write_page(
    out: BinaryIO,
    pieces: Iterable[Piece],
    title: str,
    about: str,
    picture_of: Callable[[Piece], tuple[bytes, str]],
) -> None:
    """Write the page; *picture_of* returns the bytes of a picture and its mime type."""
    out.write(_text(_head(title, about)))
    for number, piece in enumerate(pieces, 1):
        data, mime = picture_of(piece)
        before, after = _figure(piece, number, mime)
        out.write(_text(before))
        out.write(b64encode(data))
        out.write(_text(after))
    out.write(b"</ul></main></body></html>\n")


def whole(piece: Piece) -> tuple[bytes, str]:
    """Return a picture as its file is, and its mime type."""
    format_ = str(piece.picture.format)
    return piece.read(), f"image/{_MIMES.get(format_, format_)}"


@cache
def _style() -> str:
    return (files("opeai_nb.library.export") / "web_page.css").read_text(encoding="utf-8")


def _head(title: str, about: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="{MARK}">'
        f"<title>{_html(title)}</title><style>{_style()}</style></head>\n"
        f'<body><main><h1>{_html(title)}</h1><p class="about">{_html(about)}</p><ul>\n'
    )


def _figure(piece: Piece, number: int, mime: str) -> tuple[str, str]:
    """Return what stands before and behind the picture's data."""
    prompt, words = piece.record.prompt, piece.marks.words(piece.record)
    width, height = piece.picture.size or (0, 0)
    sides = f' width="{width}" height="{height}"' if width and height else ""
    before = (
        f'<li id="at-{number}"><figure id="picture-{number}"><a class="open" '
        f'href="#picture-{number}"><img alt="{_html(words.alt or prompt)}"{sides} decoding="async" '
        f'loading="lazy" src="data:{mime};base64,'
    )
    facts = " · ".join(_facts(piece))
    after = (
        f'"></a><figcaption><p>{_html(words.caption or prompt)}</p><small>{_html(facts)}</small>'
        f'<br><a class="close" href="#at-{number}">Close</a></figcaption></figure></li>\n'
    )
    return before, after


def _facts(piece: Piece) -> Iterable[str]:
    record, marks = piece.record, piece.marks
    yield piece.id
    yield record.model
    if piece.picture.size:
        yield "×".join(map(str, piece.picture.size))
    yield str(record.stands["created"])[:10]
    yield from (f"{name}: {label}" for name, label in piece.axes.items())
    if record.origin == "engine":
        yield "painted by the embedded engine"
    if text := str(marks):
        yield text


def _html(text: str) -> str:
    return escape(printable(text))


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")
