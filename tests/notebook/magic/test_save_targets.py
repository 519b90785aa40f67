"""Where copies cannot go is said before anything is sent, in a cell and on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from opeai_nb.cli.main import main
from opeai_nb.errors import InputError
from tests.notebook.shell import Cells

ONE = [
    ("fox.svg", "'fox.svg' ends in .svg, which is no format"),
    ("fox.txt", "'fox.txt' ends in .txt, which is no format"),
    ("out.v2", "'out.v2' ends in .v2, which is no format"),
    ("note", "Nothing can be saved in"),
    ("note/{n}", "Nothing can be saved in"),
    ("note/deeper/fox.png", "Nothing can be saved in"),
    ("x" * 256, "a name in it is too long"),
    ("x" * 256 + "/{n}.png", "a name in it is too long"),
    ("~nobody-has-this-name/{n}", "There is no home folder for '~nobody-has-this-name'"),
    ("~nobody-has-this-name", "There is no home folder for '~nobody-has-this-name'"),
    ("{prompt.30}.png", "{prompt.30} in '{prompt.30}.png' is no word"),
    ("out/{}", "{} in 'out/{}' is no word"),
]
TWO = [
    ("fox.png", "'fox.png' is one file, and 2 requests would be saved to it"),
    ("there.png", "'there.png' is one file"),
]


@pytest.fixture(autouse=True)
def files(cells: Cells) -> None:
    del cells  # it is in the folder of the test by now
    Path("note").write_text("a file")
    Path("there.png").write_text("mine")


@pytest.mark.parametrize(("target", "told"), ONE)
def test_a_cell_refuses_it(cells: Cells, target: str, told: str) -> None:
    for line in (f"--save {target} a fox", f"--dry-run --save {target} a fox"):
        with pytest.raises(InputError) as caught:
            cells.run(f"%imagine {line}")
        assert told in caught.value.message
        assert "Nothing was sent." in caught.value.advice
    assert cells.sent == []


@pytest.mark.parametrize(("target", "told"), [*ONE, *TWO])
def test_a_sweep_refuses_it_and_one_file_for_all(cells: Cells, target: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        cells.run(f"%imagine --yes --save {target} a {{red|blue}} fox")
    assert told in caught.value.message
    assert Path("there.png").read_text() == "mine"
    assert cells.sent == []


@pytest.mark.parametrize(("target", "told"), [ONE[0], ONE[3], ONE[10], TWO[1]])
def test_a_command_line_refuses_it(
    target: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", "--dry-run", "a {red|blue} fox", "--save", target]) == 2
    assert told in capsys.readouterr().err
    assert not Path("imagine").exists()


def test_a_file_or_a_folder_that_can_be_is_taken(cells: Cells) -> None:
    Path("{1}").mkdir()
    Path("out.v2").mkdir()
    for target in ("fox.pdf", "new/deep/fox.webp", "{1}", "out.v2", "a{b"):
        cells.run(f"%imagine --save {target} a fox")
    assert {path.name for path in Path().rglob("*fox*") if "imagine" not in path.parts} >= {
        "fox.pdf",
        "fox.webp",
        "a-fox-1.png",
    }
    assert len(list(Path("out.v2").iterdir())) == len(list(Path("{1}").iterdir())) == 1
