"""Why a file that is there cannot be used as a picture, and what to do about it."""

from __future__ import annotations

from typing import Final

from opeai_nb.formats import DECODABLE, sniff_format

_USE: Final = "Use PNG, JPEG or WebP."
_BEGINNINGS: Final = (
    (b"%PDF", "it is a PDF", "Export the page as a PNG."),
    (b"%!PS", "it is PostScript, which is a program", "Export it as a PNG."),
    (b"8BPS", "it is a Photoshop file", "Export it as a PNG."),
    (b"PK\x03\x04", "it is a ZIP archive or an office document", "Take the picture out of it."),
    (b"version https://git-lfs", "it is a pointer of Git LFS", "Fetch the file: git lfs pull."),
    (b"\x1a\x45\xdf\xa3", "it is a film", "Take a picture out of it."),
    (b"\0\0\1\0", "it is an icon", _USE),
)
_HEIF: Final = "HEIF"


def why_unusable(data: bytes) -> tuple[str, str]:
    """Return why the bytes of a file are no picture here, and what helps."""
    if not data:
        return "it is empty", _USE
    if not data.strip(b"\0"):
        return "it holds nothing but zeros", _USE
    kind = sniff_format(data[:2000])
    if kind == "heif":
        return _heif()
    if kind == "svg":
        return "it is an SVG drawing, which models do not take", "Export it as a PNG."
    if kind is not None:
        return _broken(kind.upper())
    for beginning, why, advice in _BEGINNINGS:
        if data.startswith(beginning):
            return why, advice
    if data[4:8] == b"ftyp":
        return "it is a film, or a picture of a kind that is not known here", _USE
    if data.lstrip()[:1] in (b"<", b"{"):
        return "it is text, such as a web page", "Download the picture itself."
    return "it is of no known kind", _USE


def _heif() -> tuple[str, str]:
    from opeai_nb.imaging.open_picture import decoders

    if _HEIF in decoders():
        return _broken("HEIC")
    return (
        "it is a HEIC picture, as phones write them",
        "Save it as a JPEG, or read such files too: pip install pillow-heif.",
    )


def _broken(name: str) -> tuple[str, str]:
    from opeai_nb.imaging.open_picture import decoders

    if name in DECODABLE and name not in decoders():
        return f"it is a picture in {name}, which the Pillow here does not read", _USE
    return f"it is a picture in {name} that is cut short or broken", "Get a whole copy of it."
