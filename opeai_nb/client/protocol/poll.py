"""Asking about a task until it is settled; nothing on the way loses its id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opeai_nb.client.protocol.poll_history import PollHistory
from opeai_nb.client.protocol.query_task import PASSING, again, ask_once
from opeai_nb.client.protocol.results import together
from opeai_nb.client.protocol.steps import Flow, Now, Sleep
from opeai_nb.client.values.answer_notes import CUT_TASKS
from opeai_nb.client.values.request import wanted
from opeai_nb.client.values.task import Task
from opeai_nb.errors import AnswerError, OpeaiError, TaskExpiredError
from opeai_nb.fields import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.client.protocol.patience import Patience
    from opeai_nb.client.wire.endpoint import Endpoint


def ask(endpoint: Endpoint, task: Task, seconds: float = DEFAULT_TIMEOUT) -> Flow[Task]:
    """Ask about a task once, and again when the network or the platform fails in passing.

    All of it takes so many *seconds* at most. Raises `TaskExpiredError` for a task that the
    platform does not know, `ConnectionLostError` or `ServerError` when it keeps failing; each
    carries the task id. Of several tasks of a request, each is asked about.
    """
    return (yield from _each(task, lambda part: _ask(endpoint, part, seconds)))


def _ask(endpoint: Endpoint, task: Task, seconds: float) -> Flow[Task]:
    now: float = yield Now()
    until = now + seconds
    return (yield from again(lambda: ask_once(endpoint, task, until), until))


def watch(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Task]:
    """Follow a task to its end and return the last snapshot; yields every snapshot on the way.

    Several tasks of one request are followed one after the other; they are painted side by side.
    Raises `TaskTimeoutError` at the deadline, `TaskExpiredError`, or what made asking hopeless;
    every error carries the task id and the last answer, and the task goes on at the platform.
    """
    try:
        last = yield from _watch_all(endpoint, task, patience)
    except OpeaiError as error:
        error.pictures = error.pictures or task.pictures
        is_refused = isinstance(error, AnswerError) and not isinstance(error, PASSING)
        is_lost = isinstance(error, TaskExpiredError) or not task.platform_status
        if not is_refused or not (task.pictures or is_lost):
            raise
        # Nobody knows the task: what was shown beside its id may be all that it came to.
        from opeai_nb.client.protocol.read_submission import beside_id  # seldom needed

        last = beside_id(task)
        if not last.pictures:
            raise
        yield last
    good = sum(picture.error is None for picture in last.pictures)
    if CUT_TASKS not in task.notes or good >= wanted(task.request):
        return last
    return replace(last, notes=(*last.notes, CUT_TASKS), answer=task.answer)


def _watch_all(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Task]:
    if len(task.parts) == 1 or PollHistory(task).is_over:
        return (yield from _watch(endpoint, task, patience, lambda seen: seen))

    def shown(seen: Task) -> Task:
        status = "painting" if seen.is_settled else seen.status
        return replace(seen, id=task.id, poll_path=task.poll_path, status=status, pictures=())

    started: float = yield Now()

    def rest(part: Task) -> Flow[Task]:
        now: float = yield Now()
        left = max(0.0, started + patience.timeout - now)
        return (yield from _watch(endpoint, part, replace(patience, timeout=left), shown))

    last = yield from _each(task, rest)
    yield last
    return last


def _each(task: Task, follow: Callable[[Task], Flow[Task]]) -> Flow[Task]:
    """Return what following each of the tasks of a request tells of all."""
    ends: list[Task] = []
    for part in task.parts:
        try:
            ends.append((yield from follow(part)))
        except TaskExpiredError as error:
            if len(task.parts) == 1:
                raise
            ends.append(replace(part, status="failed", error=error))
        except OpeaiError as error:
            error.task_id = task.id
            raise
    return ends[0] if len(ends) == 1 else together(task, ends)


def _watch(
    endpoint: Endpoint, task: Task, patience: Patience, shown: Callable[[Task], Task]
) -> Flow[Task]:
    started: float = yield Now()
    now, history = started, PollHistory(task)
    yield shown(task)
    while not history.is_over:
        left = started + patience.timeout - now
        if left <= 0:
            raise history.too_late()
        now = yield Sleep(min(history.pause(now - started, patience.durations), left))
        try:
            task = yield from ask_once(endpoint, task, started + patience.timeout)
        except OpeaiError as error:
            history.failed(error, now)
            # Somebody watches: the badge tells of the first failure, and goes on.
            yield shown(replace(task, trouble=error.message))
            now = yield Now()  # a question that failed may have taken a minute
            continue
        task = history.saw(task, now)
        yield shown(task)
    return task
