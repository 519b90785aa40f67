"""What a worker of pytest-xdist tells the run: what somebody reads, and no more.

Each phase of each test is packed, sent and read again, which costs more than most tests do.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

_SHORT = 0.005  # seconds: `--durations` shows nothing shorter, either


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
