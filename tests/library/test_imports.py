"""What the library loads, and what it never does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import opeai_nb.library
from opeai_nb.client import Generation
from opeai_nb.library import Library

ROOM = Path(opeai_nb.library.__file__).parent


def loaded_by(code: str) -> set[str]:
    told = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_neither_loading_nor_asking_costs_pillow_or_httpx(
    keep: Callable[..., Generation], folder: Path
) -> None:
    keep()
    code = (
        "from opeai_nb.library import *\n"
        f"assert len(list(Library({str(folder)!r}).records())) == 1\n"
    )
    assert not {"PIL", "httpx", "numpy", "IPython"} & loaded_by(code)


def test_loading_the_package_loads_none_of_its_modules() -> None:
    loaded = {name for name in loaded_by("import opeai_nb.library") if "opeai_nb" in name}
    assert loaded == {"opeai_nb", "opeai_nb._lazy", "opeai_nb._version", "opeai_nb.library"}


def test_every_public_name_is_there() -> None:
    for name in opeai_nb.library.__all__:
        assert getattr(opeai_nb.library, name).__name__ == name


def test_names_are_not_hidden_by_modules_of_the_same_name() -> None:
    import importlib

    for path in ROOM.rglob("[a-z]*.py"):
        name = ".".join(path.relative_to(ROOM).with_suffix("").parts)
        importlib.import_module(f"opeai_nb.library.{name}")
    for name in opeai_nb.library.__all__:
        assert getattr(opeai_nb.library, name).__name__ == name


def test_the_repr_shows_no_path(tmp_path: Path) -> None:
    assert repr(Library(tmp_path / "imagine")) == "<Library: imagine>"
