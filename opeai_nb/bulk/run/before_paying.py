"""What the library has of points, and what is asked and refused before the others are paid for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opeai_nb.bulk.sweep.template import filled
from opeai_nb.errors import OptionError
from opeai_nb.library import Slot
from opeai_nb.library.replay.session_takes import POINT
from opeai_nb.studio.refusals import BRING_BACK_OF_MANY
from opeai_nb.studio.request_run import Ask
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.studio import Studio

_PLAIN: Final = RunOptions()
_LOST: Final = (
    "Of {} requests here the library seems to have a record, and it or a picture of it is missing "
    "or damaged."
)


def asked(point: Point, options: RunOptions = _PLAIN, *, is_new: bool = False) -> Ask:
    """Return the run of a point. Its slot is the same in every run and every process.

    *is_new* says that the library held nothing of it a moment ago.

    Named after no cell: the same point of an extended, reordered or copied sweep is found again,
    and one with a key by that alone.
    """
    cell = POINT
    if point.key is not None:
        cell = f"{POINT}-{hashlib.sha256(point.key.encode()).hexdigest()[:16]}"
    slot, options = Slot(cell, point.call), saying(point, options)
    return Ask(point.request, slot, "point", options, point.identity, point.only, is_new=is_new)


def saying(point: Point, options: RunOptions) -> RunOptions:
    """Return the options of one point: words of its row, else those of all, `{animal}` filled in.

    Raises `InputError` for words that cannot be.
    """
    if not (point.said or options.words):
        return options
    texts = {name: value for name, value in options.words.items() if isinstance(value, str)}
    told = {name: filled(text, point.row) for name, text in texts.items() if "{" in text}
    return replace(options, **{**told, **point.said})


def within_cost(studio: Studio, points: Iterable[Point], options: BulkOptions) -> BulkOptions:
    """Return the options of each point alone, where all that is to be sent costs no more than said.

    Raises `OptionError` where it costs more than `options.max_cost`, before anything is sent.
    """
    points = list(points)
    for point in points if options.words else ():
        saying(point, options)  # what cannot be said is told before anything is sent
    if options.max_cost is None:
        return options
    kept = frozenset[int]() if options.fresh else kept_of(studio, points)
    if sent := [point.request for point in points if point.number not in kept]:
        options.refuse_above(studio.cost(sent))
    return replace(options, max_cost=None)


def ask_before_paying(studio: Studio, points: Sequence[Point], options: BulkOptions) -> None:
    """Raise `OptionError`, once in a session, before points pay for what files are gone of."""
    settings = studio.settings
    if options.fresh or options.send_unknown or not settings.replay or settings.asks != "platform":
        return
    # Mostly none, and then no point of a large table is made for it.
    lost = studio.library.lost((point.identity, point.request.prompt) for point in points)
    looked_at = [point for point in points if point.identity in lost] if lost else []
    kept = kept_of(studio, looked_at)
    asks = [asked(point) for point in looked_at if point.number not in kept]
    new, session = [], studio.session
    for ask in asks:
        if ask.slot is not None and session.had(ask.row).is_untold(ask.slot):
            new.append(ask)
            session.told(ask.row, ask.slot)
    if new:
        raise OptionError(_LOST.format(len(new)), advice=BRING_BACK_OF_MANY)


def kept_of(studio: Studio, points: Iterable[Point]) -> frozenset[int]:
    """Return the numbers of the points that the library can show now."""
    points = list(points)
    # Of what nothing is held, as of most rows of a new table, nothing need be decided.
    held = studio.library.holds(point.identity for point in points)
    points = [point for point in points if point.identity in held]
    if not points:
        return frozenset()
    shown = studio.decider.shown(asked(point) for point in points)
    return frozenset(point.number for point, is_kept in zip(points, shown, strict=True) if is_kept)
