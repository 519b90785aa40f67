"""`python -m opeai_nb tasks`: what is unfinished, with no notebook at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opeai_nb.cli.main import main
from opeai_nb.cli.terminal.output import for_shell

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SMALL = ["-s", "512x512"]


def test_an_unknown_outcome_is_listed_and_dropped_without_a_notebook(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", "a fox", *SMALL, "-m", "rehearsal-dropped"]) == 1
    assert "python -m opeai_nb tasks" in capsys.readouterr().err
    assert main(["tasks", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["state"], listed["prompt"]) == ("outcome unknown", "a fox")
    assert main(["tasks", "resume"]) == 0
    assert "0 finished, 1 unfinished." in capsys.readouterr().err
    assert main(["tasks", "forget", listed["id"][:6]]) == 0
    assert main(["tasks"]) == 0
    assert capsys.readouterr().err == "Forgotten.\nNothing is pending.\n"


def test_sending_again_is_said_with_an_id(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["imagine", "a fox", *SMALL, "-m", "rehearsal-dropped"])
    main(["tasks"])
    known = capsys.readouterr().out.split()[0]
    assert main(["tasks", "resume", "--send"]) == 2
    assert main(["tasks", "resume", known]) == 1
    assert "%imagine" not in capsys.readouterr().err
    assert main(["tasks", "resume", known, "--send"]) == 0
    assert (folder / capsys.readouterr().out.strip()).is_file()
    assert main(["tasks", "resume", known]) == 1
    assert main(["tasks", known]) == 2
    assert main(["tasks", "forget"]) == 2


def test_advice_for_a_notebook_becomes_advice_for_a_shell() -> None:
    advice = "Look: %imagine tasks and %imagine resume. Drop it: %imagine forget ID."
    tasks = "python -m opeai_nb tasks"
    assert for_shell(advice) == f"Look: {tasks} and {tasks} resume. Drop it: {tasks} forget ID."
