"""What people write on a line of `%imagine`, run in a shell: what is sent, and what is refused."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.utils.capture import capture_output

from opeai_nb.errors import OptionError
from tests.notebook.shell import Cells

# Braces have a meaning of their own (test_prompt.py), and so has a backslash or `;` at the end.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}|\\"), min_size=1
).filter(lambda text: text.strip() and not text.rstrip().endswith(";"))


@example("it's a lovely cat")
@example("what is this?")
@example('a """ (quote')
@example("tasks")
@given(TEXTS)
def test_any_text_is_one_post_with_that_text(shared: Cells, text: str) -> None:
    before = len(shared.sent)
    shared.run(f"x = %imagine --fresh -- {text}")
    assert shared.sent[before:] == [text.strip()]
    assert shared.shell.user_ns["x"].request.prompt == text.strip()


@pytest.mark.parametrize("text", ["it's a cat", "a (cat", "what is it?", '"""', "5% :-) $x !ls"])
def test_a_prompt_is_the_value_of_its_cell_and_paid_once(cells: Cells, text: str) -> None:
    assert cells.run(f"%imagine {text}").request.prompt == text
    assert cells.run(f"if True:\n    y = %imagine -- {text}\ny").request.prompt == text
    assert len(cells.sent) == 2


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%imagine a fox -n 2", "-n is a part of the prompt: options stand before it."),
        ("%imagine a fox --size=512x512 -q high", "--size is a part of the prompt: "),
        ("%imagine a fox --fresh", "--fresh is a part of the prompt: "),
        (
            "%%imagine -n 1\na fox\nat dusk --ar 16:9",
            "--ar is a part of the prompt: options stand in the first line of the cell.",
        ),
        (
            "%imagine a $animal in 5$ and $USD with $animal",
            "$animal is a part of the prompt: {animal} is the variable's value.",
        ),
        ("%imagine -- a fox -n 2", ""),
        ("%imagine -- a $animal", ""),
        ("%%imagine --\na fox --ar 16:9", ""),
        ("%imagine a -5 degrees day -x -n many, - i think, wi-fi --style", ""),
    ],
)
def test_an_option_or_a_variable_in_the_prompt_is_sent_with_it_and_told(
    cells: Cells, capsys: pytest.CaptureFixture[str], cell: str, told: str
) -> None:
    cells.run("animal = 'fox'")
    cells.run(cell)
    assert cells.sent == [cell.removeprefix("%imagine ").removeprefix("-- ").split("\n", 1)[-1]]
    assert [line[: len(told) + 6] for line in capsys.readouterr().err.splitlines()] == (
        [f"Note: {told}"] if told else []
    )


def test_a_function_fills_in_its_own_names(cells: Cells) -> None:
    cells.run("animal, place = 'GLOBAL', 'snow'")
    cells.run("def card(animal):\n    r = %imagine a {animal} in {place}\n    return r")
    cells.run("card('fox')")
    cells.run("[get_ipython().run_line_magic('imagine', 'an {each} {animal}') for each in 'x']")
    cells.run("def all_of(animal):\n"
              "    return [get_ipython().run_line_magic('imagine', 'my {animal} {n}')"
              " for n in range(1)]\nall_of('owl')")  # fmt: skip
    assert cells.sent == ["a fox in snow", "an x GLOBAL", "my owl 0"]


def test_a_nested_function_fills_in_the_names_around_it(cells: Cells) -> None:
    """Python hands on what it sees used: it would fill in the global of that name."""
    cells.run("animal, size = 'GLOBAL', '2x2'")
    cells.run("def outer(animal, size):\n    def inner():\n"
              "        r = %imagine --fresh -s $size a {animal}\n        return r\n"
              "    return inner\nkept = outer('fox', '512x512')\nmade = kept()")  # fmt: skip
    cells.run("def runs(animal):\n    def inner():\n"
              "        return get_ipython().run_line_magic('imagine', 'my {animal}')\n"
              "    return inner()\nruns('owl')")  # fmt: skip
    cells.run("class Card:\n    animal = 'hare'\n    r = %imagine a {animal}")
    assert cells.sent == ["a fox", "my owl", "a hare"]
    assert cells.shell.user_ns["made"].request.size == "512x512"


