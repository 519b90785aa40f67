"""One picture: the bytes that were received, or the reason why there are none."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from opeai_nb.errors import NoPictureError, OpeaiError
from opeai_nb.formats import sniff_format
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image


_Read = TypeVar("_Read")


@dataclass(frozen=True, eq=False)
class Picture:
    """One image of a generation.

    *source* is the received bytes, the file that holds them, or None while they are not fetched.
    *url* is where the platform keeps it (for 24 hours at most, platform.md 7), *revised_prompt*
    what the model made of the prompt, *error* why this item has no picture. *seen* is when its
    answer came, by the client's clock: a URL that is seconds old has not expired. *strip* takes
    out of a file what the library that holds it has put in. *said* is the text in which its URL
    stood: a refusal may point to a page.
    """

    source: bytes | Path | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    revised_prompt: str | None = None
    error: OpeaiError | None = None
    received_sha256: str | None = field(default=None, repr=False)
    seen: float | None = field(default=None, repr=False)
    strip: Callable[[bytes], bytes] | None = field(default=None, repr=False)
    said: str | None = field(default=None, repr=False)
    _decoded: weakref.ref[Image.Image] | None = field(default=None, repr=False, init=False)

    @property
    def data(self) -> bytes | None:
        """The bytes of the picture as they were received or kept; None until they are fetched.

        Raises `NoPictureError` when the file that held them is gone or cannot be read.
        """
        if not isinstance(self.source, Path):
            return self.source
        try:
            return read_plain(self.source)
        except OSError as error:
            raise _unreadable(self.source, error) from error

    @property
    def received(self) -> bytes | None:
        """The bytes as they were received, without a library's metadata; else as `data`.

        Raises `NoPictureError` when the file that held them is gone or cannot be read.
        """
        data = self.data
        return data if data is None or self.strip is None else self.strip(data)

    @property
    def path(self) -> Path | None:
        """The file that holds the picture, if one does."""
        return self.source if isinstance(self.source, Path) else None

    @property
    def format(self) -> str | None:
        """`"png"`, `"jpeg"`, `"webp"`…, told from the bytes; None until they are fetched."""
        return sniff_format(self._head())

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels; None until the bytes are fetched. Reads the header only."""
        from opeai_nb.imaging.open_picture import picture_size

        return None if self.source is None else self._opened(picture_size)

    @property
    def image(self) -> Image.Image:
        """The decoded picture at full size.

        Kept only as long as somebody holds it: a long session does not fill the memory. Raises
        the item's own `error`, or `NoPictureError` when it is not fetched, its file is gone, or it
        cannot be decoded.
        """
        if self._decoded is not None and (image := self._decoded()) is not None:
            return image
        from opeai_nb.imaging.open_picture import decoded_picture

        image = self._opened(decoded_picture)
        object.__setattr__(self, "_decoded", weakref.ref(image))  # frozen, but for this
        return image

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata that show the picture small; text alone where there is none."""
        from opeai_nb.client.values.views.picture_view import picture_bundle
        from opeai_nb.client.values.views.text_alternative import text_alternative
        from opeai_nb.client.values.views.text_output import is_text_alone, text_bundle

        if self.source is None:
            return {"text/plain": repr(self)}, {}
        if is_text_alone():
            return text_bundle(repr(self), [self]), {}
        alternative = text_alternative(self.revised_prompt or "a picture")
        return picture_bundle(self, repr(self), alternative)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the decoded image, and the time of a clock that another process has not."""
        return {**self.__dict__, "_decoded": None, "seen": None}

    def _head(self) -> bytes:
        if isinstance(self.source, Path):
            try:
                return read_plain(self.source, 16, head=True)
            except OSError as error:
                raise _unreadable(self.source, error) from error
        return (self.source or b"")[:16]

    def _opened(self, read: Callable[[bytes | Path], _Read]) -> _Read:
        from opeai_nb.imaging.open_picture import UndecodableError

        if self.error is not None:
            raise self.error
        if self.source is None:
            raise NoPictureError(
                "This picture is not fetched yet.", advice="Call client.fetch(generation) first."
            )
        try:
            return read(self.source)
        except UndecodableError as error:
            raise _undecodable() from error
        except OSError as error:
            raise _unreadable(self.path or Path(), error) from error


def _undecodable() -> NoPictureError:
    return NoPictureError(
        "The bytes that came are not an image that can be opened.",
        advice="They are kept as they are in picture.data.",
    )


def _unreadable(path: Path, error: OSError) -> NoPictureError:
    """Return what to say of a file that held a picture: *error* is the system's."""
    return NoPictureError(
        f"The file {path.name} cannot be read: {error.strerror}.",
        advice="Put it back where it was, or request its pictures again.",
    )
