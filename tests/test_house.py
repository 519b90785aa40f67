"""Who may import whom, read from the syntax tree, and what importing costs."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import opeai_nb

HOUSE = Path(opeai_nb.__file__).parent
OUTSIDE = {"httpx", "PIL", "numpy", "starlette", "uvicorn", "IPython", "pybase64"}
OUTSIDE |= {"ipywidgets", "anywidget"}

# room -> (rooms of ours that it may import, packages from OUTSIDE that it may import)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "_lazy": ({"errors"}, set()),  # for a mistyped name alone
    "_version": (set(), set()),
    "errors": ({"printable"}, set()),
    "families": (set(), set()),
    "fields": (set(), set()),
    "formats": (set(), set()),
    "guard": (set(), set()),
    "homeless": (set(), set()),
    "warning": ({"printable"}, set()),
    "wording": (set(), set()),
    "printable": (set(), set()),
    "plain_file": (set(), set()),
    "imaging": ({"formats", "guard", "plain_file"}, {"PIL", "numpy"}),
    "run_awaitable": (set(), {"IPython"}),
    "secret": (set(), set()),
    "settings": ({"errors", "plain_file", "secret"}, set()),
    "prices": ({"errors", "plain_file", "wording"}, set()),
    "presets": ({"errors", "fields", "prices", "wording", "client.values"}, set()),
    "client": (
        {
            "printable",
            "plain_file",
            "warning",
            "errors",
            "families",
            "fields",
            "formats",
            "guard",
            "imaging",
            "secret",
            "wording",
        },
        {"httpx", "pybase64", "PIL", "numpy"},
    ),
    "library": (
        {"printable", "plain_file", "warning", "errors", "formats", "imaging", "prices"}
        | {"client.values", "guard", "homeless", "wording"},
        {"PIL"},
    ),
    "engine": (
        {"families", "guard", "homeless"},
        {"numpy", "PIL", "starlette", "uvicorn", "httpx", "pybase64"},
    ),
    "connect": ({"client", "settings", "engine", "errors"}, set()),
    "studio": (
        {"warning", "connect", "client", "library", "settings", "errors", "fields"}
        | {"presets", "prices", "guard", "wording"},
        set(),
    ),
    "bulk": (
        {
            "printable",
            "plain_file",
            "studio",
            "client",
            "library",
            "settings",
            "errors",
            "fields",
            "guard",
            "imaging",
            "presets",
            "prices",
            "wording",
        },
        {"PIL"},
    ),
    "notebook": (
        {
            "printable",
            "studio",
            "bulk",
            "settings",
            "families",
            "fields",
            "errors",
            "client",
            "library",
            "formats",
            "imaging",
            "plain_file",
            "presets",
            "prices",
            "wording",
        },
        {"IPython", "ipywidgets", "anywidget", "PIL", "pybase64"},
    ),
    "testing": ({"client", "errors"}, {"httpx"}),
    "cli": (
        # Of the notebook what a command line shares with it: the parser, and the badge as text.
        {"studio", "bulk", "engine", "errors", "fields", "client", "library", "printable"}
        | {"presets", "prices", "wording", "notebook.magic", "notebook.display.badge"},
        set(),
    ),
    "__main__": ({"cli"}, set()),
    "__init__": (
        {"bulk", "client", "connect", "errors", "library", "notebook", "run_awaitable", "studio"},
        set(),
    ),
}
# The notebook uses values, and the client's pure answers to "what would be sent"; never its flows.
NEVER = {"notebook": ("opeai_nb.client.protocol", "opeai_nb.client.http")}


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return the syntax tree of a file as a list."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module", autouse=True)
def syntax_trees() -> Iterator[None]:
    """Hold the syntax trees of all files while these tests run, and let no collector look at them.

    It would look at a million nodes again and again, here and in whatever test comes next.
    """
    gc.disable()
    yield
    nodes_of.cache_clear()
    gc.enable()


def imports_of(path: Path) -> list[str]:
    """Return every module that a file imports to run, not for its types alone."""
    typing_only = {
        id(inner)
        for node in nodes_of(path)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    modules: list[str] = []
    for node in nodes_of(path):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = absolute(path, node)
            modules += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return modules


def absolute(path: Path, node: ast.ImportFrom) -> str:
    """Return the module that a `from … import` names, also when it says `from .x import`."""
    if not node.level:
        return str(node.module)
    package = ["opeai_nb", *path.relative_to(HOUSE).parts[: -node.level]]
    return ".".join([*package, node.module] if node.module else package)


FILES = sorted(HOUSE.rglob("*.py"))


def test_a_room_imports_only_what_the_table_allows() -> None:
    """A file imports its own room, the rooms and packages of the table, and nothing else."""
    assert [
        f"{path} imports {module}"
        for path in FILES
        for module in imports_of(path)
        if not may_import(path.relative_to(HOUSE).parts[0].removesuffix(".py"), module)
    ] == []


def may_import(room: str, module: str) -> bool:
    """Tell whether a file of *room* may import a module."""
    ours, outside = TABLE[room]
    if is_in(module, OUTSIDE):
        return is_in(module, outside)
    allowed = {f"opeai_nb.{name}" for name in {room, "_lazy", "_version", *ours}}
    is_ours = module.startswith("opeai_nb.")
    return not is_ours or (is_in(module, allowed) and not is_in(module, NEVER.get(room, ())))


def is_in(module: str, places: Iterable[str]) -> bool:
    """Tell whether *module* is one of *places* or inside one."""
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def test_no_two_files_have_one_name() -> None:
    names = Counter(file.name for file in FILES if file.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_a_folder_can_be_taken_in() -> None:
    """A folder has at most 18 Python files, `__init__.py` counted, and the median at most 10."""
    sizes = Counter(file.parent.relative_to(HOUSE).as_posix() for file in FILES)
    assert {folder: size for folder, size in sizes.items() if size > 18} == {}
    assert median(sizes.values()) <= 10


def test_every_room_stands_in_the_table() -> None:
    """A new room is a decision: it is written into the table."""
    rooms = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms == set(TABLE)


MODULES = {
    ".".join(["opeai_nb", *path.relative_to(HOUSE).with_suffix("").parts]).removesuffix(
        ".__init__"
    ): path
    for path in FILES
}


@cache
def lazy_names(module: str) -> dict[str, str]:
    """Return the home of each name that a package lists for `_lazy.attach`."""
    path = MODULES[module]
    listed = ast.parse(path.read_text(encoding="utf-8")).body if path.stem == "__init__" else []
    return {
        alias.name: node.module
        for block in listed
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.asname == alias.name and node.module != module
    }


def home_of(module: str, name: str) -> str:
    """Return the file that `from module import name` leads to, through lazy packages."""
    if f"{module}.{name}" in MODULES:
        return f"{module}.{name}"
    while module in MODULES and name in lazy_names(module):
        module = lazy_names(module)[name]
    return module


def needs(module: str) -> set[str]:
    """Return what a file of ours imports of ours: at its top, inside functions, for its types."""
    found: set[str] = set()
    for node in nodes_of(MODULES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {home_of(node.module, alias.name) for alias in node.names}
    return (found & MODULES.keys()) - {module}


def circles() -> set[frozenset[str]]:
    """Return the sets of files of which each leads to each other one."""
    reached = {module: needs(module) for module in MODULES}
    changed = True
    while changed:
        changed = False
        for module, known in reached.items():
            further = known.union(*(reached[other] for other in known))
            changed |= further != known
            reached[module] = further
    return {
        frozenset(other.removeprefix("opeai_nb.") for other in all_ if module in reached[other])
        for module, all_ in reached.items()
        if module in all_
    }


def test_no_file_leads_back_to_itself() -> None:
    """No circle of imports, neither at run time nor with types nor inside functions."""
    assert circles() == set()


def test_files_are_written_through_one_door() -> None:
    """What `os.open` makes elsewhere would have its line breaks changed by Windows."""
    doors = {"plain_file.py", "output.py"}  # the second opens the null device
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        opened = [call for call in text.split("os.open(")[1:] if "O_WR" in call[:80]]
        assert path.name in doors or not opened, path


def run_fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


HEAVY = "('httpx', 'PIL', 'numpy', 'starlette', 'uvicorn', 'ipywidgets', 'anywidget', 'pybase64')"


def test_importing_the_package_loads_nothing_dear() -> None:
    """`import opeai_nb` is a table of contents."""
    code = f"import sys, opeai_nb; print([m for m in {HEAVY} if m in sys.modules])"
    assert run_fresh(code) == "[]"


def test_loading_the_extension_loads_nothing_dear_and_prints_nothing() -> None:
    """`%load_ext opeai_nb` costs what its own few files cost."""
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'opeai_nb')\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert run_fresh(code) == "[]"


def test_a_panel_is_made_before_the_studio_the_library_and_pillow_are_loaded() -> None:
    """It is on the screen first; what reads the library and speaks to a server comes after."""
    dear = ["opeai_nb.studio.studio", "opeai_nb.library.library", "httpx", "PIL"]
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'opeai_nb')\n"
        "from opeai_nb.notebook.panel.panel import Panel\n"
        "from opeai_nb.studio.current_studio import studio_here\n"
        "panel = Panel(studio_here, spawn=lambda work: None, size='2K')\n"
        f"print([m for m in {dear} if m in sys.modules])"
    )
    assert run_fresh(code) == "[]"


def test_a_studio_shows_its_library_before_it_loads_what_makes_requests(tmp_path: Path) -> None:
    """The panel's gallery waits for no pipeline."""
    dear = ["opeai_nb.studio.pipeline", "opeai_nb.client.protocol.poll", "httpx", "PIL"]
    code = (
        "import sys\n"
        "from opeai_nb.settings import settings\n"
        "from opeai_nb.studio.studio import Studio\n"
        f"list(Studio(settings(library={str(tmp_path)!r})).library.records())\n"
        f"print([m for m in {dear} if m in sys.modules])"
    )
    assert run_fresh(code) == "[]"


