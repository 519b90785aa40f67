"""A selection for others: what is in it, and that it is there whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.errors import InputError, LibraryError, OpeaiError, OptionError
from opeai_nb.library import Library, Marks
from opeai_nb.library.export.card import COLUMNS
from opeai_nb.library.export.export import export
from opeai_nb.library.export.piece import Piece, pieces_of
from opeai_nb.library.export.split import NAMES, part_of, shares_of, split_in
from tests.library.conftest import encoded
from tests.library.metadata.test_content_credentials import signed
from tests.library.refusing_disk import RefusingDisk

Keep = Callable[..., Generation]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>'


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(keep: Keep, library: Library) -> None:
    """Three requests, five pictures: one of two is starred and tagged, one lies in the trash."""
    keep("a fox\nin <b>snow</b> 水", pictures=[encoded(), encoded(colour="red")], quality="high")
    keep("an owl", pictures=[encoded("JPEG")], origin="engine", model="gpt-image-2")
    keep("a blurred hare")
    fox, hare = library.search("fox")[0].id, library.search("hare")[0].id
    library.mark(f"{fox}-2", star=True, tag=["talk", "may"], note='the "one"')
    library.mark(hare, trash=True)


def rows_in(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "metadata.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.usefixtures("kept")
def test_a_folder_becomes_the_files_as_they_are_and_a_table(library: Library, out: Path) -> None:
    made = library.export(out / "set")
    rows = rows_in(out / "set")
    files = {row["file_name"] for row in rows}
    assert names_in(out / "set") == {*files, "metadata.jsonl", "README.md"}
    assert len(files) == 3 == made.pictures
    for name in files:
        assert (out / "set" / name).read_bytes() == (library.folder / name).read_bytes()
    fox = library.search("fox")[0]
    row = next(row for row in rows if row["id"] == f"{fox.id}-2")
    assert row["prompt"] == "a fox\nin <b>snow</b> 水"
    assert (row["model"], row["origin"]) == ("qwen-image-2.0", "platform")
    assert (row["width"], row["height"]) == (48, 32)
    assert (row["tags"], row["starred"], row["note"]) == ("may talk", True, 'the "one"')
    assert row["sha256"] == fox.pictures[1].sha256
    assert json.loads(row["request"])["quality"] == "high"
    assert str(made) == "3 pictures in set"
    assert os.fspath(made) == str(out / "set")


@pytest.mark.usefixtures("kept")
def test_every_line_has_the_same_columns_with_the_same_types(library: Library, out: Path) -> None:
    """Of a list that is empty in one part, the loader makes another type, and refuses the set."""
    library.export(out / "set")
    shapes = {
        tuple((name, type(value)) for name, value in row.items()) for row in rows_in(out / "set")
    }
    (shape,) = shapes
    assert [name for name, _ in shape] == [name for name in COLUMNS if name != "axes"]
    assert {kind for _, kind in shape} <= {str, int, bool}


@pytest.mark.usefixtures("kept")
def test_the_card_leaves_the_licence_open_and_names_every_column(
    library: Library, out: Path
) -> None:
    library.export(out / "my set: 1")
    card = (out / "my set: 1" / "README.md").read_text(encoding="utf-8")
    front = card.split("---")[1]
    assert 'pretty_name: "my set: 1"' in front
    assert "license" not in front
    assert "Licence\n\nNot chosen yet." in card
    assert [name for name in rows_in(out / "my set: 1")[0] if f"| `{name}` |" not in card] == []


@pytest.mark.usefixtures("kept")
def test_what_is_chosen_is_chosen_as_in_a_search(library: Library, out: Path) -> None:
    fox = library.search("fox")[0]
    asked: list[tuple[str, dict[str, Any], int]] = [
        ("a", {"text": "fox snow"}, 2),
        ("b", {"model": "gpt*"}, 1),
        ("c", {"origin": "engine"}, 1),
        ("d", {"limit": 1}, 1),
        ("e", {"trashed": True}, 1),
        ("f", {"starred": True, "tag": "#MAY"}, 1),
    ]
    for name, query, count in asked:
        assert library.export(out / name, **query).pictures == count, query
    assert rows_in(out / "f")[0]["id"] == f"{fox.id}-2", "of its pictures the one with the star"
    library.mark(fox.id, star=True)
    assert library.export(out / "g", starred=True).pictures == 2, "the record's star is on both"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_signed_picture_leaves_as_it_came(
    kind: str, keep: Keep, library: Library, out: Path
) -> None:
    keep("a fox", pictures=[signed(kind)])
    library.export(out / "set")
    (row,) = rows_in(out / "set")
    assert (out / "set" / row["file_name"]).read_bytes() == signed(kind)
    library.export(out / "page.html")
    assert _data_in(out / "page.html") == [signed(kind)]


def test_pictures_that_were_given_stay_here(keep: Keep, library: Library, out: Path) -> None:
    keep(ImageRequest("make it blue", image=[encoded(colour="black")]))
    library.export(out / "set")
    (row,) = rows_in(out / "set")
    (image,) = library.search()[0].written["image"]
    assert row["inputs"] == image["sha256"]
    assert len(names_in(out / "set")) == 3


def test_what_the_loader_cannot_decode_is_left_out_and_told(
    keep: Keep, library: Library, out: Path
) -> None:
    keep("a drawing", pictures=[SVG, encoded()])
    made = library.export(out / "set")
    (row,) = rows_in(out / "set")
    assert row["file_name"].endswith("-2.png")
    assert [Path(name).suffix for name in made.left_out] == [".svg"]
    assert "left out" in str(made)
    assert library.export(out / "page.html").pictures == 2


def test_two_records_that_name_one_file_are_two_rows(
    keep: Keep, library: Library, out: Path
) -> None:
    """As after a record was copied by hand."""
    keep("a fox")
    (file,) = library.folder.glob("*.json")
    text = file.read_text()
    file.with_name("2026-11-22-copy-00000001.json").write_text(
        text.replace(json.loads(text)["id"], "00000001", 1)
    )
    assert library.export(out / "set").pictures == 2
    assert len({row["file_name"] for row in rows_in(out / "set")}) == 2


# -- a split


def test_all_pictures_of_a_prompt_are_in_one_part_and_stay_there(
    keep: Keep, library: Library, out: Path
) -> None:
    for number in range(6):
        keep(f"fox {number}", pictures=[encoded(), encoded(colour="red")])
    made = library.export(out / "a", split=0.5)
    assert made.parts == {"train": 6, "test": 6}
    keep("FOX  0")
    keep("a hare")
    library.export(out / "b", split={"test": 1, "train": 1})
    before, after = _parts(out / "a"), _parts(out / "b")
    assert {prompt: after[prompt] for prompt in before} == before
    assert after["FOX  0"] == before["fox 0"]
    card = (out / "a" / "README.md").read_text()
    assert "  - split: train\n    path: train/**\n  - split: test" in card


def _parts(folder: Path) -> dict[str, str]:
    """Return the part of each prompt. Every picture of a part lies beside its table."""
    parts: dict[str, str] = {}
    for part in {"train", "test"} & names_in(folder):
        rows = rows_in(folder / part)
        files = {row["file_name"] for row in rows}
        assert names_in(folder / part) == {*files, "metadata.jsonl"}
        for row in rows:
            assert parts.setdefault(row["prompt"], part) == part
    return parts


@given(st.text(), st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 1e6), min_size=1))
def test_every_prompt_has_its_part(prompt: str, split: dict[str, float]) -> None:
    part = part_of(prompt, shares_of(split))
    assert part in split
    assert part == part_of(f"  {prompt.upper().lower()} ", shares_of(split)) or not prompt.isascii()


def test_parts_are_as_large_as_was_asked() -> None:
    shares = shares_of({"train": 8, "validation": 1, "test": 1})
    parts = [part_of(f"prompt {number}", shares) for number in range(2000)]
    assert [round(parts.count(name) / 2000, 1) for name in NAMES] == [0.8, 0.1, 0.1]


def test_a_split_is_read_from_a_word() -> None:
    assert split_in("0.2") == 0.2
    assert split_in("train=8, test=2") == {"train": 8.0, "test": 2.0}
    for word in ("much", "train=8,test", "=1,"):
        with pytest.raises(OptionError, match="split"):
            shares_of(split_in(word))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("orders", [{}, {"split": {"train": 1, "test": 1}}], ids=["whole", "split"])
def test_an_earlier_export_is_replaced_when_asked(
    orders: dict[str, Any], library: Library, out: Path
) -> None:
    for name in ("set", "page.html", "sheet.png"):
        given = orders if name == "set" else {}
        library.export(out / name, "owl", **given)
        first = _bytes(out / name)
        with pytest.raises(LibraryError, match="--replace"):
            library.export(out / name, **given)
        assert _bytes(out / name) == first
        assert library.export(out / name, replace=True, **given).pictures == 3
        assert _bytes(out / name) != first
    assert names_in(out) == {"set", "page.html", "sheet.png"}, "nothing else is left"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("name", ["page.html", "sheet.png", "sheet.jpg", "sheet.pdf"])
def test_a_file_that_is_no_earlier_export_is_never_replaced(
    name: str, library: Library, out: Path
) -> None:
    (out / name).write_bytes(b"mine" * 10_000)
    with pytest.raises(LibraryError, match=f"{name} is there already"):
        library.export(out / name, replace=True)
    assert (out / name).read_bytes() == b"mine" * 10_000
    (out / name).unlink()
    library.export(out / name, "owl")
    assert library.export(out / name, replace=True).pictures == 3


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("target", ["~nobody-has-this-name/set", "a\0b"])
def test_a_place_that_no_system_has_is_refused(target: str, library: Library) -> None:
    with pytest.raises(InputError):
        library.export(target)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "own", ["mine.txt", "train/mine.png", "link", "no card", "no mark", "a broken table"]
)
def test_a_folder_with_anything_else_in_it_is_never_replaced(
    own: str, library: Library, out: Path
) -> None:
    folder = library.export(out / "set", split={"train": 1}).path
    if own == "link":
        (folder / own).symlink_to(out)
    elif own == "no card":
        (folder / "README.md").unlink()
    elif own == "no mark":
        (folder / "README.md").write_text("# My pictures")
    elif own == "a broken table":
        (folder / "train" / "metadata.jsonl").write_text('{"file_name": 3}')
    else:
        (folder / own).write_bytes(b"mine")
    before = _everything(out)
    with pytest.raises(LibraryError, match="set is not empty"):
        library.export(folder, replace=True)
    assert _everything(out) == before


# -- what is refused

WRONG: list[tuple[str, dict[str, Any], type[OpeaiError], str]] = [
    ("set", {"text": "zebra"}, LibraryError, "nothing to export"),
    ("full", {}, LibraryError, "full is not empty"),
    ("link", {}, LibraryError, "link is there already"),
    ("note.png", {}, LibraryError, "note.png is there already"),
    ("set.zip", {}, OptionError, "no name of an export"),
    ("set", {"split": 1}, OptionError, "share above 0"),
    ("set", {"split": float("nan")}, OptionError, "share above 0"),
    ("set", {"split": {}}, OptionError, "share above 0"),
    ("set", {"split": True}, OptionError, "is no share"),
    ("set", {"split": {"train": "8"}}, OptionError, "is no share"),
    ("set", {"split": {"../x": 1, "test": 1}}, OptionError, "no part of a data set"),
    ("set", {"split": {"tets": 1}}, OptionError, "Did you mean 'test'"),
    ("page.html", {"split": 0.2}, OptionError, "Only a data set has a split"),
    ("set", {"side": 100}, OptionError, "has no side"),
    ("page.html", {"side": 0}, OptionError, "whole number from 32"),
    ("sheet.png", {"side": 512.0}, OptionError, "whole number from 32"),
    ("set", {"since": "soon"}, OptionError, "not a date"),
    ("set", {"limit": -1}, OptionError, "limit"),
]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("case", WRONG, ids=str)
def test_what_is_wrong_is_said_before_anything_is_written(
    case: tuple[str, dict[str, Any], type[OpeaiError], str], library: Library, out: Path
) -> None:
    target, orders, error, message = case
    (out / "full").mkdir()
    (out / "full" / "mine.txt").touch()
    (out / "note.png").touch()
    (out / "link").symlink_to(out / "full")
    before = _everything(out)
    with pytest.raises(error, match=re.escape(message)):
        library.export(out / target, **orders)
    assert _everything(out) == before


def _bytes(place: Path) -> dict[Path, bytes]:
    """Return the content of a file, or of all files in a folder."""
    return {path: path.read_bytes() for path in (place, *place.rglob("*")) if path.is_file()}


def _everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.usefixtures("kept")
def test_an_empty_folder_is_taken(library: Library, out: Path) -> None:
    (out / "set").mkdir()
    assert library.export(out / "set").pictures == 3
    assert library.export(out / "new" / "deep" / "v1.0").pictures == 3


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("name", ["set", "page.html", "sheet.png", "sheet.pdf"])
def test_of_an_export_that_a_disk_refuses_nothing_is_left(
    name: str, library: Library, out: Path
) -> None:
    full, closed = RefusingDisk(), RefusingDisk()
    full.room = 200  # bytes: less than a picture or a line
    closed.read_only = (out / name,)
    for disk, reason in ((full, "No space left"), (closed, "Read-only")):
        if disk is closed or name == "set":
            with pytest.raises(LibraryError, match=f"{name} cannot be written: {reason}"):
                export(_pieces(library), out / name, disk=disk)
            assert _everything(out) == []


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), LibraryError("gone")])
def test_of_an_export_that_is_cut_short_nothing_is_left(
    error: BaseException, library: Library, out: Path
) -> None:
    def cut() -> Iterator[Piece]:
        yield next(_pieces(library))
        raise error

    with pytest.raises(type(error)):
        export(cut(), out / "set")
    assert _everything(out) == []


@pytest.mark.usefixtures("kept")
def test_a_picture_that_goes_away_meanwhile_ends_it(library: Library, out: Path) -> None:
    pieces = list(_pieces(library))
    pieces[1].path.unlink()
    with pytest.raises(LibraryError, match="cannot be read"):
        export(pieces, out / "set")
    assert _everything(out) == []


def _pieces(library: Library) -> Iterator[Piece]:
    return pieces_of(library.selected(), lambda _: Marks())


def test_a_search_is_gone_through_page_by_page(keep: Keep, library: Library, folder: Path) -> None:
    keep("fox 0")
    (file,) = folder.glob("*.json")
    stands = json.loads(file.read_text())
    for number in range(1, 502):
        stands |= {"id": f"{number:08x}"}
        (folder / f"2026-11-22-fox-{number:08x}.json").write_text(json.dumps(stands))
    ids = [record.id for record in library.search("fox")]
    assert len(ids) == 502
    assert [record.id for record in library.selected("fox")] == ids
    assert [record.id for record in library.selected("fox", limit=501)] == ids[:501]
    assert [*library.selected("fox", limit=0)] == []


# -- a page


def _data_in(page: Path) -> list[bytes]:
    from base64 import b64decode

    found = re.findall(rb'src="data:image/[a-z+]+;base64,([^"]*)"', page.read_bytes())
    return [b64decode(text, validate=True) for text in found]


@pytest.mark.usefixtures("kept")
def test_a_page_holds_the_files_and_needs_nothing_else(library: Library, out: Path) -> None:
    made = library.export(out / "page.html")
    text = (out / "page.html").read_text(encoding="utf-8")
    files = [path.read_bytes() for record in library.search() for path in record.paths]
    assert _data_in(out / "page.html") == files
    assert made.pictures == 3
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href|url\()\W*(https?:|//)", text)
    assert "a fox\nin &lt;b&gt;snow&lt;/b&gt; 水" in text
    assert "<b>" not in text
    assert text.count('alt="') == 3
    assert "the &quot;one&quot;" in text


def test_words_of_ones_own_stand_in_the_place_of_the_prompt(
    keep: Keep, library: Library, out: Path
) -> None:
    keep("a fox")
    library.mark(library.search()[0].id, alt="A fox looks up.", caption="Our mascot <3")
    library.export(out / "page.html")
    text = (out / "page.html").read_text(encoding="utf-8")
    assert 'alt="A fox looks up."' in text
    assert "<p>Our mascot &lt;3</p>" in text
    library.export(out / "set")
    (row,) = rows_in(out / "set")
    assert (row["alt"], row["caption"]) == ("A fox looks up.", "Our mascot <3")


@pytest.mark.usefixtures("kept")
def test_a_page_can_be_smaller(library: Library, out: Path) -> None:
    from io import BytesIO

    library.export(out / "page.html", side=32)
    for data in _data_in(out / "page.html"):
        with Image.open(BytesIO(data)) as image:
            assert max(image.size) == 32


def test_a_page_that_no_browser_would_open_is_refused(
    keep: Keep, library: Library, out: Path
) -> None:
    keep("a fox")
    pieces = list(_pieces(library))
    os.truncate(pieces[0].path, 201_000_000)  # takes no room
    with pytest.raises(LibraryError, match="201 MB: too much") as caught:
        export(pieces, out / "page.html")
    assert "side=1024" in caught.value.advice
    assert _everything(out) == []


# -- a contact sheet


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG")]
)
def test_a_contact_sheet_is_one_picture(name: str, kind: str, library: Library, out: Path) -> None:
    assert library.export(out / name, side=64).pictures == 3
    with Image.open(out / name) as image:
        assert image.format == kind
        assert image.width >= 128
    assert names_in(out) == {name}


@pytest.mark.usefixtures("kept")
def test_a_pdf_has_as_many_pages_as_it_takes(library: Library, out: Path) -> None:
    pieces = [*_pieces(library)] * 15
    export(pieces[:41], out / "a.pdf", side=32)
    data = (out / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert max(map(int, re.findall(rb"/Count (\d+)", data))) == 3


@pytest.mark.usefixtures("kept")
def test_a_sheet_of_too_many_is_refused(library: Library, out: Path) -> None:
    with pytest.raises(LibraryError, match="more than 120 pictures"):
        export([*_pieces(library)] * 41, out / "a.png")
    assert _everything(out) == []


def test_what_cannot_be_drawn_is_said_in_its_place(keep: Keep, library: Library, out: Path) -> None:
    keep("a drawing", pictures=[SVG])
    assert library.export(out / "a.png").pictures == 1
