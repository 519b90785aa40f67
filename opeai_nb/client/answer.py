"""What an answer means: pictures, a task, or a problem. Liberal in what it accepts.

The platform documents two answers and stands before vendors with many more; platform.md 7 lists
what was seen. The answer decides what it is, never the request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.picture import Picture, sniff_format
from opeai_nb.client.problem import (
    Problem,
    error_of,
    find_problem,
    first_line,
    read_problem,
    request_id_of,
)
from opeai_nb.client.reader import decode_base64
from opeai_nb.client.steps import Blob, NotJson, Reply
from opeai_nb.client.task import Task, read_status
from opeai_nb.errors import NoPictureError, OpeaiError, TaskFailedError, UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opeai_nb.client.steps import Source

_WRAPPERS: Final = ("data", "result", "output", "task_result", "response", "task_info")
_LISTS: Final = ("data", "images", "results", "choices")
_STATUS_KEYS: Final = ("status", "task_status", "state")
_SINGLE_KEYS: Final = ("result_url", "image_url", "url", "b64_json", "image", "image_base64")
_DEEPEST: Final = 8


@dataclass(frozen=True)
class Pictures:
    """An answer that holds pictures; each is fetched already or has an URL or an error."""

    pictures: tuple[Picture, ...]
    usage: Mapping[str, Any] | None
    created: int | None
    model: str | None
    request_id: str | None


def read_answer(reply: Reply) -> Pictures | Task | Problem:
    """Return what the answer to a submission or a query says.

    Raises `UnreadableAnswerError` when it is no JSON although HTTP says success, or JSON in which
    there is neither a picture, a task nor an error.
    """
    problem = read_problem(reply.status, reply.headers, reply.body)
    if isinstance(reply.body, NotJson):
        return problem or _raise_unreadable(reply)
    body = _unpacked(reply.body)
    task = _read_task(body, reply)
    if task is not None and (problem is None or task.status == "failed"):
        return task
    items = _find_items(body)
    if problem is not None and not items:
        return problem
    if items is None:
        return _raise_unreadable(reply)
    if problem is not None and reply.status >= 400:  # noqa: PLR2004  HTTP failure
        return problem
    pictures = tuple(p for item in items for p in _read_item(item, reply.pictures))
    if problem is not None:
        pictures = (*pictures, Picture(error=error_of(problem, paid=False)))
    return Pictures(
        pictures=pictures,
        usage=_first(body, "usage", dict),
        created=_integer(_first(body, "created", (int, float)) or _first(body, "created_at", int)),
        model=_first(body, "model", str),
        request_id=_request_id(reply),
    )


def _raise_unreadable(reply: Reply) -> Problem:
    text = reply.body.text if isinstance(reply.body, NotJson) else ""
    told = first_line(text)
    raise UnreadableAnswerError(
        f"The answer is not JSON; it begins: {told!r}."
        if told
        else "The answer holds neither a picture, nor a task, nor an error.",
        status_code=reply.status,
        request_id=_request_id(reply),
    )


# -- tasks


def _read_task(body: Any, reply: Reply) -> Task | None:
    node = _task_node(body)
    if node is None:
        return None
    word = _status_word(node) or _status_word(body)
    status = read_status(word)
    items = _find_items(node) or _find_items(body) or []
    pictures = tuple(p for item in items for p in _read_item(item, reply.pictures))
    if status != "failed" and not pictures:
        pictures = _single_picture(node, body, done=status == "done", blobs=reply.pictures)
    if word is None and pictures:
        return None
    return Task(
        id=_task_id(node) or _task_id(body) or "",
        status=status,
        platform_status="" if word is None else str(word),
        progress=_progress(node.get("progress", body.get("progress"))),
        model=_first(node, "model", str),
        created=_integer(node.get("created_at") or node.get("created") or node.get("submit_time")),
        pictures=pictures if status == "done" else (),
        usage=_first(body, "usage", dict),
        error=_failure(node, body, reply) if status == "failed" else None,
        request_id=_request_id(reply),
        poll_path=_text(node.get("poll_url")) or reply.headers.get("location"),
    )


def _task_node(body: Any, depth: int = 0) -> dict[str, Any] | None:
    """Return the object that speaks of a task: with a status and an id, here or in a wrapper."""
    body = _unpacked(body)
    if isinstance(body, list):
        nodes = [item for item in body if isinstance(item, dict) and _task_id(item)]
        return nodes[0] if len(nodes) == 1 and not _has_picture(nodes[0]) else None
    if not isinstance(body, dict) or depth > _DEEPEST:
        return None
    if body.get("object") == "image.generation.task" or (
        _status_word(body) is not None and not _is_http_like(body)
    ):
        return body
    if _task_id(body) and not _find_items(body):
        inner = next(
            (_task_node(body.get(key), depth + 1) for key in _WRAPPERS if key in body), None
        )
        return inner or body
    for key in _WRAPPERS:
        if (node := _task_node(body.get(key), depth + 1)) is not None:
            return node
    return None


def _is_http_like(body: dict[str, Any]) -> bool:
    """Tell `{"status": 404}` and `{"status": true}` apart from a task's status."""
    return not isinstance(_status_word(body), str)


