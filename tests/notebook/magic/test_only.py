"""`--only` in cells: sent as any edit is, laid over here, free where the region alone changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from opeai_nb.library import Library, info, received_bytes
from opeai_nb.testing import pictures_answer
from tests.notebook.shell import Cells
from tests.pictures import png

COLOURS = ["red", "lime", "blue", "white"]
INSIDE, OUTSIDE = (32, 24), (2, 2)


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(png((64, 48), "black"))
    restart(shared, tmp_path)
    return shared


def restart(cells: Cells, folder: Path, *, first: int = 0) -> None:
    """Begin as a new kernel; each POST is answered in another colour."""
    colours = iter(COLOURS[first:])

    def answered(_: httpx.Request) -> Any:
        return pictures_answer(png((64, 48), next(colours)))

    cells.begin(folder, answered)


def test_the_answer_is_laid_over_the_picture_and_both_are_kept(cells: Cells) -> None:
    made = cells.run("%imagine --only 16,12,32,24 -i photo.png a hat")
    assert made[0].getpixel(INSIDE) == (255, 0, 0)
    assert made[0].getpixel(OUTSIDE) == (0, 0, 0)
    assert made.received[0].getpixel(OUTSIDE) == (255, 0, 0)
    assert made.only == {"box": [16, 12, 32, 24]}
    (body,) = cells._script.sent
    assert "only" not in body
    received, laid = made.received.pictures[0].path, made.pictures[0].path
    assert laid.name == f"{received.stem}-only-{laid.stem[-8:]}.png"
    told = info(laid)
    assert told["only"] == made.only
    assert told["id"] == info(received)["id"]
    assert "only" not in info(received)
    assert "16,12,32,24" in repr(cells.run(f"%imagine info {laid.name}"))
    assert Image.open(laid).tobytes() == made[0].tobytes()
    assert received_bytes(received.read_bytes()) == png((64, 48), "red")


def test_another_region_of_the_same_answer_costs_nothing(cells: Cells, tmp_path: Path) -> None:
    first = cells.run("%imagine --only 16,12,32,24 -i photo.png a hat")
    other = cells.run("%imagine --only 0,0,8,8 -i photo.png a hat")
    whole = cells.run("%imagine -i photo.png a hat")
    assert cells.sent == ["a hat"]
    assert other[0].getpixel((4, 4)) == (255, 0, 0)
    assert other[0].getpixel(INSIDE) == (0, 0, 0)
    assert whole[0].getpixel(OUTSIDE) == (255, 0, 0)
    assert whole.only is None
    assert first.received.pictures[0].path == whole.pictures[0].path


def test_after_a_restart_the_same_pictures_are_shown_and_nothing_is_paid(
    cells: Cells, tmp_path: Path
) -> None:
    regions = ["--only 16,12,32,24", "--only 0,0,8,8", ""]

    def all_cells() -> list[Path]:
        made = [cells.run(f"%imagine {each} -i photo.png a hat") for each in regions]
        return [generation.pictures[0].path for generation in made]

    first = all_cells()
    further = all_cells()  # each of them once more: a run of a cell again makes another picture
    assert len(cells.sent) > 1
    restart(cells, tmp_path, first=len(COLOURS))
    assert all_cells() == first
    assert all_cells() == further
    assert cells.sent == []


def test_a_mask_is_a_variable_or_a_file_and_a_box_a_variable_too(
    cells: Cells, tmp_path: Path
) -> None:
    cells.run(
        "from PIL import Image\nmask = Image.new('L', (64, 48))\n"
        "mask.paste(255, (16, 12, 48, 36))\n"
        "mask.save('mask.png')\nbox = (16, 12, 32, 24)"
    )
    laid = {
        cells.run(f"%imagine --only {each} -i photo.png a hat").pictures[0].path.stem[-8:]
        for each in ("mask", "mask.png", "box", "16,12,32,24")
    }
    assert len(laid) == 1  # the same region, whatever it is named by
    cells.run("mask.putpixel((20, 20), 0)")
    shaped = cells.run("%imagine --only mask -i photo.png a hat")
    assert shaped[0].getpixel((20, 20)) == (0, 0, 0)
    assert (tmp_path / "imagine" / ".inputs" / shaped.only["mask"]).is_file()


@pytest.mark.parametrize("only", ["60,0,32,24", "0,0,0,0", "1,2,3", "no_such_mask"])
def test_a_region_that_is_none_sends_nothing(cells: Cells, only: str) -> None:
    with pytest.raises(ValueError, match=r"only|no variable"):
        cells.run(f"%imagine --only {only} -i photo.png a hat")
    assert cells.sent == []


def test_an_answer_that_had_moved_is_told_of_each_time_it_is_shown(
    cells: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.effect_noise((128, 96), 80).save("noise.png")
    Image.effect_noise((128, 96), 80).save("other.png")
    for _ in range(2):
        cells.begin(tmp_path, lambda _: pictures_answer(Path("other.png").read_bytes()))
        cells.run("%imagine --size 128x96 --only 40,40,20,20 -i noise.png a hat")
        assert "Note: Outside the region the answer is not like" in capsys.readouterr().err
    assert cells.sent == []


def test_an_edit_of_what_was_laid_over_knows_where_it_was_made_from(
    cells: Cells, tmp_path: Path
) -> None:
    made = cells.run("%imagine -o hat --only 16,12,32,24 -i photo.png a hat")
    again = cells.run("%imagine -i hat a scarf")
    parent, child = (info(it.pictures[0].path) for it in (made, again))
    assert child["made_from"] == [parent["id"]]
    assert [edit["id"] for edit in info(made.pictures[0].path)["edits"]] == [child["id"]]


def test_generate_takes_it_and_what_no_disk_took_is_laid_over_in_memory(
    cells: Cells, tmp_path: Path
) -> None:
    made = cells.run(
        "import opeai_nb\nopeai_nb.generate('a hat', image='photo.png', only=(16, 12, 32, 24))"
    )
    assert made[0].getpixel(OUTSIDE) == (0, 0, 0)
    cells.begin(tmp_path / "other", lambda _: pictures_answer(png((64, 48), "red")))
    (tmp_path / "other").write_text("no folder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_DATA", str(tmp_path / "data"))
        made = cells.run("%imagine --only 16,12,32,24 -i photo.png a hat")
    assert made[0].getpixel(OUTSIDE) == (0, 0, 0)
    assert made.received[0].getpixel(OUTSIDE) == (255, 0, 0)


def test_points_of_a_sweep_and_rows_of_a_batch_have_regions(cells: Cells, tmp_path: Path) -> None:
    made = cells.run(
        "import opeai_nb\nswept = opeai_nb.sweep('a {hat|cap}', image={'it': 'photo.png'}, "
        "only='16,12,32,24')\nswept.run()"
    )
    assert [each[0].getpixel(OUTSIDE) for each in made.generations] == [(0, 0, 0)] * 2
    assert len(cells.sent) == 2
    Path("rows.csv").write_text(
        'prompt,image,only\na hat,photo.png,"16,12,32,24"\na hat,photo.png,"0,0,8,8"\n'
    )
    rows = cells.run("table = opeai_nb.batch('rows.csv', quiet=True)\ntable.run()")
    assert len(cells.sent) == 2
    lines = [json.loads(line) for line in (rows.folder / "manifest.jsonl").read_text().splitlines()]
    files = [file for line in lines for file in line["files"]]
    assert len({*files}) == 2
    assert all((rows.folder / file).is_file() and "-only-" in file for file in files)


def test_a_row_whose_region_is_none_is_named(cells: Cells) -> None:
    Path("rows.csv").write_text('prompt,image,only\na hat,photo.png,"60,0,32,24"\n')
    with pytest.raises(ValueError, match="Row 2: only is 60,0,32,24, which leaves"):
        cells.run("import opeai_nb\nopeai_nb.batch('rows.csv', quiet=True)")


def test_the_library_tells_what_was_laid_over(cells: Cells, tmp_path: Path) -> None:
    made = cells.run("%imagine --only 16,12,32,24 -i photo.png a hat")
    library = Library(tmp_path / "imagine")
    (record,) = library.records()
    (overlay,) = library.overlays(record)
    assert overlay.box == (16, 12, 32, 24)
    assert library.shown_paths(record) == [made.pictures[0].path]
    made.pictures[0].path.unlink()
    assert library.overlays(record) == []
    assert library.shown_paths(record) == [made.received.pictures[0].path]
    library.close()
