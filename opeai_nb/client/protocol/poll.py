"""Asking about a task until it is settled; nothing on the way loses its id."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import received
from opeai_nb.client.protocol.steps import CutAnswer, Flow, Now, Reply, Sleep, Unsent
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.client.wire.read_answer import Pictures, read_answer
from opeai_nb.client.wire.read_error import Problem, error_of
from opeai_nb.errors import (
    ConnectionLostError,
    InputError,
    OpeaiError,
    RateLimitError,
    ServerError,
    TaskExpiredError,
    TaskTimeoutError,
    UnreadableAnswerError,
)
from opeai_nb.fields import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.wire.endpoint import Endpoint

GIVE_UP_AFTER: Final = 180.0
"""Seconds of nothing but failures after which the waiting ends; the task does not."""
UNKNOWN_CAP: Final = 5  # answers in a row with a word that nobody knows
EMPTY_CAP: Final = 3  # successes without a picture: results may be stored a moment later
MISSING_CAP: Final = 2  # "no such task" right after its submission: tables lag behind

_PASSING: Final = (ConnectionLostError, ServerError, RateLimitError)


@dataclass(frozen=True)
class Patience:
    """How long to wait: *timeout* in seconds; *durations* of earlier tasks, for the schedule."""

    timeout: float = DEFAULT_TIMEOUT
    durations: Sequence[float] = field(default=())

    def __post_init__(self) -> None:
        if (
            isinstance(self.timeout, bool)
            or not isinstance(self.timeout, (int, float))
            or math.isnan(self.timeout)
            or self.timeout < 0
        ):
            raise InputError(
                f"timeout is {self.timeout!r}, not a number of seconds.",
                advice="Give 0 or more. Nothing was sent.",
            )


def ask(endpoint: Endpoint, task: Task) -> Flow[Task]:
    """Ask about a task once, and again when the network or the platform fails in passing.

    Raises `TaskExpiredError` for a task that the platform does not know, `ConnectionLostError` or
    `ServerError` when it keeps failing; each carries the task id.
    """
    for attempt in range(1, schedule.QUERY_ATTEMPTS):
        try:
            return (yield from _ask_once(endpoint, task))
        except _PASSING as error:
            yield Sleep(pause_after(error, attempt))
    return (yield from _ask_once(endpoint, task))


def watch(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Task]:
    """Follow a task to its end and return the last snapshot; yields every snapshot on the way.

    Raises `TaskTimeoutError` at the deadline, `TaskExpiredError`, or what made asking hopeless;
    every error carries the task id, and the task goes on at the platform.
    """
    started: float = yield Now()
    now, course = started, _Course(task)
    yield task
    while not course.is_over:
        left = started + patience.timeout - now
        if left <= 0:
            raise _still_going("The task was not ready in the time allowed.", task)
        now = yield Sleep(min(course.pause(now - started, patience.durations), left))
        try:
            task = yield from _ask_once(endpoint, task)
        except OpeaiError as error:
            course.failed(error, now)
            now = yield Now()  # a question that failed may have taken a minute
            continue
        course.saw(task)
        yield task
    return task


class _Course:
    """What has been seen of a task so far, and what it means for the next question."""

    def __init__(self, task: Task) -> None:
        self._task = task
        # A submission may reach the task table a moment after its answer reached us.
        self._missing = 0 if task.request is not None else MISSING_CAP
        self._strange = self._empty = self._failures = 0
        self._failing_since: float | None = None
        self._error: OpeaiError | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come; the pictures of a success may follow it."""
        task = self._task
        return task.is_settled and (
            task.status == "failed" or bool(task.pictures) or self._empty >= EMPTY_CAP
        )

    def pause(self, elapsed: float, durations: Sequence[float]) -> float:
        """Return the seconds until the next question; a server's wish wins over the schedule."""
        if self._error is not None:
            return pause_after(self._error, self._failures)
        return schedule.wished(self._task.retry_after) or schedule.next_poll(elapsed, durations)

    def saw(self, task: Task) -> None:
        """Take note of a snapshot; raise when its status has been no status too often."""
        self._task, self._error, self._failing_since = task, None, None
        self._failures, self._missing = 0, MISSING_CAP
        self._strange = self._strange + 1 if task.status == "unknown" else 0
        self._empty += task.status == "done" and not task.pictures
        if self._strange >= UNKNOWN_CAP:
            if _is_dashscopes_unknown(task):
                raise TaskExpiredError(
                    "The platform does not know the task.", task_id=task.id, request=task.request
                )
            raise _still_going(
                f"The platform keeps reporting the status {task.platform_status[:40]!r}, "
                "which is not known here.",
                task,
            )

    def failed(self, error: OpeaiError, now: float) -> None:
        """Take note of a failure to ask; raise it when asking again cannot help."""
        self._failures += 1
        self._error = error
        self._failing_since = now if self._failing_since is None else self._failing_since
        if isinstance(error, TaskExpiredError):
            self._missing += 1
            if self._missing > MISSING_CAP:
                raise error
        elif not isinstance(error, _PASSING) or now - self._failing_since > GIVE_UP_AFTER:
            raise error


