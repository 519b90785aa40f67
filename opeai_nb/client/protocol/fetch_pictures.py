"""Getting the pictures of an answer that did not come with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.protocol.patience import Patience
from opeai_nb.client.protocol.results import is_read, is_to_come, nothing_good, without_echo
from opeai_nb.client.protocol.steps import Flow, Together
from opeai_nb.client.values.answer_notes import ECHOED
from opeai_nb.client.values.task import Task
from opeai_nb.errors import DownloadError, OpeaiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.wire.endpoint import Endpoint


def fetch(
    endpoint: Endpoint, generation: Generation, seconds: float | None = None
) -> Flow[Generation]:
    """Download what is not fetched yet. A picture that fails keeps its URL and says why.

    One that is still to come is waited for, where the answer names its task. Where all that came is
    an input, the answer is looked through for another. It takes so many *seconds* at most; None: as
    many as slow lines need.
    Raises the `DownloadError` when every picture failed; `error.pictures` keeps the URLs.
    """
    fetched = yield from _fetched(endpoint, generation, seconds)
    if ECHOED in fetched.notes and (other := _beside_echo(generation)) is not None:
        with suppress(OpeaiError):
            found = yield from _fetched(endpoint, other, seconds)
            return fetched if ECHOED in found.notes else found
    return fetched


def _beside_echo(generation: Generation) -> Generation | None:
    """Return what else an answer shows beside the one URL at which an input lies; None for none."""
    urls = frozenset(picture.url for picture in generation.pictures if picture.url)
    if generation.answer is None or len(generation.pictures) != 1:
        return None
    from opeai_nb.client.protocol.read_submission import reread  # seldom needed

    with suppress(OpeaiError):
        read = reread(generation.answer, generation.request, None, urls)
        good = tuple(picture for picture in read.pictures if picture.error is None)
        notes = tuple(dict.fromkeys((*generation.notes, *read.notes)))
        return replace(generation, pictures=good, notes=notes) if good else None
    return None


def _fetched(endpoint: Endpoint, generation: Generation, seconds: float | None) -> Flow[Generation]:
    pictures = list(generation.pictures)
    if later := [i for i, p in enumerate(pictures) if is_to_come(p)]:
        made = tuple(_made(endpoint, pictures[i], generation.request, seconds) for i in later)
        waited: Sequence[tuple[Picture, ...]] = yield Together(made)
        for place, (picture, *more) in zip(later, waited, strict=True):
            pictures[place] = picture
            pictures += more
    wanted = [i for i, p in enumerate(pictures) if p.source is None and p.error is None]
    if not wanted and not later:
        return generation
    from opeai_nb.client.protocol.download import (
        download,  # not needed for pictures that came as bytes
    )

    flows = tuple(download(endpoint, pictures[i], seconds) for i in wanted)
    results: Sequence[Picture] = (yield Together(flows)) if flows else ()
    for place, picture in zip(wanted, results, strict=True):
        pictures[place] = picture
    fetched = without_echo(replace(generation, pictures=tuple(pictures)))
    if not fetched.good:
        raise nothing_good(fetched)
    has_all = not any(isinstance(p.error, DownloadError) for p in pictures)
    return (
        replace(fetched, answer=None) if has_all and is_read(pictures, fetched.notes) else fetched
    )


def _made(
    endpoint: Endpoint, picture: Picture, request: ImageRequest, seconds: float | None
) -> Flow[tuple[Picture, ...]]:
    """Follow the task of a picture that is still to come: what it brings, at least one.

    The picture as it is where nothing more is learnt.
    """
    task_id = picture.error.task_id if picture.error is not None else None
    task = Task(task_id or "", request=request)
    from opeai_nb.client.protocol.poll import watch  # seldom needed: most pictures are here

    patience = Patience() if seconds is None else Patience(seconds)
    try:
        last = yield from watch(endpoint, task, patience)
    except OpeaiError:
        return (picture,)
    good = tuple(each for each in last.pictures if each.error is None)
    return good or (picture if last.error is None else replace(picture, error=last.error),)
