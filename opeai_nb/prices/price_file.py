"""The file that holds the user's prices and presets, read again when it has changed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from opeai_nb.errors import OptionError
from opeai_nb.plain_file import read_plain
from opeai_nb.prices.price_list import PriceList, read_prices

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = 8
_LARGEST = 10_000_000  # bytes: a `.env` may name any file


def prices_at(path: Path) -> PriceList | None:
    """Return the price list in a TOML file; None where it holds presets alone.

    Raises `OptionError` where it cannot be read, or be.
    """
    return _list(text_at(path), path.name)


_list = lru_cache(_KEPT)(read_prices)


def text_at(path: Path) -> str:
    """Return the file of the user's prices and presets. Raises `OptionError`."""
    try:
        status = path.stat()
        return _text(path, (status.st_mtime_ns, status.st_size))
    except OSError as error:
        raise OptionError(
            f"The prices in {path.name} cannot be read: {error.strerror}.",
            advice="Correct the path in Imagine.prices (OPEAI_NB_PRICES). Nothing was sent.",
        ) from error


@lru_cache(_KEPT)
def _text(path: Path, seen: tuple[int, int]) -> str:
    del seen  # another time or size is another content
    try:
        return read_plain(path, _LARGEST, links=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OptionError(
            f"{path.name} is no UTF-8 text.", advice="Save it as UTF-8. Nothing was sent."
        ) from error
