"""Names of pictures in batches and sweeps: copies beside the library's files, refused in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opeai_nb import Studio, batch, sweep
from opeai_nb.errors import InputError
from tests.studio.conftest import Watched

ROWS = [
    {"prompt": "a fox", "file": "animals/fox.png"},
    {"prompt": "an owl", "file": "owl", "n": 2},
    {"prompt": "a bat"},
]


def test_rows_name_their_pictures(studio: Studio, tmp_path: Path) -> None:
    made = batch(ROWS, studio=studio, out=tmp_path / "out", file="{index}-{prompt:.5}").run()
    assert [line["files"] for line in made.manifest] == [
        ["animals/fox.png"],
        ["owl-1.png", "owl-2.png"],
        ["3-a bat.png"],
    ]
    for line in made.manifest:
        for name in line["files"]:
            kept = next((tmp_path / "out").glob(f"*{line['id']}-*.png"))
            assert (tmp_path / "out" / name).stat().st_size
            assert kept.exists(), "the library's own file is beside it"
    again = batch(ROWS, studio=studio, out=tmp_path / "out", file="{index}-{prompt:.5}").run()
    assert again.manifest == made.manifest
    assert len(list((tmp_path / "out").glob("*-v2*"))) == 0


def test_a_rows_own_name_is_a_template_as_that_of_the_batch(studio: Studio, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a fox", "n": 2, "sku": 7.0, "file": "{sku}/{prompt:.3}-{n:02d}.png"},
        {"prompt": "an owl", "file": "{{kept}}"},
        {"prompt": "a bat", "file": 12.0},
    ]
    made = batch(rows, studio=studio, out=tmp_path / "out").run()
    assert [line["files"] for line in made.manifest] == [
        ["7/a f-01.png", "7/a f-02.png"],
        ["{kept}.png"],
        ["12.png"],
    ]


def test_a_copy_that_is_gone_is_made_again_and_another_file_is_left_alone(
    studio: Studio, transport: Watched, tmp_path: Path
) -> None:
    rows, out = [{"prompt": "a fox", "file": "fox.png"}], tmp_path / "out"
    out.mkdir()
    (out / "fox.png").write_bytes(b"mine")
    made = batch(rows, studio=studio, out=out).run()
    assert made.manifest[0]["files"] == ["fox-v2.png"]
    assert (out / "fox.png").read_bytes() == b"mine"
    (out / "fox.png").unlink()
    (out / "fox-v2.png").unlink()
    assert batch(rows, studio=studio, out=out).run().manifest[0]["files"] == ["fox.png"]
    assert json.loads((out / "manifest.jsonl").read_text())["files"] == ["fox.png"]
    assert transport.posts == 1


def test_a_link_in_the_folder_is_not_followed_out_of_it(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    rows = [{"prompt": "a fox", "file": "sub/fox.png"}]
    (line,) = batch(rows, studio=studio, out=tmp_path / "out").run().manifest
    assert "A link leads out of the folder" in line["error"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_mirror_has_the_rows_own_names(studio: Studio, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    rows = [{"prompt": "a fox", "file": "animals/fox.png"}]
    batch(rows, studio=studio, out=tmp_path / "out", mirror=f"file://{tmp_path}/copy").run()
    copies = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert [str(path.relative_to(tmp_path / "copy")) for path in copies] == ["animals/fox.png"]


@pytest.mark.parametrize(
    ("rows", "file", "told"),
    [
        ([{"file": "../x.png"}], None, "Row 1, column file: '../x.png' is no name below the fold"),
        ([{"file": "/etc/x.png"}], None, "Row 1, column file: '/etc/x.png' is no name below"),
        ([{"file": "../{n}.png"}], None, "Row 1, column file: '../{n}.png' is no name below"),
        ([{"file": "{n}/../../x"}], None, "Row 1, column file: '{n}/../../x' is no name below"),
        ([{"file": "C:\\{n}"}], None, "Row 1, column file: 'C:\\\\{n}' is no name below"),
        ([{"file": ".git/{n}"}], None, "Row 1, column file: '.git/{n}' begins with a dot"),
        ([{"file": "a.txt"}], None, "Row 1, column file: 'a.txt' ends in .txt"),
        ([{"file": "a{n"}], None, "Row 1, column file: 'a{n' has a { that begins or ends no word"),
        ([{"file": "{}.png"}], None, "Row 1, column file: '{}.png' has a { that begins"),
        ([{"file": "{0}.png"}], None, "Row 1, column file: '{0}.png' has a { that begins"),
        ([{"file": "{prompt.3}"}], None, "Row 1, column file: '{prompt.3}' has a { that begins"),
        ([{"file": "{promt}.png"}], None, "Row 1, column file: {promt} in the name of a file has"),
        ([{"file": "{n:d}"}, {"file": "{n:q}"}], None, "Row 2, column file: {n:q} in the name of"),
        ([{"file": "{file}-{n}"}], None, "Row 1, column file: {file} would name itself"),
        ([{"file": ["a", "b"]}], None, "Row 1, column file: It is a list, not text"),
        ([{"file": "{prompt}"}] * 2, None, "Row 1 and Row 2 would both be saved as 'a fox'"),
        ([{"file": "x.png"}, {"file": "X.png/y.png"}], None, "Row 1 and Row 2 would both be saved"),
        ([{"file": "a/x.jpg/y"}, {"file": "a/x.jpg"}], None, "Row 2 and Row 1 would both be saved"),
        ([{"file": "{index}"}, {"file": "1.png"}], None, "Row 1 and Row 2 would both be saved"),
        ([{"file": "a"}, {"file": "A.png"}], None, "Row 1 and Row 2 would both be saved"),
        ([{}, {}], "fox.png", "Row 1 and Row 2 would both be saved as 'fox.png'"),
        ([{}, {"file": "1-1.png"}], "{index}-{n}.png", "Row 1 and Row 2 would both be saved as"),
        ([{}], "../{n}.png", "file: '../{n}.png' is no name below the folder"),
        ([{}], "..\\{n}.png", "is no name below the folder"),
        ([{}], "/tmp/{n}.png", "file: '/tmp/{n}.png' is no name below the folder"),
        ([{}], ".pending/{n}.png", "file: '.pending/{n}.png' begins with a dot"),
        ([{}], "{prompt.30}.png", "file: '{prompt.30}.png' has a { that begins or ends no word"),
        ([{}], "{sku}.png", "Row 1: {sku} in the name of a file has no value"),
    ],
)
def test_what_no_file_can_be_called_is_refused_before_anything_is_sent(
    studio: Studio, transport: Watched, rows: list[dict[str, Any]], file: str | None, told: str
) -> None:
    given = [{"prompt": "a fox", **row} for row in rows]
    with pytest.raises(InputError) as caught:
        batch(given, studio=studio, file=file)
    assert told in caught.value.message
    assert "Nothing was sent." in caught.value.advice
    assert transport.posts == 0


def test_two_endings_are_two_names(studio: Studio) -> None:
    rows = [{"prompt": "a fox", "file": f"fox.{ending}"} for ending in ("png", "jpg")]
    assert len(batch(rows, studio=studio).plan) == 2


def test_a_column_that_is_not_chosen_names_nothing(studio: Studio) -> None:
    rows = [{"prompt": "a fox", "file": "/etc/passwd"}]
    (point,) = batch(rows, studio=studio, field_columns=["prompt"]).plan
    assert point.file is None
    (point,) = batch(rows, studio=studio, field_columns=["prompt"], file="{n}.png").plan
    assert point.file is not None


def test_a_sweep_names_by_its_axes(studio: Studio, tmp_path: Path) -> None:
    swept = sweep("a {animal} at {k} m", animal=["fox", "owl"], k=[0.5, 1], studio=studio)
    target = f"{tmp_path}/{{animal}}/{{index:02d}} {{k:.1f}}.png"
    assert swept.names(target) == [
        ["fox/01 0.5.png"],
        ["fox/02 1.0.png"],
        ["owl/03 0.5.png"],
        ["owl/04 1.0.png"],
    ]
    assert swept.names(tmp_path) is None
    with pytest.raises(InputError, match=r"fox · 0\.5 and fox · 1 would both be saved as 'fox"):
        swept.names(f"{tmp_path}/{{animal}}.png")
    paths = swept.run().save(target)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        name for each in swept.names(target) or () for name in each
    ]
    assert not (tmp_path / "grid.png").exists()
