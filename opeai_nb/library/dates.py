"""A moment as a person writes it: a date, an ISO text, a datetime or seconds since 1970."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from opeai_nb.errors import OptionError

Moment = float | date | str


def seconds(moment: Moment, *, end: bool = False) -> float:
    """Return *moment* in seconds since 1970; local time where no zone is given.

    A whole day begins at midnight, and with *end* it is meant to its end. Raises `OptionError`.
    """
    if isinstance(moment, (int, float)):
        return float(moment)
    if isinstance(moment, str):
        try:
            found = datetime.fromisoformat(moment.strip())
            moment = found.date() if len(moment.strip()) <= len("2026-11-22") else found
        except ValueError as error:
            raise OptionError(
                f"{moment!r} is not a date.", advice="Write it as 2026-11-22 or 2026-11-22T18:30."
            ) from error
    if not isinstance(moment, datetime):
        day = moment + timedelta(days=1) if end else moment
        return datetime.combine(day, time()).astimezone().timestamp()
    return moment.astimezone().timestamp() if moment.tzinfo is None else moment.timestamp()
