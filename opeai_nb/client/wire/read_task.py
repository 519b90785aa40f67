"""A task in an answer: its id, its status and what came of it, in any spelling."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.task import Task, joined, read_status
from opeai_nb.client.wire.read_error import (
    error_of,
    find_problem,
    problem_of,
    reason_in,
    request_id_of,
)
from opeai_nb.client.wire.read_pictures import GUESS, found_in, guessed_in, pictures_in
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import Places, is_never
from opeai_nb.errors import ModerationError, OpeaiError, QuotaError, TaskFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.protocol.steps import Reply
    from opeai_nb.client.values.request import ImageRequest

_STATUS_KEYS: Final = ("task_status", "status", "state")
_TASK_OBJECT: Final = "image.generation.task"
# kie.ai tells how a task stands by a number of its own.
_FLAGS: Final = {0: "processing", 1: "success", 2: "failed", 3: "failed"}
_LINK_HEADERS: Final = (
    "location",
    "operation-location",
    "azure-asyncoperation",
    "content-location",
)
_LONGEST_LINK: Final = 2000


def read_task(places: Places, reply: Reply, request: ImageRequest | None) -> Task | None:
    """Return the task that an answer tells of; None when it tells of none."""
    node = _task_node(places.nodes)
    link = poll_link(places, reply)
    if node is None and (link is None or not _says_where(reply.status, link)):
        return None
    node = node or {}
    word = _status_word(node)
    status = read_status(word)
    listed = _listed(places, reply, request) if not word or status == "unknown" else 0
    if not word and not listed:  # bytes under their own name are no input either
        named = [("", [each["b64_json"]]) for each in places.nodes if "b64_json" in each]
        listed = _listed(Places(lists=named), reply, request)
    # A word that nobody knows, beside fewer than were asked for, may say that more will come.
    if listed and (not word or listed >= ((request and request.n) or 1)):
        status = "done"
    pictures, notes = _pictures(places, reply, request) if status == "done" else ((), ())
    error = _failure(places, node, reply) if status == "failed" else None
    if error is not None and (pictures := _left_behind(places, reply, request, error)):
        status, error, notes = "done", None, (LEFT_BEHIND,)
    task_id = _id_of(node) or next(filter(None, map(_id_of, places.nodes)), "")
    task_id = task_id or _last_id(places, link) or _guessed_id(places)
    if not task_id and word and status in {"queued", "painting"}:
        task_id = _only_id(places)
        notes = (*notes, GUESSED_ID) if task_id else notes
    return Task(
        id=task_id,
        status=status,
        platform_status=word or "",
        progress=progress_in(places),
        model=places.first("model"),
        prompt=places.first("prompt"),
        created=integer(places.first("created_at", "created", "submit_time", kind=(int, float))),
        pictures=pictures if status == "done" else _early(places, reply, request, node),
        usage=places.first("usage", kind=dict),
        error=error,
        request_id=request_id_of(reply.headers, places.nodes),
        poll_path=_answer_link(places) if status == "done" and not pictures else link,
        notes=notes,
    )


def _early(
    places: Places, reply: Reply, request: ImageRequest | None, node: Mapping[str, Any]
) -> tuple[Picture, ...]:
    """Return what is shown before the status says that it is done: who asks again will tell.

    A word that nobody knows may mean it, and a failure may leave some behind, which are not to be
    lost. Of a task that goes on only the whole list of one that is at its end: others are drafts.
    """
    status = read_status(word := _status_word(node))
    if not word or status in {"unknown", "failed"}:
        return _good(pictures_in(places, reply.pictures, request))
    listed = _good(_in_lists(places, reply, request)) if _is_at_its_end(places.nodes) else ()
    return listed if len(listed) >= ((request and request.n) or 1) else ()


def row_of(places: Places, task_id: str, most: int = 1) -> dict[str, Any] | None:
    """Return the row of the task that was asked about, in a list of several tasks; None elsewhere.

    A row has an id and a status; pictures that name the task that made them are none. Where it
    lists more rows than the *most* pictures, and none of another task, they are its history.
    """
    for _, items in places.lists:
        rows = [each for each in items if isinstance(each, dict) and _status_word(each)]
        ids = [_id_of(row) for row in rows]
        if len(rows) == len(items) and ids.count(task_id) == 1 and len(set(ids)) > 1:
            return rows[ids.index(task_id)]
        if len(rows) == len(items) > most and {None, task_id}.issuperset(ids):
            ends = [row for row in rows if read_status(_status_word(row)) in {"done", "failed"}]
            if len(ends) <= 1:
                return (ends or rows)[-1]
    return None


def several_in(places: Places, reply: Reply, request: ImageRequest | None) -> Task | None:
    """Return the tasks of an answer that names several for one request, as one; None elsewhere.

    Beside a task's own id others are its steps; and pictures that are here name their tasks, too.
    """
    if _listed(places, reply, request):
        return None
    rows = next((items for _, items in places.lists if _are_tasks(items)), [])
    links = {task_id: _link_in(row) for row in rows if (task_id := _id_of(row))}
    for node in places.nodes:
        for name, value in node.items():
            if isinstance(value, list) and _IDS_OF_TASKS.fullmatch(squeezed(name)):
                links.update(dict.fromkeys(filter(None, map(_id_text, value))))
    bare = [task for _, items in places.lists for task in map(bare_task, items) if task is not None]
    links.update({task.id: None for task in bare})
    own = next((_id_of(node) for node in places.nodes if _is_own_task(node)), None)
    if not links or len(rows or links) <= 1 or own not in {None, *links}:
        return None
    request_id = request_id_of(reply.headers, places.nodes)
    tasks = [
        Task(
            task_id,
            platform_status=_running_word(rows),
            poll_path=link,
            request_id=request_id,
            notes=(GUESSED_ID,) if bare else (),
        )
        for task_id, link in links.items()
    ]
    return joined(tasks)


def _running_word(rows: list[dict[str, Any]]) -> str:
    """Return the word of the first of some tasks that says that it goes on."""
    words = filter(None, map(_status_word, rows))
    return next((w for w in words if read_status(w) in {"queued", "painting"}), "")


def _is_own_task(node: Mapping[str, Any]) -> bool:
    """Tell an object that speaks of one task; an `id` alone may be the request's."""
    word = _status_word(node)
    goes_on = bool(word) and read_status(word) in {"queued", "painting"}
    return isinstance(node.get("task_id"), str) or (goes_on and _id_of(node) is not None)