def _status_word(node: Any) -> Any:
    if not isinstance(node, dict):
        return None
    return next((node[key] for key in _STATUS_KEYS if node.get(key) is not None), None)


def _task_id(node: Any) -> str | None:
    """Return `task_id`, or `id` if it is a string: a TaskDto's `id` is a row number."""
    if not isinstance(node, dict):
        return None
    task_id = node.get("task_id")
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        task_id = str(task_id)
    return _text(task_id) or _text(node.get("id"))


def _failure(node: dict[str, Any], body: Any, reply: Reply) -> OpeaiError:
    found = find_problem(node) or find_problem(body)
    reason, code, kind = found or (_reason(node) or _reason(body), _text(node.get("code")), None)
    problem = read_problem(400, reply.headers, {"error": {"message": reason, "code": code}})
    error = error_of(problem, paid=False) if problem else None
    if error is not None and type(error).__name__ in {"ModerationError", "QuotaError"}:
        return error
    return TaskFailedError(
        f"The task failed: {(problem.message if problem else '') or 'no reason given'}.",
        code=code,
        type=kind,
        request_id=_request_id(reply),
    )


def _reason(node: Any) -> str:
    if not isinstance(node, dict):
        return ""
    names = ("fail_reason", "failReason", "message", "msg", "reason", "error_message")
    return next((node[name] for name in names if _text(node.get(name))), "")


def _progress(value: Any) -> float | None:
    """Return a percentage from 42, "42%" or "42"; None for anything else."""
    if isinstance(value, str):
        value = value.strip().rstrip("%").strip()
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 100 else None  # noqa: PLR2004  percent


# -- pictures


def _find_items(node: Any, depth: int = 0) -> list[Any] | None:
    """Return the list of picture items, through wrappers; [] when it is there and empty."""
    node = _unpacked(node)
    if isinstance(node, list):
        return list(_flat(node))
    if not isinstance(node, dict) or depth > _DEEPEST:
        return None
    empty: list[Any] | None = None
    for key in (*_LISTS, *_WRAPPERS):
        items = _find_items(node.get(key), depth + 1) if key in node else None
        if items:
            return items
        empty = items if items is not None else empty
    if depth and _has_picture(node):
        return [node]
    return empty


