"""`python -m opeai_nb imagine`: the magic's options, paths on standard output, exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from PIL import Image

from opeai_nb.bulk.sweep.plan import Point
from opeai_nb.cli import imagine_command
from opeai_nb.cli.main import COMMANDS as SHELL_COMMANDS
from opeai_nb.cli.main import main
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import OutcomeUnknownError
from opeai_nb.notebook.commands import COMMANDS
from opeai_nb.testing import png

if TYPE_CHECKING:
    from opeai_nb.studio import Studio

SMALL = ["-s", "512x512"]


def test_the_paths_are_on_standard_output_and_the_badge_is_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", "a red fox", "-n", "2", *SMALL]) == 0
    shown = capsys.readouterr()
    paths = [Path(line) for line in shown.out.splitlines()]
    assert [path.parent for path in paths] == [Path("imagine")] * 2
    with Image.open(folder / paths[0]) as picture:
        assert picture.size == (512, 512)
    assert shown.err == "✓ 2 pictures · qwen-image-2.0 · 512x512 · embedded engine\n"


def test_the_same_again_shows_what_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["imagine", "a red fox", *SMALL])
    first = capsys.readouterr().out
    assert main(["imagine", "a", "red", "fox", *SMALL, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["paths"] == [str(folder / first.strip())]
    assert (told["prompt"], told["origin"], told["replayed"]) == ("a red fox", "engine", True)


def test_json_names_the_copies_and_beside_them_what_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", "a red fox", *SMALL, "--save", "out", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["paths"] == [str(folder / "out" / "a-red-fox-1.png")]
    assert [Path(path).parent for path in told["kept"]] == [folder / "imagine"]
    assert main(["imagine", "a red fox", "--save", told["kept"][0] + "/{n}", "--json"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, "Nothing can be saved in" in shown.err) == ("", True)


def test_copies_go_where_save_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imagine", "a red fox", *SMALL, "--save", "out", "--quiet"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("out/a-red-fox-1.png\n", "")
    assert (folder / "out" / "a-red-fox-1.png").is_file()


def test_a_preset_stands_for_options_and_words(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.toml").write_text('[preset.ink]\nprompt = "{prompt} in ink"\nquality = "low"\n')
    monkeypatch.setenv("OPEAI_NB_PRICES", "mine.toml")
    assert main(["imagine", "--dry-run", "--preset", "ink", "a cat"]) == 0
    assert '"prompt": "a cat in ink"' in capsys.readouterr().out
    assert main(["imagine", "--preset", "inc", "a cat"]) == 2
    assert "There is no preset 'inc'. Did you mean 'ink'?" in capsys.readouterr().err
    (folder / "rows.csv").write_text("prompt,preset\na cat,ink\n")
    assert main(["batch", "rows.csv", "--out", "out", "--dry-run"]) == 0
    assert "sent as fields: preset, prompt." in capsys.readouterr().out
    assert main(["batch", "rows.csv", "--out", "out", "--preset", "x", "--dry-run"]) == 0
    (folder / "rows.csv").write_text("prompt\na cat\n")
    assert main(["batch", "rows.csv", "--out", "out", "--preset", "x", "--dry-run"]) == 2


def test_a_template_names_the_copies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["imagine", "a {cat|dog}", "--quiet", "--show", "none", *SMALL, "--save"]
    assert main([*asked, "out/{choice}-{n}-{index}.jpg"]) == 0
    assert capsys.readouterr().out == "out/cat-1-1.jpg\nout/dog-1-2.jpg\n"
    with Image.open(folder / "out" / "dog-1-2.jpg") as picture:
        assert picture.format == "JPEG"
    assert main([*asked, "out/{size}.jpg"]) == 2
    assert "request 1 and request 2 would both be saved as" in capsys.readouterr().err


def test_prompts_come_from_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a cat\n\na dog in {ink|chalk}\n"))
    assert main(["imagine", *SMALL, "--json", "-"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["prompt"] for line in lines] == ["a cat", "a dog in ink", "a dog in chalk"]
    assert all(len(line["paths"]) == 1 for line in lines)


def test_a_failure_is_1_and_the_others_are_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = "rehearsal-moderation,qwen-image-2.0"
    assert main(["imagine", "a fox", *SMALL, "--json", "-m", models]) == 1
    failed, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["error"]["type"], failed["paths"]) == ("ModerationError", [])
    assert good["paths"]


class Jobs:
    """A studio and each of its jobs in one: whoever follows is interrupted *interrupts* times."""

    status = "failed"
    request = ImageRequest("a fox")

    def __init__(self, interrupts: int) -> None:
        self.interrupts = interrupts
        self.started = 0

    def start(self, _: ImageRequest, **__: Any) -> Jobs:
        self.started += 1
        return self

    def follow(self, _: float) -> list[Any]:
        self.interrupts -= 1
        if self.interrupts >= 0:
            raise KeyboardInterrupt
        return []

    def take_notes(self) -> list[str]:
        return []

    def result(self) -> Any:
        raise OutcomeUnknownError("Cut.")


class Made(Jobs):
    """A job whose picture is there, in memory alone."""

    status = "done"

    def result(self) -> Any:
        return Generation((Picture(png(8, 8)),), self.request)


def test_a_copy_that_cannot_be_written_after_all_is_an_error_beside_what_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taken").write_text("a file that came in the meantime")
    making = imagine_command._Making(cast("Studio", Made(0)), {"json": True, "save": "taken/fox"})
    (error,) = making.make([(Point(0, (), Jobs.request, ""), {})])
    told = json.loads(capsys.readouterr().out)
    assert (told["paths"], told["kept"], told["error"]["type"]) == ([], [None], "LibraryError")
    assert error.message == told["error"]["message"]


@pytest.mark.parametrize(
    ("interrupts", "told", "lines"), [(1, "interrupted", 17), (2, "fetched, not paid for twice", 1)]
)
def test_an_interrupt_sends_nothing_more_and_waits_and_a_second_one_does_not(
    interrupts: int, told: str, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = Jobs(interrupts)
    making = imagine_command._Making(cast("Studio", jobs), {"json": True})
    with pytest.raises(KeyboardInterrupt, match=told):
        making.make([(Point(number, (), Jobs.request, ""), {}) for number in range(20)])
    assert jobs.started == 16
    assert len(capsys.readouterr().out.splitlines()) == lines - 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "There is no prompt."),
        (["a fox", "--siz", "1"], "Did you mean --size?"),
        (["a fox", "-s", "big"], "is not a size"),
        (["a fox", "-i", "nowhere.png"], "nowhere.png"),
        (["a fox", "-o", "cats"], "--save DIR"),
        (["a {animal}"], "{animal}"),
        (["a {b|c|d} {e|f|g}"], "Add --yes"),
        (["a fox", "-n"], "-n needs a value"),
    ],
)
def test_bad_input_is_one_line_and_2_and_nothing_is_kept(
    words: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(folder.glob("imagine/*.png"))


def test_a_dry_run_shows_the_json_and_sends_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagine", "a fox", "--dry-run", "--param", "steps", "20"]) == 0
    shown = capsys.readouterr().out
    assert '"steps": 20' in shown
    assert shown.endswith("1 request, 1 picture. Nothing was sent.\n")
    assert not list(folder.glob("imagine/*.png"))


def test_help_lists_the_magic_s_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imagine", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--negative-prompt TEXT" in shown
    assert imagine_command.EXIT_CODES in shown


@pytest.mark.parametrize("line", [["tasks"], ["resume", "abc123", "--send"], ["history", "fox"]])
def test_a_command_of_the_magic_is_not_painted(
    line: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages tell of `%imagine tasks`: whoever types that into a shell pays for no picture."""
    assert main(["imagine", *line]) == 2
    told = capsys.readouterr().err
    assert "is a command of %imagine in a notebook." in told
    assert ("python -m opeai_nb tasks" in told) is (line[0] != "history")
    assert not (folder / "imagine").exists()
    assert main(["imagine", *SMALL, "--quiet", "--", "tasks"]) == 0


def test_the_commands_of_the_magic_are_known() -> None:
    assert COMMANDS.keys() == imagine_command.OF_NOTEBOOKS
    assert COMMANDS.keys() & SHELL_COMMANDS.keys() == imagine_command.OF_SHELLS
