"""Values that are none, and tables as they really come: refused by name, or left out when asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.bulk.sweep.plan import plan_of
from opeai_nb.errors import InputError, OptionError
from opeai_nb.notebook.magic.prompt import interpolated


def nothings() -> list[Any]:
    pandas = pytest.importorskip("pandas")
    return [None, math.nan, pandas.NA, pandas.NaT]


def prompts(plan: Any) -> list[str]:
    return [point.request.prompt for point in plan]


def test_who_reads_many_rows_is_told_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    rows = rows_of(["a fox"] * 2_500, None, {}, on_read=lambda *now: told.append(now))
    assert told == [(1_000, 2_500), (2_000, 2_500)]
    assert len(rows.plan) == 2_500


@pytest.mark.parametrize("number", range(4))
def test_a_missing_value_is_never_painted_as_a_word(number: int) -> None:
    nothing = nothings()[number]
    with pytest.raises(InputError, match="k has no value in place 2") as raised:
        plan_of("a {k} fox", {"k": ["red", nothing]})
    assert "Nothing was sent" in str(raised.value)
    with pytest.raises(InputError, match=r"\{k\} in the prompt has no value"):
        plan_of("a {k} fox", {"k": nothing})
    with pytest.raises(OptionError, match=r"\{k\} in the prompt has no value"):
        interpolated("a {k} fox", {"k": nothing})
    rows = [{"city": "Oslo", "style": "ink"}, {"city": "Rome", "style": nothing}]
    with pytest.raises(InputError, match="Row 2: The column 'style' is empty"):
        rows_of(rows, "{city} in {style}", {})


def test_missing_values_are_left_out_when_asked() -> None:
    assert prompts(plan_of("a {k} fox", {"k": [*nothings(), "red"]}, missing="skip")) == [
        "a red fox"
    ]
    rows = [{"city": "Oslo", "style": "ink"}, *({"city": "Rome", "style": n} for n in nothings())]
    assert prompts(rows_of(rows, "{city} in {style}", {}, "skip").plan) == ["Oslo in ink"]
    assert prompts(rows_of(rows[:2], "{city} in {style}", {"style": "oil"}).plan) == [
        "Oslo in ink",
        "Rome in oil",
    ]
    with pytest.raises(InputError, match="k is empty"):
        plan_of("a {k} fox", {"k": nothings()}, missing="skip")


def test_an_empty_text_and_a_field_that_is_not_set_are_values() -> None:
    assert prompts(plan_of("a {k}fox", {"k": ["", "red "]})) == ["a fox", "a red fox"]
    sizes = [point.request.size for point in plan_of("a fox", {"size": [None, "1024x1024"]})]
    assert sizes == [None, "1024x1024"]


def test_an_empty_cell_of_a_file_is_refused_with_its_row(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("city name,style\nOslo,ink\nRome,\n")
    with pytest.raises(InputError, match="Row 3: The column 'style' is empty"):
        rows_of(table, "{city name} in {style}", {})
    assert prompts(rows_of(table, "{city name} in {style}", {}, "skip").plan) == ["Oslo in ink"]


def test_a_whole_number_may_be_written_as_pandas_writes_it(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("prompt,n\na fox,1.0\nan owl,\na hare,2\n")
    assert [point.request.n for point in rows_of(table, None, {}).plan] == [1, None, 2]
    table.write_text("prompt,n\na fox,1.5\n")
    with pytest.raises(InputError, match=r"Row 2: n is '1\.5', not a whole number"):
        rows_of(table, None, {})


@pytest.mark.parametrize("name", ["Prompt", "PROMPT", "prompts", "Text"])
def test_a_column_that_is_nearly_named_prompt_is_named(name: str) -> None:
    with pytest.raises(InputError, match=f"Rename '{name}' to 'prompt'"):
        rows_of([{name: "a fox"}], None, {})


def test_doubled_columns_arrays_and_na_in_mappings_are_understood_or_refused_by_name() -> None:
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    twice = pandas.DataFrame([["a fox", "b"]], columns=["prompt", "prompt"])
    with pytest.raises(InputError, match="Two columns are named 'prompt'"):
        rows_of(twice, None, {})
    arrays = pandas.DataFrame({"prompt": ["a fox"], "embedding": [numpy.zeros(3)]})
    assert prompts(rows_of(arrays, None, {}).plan) == ["a fox"]
    assert [
        point.request.n for point in rows_of([{"prompt": "a", "n": pandas.NA}], None, {}).plan
    ] == [None]


def test_the_text_of_a_prompt_column_is_data_and_read_by_nobody() -> None:
    text = r"{{a}} {b} {c|d} \{e\}"
    assert prompts(rows_of([{"prompt": text}], None, {}).plan) == [text]
