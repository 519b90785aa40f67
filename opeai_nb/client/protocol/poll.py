"""Asking about a task until it is settled; nothing on the way loses its id."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.results import CUT_TASKS, is_unfinished, is_whole, received, together
from opeai_nb.client.protocol.steps import CutAnswer, Flow, Now, Reply, Sleep, Unsent
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.client.wire.read_answer import Pictures, read_answer
from opeai_nb.client.wire.read_error import Problem, error_of
from opeai_nb.client.wire.read_pictures import GUESS
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.errors import (
    AnswerError,
    AuthenticationError,
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
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.client.wire.endpoint import Endpoint

GIVE_UP_AFTER: Final = 180.0
"""Seconds of nothing but failures after which the waiting ends; the task does not."""
REFUSALS: Final = 5  # equal refusals in a row that end the waiting, if they lasted a while
REFUSED_FOR: Final = 30.0
"""Seconds that refusals must have lasted: a challenge or a gateway that restarts passes sooner."""
EMPTY_CAP: Final = 3  # successes without a picture: results may be stored a moment later

_LEAST_FOR_DOWNLOADS: Final = 1.0

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

    def for_downloads(self, waited: float) -> float:
        """Return the seconds for the pictures of a task that was *waited* for.

        What is left, and never less than a tenth of the whole or a second: a picture that was
        painted at the last moment can still be fetched.
        """
        return max(self.timeout - waited, 0.1 * self.timeout, _LEAST_FOR_DOWNLOADS)


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
    for attempt in range(1, schedule.QUERY_ATTEMPTS + 1):
        try:
            return (yield from _ask_once(endpoint, task, until))
        except _PASSING as error:
            now = yield Now()
            pause = pause_after(error, attempt)
            if attempt == schedule.QUERY_ATTEMPTS or now + pause >= until:
                raise
            yield Sleep(pause)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


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
        is_refused = isinstance(error, AnswerError) and not isinstance(error, _PASSING)
        if not (task.pictures and is_refused):
            raise
        # Nobody knows the task: what was shown beside its id may be all that it came to.
        last = replace(task, status="done", notes=(*task.notes, GUESS))
        yield last
    good = sum(picture.error is None for picture in last.pictures)
    if CUT_TASKS not in task.notes or good >= ((task.request and task.request.n) or 1):
        return last
    return replace(last, notes=(*last.notes, CUT_TASKS), answer=task.answer)


def _watch_all(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Task]:
    if len(task.parts) == 1 or _Course(task).is_over:
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
    now, course = started, _Course(task)
    yield shown(task)
    while not course.is_over:
        left = started + patience.timeout - now
        if left <= 0:
            raise course.too_late()
        now = yield Sleep(min(course.pause(now - started, patience.durations), left))
        try:
            task = yield from _ask_once(endpoint, task, started + patience.timeout)
        except OpeaiError as error:
            course.failed(error, now)
            # Somebody watches: the badge tells of the first failure, and goes on.
            yield shown(replace(task, trouble=error.message))
            now = yield Now()  # a question that failed may have taken a minute
            continue
        task = course.saw(task, now)
        yield shown(task)
    return task


class _Course:
    """What has been seen of a task so far, and what it means for the next question.

    A poll's error is not the task's error: nothing that a single answer says ends the waiting.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._gone = self._empty = self._failures = self._refusals = self._shown = 0
        self._failing_since = self._refused_since = self._gone_since = self._shown_since = 0.0
        self._error: OpeaiError | None = None
        self._is_one_kind = True

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come; the pictures of a success may follow it."""
        task = self._task
        return task.is_settled and (
            task.status == "failed" or _has_all(task) or self._empty >= EMPTY_CAP
        )

    def pause(self, elapsed: float, durations: Sequence[float]) -> float:
        """Return the seconds until the next question; a server's wish wins over the schedule."""
        if self._error is not None:
            return pause_after(self._error, self._failures)
        return schedule.wished(self._task.retry_after) or schedule.next_poll(elapsed, durations)

    def saw(self, task: Task, now: float) -> Task:
        """Take note of a snapshot and return what it means.

        One that shows a picture again and again under a word that nobody knows is done. Raises
        `TaskExpiredError` where DashScope says it is gone.
        """
        self._task, self._error = task, None
        self._failures = self._refusals = 0
        self._empty += task.status == "done" and not _has_all(task)
        self._gone_since = self._gone_since if self._gone else now
        self._gone = self._gone + 1 if _is_dashscopes_unknown(task) else 0
        if self._gone >= REFUSALS and now - self._gone_since >= REFUSED_FOR:
            raise _gone("The platform does not know the task.", task)
        self._shown_since = self._shown_since if self._shown else now
        self._shown = self._shown + 1 if task.pictures and not task.is_settled else 0
        if self._shown >= REFUSALS and now - self._shown_since >= REFUSED_FOR:
            self._task = replace(task, status="done", notes=(*task.notes, GUESS))
        return self._task

    def failed(self, error: OpeaiError, now: float) -> None:
        """Take note of a failure to ask; raise it when asking again cannot help.

        That is: nothing but failures for `GIVE_UP_AFTER`, or the same refusal `REFUSALS` times over
        `REFUSED_FOR` seconds (a key that was revoked, a task that is not there).
        """
        if not self._failures:
            self._failing_since = now
        self._is_one_kind = not self._failures or (
            self._is_one_kind and _is_same(error, self._error)
        )
        self._failures += 1
        is_refusal = not isinstance(error, _PASSING)
        if not is_refusal or not _is_same(error, self._error):
            self._refusals, self._refused_since = 0, now
        self._refusals += is_refusal
        self._error = error
        is_refused = self._refusals >= REFUSALS and now - self._refused_since >= REFUSED_FOR
        if is_refused or now - self._failing_since > GIVE_UP_AFTER:
            raise _about_task(error, self._task, is_one_kind=self._is_one_kind)

    def too_late(self) -> TaskTimeoutError:
        """Return the error for a wait that has lasted long enough; it tells what was heard last."""
        task, error = self._task, self._error
        if error is not None:
            late = TaskTimeoutError(
                f"The task was not ready in the time allowed; {self._failed(error)}"
            )
            late.status_code, late.code, late.__cause__ = error.status_code, error.code, error
            # More time helps where asking failed in passing; a refusal is not waited out.
            if not isinstance(error, _PASSING):
                late.advice = _goes_on(error)
        elif task.status == "unknown" and task.platform_status:
            late = TaskTimeoutError(
                "The task was not ready in the time allowed; the platform keeps reporting the "
                f"status {task.platform_status[:40]!r}, which is not known here."
            )
        elif task.status == "unknown":
            late = TaskTimeoutError(
                "The task was not ready in the time allowed; the platform's answers tell neither a "
                "status nor a picture."
            )
        else:
            late = TaskTimeoutError("The task was not ready in the time allowed.")
        late.task_id, late.request = task.id, task.request
        late.answer = (error and error.answer) or task.answer
        return late

    def _failed(self, error: OpeaiError) -> str:
        """Return what became of the last questions, of which *error* is the last."""
        times = "question" if self._failures == 1 else f"{self._failures} questions"
        last = "" if self._is_one_kind else "the last: "
        status = f"HTTP {error.status_code}: " if error.status_code else ""
        return f"the last {times} about it failed ({last}{status}{error.message.rstrip('.')})."


