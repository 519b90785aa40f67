"""`python -m opeai_nb doctor`: lines for a person, JSON for a script, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opeai_nb.cli.main import main
from tests.client.misbehaving import nobody


def test_all_is_well_on_the_engine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "✓ painter" in shown
    assert "✗" not in shown
    assert list(folder.glob("imagine")) == []


def test_what_is_wrong_is_told_with_its_remedy_and_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody() as url:
        monkeypatch.setenv("OPEAI_BASE_URL", url)
        assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (number,) = (number for number, line in enumerate(lines) if line.startswith("✗"))
    assert "platform" in lines[number]
    assert "→ Check the network and OPEAI_BASE_URL." in lines[number + 1]


def test_json_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"name", "text", "state", "remedy"} == set(findings[0])
