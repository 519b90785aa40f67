"""Asking about a task until it is settled; nothing on the way loses its id."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opeai_nb.client import pace
from opeai_nb.client.answer import Pictures, read_answer
from opeai_nb.client.dialect import DIALECTS
from opeai_nb.client.problem import Problem, error_of
from opeai_nb.client.steps import Cut, Flow, Now, Reply, Sleep, Unsent
from opeai_nb.client.task import Task
from opeai_nb.errors import (
    ConnectionLostError,
    OpeaiError,
    RateLimitError,
    ServerError,
    TaskExpiredError,
    TaskTimeoutError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.endpoint import Endpoint

DEADLINE: Final = 900.0
"""Seconds that a task is waited for, unless said otherwise."""
_GIVE_UP_AFTER: Final = 180.0
_UNKNOWN_CAP: Final = 10
_EMPTY_CAP: Final = 3
_FRESH: Final = 10.0


@dataclass(frozen=True)
class Patience:
    """How long to wait: *timeout* in seconds; *durations* of earlier tasks, for the schedule."""

    timeout: float = DEADLINE
    durations: Sequence[float] = field(default=())


def ask(endpoint: Endpoint, task: Task) -> Flow[Task]:
    """Ask about a task once, and again when the network or the platform fails in passing.

    Raises `TaskExpiredError` for a task that the platform does not know, `ConnectionLostError` or
    `ServerError` when it keeps failing; each carries the task id.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return (yield from _ask_once(endpoint, task))
        except (ConnectionLostError, ServerError, RateLimitError) as error:
            if attempt >= pace.QUERY_ATTEMPTS:
                raise
            yield Sleep(pause_after(error, attempt))


def _ask_once(endpoint: Endpoint, task: Task) -> Flow[Task]:
    dialect = DIALECTS[task.request.dialect if task.request else "openai"]
    paths = dialect.task_paths(task.id)
    if task.poll_path and _same_server(endpoint, task.poll_path):
        paths = (task.poll_path, *(path for path in paths if path != task.poll_path))
    for place, path in enumerate(paths):
        try:
            reply: Reply = yield endpoint.query(path)
        except (Unsent, Cut) as failure:
            raise ConnectionLostError(
                f"The connection was lost while the task was asked about: {failure}.",
                task_id=task.id,
                request=task.request,
            ) from failure
        try:
            snapshot = _read_query(reply, task)
        except TaskExpiredError:
            if place + 1 == len(paths):
                raise
            continue
        return replace(snapshot, poll_path=path)
    raise AssertionError("a dialect has at least one path")  # pragma: no cover


def _read_query(reply: Reply, task: Task) -> Task:
    try:
        answer = read_answer(reply)
    except UnreadableAnswerError as error:
        # A page of a proxy or a load balancer passes; the task does not.
        raise ServerError(
            error.message, status_code=error.status_code, task_id=task.id, request=task.request
        ) from error
    if isinstance(answer, Problem):
        found = error_of(answer, paid=False, task_id=task.id)
        found.request = task.request
        found.retry_after = pace.retry_after(reply.headers)
        raise found
    if isinstance(answer, Pictures):
        answer = Task(
            task.id,
            "done",
            "SUCCESS",
            pictures=answer.pictures,
            usage=answer.usage,
            model=answer.model,
            created=answer.created,
            request_id=answer.request_id,
        )
    if answer.error is not None:
        answer.error.task_id, answer.error.request = task.id, task.request
    return replace(
        answer,
        id=task.id,
        request=task.request,
        created=answer.created or task.created,
        retry_after=pace.retry_after(reply.headers),
    )


def watch(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Task]:
    """Follow a task to its end and return the last snapshot; yields every snapshot on the way.

    Raises `TaskTimeoutError` at the deadline, `TaskExpiredError`, or what made asking hopeless;
    every error carries the task id, and the task goes on at the platform.
    """
    started: float = yield Now()
    yield task
    now, failing_since, failures, strange, empty = started, None, 0, 0, 0
    while not _is_over(task, empty):
        pause = task.retry_after or pace.next_poll(now - started, patience.durations)
        left = started + patience.timeout - now
        if left <= 0:
            raise _timed_out(task)
        now = yield Sleep(min(pause, left))
        try:
            task = yield from _ask_once(endpoint, task)
        except (ConnectionLostError, ServerError, RateLimitError) as error:
            failures, failing_since = failures + 1, now if failing_since is None else failing_since
            if now - failing_since > _GIVE_UP_AFTER:
                raise
            now = yield Sleep(pause_after(error, failures))
            continue
        except TaskExpiredError:
            # A submission may reach the task table after its answer reached us.
            if now - started > _FRESH:
                raise
            continue
        failures, failing_since = 0, None
        strange = strange + 1 if task.status == "unknown" else 0
        empty = empty + 1 if task.status == "done" and not task.pictures else 0
        if strange >= _UNKNOWN_CAP:
            raise _strange(task)
        yield task
    return task


def _is_over(task: Task, empty: int) -> bool:
    """A success without pictures is asked about twice more: the pictures may follow."""
    return task.is_settled and (
        task.status == "failed" or bool(task.pictures) or empty >= _EMPTY_CAP
    )


def pause_after(error: OpeaiError, attempt: int) -> float:
    if error.retry_after is None:
        return pace.backoff(attempt, longest=15.0)
    return min(error.retry_after, pace.LONGEST_PAUSE)


def _timed_out(task: Task) -> TaskTimeoutError:
    return TaskTimeoutError(
        "The task was not ready in the time allowed.", task_id=task.id, request=task.request
    )


def _strange(task: Task) -> TaskTimeoutError:
    return TaskTimeoutError(
        f"The platform keeps reporting the status {task.platform_status!r}, which nobody knows.",
        task_id=task.id,
        request=task.request,
    )


def _same_server(endpoint: Endpoint, path: str) -> bool:
    place, home = urlsplit(path), urlsplit(endpoint.base_url)
    return path.startswith("/") or (place.scheme, place.netloc) == (home.scheme, home.netloc)
