"""What commands write: the output on stdout, words on stderr; neither fails after success."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

_OF_MAGIC: Final = re.compile(r"%imagine (tasks|resume|forget)\b")
_TASKS: Final = "python -m opeai_nb tasks"


def prepare() -> None:
    """Let a terminal or pipe that is not UTF-8 show `?` for what it has no sign for."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Write a line of output. Where nobody reads any more (`| head`), nothing is written."""
    try:
        print(text, flush=True)  # noqa: T201  a command's output
    except BrokenPipeError:
        close_pipe()


def tell(text: str) -> None:
    """Write a line where it is no part of the output."""
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201  a command's own words
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def for_shell(advice: str) -> str:
    """Return *advice* with commands of a shell in place of those of a notebook."""
    return _OF_MAGIC.sub(lambda at: f"{_TASKS} {at[1]}".removesuffix(" tasks"), advice)


def close_pipe() -> None:
    """Let what is still to be written to stdout go nowhere: Python would fail at its very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
