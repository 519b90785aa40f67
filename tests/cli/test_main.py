"""`python -m opeai_nb`: the commands, and what is said of one that is not there."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib import import_module

import pytest

from opeai_nb import __version__
from opeai_nb.cli.main import COMMANDS, main


def test_every_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, summary in COMMANDS.items():
        assert f"{name:<9}{summary}" in shown
        assert callable(import_module(f"opeai_nb.cli.{name}_command").run)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"opeai_nb {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Which command? Commands: demo, lab"),
        (["imagin"], "There is no command 'imagin'. Did you mean imagine?"),
        (["--verison"], "There is no command '--verison'."),
        (["batch"], "The following arguments are required: source, --out."),
        (["batch", "a.csv", "--out", "out", "--nope"], "Unrecognized arguments: --nope."),
        (["serve", "--port", "x"], "Argument --port: invalid int value: 'x'."),
        (["demo", "--dir"], "Argument --dir: expected one argument."),
        (["imagine", "--nope", "a fox"], "There is no option --nope."),
    ],
)
def test_what_is_wrong_on_the_line_is_one_line_and_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_port_that_is_taken_is_one_line_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"opeai_nb serve: Port {port} is taken. Give another: --port 0 takes a free one.\n"
    )


def test_the_module_runs_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opeai_nb", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"opeai_nb {__version__}\n"


def test_a_python_that_is_too_old_is_one_line_and_2() -> None:
    """Run with a version that pretends: an old Python cannot be asked of a test."""
    code = (
        "import sys; sys.version_info = (3, 9); import runpy; runpy.run_module('opeai_nb.__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interrupt_that_says_nothing_is_called_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from opeai_nb.cli import serve_command

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve_command, "run", interrupted)
    assert main(["serve"]) == 130
    assert capsys.readouterr().err == "opeai_nb serve: interrupted\n"
