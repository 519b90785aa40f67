"""The line of a magic: options, values, and where the prompt begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opeai_nb.errors import InputError, OptionError
from opeai_nb.notebook.magic.line import parse
from opeai_nb.notebook.magic.options import OPTIONS, help_text
from opeai_nb.notebook.magic.shell_words import words

NAMES: dict[str, Any] = {"photo": object(), "k": 3, "palette": "teal"}


def spelled(line: str, **options: Any) -> list[str]:
    return [word.text for word in words(line, **options)]


def test_words_are_split_as_a_shell_splits_them() -> None:
    assert spelled("-m 'a b' -s \"c d\" e\\ f") == ["-m", "a b", "-s", "c d", "e f"]
    assert spelled(r'"say \"hi\" \n"') == ['say "hi" \\n']


def test_a_backslash_is_literal_on_windows() -> None:
    line = r'-i C:\new\table.png "C:\my pictures\a.png"'
    expected = ["-i", r"C:\new\table.png", r"C:\my pictures\a.png"]
    assert spelled(line, backslash_is_literal=True) == expected


def test_an_open_quote_is_an_error() -> None:
    for line in ("-m 'a b", "--style='a b", '-n 2 -o "cats'):
        with pytest.raises(OptionError, match="not closed"):
            parse(line, NAMES)


def test_every_field_has_its_option() -> None:
    parsed = parse("-m gpt-image-2 -s 16:9 -q high -n 2 -o cats --timeout 20", NAMES)
    assert parsed.request == {"model": "gpt-image-2", "size": "16:9", "quality": "high", "n": 2}
    assert parsed.cell == {"out": "cats", "timeout": 20.0}


def test_dashes_and_underscores_are_the_same() -> None:
    for line in ("--output-format png", "--output_format png", "--output-format=png"):
        assert parse(line, NAMES).request == {"output_format": "png"}


def test_a_short_option_takes_its_value_without_a_space() -> None:
    assert parse("-n2 -s512x512", NAMES).request == {"n": 2, "size": "512x512"}


def test_flags_have_an_opposite() -> None:
    assert parse("--watermark", NAMES).request == {"watermark": True}
    assert parse("--no-watermark", NAMES).request == {"watermark": False}


def test_images_repeat_in_order(tmp_path: Path) -> None:
    parsed = parse("-i photo --image https://example.com/a.png -i ./b.png -i $photo", NAMES)
    photo = NAMES["photo"]
    assert parsed.request["image"] == [photo, "https://example.com/a.png", "./b.png", photo]


def test_a_value_may_be_a_variable() -> None:
    parsed = parse("-n {k} --style $palette --param steps 20 --param mode fast", NAMES)
    expected = {"n": 3, "style": "teal", "extra": {"steps": 20, "mode": "fast"}}
    assert parsed.request == expected


def test_the_rest_is_the_prompt_verbatim() -> None:
    """Apostrophes, quotes and options behind the first bare word belong to the prompt."""
    parsed = parse("-n 2 it's a cat's  \"life\" --size big", NAMES)
    assert parsed.rest == "it's a cat's  \"life\" --size big"
    assert parsed.request == {"n": 2}


@pytest.mark.parametrize(
    "prompt", ["it's a cat", "'tis the season", '5" nails', "a dog's bone", "rock 'n' roll's end"]
)
def test_an_apostrophe_is_no_open_quote(prompt: str) -> None:
    for options in ("", "-n 2 ", "cats << -n 2 ", "-m 'a b' "):
        assert parse(options + prompt, NAMES).rest == prompt


@pytest.mark.parametrize("line", ["cats <<", "cats << -n 2", "-n 2 cats <<", "cats<< -n 2"])
def test_an_arrow_names_the_variable_too(line: str) -> None:
    parsed = parse(f"{line} --quiet a fox", NAMES)
    assert parsed.cell == {"out": "cats", "quiet": True}
    assert parsed.rest == "a fox"


def test_an_arrow_inside_the_prompt_is_prompt() -> None:
    assert parse("two cats << one dog", NAMES).rest == "two cats << one dog"


def test_two_dashes_end_the_options() -> None:
    parsed = parse("-n 2 -- --strange prompt", NAMES)
    assert parsed.rest == "--strange prompt"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--sise 512x512", "Did you mean --size?"),
        ("--siz 512x512", "Did you mean --size?"),
        ("--modle x", "Did you mean --model?"),
        ("--no people", "Did you mean --negative-prompt?"),
        ("--qwertz 1", "There is no option --qwertz."),
        ("-n", "-n needs a value"),
        ("-n two", "-n is 'two', not a whole number"),
        ("--timeout soon", "not a number of seconds"),
        ("-n 1 -n 2", "given twice"),
        ("--watermark=yes", "takes no value"),
        ("--timeout 0", "above 0"),
        ("--timeout inf", "above 0"),
        ("--show huge", "not one of thumb, full, none"),
        ("--dialect dutch", "not one of openai, aliyun"),
        ("-o class", "not the name of a variable"),
        ("-o 2cats", "not the name of a variable"),
        ("a << -o b", "given twice"),
        ("-s 1:1 --ar 16:9", "given twice"),
        ("--refresh", "Did you mean --fresh?"),
        ("--num-images 2", "Did you mean --n?"),
        ("--format png", "Did you mean --output-format?"),
        ("--aspect_ratio 16:9", "Did you mean --ar?"),
        ("--wait", "no option --wait"),
        ("--mod x", "no option --mod"),
        ("-i phoot", "Did you mean 'photo'?"),
        ("-n $kk", "Did you mean 'k'?"),
    ],
)
def test_what_is_wrong_is_one_clear_error(line: str, told: str) -> None:
    with pytest.raises(OptionError) as raised:
        parse(line, NAMES)
    assert told in str(raised.value)
    assert isinstance(raised.value, InputError)


def test_help_names_every_option() -> None:
    text = help_text()
    assert all(name in text for option in OPTIONS for name in option.spellings)
    assert max(map(len, text.splitlines())) <= 110
