"""A pytest plugin: tests and notebooks run on the embedded engine, without a key.

- Fixture `opeai_engine`: points one test at the engine, a temporary library and a temporary cache,
  and takes the API key away. Its value is the folder that holds both.
- Option `--opeai-engine`, or `opeai_engine = true` in the pytest configuration: does so for the
  whole run, kernels of `pytest --nbval` included. Each notebook gets a library of its own, runs in
  the environment under test (`--nbval-current-env`), and a cell may take two minutes. A strict
  `--nbval` then passes twice in a row; with xdist add `--dist loadfile`.

Loaded by every pytest run where the toolkit is installed: so it imports nothing dear.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.testing.environment import KEY_VARIABLE, engine_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTION = "opeai_engine"
_NBVAL_TIMEOUT = 2000.0
_CELL_TIMEOUT = 120.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and its twin in the configuration file."""
    told = "run all tests and notebooks on the embedded engine of opeai_nb, without a key"
    parser.getgroup("opeai_nb").addoption("--opeai-engine", action="store_true", help=told)
    parser.addini(_OPTION, told, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Point the run at the engine, where that is asked for."""
    if config.getoption(_OPTION) or config.getini(_OPTION):
        config.pluginmanager.register(_EngineRun(config), "opeai_nb_engine_run")


@pytest.fixture
def opeai_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point this test at the embedded engine; return the folder of its library and its cache."""
    folder = tmp_path / "opeai_nb"
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    for name, value in engine_variables(folder).items():
        monkeypatch.setenv(name, value)
    return folder


class _EngineRun:
    """One pytest run on the engine."""

    def __init__(self, config: pytest.Config) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="opeai_nb-"))
        self._before = dict(os.environ)
        os.environ.pop(KEY_VARIABLE, None)
        os.environ.update(engine_variables(self._folder))
        options: Any = config.option
        if hasattr(options, "nbval_current_env"):
            options.nbval_current_env = True
            if options.nbval_cell_timeout == _NBVAL_TIMEOUT:
                options.nbval_cell_timeout = _CELL_TIMEOUT

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Give each notebook a library of its own, before its kernel starts."""
        if item.path.suffix == ".ipynb":
            place = self._folder / "notebooks" / f"{item.path.stem}-{hash(item.path):x}"
            os.environ["OPEAI_NB_LIBRARY"] = str(place)
        return (yield)

    def pytest_unconfigure(self) -> None:
        """Leave the environment as it was."""
        os.environ.clear()
        os.environ.update(self._before)
        shutil.rmtree(self._folder, ignore_errors=True)
