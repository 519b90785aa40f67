"""What the bytes of a picture say of it, in memory or in the file that they were streamed into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.picture_text import begins_as_picture

if TYPE_CHECKING:
    from collections.abc import Collection

    from opeai_nb.client.protocol.steps import Source

_TELLING: Final = 2000


def bytes_of(source: Source) -> bytes:
    """Return all of them."""
    return source if isinstance(source, bytes) else source.read_bytes()


def is_one_of(source: Source | None, contents: Collection[bytes]) -> bool:
    """Tell whether *source* holds one of *contents*; a file of another size is not read."""
    if source is None or isinstance(source, bytes):
        return source in contents
    return source.stat().st_size in map(len, contents) and source.read_bytes() in contents


def first_bytes(source: Source) -> bytes:
    """Return enough of a picture's beginning to tell its format."""
    if isinstance(source, bytes):
        return source[:_TELLING]
    with source.open("rb") as file:
        return file.read(_TELLING)


def begins(source: Source) -> bool:
    """Tell whether *source* begins as a picture; a file was named by how it does."""
    if isinstance(source, bytes):
        return begins_as_picture(source)
    return source.suffix.lstrip(".") not in ("", "bin")
