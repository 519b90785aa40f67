"""A table as a command answers it."""

from __future__ import annotations

from opeai_nb.notebook.display.table import Table, Thumbnail


def test_text_is_aligned_also_where_letters_are_wide() -> None:
    table = Table(("name", "count"), [("猫", 1), ("badger", 12)])
    assert repr(table) == "name    count\n猫          1\nbadger     12"


def test_what_came_from_outside_is_escaped_and_its_lines_are_one() -> None:
    table = Table(("prompt",), [("<b>a\nfox</b>",)])
    assert "&lt;b&gt;" in table._repr_html_()
    assert "<b>" not in table._repr_html_()
    assert repr(table) == "prompt\n<b>a fox</b>"


def test_a_long_prompt_is_cut_in_text_and_whole_in_html() -> None:
    prompt = "fox " * 40
    table = Table(("prompt",), [(prompt,)])
    assert len(repr(table).splitlines()[1]) == 64
    assert prompt in table._repr_html_()


def test_a_picture_is_for_html_and_a_column_without_anything_is_left_out() -> None:
    picture = Thumbnail("data:image/jpeg;base64,AAAA", 'a "fox"')
    table = Table(("", "id", "left"), [(picture, "a1", ""), ("", "b2", "")])
    assert repr(table) == "id\na1\nb2"
    assert 'alt="a &quot;fox&quot;"' in table._repr_html_()
    assert "left</th>" not in table._repr_html_()
    assert "></th>" not in table._repr_html_(), "no heading that says nothing"


def test_it_is_a_sequence_of_what_it_lists_and_may_be_a_note_alone() -> None:
    table = Table(("id",), [("a1",)], items=[{"id": "a1"}])
    assert table[0] == {"id": "a1"}
    assert repr(Table((), (), note="Nothing <here>.")) == "Nothing <here>."
    assert "Nothing &lt;here&gt;." in Table((), (), note="Nothing <here>.")._repr_html_()
