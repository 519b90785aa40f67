"""What braces mean, the same in cells, sweeps and batches; and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.bulk import Plan
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.bulk.sweep.alternatives import expanded, parts_of
from opeai_nb.bulk.sweep.braces import tokens
from opeai_nb.bulk.sweep.plan import plan_of
from opeai_nb.bulk.sweep.template import filled
from opeai_nb.errors import InputError
from opeai_nb.notebook.magic.prompt import interpolated

VALUES: dict[str, Any] = {
    "fox": "vixen",
    "k": 0.123,
    "row": {"city": "Oslo"},
    "city name": "Bergen",
}

WHOLE = [
    '{"subject": "fox|hare"}',
    '{"subject": "hare", "style": {"palette": "red|blue", "n": 1}}',
    '{"a": 1 | 2}',
    "{'a': 'b|c'}",
    "p { color: red | blue }",
    "{ color: red | blue; margin: 0 }",
    "{ margin: 0; }",
    "function f(a) { return a | 1; }",
    "if (a) { a || b }",
    "{ x => x | 1 }",
    r"$\{x | x > 0\}$",
    r"\frac{a}{b} and \sqrt[3]{x}",
    r"\left\{ a \middle| b \right\}",
    "{{\\bf x}}",
    r"\{1, 2\}",
    "C:\\new\\{}",
    "{} and { alone",
    '{{"a": 1}}',
    "{x|y",
    "x|y}",
    "{% for x in y|sort %} a {% endfor %}",
    "{# a|b #}",
    "x^{{10}}",
]


@pytest.mark.parametrize("prompt", WHOLE)
def test_json_css_code_and_latex_stay_whole(prompt: str) -> None:
    assert expanded(prompt) == [prompt]
    assert interpolated(prompt, {}) == prompt
    assert filled(prompt, VALUES) == prompt
    assert [point.request.prompt for point in plan_of(prompt, {})] == [prompt]


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("{red|blue} fox", ["red fox", "blue fox"]),
        (r"a {red\|blue|green} fox", ["a red|blue fox", "a green fox"]),
        (r"a {red\|blue\|green} fox", ["a {red|blue|green} fox"]),
        (r"the norm {\|x\|} of \|y\|", [r"the norm {\|x\|} of \|y\|"]),
        ("a sign: {{yes|no}}", ["a sign: {yes|no}"]),
        (r"a sign: \{yes\|no\}", ["a sign: {yes|no}"]),
        (r"a sign: \{yes|no\}", ["a sign: {yes|no}"]),
        ("{{{red|blue}}}", ["{red}", "{blue}"]),
        ('{say "yes|no"|be silent}', ['say "yes|no"', "be silent"]),
        ('{5" nails|6" nails}', ['5" nails', '6" nails']),
        ("{style: ink|style: oil}", ["style: ink", "style: oil"]),
        ("{(cat:1.2)|dog}", ["(cat:1.2)", "dog"]),
        ("{it's red|it's blue}", ["it's red", "it's blue"]),
        ("{0.5::cat|dog}", ["cat", "dog"]),
        ("a {|tall }fox", ["a fox", "a tall fox"]),
        ("{a|{b|c}}", ["a", "b", "c"]),
        ("{{a|b}|c}", ["a", "b", "c"]),
        ("{{fox}} {{row[city]}}", ["{fox} {row[city]}"]),
        (r"\{fox}", ["{fox}"]),
    ],
)
def test_choices_and_escapes_mean_the_same_everywhere(prompt: str, texts: list[str]) -> None:
    swept = [point.request.prompt for point in plan_of(prompt, {})]
    in_a_cell = [
        point.request.prompt for point in plan_of(prompt, {}, word=lambda t: interpolated(t, {}))
    ]
    assert swept == in_a_cell == texts


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a {fox}", "a vixen"),
        ("{k:.2f} and {k:.0%}", "0.12 and 12%"),
        ("{row[city]} {row['city']}", "Oslo Oslo"),
        ("a poster of {city name}", "a poster of Bergen"),
        ("{{fox}} {{k:.2f}} \\{fox\\}", "{fox} {k:.2f} {fox}"),
        ("{{{fox}}}", "{vixen}"),
        ("__fox__ or file__fox__name", "vixen or file__fox__name"),
        ("{color:red} {no such column}", "{color:red} {no such column}"),
    ],
)
def test_words_are_filled_in_the_same_way_in_sweeps_and_batches(template: str, text: str) -> None:
    assert filled(template, VALUES) == text
    rows = rows_of([{**VALUES}], template, {})
    assert rows.plan[0].request.prompt == text


def test_a_formatted_word_is_a_word_of_a_sweep() -> None:
    plan = plan_of("at {k:.2f} m", {"k": [0.5, 1]})
    assert [point.request.prompt for point in plan] == ["at 0.50 m", "at 1.00 m"]


def test_a_word_without_a_value_says_what_to_write() -> None:
    with pytest.raises(InputError, match=r"write \{\{fox\}\} to keep the braces"):
        plan_of("a {fox}", {})


@given(st.text(st.sampled_from("{}|\\\"'$:;_ab 1\n")))
def test_the_pieces_of_a_prompt_are_the_prompt(prompt: str) -> None:
    assert "".join(token.source for token in tokens(prompt)) == prompt
    parts_of(prompt)  # and nothing that a person writes makes it fail


@given(st.text(st.sampled_from("{}|\\ab ")), st.text())
def test_a_value_is_never_read_again(template: str, value: str) -> None:
    assert value in filled(f"{template} {{name}}", {"name": value}) or "{name}" not in template


def test_a_plan_of_raw_text_has_every_character() -> None:
    text = r"{{a}} \{b\} {c|d} __e__"
    plan: Plan = plan_of(text, {}, word=lambda it: it, raw=True)
    assert [point.request.prompt for point in plan] == [text]
