"""What the library loads, and what it never does."""

import ast
import subprocess
import sys
from pathlib import Path

import opeai_nb.library
from opeai_nb.library import Library

ROOM = Path(opeai_nb.library.__file__).parent
VALUES = {"request", "generation", "picture", "task", "input_image", "filename"}


def loaded_by(code):
    told = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_neither_loading_nor_asking_costs_pillow_or_httpx(keep, folder):
    keep()
    code = (
        "from opeai_nb.library import *\n"
        f"assert len(list(Library({str(folder)!r}).records())) == 1\n"
    )
    assert not {"PIL", "httpx", "numpy", "IPython"} & loaded_by(code)


def test_loading_the_package_loads_none_of_its_modules():
    loaded = {name for name in loaded_by("import opeai_nb.library") if "opeai_nb" in name}
    assert loaded == {"opeai_nb", "opeai_nb._lazy", "opeai_nb.library"}


def test_it_imports_the_errors_and_the_clients_values_alone():
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opeai_nb."):
                _, room, *rest = node.module.split(".")
                assert room in {"_lazy", "errors", "library"} or (room, *rest)[:1] == ("client",), path.name
                if room == "client":
                    assert rest[0] in VALUES, f"{path.name} imports {node.module}"
            elif isinstance(node, ast.Import):
                assert not any("httpx" in name.name for name in node.names)


def test_every_public_name_is_there():
    for name in opeai_nb.library.__all__:
        assert getattr(opeai_nb.library, name).__name__ == name


def test_names_are_not_hidden_by_modules_of_the_same_name():
    import importlib

    for path in ROOM.glob("[a-z]*.py"):
        importlib.import_module(f"opeai_nb.library.{path.stem}")
    for name in opeai_nb.library.__all__:
        assert getattr(opeai_nb.library, name).__name__ == name


def test_the_repr_shows_no_path(tmp_path):
    assert repr(Library(tmp_path / "imagine")) == "<Library: imagine>"