def test_a_module_fills_in_its_own_names_before_those_of_the_notebook(cells: Cells) -> None:
    module = ModuleType("of_a_user")
    code = (
        "animal = 'hare'\n"
        "def paint(shell, colour):\n"
        "    return shell.run_cell_magic('imagine', '', 'a {colour} {animal} in {place}')\n"
    )
    exec(code, vars(module))
    sys.modules["of_a_user"] = module
    try:
        cells.run("animal, place = 'GLOBAL', 'snow'\nimport of_a_user")
        cells.run("of_a_user.paint(get_ipython(), 'blue')")
    finally:
        del sys.modules["of_a_user"]
    assert cells.sent == ["a blue hare in snow"]


@pytest.mark.parametrize(
    "line",
    [
        "taks",
        "task",
        "Tasks",
        "histroy",
        "hepl",
        "modles",
        "verison",
        "resum",
        "histroy fox",
        "reusme 3f2a9c1d",
        "resum 3f2a9c1d",
        "stpo 3f2a",
        "inof fox.png",
        "inf fox-1.png",
        "forgte 3f2a9c1d --send",
        "resume the story",
        "tasks now",
        "stop sign at dusk",
        "stop sign",
        "forget me",
        "taks --all",
        "histry fox",
        "usag --csv f.csv",
        "info desk",
        "usage of a hammer",
        "starr 3f2a9c1d-2",
        "tagg 3f2a9c1d best",
        "undo",
        "untrash 3f2a9c1d",
        "rm 3f2a9c1d",
        "delete 3f2a9c1d-1 3f2a9c1e",
        "search",
    ],
)
def test_a_near_miss_of_a_command_is_not_painted(cells: Cells, line: str) -> None:
    with pytest.raises(OptionError, match="Nothing was sent") as raised:
        cells.run(f"%imagine {line}")
    assert f"%imagine -- {line}" in str(raised.value)
    assert not cells.sent


@pytest.mark.parametrize(
    "line",
    [
        "task force at dawn",
        "story of a fox",
        "hey you",
        "step 3 of a recipe",
        "keys on a table",
        "Tasks of the day",
        "Help me find my cat",
        "shop window at night",
        "remove the sky",
        "find a way through snow",
        "undo button on a desk",
        "fox",
        "cats",
        "sunset",
    ],
)
def test_a_prompt_that_begins_with_an_ordinary_word_is_painted(cells: Cells, line: str) -> None:
    cells.run(f"%imagine {line}")
    assert cells.sent == [line]


@pytest.mark.parametrize(
    "name",
    [
        *("get_ipython", "print", "In", "Out", "exit", "len", "_", "__", "_3", "_i", "_i3", "_oh"),
        *("_ih", "__builtins__", "__file__", "\uff4c\uff45\uff4e"),
    ],
)
def test_names_that_the_session_needs_are_refused(cells: Cells, name: str) -> None:
    for line in (f"-o {name} a fox", f"{name} << a fox"):
        with pytest.raises(OptionError, match="Nothing was sent"):
            cells.run(f"%imagine {line}")
    assert not cells.sent


def test_a_part_of_a_variable_is_an_input_picture(cells: Cells) -> None:
    cells.run("pic = %imagine a fox\npics = {'a': pic}")
    for name in ("pic[0]", "{pic[0]}", "$pic[0]", "pics['a'][0]", "{pics[a]}"):
        cells.run(f"%imagine --fresh -i {name} in blue")
    assert len(cells.sent) == 6
    with pytest.raises(OptionError, match=r"There is no pic\[7\]"):
        cells.run("%imagine -i pic[7] in blue")


def test_a_file_goes_before_an_attribute(cells: Cells, tmp_path: Path) -> None:
    made: Any = cells.run("pic = %imagine a fox\npic")
    (tmp_path / "pic.png").write_bytes(made.pictures[0].data)
    cells.run("%imagine -i pic.png in blue")
    assert len(cells.sent) == 2