def _is_dashscopes_unknown(task: Task) -> bool:
    """Tell DashScope's word for a task that is not there, or has expired (platform.md 3.4).

    In the gateway's own table UNKNOWN passes (platform.md 1.6).
    """
    asked_there = (task.poll_path or "").startswith("/aliyun/")
    return asked_there and task.platform_status.strip().upper() == "UNKNOWN"


def pause_after(error: OpeaiError, attempt: int) -> float:
    """Return the pause in seconds after a free request failed for the *attempt*-th time."""
    return schedule.wished(error.retry_after) or schedule.backoff(attempt, longest=15.0)


def _still_going(message: str, task: Task) -> TaskTimeoutError:
    return TaskTimeoutError(message, task_id=task.id, request=task.request)


def _ask_once(endpoint: Endpoint, task: Task) -> Flow[Task]:
    dialect = DIALECTS[task.request.dialect if task.request else "openai"]
    paths = dialect.task_paths(task.id)
    if task.poll_path and (own := endpoint.own_path(task.poll_path)):
        paths = (own, *(path for path in paths if path != own))
    for path in paths:
        try:
            reply: Reply = yield endpoint.query(path)
        except (Unsent, CutAnswer) as failure:
            raise ConnectionLostError(
                f"The connection was lost while checking on the task: {failure}.",
                task_id=task.id,
                request=task.request,
            ) from failure
        try:
            return replace(_read_query(reply, task), poll_path=path)
        except TaskExpiredError:
            if path == paths[-1]:
                raise
    raise AssertionError("a dialect has at least one path")  # pragma: no cover


def _read_query(reply: Reply, task: Task) -> Task:
    answer = _answer_or_error(reply, task)
    if isinstance(answer, OpeaiError):
        answer.task_id, answer.request = task.id, task.request
        answer.retry_after = schedule.retry_after(reply.headers)
        raise answer
    if answer.error is not None:
        answer.error.task_id, answer.error.request = task.id, task.request
        answer.error.pictures = received(reply)
    return replace(
        answer,
        id=task.id,
        request=task.request,
        model=answer.model or task.model,
        prompt=answer.prompt or task.prompt,
        created=answer.created or task.created,
        retry_after=schedule.retry_after(reply.headers),
    )


def _answer_or_error(reply: Reply, task: Task) -> Task | OpeaiError:
    try:
        answer = read_answer(reply)
    except UnreadableAnswerError as error:
        # A page of a proxy or a load balancer passes; the task does not. An answer of the table
        # without a row (platform.md 2.2) is a task that it does not know.
        kind = TaskExpiredError if _is_no_row(reply.body) else ServerError
        return kind(error.message, status_code=error.status_code, request_id=error.request_id)
    if isinstance(answer, Problem):
        return error_of(answer, paid=False, task_id=task.id)
    return _done(answer) if isinstance(answer, Pictures) else answer


def _done(found: Pictures) -> Task:
    """Return the snapshot of a task whose answer is just its pictures."""
    return Task(
        "",
        "done",
        "SUCCESS",
        pictures=found.pictures,
        usage=found.usage,
        model=found.model,
        created=found.created,
        request_id=found.request_id,
    )


def _is_no_row(body: object) -> bool:
    return isinstance(body, dict) and "data" in body and body["data"] is None
