"""What the documents show is run: Python as cells on the embedded engine, and shell lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "notebooks").rglob("*.md")])
# A block that is not run says why, in a comment above it.
_BLOCK = re.compile(
    r"^(?P<not_run><!-- not run: .+ -->\n)?```(?P<language>python|sh)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TIMEOUT = 600  # seconds; all pages take ten, and two minutes beside twenty other processes
# Each page has an interpreter that nothing ran in: a fork of one that has loaded what all load.
_CELLS = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
import opeai_nb.client.http.exchange, opeai_nb.engine.painter.composition, opeai_nb.studio.studio

for folder, cells in json.load(sys.stdin):
    if os.fork() == 0:
        os.chdir(folder)
        with open("output", "wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        shell = InteractiveShell.instance()
        for cell in cells:
            shell.run_cell(cell).raise_error()
        sys.exit()
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of a page that are to be run."""
    found = _BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [it["code"] for it in found if it["language"] == language and not it["not_run"]]


def with_blocks(language: str) -> list[Path]:
    return [path for path in PAGES if blocks(path, language)]


def run(command: list[str], folder: Path, text: str = "") -> str:
    """Run a command where there is no key, with the commands of this environment."""
    others = {name: value for name, value in os.environ.items() if name != "OPEAI_API_KEY"}
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    ours = {
        "IPYTHONDIR": str(folder / "ipython"),
        "OPEAI_BASE_URL": "engine:",
        "PATH": os.pathsep.join(paths),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]),
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env={**others, **ours},
        input=text,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,  # what it said is told below
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, tuple[str, str]]:
    """Return the exit code of each page that was run as a notebook, and what it said."""
    pages = with_blocks("python")
    folders = [tmp_path_factory.mktemp("page") for _ in pages]
    cells = [blocks(path, "python") for path in pages]
    asked = json.dumps(list(zip(map(str, folders), cells, strict=True)))
    codes = run([sys.executable, "-c", _CELLS], tmp_path_factory.mktemp("pages"), asked).split()
    said = [(folder / "output").read_text(encoding="utf-8") for folder in folders]
    return dict(zip(pages, zip(codes, said, strict=True), strict=True))


@pytest.mark.parametrize("path", with_blocks("python"), ids=name)
def test_the_python_of_a_page_runs(path: Path, outcomes: dict[Path, tuple[str, str]]) -> None:
    """The blocks of a page are cells of one notebook, without a key and without a network."""
    code, said = outcomes[path]
    assert code == "0", said


@pytest.mark.parametrize("path", with_blocks("sh"), ids=name)
def test_the_shell_lines_of_a_page_run(path: Path, tmp_path: Path) -> None:
    """Shell lines end with exit code 0."""
    script = "\n".join(blocks(path, "sh"))
    if "curl" in script and shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    run(["bash", "-euo", "pipefail", "-c", script], tmp_path)


def test_a_block_without_a_language_that_is_run_is_meant_to_be_read() -> None:
    """A fence says what it holds, so that nothing runnable escapes by a missing word."""
    for path in PAGES:
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        known = re.compile(r"python|sh|json|toml|text|\{[a-z-]+\}.*")
        assert [fence for fence in fences[::2] if not known.fullmatch(fence)] == [], path
