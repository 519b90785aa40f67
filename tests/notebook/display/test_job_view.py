"""The slots of a background job, in the order in which a saved notebook keeps them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from IPython.core.displaypub import DisplayPublisher

from opeai_nb.client import ImageRequest
from opeai_nb.notebook.display.job_view import JobView
from opeai_nb.studio import Job
from opeai_nb.studio.job import JobProgress
from tests.notebook.shell import Cells


class Publications(DisplayPublisher):
    """Keeps what a cell publishes: the text, and whether it takes the place of an earlier one."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, bool]] = []

    def publish(self, data: Any, *_: Any, update: bool = False, **__: Any) -> None:
        self.texts.append((data["text/plain"], update))


def test_a_job_that_has_just_ended_has_its_badge_above_its_pictures(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fast job ended between its start and its view, and its badge was saved below them."""
    progress = JobProgress(ImageRequest("a fox"), "engine", time.monotonic)
    progress.failed(RuntimeError("nothing came"))
    publications = Publications()
    monkeypatch.setattr(cells.shell, "display_pub", publications)
    JobView(Job(progress), "live").open()
    assert publications.texts[:2] == [("✗ failed 0 s · embedded engine", False), ("", False)]
