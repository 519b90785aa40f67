"""How a generation looks in a notebook: one mimebundle, small, the same on every run."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import OptionError
from opeai_nb.notebook.sheet import Sheet, contact_sheet

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from opeai_nb.client import Generation

SHOWS: Final = ("thumb", "full", "none")
_ALT_LENGTH: Final = 300
_SHEETS_KEPT: Final = 32
_SHOWN_AS: Final = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}

Bundle = tuple[dict[str, Any], dict[str, Any]]


def generation_bundle(generation: Generation, show: str = "thumb") -> Bundle:
    """Return data and metadata that show *generation*.

    *show* `thumb`: a thumbnail, or a contact sheet of several. `full`: the received bytes of a
    single picture as they are (several still make a sheet at full width). `none`: text alone.
    `text/plain` holds no id, time or path, so that a notebook test can compare it.
    """
    if show not in SHOWS:
        raise OptionError(f"--show is {show!r}.", advice=f"One of: {', '.join(SHOWS)}.")
    data: dict[str, Any] = {"text/plain": repr(generation)}
    metadata: dict[str, Any] = {"opeai_nb": _told(generation)}
    if show == "none" or not len(generation):
        return data, metadata
    import pybase64

    sheet = _full(generation) if show == "full" else None
    sheet = sheet or _sheet(generation)
    data[sheet.mime] = pybase64.b64encode_as_string(sheet.data)
    width, height = sheet.size
    metadata[sheet.mime] = {
        "width": width,
        "height": height,
        "alt": generation.request.prompt[:_ALT_LENGTH],
    }
    return data, metadata


def _told(generation: Generation) -> dict[str, Any]:
    """Return what the output remembers of its generation: for tools, not for the eye."""
    names = ("task_id", "request_id", "replayed_from", "origin", "created")
    told = {name: getattr(generation, name) for name in names}
    files = [picture.path.name for picture in generation.good if picture.path is not None]
    return {k: v for k, v in {**told, "files": files}.items() if v}


def _full(generation: Generation) -> Sheet | None:
    picture = generation.good[0]
    mime = _SHOWN_AS.get(picture.format or "")
    if len(generation) > 1 or mime is None or picture.data is None or picture.size is None:
        return None
    return Sheet(picture.data, mime, picture.size)


@lru_cache(_SHEETS_KEPT)
def _sheet(generation: Generation) -> Sheet:
    """Make the sheet once: IPython asks for it when a cell ends, the prefetch a moment before."""
    return contact_sheet(generation.good, _pool().map)


@lru_cache(1)
def _pool() -> ThreadPoolExecutor:
    import os
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="opeai_nb-preview")
