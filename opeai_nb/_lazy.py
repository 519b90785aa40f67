"""Names of a package that are imported when they are first used.

A package lists them once, as imports for type checkers, and attaches the rest:

    if TYPE_CHECKING:
        from opeai_nb.client.sync_client import Client as Client

    __getattr__, __dir__ = attach(__name__)

Hand-written, because `lazy_loader` wants each name a second time, in a dict or in a stub file.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def attach(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the module's `__getattr__` and `__dir__` for *package*'s lazy names.

    `__getattr__` raises AttributeError for a name that the package does not list.
    """

    def get(name: str) -> Any:
        if name == "__all__":  # `from package import *` asks for it
            return listed()
        homes = {} if name.startswith("__") else _homes(package)
        if name not in homes:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}{_nearest(name, homes)}"
            )
        if homes[name] == package:
            return import_module(f"{package}.{name}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        here = sys.modules[package]
        own = [
            name
            for name, value in vars(here).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == package
        ]
        return sorted({*_homes(package), *own})

    return get, listed


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return what somebody may have meant; whoever asks for what begins with _ is no person."""
    from opeai_nb.errors import did_you_mean

    hint = "" if name.startswith("_") else did_you_mean(name, names)
    return hint and f".{hint}"


@cache
def _homes(package: str) -> dict[str, str]:
    """Return the module of each name that *package* imports for type checkers `as` itself."""
    # Not before the first name is asked for: `import opeai_nb` stays cheap.
    import ast
    import linecache

    here = vars(sys.modules[package])
    source = "".join(linecache.getlines(here["__file__"], here))  # reads inside a zip file, too
    return {
        alias.name: node.module
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.asname == alias.name
    }
