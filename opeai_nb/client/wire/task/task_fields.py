"""What one object of an answer says of a task: its status, its id, how far it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.task import read_status
from opeai_nb.client.wire.spelling import squeezed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.wire.unwrap import Places

_STATUS_KEYS: Final = ("task_status", "status", "state")
# kie.ai tells how a task stands by a number of its own.
_FLAGS: Final = {0: "processing", 1: "success", 2: "failed", 3: "failed"}


def status_word(node: Mapping[str, Any]) -> str | None:
    """Return the status word; `{"status": 404}` and `{"status": true}` are not a task's."""
    told = (node.get(key) for key in _STATUS_KEYS)
    # In an object of its own it has a name: `{"status": {"code": "running"}}`.
    told = (each for value in told for each in (_named(value) if type(value) is dict else [value]))
    words = [value for value in told if isinstance(value, str)]
    # Of several one may speak of the question: `{"status": "ok", "state": "processing"}`.
    known = (word for word in words if word and read_status(word) != "unknown")
    word = next(known, words[0] if words else None)
    if word is None and type(node.get("success_flag")) is int:
        return _FLAGS.get(node["success_flag"], "unknown")
    if word is None and any(map(_has_failed, node, node.values())):
        return "failed"
    # Google's `done` is true beside a reason, or a result.
    if word is None and any(map(_is_not_over, node, node.values())):
        return "processing"
    return word


def _named(status: Mapping[str, Any]) -> list[Any]:
    return [value for name, value in status.items() if squeezed(name) in _NAMES]


_NAMES: Final = frozenset({"code", "name", "state", "status", "statusstr", "value", "phase"})


def _has_failed(name: str, value: object) -> bool:
    return value is True and _FAILED.fullmatch(squeezed(name)) is not None


_FAILED: Final = re.compile(r"(?:is|has)?(?:failed|faulted|errored|cancell?ed|aborted)")


def _is_not_over(name: str, value: object) -> bool:
    if name == "progress":
        return (_progress(value) or _ALL) not in (1, _ALL)  # 0 is what an empty field holds
    is_no = value is False or (type(value) is int and value == 0)
    return is_no and squeezed(name) in _OVER


_OVER: Final = frozenset(
    [
        *("done", "isdone", "finished", "isfinished", "finish", "completed", "iscompleted"),
        *("complete", "iscomplete", "isready"),
    ]
)


def waiting_word(body: Any, depth: int = 0) -> str:
    """Return what an answer that may look like an error says of a task that is not ready."""
    if isinstance(body, str):
        text = body.strip()
        return text if len(text) < _LONGEST_WORD and _WAITS.search(text) else ""
    inner = body if isinstance(body, list) else ()
    if isinstance(body, dict):
        inner = [value for name, value in body.items() if _TELLING.fullmatch(squeezed(name))]
    words = (waiting_word(value, depth + 1) for value in inner[:_MOST_NAMES] if depth < _DEEPEST)
    return next(filter(None, words), "")


_LONGEST_WORD: Final = 200
_MOST_NAMES: Final = 20
_DEEPEST: Final = 4
_TELLING: Final = re.compile(
    r"data|result|response|errors?|.*(?:message|msg|code|error|detail|reason|info|status|state)"
)
_GOING: Final = (
    r"(?:process(?:ing|ed)|running|generat(?:ing|ed)|queued|pending|in[ _-]?(?:progress|queue))"
)
_WAITS: Final = re.compile(
    rf"\b(?:still|being|currently|is) {_GOING}\b|\A(?:task[ _-])?{_GOING}\Z"
    r"|\bnot[ _](?:yet[ _])?(?:been[ _])?(?:ready|finished|completed)\b"
    r"|处理中|排队中|生成中|进行中|未完成",
    re.IGNORECASE,
)


def id_of(node: Mapping[str, Any]) -> str | None:
    """Return `task_id`, `id` if it is a string (a TaskDto's is a row number), or `uuid`."""
    task_id = node.get("task_id")
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        return str(task_id)
    texts = (task_id, node.get("id"), node.get("uuid"))
    return next((value.strip() for value in texts if type(value) is str and value.strip()), None)


def row_id(node: Mapping[str, Any]) -> str | None:
    """Return `id` also where it is a number, else what `id_of` returns."""
    number = node.get("id")
    whole = isinstance(number, int) and not isinstance(number, bool) and number > 0
    return str(number) if whole else id_of(node)


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


def is_at_its_end(nodes: list[dict[str, Any]]) -> bool:
    """Tell a task that says when it ended, or that all is done, whatever its status still says."""
    named = [(squeezed(name), value) for node in nodes for name, value in node.items()]
    return any(
        (name == "progress" and (_progress(value) == _ALL or (value == 1 and type(value) is float)))
        or (name in _ENDED and value and isinstance(value, (str, int, float)))
        or (name in _OVER and value is True)
        for name, value in named
    )


_ALL: Final = 100.0
_ENDED: Final = frozenset(
    {"finishedat", "finishtime", "completedat", "completedtime", "completiontime", "endtime"}
)


def integer(value: Any) -> int | None:
    """Return a whole number; None for what is none."""
    try:
        return None if value is None else int(value)
    except (OverflowError, ValueError):
        return None