def _are_tasks(items: list[Any]) -> bool:
    """Tell a list of tasks from one of pictures, of which each may say how it stands."""
    rows = [item for item in items if isinstance(item, dict)]
    words = [_status_word(row) for row in rows]
    is_named = all("task_id" in row for row in rows)
    goes_on = all(words) and any(read_status(word) in {"queued", "painting"} for word in words)
    return len(items) == len(rows) > 1 and (is_named or goes_on)


_IDS_OF_TASKS: Final = re.compile(r"(?:task|job|generation|prediction)(?:ids?|s)")


def _says_where(status: int, link: str) -> bool:
    """Tell whether a success without a word of a task means one all the same, by its link.

    303 says that what was made is seen elsewhere; so does a page to log in, whose link names none.
    """
    return status in {201, 202} or (status == 303 and _OWN_TASK.match(link) is not None)  # noqa: PLR2004  See Other


_OWN_TASK: Final = re.compile(
    r"\.{0,2}/(?!/)(?:[\w.~-]+/)*(?:tasks?|jobs?|operations?|generations|predictions|queue|results?)"
    r"/[\w.~%:-]+/?(?:\?\S*)?\Z"
)


def holds_result(
    places: Places, reply: Reply, request: ImageRequest | None, task: Task | None
) -> bool:
    """Tell whether an HTTP failure shows all the same what was paid for: pictures, or a live task.

    A list of pictures, or a task of which the answer says in a word that it goes on or is done: an
    id or a URL alone may be an error's own.
    """
    is_live = task is not None and task.platform_status and task.status not in _NOT_LIVE
    return bool(task and task.id and is_live) or _listed(places, reply, request) > 0


_NOT_LIVE: Final = frozenset({"failed", "unknown"})


def _listed(places: Places, reply: Reply, request: ImageRequest | None) -> int:
    """Count the pictures in a list: these are made, whatever the status says."""
    return len(_good(_in_lists(places, reply, request)))


