"""What a cell tells beside its pictures: in the session that paid, and when it shows them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.notebook.shell import Cells

TOLD = "Note: Asked for 1024x1024, got 8x8."


def test_a_difference_is_told_beside_the_result_in_the_record_and_by_info(
    shared: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.begin(tmp_path)
    generation = shared.run("%imagine --size 1024x1024 a fox")
    assert capsys.readouterr().err.splitlines() == [TOLD]
    assert generation.differences == (TOLD.removeprefix("Note: "),)
    (record,) = (tmp_path / "imagine").glob("*.json")
    assert json.loads(record.read_text())["differences"] == list(generation.differences)
    assert TOLD.removeprefix("Note: ") in repr(
        shared.run(f"%imagine info {generation[0].filename}")
    )

    shared.begin(tmp_path)
    assert shared.run("%imagine --size 1024x1024 a fox").replayed_from
    assert capsys.readouterr().err.splitlines() == [TOLD]
    assert shared.sent == []
