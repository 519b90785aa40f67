"""When to try again: arithmetic of seconds."""

from __future__ import annotations

from typing import Any

import pytest

from opeai_nb.client.protocol import schedule

KNOWN = [5.0, 5.5, 5.8, 6.0, 6.1, 6.5, 7.0]


class TestWithoutHistory:
    @pytest.mark.parametrize(
        ("elapsed", "pause"), [(0, 1.0), (4, 1.0), (6, 1.2), (11, 1.2), (60, 6.0), (600, 10.0)]
    )
    def test_pause_is_a_second_and_grows_in_proportion(self, elapsed: int, pause: float) -> None:
        assert schedule.next_poll(elapsed) == pytest.approx(pause)

    def test_never_asks_more_often_than_each_second(self) -> None:
        for duration in [0.5 + 0.37 * step for step in range(300)]:
            now, requests = 0.0, 0
            while now < duration:
                now += schedule.next_poll(now)
                requests += 1
            assert requests <= -(-duration // 1), duration

    @pytest.mark.parametrize("durations", [[], [6.0], [6.0, 6.0], [float("nan")] * 5, [-1.0] * 5])
    def test_too_little_history_is_none(self, durations: list[Any]) -> None:
        assert schedule.next_poll(3.0, durations) == schedule.next_poll(3.0)


class TestWithHistory:
    def test_holds_off_until_the_shortest_is_due(self) -> None:
        assert schedule.next_poll(0.0, KNOWN) == 5.0
        assert schedule.next_poll(3.0, KNOWN) == 2.0

    def test_asks_on_a_steady_beat_while_the_others_are_due(self) -> None:
        beats = {round(schedule.next_poll(elapsed, KNOWN), 3) for elapsed in (5.0, 5.5, 6.0, 6.9)}
        assert len(beats) == 1
        assert 0.1 <= beats.pop() <= 0.5

    def test_asks_ever_more_slowly_when_overdue(self) -> None:
        pauses = [schedule.next_poll(elapsed, KNOWN) for elapsed in (8, 20, 60, 1000)]
        assert pauses == sorted(pauses)
        assert pauses[-1] == 10.0

    def test_a_cold_start_among_them_does_not_slow_the_beat(self) -> None:
        assert schedule.next_poll(6.0, [*KNOWN, 60.0]) < 1.5 * schedule.next_poll(6.0, KNOWN)

    def test_long_hold_is_cut_into_pieces(self) -> None:
        assert schedule.next_poll(0.0, [600.0] * 5) == 30.0

    def test_only_the_last_twenty_count(self) -> None:
        assert schedule.next_poll(0.0, [1.0] * 50 + [6.0] * 20) == 6.0


class TestTimeLeft:
    def test_is_the_median_of_those_that_took_longer(self) -> None:
        assert schedule.time_left(0.0, KNOWN) == 6.0
        assert schedule.time_left(6.2, KNOWN) == pytest.approx(0.8)

    @pytest.mark.parametrize(("elapsed", "durations"), [(8.0, KNOWN), (0.0, []), (0.0, [6.0, 6.0])])
    def test_is_not_known_otherwise(self, elapsed: float, durations: list[Any]) -> None:
        assert schedule.time_left(elapsed, durations) is None


class TestRetryAfter:
    DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, None),
            ({"retry-after": "3"}, 3.0),
            ({"retry-after": "0.25"}, 0.25),
            ({"retry-after-ms": "250"}, 0.25),
            ({"retry-after": "-4"}, 0.0),
            ({"retry-after": "soon"}, None),
            ({"retry-after": ""}, None),
            ({"retry-after": "nan"}, None),
            ({"retry-after": "inf"}, None),
            ({"retry-after": "Wed, 21 Oct 2026 07:28:09 GMT", "date": DATE}, 9.0),
            ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, 0.0),
            ({"retry-after": DATE}, None),
            ({"retry-after": DATE, "date": "yesterday"}, None),
            ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
        ],
    )
    def test_is_read(self, headers: dict[str, Any], seconds: float | None) -> None:
        assert schedule.retry_after(headers) == seconds

    @pytest.mark.parametrize(
        ("asked", "pause"), [(None, None), (0.0, 0.2), (3.0, 3.0), (9999.0, 120.0)]
    )
    def test_is_honoured_within_reason(self, asked: float | None, pause: float | None) -> None:
        assert schedule.wished(asked) == pause

    def test_backoff_doubles_up_to_its_cap(self) -> None:
        assert [schedule.backoff(attempt) for attempt in (1, 2, 3, 9, 99)] == [1, 2, 4, 20, 20]
