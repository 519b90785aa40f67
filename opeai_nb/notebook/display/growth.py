"""How far the index of a large library is, for a person."""

from __future__ import annotations


def growth_text(count: int, total: int) -> str:
    """Return it as a sentence or two."""
    return (
        f"The library's index is being made: {count:,} of {total:,} records so far. What is not in "
        "it yet is shown once it is."
    )
