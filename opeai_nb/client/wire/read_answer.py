"""What an answer means: pictures, a task, or a problem. Liberal in what it accepts.

The platform documents two answers and stands before vendors with many more; platform.md 7 lists
what was seen. The answer decides what it is, never the request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.protocol.steps import NotJson, Reply
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import Task, read_status
from opeai_nb.client.wire.read_error import (
    Problem,
    error_of,
    find_problem,
    first_line,
    problem_of,
    problem_without_key,
    read_problem,
    reason_in,
    request_id_of,
)
from opeai_nb.client.wire.read_pictures import pictures_in
from opeai_nb.client.wire.redact import hide_in, value_without_key, without_key
from opeai_nb.client.wire.unwrap import Places, places_in
from opeai_nb.errors import (
    ModerationError,
    OpeaiError,
    QuotaError,
    TaskFailedError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.secret import Secret

_STATUS_KEYS: Final = ("status", "task_status", "state")
_TASK_OBJECT: Final = "image.generation.task"


@dataclass(frozen=True)
class Pictures:
    """An answer that holds pictures; each is fetched already or has a URL or an error."""

    pictures: tuple[Picture, ...]
    usage: Mapping[str, Any] | None
    created: int | None
    model: str | None
    request_id: str | None


def read_answer(reply: Reply) -> Pictures | Task | Problem:
    """Return what the answer to a submission or a query says; the key is in nothing that is shown.

    Raises `UnreadableAnswerError` when it is no JSON although HTTP says success, or JSON in which
    there is neither a picture, a task nor an error.
    """
    try:
        return _without_key(_read(reply), reply.key)
    except UnreadableAnswerError as error:
        hide_in(error, reply.key)
        raise


def _without_key(
    answer: Pictures | Task | Problem, key: Secret | None
) -> Pictures | Task | Problem:
    if isinstance(answer, Problem):
        return problem_without_key(answer, key)
    for error in (getattr(answer, "error", None), *(item.error for item in answer.pictures)):
        if error is not None:
            hide_in(error, key)
    names = ("model", "usage", "prompt")
    values = {name: getattr(answer, name) for name in names if getattr(answer, name, None)}
    return replace(
        answer,
        request_id=without_key(answer.request_id, key) if answer.request_id else None,
        pictures=tuple(
            replace(item, revised_prompt=value_without_key(item.revised_prompt, key))
            for item in answer.pictures
        ),
        **{name: value_without_key(value, key) for name, value in values.items()},
    )


def _read(reply: Reply) -> Pictures | Task | Problem:
    # A page is a problem when HTTP says so (502, 403), and unreadable when it says success.
    problem = read_problem(reply.status, reply.headers, reply.body)
    if isinstance(reply.body, NotJson):
        return problem or _unreadable(reply)
    places = places_in(reply.body)
    task = _read_task(places, reply)
    # A failed task before its error: the reason stands in the same envelope as a refusal's
    # (DashScope: `output.task_status` beside `output.code`).
    if task is not None and task.status == "failed" and (task.id or reply.status < 400):  # noqa: PLR2004  HTTP failure
        return task
    # An HTTP failure is no answer, whatever its body quotes of a task or a picture.
    if problem is not None and reply.status >= 300:  # noqa: PLR2004  HTTP success
        return problem
    pictures = pictures_in(places, reply.pictures)
    # A task with an id goes on being one (new-api puts results beside its status); without an id
    # its pictures are all there will be; with an error beside it (`ali_error`) the error speaks.
    if task is not None and (problem is None or task.pictures) and not (pictures and not task.id):
        return task
    # Ark tells of the picture of a group that failed beside the ones that did not.
    if problem is not None:
        if not any(picture.error is None for picture in pictures or ()):
            return problem
        pictures = [*(pictures or ()), Picture(error=error_of(problem, paid=False))]
    if pictures is None:
        return _unreadable(reply)
    return Pictures(
        pictures=tuple(pictures),
        usage=places.first("usage", kind=dict),
        created=_integer(places.first("created", "created_at", kind=(int, float))),
        model=places.first("model"),
        request_id=request_id_of(reply.headers, places.nodes),
    )


def _unreadable(reply: Reply) -> Problem:
    told = first_line(reply.body.text) if isinstance(reply.body, NotJson) else None
    raise UnreadableAnswerError(
        "The answer holds neither a picture, nor a task, nor an error."
        if told is None
        else f"The answer is not JSON; it begins: {told!r}."
        if told
        else "The answer is empty.",
        status_code=reply.status,
        request_id=request_id_of(reply.headers, []),
    )


def _read_task(places: Places, reply: Reply) -> Task | None:
    node = _task_node(places.nodes)
    if node is None:
        return None
    word = _status_word(node)
    status = read_status(word)
    if (not word or status == "unknown") and _are_listed(places, reply):
        status = "done"
    pictures = _task_pictures(places, reply) if status == "done" else ()
    return Task(
        id=_id_of(node) or next(filter(None, map(_id_of, places.nodes)), ""),
        status=status,
        platform_status=word or "",
        progress=_progress(places.first("progress", kind=(int, float, str))),
        model=places.first("model"),
        prompt=places.first("prompt"),
        created=_integer(places.first("created_at", "created", "submit_time", kind=(int, float))),
        pictures=pictures,
        usage=places.first("usage", kind=dict),
        error=_failure(places, node, reply) if status == "failed" else None,
        request_id=request_id_of(reply.headers, places.nodes),
        poll_path=places.first("poll_url") or reply.headers.get("location"),
    )


def _are_listed(places: Places, reply: Reply) -> bool:
    """Tell whether a list holds a picture: then it is made, whatever the status says.

    Lists alone: an object's own `url` or `image` may be the task's, or its input.
    """
    listed = pictures_in(Places(lists=places.lists), reply.pictures)
    return any(picture.error is None for picture in listed or ())


def _task_node(nodes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the object that speaks of a task, the outermost where an upstream's is inside.

    It has a status and an id, or names itself a task, or has a status alone, or an id alone with
    no pictures beside it.
    """
    told = [node for node in nodes if _status_word(node) is not None]
    named = [node for node in nodes if node.get("object") == _TASK_OBJECT]
    both = [node for node in told if _id_of(node)]
    alone = [node for node in nodes if node.get("task_id") and _id_of(node)]
    return next(iter([*both, *named, *told, *alone]), None)


