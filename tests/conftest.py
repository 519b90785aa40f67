"""What every test has: a cache folder of the run's own, and so many tries of what is endless."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# A step of `.ci/run` asks for the thorough profile; the README's command is waited for. Both
# try the same examples each time: a red run is this commit's doing. "explore" is for looking.
settings.register_profile(
    "quick",
    deadline=None,  # a busy machine is no failure
    derandomize=True,
    max_examples=20,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=200)
settings.register_profile(
    "explore", settings.get_profile("quick"), derandomize=False, max_examples=500
)
settings.load_profile("quick")

# Hypothesis draws constants of whatever modules of ours are loaded by then: which they are depends
# on the tests that this worker ran before, and to read them costs each worker seconds.
_PROVIDERS = "hypothesis.internal.conjecture.providers"  # older versions have none, and draw none
_providers = vars(import_module(_PROVIDERS)) if find_spec(_PROVIDERS) else {}
_of_loaded_modules = _providers.get("_get_local_constants")


def _constants() -> object:
    """Return those of the loaded modules where examples need not be the same each time."""
    return _providers["_local_constants"] if settings.default.derandomize else _of_loaded_modules()


if _of_loaded_modules is not None:
    _providers["_get_local_constants"] = _constants

# Tests start about a hundred Python processes and kernels: each compiled the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# IPython warns of a Python that is not the activated environment's, and warnings are errors here:
# the README's command runs `.venv/bin/python`, whatever environment is active.
os.environ.pop("VIRTUAL_ENV", None)
# Tests write many small files, each through to the disk, which costs more than all else that is
# done with them: in memory it costs little. They also run what they write. None cuts the power.
_MEMORY = Path("/dev/shm")
if (
    _MEMORY.is_dir()
    and shutil.disk_usage(_MEMORY).free > 8 << 30
    and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
# What tests/without says holds for these processes, too; pytest's own have it by `pythonpath`.
_PATH = [str(Path(__file__).parent / "without"), os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, _PATH))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave the thousands of tests to no garbage collector: they stay to the end of the run.

    Each full collection would look at all of them, for half a second: `gc.collect` in a test,
    and IPython's `%reset`.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(7000)  # ten times the usual: what tests leave behind is little


def pytest_configure(config: pytest.Config) -> None:
    """Let the kernels of `--nbval` listen on files, and processes hear an interrupt.

    What a shell runs in the background has SIGINT ignored, and hands that on to its children.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        from tests import fork, xdist_worker

        fork.address = f"\0opeai_nb-forks-{config.workerinput['testrunuid']}"
        config.pluginmanager.register(xdist_worker)
        xdist_worker.compile_part(config, config.workerinput)
    if config.pluginmanager.has_plugin("nbval"):
        import nbval.kernel
        from jupyter_client.provisioning import local_provisioner

        from tests.fork import launch
        from tests.kernel_files import kernel_manager

        nbval.kernel.KernelManager = kernel_manager
        vars(local_provisioner)["launch_kernel"] = launch  # for nbclient and papermill, too


_HANGS = 600.0  # seconds: the slowest test takes ten, and a machine may be busy with much else


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test fail that waits for what never comes, where it waits; so the run goes on."""
    if item.get_closest_marker("long") or not hasattr(signal, "SIGALRM"):
        return (yield)

    def give_up(*_: object) -> None:
        pytest.fail(f"This test has not ended within {_HANGS:.0f} s.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, _HANGS, _HANGS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(trylast=True)  # when what does not run is out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files that mostly wait over three quarters of the run, the longest first.

    So a processor has work while kernels, browsers and servers are waited for, and none of them is
    waited for at the end, by one worker.
    """
    paths = list(dict.fromkeys(item.path for item in items))
    waiting = list(dict.fromkeys(p for part in _WAITING for p in paths if part in p.parts))
    busy = [path for path in paths if path not in waiting]
    step = 0.75 * len(busy) / max(1, len(waiting))
    places = {path: float(place) for place, path in enumerate(busy)}
    places |= {path: place * step - 0.5 for place, path in enumerate(waiting)}
    items.sort(key=lambda item: places[item.path])


_WAITING = (
    *("test_fuzz_folders.py", "test_fuzz_answers.py", "test_peaks.py", "test_site.py", "browser"),
    *("test_demo.py", "kernel", "site", "test_strangers.py", "notebooks"),
    *("cli", "studio", "testing"),
)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let indexes, the engine's tasks and second homes lie in folders of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPEAI_NB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OPEAI_NB_DATA", str(tmp_path_factory.mktemp("data")))
        yield
