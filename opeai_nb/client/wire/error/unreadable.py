"""What is said of an answer that nobody can read, or that tells of what may be paid for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.protocol.steps import NotJson, Reply
from opeai_nb.client.wire.error.messages import KEPT
from opeai_nb.client.wire.error.page_text import (
    NO_WORDS,
    first_line,
    is_readable,
    words_of_page,
)
from opeai_nb.client.wire.error.read_error import problem_of
from opeai_nb.client.wire.error.reason import reason_anywhere
from opeai_nb.client.wire.links import is_xml
from opeai_nb.client.wire.request_id import request_id_of
from opeai_nb.errors import UnreadableAnswerError

if TYPE_CHECKING:
    from opeai_nb.client.wire.error.read_error import Problem

_STREAM: Final = re.compile(r"(?:event|data|id|retry)\s*:")
_BRACKETS: Final = frozenset("{[")


def unread(problem: Problem, message: str) -> UnreadableAnswerError:
    """Return the error for an answer that tells of a problem, and of what may be paid for."""
    return UnreadableAnswerError(
        message,
        advice=KEPT,
        status_code=problem.status,
        code=problem.code,
        type=problem.type,
        request_id=problem.request_id,
        task_id=problem.task_id,
    )


def unreadable(reply: Reply) -> UnreadableAnswerError:
    """Return the error for an answer in which there is neither a picture, a task nor an error."""
    is_json = not isinstance(reply.body, NotJson)
    text = "" if is_json else reply.body.text.lstrip()
    is_stream = _STREAM.match(first_line(text)) is not None
    return UnreadableAnswerError(
        _of_json(reply.body)
        if is_json
        else "The answer is a stream of events that ends before any picture is whole."
        if is_stream
        else _of_text(text),
        # JSON is what an image API speaks: with that, the base URL is not to blame.
        advice=KEPT if is_json or is_stream or text[:1] in _BRACKETS else None,
        status_code=reply.status,
        request_id=request_id_of(reply.headers),
    )


def _of_json(body: Any) -> str:
    says = problem_of(reason_anywhere(body)).message
    if says:
        return f"The answer holds neither a picture nor a task; it says: {says!r}."
    return "The answer holds neither a picture, nor a task, nor an error."


def _of_text(text: str) -> str:
    if not text.strip():
        return "The answer is empty."
    words = first_line(text)
    if not is_readable(words):
        return "The answer is no text, and no picture of a known format."
    if text[:1] in _BRACKETS:
        return f"The answer is JSON that is broken; it begins: {words!r}."
    if words and is_xml(text):
        return f"The answer is XML, not JSON; it says: {words!r}."
    if words:
        return f"The answer is not JSON; it begins: {words!r}."
    return f"The answer is a page: {words_of_page(text) or NO_WORDS}."
