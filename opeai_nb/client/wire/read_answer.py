"""What an answer means: pictures, a task, or a problem. Liberal in what it accepts.

The platform documents two answers and stands before vendors with many more; platform.md 7 lists
what was seen. The answer decides what it is, never the request. The documented answer is read by
`read_documented` before; of all others decides, in this order:

    read_answer
      _read_documents       several JSON values: each is read, their pictures are put together
      _read_text            no JSON: a link to a task, a page that is an error, a picture's URL
      _read_json            a failed task, several tasks, an error of HTTP; else
        _read_success       pictures, then a task, then the error that stands beside them; else
          _read_no_result   an error, what is guessed to be a picture or a task, a list of failures

What pictures there are, and what a task says, is read elsewhere (`unwrapped_answer`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.picture_source import bytes_of
from opeai_nb.client.http.picture_text import packed_picture
from opeai_nb.client.protocol.steps import Documents, NotJson, Reply
from opeai_nb.client.values.answer_notes import GUESS
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.request import wanted
from opeai_nb.client.values.task import Task, joined, read_status
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.item_error import to_come
from opeai_nb.client.wire.error.read_error import (
    Problem,
    problem_in,
    problem_of,
    problem_without_key,
    read_problem,
)
from opeai_nb.client.wire.error.reason import reason_anywhere
from opeai_nb.client.wire.error.unreadable import unread, unreadable
from opeai_nb.client.wire.links import links_in, links_in_xml, may_be_picture
from opeai_nb.client.wire.read_documented import Pictures
from opeai_nb.client.wire.read_pictures import (
    filtered_notes,
    found_in,
    guessed_in,
    pictures_in,
)
from opeai_nb.client.wire.redact import hide_in, value_without_key, without_key
from opeai_nb.client.wire.task.guessed_id import bare_task, guessed_task
from opeai_nb.client.wire.task.read_task import holds_result, read_task
from opeai_nb.client.wire.task.several_tasks import row_of, several_in
from opeai_nb.client.wire.task.task_fields import integer, progress_in
from opeai_nb.client.wire.task.task_link import id_in_link, leads_to_task, poll_link
from opeai_nb.client.wire.unwrap import Places, is_never, places_in
from opeai_nb.client.wire.unwrapped_answer import UnwrappedAnswer, unwrapped
from opeai_nb.errors import (
    AnswerError,
    OutcomeUnknownError,
    RateLimitError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.client.protocol.steps import Source
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.secret import Secret


def read_answer(
    reply: Reply, request: ImageRequest | None = None, asked: str = ""
) -> Pictures | Task | Problem:
    """Return what the answer to a submission or a query says; the key is in nothing that is shown.

    *request* is what was asked: an input that the answer repeats is no picture of it. *asked* is
    the id of the task that a query was about: its answer need not repeat it. Raises
    `UnreadableAnswerError` when it is no JSON although HTTP says success, or JSON in which there
    is neither a picture, a task nor an error.
    """
    if reply.pictures:
        unpacked = {number: _unpacked_picture(each) for number, each in reply.pictures.items()}
        if unpacked != reply.pictures:
            reply = replace(reply, pictures=unpacked)
    try:
        return _without_key(_read(reply, request, asked), reply.key, reply.clock)
    except UnreadableAnswerError as error:
        hide_in(error, reply.key)
        # Without the frames that read it: what they hold is as it came, and debuggers show locals.
        raise error.with_traceback(None)  # noqa: B904  it is the same error


def _unpacked_picture(source: Source) -> Source:
    """Return the picture that bytes hold which are base64 once more; all others as they came."""
    if isinstance(source, Path) and source.suffix != ".bin":
        return source
    return packed_picture(bytes_of(source)) or source


def _without_key(
    answer: Pictures | Task | Problem, key: Secret | None, clock: float
) -> Pictures | Task | Problem:
    if isinstance(answer, Problem):
        return problem_without_key(answer, key)
    for error in (getattr(answer, "error", None), *(item.error for item in answer.pictures)):
        if error is not None:
            hide_in(error, key)
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        text = getattr(answer, name, None)
        if text and (clean := value_without_key(text, key)) != text:
            changes[name] = clean
    if answer.request_id:
        changes["request_id"] = without_key(answer.request_id, key)
    if isinstance(answer, Pictures) and answer.reason:
        changes["reason"] = without_key(answer.reason, key)
    if answer.pictures:
        changes["pictures"] = tuple(
            replace(
                item,
                revised_prompt=value_without_key(item.revised_prompt, key),
                said=item.said and without_key(item.said, key),
                seen=clock,
            )
            for item in answer.pictures
        )
    return replace(answer, **changes) if changes else answer


_TEXTS: Final = ("model", "usage", "prompt", "platform_status")


def _read(reply: Reply, request: ImageRequest | None, asked: str) -> Pictures | Task | Problem:
    if isinstance(reply.body, Documents):
        return _read_documents(reply, request, asked)
    if isinstance(reply.body, NotJson):
        return _read_text(UnwrappedAnswer(reply, Places(), request), asked)
    answer = unwrapped(reply, request)
    if asked and (row := row_of(answer, asked)) is not None:
        return _read(replace(reply, body=row), request, "")
    return _read_json(answer, asked)


def _read_json(answer: UnwrappedAnswer, asked: str) -> Pictures | Task | Problem:
    reply = answer.reply
    several = None if asked else several_in(answer)
    task = several or read_task(answer)
    problem = read_problem(reply)
    # A failed task before its error: the reason stands in the same envelope as a refusal's
    # (DashScope: `output.task_status` beside `output.code`).
    is_failed = task is not None and "failed" in (task.status, read_status(task.platform_status))
    if task is not None and is_failed and (task.id or reply.status < 400):  # noqa: PLR2004  HTTP failure
        return task
    if task is not None and problem is not None:
        problem = replace(problem, task_id=task.id or None)
    if reply.is_redirect and task is not None and task.id and problem_in(reply.body) is None:
        return task
    if problem is not None and not reply.is_success:
        has_result = holds_result(answer, task)
        if not has_result or problem_in(reply.body) is not None:
            is_paid = has_result or _may_be_begun(problem, answer.places, several)
            return replace(problem, is_beside_result=is_paid)
        problem = None  # the status alone says that it failed, and the body shows what was made
    if several is not None:
        return several
    if task is not None and asked and not task.id:
        task = replace(task, id=asked)
    return _read_success(answer, task, problem)


def _may_be_begun(problem: Problem, places: Places, several: Task | None) -> bool:
    """Tell a failure that names a task and no cause of its own: somebody may be painting it."""
    is_open = type(error_of(problem, paid=True)) in _OPEN
    is_named = several is not None or places.first("task_id", kind=(str, int)) is not None
    return is_open and is_named


_OPEN: Final = frozenset({AnswerError, OutcomeUnknownError, RateLimitError})


def _read_success(
    answer: UnwrappedAnswer, task: Task | None, problem: Problem | None
) -> Pictures | Task | Problem:
    pictures, notes = found_in(answer)
    is_good = any(picture.error is None for picture in pictures or ())
    # Envelopes put a `code` and a `message` beside what they carry (Volcengine: 10000, "Success"):
    # these are no refusal where there is a picture or a task, unless an `error` says so.
    if problem is not None and problem.is_flat and (is_good or (task is not None and task.id)):
        problem = None
    # Items of a list may name the task that made them: with pictures and no status it is over.
    # An object's own `url` or `image` may be the task's, or its input: so lists alone count.
    is_over = task is not None and task.status == "done" and not task.platform_status
    if task is not None and is_good and (is_over or not task.id):
        return _as_pictures(answer, pictures or (), problem, notes, task.id)
    # A task with an id goes on being one (new-api puts results beside its status); with an error
    # beside it (`ali_error`) the error speaks.
    is_asked = task is not None and (task.id or task.status != "unknown")
    if task is not None and is_asked and (problem is None or task.pictures):
        return task
    if is_good:
        return _as_pictures(answer, pictures or (), problem, notes)
    return _read_no_result(answer, pictures, problem)


def _read_no_result(
    answer: UnwrappedAnswer, failures: list[Picture] | None, problem: Problem | None
) -> Pictures | Task | Problem:
    """Return what a success says that has no picture where pictures are, and speaks of no task."""
    if problem is not None:
        return _refusal(problem, answer.places)
    if guesses := guessed_in(answer):
        # Of a body that is the picture itself the headers tell what JSON does elsewhere.
        notes = (GUESS, *filtered_notes([answer.reply.headers]))
        return _as_pictures(answer, guesses, notes=notes)
    guess = guessed_task(answer.places) or bare_task(answer.reply.body) or _linked_task(answer)
    if guess is not None and not failures:
        return replace(guess, request_id=answer.request_id)
    if failures is None:
        raise unreadable(answer.reply)
    return _as_pictures(answer, failures)


def _linked_task(answer: UnwrappedAnswer) -> Task | None:
    """Return the task that a header alone links to, beside a status that says nothing of it."""
    link = poll_link(answer.places, answer.reply)
    return Task(id_in_link(link), poll_path=link) if link and leads_to_task(link) else None


def _refusal(problem: Problem, places: Places) -> Problem:
    """Return a refusal; raise where a code that nobody knows stands beside what may be a task."""
    is_known = type(error_of(problem, paid=True)) not in _OPEN
    if not problem.is_flat or is_known or guessed_task(places) is None:
        return problem
    raise unread(
        problem, f"The answer says {problem.message!r}, and holds what may be the id of a task."
    )


def _as_pictures(
    answer: UnwrappedAnswer,
    pictures: Sequence[Picture],
    problem: Problem | None = None,
    notes: tuple[str, ...] = (),
    task_id: str = "",
) -> Pictures:
    # Ark tells of the picture of a group that failed beside the ones that did not.
    failed = [] if problem is None else [Picture(error=error_of(problem, paid=False))]
    is_empty = not pictures and not failed
    places = answer.places
    return Pictures(
        pictures=(*pictures, *failed),
        usage=places.first("usage", kind=dict),
        created=integer(places.first("created", "created_at", kind=(int, float))),
        model=places.first("model"),
        request_id=answer.request_id,
        task_id=task_id or None,
        notes=notes,
        reason=problem_of(reason_anywhere(answer.reply.body)).message if is_empty else "",
    )


def _read_documents(
    reply: Reply, request: ImageRequest | None, asked: str
) -> Pictures | Task | Problem:
    """Return what several documents say together: an event stream, or lines of JSON.

    Their pictures where there are any, without the partial ones; else the task that they tell of,
    else what the last of them says that can be read.
    """
    answers, parts = [], []
    for document in reply.body.values:
        try:
            answers.append(_read(replace(reply, body=document), request, asked))
        except UnreadableAnswerError:
            continue
        if isinstance(answers[-1], Pictures):
            parts.append((answers[-1], progress_in(places_in(document))))
    tasks = [answer for answer in answers if isinstance(answer, Task)]
    if good := _finals(parts, wanted(request)):
        told = (places_in(each).first("usage", kind=dict) for each in reversed(reply.body.values))
        problems = [answer for answer in answers if isinstance(answer, Problem)]
        missing = _missing(problems, tasks)[: max(0, wanted(request) - len(good))]
        usage = next(filter(None, told), None)
        return replace(parts[-1][0], pictures=(*good, *missing), usage=usage)
    several = {task.id: task for task in tasks if task.id}
    if len(several) > 1:
        return joined([*several.values()])
    # What goes wrong with a stream, or in it, does not end the task that it has told of.
    done = [task for task in tasks if task.pictures]
    named = [task for task in tasks if task.id]
    if not answers:
        raise unreadable(reply)
    return (done or named or answers)[-1]


def _missing(problems: list[Problem], tasks: list[Task]) -> list[Picture]:
    """Return the pictures that several documents say failed, or are still to come from a task."""
    failed = [Picture(error=error_of(problem, paid=False)) for problem in problems]
    ids = dict.fromkeys(task.id for task in tasks if task.id and not task.is_settled)
    return [*failed, *(Picture(error=to_come(task_id)) for task_id in ids)]


def _finals(parts: list[tuple[Pictures, float | None]], count: int) -> list[Picture]:
    """Return the pictures of several documents, each with the progress that it tells of.

    Where there are more than were asked for, what came before the end of the progress are drafts.
    """
    good = {
        picture.url or picture.source: (picture, progress)
        for part, progress in parts
        for picture in part.pictures
        if picture.error is None
    }
    end = max((progress or 0.0 for _, progress in good.values()), default=0.0)
    is_over = len(good) > count
    return [p for p, progress in good.values() if not is_over or progress in (None, end)]


def _read_text(answer: UnwrappedAnswer, asked: str) -> Pictures | Task | Problem:
    """Read what is no JSON: a page, a Location alone, or a text that is a picture's URL."""
    reply = answer.reply
    told = read_task(answer) or read_problem(reply) or _linked_task(answer)
    if told is not None:
        return told
    text = reply.body.text.strip()
    if not asked and (bare := bare_task(text)) is not None:
        return replace(bare, request_id=answer.request_id)
    named = [link for name, link in links_in_xml(text) if not is_never(name, link)]
    named = [link for link in named if may_be_picture(link)]
    if named or (not _NO_PROSE.search(text) and links_in(text)):
        answer.places = Places(lists=[("", named)]) if named else Places(texts=[text])
        if pictures := pictures_in(answer):
            return _as_pictures(answer, pictures, notes=(GUESS,))
    raise unreadable(reply)


# A page, or JSON that is broken: what stands under which name is not known.
_NO_PROSE: Final = re.compile(r"\A[<{\[]|[\"']\s*:")
