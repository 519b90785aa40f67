"""What every test of ours shares: which ones are too long for each run."""

from __future__ import annotations

from pathlib import Path

import pytest

# Dozens of killed processes, a Dask cluster, the panel clicked through: minutes each. They run
# with `python -m pytest -m long`.
LONG = {
    "test_kills.py",
    "test_cluster.py",
    "test_panel.py",
    "test_panel_reloaded.py",
    "test_panel_voila.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long ones before pytest chooses by marks."""
    for item in items:
        folder = Path(item.path).parent.name
        if item.path.name in LONG and folder in {"kernel", "bulk", "browser"}:
            item.add_marker(pytest.mark.long)