def test_braces_that_may_be_no_alternatives_are_asked_about_and_plain_ones_are_not(
    cells: Cells,
) -> None:
    with pytest.raises(OptionError, match="as if its braces were alternatives"):
        cells.run("%imagine {x = 1|y = 2}")
    for code in ("if (a || b) { x | y }", '<svg viewBox="{0|1}">'):
        with pytest.raises(OptionError, match="as if its braces were alternatives"):
            cells.run(f"%imagine {code}")
    assert not cells.sent
    cells.run("%imagine {red|blue} fox")
    cells.run("%imagine --yes {x = 1|y = 2}")
    cells.run("%imagine --raw {x = 3|y = 4}")
    cells.run('%imagine {"subject": "fox|hare"}')
    assert sorted(cells.sent) == [
        "blue fox",
        "red fox",
        "x = 1",
        "y = 2",
        '{"subject": "fox|hare"}',
        "{x = 3|y = 4}",
    ]


def displayed(cells: Cells, code: str) -> list[str]:
    """Return the texts of what a cell displays, its value not among them."""
    with capture_output() as output:
        value = cells.shell.run_cell(code)
    value.raise_error()
    return [shown.data["text/plain"] for shown in output.outputs]


def test_each_picture_is_seen_where_it_was_made(cells: Cells) -> None:
    """In a loop, in a block, in a function and before the last line; not where it is silenced."""
    picture = "<Generation: 1 picture · qwen-image-2.0 · 8x8>"
    code = "%imagine a\nfor _ in 'xy':\n    %imagine b\n%imagine c;\ny = %imagine d\n%imagine e"
    assert displayed(cells, code) == [picture] * 3
    assert len(cells.sent) == 6
    cells.run("def paint():\n    %imagine f")
    assert displayed(cells, "paint()\npaint();") == [picture] * 2


def test_an_alias_of_the_magic_is_the_magic(cells: Cells) -> None:
    cells.run("%alias_magic img imagine\n%alias_magic -l two img -p '-n 2'")
    try:
        assert cells.run("%img what is this?").request.prompt == "what is this?"
        picture = "<Generation: 1 picture · qwen-image-2.0 · 8x8>"
        assert displayed(cells, "for a in ['fox', 'owl']:\n    %img a {a}") == [picture] * 2
        assert cells.run("%%time\n%%img\na (cat's").request.prompt == "a (cat's"
        assert cells.run("# a note\n%%img -n 2\nan owl").request.n == 2
        assert cells.run("%two it's a fox?").request.n == 2
    finally:
        for kind, name in (("line", "img"), ("cell", "img"), ("line", "two")):
            del cells.shell.magics_manager.magics[kind][name]
    assert cells.sent[-4:] == ["a owl", "a (cat's", "an owl", "it's a fox?"]


def test_each_command_of_a_cell_shows_its_table(cells: Cells) -> None:
    shown = displayed(cells, "%imagine version\n%imagine tasks\n%imagine history")
    assert [text.split()[0] for text in shown] == ["opeai_nb", "Nothing"]


def test_the_doctor_looks_at_the_notebook_too(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_BASE_URL", "engine:")
    table = cells.run("%imagine doctor")
    assert {"painter", "library", "front end", "versions"} <= {row[1] for row in table.rows}
    assert "Nothing is wrong." in repr(table)
    assert cells.sent == []


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("n = 'two'", "two"),
        ("n = -3", "-3"),
        ("size = 1024", "1024"),
        ("show = 'huge'", "huge"),
        ("modle = 'x'", "There is no setting 'modle'. Did you mean 'model'?"),
    ],
)
def test_a_prompt_below_a_wrong_setting_is_not_paid_for(
    cells: Cells, setting: str, told: str
) -> None:
    warning = pytest.warns() if "modle" in setting else nullcontext()
    with warning, pytest.raises(OptionError, match="Nothing was sent") as raised:
        cells.run(f"%config Imagine.{setting}\n%imagine a fox")
    assert told in str(raised.value)
    assert not cells.sent
    cells.run("%imagine a fox")
    assert cells.sent == ["a fox"]
