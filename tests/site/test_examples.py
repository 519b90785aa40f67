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

from tests import fork

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "notebooks").rglob("*.md")])
# A block that is not run says why, in a comment above it.
_BLOCK = re.compile(
    r"^(?P<not_run><!-- not run: .+ -->\n)?```(?P<language>python|sh)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TIMEOUT = 600  # seconds: beside twenty other processes all is slow
# Each page has an interpreter that nothing ran in; what goes wrong in a cell ends it.
_CELLS = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.load(sys.stdin):
    shell.run_cell(cell).raise_error()
"""


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of a page that are to be run."""
    found = _BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [it["code"] for it in found if it["language"] == language and not it["not_run"]]


def with_blocks(language: str) -> list[Path]:
    return [path for path in PAGES if blocks(path, language)]


def environment(folder: Path) -> dict[str, str]:
    """Return variables without a key, with the commands of this environment."""
    others = {name: value for name, value in os.environ.items() if name != "OPEAI_API_KEY"}
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    return others | {
        "IPYTHONDIR": str(folder / "ipython"),
        "OPEAI_BASE_URL": "engine:",
        "PATH": os.pathsep.join(paths),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]),
    }


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", with_blocks("python"), ids=name)
def test_the_python_of_a_page_runs(path: Path, tmp_path: Path) -> None:
    """The blocks of a page are cells of one notebook, without a key and without a network."""
    cells = json.dumps(blocks(path, "python"))
    command = [sys.executable, "-c", _CELLS]
    done = fork.run(command, text=cells, cwd=tmp_path, env=environment(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", with_blocks("sh"), ids=name)
def test_the_shell_lines_of_a_page_run(path: Path, tmp_path: Path) -> None:
    """Shell lines end with exit code 0."""
    script = "\n".join(blocks(path, "sh"))
    if "curl" in script and shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,  # what it said is told below
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_block_without_a_language_that_is_run_is_meant_to_be_read() -> None:
    """A fence says what it holds, so that nothing runnable escapes by a missing word."""
    for path in PAGES:
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        known = re.compile(r"python|sh|json|toml|text|\{[a-z-]+\}.*")
        assert [fence for fence in fences[::2] if not known.fullmatch(fence)] == [], path
