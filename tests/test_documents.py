"""Documents and code hold to each other: what a text names is there."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.test_house import TABLE, nodes_of, syntax_trees

__all__ = ["syntax_trees"]  # a fixture, for the tests here, too

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
CODE = sorted((ROOT / "opeai_nb").rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *NOTEBOOKS.rglob("*.md"), *NOTEBOOKS.glob("*.ipynb")])
TREES = ("opeai_nb", "notebooks", "tests", "binder", ".ci")


class Text(NamedTuple):
    """A piece of text, and where it stands."""

    place: str
    text: str


def page(path: Path) -> Text:
    """Return the words of a document; of a notebook its cells, without what they put out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return Text(str(path.relative_to(ROOT)), text)


@functools.cache
def strings(path: Path) -> list[tuple[Text, bool]]:
    """Return every string of a Python file, and whether it is a docstring or a note like one."""
    nodes = nodes_of(path)
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return [
        (Text(f"{path.relative_to(ROOT)}:{node.lineno}", node.value), id(node) in alone)
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


_COMMENT = re.compile(r"(?:^|\s)#[# ]*(.*)")


def comments(path: Path) -> Iterator[Text]:
    """Yield the comments of a Python file, those on lines in a row as one.

    What looks like one inside a string is told as one: it is text of ours, too.
    """
    lines: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if comment := _COMMENT.search(line):
            lines.append(comment[1])
        elif lines:
            yield Text(f"{path.relative_to(ROOT)}:{number}", " ".join(lines))
            lines = []
    if lines:
        yield Text(f"{path.relative_to(ROOT)}:end", " ".join(lines))


# Read in a test, not on import: every worker of a run collects all tests, and runs only some.
@functools.cache
def texts() -> list[Text]:
    """Return what the documents and the package say."""
    return [
        *(page(path) for path in PAGES),
        *(text for path in CODE for text, _ in strings(path)),
        *(text for path in CODE for text in comments(path)),
    ]


@functools.cache
def texts_and_tests() -> list[Text]:
    """Return what the documents, the package and the tests' own words say."""
    return texts() + [
        text
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__)
        for text in (*comments(path), *(text for text, is_doc in strings(path) if is_doc))
    ]


_NAME = re.compile(r"(?<![\w./-])opeai_nb((?:\.[A-Za-z_]\w*)+)(\()?")
# What IPython calls our completer by: a name that nobody imports.
_NOT_PYTHON = {"opeai_nb.imagine"}


def exists(name: str, *, called: bool) -> bool:
    """Tell whether a name can be reached in the package, and called where a text calls it."""
    parts = name.split(".")
    thing: Any = importlib.import_module(parts[0])
    for n, part in enumerate(parts[1:], start=2):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            if part in getattr(thing, "__dataclass_fields__", ()):
                return n == len(parts)
            try:
                thing = importlib.import_module(".".join(parts[:n]))
            except ModuleNotFoundError:
                return False
    return callable(thing) or not called


def test_every_name_of_ours_that_a_text_mentions_is_there() -> None:
    """A name of the package that a page, message, docstring or comment mentions can be reached."""
    names = {
        (f"opeai_nb{match[1]}", match[2] == "(", text.place)
        for text in texts()
        for match in _NAME.finditer(text.text)
    }
    assert len(names) > 20
    absent = [
        (place, name)
        for name, called, place in names
        if name not in _NOT_PYTHON and not exists(name, called=called)
    ]
    assert sorted(absent) == []


_PATH = re.compile(r"(?<![\w/.:-])(?:opeai_nb|notebooks|tests|binder|\.ci)/[\w./*-]*[\w/*]")
_DOCUMENT = re.compile(r"(?<![\w/.:*{}=-])[\w/.-]+\.(?:md|ipynb|toml)\b")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


# Folders of the user's cache, named like the package, and a file that the reader makes.
_OUTSIDE = {"prices.toml", "opeai_nb/index", "opeai_nb/libraries"}


def stands(path: str, place: str) -> bool:
    """Tell whether a file or pattern is in the repository, beside *place*, or in the package."""
    beside = (ROOT / place.partition(":")[0]).parent / path
    if beside.exists():
        return True  # also a path with `..`, which a pattern may not have
    places = (path, f"notebooks/{path}", f"opeai_nb/**/{path}")
    return any(any(ROOT.glob(it.rstrip("/"))) for it in places)


