"""A prompt on a line is never read as Python or as IPython's help, and nothing else is touched."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.displayhook import DisplayHook
from IPython.core.inputtransformer2 import TransformerManager

from opeai_nb.errors import OptionError
from opeai_nb.notebook.extension import unload
from opeai_nb.notebook.magic import cell_transform
from opeai_nb.notebook.magic.cell_transform import DROPPED, with_body, with_prompts
from opeai_nb.notebook.magic.line import parse
from opeai_nb.notebook.magic.prompt import without_markers
from tests.notebook.shell import shell_cells

UGLY = [
    "it's a lovely cat",
    "what is this?",
    "really??",
    "a (cat",
    'a """triple',
    "'''",
    "a [b {c",
    "back\\slash and C:\\new\\table",
    "50% off! $5 %ls !pwd",
    ":-) ;-) <3",
    "a cat; and a dog",
    "emoji 🦊 عربي 狐狸",
    "a\u2028b\x85c\x0bd\x0ce\x1cf",
    "# a comment",
    "x = 5",
    "{a: 1} and }{",
    "tab\there",
    "nul \x00 and \x7f",
]
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1
).filter(lambda text: text.strip() and not text.rstrip().endswith(("\\", ";")))


def transformed(cell: str) -> str:
    manager = TransformerManager()
    manager.cleanup_transforms.insert(0, with_body)
    manager.line_transforms.append(with_prompts)
    return manager.transform_cell(cell)


class Shell:
    """Stands for the shell: keeps what its magics are called with."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dropped: list[bool] = []
        self.bodies: list[tuple[str, str]] = []

    def system(self, command: str) -> None:
        """Run nothing."""

    def run_line_magic(self, name: str, line: str) -> str:
        self.lines.append(line.removesuffix(DROPPED))
        self.dropped.append(line.endswith(DROPPED))
        return f"{name} ran"

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        self.bodies.append((line, cell))


def run(cell: str) -> tuple[Shell, dict[str, Any]]:
    shell = Shell()
    names: dict[str, Any] = {"get_ipython": lambda: shell}
    exec(compile(transformed(cell), "<cell>", "exec"), names)
    return shell, names


@given(TEXTS)
@pytest.mark.parametrize("before", ["", "x = ", "x: str = ", "x, y = z = ", "if True: x = "])
def test_any_text_arrives_as_it_stands(before: str, text: str) -> None:
    if text.strip().strip("?"):
        shell, _ = run(f"{before.replace(', y = z', '')}%imagine {text}\n")
        assert shell.lines == [text.strip()]


@pytest.mark.parametrize("text", UGLY)
def test_ugly_texts_arrive_and_the_lines_around_them_run(text: str) -> None:
    shell, names = run(
        f"a = 1\nx = %imagine {text}\nfor _ in [1, 2]:\n    %imagine {text}\nb = 2\n"
    )
    assert shell.lines == [text.strip()] * 3
    assert (names["a"], names["x"], names["b"]) == (1, "imagine ran", 2)


@given(TEXTS)
@example("it's ;-) a (cat")
def test_the_words_behind_the_options_are_the_prompt(text: str) -> None:
    """What the line does not read as options comes out of it as it went in."""
    shell, _ = run(f"x = %imagine -n 2 -- {text}\n")
    assert parse(shell.lines[0], {}).rest == text.strip()


@given(TEXTS)
def test_any_body_arrives(text: str) -> None:
    shell, _ = run(f"%%imagine -n 2\n{text}\nand more;\n")
    assert shell.bodies == [("-n 2", f"{text}\nand more;\n")]


@pytest.mark.parametrize(
    "cell",
    [
        'text = """\n%imagine a cat\n"""\n',
        "x = (7\n%imagine\n)\nimagine = 4\n".replace("%imagine\n", "% imagine\n"),
        "x = 7 \\\n%imagine a\n",
        'print("x = %imagine a")\n',
        "y = 1  # x = %imagine a cat\n",
        "%%bash\necho it's\n%imagine a cat\n",
        "%imagine?\n",
        "%imagine ?\n",
        "%imagined a cat\n",
    ],
)
def test_what_is_no_line_of_ours_is_left_to_ipython(cell: str) -> None:
    plain = TransformerManager().transform_cell(cell)
    assert transformed(cell) == plain


def test_the_magic_is_told_where_python_drops_its_value() -> None:
    cell = "%imagine a\nx = %imagine b\nif x:\n    %imagine c\n    %imagine d;\n%imagine e\n# end\n"
    shell, _ = run(cell)
    assert shell.lines == ["a", "b", "c", "d", "e"]
    assert shell.dropped == [True, False, True, False, False]


@pytest.mark.parametrize("between", ["\xa0", "\u3000", " \xa0", "\u2003\t", "\t"])
def test_any_blank_may_stand_behind_the_name(between: str) -> None:
    """Web pages leave such blanks; IPython only prints that it knows no such magic."""
    assert run(f"x = %imagine{between}it's a fox?\n")[0].lines == ["it's a fox?"]
    assert run(f"%imagine{between}-n 2 a fox\n")[0].lines == ["-n 2 a fox"]
    assert run(f"%%imagine{between}-n 2\na fox\n")[0].bodies == [("-n 2", "a fox\n")]


def test_no_blank_need_stand_before_an_option_or_a_quote() -> None:
    assert run("%imagine-n 2 a fox\n%imagine'a' fox\n")[0].lines == ["-n 2 a fox", "'a' fox"]
    assert run("%%imagine--size 1K\na fox\n")[0].bodies == [("--size 1K", "a fox\n")]


def test_lines_of_other_magics_open_nothing() -> None:
    shell, _ = run("x = 1\n%ls (foo\n!echo it's '''\n%imagine it's\n")
    assert shell.lines[-1] == "it's"


def test_a_semicolon_at_the_end_silences_the_cell_and_is_no_prompt() -> None:
    code = transformed("%imagine it's a cat;\n")
    assert DisplayHook.semicolon_at_end_of_expression(code)
    assert run("%imagine it's a cat;\n")[0].lines == ["it's a cat"]


def test_a_backslash_at_the_end_goes_on_below_and_is_a_backslash_in_the_last_line() -> None:
    assert run("%imagine a cat \\\n   in snow\n")[0].lines == ["a cat in snow"]
    assert run("%imagine a cat \\\n")[0].lines == ["a cat \\"]


class Timing:
    """Stands for the shell where IPython's own magics run: keeps the code that they are given."""

    def __init__(self) -> None:
        self.code: list[str] = []

    def run_line_magic(self, name: str, code: str) -> None:
        self.code.append(code)

    def run_cell_magic(self, name: str, line: str, code: str) -> None:
        self.code.append(code)


