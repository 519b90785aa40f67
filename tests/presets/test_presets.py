"""Presets: read whole, refused with their line, expanded once, and never looked for again."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.errors import InputError, OptionError
from opeai_nb.presets.preset import Preset, problem_of, with_preset
from opeai_nb.presets.read_presets import presets_at, presets_in
from opeai_nb.prices.price_file import prices_at

FILE = """\
currency = "EUR"

[[price]]
model = "qwen-image-2.0"
picture = 0.04

[preset.flat]
prompt = "flat vector poster of {prompt}, two colours, {{no gradients}}"
model = "gpt-image-2"
size = "3:2"

[preset.wide]
size = "16:9"
output-format = "jpeg"
extra.guidance = 2.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_prices_and_presets_stand_in_one_file(file: Path) -> None:
    presets = presets_at(file)
    assert list(presets) == ["flat", "wide"]
    assert presets["wide"].fields == {
        "size": "16:9",
        "output_format": "jpeg",
        "extra": {"guidance": 2.5},
    }
    prices = prices_at(file)
    assert prices is not None
    assert prices.currency == "EUR"


def test_a_file_may_hold_presets_alone(file: Path) -> None:
    file.write_text('[preset.flat]\nsize = "1:1"\n')
    assert prices_at(file) is None
    assert list(presets_at(file)) == ["flat"]


def test_a_preset_that_changes_is_read_anew(file: Path) -> None:
    assert presets_at(file)["wide"].fields["size"] == "16:9"
    file.write_text(FILE.replace("16:9", "21:9"))
    assert presets_at(file)["wide"].fields["size"] == "21:9"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('preset = "flat"', "line 3: preset bad: preset is no option of a preset: none builds on"),
        ('prompt = "{flat}, {prompt}"', "line 3: preset bad: prompt has a { that is not part of"),
        ('prompt = "{prompt} {"', "prompt has a { that is not part of {prompt}; write {{ for a"),
        ('prompt = "{prompt}}"', "prompt has a } that is not part of {prompt}; write }} for a"),
        ('prompt = "a fox"', "prompt has no {prompt}: what is asked for would be lost"),
        ('prompt = "{{prompt}}"', "prompt has no {prompt}"),
        ("prompt = 3", "prompt is 3, not text"),
        ('sise = "1:1"', "sise is no option of a request. Did you mean 'size'?"),
        ('image = "a.png"', "image is no option of a preset: give pictures where you ask"),
        ('save = "out"', "save is no option of a request."),
        ("n = 500", "n cannot be: n is 500."),
        ('n = "two"', "n cannot be: n is 'two', not a whole number."),
        ('seed = -1', "seed cannot be: seed is -1."),
        ('watermark = "yes"', "watermark cannot be: watermark is 'yes'."),
        ('model = "a,b"', "model has a comma: a preset says one value for each option"),
        ('size = ["1:1"]', "size cannot be"),
        ('size = "very big"', "size cannot be"),
        ("day = 2026-01-01", "day is no option"),
        ("extra.day = 2026-01-01", "extra cannot be"),
    ],
)  # fmt: skip
def test_what_no_preset_can_say_is_refused_with_its_line(
    tmp_path: Path, written: str, told: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'# mine\n[preset.bad]\n{written}\n\n[preset.good]\nsize = "1:1"\n')
    with pytest.raises(OptionError, match=re.escape(told)) as caught:
        presets_at(file)
    assert "mine.toml, line 3" in caught.value.message
    assert "Nothing was sent." in caught.value.advice


@pytest.mark.parametrize(
    "data",
    [{"preset": 3}, {"preset": {"flat": "x"}}, {"preset": {"two words": {}}}, {"preset": {"": {}}}],
)
def test_what_is_no_table_or_no_name_is_refused(data: Mapping[str, Any]) -> None:
    with pytest.raises(OptionError, match=r"^Imagine\.prices: "):
        presets_in(data)


def test_the_example_of_the_documentation_holds_presets() -> None:
    page = Path(__file__).parents[2] / "notebooks" / "how-to" / "presets.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    assert list(presets_in(tomllib.loads(example))) == ["flat", "draft"]


def test_what_is_not_toml_is_told(file: Path) -> None:
    file.write_text("[preset.flat\n")
    with pytest.raises(OptionError, match=r"prices\.toml is not TOML"):
        presets_at(file)


PRESETS = {
    "flat": Preset("flat", "flat {prompt}!", {"size": "1:1", "n": 2, "extra": {"a": 1, "b": 1}}),
    "plain": Preset("plain", None, {"quality": "low"}),
}


def test_what_is_given_wins_over_the_preset_and_the_preset_over_defaults() -> None:
    prompt, fields = with_preset(
        "fox",
        {"preset": "flat", "n": 1, "extra": {"b": 2}},
        lambda: PRESETS,
        {"size": "2K", "model": "dall-e-3"},
    )
    assert prompt == "flat fox!"
    assert fields == {"size": "1:1", "n": 1, "extra": {"a": 1, "b": 2}, "model": "dall-e-3"}


def test_without_a_preset_nobody_reads_the_file() -> None:
    def refuse() -> Mapping[str, Preset]:
        raise AssertionError("read")

    assert with_preset("fox", {"n": 1, "preset": None}, refuse, {"n": 2}) == ("fox", {"n": 1})


@pytest.mark.parametrize("name", ["flap", "Flat", "", 3, ["flat"], "flat,plain"])
def test_an_unknown_preset_is_refused_with_those_there_are(name: object) -> None:
    with pytest.raises(OptionError, match="There is no preset") as caught:
        with_preset("fox", {"preset": name}, lambda: PRESETS)
    assert caught.value.advice == "There are: flat, plain. Nothing was sent."
    if name == "flap":
        assert "Did you mean 'flat'?" in caught.value.message


def test_where_there_are_none_it_says_where_to_write_one() -> None:
    with pytest.raises(OptionError) as caught:
        with_preset("fox", {"preset": "flat"}, dict)
    assert "[preset.NAME]" in caught.value.advice


@given(st.text(), st.text(alphabet="ab {}\n", max_size=12), st.text(alphabet="ab {}", max_size=12))
def test_a_prompt_arrives_as_it_is_whatever_braces_it_has(
    prompt: str, before: str, behind: str
) -> None:
    def doubled(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    template = f"{doubled(before)}{{prompt}}{doubled(behind)}"
    assert problem_of(template) is None
    assert Preset("x", template).around(prompt) == f"{before}{prompt}{behind}"


@given(st.text(alphabet="ab{}prompt", max_size=20))
def test_a_template_is_refused_or_loses_nothing_of_the_prompt(template: str) -> None:
    if problem_of(template) is None:
        assert "§§" in Preset("x", template).around("§§")


def test_presets_are_no_part_of_what_the_request_refuses() -> None:
    """A value that fits alone and not with the rest is the request's own error."""
    presets = presets_in({"preset": {"x": {"negative_prompt": "blur", "dialect": "openai"}}})
    assert issubclass(OptionError, InputError)
    assert presets["x"].fields["negative_prompt"] == "blur"
