"""The same notebook in every runner that has no person before it; they load when they run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

CELLS = [
    '%load_ext opeai_nb\n%config Imagine.engine = "always"',
    "%%imagine -s 512x512 -n 2 -o cats\na cat",
    "[cat.size for cat in cats]",
    "# NBVAL_CHECK_OUTPUT\n%%imagine -m gpt-image-2 -s 1024x1024\nthe sea at dawn",
    "%%imagine -m gpt-image-2 -s 1024x1024 --no-wait -o job\na hill",
    "len(job.result()), job.status",
    "job",
    "%imagine -s 512x512 --show full a red apple",
    "%%imagine --size big\na mouse",
]
BADGE = "✓ 2 pictures · qwen-image-2.0 · 512x512 · embedded engine"
ADVICE = "Write width x height such as 1024x1024, a ratio such as 16:9, 2K, auto, or same."
FAILURE = [
    "InputError: 'big' is not a size.",
    f"  → {ADVICE} Nothing was sent.",
]


def written(folder: Path, cells: list[str], *, error_is_expected: bool) -> Path:
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    if error_is_expected:
        made[-1].metadata["tags"] = ["raises-exception"]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec})
    path = folder / "notebook.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(autouse=True)
def _environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The runners start kernels in the environment of this process."""
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def execute(path: Path) -> None:
    """Run a notebook with nbclient and store what it says."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, 4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    finally:
        nbformat.write(notebook, path)


def papermill(path: Path) -> Any:
    from papermill import execute_notebook

    out = path.with_name("out.ipynb")
    try:
        execute_notebook(path, out, cwd=path.parent, progress_bar=False)
    finally:
        cells = nbformat.read(out, 4).cells
    return cells


def nbval(path: Path, strictness: str = "--nbval") -> subprocess.CompletedProcess[str]:
    command = ["pytest", strictness, "--opeai-engine", "-p", "no:cacheprovider", path.name]
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def texts(cell: Any) -> list[str]:
    return [output.data["text/plain"] for output in cell.outputs if "data" in output]


@pytest.mark.long
def test_one_stored_notebook_passes_in_all_of_them(tmp_path: Path) -> None:
    """nbclient stores it; strict nbval runs it again; nbconvert shows it without a kernel."""
    from nbconvert import HTMLExporter

    path = written(tmp_path, CELLS, error_is_expected=True)
    execute(path)
    cells = nbformat.read(path, 4).cells
    assert texts(cells[1]) == [BADGE, "<Generation: 2 pictures · qwen-image-2.0 · 512x512>"]
    picture = "1 picture · gpt-image-2 · 1024x1024"
    shown = [f"✓ {picture} · embedded engine", f"<Generation: {picture}>"]
    assert texts(cells[3]) == texts(cells[4]) == texts(cells[6]) == shown
    assert texts(cells[5]) == ["(1, 'done')"]
    assert set(cells[7].outputs[1].data) == {"text/plain", "image/png"}
    (failed,) = cells[8].outputs
    assert failed.traceback == FAILURE
    assert path.stat().st_size < 1_500_000

    done = nbval(path)
    assert done.returncode == 0, done.stdout
    assert f"{len(CELLS)} passed" in done.stdout

    page, _ = HTMLExporter().from_filename(str(path))
    assert page.count('src="data:image/jpeg;base64,') == 4
    assert page.count('src="data:image/png;base64,') == 1
    assert BADGE in page
    # The template "lab" of nbconvert 7.17 passes the description over; "classic" shows it.
    page, _ = HTMLExporter(template_name="classic").from_filename(str(path))
    assert 'alt="the sea at dawn"' in page


@pytest.mark.long
def test_a_failure_fails_every_runner_with_two_lines(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError
    from papermill import PapermillExecutionError

    path = written(tmp_path, [CELLS[0], CELLS[8]], error_is_expected=False)
    with pytest.raises(CellExecutionError, match="InputError"):
        execute(path)
    assert nbformat.read(path, 4).cells[-1].outputs[-1].traceback == FAILURE
    with pytest.raises(PapermillExecutionError, match="InputError"):
        papermill(path)
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs[-1].traceback == FAILURE
    done = nbval(path, "--nbval-lax")
    assert done.returncode == 1
    assert all(line.strip() in done.stdout for line in FAILURE)
    assert "magic.py" not in done.stdout, "none of our own frames"


def test_papermill_runs_it_to_the_end_and_keeps_what_it_showed(tmp_path: Path) -> None:
    cells = papermill(written(tmp_path, [CELLS[0], CELLS[1], CELLS[4]], error_is_expected=False))
    assert texts(cells[1])[0] == BADGE
    assert texts(cells[2])[0].startswith("✓ 1 picture")


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    import opeai_nb
    opeai_nb.generate("a red fox", size="512x512")
    return (opeai_nb,)


@app.cell
def _(opeai_nb):
    sweep = opeai_nb.sweep("a {animal}", animal=["cat", "dog"], size="512x512").run()
    sweep
    return (sweep,)


@app.cell
def _(sweep):
    sweep.grid()
    return


@app.cell
def _(opeai_nb):
    opeai_nb.batch(["a pear", "a plum"], size="512x512").run()
    return


@app.cell
def _(opeai_nb):
    job = opeai_nb.Studio().start("a whale", size="512x512")
    job.result()
    job
    return (job,)


@app.cell
def _(job):
    job.result().good[0]
    return
"""


@pytest.mark.long  # marimo starts a kernel of its own
def test_marimo_shows_what_a_cell_returns(tmp_path: Path, environment: dict[str, str]) -> None:
    """No magic and no extension there: whatever has pictures shows itself."""
    (tmp_path / "notebook.py").write_text(MARIMO)
    command = [sys.executable, "-m", "marimo", "export", "html", "notebook.py", "-o", "page.html"]
    env = {**os.environ, **environment, "OPEAI_BASE_URL": "engine:"}
    subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=120)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count('"image/jpeg": "data:image/jpeg;base64,') == 6
    assert len(list(tmp_path.glob("imagine/*.png"))) == 6
