"""What an interrupt does to the job that a cell waits for."""

from __future__ import annotations

import time

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.notebook.display.badge_display import Screen
from opeai_nb.notebook.display.watch import Detached, watch_job
from opeai_nb.studio import Job
from opeai_nb.studio.job import JobProgress


class Interrupted(Screen):
    """A screen at which somebody interrupts: at the first passing state, and *again* at the end."""

    def __init__(self, *, again: bool) -> None:
        super().__init__("script")
        self._again = again
        self.told: list[str] = []

    def show(self, state: str, text: str) -> None:
        raise KeyboardInterrupt

    def end(self, state: str, text: str, caption: str = "") -> None:
        if self._again:
            raise KeyboardInterrupt
        self.told.append(text)


@pytest.mark.parametrize("again", [False, True])
def test_an_interrupt_detaches_and_a_second_one_drops_the_job(again: bool) -> None:
    progress = JobProgress(ImageRequest("a fox"), "engine", time.monotonic)
    job = Job(progress)
    stopped: list[str] = []
    progress.may_be_stopped_by(lambda: stopped.append("stopped"))
    screen = Interrupted(again=again)
    with pytest.raises(Detached) as raised:
        watch_job(job, screen)
    assert raised.value.job is job
    assert isinstance(raised.value, KeyboardInterrupt)
    assert stopped == (["stopped"] if again else [])
    assert [text.partition(" · ")[0] for text in screen.told] == (
        [] if again else ["not waiting any more, the job goes on"]
    )