@pytest.mark.parametrize(
    "cell",
    [
        "%%time\na = 1\nx = %imagine {}\n",
        "%%capture out\n%%time\n%imagine {}\n",
        "%%time\n%%imagine -n 2\n{}\n",
        "%time x = %imagine {}\n",
        "%timeit -n 1 -r 1 %imagine {}\n",
    ],
)
def test_below_a_magic_that_runs_python_there_is_python(cell: str) -> None:
    """`%%time` reads its cell as Python when it was run, and paid for."""
    for text in (text for text in UGLY if "\r" not in text):
        timing = Timing()
        exec(transformed(cell.replace("{}", text)), {"get_ipython": lambda it=timing: it})
        (code,) = (it.removeprefix("%%time\n").removeprefix("-n 1 -r 1 ") for it in timing.code)
        ast.parse(code)
        shell = Shell()
        exec(code, {"get_ipython": lambda it=shell: it})
        bodies = [body.rstrip("\n").strip() for _, body in shell.bodies]
        assert text.strip() in [*shell.lines, *bodies], text


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("imagine what is this?\n", ["what is this?"]),
        ("imagine.what?\n", []),
        ("imagine?\n", []),
        ("s = '50% = %imagine x'\n", []),
    ],
)
def test_a_question_without_the_sign_is_a_prompt_where_that_is_switched_on(
    cell: str, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_transform, "_is_automagic", lambda: True)
    code = transformed(cell)
    assert [text in code for text in sent] == [True] * len(sent)
    assert ("_magic('imagine'" in code) is bool(sent)
    monkeypatch.setattr(cell_transform, "_is_automagic", lambda: False)
    assert "_magic('imagine'" not in transformed(cell)


@pytest.mark.parametrize(
    ("line", "is_misread"),
    [
        ("%imagine what is this?", True),
        ("x = %imagine why?", True),
        ("%imagine it's a cat", False),
        ("for a in 'xy':\n    %imagine a {a} cat's", False),
        ("%time x = %imagine a cat", False),
        ("%time x = %imagine a (cat", True),
        ("%imagine?", False),
        ("print('what?')", False),
    ],
)
def test_a_cell_that_loads_the_extension_is_read_by_ipython_alone(
    line: str, is_misread: bool
) -> None:
    assert cell_transform.is_misread(f"%load_ext opeai_nb\n{line}\n") is is_misread


def test_a_question_below_the_line_that_loads_is_refused_and_not_passed_over() -> None:
    with shell_cells() as cells, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_FRONTEND", "script")
        unload(cells.shell)
        with pytest.raises(OptionError, match="into a cell of its own"):
            cells.run("%load_ext opeai_nb\n%imagine what is this?")
        cells.run("%load_ext opeai_nb\nx = 1  # %imagine what?")


def test_a_line_that_is_typed_in_a_terminal_is_complete() -> None:
    manager = TransformerManager()
    manager.cleanup_transforms.insert(0, with_body)
    manager.line_transforms.append(with_prompts)
    for text in ("it's a cat", "a (cat", '"""', "what?"):
        assert manager.check_complete(f"%imagine {text}") == ("complete", None)


@pytest.mark.parametrize(
    "above", ["# a note\n", "#| label: fig-fox\n#| echo: false\n", "\n# NBVAL_SKIP\n", "  # x\n\n"]
)
def test_comments_may_stand_above_the_magic(above: str) -> None:
    shell, _ = run(f"{above}%%imagine -n 2\na fox\n")
    assert shell.bodies == [("-n 2", "a fox\n")]


def test_lines_for_quarto_and_nbval_are_no_prompt_and_other_hashes_are() -> None:
    body = "#| label: fig-fox\n#| fig-cap: A fox\n# NBVAL_IGNORE_OUTPUT\n# a fox\n#1 in the list\n"
    assert without_markers(body) == "# a fox\n#1 in the list"
