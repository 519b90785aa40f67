"""`%imagine export`: what its words ask for, and when they are no prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.errors import LibraryError, OptionError
from opeai_nb.notebook.commands import command_in
from opeai_nb.notebook.commands.export_commands import export_query
from tests.notebook.shell import Cells, shell_cells


@pytest.mark.parametrize(
    ("line", "target", "query"),
    [
        ("cats", "cats", {"text": ""}),
        ("cats/ red fox", "cats/", {"text": "red fox"}),
        ('"my cats/v 1" --starred', "my cats/v 1", {"text": "", "starred": True}),
        ("c --tag may --side=512", "c", {"text": "", "tag": "may", "side": 512}),
        ("c --split 0.2 --limit 9", "c", {"text": "", "split": 0.2, "limit": 9}),
        ("c --split train=8,test=2", "c", {"text": "", "split": {"train": 8, "test": 2}}),
    ],
)
def test_words_ask_for_an_export(line: str, target: str, query: dict[str, Any]) -> None:
    assert export_query(line.split()) == (target, query)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c --stared", "Did you mean '--starred'"),
        ("c --tag", "--tag needs a value"),
        ("c --limit few", "--limit is 'few', not a whole number"),
        ("c --split half", "'half' is no split"),
    ],
)
def test_what_is_no_order_is_refused(line: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        export_query(line.split())


def test_a_prompt_is_not_taken_for_an_export() -> None:
    for line in ("export of tea from a harbour", "export cats fox", "export"):
        with pytest.raises(OptionError, match="As a prompt: %imagine -- export"):
            command_in(line)
    for line in ("export cats", "export cats.html fox", "export c --starred", "export 'a b' fox"):
        assert command_in(line) is not None


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Cells]:
    with shell_cells() as cells, pytest.MonkeyPatch.context() as patch:
        cells.begin(tmp_path)
        patch.setattr(cells.session, "folder", tmp_path)
        yield cells


def test_an_export_lands_beside_the_notebook(notebook: Cells, tmp_path: Path) -> None:
    notebook.run("%imagine a red fox")
    said = repr(notebook.run("%imagine export foxes/ fox --split 0.5"))
    assert said.startswith("1 picture in foxes · train: ")
    with pytest.raises(LibraryError, match="foxes is not empty"):
        notebook.run("%imagine export foxes")
    assert (tmp_path / "foxes" / "README.md").exists()
