"""What an answer says went wrong: from the many envelopes of errors to one `Problem`.

    read_problem   an answer's, HTTP status and headers looked at; a page or a redirect is one, too
    find_problem   an object's own; `problem_in` looks into what may be around it as well
    problem_of     a message's, cleaned

Why something failed is found in `reason`; which of our errors it is, in `classify_error`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.protocol.steps import NotJson, Reply
from opeai_nb.client.wire.error.page_text import first_line, redirected
from opeai_nb.client.wire.error.reason import (
    code_of,
    first_error,
    is_fine,
    named_reason,
    reason_anywhere,
    reason_of,
)
from opeai_nb.client.wire.redact import masked, without_key
from opeai_nb.client.wire.request_id import request_id_of
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opeai_nb.secret import Secret

_REQUEST_ID = re.compile(r"\s*\(request[ _]id:\s*([^)\s]+)\s*\)", re.IGNORECASE)
_TASK_ID = re.compile(r"\b(?:image|task|video)_[0-9A-Za-z]{16,}\b")
MESSAGE_LIMIT: Final = 1000
_CODE_LIMIT: Final = 200
_DEEPEST: Final = 3


@dataclass(frozen=True)
class Problem:
    """What the platform says went wrong: *message* cleaned, ids apart, *status* of HTTP.

    *is_beside_result*: the same answer shows pictures, or a task that goes on.
    """

    message: str
    code: str | None = None
    type: str | None = None
    request_id: str | None = None
    status: int = 200
    is_flat: bool = False
    task_id: str | None = None
    is_beside_result: bool = False

    @property
    def is_in_success(self) -> bool:
        """Whether the answer says so although HTTP calls it a success."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES


def find_problem(body: Any) -> Problem | None:
    """Return what *body* says went wrong in one of the known envelopes, else None.

    The envelopes are those of platform.md 7: `{"error": {…}}`, `{"error": "text"}`, a list of
    `errors`, flat `code` and `message`, `{"success": false}`. The HTTP status is not looked at: an
    error may come with 200.
    """
    if not isinstance(body, dict):
        return None
    error = first_error(body)
    if isinstance(error, dict) and any(error.values()):
        told, code = reason_of(error), error.get("code")
        # An envelope that tells of no error says so in the error's own place (`{"code": 0}`).
        is_none = not told and _word(code) is not None and is_fine(str(code))
        return None if is_none else problem_of(told, code=code, kind=error.get("type"))
    if isinstance(error, str) and error.strip() and not is_fine(error):
        is_code = re.fullmatch(r"[\w.\-]+", error.strip()) or error.strip().lower() in _PHRASES
        told = reason_of({**body, "error": ""}) if is_code else ""
        return problem_of(told or error, code=body.get("code") or error, kind=body.get("type"))
    if any(str(body.get(name)).lower() == "false" for name in ("success", "ok")):
        return problem_of(reason_of(body), code=body.get("code"))
    code = _word(code_of(body))
    if code is None or is_fine(code):
        return None
    # AWS Lambda's envelope has the error in its body.
    if text := reason_of(body) or reason_anywhere(body.get("body")):
        return replace(problem_of(text, code=code, kind=body.get("type")), is_flat=True)
    return None


_PHRASES: Final = frozenset(status.phrase.lower() for status in HTTPStatus)
"""What HTTP calls a status: beside a `message` it says nothing (NestJS, Spring)."""


def problem_of(message: str, *, code: object = None, kind: object = None) -> Problem:
    """Return a problem with its message cleaned: no id in it, no key, not too long."""
    message = _inner_message(message)
    if len(message) > 4 * MESSAGE_LIMIT:
        message = message[: 2 * MESSAGE_LIMIT] + message[-MESSAGE_LIMIT:]
    in_text = _REQUEST_ID.search(message)
    message = _TASK_ID.sub("the task", _REQUEST_ID.sub("", message))
    return Problem(
        message=masked(message).strip()[:MESSAGE_LIMIT],
        code=_word(code),
        type=_word(kind),
        request_id=in_text[1] if in_text else None,
    )


def _inner_message(message: str) -> str:
    """Return the message in a text that is JSON, or that ends in JSON, as relays hand errors on."""
    head, brace, tail = message.partition("{")
    for _ in range(_DEEPEST):
        body = unpacked(brace + tail)
        if not isinstance(body, dict):
            break
        inner = first_error(body)
        text = (
            inner
            if isinstance(inner, str)
            else reason_of(inner if isinstance(inner, dict) and inner else body)
        )
        if not text:
            break
        message = text if len(head.strip()) < _SAYS_MUCH else f"{head.strip().rstrip(':-')}: {text}"
        head, brace, tail = text.partition("{")
    return message


_SAYS_MUCH: Final = 12


def read_problem(reply: Reply) -> Problem | None:
    """Return the problem that an answer tells of; None when it tells of none."""
    headers, body, found = reply.headers, reply.body, problem_in(reply.body)
    if found is None:
        if reply.is_success:
            return None
        target = headers.get("location", "")
        text = "" if reply.is_redirect and target else _loose_text(body)
        found = problem_of(redirected(target) if reply.is_redirect and not text else text)
    nodes = [body] if isinstance(body, dict) else []
    request_id = request_id_in(headers, nodes) or found.request_id
    return replace(found, request_id=request_id, status=reply.status)


def problem_in(body: Any) -> Problem | None:
    """Return what *body* itself says went wrong, in whatever place, whatever HTTP says of it."""
    return next(filter(None, map(find_problem, (body, *_nested(body)))), None)


def problem_without_key(problem: Problem, key: Secret | None) -> Problem:
    """Return *problem* with the key in none of its texts."""
    texts: dict[str, Any] = {
        name: without_key(text, key)
        for name in ("message", "code", "type", "request_id")
        if (text := getattr(problem, name))
    }
    return replace(problem, **texts)


_ENVELOPES: Final = frozenset(
    ["header", "response", "responsemetadata", "baseresp", "baseresponse", "meta", "result"]
)


def _nested(body: Any) -> list[Any]:
    """Return the other places where an error is kept (platform.md 2.5)."""
    if isinstance(body, list):
        return body[:1]
    if not isinstance(body, dict):
        return []
    inner = [(squeezed(name), value) for name, value in body.items() if isinstance(value, dict)]
    heads = [{"error": value} for name, value in inner if name == "header"]
    return heads + [value for name, value in inner if name in _ENVELOPES]


def request_id_in(headers: Mapping[str, str], nodes: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the id that the platform's support asks for, from the headers or the body."""
    names = ("request_id", "requestId", "trace_id", "traceId", "log_id")
    return request_id_of(headers) or next(
        (_word(node[name]) for node in nodes for name in names if node.get(name)), None
    )


def reason_in(nodes: Iterable[Mapping[str, Any]]) -> str:
    """Return why a task failed, under the first of the names that say so."""
    told = list(nodes)
    return next(filter(None, chain(map(reason_of, told), map(named_reason, told))), "")


def _loose_text(body: Any) -> str:
    if isinstance(body, NotJson):
        return first_line(body.text)
    return body if isinstance(body, str) else reason_anywhere(body)


def _word(value: object) -> str | None:
    """Return a code or an id, which may be a number; None for what is none."""
    known = isinstance(value, (str, int, float)) and value != ""
    return masked(str(value)[:_CODE_LIMIT]) if known else None
