"""Presets in the panel: shown where there are any, put into the controls, recorded expanded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.errors import OptionError
from opeai_nb.notebook.panel.panel import Panel
from opeai_nb.notebook.panel.plain_panel import PlainPanel
from opeai_nb.notebook.panel.request_queue import in_place
from tests.notebook.panel.test_panel import Clicks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.shell import Cells

FILE = """\
[preset.flat]
prompt = "flat {prompt}, {{two}} colours"
model = "gpt-image-2"
size = [1536, 1024]
quality = "high"
n = 2

[preset.ink]
prompt = "{prompt} in ink"

[preset.sure]
dialect = "aliyun"
seed = 7
extra = {tone = 3}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "prices.toml"
    made.write_text(FILE)
    return made


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, file: Path) -> Cells:
    shared.begin(tmp_path, prices=file)
    return shared


@pytest.fixture
def panel(cells: Cells) -> Iterator[Panel]:
    made = Panel(lambda: cells.studio, spawn=in_place, prompt="a cat")
    made.fill()
    yield made
    made.close_all()


def test_choices_are_offered_where_presets_are_and_nowhere_else(
    cells: Cells, panel: Panel, tmp_path: Path
) -> None:
    assert [each["name"] for each in panel._presets["choices"]] == ["flat", "ink", "sure"]
    cells.begin(tmp_path)
    without = Panel(lambda: cells.studio, spawn=in_place)
    without.fill()
    assert without._presets == {"choices": [], "problem": ""}


def test_a_preset_shows_in_the_controls_and_is_recorded_expanded(
    cells: Cells, panel: Panel
) -> None:
    panel.preset = "flat"
    shown = (panel.model, panel.size, panel.quality, panel.n)
    assert shown == ("gpt-image-2", "1536x1024", "high", 2)
    assert panel.prompt == "a cat", "a person's own words stay as they are"
    Clicks(panel).click()
    assert cells.sent == ["flat a cat, {two} colours"]
    assert panel.selected.record.prompt == "flat a cat, {two} colours"
    panel.restore()
    assert (panel.preset, panel.prompt) == ("", "flat a cat, {two} colours")
    assert panel.request == panel.result.request


def test_another_preset_takes_back_what_the_former_one_had_set_and_no_more(panel: Panel) -> None:
    panel.preset = "flat"
    panel.quality = "low"
    panel.preset = "sure"
    assert (panel.size, panel.quality, panel.n, panel.seed) == ("", "low", 1, 7)
    assert panel.model == "gpt-image-2", "which a person sees"
    panel.preset = ""
    assert (panel.seed, panel.dialect, panel.extra) == (None, None, None)


def test_what_a_person_sets_wins_over_the_preset_and_the_preset_over_the_config(
    cells: Cells,
) -> None:
    defaults = {"size": "512x512", "quality": "low"}
    options: dict[str, Any] = {"spawn": in_place, "defaults": lambda: defaults, "prompt": "a cat"}
    panel = Panel(lambda: cells.studio, preset="flat", size="1024x1024", **options)
    assert (panel.request.size, panel.request.quality) == ("1024x1024", "high")
    panel.preset = "ink"
    assert (panel.request.prompt, panel.request.size) == ("a cat in ink", "1024x1024")
    assert panel.request.quality == "low"
    panel.close_all()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "%%imagine --preset flat"),
        ({"size": "1024x1024"}, "%%imagine --preset flat --size 1024x1024"),
        (
            {"n": 1, "model": "qwen-image-2.0"},
            "%%imagine --preset flat --model qwen-image-2.0 -n 1",
        ),
        ({"preset": "sure"}, "%%imagine --preset sure --model gpt-image-2"),
        ({"preset": "sure", "extra": {"b": 1}}, "%%imagine --preset sure --model gpt-image-2"),
    ],
)
def test_the_cell_names_the_preset_and_shows_the_panels_picture(
    cells: Cells, panel: Panel, changes: dict[str, Any], line: str
) -> None:
    panel.preset = "flat"
    panel.set_controls(prompt="a {cat}\n", **changes)
    page = Clicks(panel)
    page.click()
    inserted = page.send("insert")
    assert inserted["code"].startswith(line)
    assert inserted["code"].endswith(" --raw\na {cat}")
    assert "Its first run shows this picture" in inserted["first"]
    made = cells.run(inserted["code"])
    assert len(cells._script.sent) == 1
    assert made.replayed_from == panel.selected.record.id


def test_a_file_that_changed_is_read_when_the_list_is_opened(panel: Panel, file: Path) -> None:
    panel.preset = "flat"
    file.write_text('[preset.flat]\nprompt = "bold {prompt}"\nsize = "1024x1024"\n')
    Clicks(panel).send("presets")
    assert panel.request.prompt == "bold a cat"
    assert (panel.size, panel.quality, panel.n) == ("1024x1024", "", 1)
    assert [each["name"] for each in panel._presets["choices"]] == ["flat"]


def test_a_click_sends_what_its_page_shows_whatever_became_of_the_file(
    cells: Cells, panel: Panel, file: Path
) -> None:
    panel.preset = "ink"
    file.write_text('[preset.ink]\nprompt = "bold {prompt}"\n')
    page = Clicks(panel)
    page.click()
    assert cells.sent == ["a cat in ink"]
    assert page.send("insert")["first"] == "Running it sends a request.", "as the file is now"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (FILE, "flap", "There is no preset 'flap'. Did you mean 'flat'?"),
        ("[preset.flat]\nsize = 3\n", "flat", "prices.toml, line 2: preset flat: size cannot be"),
        ("[preset.flat\n", "flat", "prices.toml is not TOML"),
    ],
)
def test_a_preset_that_cannot_be_is_told_as_a_cell_tells_it_and_nothing_is_sent(
    cells: Cells, panel: Panel, text: str, name: str, message: str
) -> None:
    file = Path("prices.toml")
    file.write_text(text)
    page = Clicks(panel)
    page.click(preset=name)
    assert message in panel._presets["problem"]
    assert message in panel._status["problem"]["message"]
    with pytest.raises(OptionError) as in_a_cell:
        cells.run(f"%imagine --preset {name} a cat")
    assert panel._status["problem"]["message"] == in_a_cell.value.message
    assert cells.sent == []
    file.write_text(FILE)
    page.click(preset="ink")
    assert cells.sent == ["a cat in ink"]


def test_without_words_of_ones_own_a_preset_is_no_request(cells: Cells, panel: Panel) -> None:
    Clicks(panel).click(preset="ink", prompt=" ")
    assert panel._status["problem"]["message"] == "The prompt is empty."
    assert cells.sent == []


def test_the_plain_panel_offers_presets_where_there_are_any(cells: Cells, tmp_path: Path) -> None:
    panel = PlainPanel(lambda: cells.studio, spawn=in_place, prompt="a cat")
    panel.fill()
    assert panel.preset_field.options == ("flat", "ink", "sure")
    panel.preset_field.value = "flat"
    assert (panel.size_field.value, panel.count.value) == ("1536x1024", 2)
    assert "flat {prompt}, {{two}} colours" in panel.notes.value
    panel.go.click()
    assert cells.sent == ["flat a cat, {two} colours"]
    panel.preset_field.value = "flap"
    assert "Did you mean &#x27;flat&#x27;?" in panel.notes.value
    cells.begin(tmp_path)
    panel.preset_field.value = ""
    assert panel.preset_field.layout.display == "none"
    panel.close_all()