def test_every_file_that_a_text_mentions_is_there() -> None:
    """A path of the repository and a document that a text names exist."""
    named = {
        (found, text.place)
        for text in texts_and_tests()
        for pattern in (_PATH, _DOCUMENT)
        for found in pattern.findall(text.text)
    }
    assert len(named) > 10
    absent = [(place, path) for path, place in named if not stands(path, place)]
    assert sorted(it for it in absent if it[1] not in _OUTSIDE) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(path: Path) -> None:
    """A relative link of a page leads to a file."""
    links = [link for link in _LINK.findall(page(path).text) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


_SECTIONS = re.compile(
    r"platform\.md((?:[\s,]|\band\b|\bto\b|\([^()]*\)|\d+(?:\.\d+)?(?![\w.]\w))*)"
)


def cited(text: str) -> list[str]:
    """Return the sections of platform.md that a text cites.

    >>> cited("platform.md 1.9 (wan2.6), 1.10 and 7; platform.md 1.4 to 1.6: 4.0 also")
    ['1.9', '1.10', '7', '1.4', '1.6']
    """
    without = [re.sub(r"\([^()]*\)", "", found) for found in _SECTIONS.findall(text)]
    return [number for found in without for number in re.findall(r"\d+(?:\.\d+)?", found)]


def test_every_section_of_platform_md_that_is_cited_is_there() -> None:
    """A fact's source is a heading of the page of facts."""
    text = (NOTEBOOKS / "platform.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))
    citations = [(number, text.place) for text in texts_and_tests() for number in cited(text.text)]
    assert len(citations) > 100
    assert [(place, number) for number, place in citations if number not in headings] == []


def test_no_message_sends_its_reader_to_a_document() -> None:
    """A message says what it has to say: who reads it may have no checkout."""
    messages = [text for path in CODE for text, is_doc in strings(path) if not is_doc]
    assert [text for text in messages if re.search(r"\w\.md\b", text.text)] == []


def test_every_extra_that_a_text_installs_is_declared() -> None:
    """`pip install ".[name]"` installs what pyproject declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        name
        for text in texts()
        for names in re.findall(r"(?:opeai_nb|(?<![\w])\.)\[([a-z, ]+)\]", text.text)
        for name in names.replace(" ", "").split(",")
    }
    assert wanted
    assert wanted <= set(project["optional-dependencies"])


Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(path: Path) -> Iterator[tuple[Function, str]]:
    """Yield the public functions and methods of a file, each with its docstring."""
    module = nodes_of(path)[0]
    assert isinstance(module, ast.Module)
    for node in module.body:
        if isinstance(node, Function) and node.name[0] != "_":
            yield node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef) and node.name[0] != "_":
            for method in filter(lambda it: isinstance(it, Function), node.body):
                assert isinstance(method, Function)
                if method.name == "__init__":  # a class's docstring is that of making one
                    yield method, ast.get_docstring(node) or ""
                elif method.name[0] != "_":
                    yield method, ast.get_docstring(method) or ""


def raises(function: Function) -> Iterator[str]:
    """Yield the classes that a function's own body raises by name."""
    nodes: list[ast.AST] = [*function.body]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Raise) and node.exc is not None:
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(kind, ast.Name) and kind.id[0].isupper():
                yield kind.id
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            nodes += ast.iter_child_nodes(node)


def test_a_public_docstring_names_what_its_function_raises() -> None:
    """Who calls it knows what to catch; an `AssertionError` is a fault of ours."""
    assert [
        (str(path.relative_to(ROOT)), function.name, kind)
        for path in CODE
        for function, docstring in public_functions(path)
        for kind in raises(function)
        if kind not in docstring and kind != "AssertionError"
    ] == []


def test_the_table_of_rooms_is_the_one_that_is_enforced() -> None:
    """CONTRIBUTING tells who may import whom as `tests/test_house.py` holds it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## The house")[2].partition("## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    told = {room.strip("`"): set(re.findall(r"`([\w.]+)`", imports)) for room, _, imports in rows}
    own_business = {"run_awaitable"}  # one function, and a room of no other
    enforced = {room: ours for room, (ours, _) in TABLE.items() if room[0] != "_"}
    assert told == {room: ours for room, ours in enforced.items() if room not in own_business}


def test_each_line_of_the_page_on_safety_names_tests_that_are_there() -> None:
    page = (ROOT / "notebooks" / "how-to" / "safety.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    named = [re.findall(r"`([\w/]+\.py)`", row.rpartition(" | ")[2]) for row in rows]
    assert len(rows) == 10
    assert all(named)
    assert not [name for names in named for name in names if not (ROOT / "tests" / name).is_file()]