def _in_lists(places: Places, reply: Reply, request: ImageRequest | None) -> list[Picture]:
    """Return the items of lists alone: an object's own `url` or `image` may be its input."""
    lists = [
        pair for pair in places.lists if pair[0] not in _INPUTS_OF_EDITS or not _edits(request)
    ]
    return pictures_in(Places(lists=lists), reply.pictures, request) or []


LEFT_BEHIND: Final = (
    "The platform says that the task failed; it lists pictures all the same, and these were taken."
)


def _left_behind(
    places: Places, reply: Reply, request: ImageRequest | None, error: OpeaiError
) -> tuple[Picture, ...]:
    """Return what a failed task lists all the same, its *error* in the place of what is missing.

    None where nobody knows what was asked for: a list of `images` may be the inputs of an edit.
    """
    items = _in_lists(places, reply, request) if request is not None else []
    good = _good(items)
    is_short = request is not None and len(items) < (request.n or 1)
    return (*items, *([Picture(error=error)] if is_short else [])) if good else ()


_INPUTS_OF_EDITS: Final = frozenset({"image", "images", "image_urls", "files"})


def _edits(request: ImageRequest | None) -> bool:
    return request is not None and bool(request.image)


def _task_node(nodes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the object that speaks of a task, the outermost where an upstream's is inside.

    It has a status and an id, or names itself a task, or has a status alone, or an id with nothing
    that says otherwise beside it.
    """
    told = [node for node in nodes if _status_word(node) is not None]
    ways = (
        (node for node in told if _id_of(node)),
        (node for node in nodes if node.get("object") == _TASK_OBJECT),
        told,
        (node for node in nodes if node.get("task_id") and _id_of(node)),
        filter(_link_in, nodes),
        (node for node in nodes[:1] if node.keys() <= _BARE and _row_id(node)),
    )
    return next(chain.from_iterable(ways), None)


_BARE: Final = frozenset({"id", "created", "created_at", "model"})


def _status_word(node: Mapping[str, Any]) -> str | None:
    """Return the status word; `{"status": 404}` and `{"status": true}` are not a task's."""
    words = [node[key] for key in _STATUS_KEYS if isinstance(node.get(key), str)]
    # Of several one may speak of the question: `{"status": "ok", "state": "processing"}`.
    known = (word for word in words if word and read_status(word) != "unknown")
    word = next(known, words[0] if words else None)
    if word is None and type(node.get("success_flag")) is int:
        return _FLAGS.get(node["success_flag"], "unknown")
    # Google's `done` is true beside a reason, or a result.
    if word is None and any(map(_is_not_over, node, node.values())):
        return "processing"
    return word


def _is_not_over(name: str, value: object) -> bool:
    is_no = value is False or (type(value) is int and value == 0)
    return is_no and squeezed(name) in _OVER


_OVER: Final = frozenset(
    [
        *("done", "isdone", "finished", "isfinished", "finish", "completed", "iscompleted"),
        *("complete", "iscomplete", "isready"),
    ]
)


def _id_of(node: Mapping[str, Any]) -> str | None:
    """Return `task_id`, `id` if it is a string (a TaskDto's is a row number), or `uuid`."""
    task_id = node.get("task_id")
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        return str(task_id)
    texts = (task_id, node.get("id"), node.get("uuid"))
    return next((value.strip() for value in texts if type(value) is str and value.strip()), None)


def _row_id(node: Mapping[str, Any]) -> str | None:
    number = node.get("id")
    whole = isinstance(number, int) and not isinstance(number, bool) and number > 0
    return str(number) if whole else _id_of(node)


def guessed_task(places: Places) -> Task | None:
    """Return the task of an answer in which an id stands and nothing else that says anything."""
    nodes = list(places.nodes)
    for node in nodes:  # and what they alone hold, in an envelope of whatever name
        inner = [v for name, v in node.items() if type(v) is dict and not is_never(name, v)]
        nodes += inner if len(inner) == 1 and inner[0] not in nodes else []
    task_id = _guessed_id(Places(nodes))
    return Task(task_id, notes=(GUESSED_ID,)) if task_id else None


def bare_task(body: Any) -> Task | None:
    """Return the task of an answer that is a text, and nothing but an id; None for any other."""
    task_id = body.strip().strip("\"'") if isinstance(body, str) else ""
    return Task(task_id, notes=(GUESSED_ID,)) if _BARE_ID.fullmatch(task_id) else None


_BARE_ID: Final = re.compile(
    r"(?=\D*\d)(?:task|job|image|img|gen|generation|prediction|run|operation)[_:-][\w.:-]{4,120}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
GUESSED_ID: Final = (
    "The answer is of a form that nobody described: what seemed to be the id of a task is asked "
    "about."
)
_NO_TASKS_ID = re.compile(
    r"request|req|trace|log|user|model|org|project|team|account|client|session|app|key|channel|"
    r"group|tenant|workspace|parent|device|message|region|span|err|code|line|page|version"
)
_ID_NAME = re.compile(r".*(?:id|ids|uuid|no|number|ticket)|task|job|data|result|output|handle")
_ID_TEXT = re.compile(r"(?=\S*\d)[\w.:~-]{2,128}")


def _guessed_id(places: Places) -> str:
    """Return what alone looks like an id under a name that may be a task's; empty for none."""
    found: set[str] = set()
    for node in places.nodes:
        for name, value in node.items():
            plain, text = squeezed(name), _id_text(value)
            if _ID_NAME.fullmatch(plain) and not _NO_TASKS_ID.search(plain) and text:
                found.add(text)
    return found.pop() if len(found) == 1 else ""


def _only_id(places: Places) -> str:
    """Return the id of the request, or the like, of a task that waits and names no other (fal)."""
    named = {squeezed(name): text for node in places.nodes for name, text in node.items()}
    return next(filter(None, (_id_text(named.get(name)) for name in _ID_OF_LAST_RESORT)), "")


_ID_OF_LAST_RESORT: Final = (
    # Not `key` or `token`: what a server repeats there may be a secret.
    *("requestid", "reqid", "operation", "jobs", "hash", "ref", "messageid"),
)


def _id_text(value: Any) -> str:
    """Return what may be an id, as text: a number, or a word with a figure in it."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    text = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
    return text if _ID_TEXT.fullmatch(text) else ""


def _good(pictures: list[Picture] | None) -> tuple[Picture, ...]:
    return tuple(picture for picture in pictures or () if picture.error is None)


def _last_id(places: Places, link: str | None) -> str:
    """Return what else may be an id: a number, or what the link to the task ends in."""
    numbers = filter(None, map(_row_id, places.nodes))
    named = places.first("request_id", "uuid", "name") if link else None
    return next(numbers, None) or named or (_id_in(link) if link else "")


# -- where it is asked about


def poll_link(places: Places, reply: Reply) -> str | None:
    """Return where an answer says that its task is asked about, in its body or its headers."""
    body = next(filter(None, map(_link_in, places.nodes)), None)
    named = (reply.headers[name] for name in _LINK_HEADERS if reply.headers.get(name))
    link = body or next(named, None)
    if link or reply.status not in {201, 202} or any(map(_row_id, places.nodes)):
        return link
    return _odd_link(reply.headers)


def _odd_link(headers: Mapping[str, str]) -> str | None:
    """Return the link, or the path of the id, in a header that only some servers use."""
    if link := _RELATED.search(headers.get("link", "")):
        return link[1]
    for name, text in headers.items():
        if _POLL_HEADER.fullmatch(name) and text.strip():
            return text.strip()
        if _ID_HEADER.fullmatch(name) and _ID_TEXT.fullmatch(text.strip()):
            return f"/v1/images/generations/{text.strip()}"
    return None


_RELATED: Final = re.compile(
    r"<([^<>]{1,2000})>[^,<]*;\s*rel=\"?(?:monitor|status|poll)\b", re.IGNORECASE
)
_POLL_HEADER: Final = re.compile(
    r"(?:x-)?(?:poll|polling|status|task|job|operation)-(?:url|uri|link)"
)
_ID_HEADER: Final = re.compile(r"(?:x-)?(?:\w+-)?(?:task|job|operation|prediction)-?id")


def _link_in(node: Mapping[str, Any]) -> str | None:
    """Return where a node says that its task is asked about (Replicate: `urls.get`)."""
    direct = node.get("poll_url")
    if isinstance(direct, str) and direct.strip():
        return direct.strip()
    if "name" in node and _OPERATION.fullmatch(str(node["name"])):
        return f"/v1/{node['name']}"
    if "urls" not in node and "links" not in node:
        return None
    # Anything has a `self`; a task that has no other link says that it is one.
    keys = ("get", "status", "poll", *(("self",) if _status_word(node) is not None else ()))
    for name in ("urls", "links"):
        inner: Any = node.get(name)
        for key in keys if isinstance(inner, dict) else ():
            value = inner.get(key)
            value = value.get("url", value.get("href")) if isinstance(value, dict) else value
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


_OPERATION: Final = re.compile(r"(?:[\w.-]+/){0,6}operations/[\w.-]{1,200}")


def _answer_link(places: Places) -> str | None:
    """Return where the answer of a task that is done lies apart from its status (fal)."""
    link = places.first("response_url")
    return link.strip() if link else None


def _id_in(link: str) -> str:
    """Return the id in the link to a task: its query's `id`, else the last part of its path."""
    try:
        parts = urlsplit(link[:_LONGEST_LINK])
        query = parse_qs(parts.query)
    except ValueError:
        return ""
    named = next((query[name][0] for name in ("id", "task_id", "taskId") if name in query), "")
    return named or unquote(parts.path.rstrip("/").rpartition("/")[2])


# -- what came of it


def _pictures(
    places: Places, reply: Reply, request: ImageRequest | None
) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """Return the pictures of a task that is done, and what a person should be told of them."""
    found = found_in(places, reply.pictures, request)
    pictures = found.pictures or []
    if any(picture.error is None for picture in pictures):
        return tuple(pictures), found.notes
    reason = places.first("fail_reason")  # older builds keep the URL of a success there
    if reason and reason.startswith("http"):
        return (Picture(url=reason),), ()
    guesses = guessed_in(reply.body, reply.pictures, request)
    return (tuple(guesses), (GUESS,)) if guesses else (tuple(pictures), ())


def _failure(places: Places, node: Mapping[str, Any], reply: Reply) -> OpeaiError:
    # The task's own words first, and what is innermost: an envelope says SUCCEED of the query.
    inward = [node, *reversed(places.nodes)]
    problem = next(filter(None, map(find_problem, inward)), None) or problem_of(
        reason_in(inward), code=node.get("code")
    )
    error = error_of(problem, paid=False)
    if isinstance(error, (ModerationError, QuotaError)):
        return error
    return TaskFailedError(
        f"The task failed: {problem.message.rstrip('.') or _word_of(node)}.",
        code=problem.code,
        type=problem.type,
        request_id=request_id_of(reply.headers, places.nodes) or problem.request_id,
    )


def _word_of(node: Mapping[str, Any]) -> str:
    """Return a status word that says more than that it failed (BFL: `Content Moderated`)."""
    word = _status_word(node) or ""
    return word if len(word.split()) > 1 else "no reason given"


def progress_in(places: Places) -> float | None:
    """Return how far an answer says that it has come, in percent."""
    return _progress(places.first("progress", kind=(int, float, str)))


def _progress(value: Any) -> float | None:
    """Return a percentage from 42, "42%" or "42"; None for anything else."""
    if isinstance(value, str):
        value = value.strip().rstrip("%").strip()[:20]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 100 else None  # noqa: PLR2004  percent


def _is_at_its_end(nodes: list[dict[str, Any]]) -> bool:
    """Tell a task that says when it ended, or that all is done, whatever its status still says."""
    named = [(squeezed(name), value) for node in nodes for name, value in node.items()]
    return any(
        (name == "progress" and (_progress(value) == _ALL or (value == 1 and type(value) is float)))
        or (name in _ENDED and value and isinstance(value, (str, int, float)))
        for name, value in named
    )


_ALL: Final = 100.0
_ENDED: Final = frozenset(
    [*("finishedat", "finishtime", "completedat", "completedtime", "completiontime", "endtime")]
)


def integer(value: Any) -> int | None:
    """Return a whole number; None for what is none."""
    try:
        return None if value is None else int(value)
    except (OverflowError, ValueError):
        return None
