"""How many, how long, and how much of a text: what lines for people say alike everywhere."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return `1 request`, `2 requests`; *plural* is that of a noun that takes more than an `s`."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def shortened(text: str, most: int) -> str:
    """Return *text* in one line of at most *most* letters."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def rough_duration(seconds: float) -> str:
    """Return `3 days`, `5 h`, `90 min` or `40 s`: what is at least two of its unit."""
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
