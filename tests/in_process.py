"""pytest inside a test: another process would first load all of Jupyter, for seconds."""

from __future__ import annotations

import gc
import os
from io import TextIOWrapper

import pytest


def run_nbval(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest with strict nbval in this process, and close what nbval leaves open."""
    before = _written_nulls()
    run = pytester.runpytest_inprocess("-pno:cacheprovider", "--nbval", *arguments)
    for number, file in _written_nulls().items():
        if number not in before:
            file.close()
    return run


def _written_nulls() -> dict[int, TextIOWrapper]:
    """Return the open files that write to nowhere: nbval gives one to each kernel."""
    # By type: what stands for a class that is not loaded yet loads it where `isinstance` asks.
    files = (one for one in gc.get_objects() if type(one) is TextIOWrapper)
    return {
        id(file): file
        for file in files
        if not file.closed and file.name == os.devnull and file.writable()
    }
