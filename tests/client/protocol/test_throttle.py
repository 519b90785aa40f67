"""How many paid requests may be in flight, after what the platform said: arithmetic and turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from opeai_nb.client.http.limiter import Throttle

TOO_MANY = 429


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def with_throttle(most: int, use: Callable[[Throttle, Clock], Awaitable[None]]) -> None:
    clock = Clock()
    asyncio.run(use(Throttle(most, clock, clock.sleep), clock))  # type: ignore[arg-type]


def test_no_more_than_the_limit_have_a_turn_at_once() -> None:
    async def use(throttle: Throttle, _: Clock) -> None:
        most = 0

        async def one() -> None:
            nonlocal most
            async with throttle:
                most = max(most, throttle.busy)
                await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(20)))
        assert (most, throttle.busy) == (3, 0)

    with_throttle(3, use)


def test_a_refusal_halves_what_was_in_flight_once_for_all_that_left_together() -> None:
    async def use(throttle: Throttle, _: Clock) -> None:
        turns = [await throttle.__aenter__() for _ in range(16)]
        for turn in turns:
            throttle.heard(turn, TOO_MANY, {})
        assert throttle.limit == 8
        throttle.heard(turns[0] + 1, TOO_MANY, {})
        assert throttle.limit == 4

    with_throttle(64, use)


def test_as_many_successes_as_the_limit_raise_it_by_one_up_to_the_most() -> None:
    async def use(throttle: Throttle, _: Clock) -> None:
        turn = await throttle.__aenter__()
        throttle.heard(turn, TOO_MANY, {})
        assert throttle.limit == 1
        limits = []
        for _success in range(12):
            throttle.heard(turn + 1, 200, {})
            limits.append(throttle.limit)
        assert limits == [2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]

    with_throttle(4, use)


def test_nothing_leaves_before_the_time_that_one_answer_asked_for() -> None:
    async def use(throttle: Throttle, clock: Clock) -> None:
        turn = await throttle.__aenter__()
        throttle.heard(turn, TOO_MANY, {"retry-after": "7"})
        await throttle.__aexit__(None, None, None)
        left = []

        async def one() -> None:
            async with throttle:
                left.append(clock.now)

        await asyncio.gather(one(), one())
        assert min(left) >= 7

    with_throttle(8, use)


def test_who_is_cancelled_while_waiting_keeps_nobody_waiting() -> None:
    async def use(throttle: Throttle, _: Clock) -> None:
        await throttle.__aenter__()
        first = asyncio.ensure_future(throttle.__aenter__())
        second = asyncio.ensure_future(throttle.__aenter__())
        await asyncio.sleep(0)
        first.cancel()
        await throttle.__aexit__(None, None, None)
        await asyncio.wait_for(second, 5)
        assert throttle.busy == 1

    with_throttle(1, use)


def test_the_limit_never_falls_to_nothing() -> None:
    async def use(throttle: Throttle, _: Clock) -> None:
        for _refusal in range(10):
            turn = await throttle.__aenter__()
            throttle.heard(turn, TOO_MANY, {})
            await throttle.__aexit__(None, None, None)
        assert throttle.limit == 1

    with_throttle(8, use)
