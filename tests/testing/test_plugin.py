"""The pytest plugin: a test, and a whole run with its kernels, on the engine and without a key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from opeai_nb.testing import engine_environment
from tests.in_process import run_nbval

pytest_plugins = ["pytester"]

KEY = "sk-somebody-elses-key-0123456789"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A pytest run as a user would start it, with a real key in the environment."""
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    monkeypatch.setenv("OPEAI_BASE_URL", "https://platform.test")

    def run(*arguments: str) -> str:
        before = dict(os.environ)
        # Other people's plugins are slow to load, and play no part here.
        others = ("cacheprovider", "hypothesispytest", "anyio", "nbval")
        result = pytester.runpytest_inprocess(*(f"-pno:{name}" for name in others), *arguments)
        assert {**os.environ, "PYTEST_CURRENT_TEST": ""} == {**before, "PYTEST_CURRENT_TEST": ""}
        return result.stdout.str()

    return run


def test_fixture_points_a_test_at_the_engine(opeai_engine: Path, tmp_path: Path) -> None:
    assert "OPEAI_API_KEY" not in os.environ
    assert os.environ["OPEAI_BASE_URL"] == "engine:"
    assert Path(os.environ["OPEAI_NB_LIBRARY"]).parent == opeai_engine == tmp_path / "opeai_nb"
    assert Path(os.environ["OPEAI_NB_CACHE"]).parent == opeai_engine


def test_fixture_is_there_for_everybody_and_ends_with_its_test(
    run: Callable[..., str], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        "import os\n"
        "def test_one(opeai_engine):\n"
        "    assert 'OPEAI_API_KEY' not in os.environ\n"
        "def test_two():\n"
        f"    assert os.environ['OPEAI_API_KEY'] == {KEY!r}\n"
    )
    assert "2 passed" in run()


@pytest.mark.parametrize("how", ["option", "configuration"])
def test_whole_run_is_on_the_engine(
    run: Callable[..., str], pytester: pytest.Pytester, how: str
) -> None:
    pytester.makepyfile(
        "import os\n"
        "def test_it():\n"
        "    assert 'OPEAI_API_KEY' not in os.environ\n"
        "    assert os.environ['OPEAI_BASE_URL'] == 'engine:'\n"
        "    assert os.path.isdir(os.path.dirname(os.environ['OPEAI_NB_LIBRARY']))\n"
    )
    arguments = ["--opeai-engine"] if how == "option" else ["-o", "opeai_engine=true"]
    assert "1 passed" in run(*arguments)
    assert "1 failed" in run()


@pytest.mark.kernel
def test_kernels_of_notebooks_run_on_the_engine_each_with_its_own_library(
    run: Callable[..., str], pytester: pytest.Pytester
) -> None:
    source = (
        "import os\n"
        "assert 'OPEAI_API_KEY' not in os.environ\n"
        "print(os.environ['OPEAI_BASE_URL'], os.environ['OPEAI_NB_LIBRARY'].split(os.sep)[-1][:3])"
    )
    for name in ("one", "two"):
        cell = nbformat.v4.new_code_cell(source, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"engine: {name}\n")]
        notebook = nbformat.v4.new_notebook(cells=[cell])
        # A kernel of another name: the environment under test is used all the same.
        notebook.metadata["kernelspec"] = {
            "name": "nowhere",
            "display_name": "x",
            "language": "python",
        }
        nbformat.write(notebook, pytester.path / f"{name}.ipynb")
    done = run_nbval(pytester, "--opeai-engine")
    assert "2 passed" in done.stdout.str()


def test_environment_for_a_subprocess_has_no_key(tmp_path: Path) -> None:
    found = engine_environment(tmp_path, {"OPEAI_API_KEY": KEY, "PATH": "/bin"})
    assert found == {
        "PATH": "/bin",
        "OPEAI_BASE_URL": "engine:",
        "OPEAI_NB_ENGINE": "",
        "OPEAI_NB_LIBRARY": str(tmp_path / "library"),
        "OPEAI_NB_CACHE": str(tmp_path / "cache"),
    }
