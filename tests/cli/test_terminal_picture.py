"""Pictures on a terminal: one is played that answers what a program asks it, and reads along."""

from __future__ import annotations

import base64
import os
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from opeai_nb.cli.terminal.terminal_picture import columns_of
from tests.fork import start

pexpect = pytest.importorskip("pexpect", reason="there is no pexpect on this machine")
fdpexpect = pytest.importorskip("pexpect.fdpexpect")
termios = pytest.importorskip("termios", reason="there are no such terminals on this system")
pytest.importorskip("textual_image", reason="the extra `terminal` is not installed")

# What the terminals answer to "who are you" (DA1): 4 among the numbers stands for sixels.
SIXEL = {"xterm": "\x1b[?63;1;2;4;6;9;15;22c", "iTerm2": "\x1b[?64;1;2;4;6;17;18;21;22c"}
KITTY = "\x1b[?62;c"
# textual-image waits 0.1 s for an answer: too little beside other tests. What this terminal answers
# is waited for; what it leaves open is given up as ever.
PATIENT = """
import sys
from textual_image import _terminal
asks = _terminal.capture_terminal_response
def waits(start_marker, end_marker, timeout=None):
    is_answered = end_marker == "c" or (end_marker, sys.argv[1]) == ("\\x1b\\\\", "draws")
    return asks(start_marker, end_marker, 60 if is_answered else timeout)
_terminal.capture_terminal_response = waits
from opeai_nb.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
PATH = re.compile(r"imagine/[\w-]+\.png")


class Terminal:
    """A terminal of 80 columns that answers as *identity*, and as kitty where it *draws*."""

    def __init__(self, folder: Path, command: list[str], identity: str, draws: str = "") -> None:
        ours, its = os.openpty()
        termios.tcsetwinsize(its, (24, 80))
        attributes = termios.tcgetattr(its)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(its, termios.TCSANOW, attributes)
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), its)
        self._process = start(command, cwd=folder, env=environment, **streams)
        os.close(its)
        self._child: Any = fdpexpect.fdspawn(ours, encoding="latin-1", timeout=60)
        self._identity, self._draws = identity, draws

    def look(self) -> str:
        """Answer what is asked until the program ends; return all that it wrote."""
        seen = ""
        asked = [r"\x1b\[c", r"\x1b_G[^\x1b]*a=q[^\x1b]*\x1b\\", pexpect.EOF]
        while (number := self._child.expect(asked)) < 2:
            seen += self._child.before
            self._child.send((self._identity, self._draws)[number])
        self._child.close()
        assert self._process.wait(60) == 0, seen
        return seen + str(self._child.before)


def imagine(prompt: str, draws: str = "") -> list[str]:
    return [sys.executable, "-c", PATIENT, draws, "imagine", "-s", "512x512", prompt]


@pytest.mark.parametrize("name", SIXEL)
def test_a_terminal_with_sixels_gets_sixels(folder: Path, name: str) -> None:
    seen = Terminal(folder, imagine("a fox"), SIXEL[name]).look()
    (picture,) = re.findall(r"\x1bP[\d;]*q(.*?)\x1b\\", seen, re.DOTALL)
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', picture).groups())
    assert width == height == 400, "its own shape, in 20 of 24 rows"
    assert PATH.search(seen)


def test_kitty_gets_the_picture_by_its_own_protocol(folder: Path) -> None:
    seen = Terminal(folder, imagine("a fox", "draws"), KITTY, "\x1b_Gi=1;OK\x1b\\").look()
    parts = re.findall(r"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\", seen)
    image = Image.open(BytesIO(base64.b64decode("".join(data for _, data in parts))))
    assert image.format == "PNG"
    assert image.width == image.height > 100
    assert PATH.search(seen)


def test_a_terminal_that_draws_nothing_gets_the_path_alone(folder: Path) -> None:
    seen = Terminal(folder, imagine("a fox"), "\x1b[?6c").look()
    assert "\x1bP" not in seen
    assert PATH.search(seen)


def test_a_prompt_from_a_pipe_leaves_the_terminal_unasked(folder: Path) -> None:
    """The answers would come by standard input, which is the pipe: nothing waits for them."""
    line = f"echo a fox | {sys.executable} -m opeai_nb imagine -s 512x512 -"
    shell = f"import os; os.execv('/bin/sh', ['sh', '-c', {line!r}])"
    seen = Terminal(folder, [sys.executable, "-c", shell], SIXEL["xterm"]).look()
    assert "\x1b[c" not in seen
    assert PATH.search(seen)


@pytest.mark.parametrize(
    ("size", "terminal", "columns"),
    [
        ((512, 512), (80, 24), 40),
        ((1024, 1792), (80, 24), 22),
        ((1536, 1024), (200, 60), 48),
        ((512, 512), (20, 60), 20),
        ((1, 10_000), (80, 3), 1),
    ],
)
def test_a_picture_leaves_the_text_in_sight(
    size: tuple[int, int], terminal: tuple[int, int], columns: int
) -> None:
    assert columns_of(size, terminal) == columns
