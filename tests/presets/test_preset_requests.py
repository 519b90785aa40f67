"""A preset in a cell, in Python, in a sweep, in a batch and on a command line; kept expanded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opeai_nb import batch, generate, sweep
from opeai_nb.cli.main import main
from opeai_nb.errors import InputError, OptionError
from opeai_nb.library import identity, request_from
from tests.notebook.shell import Cells, shell_cells

FILE = """\
[preset.flat]
prompt = "flat {prompt}, {{two}} colours"
model = "gpt-image-2"
size = "1536x1024"

[preset.ink]
prompt = "{prompt} in ink"

[preset.sure]
dialect = "aliyun"
seed = 7
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Cells]:
    with shell_cells() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_FRONTEND", "script")
        yield made


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "prices.toml"
    file.write_text(FILE)
    shared.begin(tmp_path, prices=file)
    shared.session.folder = tmp_path
    return shared


def test_a_cell_asks_by_a_preset_and_its_own_options_win(cells: Cells) -> None:
    made = cells.run("book = 'a novel'\n%imagine --preset flat --size 1024x1024 a cat and {book}")
    assert cells.sent == ["flat a cat and a novel, {two} colours"]
    assert (made.request.model, made.request.size) == ("gpt-image-2", "1024x1024")


def test_a_preset_wins_over_the_config(cells: Cells) -> None:
    cells.run("%config Imagine.size = '512x512'")
    try:
        assert cells.run("%imagine --preset flat a cat").request.size == "1536x1024"
        assert cells.run("%imagine --preset ink a cat").request.size == "512x512"
    finally:
        cells.run("%config Imagine.size = ''")


def test_braces_of_the_cell_mean_what_they_mean_without_a_preset(cells: Cells) -> None:
    cells.run("prompt = 'owl'\n%imagine --preset ink a {prompt} and {{prompt}}")
    cells.run('%imagine --preset ink --raw a {prompt} {"a": 1}')
    assert cells.sent == ["a owl and {prompt} in ink", 'a {prompt} {"a": 1} in ink']
    cells.run("%imagine --preset ink a {red|blue} fox")
    assert sorted(cells.sent[2:]) == ["a blue fox in ink", "a red fox in ink"]


def test_a_replay_and_the_file_need_no_preset(cells: Cells, tmp_path: Path) -> None:
    made = generate("a cat", preset="flat")
    (tmp_path / "prices.toml").write_text('currency = "EUR"\n')
    assert made.good[0].path is not None
    request = request_from(made.good[0].path)
    assert request.prompt == "flat a cat, {two} colours"
    assert cells.studio.library.holds([identity(request)])


@pytest.mark.parametrize(
    "code",
    [
        "%imagine --preset flap a cat",
        "%imagine --preset flap,ink a cat",
        "%imagine --dry-run --preset flap a cat",
        "import opeai_nb\nopeai_nb.generate('a cat', preset='flap')",
        "opeai_nb.sweep('a cat', preset=['flap', 'ink'])",
        "opeai_nb.batch([{'prompt': 'a cat', 'preset': 'flap'}])",
    ],
)
def test_an_unknown_preset_sends_nothing(cells: Cells, code: str) -> None:
    cells.run("import opeai_nb")
    with pytest.raises(InputError, match=r"There is no preset 'flap'\. Did you mean 'flat'\?"):
        cells.run(code)
    assert cells.sent == []


def test_a_whole_request_takes_no_preset(cells: Cells) -> None:
    request = cells.studio.request("a cat")
    with pytest.raises(InputError, match="goes with a prompt"):
        cells.studio.start(request, preset="ink")


def test_presets_are_an_axis(cells: Cells) -> None:
    plan = sweep("a {animal}", animal=["fox", "owl"], preset=["flat", "ink"]).plan
    assert [axis.name for axis in plan.axes] == ["animal", "preset"]
    assert [point.request.prompt for point in plan] == [
        "flat a fox, {two} colours",
        "a fox in ink",
        "flat a owl, {two} colours",
        "a owl in ink",
    ]
    assert [point.request.model for point in plan][:2] == ["gpt-image-2", "qwen-image-2.0"]
    cells.run("%imagine --preset flat,ink a cat")
    assert sorted(cells.sent) == ["a cat in ink", "flat a cat, {two} colours"]


