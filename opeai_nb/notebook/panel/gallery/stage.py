"""The stage: one picture, large, and what is said of it, as data for the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import OpeaiError
from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.notebook.display import previews
from opeai_nb.notebook.panel.save_files import as_written
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from opeai_nb.client import Generation
    from opeai_nb.library import Library
    from opeai_nb.notebook.panel.gallery.finds import Find

Stage = dict[str, Any]
"""*key* of the find, its *title*, *prompt*, *facts*, *beside* (marks, where it was made from),
*path*, *name*, *starred*, *tags*, *size* as shown, *picture*, *before* (of an edit); or a *problem*
in the place of the last three."""
_FOUR_LINES: Final = 280


def stage_of(find: Find, library: Library) -> Stage:
    """Return what the stage shows of a find."""
    marks = find.marks_in(library)
    stage = {
        "key": find.key,
        "title": find.title,
        "prompt": shortened(find.record.prompt, _FOUR_LINES),
        "facts": facts(find),
        "beside": beside(find, library),
        "path": as_written(find.path),
        "name": find.path.name,
        "starred": marks.starred,
        "tags": list(marks.tags),
        "edited": bool(find.record.written.get("image")),
    }
    try:
        return {**stage, **_pictures(find)}
    except (OSError, UndecodableError, OpeaiError) as error:
        why = getattr(error, "strerror", None) or error
        return {**stage, "problem": f"{find.path.name} cannot be read: {why}."}


def unkept_stage(generation: Generation) -> Stage:
    """Return what the stage shows of pictures that are in memory alone."""
    for picture in generation.good[:1]:
        if picture.data and picture.size:
            size = previews.shown_size(picture.size)
            shown = previews.large_of(picture.data, size)
            prompt = generation.request.prompt
            return {"key": "", "title": prompt, "prompt": prompt, "size": size, "picture": shown}
    return {}


def _pictures(find: Find) -> Stage:
    size = previews.shown_size(find.size or (1, 1))
    return {"size": size, "picture": previews.large(find.path), "before": _before(find, size)}


def _before(find: Find, size: tuple[int, int]) -> bytes | None:
    """Return the input picture at the size of what was made of it; None where it is gone."""
    if find.size is None or not find.record.written.get("image"):
        return None
    try:
        given = find.record.rebuilt(strict=False).image
        data = next((image.data for image in given if image.data), None)
        return previews.large_of(data, size) if data else None
    except (OSError, UndecodableError, OpeaiError):
        return None  # the page says that it is no longer there


def facts(find: Find) -> str:
    """Return what a find was made with, in one line."""
    record = find.record
    said = [record.model]
    if find.size:
        said.append(f"{find.size[0]}×{find.size[1]}")
    if quality := record.written.get("quality"):
        said.append(str(quality))
    if record.duration:
        said.append(f"{record.duration:.0f} s" if record.duration >= 1 else "under 1 s")
    if record.origin == "engine":
        said.append("embedded engine")
    return " · ".join(said)


def beside(find: Find, library: Library) -> str:
    """Return how a find is marked, its tags apart, and where it was made from."""
    from opeai_nb.library import lineage

    marks = str(replace(find.marks_in(library), tags=()))
    return " · ".join(filter(None, (marks, lineage.words(library, find.record))))
