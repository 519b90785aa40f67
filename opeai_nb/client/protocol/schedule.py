"""When to try again: pure arithmetic of seconds, without a clock.

The figures behind the polling schedule are in the benchmark `tests/bench/bench_polling.py`.
"""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opeai_nb.errors import OpeaiError

LONGEST_PAUSE: Final = 120.0
"""A submission is not sent again for a server that asks for more: its error says so at once."""
_SHORTEST_PAUSE: Final = 0.2
SUBMIT_ATTEMPTS: Final = 5
"""A submission refused with 429 is sent at most four times more."""
CONNECT_ATTEMPTS: Final = 3  # a name server's hiccup passes in 1.5 s; a wrong URL should tell soon
MOVES: Final = 3  # redirects followed inside one origin: a slash, a version, and no loop
QUERY_ATTEMPTS: Final = 5  # pauses of 1, 2, 4 and 8 s: a gateway that restarts is back by then

_LEARNED_FROM: Final = 3  # of two durations one may be a cold start
_REMEMBERED: Final = 20  # the platform of last week is another one
_SHORTEST_POLL: Final = 0.1  # a poll itself takes about that long
_SLOWEST_POLL: Final = 10.0  # nobody looks at a badge that is older
_LONGEST_HOLD: Final = 30.0  # a model that became faster is noticed after this at the latest


def backoff(attempt: int, first: float = 1.0, longest: float = 20.0) -> float:
    """Return the pause in seconds after the *attempt*-th failure: 1, 2, 4…, at most *longest*."""
    return min(longest, first * 2.0 ** (min(attempt, 30) - 1))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in seconds that a server asks for; None when it asks for none, or nonsense.

    Understands seconds, fractions, `Retry-After-Ms` and an HTTP date, which is compared with the
    answer's own Date header so that a wrong local clock does not matter (platform.md 7).
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * scale
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        then = parsedate_to_datetime(headers["retry-after"])
        now = parsedate_to_datetime(headers["date"])
        return max(0.0, (then - now).total_seconds())
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return None


def wished(seconds: float | None) -> float | None:
    """Return the pause that a server asked for, within reason; None when it asked for none.

    Never less than 0.2 s, whatever a server says, and never more than `LONGEST_PAUSE`.
    """
    return None if seconds is None else min(LONGEST_PAUSE, max(_SHORTEST_PAUSE, seconds))


def pause_after(error: OpeaiError, attempt: int) -> float:
    """Return the pause in seconds after a free request failed for the *attempt*-th time."""
    return wished(error.retry_after) or backoff(attempt, longest=15.0)


def next_poll(elapsed: float, durations: Sequence[float] = ()) -> float:
    """Return the seconds to wait before the next question about a task *elapsed* seconds old.

    *durations* are how long earlier tasks of the same model took, in seconds, newest last; the
    last 20 count. With three or more: hold off until the shortest of them is due (30 s at most at
    a time), then ask on a steady beat, and more slowly once the task is overdue. Without: each
    second, from the sixth second each 1.2 s, then each tenth of the time already waited. Never
    more than 10 s apart after the holding off.
    """
    known = _known(durations)
    if len(known) < _LEARNED_FROM:
        return min(_SLOWEST_POLL, max(1.0, min(1.2, 0.2 * elapsed), 0.1 * elapsed))
    earliest, median = known[0], known[len(known) // 2]
    if elapsed < earliest:
        return min(_LONGEST_HOLD, max(_SHORTEST_POLL, earliest - elapsed))
    # A beat of 18 % of the spread costs a tenth of it in lag on average, at about six polls a task.
    # The spread below the median: a cold start among the durations does not widen it.
    spread = median - earliest
    steady = max(_SHORTEST_POLL, 0.02 * median, 0.18 * spread)
    overdue = max(0.0, elapsed - median - spread)
    return min(_SLOWEST_POLL, steady + 0.03 * overdue)


def time_left(elapsed: float, durations: Sequence[float]) -> float | None:
    """Return about how many seconds a task still needs (median of what is known), or None."""
    known = _known(durations)
    longer = [duration for duration in known if duration > elapsed]
    return longer[len(longer) // 2] - elapsed if len(known) >= _LEARNED_FROM and longer else None


def _known(durations: Sequence[float]) -> list[float]:
    return sorted(d for d in durations[-_REMEMBERED:] if math.isfinite(d) and d > 0)
