"""A worker compiles what pytest then finds, and tells the run of all that somebody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests import xdist_worker

pytest_plugins = ["pytester"]


def test_each_call_is_told_and_of_the_rest_what_goes_wrong_or_says_something(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xdist_worker, "_SHORT", 60.0)  # a machine may be busy
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def breaks_before():
            raise OSError

        @pytest.fixture
        def breaks_after():
            yield
            raise OSError

        @pytest.fixture
        def speaks():
            print("hello")

        def test_one(breaks_before): ...
        def test_two(breaks_after): ...
        def test_three(speaks): ...
        def test_four(): pytest.skip()
        def test_five(): ...
    """)
    run = pytester.inline_run("-pno:cacheprovider", plugins=[xdist_worker])
    told = [
        (report.nodeid.rpartition("test_")[2], report.when, report.outcome)
        for report in run.getreports("pytest_runtest_logreport")
    ]
    assert told == [
        ("one", "setup", "failed"),
        ("two", "call", "passed"),
        ("two", "teardown", "failed"),
        ("three", "setup", "passed"),
        ("three", "call", "passed"),
        ("three", "teardown", "passed"),
        ("four", "call", "skipped"),
        ("five", "call", "passed"),
    ]


@pytest.mark.parametrize(("seconds", "is_told"), [(0.001, False), (0.006, True)])
def test_a_setup_that_takes_a_while_is_among_the_durations(seconds: float, is_told: bool) -> None:
    report = pytest.TestReport("a", ("a", 1, ""), {}, "passed", None, "setup", duration=seconds)
    assert xdist_worker.is_as_expected(report) is not is_told


def test_what_is_compiled_for_a_test_is_what_pytest_looks_for(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "test_one.py"
    path.write_text("def test_one() -> None:\n    assert True\n")
    xdist_worker.compile_test(path, request.config)
    compiled = rewrite.get_cache_dir(path) / f"test_one{rewrite.PYC_TAIL}"
    assert rewrite._read_pyc(path, compiled) is not None
