"""Rows in, pictures and a manifest out; stopped and run again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.bulk.batch.manifest_file import read_lines
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.cli.main import main
from opeai_nb.errors import InputError
from opeai_nb.studio import Studio
from tests.pictures import png
from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_a_list_of_prompts_is_a_batch(studio: Studio) -> None:
    made = batch(["a fox", "an owl"], studio=studio, **SMALL).run()
    assert [line["status"] for line in lines(made.folder)] == ["done", "done"]
    for line in made.manifest:
        assert all((made.folder / name).is_file() for name in line["files"])
    assert repr(made) == "<Batch: 2 rows · 2 done>"


def test_a_batch_shows_the_pictures_of_its_first_rows_in_their_places(studio: Studio) -> None:
    made = batch(["a fox", "an owl", "a hare"], studio=studio, **SMALL)
    assert DisplayFormatter().format(made) == ({"text/plain": "<Batch: 3 rows planned>"}, {})
    made.run()
    (made.folder / made.manifest[1]["files"][0]).unlink()
    data, metadata = DisplayFormatter().format(made)
    assert set(data) == {"text/plain", "image/jpeg"}
    about = metadata["image/jpeg"]
    assert about["alt"] == "The first 3 of 3 rows: a fox; an owl; a hare"
    assert about["width"] > 2.8 * about["height"], "a place for the one whose file is gone, too"


def test_columns_are_fields_and_words_and_the_rest_goes_to_the_manifest(studio: Studio) -> None:
    rows = [
        {"city": "Oslo", "size": "512x512", "n": "2", "note": "first"},
        {"city": "Lisbon", "size": "", "note": "second"},
    ]
    made = batch(rows, prompt="a poster of {city}", size="768x512", studio=studio).run()
    requests = [point.request for point in made.plan]
    assert [(r.prompt, r.size, r.n) for r in requests] == [
        ("a poster of Oslo", "512x512", 2),
        ("a poster of Lisbon", "768x512", None),
    ]
    assert [line["note"] for line in made.manifest] == ["first", "second"]
    assert [len(line["files"]) for line in made.manifest] == [2, 1]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_files_of_each_kind_give_the_same_rows(tmp_path: Path, ending: str) -> None:
    given = [{"prompt": "a fox, in ink", "n": 2}, {"prompt": "狐狸", "n": 1}]
    path = tmp_path / f"rows.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in given), "utf-8")
    else:
        comma = "," if ending == "csv" else "\t"
        text = "".join(f'"{row["prompt"]}"{comma}{row["n"]}\n' for row in given)
        path.write_text(f"\ufeffprompt{comma}n\n{text}", "utf-8")
    requests = [point.request for point in rows_of(path, None, {}).plan]
    assert [(r.prompt, r.n) for r in requests] == [("a fox, in ink", 2), ("狐狸", 1)]


def test_a_dataframe_is_a_batch(studio: Studio) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"prompt": ["a fox", "an owl"], "n": [2, None]})
    rows = rows_of(table, None, {})
    assert [point.request.n for point in rows.plan] == [2, None]


@pytest.mark.parametrize("head", ["prompt;n\n", "sep=;\nprompt;n\n", "\ufeffprompt;n\n"])
def test_a_table_of_a_spreadsheet_with_semicolons_is_read(tmp_path: Path, head: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f'{head}"a fox; in ink";2\nan owl, asleep;\n', "utf-8")
    requests = [point.request for point in rows_of(path, None, {}).plan]
    assert [(r.prompt, r.n) for r in requests] == [("a fox; in ink", 2), ("an owl, asleep", None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prompt\nan owl\na fox, in ink\n", "Row 3 has more cells"),
        ('prompt\n"a fox\nan owl\n', "not valid CSV"),
        ("prompt,prompt\na,b\n", "Two columns are named 'prompt'"),
        ("prompt;size\n;\na fox;huge\n", "Row 3: 'huge' is not a size"),
        ("", "empty"),
        ("prompt\nF\udc81chse\n", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_reason(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=words):
        rows_of(path, None, {})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": ["a", "b"]}', "Row 1: The prompt is a list"),
        ("[1]", "Row 1 is a list"),
        ("[" * 100_000, "Line 1 is not valid JSON"),
    ],
)
def test_a_line_that_is_no_request_is_refused(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(InputError, match=words):
        rows_of(path, None, {})


def test_pictures_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "at night", "image": ["a.png"]}\n{"prompt": "x", "image": "a.png"}')
    plan = rows_of(path, None, {}).plan
    assert [len(point.request.image) for point in plan] == [1, 1]


@pytest.mark.parametrize("cell", ["pics\\a.png", ".\\pics\\a.png", "pics\\a.png; pics\\a.png"])
def test_pictures_are_found_as_windows_writes_their_paths(tmp_path: Path, cell: str) -> None:
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a.png").write_bytes(png())
    (tmp_path / "rows.csv").write_text(f"prompt,image\nat night,{cell}\n")
    (point,) = rows_of(tmp_path / "rows.csv", None, {}).plan
    assert {image.data for image in point.request.image} == {png()}


def test_a_manifest_is_a_batch_of_its_own(studio: Studio, tmp_path: Path) -> None:
    """Its failed lines are taken, say, and run again: what they told of before is gone."""
    first = batch(
        [{"prompt": "a fox", "sku": "P-1", "model": "rehearsal-moderation"}], studio=studio
    ).run()
    (old,) = first.manifest
    assert (old["status"], "error" in old) == ("failed", True)
    again = batch([{**old, "model": "qwen-image-2.0"}], studio=studio, out=tmp_path, **SMALL).run()
    (line,) = again.manifest
    assert (line["row"], line["status"], line["sku"]) == (1, "done", "P-1")
    assert "error" not in line
    assert line["request"] != old["request"]


def test_a_limit_of_the_session_holds_for_a_batch_in_a_folder_of_its_own(
    new_studio: Callable[..., Studio], tmp_path: Path
) -> None:
    studio = new_studio(max_images_per_session=3)
    studio.generate("a cat", n=2, **SMALL)
    made = batch(["a fox", "an owl"], studio=studio, out=tmp_path / "out", **SMALL)
    made.run(concurrency=1)
    assert made.summary == "2 rows · 1 done · 1 failed"
    assert studio.ledger.asked == 3


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"prompt": "a fox"}, {"prompt": "a fox", "n": "many"}], "Row 2: n is 'many'"),
        ([{"prompt": "a fox"}, {"prompt": ""}], "Row 2: The prompt is empty"),
        ([{"text": "a fox"}], "no column named prompt"),
        ([{"prompt": "a fox", "modle": "x"}], "Did you mean 'model'"),
        ([], "empty"),
    ],
)
def test_a_row_that_cannot_be_right_is_told_with_its_number(rows: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        batch(rows)


def test_running_again_sends_what_is_missing_and_the_manifest_is_the_same(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    first = batch(["a fox", "an owl"], studio=new_studio(), **SMALL).run()
    kept = lines(first.folder)
    again = batch(["a fox", "an owl", "a cat"], studio=new_studio(), **SMALL)
    assert again.kept == {0, 1}
    again.run()
    assert transport.posts == 3
    assert lines(again.folder)[:2] == kept


def test_a_line_that_a_crash_cut_short_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(
        '{"row": 0, "status": "failed"}\n{"row": 1, "sta\n{"row": 0, "status": "done"}\n'
    )
    assert [*read_lines(path).values()] == [{"row": 0, "status": "done"}]


def test_failed_rows_stand_in_the_manifest_with_the_reason(studio: Studio) -> None:
    rows = [{"prompt": "a fox", **SMALL}, {"prompt": "x", "model": "rehearsal-moderation"}]
    made = batch(rows, studio=studio).run()
    assert [line["status"] for line in made.manifest] == ["done", "failed"]
    assert [line["row"] for line in made.manifest] == [1, 2]
    assert "refused" in made.manifest[1]["error"]


def test_a_parquet_file_holds_the_same(studio: Studio) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    made = batch(
        [{"prompt": "a fox", "note": 1}, {"prompt": "b", "note": "x"}], studio=studio, **SMALL
    )
    made.run()
    table = pandas.read_parquet(made.folder / "manifest.parquet")
    assert list(table["status"]) == ["done", "done"]
    assert list(table["note"]) == ["1", "x"]


def test_a_mirror_gets_copies(studio: Studio) -> None:
    fsspec = pytest.importorskip("fsspec")
    made = batch(["a fox"], mirror="memory://copies", studio=studio, **SMALL).run()
    (name,) = made.manifest[0]["files"]
    copied = fsspec.filesystem("memory").cat_file(f"/copies/{name}")
    assert copied == (made.folder / name).read_bytes()


def test_a_copy_that_was_cut_off_is_made_again(studio: Studio, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    copies = tmp_path / "copies"
    made = batch(["a fox"], mirror=f"file://{copies}", studio=studio, **SMALL).run()
    (name,) = made.manifest[0]["files"]
    whole = (copies / name).read_bytes()
    (copies / name).write_bytes(whole[:100])
    batch(["a fox"], mirror=f"file://{copies}", studio=studio, **SMALL).run()
    assert (copies / name).read_bytes() == whole


def test_a_mirror_that_fails_costs_no_picture(studio: Studio, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "file").write_text("in the way")
    made = batch(["a fox"], mirror=f"file://{tmp_path}/file/below", studio=studio, **SMALL).run()
    assert made.manifest[0]["status"] == "done"
    assert "copy could not be made" in made.manifest[0]["error"]


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPEAI_BASE_URL", "engine:")
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPEAI_API_KEY", raising=False)
    path = tmp_path / "rows.csv"
    path.write_text("prompt,size\na fox,512x512\nan owl,512x512\n")
    return path


def test_the_command_makes_a_file_s_pictures_and_ends_with_0(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["batch", str(csv), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--dry-run"]) == 0
    assert "2 to send" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert "2 rows · 2 done" in shown.out
    assert "2/2" in shown.err
    assert main([*arguments, "--quiet", "--dry-run"]) == 0
    assert "0 to send" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code"),
    [("prompt,model\na fox,rehearsal-moderation\n", 1), ("prompt,n\na fox,many\n", 2)],
)
def test_the_command_s_exit_code_tells_what_went_wrong(
    csv: Path, tmp_path: Path, text: str, code: int
) -> None:
    csv.write_text(text)
    assert main(["batch", str(csv), "--out", str(tmp_path / "out"), "--quiet"]) == code


def test_the_command_keeps_to_the_session_s_limit_unless_told_yes(
    csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPEAI_NB_MAX_IMAGES_PER_SESSION", "1")
    arguments = ["batch", str(csv), "--out", str(tmp_path / "out"), "--quiet"]
    assert main(arguments) == 1
    assert "this session's limit of 1" in capsys.readouterr().err
    assert main([*arguments, "--yes"]) == 0


def test_the_command_names_rows_as_a_spreadsheet_does(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv.write_text("prompt,model\n,\na fox,rehearsal-moderation\n")
    main(["batch", str(csv), "--out", str(tmp_path / "out"), "--quiet"])
    assert "Row 3: " in capsys.readouterr().err


def test_the_command_s_exit_code_tells_that_a_copy_could_not_be_made(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fsspec")
    mirror = f"file://{csv}/below"  # a file is in the way
    arguments = ["batch", str(csv), "--out", str(tmp_path / "out"), "--quiet", "--mirror", mirror]
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert "2 rows · 2 done" in shown.out
    assert "A copy could not be made" in shown.err


@pytest.mark.parametrize(
    "wrong",
    [["--out", "{csv}"], ["--timeout", "-1"], ["--concurrency", "0"], ["--mirror", "nope://x"]],
)
def test_the_command_refuses_a_wrong_option_with_2_before_anything_is_sent(
    csv: Path, tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fsspec")
    options = [option.format(csv=csv) for option in wrong]
    out = tmp_path / "out"
    assert main(["batch", str(csv), "--out", str(out), "--quiet", *options]) == 2
    assert "Nothing was sent." in capsys.readouterr().err
    assert not list(out.glob("*.png"))
