"""What a person is told beside pictures, where an answer leaves a doubt."""

from __future__ import annotations

from typing import Final

GUESS: Final = (
    "The answer is of a form that nobody described: the picture was taken from where it seemed to "
    "be."
)
IN_DOUBT: Final = (
    "The answer lists other pictures as well, and does not say whether they are results: they were "
    "not taken, and the answer is kept."
)
CUT_TASKS: Final = (
    "The answer was cut off: it may have named more tasks than those that were followed. The "
    "answer is kept."
)
ECHOED: Final = (
    "What came is the input picture, byte for byte: the answer may only repeat it. The answer is "
    "kept."
)
DROPPED_INPUT: Final = (
    "The answer counts no input picture: a gateway on the way may have dropped `image`, and this "
    "may be no edit of it."
)
DOUBTS: Final = frozenset({IN_DOUBT, CUT_TASKS, ECHOED})
"""Notes that say that an answer may hold more than its pictures, whatever comes of these."""
