"""What has been seen of a task so far, and when asking on cannot help."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.query_task import PASSING, gone
from opeai_nb.client.protocol.results import is_unfinished
from opeai_nb.client.values.answer_notes import GUESS
from opeai_nb.client.values.task import Task
from opeai_nb.errors import AuthenticationError, OpeaiError, TaskExpiredError, TaskTimeoutError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GIVE_UP_AFTER: Final = 180.0
"""Seconds of nothing but failures after which the waiting ends; the task does not."""
_TIMES: Final = 5  # the same in a row that ends the waiting, if it lasted a while
_LASTING: Final = 30.0
"""Seconds that it must have lasted: a challenge or a gateway that restarts passes sooner."""
_EMPTY_CAP: Final = 3  # successes without a picture: results may be stored a moment later


@dataclass
class _Streak:
    """How often the same was seen in a row, and since when."""

    times: int = 0
    since: float = 0.0

    def note(self, now: float, *, is_so: bool) -> None:
        self.since = self.since if self.times else now
        self.times = self.times + 1 if is_so else 0

    def has_lasted(self, now: float) -> bool:
        return self.times >= _TIMES and now - self.since >= _LASTING


class PollHistory:
    """What has been seen of a task so far, and what it means for the next question.

    A poll's error is not the task's error: nothing that a single answer says ends the waiting.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._empty = 0
        self._gone, self._shown, self._failures, self._refusals = (_Streak() for _ in range(4))
        self._error: OpeaiError | None = None
        self._is_one_kind = True

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come; the pictures of a success may follow it."""
        task = self._task
        return task.is_settled and (
            task.status == "failed" or _has_all(task) or self._empty >= _EMPTY_CAP
        )

    def pause(self, elapsed: float, durations: Sequence[float]) -> float:
        """Return the seconds until the next question; a server's wish wins over the schedule."""
        if self._error is not None:
            return schedule.pause_after(self._error, self._failures.times)
        return schedule.wished(self._task.retry_after) or schedule.next_poll(elapsed, durations)

    def saw(self, task: Task, now: float) -> Task:
        """Take note of a snapshot and return what it means.

        One that shows a picture again and again under a word that nobody knows is done. Raises
        `TaskExpiredError` where DashScope says it is gone.
        """
        self._task, self._error = task, None
        self._failures.note(now, is_so=False)
        self._empty += task.status == "done" and not _has_all(task)
        self._gone.note(now, is_so=_is_dashscopes_unknown(task))
        if self._gone.has_lasted(now):
            raise gone("The platform does not know the task.", task)
        self._shown.note(now, is_so=bool(task.pictures) and not task.is_settled)
        if self._shown.has_lasted(now):
            self._task = replace(task, status="done", notes=(*task.notes, GUESS))
        return self._task

    def failed(self, error: OpeaiError, now: float) -> None:
        """Take note of a failure to ask; raise it when asking again cannot help.

        That is: nothing but failures for three minutes, or the same refusal five times over half a
        minute (a key that was revoked, a task that is not there).
        """
        is_same = _is_same(error, self._error)
        self._is_one_kind = not self._failures.times or (self._is_one_kind and is_same)
        self._failures.note(now, is_so=True)
        self._refusals = self._refusals if is_same else _Streak()
        self._refusals.note(now, is_so=not isinstance(error, PASSING))
        self._error = error
        if self._refusals.has_lasted(now) or now - self._failures.since > _GIVE_UP_AFTER:
            raise _about_task(error, self._task, is_one_kind=self._is_one_kind)

    def too_late(self) -> TaskTimeoutError:
        """Return the error for a wait that has lasted long enough; it tells what was heard last."""
        task, error = self._task, self._error
        late = TaskTimeoutError(f"The task was not ready in the time allowed{self._heard_last()}.")
        if error is not None:
            late.status_code, late.code, late.__cause__ = error.status_code, error.code, error
            # More time helps where asking failed in passing; a refusal is not waited out.
            if not isinstance(error, PASSING):
                late.advice = _goes_on(error)
        late.task_id, late.request = task.id, task.request
        late.answer = (error and error.answer) or task.answer
        return late

    def _heard_last(self) -> str:
        task, error = self._task, self._error
        if error is not None:
            failures = self._failures.times
            times = "question" if failures == 1 else f"{failures} questions"
            last = "" if self._is_one_kind else "the last: "
            status = f"HTTP {error.status_code}: " if error.status_code else ""
            told = f"{last}{status}{error.message.rstrip('.')}"
            return f"; the last {times} about it failed ({told})"
        if task.status != "unknown":
            return ""
        if not task.platform_status:
            return "; the platform's answers tell neither a status nor a picture"
        word = task.platform_status[:40]
        return f"; the platform keeps reporting the status {word!r}, which is not known here"


def _is_same(error: OpeaiError, other: OpeaiError | None) -> bool:
    return other is not None and (type(error), error.status_code) == (
        type(other),
        other.status_code,
    )


def _about_task(error: OpeaiError, task: Task, *, is_one_kind: bool) -> OpeaiError:
    """Say of an error that it is the questions', not the task's: the task goes on."""
    is_more = task.is_settled or task.says_more
    error.answer = (task.answer if is_more else None) or error.answer or task.answer
    # No count stands in it: a message says the same in every run.
    end = "" if not is_one_kind else " were answered so" if error.status_code else " failed so"
    error.message += f" The last questions about the task all{end or ' failed'}."
    error.advice = _goes_on(error)
    return error


def _goes_on(error: OpeaiError) -> str:
    """Return the advice for an *error* of asking: what mends it, and that the task goes on."""
    is_its_own = error.advice != error.default_advice  # a challenge page, a gateway's own key
    if isinstance(error, TaskExpiredError) and not is_its_own:
        return error.advice
    remedy = error.advice if is_its_own else _REMEDY.get(type(error), "")
    return f"{remedy} {_TASK_GOES_ON}".strip()


_TASK_GOES_ON: Final = (
    "The task goes on at the platform and is kept for 24 hours: wait for it by its task_id, or "
    "with `%imagine resume`."
)
_REMEDY: Final[Mapping[type[OpeaiError], str]] = {
    AuthenticationError: "Set OPEAI_API_KEY to the key that began it.",
}


def _has_all(task: Task) -> bool:
    """Tell a success with pictures, of which none is said to be on its way still."""
    return bool(task.pictures) and not any(map(is_unfinished, task.pictures))


def _is_dashscopes_unknown(task: Task) -> bool:
    """Tell DashScope's word for a task that is not there, or has expired (platform.md 3.4).

    In the gateway's own table UNKNOWN passes (platform.md 1.6).
    """
    asked_there = (task.poll_path or "").startswith("/aliyun/")
    return asked_there and task.platform_status.strip().upper() == "UNKNOWN"