def test_a_synchronous_client_loads_no_asyncio_of_its_own() -> None:
    """A fifth of what its modules cost; what others load is theirs."""
    code = (
        "import sys\n"
        "from opeai_nb import Client\n"
        "from opeai_nb.errors import OpeaiError\n"
        "try:\n"
        "    Client(base_url='http://127.0.0.1:1', api_key='k').models()\n"
        "except OpeaiError as error:\n"
        "    assert 'connect' in str(error).lower(), error\n"
        "ours = [m for m in sys.modules if m.startswith('opeai_nb')]\n"
        "assert 'opeai_nb.client.http.exchange' in ours\n"
        "print([m for m in ours if 'asyncio' in vars(sys.modules[m])])"
    )
    assert run_fresh(code) == "[]"


def test_the_public_names_are_there() -> None:
    """`dir`, Tab and `import *` show the names of the table of contents, and each exists."""
    names = dir(opeai_nb)
    assert names == opeai_nb.__all__
    assert {"Client", "Library", "batch", "connect", "generate", "panel", "sweep"} <= set(names)
    for name in names:
        assert getattr(opeai_nb, name) is not None
    with pytest.raises(AttributeError, match=r"'Clint'\. Did you mean 'Client'"):
        opeai_nb.Clint  # noqa: B018  it is the attribute that is asked for
