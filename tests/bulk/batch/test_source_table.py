"""Tables as they are: what spreadsheets write, wherever they run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.bulk.batch.source_table import read_table
from opeai_nb.errors import InputError
from tests.pictures import png

CELLS = {"sku": "P-1", "Größe, cm": "1,5", "prompt": "a fox; in ink"}


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'sku,"Größe, cm",prompt\nP-1,"1,5",a fox; in ink\n'),
        ("a.csv", 'sku;"Größe, cm";prompt\nP-1;1,5;"a fox; in ink"\n'),
        ("a.csv", "sku;Größe, cm;prompt\r\nP-1;1,5;'a fox; in ink'\r\n".replace("'", '"')),
        ("a.csv", "sku\tGröße, cm\tprompt\nP-1\t1,5\ta fox; in ink\n"),
        ("a.tsv", "sku\tGröße, cm\tprompt\nP-1\t1,5\ta fox; in ink\n"),
        ("a.txt", "sku|Größe, cm|prompt\nP-1|1,5|a fox; in ink\n"),
        ("a.csv", 'sep=;\nsku;"Größe, cm";prompt\nP-1;1,5;"a fox; in ink"\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings_of_every_spreadsheet(
    tmp_path: Path, name: str, text: str, encoding: str
) -> None:
    table = read_table(written(tmp_path / name, text, encoding))
    assert [row.cells for row in table.rows] == [CELLS]
    assert [row.number for row in table.rows] == [2]
    assert any("cp1252" in note for note in table.notes) is (encoding == "cp1252")


def test_one_column_of_prompts_with_commas_in_quotes(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", 'prompt\n"a fox, in ink"\n{a|b}\n'))
    assert [row.cells["prompt"] for row in table.rows] == ["a fox, in ink", "{a|b}"]


def test_empty_rows_are_left_out_and_counted_and_the_others_keep_their_number(
    tmp_path: Path,
) -> None:
    table = read_table(written(tmp_path / "a.csv", 'prompt,n\n\n"a\nfox",1\n,,,\nan owl,2\n , \n'))
    assert [(row.number, row.cells["prompt"]) for row in table.rows] == [
        (3, "a\nfox"),
        (5, "an owl"),
    ]
    assert table.notes == ("3 empty rows were left out",)


def test_files_put_one_behind_another_have_one_head(tmp_path: Path) -> None:
    text = "city,prompt\nRome,a fox\n" + "\ufeffcity,prompt\nOslo,an owl\n"
    table = read_table(written(tmp_path / "a.csv", text))
    assert [(row.number, row.cells["city"]) for row in table.rows] == [(2, "Rome"), (4, "Oslo")]
    assert table.notes == ("1 repeated head was left out",)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("prompt\n一只猫在窗边看书\n", "gb18030"),
        ("prompt,n\na castle,1\n夜の城。,1\n", "shift_jis"),
        ("prompt\n고양이가 창가에 앉아\n", "euc_kr"),
        ("prompt\nжёлтый лёд\n", "cp1251"),
    ],
)
def test_text_of_other_alphabets_is_not_read_as_windows_text(
    tmp_path: Path, text: str, encoding: str
) -> None:
    """Each row would be paid for as nonsense."""
    with pytest.raises(InputError, match="not UTF-8"):
        read_table(written(tmp_path / "a.csv", text, encoding))


def test_where_a_quote_is_left_open_among_many_rows_its_row_is_told(tmp_path: Path) -> None:
    rows = [f"an owl,{number}" for number in range(500)]
    rows[300] = 'a "fox",300'  # no quote that opens
    rows[400] = '"an owl,400'
    with pytest.raises(InputError, match="Row 402 is not valid CSV"):
        read_table(written(tmp_path / "a.csv", "\n".join(["prompt,i", *rows])))


@pytest.mark.parametrize("source", [io.StringIO("prompt\na fox\n"), io.BytesIO(b"prompt\n")])
def test_the_lines_of_an_open_file_are_not_taken_for_prompts(source: io.IOBase) -> None:
    with pytest.raises(InputError, match="An open file is not a batch"):
        read_table(source)


@pytest.mark.parametrize("template", ["a {n} in { city }", "a {city!r}", "a {{city}}"])
def test_a_column_in_braces_that_would_be_painted_as_they_stand_is_told(template: str) -> None:
    with pytest.raises(InputError, match="would be painted as it stands"):
        rows_of([{"city": "Rome", "n": 1}], template, {})


def test_white_space_behind_an_open_brace_is_read_in_a_straight_line() -> None:
    """A tenth of a second; a search that goes back over it takes minutes."""
    text = "{{" + " " * 100_000
    assert rows_of(["a fox"], f"{text} {{prompt}}", {}).plan[0].request.prompt.endswith("a fox")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a {city} in {{country}}", "a Rome in {country}"),
        ("{city}: {{city}}", "Rome: {city}"),
        (r"a \{city}", "a {city}"),
        ('{"a": 1} {x!r}', '{"a": 1} {x!r}'),
    ],
)
def test_braces_that_are_meant_stay(template: str, told: str) -> None:
    rows = [{"city": "Rome", "country": "Italy"}]
    assert rows_of(rows, template, {}).plan[0].request.prompt == told


def test_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in ([], ["prompt", "n", None], ["a fox", 2, None], [], ["an owl", None, None]):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    plan = rows_of(tmp_path / "a.xlsx", None, {})
    assert [(p.request.prompt, p.request.n) for p in plan.plan] == [("a fox", 2), ("an owl", None)]
    assert [row.number for row in plan.table.rows] == [3, 5]


def test_a_formula_that_was_never_computed_is_no_empty_cell(tmp_path: Path) -> None:
    """As programs write them. Its size would be another one, and be paid for."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in (["prompt", "size"], ["a fox", None], ["an owl", '="1024x"&"1536"']):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="Row 3 has a formula that was never computed"):
        read_table(tmp_path / "a.xlsx")
    for cell, size in (("<v>1024x1536</v>", "1024x1536"), ("<v></v>", None)):
        path = tmp_path / "computed.xlsx"
        with ZipFile(tmp_path / "a.xlsx") as written, ZipFile(path, "w") as computed:
            for name in written.namelist():
                text = written.read(name)
                computed.writestr(
                    name,
                    text.replace(b"<v />", cell.encode()).replace(
                        b'<c r="B3">', b'<c r="B3" t="str">'
                    ),
                )
        assert read_table(path).rows[1].cells.get("size") == size


