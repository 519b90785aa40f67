"""Which part of a data set a picture belongs to: all pictures of one prompt to the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Final

from opeai_nb.errors import OptionError, did_you_mean

NAMES: Final = ("train", "validation", "test")
"""The parts that the loaders of an image folder know by the names of their folders."""
_WAYS: Final = 'Write split=0.2 (for "test"), or split={"train": 8, "validation": 1, "test": 1}.'
Split = float | Mapping[str, float]


def shares_of(split: Split) -> dict[str, float]:
    """Return the share of each part, 1 in all; a number is the share of `test`.

    Raises `OptionError` for parts that are none and for shares that are none.
    """
    named = split if isinstance(split, Mapping) else {"train": 1 - _number(split), "test": split}
    for name in named:
        if name not in NAMES:
            hint = did_you_mean(str(name), NAMES, likeness=0.3)
            raise OptionError(
                f"{name!r} is no part of a data set.{hint}",
                advice=f"The parts are {', '.join(NAMES)}. Nothing was written.",
            )
    shares = {name: _number(named[name]) for name in NAMES if name in named}
    total = sum(shares.values())
    if not shares or min(shares.values()) <= 0 or not math.isfinite(total):
        raise OptionError(
            f"{split!r} splits nothing: each part needs a share above 0.",
            advice=f"{_WAYS} Nothing was written.",
        )
    return {name: share / total for name, share in shares.items()}


def split_in(text: str) -> Split:
    """Return the split that a word of a command line asks for: `0.2`, or `train=8,test=2`.

    Raises `OptionError` where it is neither.
    """
    pairs = [pair.partition("=") for pair in text.split(",")]
    try:
        if "=" not in text:
            return float(text)
        return {name.strip(): float(share) for name, _, share in pairs}
    except ValueError as error:
        raise OptionError(
            f"{text!r} is no split.",
            advice="Write --split 0.2, or --split train=8,validation=1,test=1. "
            "Nothing was written.",
        ) from error


def _number(share: object) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise OptionError(f"{share!r} is no share.", advice=f"{_WAYS} Nothing was written.")
    return float(share)


def part_of(prompt: str, shares: Mapping[str, float]) -> str:
    """Return the part that a prompt belongs to, whatever else is in the data set.

    Letter case and spaces make no other prompt. As it is drawn from the prompt alone, a prompt
    stays in its part when the library grows.
    """
    plain = " ".join(prompt.casefold().split())
    digest = hashlib.sha256(plain.encode("utf-8", "replace")).digest()
    place, passed = int.from_bytes(digest[:8]) / 2**64, 0.0
    for name, share in shares.items():
        passed += share
        if place < passed:
            return name
    return next(reversed([*shares]))  # a sum of shares may be a hair below 1
