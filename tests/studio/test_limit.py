"""The guard of a session: how many pictures it asks for before somebody has to agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.errors import ModerationError, SessionLimitError
from opeai_nb.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.studio import Studio
    from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}


@pytest.fixture
def limited(new_studio: Callable[..., Studio]) -> Studio:
    return new_studio(max_images_per_session=3)


def test_more_pictures_than_the_limit_are_not_sent(limited: Studio, transport: Watched) -> None:
    limited.generate("a fox", n=2, **SMALL)
    with pytest.raises(SessionLimitError, match="2 pictures more"):
        limited.generate("a badger", n=2, **SMALL)
    assert transport.posts == 1
    assert limited.library.pending() == []
    limited.generate("a badger", n=1, **SMALL)
    assert limited.ledger.asked == 3


def test_who_agrees_goes_beyond_it(limited: Studio) -> None:
    limited.start("a fox", n=4, beyond_limit=True, **SMALL).result(60)
    assert limited.ledger.asked == 4


def test_what_is_shown_from_the_library_counts_nothing(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    studio.generate("a fox", n=4, **SMALL)
    limited = new_studio(max_images_per_session=1)
    assert limited.generate("a fox", n=4, **SMALL).replayed_from
    assert limited.ledger.asked == 0


def test_what_was_refused_counts_nothing(limited: Studio) -> None:
    with pytest.raises(ModerationError):
        limited.generate("a fox", model="rehearsal-moderation", n=2)
    assert limited.ledger.asked == 0


def test_requests_at_once_cannot_pass_it_together(limited: Studio, transport: Watched) -> None:
    jobs = [limited.start(f"fox {n}", **SMALL) for n in range(6)]
    failed = [job._future.exception(60) for job in jobs]
    assert sum(isinstance(error, SessionLimitError) for error in failed) == 3
    assert transport.posts == 3


def test_a_changed_setting_keeps_the_count_and_the_jobs(limited: Studio) -> None:
    limited.generate("a fox", n=3, **SMALL)
    other = limited.adjusted(
        settings(base_url="engine:", library=limited.settings.library, max_images_per_session=4)
    )
    with pytest.raises(SessionLimitError):
        other.generate("a badger", n=2, **SMALL)
    assert other.ledger.asked == 3


def test_the_usage_of_a_session_is_its_own(
    studio: Studio, new_studio: Callable[..., Studio]
) -> None:
    studio.generate("a fox", n=2, **SMALL)
    later = new_studio()
    later.generate("a badger", **SMALL)
    later.generate("a fox", n=2, **SMALL)
    assert (later.usage.total.requests, later.usage.total.pictures) == (1, 1)
    assert later.library.usage().total.pictures == 3
    assert later.usage.total.tokens > 0
