"""What a worker of pytest-xdist compiles, and what it tells the run: its part, and no more.

Each phase of each test is packed, sent and read again, which costs more than most tests do.
"""

from __future__ import annotations

import compileall
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite
from _pytest.runner import runtestprotocol

_SHORT = 0.005  # seconds: `--durations` shows nothing shorter, either


def compile_part(config: pytest.Config, worker: dict[str, Any]) -> None:
    """Compile a part of a new checkout: all workers would compile the whole of it, at once."""
    number, count = int(worker["workerid"][2:]), worker["workercount"]
    here = Path(__file__).parent
    files = [*here.rglob("*.py"), *here.with_name("opeai_nb").rglob("*.py")]
    for path in sorted(files)[number::count]:
        if not path.name.startswith("test_"):
            compileall.compile_file(path, quiet=2)
        elif config.getoption("assertmode") == "rewrite":
            compile_test(path, config)


def compile_test(path: Path, config: pytest.Config) -> None:
    """Do what pytest does with a test that it has not seen yet, but for running it."""
    compiled = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
    if not compiled.exists() and rewrite.try_makedirs(compiled.parent):
        source, code = rewrite._rewrite_test(path, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source, compiled)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test as pytest does; of its setup and teardown only what is new is told."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not is_as_expected(report):
            hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def is_as_expected(report: pytest.TestReport) -> bool:
    """Whether a phase went well, soon and in silence."""
    return report.passed and not report.sections and report.duration < _SHORT


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Tell of a phase that went well without its words, half of what is told: nobody asks."""
    message = yield
    if message and message.get("outcome") == "passed":
        message["keywords"] = {}
    return message
