"""What the site lists and the package knows: options, commands, models, settings, errors.

Each function returns Markdown, made of the tables that the help, the completion and the panel are
made of. In a page, `{listed} options` stands for `options()`, and `{public}` for docstrings.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from docutils import nodes
    from sphinx.application import Sphinx


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def _option_rows(options: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    for option in options:
        spellings = " ".join(f"`{spelling}`" for spelling in option.spellings)
        value = f" `{option.metavar}`" if option.metavar else ""
        yield f"{spellings}{value}", option.description


def options() -> str:
    """Return the options of `%imagine`, those of the request first."""
    from opeai_nb.notebook.magic.options import CELL_OPTIONS, REQUEST_OPTIONS

    head = ("option", "what it does")
    return (
        f"## What is asked\n\n{_table(head, _option_rows(REQUEST_OPTIONS))}\n\n"
        f"## In this notebook\n\n{_table(head, _option_rows(CELL_OPTIONS))}"
    )


def commands() -> str:
    """Return the sub-commands of `%imagine`."""
    from opeai_nb.notebook.commands import COMMANDS

    rows = (
        (f"`%imagine {name} {command.arguments}`".replace(" `", "`"), _first_line(command.run))
        for name, command in COMMANDS.items()
    )
    return _table(("command", "what it does"), rows)


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def programs() -> str:
    """Return the commands of `python -m opeai_nb`."""
    from opeai_nb.cli.main import COMMANDS

    rows = ((f"`python -m opeai_nb {name}`", summary) for name, summary in COMMANDS.items())
    return _table(("command", "what it does"), rows)


def models() -> str:
    """Return the families of models: what each takes, as far as it is known."""
    from opeai_nb.families import FAMILIES

    head = ("models that begin with", "sizes", "pictures", "input pictures", "remark")
    rows = (
        (
            ", ".join(f"`{prefix}`" for prefix in family.prefixes),
            ", ".join(family.sizes),
            f"1 to {family.n_max}" if family.n_max > 1 else "1",
            _span(family.images_min, family.images_max),
            family.note,
        )
        for family in FAMILIES
    )
    return _table(head, rows)


def _span(least: int, most: int) -> str:
    if not most:
        return "none"
    return f"{least} to {most}" if least else f"up to {most}"


def settings() -> str:
    """Return what `%config Imagine.…` sets."""
    from opeai_nb.notebook.magic.imagine import Imagine

    traits = sorted(Imagine.class_traits(config=True).items())
    rows = ((f"`{name}`", trait.help, f"`{trait.default_value!r}`") for name, trait in traits)
    return _table(("`%config Imagine.…`", "what it sets", "default"), rows)


def variables() -> str:
    """Return the variables of the environment that give a setting."""
    from opeai_nb.settings import VARIABLES

    rows = ((f"`{variable}`", f"`{name}`") for name, variable in VARIABLES.items())
    return _table(("variable", "setting"), rows)


def errors() -> str:
    """Return the tree of errors, with what each means and advises."""
    from opeai_nb import errors as module

    classes = [
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, module.OpeaiError)
    ]
    rows = ((f"`{thing.__name__}`", _first_line(thing), thing.default_advice) for thing in classes)
    return _table(("error", "what happened", "what it advises"), rows)


TABLES = {
    function.__name__: function
    for function in (options, commands, programs, models, settings, variables, errors)
}


class Listed(SphinxDirective):
    """`{listed} NAME`: the table of that name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what the table says, as the page's own text."""
        text = TABLES[self.arguments[0]]()
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Public(SphinxDirective):
    """`public:: PACKAGE`: the docstrings of all its public names, by the name one imports."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return them; a function that `opeai_nb` itself has stands on the page of functions."""
        package = self.arguments[0]
        return self.parse_text_to_nodes("\n\n".join(_public(package)), allow_section_headings=True)


def _public(package: str) -> Iterator[str]:
    module, root = import_module(package), import_module("opeai_nb")
    for name in dir(module):
        thing = getattr(module, name)
        shared = getattr(root, name, None) is thing
        if name[0] == "_" or not callable(thing) or (shared and not inspect.isclass(thing)):
            continue
        kind = "class" if inspect.isclass(thing) else "function"
        yield f".. auto{kind}:: {'opeai_nb' if shared else package}.{name}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("listed", Listed)
    app.add_directive("public", Public)
    return {"parallel_read_safe": True}
