"""`--save` with a template: what it lacks is said before it costs, in cells and in sweeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from opeai_nb.client.values.words import Words
from opeai_nb.errors import InputError, LibraryError
from tests.notebook.shell import Cells


def test_a_cell_saves_by_a_template(cells: Cells) -> None:
    cells.run("%imagine --save out/{prompt:.5}-{n}.png a fox in snow")
    cells.run("%imagine --yes --save out/{choice}/{n} a {red|blue} fox")
    cells.run("where = 'plain'\n%imagine --save {where} an owl")
    found = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.png"))
    assert found == ["a fox-1.png", "blue/1.png", "red/1.png"]
    assert [path.name for path in Path("plain").iterdir()] == ["an-owl-1.png"]


def test_a_cell_says_what_its_pictures_show(cells: Cells) -> None:
    made = cells.run('%imagine --alt "A fox." --caption Frost --keywords "fox, snow" a fox')
    assert made.words == Words("A fox.", "Frost", ("fox", "snow"))
    swept = cells.run('%imagine --yes --alt "One {choice} owl." a {red|blue} owl')
    assert [each.words.alt for each in swept] == ["One red owl.", "One blue owl."]


@pytest.mark.parametrize(
    "line",
    [
        "--save out/{prompt}-{animal}.png a fox",
        "--save out/{n}/../x.png a fox",
        "--save out/{n}.txt a fox",
        "--save out/{prompt:x}-{n}.png a fox",
        "--save out/{model}.png a {red|blue} fox",
        "--dry-run --save out/{model}.png a {red|blue} fox",
        "--dry-run --save out/{n}.txt a fox",
    ],
)
def test_what_no_file_can_be_called_sends_nothing(cells: Cells, line: str) -> None:
    with pytest.raises(InputError) as caught:
        cells.run(f"%imagine {line}")
    assert "Nothing was sent." in caught.value.advice
    assert cells.sent == []


def test_a_copy_of_what_was_received_is_known_again_and_one_by_save_tells_itself(
    cells: Cells,
) -> None:
    made = cells.run('%imagine --caption "Frost" --save told a fox')
    (plain,) = made.save("received")
    (told,) = Path("told").iterdir()
    assert told.read_bytes() == made.pictures[0].data
    assert plain.read_bytes() == made.pictures[0].received != told.read_bytes()
    for copy in (plain, told):
        assert "Frost" in repr(cells.run(f"%imagine info {copy}"))
    plain.write_bytes(plain.read_bytes()[:-1])
    with pytest.raises(LibraryError, match="no record of how it was made"):
        cells.run(f"%imagine info {plain}")
