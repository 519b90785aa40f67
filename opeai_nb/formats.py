"""The picture formats of the toolkit, once: how their bytes begin, and which may be decoded."""

from __future__ import annotations

from typing import Final, Literal

PictureFormat = Literal["png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "heif", "svg"]

DECODABLE: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Pillow's names of the decoders that may be reached; HEIF is there with pillow-heif alone.

Pillow knows forty more. One of them (EPS) runs Ghostscript on the bytes of whoever sent them,
others read further files by name: a server, or a shared folder, could run programs here.
"""

_SIGNATURES: Final[tuple[tuple[bytes, PictureFormat], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"})


def sniff_format(head: bytes) -> PictureFormat | None:
    """Return the format of a file that begins with *head* (16 bytes will do); None for others.

    The content decides, never a name or a Content-Type: both are wrong often (platform.md 7).
    """
    if is_svg(head):
        return "svg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "avif" if brand in (b"avif", b"avis") else "heif" if brand in _HEIF_BRANDS else None
    return next((name for magic, name in _SIGNATURES if head.startswith(magic)), None)


def is_svg(head: bytes) -> bool:
    """Tell whether *head* begins as an SVG, behind an XML head and comments too.

    SVG is kept as it came, never decoded. Of an XML head alone (16 bytes) it is believed.
    """
    plain = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if plain.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        return b"<svg" in plain or len(head) <= _SHORT
    return plain.startswith(b"<svg")


_SHORT: Final = 16
