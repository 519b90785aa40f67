"""What is said of an item of an answer that holds no picture."""

from __future__ import annotations

from typing import Any, Final

from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.messages import NO_BYTES, UNFINISHED
from opeai_nb.client.wire.error.read_error import find_problem, problem_of
from opeai_nb.client.wire.error.reason import is_fine, reason_anywhere
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import says_running
from opeai_nb.errors import NoPictureError, OpeaiError

_UNREAD: Final = (
    "The platform sent an item with neither bytes nor a URL that can be read: this picture is "
    "missing."
)
# What an item says of its picture: with nothing else, it was left empty.
_ATTRIBUTES: Final = frozenset(
    [
        *("revisedprompt", "actualprompt", "index", "idx", "id", "seed", "size", "width", "height"),
        *("object", "type", "created", "createdat", "model", "finishreason", "contenttype"),
        *("mimetype", "format", "outputformat", "quality", "background", "status"),
    ]
)


def item_error(item: dict[str, Any]) -> OpeaiError:
    """Return why an object is no picture: it is to come, it was refused, or it is empty."""
    if says_running(item):
        # An `id` alone may be the picture's.
        return to_come(item["task_id"] if type(item.get("task_id")) is str else None)
    found = find_problem(item)
    if found is None and isinstance(text := item.get("message"), str) and not is_fine(text):
        found = problem_of(text)
    if found is not None:
        return error_of(found, paid=True)  # a 5xx of it does not say what was paid
    if any(isinstance(value, Blob) and value.broken for value in item.values()):
        return failed("The base64 of this picture is broken.")
    is_empty = not any(value for key, value in item.items() if squeezed(key) not in _ATTRIBUTES)
    says = problem_of(reason_anywhere(item)).message
    told = NO_BYTES if is_empty else _UNREAD
    return failed(f"{told} It says: {says!r}." if says else told)


def to_come(task_id: str | None) -> NoPictureError:
    """Return the error of a picture that is still to come from a task."""
    error = failed(UNFINISHED)
    error.task_id = task_id
    return error


def failed(message: str) -> NoPictureError:
    """Return the error of an item without a picture."""
    return NoPictureError(message, advice="The other pictures of this generation are kept.")
