"""Values that are none, and tables as they really come: refused by name, or left out when asked."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
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
    told: list[tuple[int, int | None]] = []
    rows = rows_of(["a fox"] * 2_500, None, {}, on_read=lambda *now: told.append(now))
    counts = (1_000, 2_000, 2_500)
    assert told == [(count, total) for total in (None, 2_500) for count in counts]
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


def test_a_column_of_one_table_is_an_axis_of_any_kind() -> None:
    pandas = pytest.importorskip("pandas")
    arrow = pytest.importorskip("pyarrow")
    for column in (
        pandas.Series(["red", ""]),
        pandas.Series([1, None], dtype="Int64"),
        arrow.chunked_array([["red"], [None]]),
        [Decimal("sNaN"), "red"],
    ):
        with pytest.raises(InputError, match="k has no value in place"):
            plan_of("a {k} fox", {"k": column})
    days = plan_of("on {k:%d %B}", {"k": [date(2026, 1, 2), date(2026, 1, 3)]})
    assert days.axes[0].labels == ("2026-01-02", "2026-01-03")
    assert prompts(days) == ["on 02 January", "on 03 January"]


def test_a_prompt_among_several_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="prompt has no value in place 2"):
        plan_of(["a fox", None], {})
    with pytest.raises(InputError, match="missing is 'drop', not one of refuse, skip"):
        plan_of("a {k} fox", {"k": ["red"]}, missing="drop")  # type: ignore[arg-type]  # wrong


def test_whole_numbers_of_sweeps_may_be_fractions_too() -> None:
    assert [p.request.n for p in plan_of("a fox", {"n": [1.0, Decimal(2)]})] == [1, 2]
    with pytest.raises(InputError, match=r"n is 1\.5, not a whole number"):
        plan_of("a fox", {"n": [1.5]})


@pytest.mark.parametrize(
    "value",
    [object(), len, math.inf, [object()], {"a": lambda: 1}, {"ink", "oil"}, frozenset("ab")],
)
def test_what_has_no_words_is_not_painted(value: object) -> None:
    with pytest.raises(OptionError, match=r"\{k\} in the prompt .*Nothing was sent"):
        interpolated("a {k} fox", {"k": value})


def test_an_array_is_no_word() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(InputError, match=r"Row 1: \{k\} in the prompt is a value of the kind nda"):
        rows_of([{"k": numpy.zeros(3)}], "a {k} fox", {})
    assert interpolated("{k:.1f} m", {"k": numpy.float64(2.5)}) == "2.5 m"


def test_a_missing_value_is_told_once() -> None:
    with pytest.raises(OptionError) as raised:
        interpolated("a {k[d]} fox", {"k": {"d": None}})
    assert str(raised.value).count("Nothing was sent") == 1
    assert "cannot be filled in" not in str(raised.value)


def test_a_table_of_one_column_has_empty_cells_and_one_of_several_has_empty_rows() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="Row 2: The column 'k' is empty"):
        rows_of(pandas.DataFrame({"k": ["red", None]}), "a {k} fox", {})
    wide = pandas.DataFrame({"k": ["red", None, "blue"], "m": ["x", None, "y"]})
    assert prompts(rows_of(wide, "a {k} fox", {}).plan) == ["a red fox", "a blue fox"]
    for rows in ([{"k": None}], [{"k": ""}]):
        with pytest.raises(InputError, match="Row 1: The column 'k' is empty"):
            rows_of(rows, "a {k} fox", {})
    with pytest.raises(InputError, match="Row 2: The prompt is empty"):
        rows_of(["a fox", None], None, {})
    assert prompts(rows_of(["a fox", math.nan], None, {}, "skip").plan) == ["a fox"]


def test_rows_come_as_arrow_and_named_tuples_too() -> None:
    arrow = pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    table = {"prompt": ["a fox", "an owl"]}
    for source in (arrow.table(table), pandas.DataFrame(table).itertuples()):
        assert prompts(rows_of(source, None, {}).plan) == ["a fox", "an owl"]


def test_whole_numbers_beside_a_gap_are_painted_as_such() -> None:
    """Pandas makes fractions of them: three pears would be `3.0 pears`."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"k": [3, None], "kg": [1.5, None], "what": ["pears", "plums"]})
    rows = rows_of(frame, "{k} {what}", {}, "skip")
    assert prompts(rows.plan) == ["3 pears"]
    assert prompts(rows_of(frame, "{kg} kg of {what}", {}, "skip").plan) == ["1.5 kg of pears"]


@pytest.mark.parametrize("name", ["city.name", "2024", "% wool", "a:b", "size (cm)", "Größe, cm"])
def test_braces_around_any_column_s_name_are_filled_in(name: str) -> None:
    rows = rows_of([{name: "Oslo"}], f"in {{{name}}}", {})
    assert prompts(rows.plan) == ["in Oslo"]
    assert prompts(rows_of([{"prompt": f"in {{{name}}}"}], None, {}).plan) == [f"in {{{name}}}"]


def test_a_column_of_other_letters_is_suggested() -> None:
    with pytest.raises(InputError, match=r"Did you mean \{City\}\?"):
        rows_of([{"City": "Oslo"}], "in {city}", {})


def test_what_a_spreadsheet_could_not_calculate_is_not_painted(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    for cell, told in (("#REF!", "Row 2: The column 'look' holds #REF!"), ("NaN", "is empty")):
        table.write_text(f"city,look,note\nOslo,{cell},#N/A\n")
        with pytest.raises(InputError, match=told):
            rows_of(table, "{city} in {look}", {})
        assert prompts(rows_of(table, "{city}", {}).plan) == ["Oslo"]
