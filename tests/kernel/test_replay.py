"""Replay, in real kernels: what a cell shows after a restart, and what is sent."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.in_process import run_nbval
from tests.kernel_files import Manager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytester"]

CELL = "%%imagine -s 512x512 -o fox\na red fox"
LOOK = "import hashlib; hashlib.sha256(fox.pictures[0].data).hexdigest(), bool(fox.replayed_from)"


class NewPainter:
    """Paints something else each time, as a real model does."""

    def __init__(self) -> None:
        self._shades = itertools.count(10, 9)

    def paint(self, prompt: str, size: tuple[int, int], /, **_: Any) -> Image.Image:
        return Image.new("RGB", size, (next(self._shades) % 256, 80, 120))

    def edit(self, images: Any, prompt: str, size: tuple[int, int], /, **_: Any) -> Image.Image:
        return self.paint(prompt, size or images[0].size)

    def encode(
        self, image: Any, /, output_format: str = "png", output_compression: int = 0
    ) -> bytes:
        from opeai_nb.engine import painter

        return painter.encode(image, output_format, output_compression)


class Platform:
    """A server that stands for the platform, and counts what is paid for."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine = engine
        self.variables = {"OPEAI_BASE_URL": url, "OPEAI_API_KEY": "any-key-at-all"}

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self._engine.requests)


@pytest.fixture
def platform() -> Iterator[Platform]:
    engine = Engine(painter=NewPainter(), task_seconds=(0.05, 0.1))
    with serving(engine) as url:
        yield Platform(engine, url)
    engine.close()


def shown(kernel: Any, cell: str | None, code: str = CELL) -> tuple[str, bool]:
    """Run a cell and return the sha256 of its picture, and whether it is a replay."""
    kernel.good(code, cell=cell)
    digest, replayed = eval(kernel.good(LOOK).result["text/plain"])
    return digest, replayed


def test_run_all_after_a_restart_shows_the_last_picture_of_each_cell(
    new_kernel: Any, platform: Platform
) -> None:
    """Three runs, restart, Run All: the third picture and zero POSTs; then a further run sends."""
    kernel = new_kernel(**platform.variables)
    digests = [shown(kernel, "cell-1") for _ in range(3)]
    assert len(set(digests)) == 3
    other = shown(kernel, "cell-2")
    assert platform.posts == 4, "two cells with the same text have pictures of their own"
    kernel.restart(gently=True)
    kernel.good("%load_ext opeai_nb")
    found = kernel.good(CELL, cell="cell-1")
    assert found.badges[-1] == "✓ 1 picture · qwen-image-2.0 · 512x512"
    assert eval(kernel.good(LOOK).result["text/plain"]) == (digests[2][0], True)
    assert shown(kernel, "cell-2") == (other[0], True)
    assert platform.posts == 4
    assert shown(kernel, "cell-1")[1] is False, "running it again makes a new picture"
    assert platform.posts == 5


