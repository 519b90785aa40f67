"""The panel's page as a front end loads it: the files of `page/` as one module."""

from __future__ import annotations

import json
import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMPORTED: Final = re.compile(r"^import .* from '\./(\w+)\.js';\n", re.MULTILINE)
_IMPORTED_TYPE: Final = re.compile(r"^/\*\* @typedef \{import\(.*\n", re.MULTILINE)


def _file(name: str) -> str:
    return (files("opeai_nb.notebook.panel") / "page" / name).read_text(encoding="utf-8")


@cache
def page_module() -> str:
    """Return the page's module, its style sheet in it, with a name for its text.

    Panels of one text share it. As anywidget's `_css` each panel would set the sheet anew, and a
    browser lay out all panels of the page again.
    """
    text = "".join(_with_imports("panel", set()))
    text = text.replace("'STYLES'", json.dumps(_file("panel.css")))
    return text.replace("DIGEST", sha256(text.encode()).hexdigest())


def _with_imports(name: str, known: set[str]) -> Iterator[str]:
    """Yield a file of the page behind those that it imports, each once."""
    known.add(name)
    text = _file(f"{name}.js")
    for part in _IMPORTED.findall(text):
        if part not in known:
            yield from _with_imports(part, known)
    yield _IMPORTED_TYPE.sub("", _IMPORTED.sub("", text))
