"""What came, compared with what was asked for. Told, never an error: it is paid."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from opeai_nb.client.values.picture_end import is_in_part
from opeai_nb.client.values.size import pixels_of
from opeai_nb.errors import NoPictureError
from opeai_nb.families import family_of
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest

Fact = TypeVar("Fact")
_NAMES: Final = {"jpg": "jpeg"}  # as `formats.sniff_format` calls it


def differences(request: ImageRequest, pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Return a sentence for each way in which *pictures* are not what *request* asked for.

    Pixels, count, format, and whether anything is transparent. What the model is known to ignore
    is not compared (`hints` has said so before), nor is what leaves it a choice: `2K`, `auto`, a
    size that was not named, an *n* that is a maximum (platform.md 1.10). A picture that ends in the
    middle is told of, too. Failed items count as items: their own errors tell of them. Nothing is
    said of pictures that are not fetched.
    """
    family = family_of(request.model)
    ignored = family.ignored if family else frozenset[str]()
    there = [picture for picture in pictures if picture.error is None and picture.source]
    compared = [_count(request.n, len(pictures), is_most=bool(family and family.n_is_most))]
    if (asked := pixels_of(request.size)) and "size" not in ignored:
        compared.append(_sides(asked, there))
    if request.output_format and "output_format" not in ignored:
        compared.append(_format(request.output_format, there))
    if request.background == "transparent" and "background" not in ignored:
        compared.append(_transparency(there))
    compared.append(_halves(there))
    return tuple(text for text in compared if text)


def _count(asked: int | None, came: int, *, is_most: bool) -> str:
    if asked is None or asked == came or (is_most and came < asked):
        return ""
    return f"Asked for {counted(asked, 'picture')}, got {came}."


def _sides(asked: tuple[int, int], pictures: Sequence[Picture]) -> str:
    return _others("x".join(map(str, asked)), _each(pictures, _size_text), len(pictures))


def _format(asked: str, pictures: Sequence[Picture]) -> str:
    wanted = asked.lower()
    wanted = _NAMES.get(wanted, wanted)
    return _others(wanted.upper(), _each(pictures, _format_text), len(pictures))


def _transparency(pictures: Sequence[Picture]) -> str:
    opaque = sum(1 for clear in _each(pictures, _is_transparent) if not clear)
    if not opaque:
        return ""
    which = "" if opaque == len(pictures) else f" ({opaque} of {len(pictures)})"
    return f"Asked for a transparent background, got an opaque picture{which}."


def _halves(pictures: Sequence[Picture]) -> str:
    halves = sum(map(is_in_part, pictures))
    which = f" ({halves} of {len(pictures)})" if halves < len(pictures) else ""
    return f"Got a picture that ends in the middle{which}." if halves else ""


def _others(wanted: str, came: Iterator[str], total: int) -> str:
    """Return the sentence on what is not *wanted*: the most frequent first."""
    other = Counter(text for text in came if text != wanted)
    if not other:
        return ""
    counted = sum(other.values()) < total or len(other) > 1
    parts = [
        f"{text} ({count} of {total})" if counted else text for text, count in other.most_common()
    ]
    return f"Asked for {wanted}, got {', '.join(parts)}."


def _each(pictures: Sequence[Picture], read: Callable[[Picture], Fact]) -> Iterator[Fact]:
    """Read all that can be read: bytes that are no picture are told of elsewhere."""
    for picture in pictures:
        try:
            yield read(picture)
        except NoPictureError:
            continue


def _size_text(picture: Picture) -> str:
    return "x".join(map(str, picture.size or ()))


def _format_text(picture: Picture) -> str:
    return (picture.format or "an unknown format").upper()


def _is_transparent(picture: Picture) -> bool:
    """Tell whether any pixel is: an alpha channel alone proves nothing. Decodes the picture."""
    image = picture.image
    if not image.has_transparency_data:
        return False
    opaque = image.convert("RGBA").getchannel("A").histogram()[255]
    return opaque < image.width * image.height
