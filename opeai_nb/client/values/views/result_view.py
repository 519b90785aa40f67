"""How a generation looks in a notebook: one mimebundle, small, the same on every run."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from opeai_nb.client.values.views.picture_view import Bundle, image_or_plate, sheet_bundle
from opeai_nb.client.values.views.text_alternative import text_alternative
from opeai_nb.client.values.views.text_output import SHOWS, is_text_alone, text_bundle
from opeai_nb.errors import NoPictureError, OptionError
from opeai_nb.imaging.contact_sheet import contact_sheet
from opeai_nb.imaging.encode import Encoded, encoded
from opeai_nb.imaging.scale import plain
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.values.words import Words

_SHEETS_KEPT: Final = 32
_SHOWN_AS: Final = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}


class Shown(Protocol):
    """What a view has to know of a generation, which itself leads here."""

    @property
    def good(self) -> tuple[Picture, ...]:
        """The pictures that did not fail."""

    @property
    def request(self) -> ImageRequest:
        """What was asked."""

    @property
    def words(self) -> Words:
        """What is said of the pictures."""

    def __len__(self) -> int: ...
    def __hash__(self) -> int: ...


def generation_bundle(generation: Shown, show: str = "thumb") -> Bundle:
    """Return data and metadata that show *generation*.

    *show* `thumb`: a thumbnail, or a contact sheet of several. `full`: the received bytes of a
    single picture as they are (several still make a sheet: one bundle shows one picture). `none`:
    text alone. `text/plain` holds no id, time or path, so that a notebook test can compare it; but
    with `OPEAI_NB_SHOW=none`, which is for programs, the paths and sizes of the pictures.
    Raises `OptionError` for another word.
    """
    if show not in SHOWS:
        raise OptionError(f"--show is {show!r}.", advice=f"One of: {', '.join(SHOWS)}.")
    text = repr(generation)
    if is_text_alone():
        return text_bundle(text, generation.good), {"opeai_nb": _told(generation)}
    if show == "none" or not len(generation):
        return {"text/plain": text}, {"opeai_nb": _told(generation)}
    single = show == "full" and len(generation) == 1
    sheet = _full(generation.good[0]) if single else _sheet(generation)
    return _bundle(generation, sheet, text, len(generation))


def full_bundles(generation: Shown) -> Iterator[Bundle]:
    """Yield data and metadata for each picture at full size, the received bytes as they are."""
    pictures = generation.good
    # The next ones are read and encoded while the first are on their way to the page.
    sheets = _pool(os.getpid()).map(_full, pictures)
    for number, sheet in enumerate(sheets, 1):
        yield _bundle(generation, sheet, f"<Picture: {number} of {len(generation)}>")


def _bundle(generation: Shown, sheet: Encoded, text: str, count: int = 1) -> Bundle:
    alternative = text_alternative(generation.words.alt or generation.request.prompt, count)
    data, metadata = sheet_bundle(sheet, text, alternative)
    return data, {"opeai_nb": _told(generation), **metadata}


def _told(generation: Shown) -> dict[str, Any]:
    """Return what the output remembers of its generation: for tools, not for the eye."""
    names = ("task_id", "request_id", "replayed_from", "origin", "created")
    told = {name: getattr(generation, name) for name in names}
    told = {k: printable_line(v) if isinstance(v, str) else v for k, v in told.items()}
    files = [picture.path.name for picture in generation.good if picture.path is not None]
    return {k: v for k, v in {**told, "files": files}.items() if v}


def _full(picture: Picture) -> Encoded:
    """Return the received bytes; those of WebP and the like encoded anew, at full size."""
    try:
        mime, data, size = _SHOWN_AS.get(picture.format or ""), picture.data, picture.size
    except NoPictureError:
        return full_size(picture)  # a plate that says so
    if mime is None or data is None or size is None:
        return full_size(picture)
    return Encoded(data, mime, size)


def full_size(picture: Picture) -> Encoded:
    """Return *picture* as it is shown at full size where a notebook does not show its format."""
    return encoded(plain(image_or_plate(picture)), compress_level=1)


def sheet_of(
    pictures: Sequence[Picture], spread: Callable[..., Iterable[Image.Image]] = map
) -> Encoded:
    """Return the contact sheet of *pictures*; one that cannot be decoded has its place there."""
    return contact_sheet(pictures, image_or_plate, spread)


@lru_cache(_SHEETS_KEPT)
def _sheet(generation: Shown) -> Encoded:
    """Make the sheet once: IPython asks for it when a cell ends, the prefetch a moment before."""
    return sheet_of(generation.good, _pool(os.getpid()).map)


@lru_cache(1)
def _pool(_process: int) -> ThreadPoolExecutor:
    """Return the threads of this process: none of its parent's came along through a fork."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="opeai_nb-preview")