@pytest.mark.parametrize("value", ["{prompt}", "{red|blue}", "{{x}}", "{animal}", "__animal__"])
def test_a_value_of_a_sweep_is_text_in_a_preset(cells: Cells, value: str) -> None:
    (point,) = sweep("a {animal}", animal=[value], preset="ink").plan
    assert point.request.prompt == f"a {value} in ink"


def test_a_sweep_has_no_word_of_a_preset(cells: Cells) -> None:
    with pytest.raises(InputError, match=r"The prompt has \{prompt\}, and no value was given"):
        sweep("a {prompt} fox", preset="ink")


def test_a_word_named_preset_is_a_word(cells: Cells) -> None:
    (point,) = sweep("a {preset}", preset="flat").plan
    assert point.request.prompt == "a flat"


def test_a_lone_seed_is_doubtful_where_a_preset_takes_seeds(cells: Cells) -> None:
    values: dict[str, Any] = {"animal": ["fox", "owl"], "seed": 1}
    with pytest.raises(InputError, match="may be the sample's or the request's"):
        sweep("a {animal}", preset="sure", sample=1, **values)
    (point,) = sweep("a {animal}", preset="ink", sample=1, **values).plan
    assert point.request.seed is None


def test_rows_name_presets_and_their_cells_win(cells: Cells) -> None:
    rows = [
        {"prompt": "a {x} cat", "preset": " flat ", "size": "1024x1024"},
        {"prompt": "an owl", "preset": "ink"},
        {"prompt": "a bat"},
    ]
    plan = batch(rows, preset="flat", quality="low").plan
    assert [(p.request.prompt, p.request.size, p.request.quality) for p in plan] == [
        ("flat a {x} cat, {two} colours", "1024x1024", "low"),
        ("an owl in ink", None, "low"),
        ("flat a bat, {two} colours", "1536x1024", "low"),
    ]
    (point,) = batch([{"prompt": "a cat", "preset": "so"}], field_columns=["prompt"]).plan
    assert point.request.prompt == "a cat"
    with pytest.raises(InputError, match=r"^Row 2: There is no preset 'flap'"):
        batch([{"prompt": "a"}, {"prompt": "b", "preset": "flap"}])
    with pytest.raises(InputError, match=r"The column 'presets' is not a field.*'preset'"):
        batch([{"prompt": "a", "presets": "flat"}])


def test_a_bad_file_is_told_where_a_preset_is_asked_for(cells: Cells, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('[preset.a]\npreset = "a"\n')
    with pytest.raises(OptionError, match="none builds on another"):
        cells.run("%imagine --preset a a cat")
    assert cells.sent == []


def test_tab_offers_the_names(cells: Cells) -> None:
    from opeai_nb.notebook.magic.completion import Notebook, complete

    found = complete("%imagine --preset fl", Notebook({}, presets=lambda: ("flat", "ink")))
    assert found is not None
    assert found.texts == ("flat",)
    found = complete("%imagine --preset flat,i", Notebook({}, presets=lambda: ("flat", "ink")))
    assert found is not None
    assert found.texts == ("flat,ink",)
    assert "--preset" in complete("%imagine --pre", Notebook({})).texts


def test_a_command_lists_what_there_is_and_where(cells: Cells) -> None:
    listed = cells.run("%imagine presets")
    assert [each.name for each in listed] == ["flat", "ink", "sure"]
    assert listed.rows[0] == (
        "flat",
        "flat {prompt}, {{two}} colours",
        "model=gpt-image-2, size=1536x1024",
    )
    assert listed.note == "3 presets in prices.toml."
    assert cells.sent == []


def test_a_command_line_lists_them_for_people_and_for_programs(
    cells: Cells, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del cells  # its file is what is listed
    monkeypatch.setenv("OPEAI_NB_PRICES", "prices.toml")
    assert main(["presets"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1:] == ["ink   {prompt} in ink", "sure  dialect=aliyun, seed=7"]
    assert told.err == "3 presets in prices.toml.\n"
    assert main(["presets", "--json"]) == 0
    *_, sure = map(json.loads, capsys.readouterr().out.splitlines())
    assert sure == {"name": "sure", "prompt": None, "options": {"dialect": "aliyun", "seed": 7}}
    monkeypatch.delenv("OPEAI_NB_PRICES")
    assert main(["presets"]) == 0
    assert "Write [preset.NAME]" in capsys.readouterr().err
