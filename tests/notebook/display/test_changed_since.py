"""A result that is shown again says what it was made of and is something else by now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.shell import Cells
from tests.pictures import png

AGAIN = "Run its cell again for what it says now."
PRICES = '[preset.flat]\nprompt = "{prompt}, flat"\n'


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(png((64, 48), "black"))
    shared.begin(tmp_path)
    return shared


def told(cells: Cells, code: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what a cell says that shows a result again."""
    cells.session.names["display_it"] = cells.shell.display_formatter.format
    capsys.readouterr()
    cells.run(f"_ = display_it({code})")
    lines = capsys.readouterr().err.splitlines()
    return [line.removeprefix("Note: ") for line in lines if "changed since" in line]


def test_a_variable_of_the_prompt_has_changed(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run("book = 'Dune'\nday = 3.14159")
    cells.run("%imagine -o cats --size 16x16 a cat reading {book} at {day:.1f}")
    assert told(cells, "cats", capsys) == []
    cells.run("day = 3.1")
    assert told(cells, "cats", capsys) == []  # the prompt is the same
    cells.run("book = 'Emma'")
    assert told(cells, "cats", capsys) == [f"{{book}} has changed since this was made. {AGAIN}"]
    cells.run("del book")
    assert told(cells, "cats", capsys) == []  # nobody knows
    cells.run("book = 'Dune'")
    assert told(cells, "cats", capsys) == []
    assert len(cells.sent) == 1


def test_an_input_picture_a_mask_or_an_option_has_changed(
    cells: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run(
        "from PIL import Image\nmask = Image.new('L', (64, 48))\nmask.paste(255, (0, 0, 9, 9))\n"
        "wide = '64x48'"
    )
    cells.run("%imagine -o hat --size $wide --only mask -i photo.png a hat")
    assert told(cells, "hat", capsys) == []
    Path("photo.png").write_bytes(png((64, 48), "red"))
    assert told(cells, "hat", capsys) == [f"photo.png has changed since this was made. {AGAIN}"]
    cells.run("mask.putpixel((40, 40), 255)\nwide = '48x64'")
    assert told(cells, "hat", capsys) == [
        f"$wide, mask and photo.png have changed since this was made. {AGAIN}"
    ]


def test_a_preset_has_changed(
    cells: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("prices.toml").write_text(PRICES)
    cells.begin(tmp_path, prices=tmp_path / "prices.toml")
    cells.run("%imagine -o fox --preset flat a fox")
    assert told(cells, "fox", capsys) == []
    Path("prices.toml").write_text(PRICES.replace(", flat", ", very flat"))
    assert told(cells, "fox", capsys) == [
        f"the preset flat has changed since this was made. {AGAIN}"
    ]


def test_a_sweep_says_so_too(cells: Cells, capsys: pytest.CaptureFixture[str]) -> None:
    cells.run("place = 'a wood'")
    cells.run("%imagine -o both a {fox|owl} in {place}")
    cells.run("place = 'a town'")
    assert told(cells, "both", capsys) == [f"{{place}} has changed since this was made. {AGAIN}"]


def test_results_of_a_loop_are_each_of_their_own(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run(
        "made = []\nfor animal in ['fox', 'owl']:\n    one = %imagine a {animal}\n"
        "    made.append(one)"
    )
    assert told(cells, "made[0]", capsys) == []
    assert told(cells, "made[1]", capsys) == []


def test_a_cell_that_is_run_again_says_nothing(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run("book = 'Dune'")
    cells.run("%imagine a cat reading {book}")
    cells.run("book = 'Emma'")
    capsys.readouterr()
    cells.run("%imagine a cat reading {book}")
    assert "changed since" not in capsys.readouterr().err


def test_info_says_which_input_picture_is_another_by_now(cells: Cells) -> None:
    made = cells.run("%imagine --size 64x48 -i photo.png a hat")
    name = made.pictures[0].path.name
    assert "photo.png (changed since)" not in repr(cells.run(f"%imagine info {name}"))
    Path("photo.png").write_bytes(png((64, 48), "red"))
    cells.session.folder = Path.cwd()
    assert "photo.png (changed since)" in repr(cells.run(f"%imagine info {name}"))
    Path("photo.png").unlink()
    assert "photo.png (changed since)" not in repr(cells.run(f"%imagine info {name}"))


def test_what_was_made_in_the_background_says_so_too(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run("book = 'Dune'")
    cells.run("%imagine --no-wait -o job -i photo.png a cat reading {book}\njob.result()")
    assert told(cells, "job", capsys) == told(cells, "job.result()", capsys) == []
    cells.run("book = 'Emma'")
    Path("photo.png").write_bytes(png((64, 48), "red"))
    note = f"{{book}} and photo.png have changed since this was made. {AGAIN}"
    assert told(cells, "job", capsys) == [note]
    assert told(cells, "job.result()", capsys) == [note]
    cells.run("%imagine --no-wait -o swept a {fox|owl} reading {book}\nswept.running.wait()")
    assert told(cells, "swept", capsys) == []
    cells.run("book = 'Dune'")
    assert told(cells, "swept", capsys) == [f"{{book}} has changed since this was made. {AGAIN}"]
    assert len(cells.sent) == 3


def test_a_job_of_another_cell_says_nothing_of_a_result_that_is_equal(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run("book = 'Dune'")
    cells.run("%imagine --no-wait -o job a cat reading {book}\njob.result()")
    cells.run("%imagine -o cats a cat reading Dune")
    cells.run("book = 'Emma'")
    assert told(cells, "cats", capsys) == []
