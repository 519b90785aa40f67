"""A job as it is shown: a badge and pictures, in slots that are filled while other cells run."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.views.result_view import generation_bundle
from opeai_nb.client.values.views.text_alternative import caption
from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.badge_display import Screen, publish

if TYPE_CHECKING:
    from opeai_nb.client import Generation
    from opeai_nb.notebook.display.frontend import Frontend
    from opeai_nb.studio import Job

_TICK: Final = 0.25


class JobView:
    """One place where a job is shown.

    In a `live` front end the slots are reserved at once and filled by their ids from our loop, in
    the context of the cell: this reached the right cell on every ipykernel, a plain thread did
    not. *one_slot*: the pictures take the place of the badge, since VS Code has lost all but the
    last of several displays with ids in one cell (vscode-jupyter#12755). *save* is a folder that
    gets copies.
    """

    def __init__(
        self,
        job: Job,
        kind: Frontend,
        *,
        show: str = "thumb",
        save: str | None = None,
        quiet: bool = False,
        one_slot: bool = False,
    ) -> None:
        self.job = job
        self._kind = kind
        self._show = show
        self._save = save
        self._quiet = quiet
        self._one_slot = one_slot
        self._screen = Screen(kind, quiet=quiet and not one_slot)
        self._gallery = uuid.uuid4().hex

    def open(self) -> None:
        """Show the job in the cell that runs now, and go on showing it when the cell is over."""
        from opeai_nb.studio.loop import schedule

        self._show_update()  # also when it has just ended: its place is above the pictures
        if not self._one_slot:
            publish({"text/plain": ""}, slot=self._gallery)
        schedule(self._follow())

    def end(self) -> None:
        """Show how a job ended, once and for all, in the cell that runs now."""
        error = self.job.exception()
        if error is not None:
            self._screen.end(self.job.status, badge.failure_text(self.job.status, error))
            return
        generation = self.job.result()
        self._screen.end("done", badge.final_text(generation), self._caption)
        self._screen.tell_files(generation.paths)
        self.show_result()

    def show_result(self) -> None:
        """Show the pictures of a job that is done, in the cell that runs now."""
        publish(*generation_bundle(self.job.result(), self._show))

    @property
    def _caption(self) -> str:
        return caption([self.job.request.prompt])

    def _show_update(self) -> None:
        update = self.job.update
        self._screen.show(update.state, badge.live_text(update, self.job.origin))

    async def _follow(self) -> None:
        settled = asyncio.ensure_future(_settled(self.job))
        while not settled.done():
            self._show_update()
            await asyncio.wait({settled}, timeout=_TICK)
        # In a thread, with the cell's context: pictures are decoded and scaled, and files written.
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        error = self.job.exception()
        if error is not None:
            self._screen.end(self.job.status, badge.failure_text(self.job.status, error))
            return
        generation = self.job.result()
        text = badge.final_text(generation) + self._saved(generation)
        data, metadata = generation_bundle(generation, self._show)
        if self._one_slot:
            self._screen.replace(data, metadata)
            return
        self._screen.end("done", text, self._caption)
        publish(data, metadata, slot=self._gallery, again=True)

    def _saved(self, generation: Generation) -> str:
        """Save the copies; return what the badge has to add, since no cell is there to fail."""
        if self._save:
            try:
                generation.save(self._save, metadata=True)
            except OpeaiError as error:
                return f" · not saved: {error.message}"
        return ""


def show_job(job: Job, kind: Frontend, *, one_slot: bool) -> None:
    """Show *job* in the cell that runs now: its end, or slots that are filled when it ends.

    In batch nobody comes back to a slot: there it is waited for.
    """
    if kind == "batch":
        for _ in job.follow():
            pass
    view = JobView(job, kind, one_slot=one_slot)
    if job.is_settled:
        view.end()
    elif kind == "live":
        view.open()
    else:
        print(job)  # noqa: T201  a terminal shows a text, and shows it once


async def _settled(job: Job) -> None:
    try:
        await job
    except Exception:  # noqa: BLE001  whoever asks for the result gets it; here only the end counts
        return