def _status_word(node: dict[str, Any]) -> str | None:
    """Return the status word; `{"status": 404}` and `{"status": true}` are not a task's."""
    return next((node[key] for key in _STATUS_KEYS if isinstance(node.get(key), str)), None)


def _id_of(node: dict[str, Any]) -> str | None:
    """Return `task_id`, or `id` if it is a string: a TaskDto's `id` is a row number."""
    task_id = node.get("task_id")
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        return str(task_id)
    return next(
        (value for value in (task_id, node.get("id")) if value and type(value) is str), None
    )


def _task_pictures(places: Places, reply: Reply) -> tuple[Picture, ...]:
    pictures = pictures_in(places, reply.pictures)
    if pictures:
        return tuple(pictures)
    reason = places.first("fail_reason")  # older builds keep the URL of a success there
    return (Picture(url=reason),) if reason and reason.startswith("http") else ()


def _failure(places: Places, node: dict[str, Any], reply: Reply) -> OpeaiError:
    found = next(filter(None, map(find_problem, [node, *places.nodes])), None) or problem_of(
        reason_in(places.nodes), code=node.get("code")
    )
    error = error_of(found, paid=False)
    if isinstance(error, (ModerationError, QuotaError)):
        return error
    return TaskFailedError(
        f"The task failed: {found.message.rstrip('.') or 'no reason given'}.",
        code=found.code,
        type=found.type,
        request_id=request_id_of(reply.headers, places.nodes) or found.request_id,
    )


def _progress(value: Any) -> float | None:
    """Return a percentage from 42, "42%" or "42"; None for anything else."""
    if isinstance(value, str):
        value = value.strip().rstrip("%").strip()[:20]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 100 else None  # noqa: PLR2004  percent


def _integer(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (OverflowError, ValueError):
        return None
