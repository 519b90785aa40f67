"""What a program reads of a notebook: paths and sizes, or lines of JSON, and no base64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.bulk.batch.preview import rows_bundle
from opeai_nb.client.values.views.text_output import VARIABLE
from opeai_nb.errors import LibraryError, ModerationError, OptionError
from opeai_nb.testing import error_answer, pictures_answer, png
from tests.notebook.shell import Cells

FRONTEND = "batch"


@pytest.fixture
def text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "none")


def bundle(cells: Cells, value: Any) -> Any:
    """Return what a front end gets of a value."""
    formatter = cells.shell.display_formatter
    assert formatter is not None
    return formatter.format(value)[0]


def paths(text: str) -> list[Path]:
    """Return the paths that stand below a text, each before a size."""
    return [Path(line.rsplit(" ", 1)[0]) for line in text.splitlines()[1:]]


@pytest.mark.usefixtures("text_alone")
@pytest.mark.parametrize("line", ["", "--show full -n 2", "--show thumb"])
def test_a_result_is_its_paths_and_sizes(cells: Cells, line: str, tmp_path: Path) -> None:
    generation = cells.run(f"%imagine {line} a fox")
    data = bundle(cells, generation)
    assert set(data) == {"text/plain"}
    first, *lines = data["text/plain"].splitlines()
    assert first == repr(generation)
    kept = [picture.path.relative_to(tmp_path).as_posix() for picture in generation.good]
    assert lines == [f"{path} 8x8" for path in kept]


@pytest.mark.usefixtures("text_alone")
def test_a_sweep_a_picture_a_batch_and_a_job_are_text_too(cells: Cells, tmp_path: Path) -> None:
    swept = cells.run("%imagine a {red|blue|white} fox")
    for value in (swept, swept.grid()):
        data = bundle(cells, value)
        assert set(data) == {"text/plain"}
        assert all(path.is_file() for path in paths(data["text/plain"]))
        assert len(paths(data["text/plain"])) == 3
    picture = swept.generations[0].good[0]
    assert set(bundle(cells, picture)) == {"text/plain"}
    lines = [{"files": [picture.path.name], "status": "done", "prompt": "a fox"}]
    data, metadata = rows_bundle("<Batch: 1 row>", picture.path.parent, lines)
    assert (paths(data["text/plain"]), metadata) == ([picture.path.relative_to(tmp_path)], {})


@pytest.mark.usefixtures("text_alone")
def test_a_table_of_what_is_kept_has_no_thumbnail(cells: Cells) -> None:
    cells.run("%imagine a fox")
    assert "data:" not in bundle(cells, cells.run("%imagine history"))["text/html"]


def test_another_word_is_refused_before_anything_is_sent(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "nothing")
    with pytest.raises(OptionError, match="OPEAI_NB_SHOW is 'nothing'"):
        cells.run("%imagine a fox")
    assert cells.sent == []


def test_the_variable_goes_before_config_and_a_cell_before_it(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "full")
    assert cells.session.cell_options({})["show"] == "full"
    assert cells.session.cell_options({"show": "thumb"})["show"] == "thumb"


def test_json_is_one_line_for_each_request_and_nothing_else(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cells.run("%imagine --json -o fox a fox") is None
    assert cells.run("%imagine --json -o foxes a {red|fox} fox".replace("fox}", "blue}")) is None
    printed = capsys.readouterr()
    one, red, blue = map(json.loads, printed.out.splitlines())
    assert one["paths"] == [str(cells.shell.user_ns["fox"].good[0].path)]
    assert (one["sizes"], one["replayed"]) == ([[8, 8]], False)
    assert [line["prompt"] for line in (red, blue)] == ["a red fox", "a blue fox"]
    cells.run("%imagine --json a fox")
    assert json.loads(capsys.readouterr().out)["replayed"] is False, "another call is another one"


def test_json_of_a_failure_is_a_line_and_the_error(
    cells: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers(request: httpx.Request) -> Any:
        if "bad" in json.loads(request.content)["prompt"]:
            return error_answer("no", code="moderation_blocked")
        return pictures_answer(png(8, 8))

    cells.begin(tmp_path, answers)
    with pytest.raises(ModerationError):
        cells.run("%imagine --json a bad fox")
    cells.run("%imagine --json a {bad|good} owl")
    # This shell prints errors among the lines; a kernel sends them apart.
    printed = capsys.readouterr().out.splitlines()
    alone, bad, good = (json.loads(line) for line in printed if line.startswith("{"))
    for line, prompt in ((alone, "a bad fox"), (bad, "a bad owl")):
        assert (line["prompt"], line["paths"]) == (prompt, [])
        assert line["error"]["type"] == "ModerationError"
    assert len(good["paths"]) == 1


def test_json_where_nobody_waits_is_refused_and_a_dry_run_shows_what_would_be_sent(
    cells: Cells,
) -> None:
    with pytest.raises(OptionError, match="--no-wait does not wait"):
        cells.run("%imagine --json --no-wait a fox")
    assert "POST" in repr(cells.run("%imagine --json --dry-run a fox"))
    assert cells.sent == []


def test_many_pictures_are_refused_where_nobody_can_answer(cells: Cells) -> None:
    with pytest.raises(OptionError, match="asks for 9 pictures") as refused:
        cells.run("%imagine --json -n 3 a {red|blue|white} fox")
    assert "--yes" in refused.value.advice
    assert cells.sent == []


def _as_json(cells: Cells, line: str, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """Run a cell that prints JSON, and return its lines."""
    capsys.readouterr()
    cells.run(f"%imagine --json {line}")
    return [json.loads(each) for each in capsys.readouterr().out.splitlines()]


def test_the_paths_are_the_copies_that_were_asked_for_and_the_librarys_stand_beside(
    cells: Cells, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (one,) = _as_json(cells, "--save out a fox", capsys)
    assert one["paths"] == [str(tmp_path / "out/a-fox-1.png")]
    assert [Path(path).parent for path in one["kept"]] == [tmp_path / "imagine"]
    (plain,) = _as_json(cells, "an owl", capsys)
    assert plain["paths"] == plain["kept"]
    red, blue = _as_json(cells, "--save by/{index}-{choice}.png a {red|blue} fox", capsys)
    assert (red["paths"], blue["paths"]) == (
        [str(tmp_path / "by/1-red.png")],
        [str(tmp_path / "by/2-blue.png")],
    )
    _as_json(cells, "--save all a {red|blue} owl", capsys)
    assert sorted(path.name for path in Path("all").iterdir()) == [
        "a-blue-owl-1.png",
        "a-red-owl-1.png",
    ], "as the command line: the pictures that the lines name, and no sheet of them"


def test_a_copy_that_cannot_be_written_is_an_error_that_says_where_the_picture_is(
    cells: Cells, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers(_: httpx.Request) -> Any:
        Path("taken").write_text("a file where the folder should be, by now")
        return pictures_answer(png(8, 8))

    cells.begin(tmp_path, answers)
    with pytest.raises(LibraryError):
        cells.run("%imagine --json --save taken/{n} a fox")
    printed = capsys.readouterr().out.splitlines()
    (told,) = (json.loads(line) for line in printed if line.startswith("{"))
    assert (told["paths"], told["error"]["type"]) == ([], "LibraryError")
    assert [Path(path).is_file() for path in told["kept"]] == [True]