def test_a_workbook_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pytest.raises(InputError, match=r"a\.xlsx is not an Excel workbook"):
        read_table(written(tmp_path / "a.xlsx", "prompt\n"))


@pytest.mark.parametrize(
    "cell", ["a.png;b.png", "a.png, b.png", "a.png | b.png", '["a.png", "b.png"]', "a.png\nb.png"]
)
def test_several_pictures_in_a_cell(tmp_path: Path, cell: str) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png())
    quoted = cell.replace('"', '""')
    path = written(tmp_path / "t.csv", f'prompt,image\nat night,"{quoted}"\n')
    assert [len(point.request.image) for point in rows_of(path, None, {}).plan] == [2]


@pytest.mark.parametrize("head", ["image,image_2", "image,image2", "image,image", "image,image 2"])
def test_several_columns_of_pictures(tmp_path: Path, head: str) -> None:
    for name in ("a.png", "b,c.png"):
        (tmp_path / name).write_bytes(png())
    path = written(tmp_path / "t.csv", f'prompt,{head}\nx,a.png,"b,c.png"\ny,a.png,\n')
    assert [len(point.request.image) for point in rows_of(path, None, {}).plan] == [2, 1]


def test_bookkeeping_columns_are_the_user_s_where_the_fields_are_named() -> None:
    row: dict[str, Any] = {
        "name": "cup",
        "style": "casual",
        "size": 42,
        "images": "x",
        "user": "anna",
    }
    with pytest.raises(InputError, match="'images' is not a field"):
        rows_of([row], "a {name}", {})
    request = rows_of([row], "a {name}", {}, field_columns=[]).plan[0].request
    assert (request.style, request.size, request.user, request.image) == (None, None, None, ())
    with pytest.raises(
        InputError, match=r"'sise' is not a field of a request\. Did you mean 'size'"
    ):
        rows_of([row], "a {name}", {}, field_columns=["sise"])