def _flat(items: list[Any]) -> Iterator[Any]:
    """Yield the items of a list; those of DashScope's choices from inside their messages."""
    for item in items:
        message = item.get("message") if isinstance(item, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            yield from _content(content)
        elif isinstance(item, dict) and isinstance(item.get("url"), list):
            yield from item["url"]
        else:
            yield item


def _content(content: list[Any]) -> Iterator[Any]:
    """Yield the images of a message; its text is the prompt as the model rewrote it."""
    parts = [part for part in content if isinstance(part, dict)]
    text = next((part["text"] for part in parts if _text(part.get("text"))), None)
    for part in parts:
        if _has_picture(part):
            yield {**part, "revised_prompt": part.get("revised_prompt") or text}


def _has_picture(node: dict[str, Any]) -> bool:
    return any(node.get(key) for key in _SINGLE_KEYS)


def _single_picture(
    node: dict[str, Any], body: Any, *, done: bool, blobs: Mapping[int, Source]
) -> tuple[Picture, ...]:
    """Return the one picture of a task that names it outside a list (platform.md 5)."""
    places = [node, body, node.get("metadata")]
    for place in places:
        if isinstance(place, dict) and _has_picture(place):
            return _read_item({key: place.get(key) for key in _SINGLE_KEYS}, blobs)
    reason = node.get("fail_reason")  # older builds keep the URL of a success there
    if done and isinstance(reason, str) and reason.startswith("http"):
        return (Picture(url=reason),)
    return ()


def _read_item(item: Any, blobs: Mapping[int, Source]) -> tuple[Picture, ...]:
    if isinstance(item, (str, Blob)):
        item = {"url": item}
    if not isinstance(item, dict):
        return (
            Picture(error=_no_picture("The platform sent an empty item instead of a picture.")),
        )
    revised = next(
        (item[key] for key in ("revised_prompt", "actual_prompt") if _text(item.get(key))), None
    )
    picture = _first_picture(item, blobs)
    if picture is not None:
        return (replace(picture, revised_prompt=revised),)
    return (Picture(revised_prompt=revised, error=_item_error(item)),)


def _first_picture(item: dict[str, Any], blobs: Mapping[int, Source]) -> Picture | None:
    """Prefer bytes to an URL: they do not expire and cost no second request."""
    keys = ("b64_json", "b64", "base64", "image_base64", "image", "url", "image_url", "result_url")
    values = [_inner(item.get(key)) for key in keys]
    url = next((v for v in values if isinstance(v, str) and _is_url(v)), None)
    for key, value in zip(keys, values, strict=True):
        source = _source(value, blobs)
        if source and (
            "b64" in key or "base64" in key or isinstance(source, Path) or sniff_format(source[:16])
        ):
            return Picture(source=source, url=url)
    return Picture(url=url) if url else None


def _inner(value: Any) -> Any:
    return value.get("url") if isinstance(value, dict) else value


def _source(value: Any, blobs: Mapping[int, Source]) -> Source | None:
    if isinstance(value, Blob):
        return None if value.broken else blobs.get(value.number)
    if isinstance(value, str) and value and not _is_url(value):
        return decode_base64(value)
    return None


def _is_url(value: str) -> bool:
    """Tell an URL, whole or from the root, from base64: a JPEG's begins with `/9j/`."""
    if value.startswith("/"):
        return not value.startswith("/9j/")
    return value[:8].lower().startswith(("http://", "https://"))


def _item_error(item: dict[str, Any]) -> OpeaiError:
    found = find_problem(item)
    if found is None and _text(item.get("message")):
        found = (str(item["message"]), _text(item.get("code")), None)
    if found is None:
        broken = any(isinstance(value, Blob) and value.broken for value in item.values())
        return _no_picture(
            "The base64 of this picture is broken."
            if broken
            else "The platform sent an item with neither bytes nor an URL: this picture failed."
        )
    problem = read_problem(400, {}, {"error": {"message": found[0], "code": found[1]}})
    return error_of(problem, paid=False) if problem else _no_picture(found[0])


def _no_picture(message: str) -> NoPictureError:
    return NoPictureError(message, advice="The other pictures of this generation are kept.")


# -- values


def _unpacked(value: Any) -> Any:
    """Return the JSON inside a string that holds JSON; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _first(body: Any, key: str, kind: type | tuple[type, ...], depth: int = 0) -> Any:
    if not isinstance(body, dict) or depth > _DEEPEST:
        return None
    value = body.get(key)
    if isinstance(value, kind) and not isinstance(value, bool) and value:
        return value
    inner = (_first(_unpacked(body.get(name)), key, kind, depth + 1) for name in _WRAPPERS)
    return next((found for found in inner if found is not None), None)


def _integer(value: Any) -> int | None:
    try:
        return int(value) if isinstance(value, (int, float)) and value else None
    except (OverflowError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _request_id(reply: Reply) -> str | None:
    return request_id_of(reply.headers, reply.body)
