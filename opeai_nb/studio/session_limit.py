"""What a session has asked for and got: the count that a limit looks at, and what was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from opeai_nb.errors import OptionError, SessionLimitError
from opeai_nb.guard import Guard
from opeai_nb.prices.cost import Cost, amount_of, money
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from decimal import Decimal

    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.settings import Settings
    from opeai_nb.studio.job import JobProgress


@dataclass(frozen=True)
class Limit:
    """What a session may ask for: *pictures* (0: any number), and *cost* (None: any amount)."""

    pictures: int = 0
    cost: Decimal | None = None

    @classmethod
    def of(cls, settings: Settings) -> Limit:
        """Return the limit that the settings say. Raises `OptionError` for an amount that is none.

        Also for one without prices: it would hold nothing back.
        """
        text = settings.max_cost_per_session
        if not text:
            return cls(settings.max_images_per_session)
        cost = amount_of(text)
        if cost is None:
            raise OptionError(
                f"max_cost_per_session is {text!r}, not an amount of 0 or more.",
                advice="Correct it, or take it out. Nothing was sent.",
            )
        if settings.prices is None:
            raise OptionError(
                "max_cost_per_session is set, and there are no prices.",
                advice="Set Imagine.prices to your price list. Nothing was sent.",
            )
        return cls(settings.max_images_per_session, cost)


class Ledger:
    """Counts the pictures that a session asks for. Any thread may use it.

    *asked* are those asked for, without what was refused or never arrived, *cost* what these are
    expected to cost, and what they did cost where that is known; *records* are the ids of
    what the session made and the library keeps.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.cost = Cost()
        self.records: set[str] = set()
        self._reserved: WeakKeyDictionary[JobProgress, tuple[int, Cost]] = WeakKeyDictionary()
        self._lock = Guard()

    def reserve(self, job: JobProgress, limit: Limit, cost: Cost | None = None) -> None:
        """Count the pictures that *job* is about to ask for, and what they are expected to *cost*.

        Raises `SessionLimitError`, and counts nothing, where that would pass the *limit*.
        """
        count, cost = job.request.count, cost or Cost()
        with self._lock:
            self._refuse_above(limit, count, cost)
            self.asked += count
            self.cost += cost
            self._reserved[job] = (count, cost)

    def refuse_above(self, limit: Limit, pictures: int, cost: Cost | None = None) -> None:
        """Raise `SessionLimitError` where so many *pictures* more would pass the *limit*."""
        with self._lock:
            self._refuse_above(limit, pictures, cost or Cost())

    def setting_passed(self, limit: Limit, pictures: int, cost: Cost | None = None) -> str:
        """Return the setting whose limit so many pictures more would pass; empty: none."""
        cost = cost or Cost()
        if limit.pictures and self.asked + pictures > limit.pictures:
            return "max_images_per_session"
        if limit.cost is None or (cost.is_known and self.cost.amount + cost.amount <= limit.cost):
            return ""
        return "max_cost_per_session"

    def _refuse_above(self, limit: Limit, count: int, cost: Cost) -> None:
        passed = self.setting_passed(limit, count, cost)
        if not passed:
            return
        if passed == "max_images_per_session" or limit.cost is None:
            more, most = f"{counted(count, 'picture')} more", str(limit.pictures)
        else:
            more, most = f"{cost} more", money(limit.cost, cost.currency)
        if passed == "max_cost_per_session" and not cost.is_known:
            raise SessionLimitError(
                f"{cost}: this session's limit of {most} cannot be held. Nothing was sent."
            )
        raise SessionLimitError(
            f"{more} would exceed this session's limit of {most}. Nothing was sent."
        )

    def count(self, request: ImageRequest, cost: Cost | None = None) -> None:
        """Count what was asked for elsewhere on behalf of this session, limit or not."""
        with self._lock:
            self.asked += request.count
            self.cost += cost or Cost()

    def paid(self, job: JobProgress, cost: Cost) -> None:
        """Count what *job* did cost in place of what it was expected to."""
        with self._lock:
            count, expected = self._reserved.get(job, (0, None))
            if expected is not None and cost.is_known:
                self.cost = _without(self.cost, expected) + cost
                self._reserved[job] = (count, cost)

    def release(self, job: JobProgress) -> None:
        """Take back what *job* reserved, if it did: it was refused, and nothing was painted."""
        with self._lock:
            count, cost = self._reserved.pop(job, (0, Cost()))
            self.asked -= count
            self.cost = _without(self.cost, cost)

    def made(self, record: str) -> None:
        """Note what the library keeps of this session."""
        with self._lock:
            self.records.add(record)


def _without(whole: Cost, part: Cost) -> Cost:
    return Cost(
        whole.amount - part.amount, whole.currency, whole.unpriced - part.unpriced, whole.is_about
    )