def _gone(message: str, task: Task) -> TaskExpiredError:
    error = TaskExpiredError(message, task_id=task.id, request=task.request)
    error.answer = task.answer
    return error


def _is_same(error: OpeaiError, other: OpeaiError | None) -> bool:
    return other is not None and (type(error), error.status_code) == (
        type(other),
        other.status_code,
    )


def _about_task(error: OpeaiError, task: Task, *, is_one_kind: bool) -> OpeaiError:
    """Say of an error that it is the questions', not the task's: the task goes on."""
    error.answer = error.answer or task.answer
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
    return f"{remedy} {TASK_GOES_ON}".strip()


TASK_GOES_ON: Final = (
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


def pause_after(error: OpeaiError, attempt: int) -> float:
    """Return the pause in seconds after a free request failed for the *attempt*-th time."""
    return schedule.wished(error.retry_after) or schedule.backoff(attempt, longest=15.0)


_GONE_WORDS: Final = frozenset({"tasknotfound", "notfound", "tasknotexist", "notexist"})


_LAST_QUESTION: Final = 0.5
"""Seconds for a question at the deadline itself: it is asked, and not waited for much longer."""


def _ask_once(endpoint: Endpoint, task: Task, until: float) -> Flow[Task]:
    dialect = DIALECTS[task.request.dialect if task.request else "openai"]
    paths = dialect.task_paths(task.id)
    if task.poll_path and (own := endpoint.own_path(task.poll_path)):
        paths = (own, *(path for path in paths if path != own))
    for path in paths:
        try:
            reply: Reply = yield from query(endpoint, path, until)
        except (Unsent, CutAnswer) as failure:
            raise ConnectionLostError(
                f"The connection was lost while checking on the task: {failure}.",
                task_id=task.id,
                request=task.request,
            ) from failure
        try:
            return _read_query(reply, task, path)
        except TaskExpiredError:
            if path == paths[-1]:
                raise
    raise AssertionError("a dialect has at least one path")  # pragma: no cover


def query(endpoint: Endpoint, path: str, until: float | None = None) -> Flow[Reply]:
    """Return the answer to a GET; a redirect inside the base URL's origin is followed.

    *until* is what the clock says when nobody waits for it any more.
    """
    call = endpoint.query(path)
    for moves in range(schedule.MOVES + 1):
        if until is not None:
            now: float = yield Now()
            if moves and now >= until:
                break
            call = replace(call, patience=max(_LAST_QUESTION, until - now))
        reply: Reply = yield call
        target = reply.headers.get("location")
        if not (300 <= reply.status < 400 and target):  # noqa: PLR2004  a redirect
            break
        if (moved := endpoint.own_path(urljoin(call.url, target))) is None:
            break
        call = replace(call, url=endpoint.at(moved))
    return reply


def _read_query(reply: Reply, task: Task, path: str) -> Task:
    """Return the snapshot in an answer to a question at *path*; raise the error that it is."""
    answer = _answer_or_error(reply, task)
    if isinstance(answer, OpeaiError):
        answer.task_id, answer.request = task.id, task.request
        answer.retry_after = schedule.retry_after(reply.headers)
        answer.answer = reply.answer()
        raise answer
    if squeezed(answer.platform_status) in _GONE_WORDS:
        asked = replace(task, answer=reply.answer())
        raise _gone(f"The platform says of the task: {answer.platform_status}.", asked)
    if answer.error is not None:
        answer.error.task_id, answer.error.request = task.id, task.request
        answer.error.pictures = received(reply)
        answer.error.answer = reply.answer()
    # Its answer may lie elsewhere: a link that comes with "done" is asked next.
    is_apart = answer.status == "done" and not answer.pictures and answer.poll_path
    return replace(
        answer,
        id=task.id,
        poll_path=answer.poll_path if is_apart else path,
        answer=None
        if answer.is_settled and is_whole(answer.pictures, answer.notes)
        else reply.answer(),
        request=task.request,
        model=answer.model or task.model,
        prompt=answer.prompt or task.prompt,
        created=answer.created or task.created,
        retry_after=schedule.retry_after(reply.headers),
    )


def _answer_or_error(reply: Reply, task: Task) -> Task | OpeaiError:
    try:
        answer = read_answer(reply, task.request, task.id)
    except UnreadableAnswerError as error:
        # A page of a proxy or a load balancer passes; the task does not. An answer of the table
        # without a row (platform.md 2.2) is a task that it does not know.
        is_no_row = _is_no_row(reply.body)
        kind = TaskExpiredError if is_no_row else ServerError
        message = "The platform does not know the task." if is_no_row else error.message
        return kind(message, status_code=error.status_code, request_id=error.request_id)
    if isinstance(answer, Problem):
        return error_of(answer, paid=False, task_id=task.id)
    return _done(answer) if isinstance(answer, Pictures) else answer


def _done(found: Pictures) -> Task:
    """Return the snapshot of a task whose answer is just its pictures.

    An empty list without a status may be what a gateway answers until there are some.
    """
    return Task(
        "",
        "done" if found.pictures else "unknown",
        "SUCCESS" if found.pictures else "",
        pictures=found.pictures,
        usage=found.usage,
        model=found.model,
        created=found.created,
        request_id=found.request_id,
        notes=found.notes,
    )


def _is_no_row(body: object) -> bool:
    return isinstance(body, dict) and "data" in body and body["data"] is None
