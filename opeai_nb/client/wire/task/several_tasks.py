"""Several tasks in one answer: those of one request, or the one that was asked about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.task import Task, goes_on, joined, read_status
from opeai_nb.client.wire.read_pictures import count_listed
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.task.guessed_id import GUESSED_ID, bare_task, id_text
from opeai_nb.client.wire.task.task_fields import id_of, status_word
from opeai_nb.client.wire.task.task_link import task_link_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.wire.unwrapped_answer import UnwrappedAnswer


def row_of(answer: UnwrappedAnswer, task_id: str) -> dict[str, Any] | None:
    """Return the row of the task that was asked about, in a list of several tasks; None elsewhere.

    A row has an id and a status, or stands under the id; pictures that name the task that made them
    are none. Where it lists more rows than pictures were asked for, and none of another task, they
    are its history.
    """
    by_id = (node.get(task_id) for node in answer.places.nodes)
    if (own := next((row for row in by_id if isinstance(row, dict)), None)) is not None:
        return own
    for _, items in answer.places.lists:
        rows = [each for each in items if isinstance(each, dict) and status_word(each)]
        ids = [id_of(row) for row in rows]
        if len(rows) == len(items) and ids.count(task_id) == 1 and len(set(ids)) > 1:
            return rows[ids.index(task_id)]
        if len(rows) == len(items) > answer.wanted and {None, task_id}.issuperset(ids):
            ends = [row for row in rows if read_status(status_word(row)) in {"done", "failed"}]
            if len(ends) <= 1:
                return (ends or rows)[-1]
    return None


def several_in(answer: UnwrappedAnswer) -> Task | None:
    """Return the tasks of an answer that names several for one request, as one; None elsewhere.

    Beside a task's own id others are its steps; and pictures that are here name their tasks, too.
    """
    if count_listed(answer):
        return None
    places = answer.places
    rows = next((items for _, items in places.lists if _are_tasks(items)), [])
    links = {task_id: task_link_in(row) for row in rows if (task_id := id_of(row))}
    for node in places.nodes:
        for name, value in node.items():
            if isinstance(value, list) and _IDS_OF_TASKS.fullmatch(squeezed(name)):
                links.update(dict.fromkeys(filter(None, map(id_text, value))))
    bare = [task for _, items in places.lists for task in map(bare_task, items) if task is not None]
    links.update({task.id: None for task in bare})
    own = next((id_of(node) for node in places.nodes if _is_own_task(node)), None)
    if not links or len(rows or links) <= 1 or own not in {None, *links}:
        return None
    request_id = answer.request_id
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
    return next((word for word in map(status_word, rows) if word and goes_on(word)), "")


def _is_own_task(node: Mapping[str, Any]) -> bool:
    """Tell an object that speaks of one task; an `id` alone may be the request's."""
    is_live = goes_on(status_word(node)) and id_of(node) is not None
    return isinstance(node.get("task_id"), str) or is_live


def _are_tasks(items: list[Any]) -> bool:
    """Tell a list of tasks from one of pictures, of which each may say how it stands."""
    rows = [item for item in items if isinstance(item, dict)]
    words = [status_word(row) for row in rows]
    is_named = all("task_id" in row for row in rows)
    is_live = all(words) and any(map(goes_on, words))
    return len(items) == len(rows) > 1 and (is_named or is_live)


_IDS_OF_TASKS: Final = re.compile(
    r"(?:task|job|generation|prediction)(?:ids?|s)|(?:ticket|handle|uu|)ids|tickets|handles"
)
