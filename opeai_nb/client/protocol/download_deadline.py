"""How long a picture is waited for, and how often it is asked for."""

from __future__ import annotations

from typing import Final

from opeai_nb.client.protocol.steps import Flow, Now, Sleep
from opeai_nb.errors import DownloadError

ATTEMPTS: Final = 4  # pauses of 0.5, 1 and 2 s: an object store that is not there yet


def time_left(until: float | None, url: str) -> Flow[float | None]:
    """Return the seconds that somebody still waits; None where nobody counts them.

    Raises `DownloadError` when they are over.
    """
    if until is None:
        return None
    now: float = yield Now()
    if now >= until:
        raise DownloadError("The picture was not downloaded in the time allowed.", url=url)
    return until - now


def pause_before(seconds: float, until: float | None, error: DownloadError) -> Flow[None]:
    """Wait before the next attempt; raise *error* where nobody would wait for that."""
    if until is not None:
        now: float = yield Now()
        if now + seconds >= until:
            raise error
    yield Sleep(seconds)