def test_a_rerun_in_a_duplicate_leaves_the_pictures_of_the_other_notebook(
    new_kernel: Any, platform: Platform, tmp_path: Path
) -> None:
    """JupyterLab's Duplicate keeps the ids of the cells."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    kernels = []
    for name in ("fox.ipynb", "fox-Copy1.ipynb"):
        (folder / name).touch()
        kernels.append(new_kernel(**platform.variables, JPY_SESSION_NAME=str(folder / name)))
    first, copy = kernels
    digest = shown(first, "cell-1")[0]
    assert shown(copy, "cell-1") == (digest, True)
    other = shown(copy, "cell-1")[0]
    assert other != digest
    for kernel, own in ((first, digest), (copy, other)):
        kernel.restart(gently=True)
        kernel.good("%load_ext opeai_nb")
        assert shown(kernel, "cell-1") == (own, True)
    assert platform.posts == 2


def test_an_inserted_cell_shows_what_was_found_elsewhere_and_only_once(
    new_kernel: Any, platform: Platform
) -> None:
    """A find of the panel, or of a machine that tells no cells, belongs to nobody yet."""
    kernel = new_kernel(**platform.variables)
    find = shown(kernel, None)[0]
    kernel.restart(gently=True)
    kernel.good("%load_ext opeai_nb")
    assert shown(kernel, "inserted") == (find, True)
    assert platform.posts == 1
    assert shown(kernel, "another")[1] is False, "it is claimed now"
    kernel.good("%config Imagine.replay = False")
    assert shown(kernel, "third")[1] is False
    kernel.good("%config Imagine.replay = True")
    assert shown(kernel, "fourth", CELL.replace("-o", "--fresh -o"))[1] is False
    assert platform.posts == 4
    assert shown(kernel, "inserted")[1] is False, "a changed setting begins no new session"


@pytest.mark.skipif(os.name == "nt", reason="there both are the same")
def test_a_notebook_of_windows_finds_its_library(new_kernel: Any, platform: Platform) -> None:
    """It says `pics\\fox`; what leads nowhere is a name as any other."""
    kernel = new_kernel(**platform.variables)
    kernel.good("%config Imagine.library = 'pics/fox'")
    digest = shown(kernel, "cell-1")[0]
    kernel.restart(gently=True)
    kernel.good("%load_ext opeai_nb\n%config Imagine.library = r'pics\\fox'")
    assert shown(kernel, "cell-1") == (digest, True)
    kernel.good("%config Imagine.library = r'pics\\hare'")
    assert shown(kernel, "cell-1")[1] is False
    assert platform.posts == 2


def test_what_changes_the_picture_is_part_of_the_request_and_the_rest_is_not(
    new_kernel: Any, platform: Platform
) -> None:
    """An input picture counts by its content, wherever it lies."""
    kernel = new_kernel(**platform.variables)
    kernel.good(
        "from PIL import Image\nimport os\nImage.new('RGB', (64, 64), 'teal').save('a.png')\n"
        "os.makedirs('b'); import shutil; shutil.copy('a.png', 'b/c.png')"
    )
    edit = "%%imagine -s 512x512 -o fox {}\nmake it blue"
    first = shown(kernel, None, edit.format("-i a.png"))[0]
    kernel.restart(gently=True)
    kernel.good("%load_ext opeai_nb")
    moved = shown(kernel, "c1", edit.format("-i b/c.png --timeout 99 --show none --quiet"))
    assert moved == (first, True)
    assert shown(kernel, "c2", edit.format("-i a.png -q high"))[1] is False
    assert platform.posts == 2


CELLS = ["%load_ext opeai_nb", CELL, CELL, "fox[0].size", "%%imagine -s 768x512 -n 2\na wood"]


def test_a_notebook_with_its_library_runs_green_anywhere_without_a_key(
    tmp_path: Path,
    environment: dict[str, str],
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    pytester: pytest.Pytester,
) -> None:
    """Copied to a machine without key or network: strict nbval, before and after a replay."""
    made = tmp_path / "made"
    made.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    live_in({**environment, **platform.variables}, monkeypatch)
    sent = executed(notebook, made)
    assert platform.posts == 3
    elsewhere = tmp_path / "elsewhere" / "notebook"
    shutil.copytree(made, elsewhere)
    live_in({k: v for k, v in environment.items() if k != "OPEAI_BASE_URL"}, monkeypatch)
    strict_nbval(elsewhere, pytester)
    replayed = executed(notebook, elsewhere)
    assert outputs(replayed) == outputs(sent), "the same badges, texts and pictures"
    strict_nbval(elsewhere, pytester)
    assert platform.posts == 3
    assert sorted(p.name for p in made.rglob("*.png")) == sorted(
        p.name for p in elsewhere.rglob("*.png")
    )


def live_in(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Give *variables* to the kernels that are started from here on, and no other of ours."""
    for name in [name for name in os.environ if name.startswith("OPEAI")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def executed(notebook: Any, folder: Path) -> Any:
    """Run a notebook as nbconvert does, save it and return it."""
    copied = nbformat.from_dict(notebook)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(copied, timeout=60, resources=where, kernel_manager_class=Manager).execute()
    nbformat.write(copied, folder / "note.ipynb")
    return nbformat.read(folder / "note.ipynb", as_version=4)


def outputs(notebook: Any) -> list[Any]:
    """Return everything that is shown, pictures included, without what tools alone see."""
    return [[output.get("data", {}) for output in cell.outputs] for cell in notebook.cells]


def strict_nbval(folder: Path, pytester: pytest.Pytester) -> None:
    run = run_nbval(pytester, str(folder / "note.ipynb"))
    run.assert_outcomes(passed=len(CELLS))
    assert run.ret == 0
