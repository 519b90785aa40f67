"""Input pictures as the panel holds them, each with what a cell would write to name it.

A file that is uploaded arrives in pieces, as one message of a front end carries about 10 MB.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.image_input.input_image import (
    ImageInputWarning,
    InputImage,
    input_images,
)
from opeai_nb.errors import InputError
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


UPLOAD_LIMIT: Final = 50_000_000
"""Bytes of one upload: what the platform takes of a picture, and some."""
_UNFINISHED: Final = 20
_LONGEST_URL: Final = 41


@dataclass(frozen=True)
class Source:
    """One thing given as input: one picture, or the several of a generation.

    *written* is what a cell writes for it (a path, a URL or a variable), None for an upload or
    a value given from code: *original* are the bytes of its file, so that one can be made of it.
    *note* is what a person should know of it.
    """

    images: tuple[InputImage, ...]
    label: str
    written: str | None = None
    original: bytes | None = field(default=None, repr=False)
    note: str = ""

    @property
    def digest(self) -> tuple[str, ...]:
        """Identity by content: the same picture under another name is the same."""
        return tuple(image.sha256 for image in self.images)


def uploaded(name: str, content: bytes) -> Source:
    """Return what was uploaded as a source; upright, whatever its EXIF says.

    Raises `ImageInputError` for a file that is no picture.
    """
    images, note = _read((name, content))
    return Source(images, name, original=content, note=note)


def named(text: str, names: Mapping[str, Any]) -> Source:
    """Return the picture that *text* names: a variable, a path or a URL.

    Raises `OptionError` or `ImageInputError` when there is none.
    """
    from opeai_nb.notebook.magic.variables import picture_named

    text = text.strip()
    if not text:
        raise InputError("There is nothing to add.", advice="Give a path, a URL or a variable.")
    images, note = _read(picture_named(text, names))
    return Source(images, _short(text), written=text, note=note)


def given(value: Any) -> Source:
    """Return a value given from code as a source: whatever `image=` takes."""
    if isinstance(value, Source):
        return value
    images, note = _read(value)
    written = str(value) if isinstance(value, str) and not value.startswith("data:") else None
    label = _short(written) if written else next((i.name for i in images if i.name), "a picture")
    original = images[0].data if len(images) == 1 else None
    return Source(images, label, written=written, original=original, note=note)


def with_source(known: Sequence[Source], new: Source) -> tuple[Source, ...]:
    """Return *known* and *new*. Raises `InputError` when that picture is there already."""
    if any(source.digest == new.digest for source in known):
        raise InputError(f"{new.label} is in the list already.", advice="It is used once.")
    return (*known, new)


def key_of(source: Source) -> str:
    """Return what tells one source from another in a page."""
    return "-".join(digest[:16] for digest in source.digest)


def shown(source: Source) -> dict[str, Any]:
    """Return a source as the page shows it: a picture that cannot be drawn has no tile.

    A URL is not fetched for it.
    """
    more = f" (+{len(source.images) - 1})" if len(source.images) > 1 else ""
    data, size = source.images[0].data, source.images[0].size
    whole = source.images[0].whole_size if len(source.images) == 1 else None
    said = {"digest": key_of(source), "label": f"{source.label}{more}", "note": source.note}
    known = {"url": source.images[0].url or "", "size": size, "whole": whole}
    return {**said, **known, "tile": data and _tile(data)}


def large(sources: Sequence[Source], key: str) -> tuple[tuple[int, int], bytes]:
    """Return the size at which a page shows an input picture, and the picture at that size.

    Raises `InputError` where there is none of that *key* whose pixels are known.
    """
    from opeai_nb.notebook.display import previews

    source = next((each for each in sources if key_of(each) == key), None)
    data = None if source is None else source.images[0].data
    whole = None if source is None or data is None else source.images[0].whole_size
    if whole is None or data is None:
        raise InputError("This picture is not there any more.", advice="Add it again.")
    size = previews.shown_size(whole)
    return size, previews.large_of(data, size)


def _tile(data: bytes) -> bytes | None:
    from opeai_nb.imaging.open_picture import UndecodableError
    from opeai_nb.notebook.display import previews

    try:
        return previews.tile_of(data)
    except (OSError, ValueError, UndecodableError):
        return None  # a grey tile with its cross: what is sent can be seen and taken away


def _read(value: Any) -> tuple[tuple[InputImage, ...], str]:
    """Return the pictures and what was said about them (that one was encoded anew)."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ImageInputWarning)
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):  # noqa: PLR2004  name, bytes
            images = input_images(_Named(*value))
        else:
            images = input_images(value)
    told = [str(item.message) for item in said if issubclass(item.category, ImageInputWarning)]
    return images, " ".join(told)


class _Named:
    """Bytes with a name, as an open file has them: errors then name the file."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self._content = content

    def read(self) -> bytes:
        return self._content


def _short(text: str) -> str:
    from pathlib import PurePath

    if text.lower().startswith(("http://", "https://")):
        return shortened(text, _LONGEST_URL)
    return PurePath(text).name or text


class Uploads:
    """Puts files together. *limit* is how many bytes one may have.

    Pieces may come in any order: a kernel with subshells handles messages side by side.
    """

    def __init__(self, limit: int = UPLOAD_LIMIT) -> None:
        self.limit = limit
        self._files: dict[str, dict[int, bytes]] = {}
        self._lock = threading.Lock()

    def take(self, file: str, size: int, start: int, piece: bytes) -> bytes | None:
        """Take a piece of *file* that begins at byte *start*; return the file when it is whole.

        Raises `InputError` for a file that is too large, or a piece that stands beyond its end.
        """
        if size > self.limit or start + len(piece) > size:
            raise InputError(
                f"The file has {size / 1e6:.1f} MB; an upload may have {self.limit / 1e6:.0f} MB.",
                advice="Give its path instead: that has no limit.",
            )
        with self._lock:
            pieces = self._files.setdefault(file, {})
            pieces[start] = piece
            if sum(map(len, pieces.values())) < size:
                while len(self._files) > _UNFINISHED:  # of pages that are gone
                    self._files.pop(next(iter(self._files)))
                return None
            return b"".join(content for _, content in sorted(self._files.pop(file).items()))
