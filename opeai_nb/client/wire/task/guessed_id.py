"""The id of a task in an answer of a form that nobody described."""

from __future__ import annotations

import re
from typing import Any, Final

from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import Places, is_never


def guessed_task(places: Places) -> Task | None:
    """Return the task of an answer in which an id stands and nothing else that says anything."""
    nodes = list(places.nodes)
    for node in nodes:  # and what they alone hold, in an envelope of whatever name
        inner = [v for name, v in node.items() if type(v) is dict and not is_never(name, v)]
        nodes += inner if len(inner) == 1 and inner[0] not in nodes else []
    is_all = len(nodes) == 1 == len(nodes[0])
    task_id = guessed_id(Places(nodes)) or (only_id(places) if is_all else "")
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
ID_TEXT = re.compile(r"(?=\S*\d)[\w.:~-]{2,128}")


def guessed_id(places: Places) -> str:
    """Return what alone looks like an id under a name that may be a task's; empty for none."""
    found: set[str] = set()
    for node in places.nodes:
        for name, value in node.items():
            plain, text = squeezed(name), id_text(value)
            if _ID_NAME.fullmatch(plain) and not _NO_TASKS_ID.search(plain) and text:
                found.add(text)
    return found.pop() if len(found) == 1 else ""


def only_id(places: Places) -> str:
    """Return the id of the request, or the like, of a task that waits and names no other (fal)."""
    named = {squeezed(name): text for node in places.nodes for name, text in node.items()}
    return next(filter(None, (id_text(named.get(name)) for name in _ID_OF_LAST_RESORT)), "")


_ID_OF_LAST_RESORT: Final = (
    # Not `key` or `token`: what a server repeats there may be a secret.
    *("requestid", "reqid", "operation", "jobs", "hash", "ref", "messageid"),
)


def id_text(value: Any) -> str:
    """Return what may be an id, as text: a number, or a word with a figure in it."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    text = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
    return text if ID_TEXT.fullmatch(text) else ""
