"""When to ask about a task: a deterministic simulation, with the same figures everywhere.

    python tests/bench/bench_polling.py

A task's lag is from its end to the answer that says so. Targets: with 20 durations known, mean lag
x requests at most 1.3 s around 6 s, at most 1.7 s with 10 % cold starts; without history, lag at
most the larger of 0.5 s and 10 % of the duration, and requests never above a fixed second's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from statistics import fmean

import loopback

from opeai_nb.client.protocol.schedule import next_poll

TASKS = 4000
HISTORY = 20
Draw = Callable[[random.Random], float]
Schedule = Callable[[float, list[float]], float]


def around_six(rng: random.Random) -> float:
    return rng.lognormvariate(math.log(6), 0.15)


def with_cold_starts(rng: random.Random) -> float:
    """One in ten waits 5 to 20 s more for a machine."""
    return around_six(rng) + (rng.uniform(5, 20) if rng.random() < 0.1 else 0)


def mixed(rng: random.Random) -> float:
    return rng.uniform(1, 10)


def a_minute(rng: random.Random) -> float:
    return rng.lognormvariate(math.log(60), 0.2)


DASHSCOPE = [1, 1, 2, 2, 2, 4, 4, 4]


def dashscope(elapsed: float, _: list[float]) -> float:
    passed = 0.0
    for pause in DASHSCOPE:
        if elapsed <= passed:
            return pause
        passed += pause
    return 5.0


SCHEDULES: dict[str, Schedule] = {
    "fixed 0.5 s (replicate)": lambda *_: 0.5,
    "fixed 1 s": lambda *_: 1.0,
    "dashscope": dashscope,
    "exponential, cap 30 s": lambda elapsed, _: min(30.0, max(1.0, elapsed)),
    "opeai_nb, no history": lambda elapsed, _: next_poll(elapsed),
    "opeai_nb, 20 durations": next_poll,
}


def follow(schedule: Schedule, duration: float, history: list[float]) -> tuple[float, int]:
    """Return the lag and the number of requests for one task."""
    now, requests = 0.0, 0
    while now < duration:
        now += schedule(now, history)
        requests += 1
    return now - duration, requests


def simulate(schedule: Schedule, draw: Draw) -> tuple[float, float, float]:
    """Return mean lag, mean requests and the 95th percentile of the lag."""
    rng = random.Random(loopback.NOISE_SEED)
    lags, requests = [], []
    for _ in range(TASKS):
        history = [draw(rng) for _ in range(HISTORY)]
        lag, asked = follow(schedule, draw(rng), history)
        lags.append(lag)
        requests.append(asked)
    return fmean(lags), fmean(requests), sorted(lags)[int(0.95 * TASKS)]


def main() -> None:
    products: dict[tuple[str, str], float] = {}
    for draw in (around_six, with_cold_starts, mixed, a_minute):
        print(f"\n{draw.__name__.replace('_', ' ')}")
        print(f"  {'':<28}{'lag s':>8}{'p95':>8}{'requests':>10}{'product':>9}")
        for name, schedule in SCHEDULES.items():
            lag, requests, p95 = simulate(schedule, draw)
            products[name, draw.__name__] = lag * requests
            print(f"  {name:<28}{lag:>8.3f}{p95:>8.3f}{requests:>10.2f}{lag * requests:>9.2f}")
    learned = "opeai_nb, 20 durations"
    print()
    loopback.verdict("lag x requests around 6 s", products[learned, "around_six"], 1.3)
    loopback.verdict("with 10 % cold starts", products[learned, "with_cold_starts"], 1.7)
    without_history()


def without_history() -> None:
    """Compare with a fixed second, for durations from each length to its double, up to 15 min."""
    ours, fixed = SCHEDULES["opeai_nb, no history"], SCHEDULES["fixed 1 s"]
    worst = 0.0
    for length in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, 300, 450):
        durations = [length * (1 + (place + 0.5) / TASKS) for place in range(TASKS)]
        followed = [follow(ours, duration, []) for duration in durations]
        asked = zip(followed, [follow(fixed, duration, []) for duration in durations], strict=True)
        if any(mine[1] > theirs[1] for mine, theirs in asked):
            raise SystemExit(f"more requests than a fixed second's from {length} s on")
        allowed = fmean(max(0.5, 0.1 * duration) for duration in durations)
        worst = max(worst, fmean(lag for lag, _ in followed) / allowed)
    loopback.verdict("no history: mean lag / max(0.5 s, 10 %)", worst, 1.0)


if __name__ == "__main__":
    main()
