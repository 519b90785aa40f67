"""A region of an input picture in the panel: drawn in the page, laid over here, in the cell too."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from opeai_nb.errors import InputError
from opeai_nb.notebook.panel import region
from opeai_nb.notebook.panel.panel import Panel
from opeai_nb.notebook.panel.plain_panel import PlainPanel
from opeai_nb.notebook.panel.request_queue import in_place
from opeai_nb.testing import pictures_answer
from tests.notebook.panel.test_panel import Clicks
from tests.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.notebook.shell import Cells

BOX = [16, 12, 32, 24]
INSIDE, OUTSIDE = (32, 24), (2, 2)


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(png((64, 48), "black"))
    shared.begin(tmp_path, lambda _: pictures_answer(png((64, 48), "red")))
    return shared


@pytest.fixture
def panel(cells: Cells) -> Iterator[Panel]:
    made = Panel(lambda: cells.studio, spawn=in_place, prompt="a hat", images=["photo.png"])
    made.fill()
    yield made
    made.close_all()


def digest(panel: Panel) -> str:
    key: str = panel._inputs[0]["digest"]
    return key


def box(panel: Panel, *numbers: int) -> dict[str, Any]:
    return {"digest": digest(panel), "box": list(numbers or BOX)}


def painted(panel: Panel, size: tuple[int, int] = (64, 48)) -> dict[str, Any]:
    """The upper half, painted at the size at which the page shows the picture."""
    half = size[0] * size[1] // 2
    return {"digest": digest(panel), "size": list(size), "runs": [0, half, half]}


def uneven(panel: Panel) -> dict[str, Any]:
    """Some pixels in two rows: no box."""
    return {**painted(panel), "runs": [10, 20, 64, 10, 64 * 48 - 104]}


def test_the_answer_of_a_click_is_laid_over_the_picture_inside_what_was_drawn(
    cells: Cells, panel: Panel
) -> None:
    Clicks(panel).click(only=box(panel))
    assert panel.result[0].getpixel(INSIDE) == (255, 0, 0)
    assert panel.result[0].getpixel(OUTSIDE) == (0, 0, 0)
    assert panel.result.only == {"box": BOX}
    (body,) = cells._script.sent
    assert "only" not in body
    on_stage = Image.open(panel.selected.path)
    assert on_stage.getpixel(OUTSIDE) == (0, 0, 0), "the stage shows what came of it"
    assert "-only-" in panel._stage["name"]
    Clicks(panel).send("save", key=panel.selected.key, target="copy.png")
    assert Image.open("copy.png").getpixel(OUTSIDE) == (0, 0, 0)
    panel.set_controls(images=())
    panel.restore()
    assert panel.only.box == (16, 12, 32, 24)


def test_what_a_brush_painted_is_the_region_at_the_size_of_the_picture(
    cells: Cells, panel: Panel
) -> None:
    Clicks(panel).click(only=painted(panel, (32, 24)))
    assert panel.result[0].getpixel((32, 4)) == (255, 0, 0)
    assert panel.result[0].getpixel((32, 40)) == (0, 0, 0)
    assert panel._controls["only"] == painted(panel, (32, 24)), "the page keeps it to the pixel"


def test_restored_settings_have_what_a_brush_painted(cells: Cells, panel: Panel) -> None:
    page = Clicks(panel)
    page.click(only=uneven(panel))
    made, key = panel.only.digest, panel.selected.key
    panel.set_controls(images=(), prompt="a coat")
    page.send("restore", key=key)
    assert (panel.prompt, panel.only.digest) == ("a hat", made)
    assert panel._controls["only"] == uneven(panel)
    assert "notes" not in panel._status or panel._status["notes"] == []
    assert page.send("insert")["first"] == "Its first run shows this picture and sends nothing."


@pytest.mark.parametrize("left", [b"", None, png((3, 3), "white")])
def test_a_painted_region_that_is_gone_is_told_and_the_other_settings_are_restored(
    cells: Cells, panel: Panel, left: bytes | None
) -> None:
    page = Clicks(panel)
    page.click(only=uneven(panel))
    mask = panel.library.folder / ".inputs" / panel.result.only["mask"]
    mask.unlink() if left is None else mask.write_bytes(left)
    panel.set_controls(prompt="a coat", only=None)
    page.send("restore", key=panel.selected.key)
    assert (panel.prompt, panel.only) == ("a hat", None)
    assert "not in the library any more. Paint it anew." in panel._status["notes"][0]


@pytest.mark.parametrize(
    ("mask", "box"),
    [
        (png((8, 8), "white"), (60, 0, 8, 8)),
        (png((8, 8), "white"), (-4, 0, 8, 8)),
        (png((4, 8), "white"), (0, 0, 8, 8)),
        (b"\x89PNG\r\n\x1a\n and no more", (0, 0, 8, 8)),
        (None, (0, 0, 8, 8)),
    ],
)
def test_a_mask_of_a_strangers_library_is_taken_inside_its_picture_alone(
    panel: Panel, mask: bytes | None, box: tuple[int, int, int, int]
) -> None:
    with pytest.raises(InputError, match="not in the library any more"):
        region.placed(mask, box, panel.images)


@pytest.mark.parametrize("kind", ["box", "brush"])
def test_a_cell_that_runs_again_keeps_the_region_that_was_drawn(cells: Cells, kind: str) -> None:
    runs = count()

    def run(**controls: Any) -> Panel:
        made = Panel(
            lambda: cells.studio,
            spawn=in_place,
            cell=lambda: ("its cell", f"{next(runs)}"),
            **{"images": ["photo.png"], **controls},
        )
        made._is_shown()
        return made

    former = run()
    drawn = {"box": box(former), "brush": painted(former, (32, 24))}[kind]
    Clicks(former).send("controls", values={"only": drawn}, edit=["page", 1])
    again = run()
    assert again._controls["only"] == drawn
    assert again.only.digest == former.only.digest
    assert run(only=(0, 0, 8, 8)).only.box == (0, 0, 8, 8)
    other = run(images=[])
    assert other.only is None
    other.close_all()


@pytest.mark.parametrize("kind", ["box", "brush", "none"])
def test_the_cell_names_the_region_and_shows_the_panels_picture(
    cells: Cells, panel: Panel, kind: str
) -> None:
    page = Clicks(panel)
    page.click(only={"box": box(panel), "brush": uneven(panel), "none": None}[kind])
    inserted = page.send("insert")
    written = {"box": "--only 16,12,32,24", "brush": "uploads/mask-photo-", "none": "photo.png\n"}
    assert written[kind] in inserted["code"]
    assert inserted["first"] == "Its first run shows this picture and sends nothing."
    made = cells.run(inserted["code"])
    assert len(cells._script.sent) == 1
    assert made.replayed_from == panel.selected.record.id
    assert made.only == panel.result.only
    assert made.good[0].path == panel.selected.path


def test_the_cell_for_another_region_shows_the_same_answer_in_it(
    cells: Cells, panel: Panel
) -> None:
    page = Clicks(panel)
    page.click(only=box(panel))
    panel.only = (0, 0, 8, 8)
    assert "the answer of this picture" in page.send("insert")["first"]
    assert cells.run(panel.cell())[0].getpixel(INSIDE) == (0, 0, 0)
    assert len(cells._script.sent) == 1


def test_another_region_is_another_click(cells: Cells, panel: Panel) -> None:
    page = Clicks(panel)
    page.click(only=box(panel))
    page.click(only=box(panel))
    page.click(only=box(panel, 0, 0, 8, 8))
    assert len(cells._script.sent) == 2, "two at once with one region are one"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"box": [40, 12, 32, 24]}, "leaves the input picture (64x48)"),
        ({"box": [0, 0, 0, 4]}, "0 pixels wide"),
        ({"box": [1, 2, 3]}, "not four whole numbers"),
        ({"size": [64, 48], "runs": [64 * 48]}, "The mask is empty"),
        ({"size": [64, 48], "runs": [1, 2]}, "a mask that is none"),
        ({"size": [64, 48], "runs": [-1, 64 * 48 + 1]}, "a mask that is none"),
        ({"size": 3, "runs": "x"}, "a mask that is none"),
        ({"digest": "gone", "box": [0, 0, 8, 8]}, "not there any more"),
    ],
)
def test_a_region_that_is_none_is_refused_and_nothing_is_sent(
    cells: Cells, panel: Panel, changes: dict[str, Any], message: str
) -> None:
    told = Clicks(panel).click(only={"digest": digest(panel), **changes})
    assert message in told["problem"]["message"]
    assert "Nothing was sent." in told["problem"]["advice"]
    assert cells._script.sent == []
    assert panel.only is None


def test_a_region_needs_one_picture_and_goes_with_it(cells: Cells, panel: Panel) -> None:
    page = Clicks(panel)
    page.send("controls", values={"only": box(panel)}, edit=["page", 1])
    first = digest(panel)
    panel.set_controls(images=[*panel.images, png((32, 32), "blue")])
    page.click()
    assert "only needs one input picture, and there are 2" in panel._status["problem"]["message"]
    assert cells._script.sent == []
    page.send("remove", digest=first)
    assert (panel.only, panel._controls["only"]) == (None, None)


def test_a_region_is_set_from_code_and_the_page_shows_it(cells: Cells, panel: Panel) -> None:
    panel.set_controls(only="16,12,32,24")
    assert panel._controls["only"] == box(panel)
    mask = Image.new("L", (64, 48))
    mask.paste(255, (0, 0, 64, 24))
    mask.putpixel((63, 23), 0)
    panel.set_controls(only=mask)
    half = 64 * 24
    assert panel._controls["only"]["runs"] == [0, half - 1, half + 1]
    assert np.array_equal(np.asarray(region.whole_mask(panel.only)), np.asarray(mask))
    with pytest.raises(InputError, match="leaves the input picture"):
        panel.only = (60, 0, 8, 8)
    panel.generate()
    assert panel.result[0].getpixel((32, 4)) == (255, 0, 0)
    plain = PlainPanel(
        lambda: cells.studio, spawn=in_place, images=["photo.png"], only=(1, 2, 3, 4)
    )
    assert "1,2,3,4" in plain.inputs.value
    plain.close_all()


def test_a_photo_that_lies_on_its_side_opens_upright_in_its_own_pixels(panel: Panel) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Image.new("RGB", (3000, 2000), "teal").save(buffer, "JPEG", exif=exif)
    panel.set_controls(images=[buffer.getvalue()])
    assert tuple(panel._inputs[0]["whole"]) == (2000, 3000)
    page = Clicks(panel)
    told = page.send("open", digest=digest(panel))
    assert Image.open(BytesIO(page.pictures[-1])).size == tuple(told["size"])
    assert told["size"][0] < told["size"][1] == 1280
    page.send("controls", values={"only": box(panel, 1900, 2900, 100, 100)}, edit=["page", 1])
    assert panel.only.box == (1900, 2900, 100, 100)
    assert "problem" in page.send("open", digest="gone")
