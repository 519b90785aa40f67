"""What an error of the platform means: from its many envelopes to one class of our tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from opeai_nb.client.protocol.steps import NotJson, Reply
from opeai_nb.client.wire.error.reason import (
    code_of,
    first_error,
    is_fine,
    reason_anywhere,
    reason_of,
)
from opeai_nb.client.wire.links import refresh_in
from opeai_nb.client.wire.redact import masked, without_key
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import unpacked
from opeai_nb.errors import (
    AnswerError,
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    ModerationError,
    NotFoundError,
    OpeaiError,
    OutcomeUnknownError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    TaskExpiredError,
    UnreachableError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opeai_nb.secret import Secret

_REQUEST_ID = re.compile(r"\s*\(request[ _]id:\s*([^)\s]+)\s*\)", re.IGNORECASE)
_TASK_ID = re.compile(r"\b(?:image|task|video)_[0-9A-Za-z]{16,}\b")
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>?", re.DOTALL | re.IGNORECASE)
_XML_MESSAGE = re.compile(r"<message>\s*([^<>\s][^<>]{0,199})", re.IGNORECASE)
_ID_HEADERS: Final = (
    *("x-oneapi-request-id", "x-request-id", "x-dashscope-request-id", "x-litellm-call-id"),
    *("request-id", "x-ms-request-id", "x-amzn-requestid", "x-amz-request-id", "x-tt-logid"),
    *("x-portkey-trace-id", "x-trace-id", "x-correlation-id", "apim-request-id", "cf-ray"),
)
_MESSAGE_LIMIT: Final = 1000
_CODE_LIMIT: Final = 200
_DEEPEST: Final = 3

# Codes by what they mean, in lower case (platform.md 2.5, 3.6, 4.1, 4.2). A part is enough.
_MODERATION: Final = (
    *("moderation_blocked", "content_policy", "sensitive", "prompt_blocked", "datainspection"),
    *("content_filter", "risk_control", "unsafe"),
)
_QUOTA: Final = (
    *("insufficient_user_quota", "insufficient_quota", "arrearage", "allocationquota", "billing_"),
    *("pre_consume_token_quota_failed", "quota_exceeded", "insufficient_balance"),
)
_NO_MODEL: Final = ("model_not_found", "modelnotfound", "model_not_exist", "invalid_model")
_NO_TASK: Final = ("task_not_exist", "resourcenotfound", "task_not_found", "tasknotfound")
_NO_KEY: Final = ("invalidapikey", "invalid_api_key", "no_api_key", "unauthorized")
_TOO_MANY: Final = ("throttling", "rate_limit", "ratelimit", "too_many_requests")
_WRONG: Final = (
    *("invalid_image_request", "invalidparameter", "invalid_request", "invalidurl", "bad_request"),
    *("badrequest", "unsupportedoperation", "invalid_parameter", "read_request_body_failed"),
)
_QUOTA_WORDS: Final = (
    *("额度已用尽", "额度不足", "余额不足", "insufficient quota", "欠费", "insufficient balance"),
    *("balance not enough", "balance is not enough", "balance is insufficient"),
)
_MODERATION_WORDS: Final = ("safety system", "content policy", "sensitive content", "敏感")
_ADVICE_413: Final = "The request is too large: send smaller input pictures."


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
    if code is not None and not is_fine(code) and (text := reason_of(body)):
        return replace(problem_of(text, code=code, kind=body.get("type")), is_flat=True)
    return None


_PHRASES: Final = frozenset(status.phrase.lower() for status in HTTPStatus)
"""What HTTP calls a status: beside a `message` it says nothing (NestJS, Spring)."""


def problem_of(message: str, *, code: object = None, kind: object = None) -> Problem:
    """Return a problem with its message cleaned: no id in it, no key, not too long."""
    message = _inner_message(message)
    if len(message) > 4 * _MESSAGE_LIMIT:
        message = message[: 2 * _MESSAGE_LIMIT] + message[-_MESSAGE_LIMIT:]
    in_text = _REQUEST_ID.search(message)
    message = _TASK_ID.sub("the task", _REQUEST_ID.sub("", message))
    return Problem(
        message=masked(message).strip()[:_MESSAGE_LIMIT],
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
    request_id = request_id_of(headers, nodes) or found.request_id
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


def request_id_of(headers: Mapping[str, str], nodes: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the id that the platform's support asks for, from the headers or the body."""
    named = next((headers[name] for name in _ID_HEADERS if headers.get(name)), None)
    names = ("request_id", "requestId", "trace_id", "traceId", "log_id")
    return named or next(
        (_word(node[name]) for node in nodes for name in names if node.get(name)), None
    )


def reason_in(nodes: Iterable[Mapping[str, Any]]) -> str:
    """Return why a task failed, under the first of the names that say so."""
    return next(filter(None, map(reason_of, nodes)), "")


def error_of(problem: Problem, *, paid: bool, task_id: str | None = None) -> OpeaiError:
    """Return the error for a problem.

    The code decides before the status: a gateway sends 503 for an unknown model and 500 for a bad
    request (platform.md 2.4, 2.5). A 5xx on a *paid* request that names no such cause leaves the
    outcome unknown.
    """
    kind = _by_code(problem) or _by_status(_status_meant(problem), paid=paid)
    if kind is NotFoundError and task_id is not None:
        kind = TaskExpiredError
    told = problem.message or _NO_REASON.get(problem.status, "the platform gave no reason")
    advice = _advice(kind, problem, paid=paid)
    task_id = task_id or problem.task_id
    return kind(
        _OPENING.get(kind, "The platform refused: {}").format(told.rstrip("."))[:_MESSAGE_LIMIT]
        + ".",
        advice=advice,
        status_code=problem.status,
        code=problem.code,
        type=problem.type,
        request_id=problem.request_id,
        task_id=task_id,
    )


_NO_REASON: Final = {407: "it wants a user and a password"}


def _advice(kind: type[OpeaiError], problem: Problem, *, paid: bool) -> str | None:
    """Return advice for what the class alone does not know; None for the advice of the class."""
    message = problem.message.lower()
    if problem.status == 413:  # noqa: PLR2004  payload too large
        return _ADVICE_413
    if kind is UnreachableError:
        return f"{'Nothing was sent, so nothing was paid. ' if paid else ''}{_ADVICE_407}"
    if any(word in message for word in _CHALLENGE):
        return _ADVICE_CHALLENGE
    if kind is AuthenticationError and any(word in message for word in _UPSTREAM):
        return _ADVICE_UPSTREAM
    if kind is AnswerError and paid and problem.is_in_success:
        return _ADVICE_REFUSED
    return None


_CHALLENGE: Final = (
    *("just a moment", "attention required", "checking your browser", "enable javascript"),
    *("verify you are human", "access denied | ", "ddos protection"),
)
_UPSTREAM: Final = ("litellm", "upstream", "provider", "openaiexception", "channel", "渠道", "上游")
_ADVICE_CHALLENGE: Final = (
    "A protection page of the network before the platform answered, not the platform: try from "
    "another network, or ask its owner to let API clients through."
)
_ADVICE_UPSTREAM: Final = (
    "It is the key that the gateway uses for its own upstream that is refused: tell whoever runs "
    "the gateway."
)
_ADVICE_REFUSED: Final = (
    "Change what the message names; what came stands in error.answer, and the request id helps "
    "the platform's support."
)
_ADVICE_407: Final = (
    "Put them into the variable that names the proxy, as http://user:password@host:port, with "
    "%40 for an @ in them."
)
_OPENING: Final[Mapping[type[OpeaiError], str]] = {
    UnreachableError: "The proxy refused: {}",
    AuthenticationError: "The platform does not accept the key: {}",
    QuotaError: "The credit is used up: {}",
    RateLimitError: "Too many requests: {}",
    ModerationError: "The platform refused the content: {}",
    ServerError: "The platform failed: {}",
    OutcomeUnknownError: "The platform failed while it had the request: {}",
    UnreadableAnswerError: "The answer is not one of an image API: {}",
}


def _by_code(problem: Problem) -> type[OpeaiError] | None:
    code, kind = (_plain(text) for text in (problem.code, problem.type))
    for words, error in _BY_CODE:
        if any(word in code or word in kind for word in words):
            return error
    message = problem.message.lower()
    for words, error in _BY_MESSAGE:
        if any(word in message for word in words):
            return error
    if _UNKNOWN_MODEL.search(message) and problem.status in {200, 400, 404, 422, 503}:
        return ModelNotFoundError
    # Last, and never by the type: `invalid_request_error` goes with a wrong key and path as well.
    wrong = problem.status not in _TELLING and any(word in code for word in _WRONG)
    return BadRequestError if wrong else None


def _plain(text: str | None) -> str:
    return (text or "").lower().replace(".", "")


_BY_CODE: Final[tuple[tuple[tuple[str, ...], type[OpeaiError]], ...]] = (
    (_MODERATION, ModerationError),
    (_QUOTA, QuotaError),
    (_NO_MODEL, ModelNotFoundError),
    (_NO_TASK, TaskExpiredError),
    (_NO_KEY, AuthenticationError),
    (_TOO_MANY, RateLimitError),
)
_BY_MESSAGE: Final = (
    (_QUOTA_WORDS, QuotaError),
    (_MODERATION_WORDS, ModerationError),
)


_UNKNOWN_MODEL: Final = re.compile(
    r"\bmodel\b.{0,120}?\b(?:not found|does not exist|not exist|is not available|unknown|"
    r"no longer available)|(?:unknown|invalid|no such|unsupported) model\b|模型.{0,40}不存在"
)
_TELLING: Final = frozenset({401, 402, 403, 404, 429})
_BY_STATUS: Final[Mapping[int, type[OpeaiError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: NotFoundError,
    407: UnreachableError,
    413: BadRequestError,
    415: BadRequestError,
    422: BadRequestError,
    429: RateLimitError,
}


def _status_meant(problem: Problem) -> int:
    """Return the status: of HTTP, or what an envelope under a success says in its place."""
    code = problem.code or ""
    is_inside = problem.is_in_success and _STATUS.fullmatch(code) is not None
    return int(code) if is_inside else problem.status


_STATUS: Final = re.compile(r"[45]\d\d")


def _by_status(status: int, *, paid: bool) -> type[OpeaiError]:
    if (kind := _BY_STATUS.get(status)) is not None:
        return kind
    if status >= 500 or status in {408, 499}:  # noqa: PLR2004  the platform, or a proxy, gave up
        return OutcomeUnknownError if paid else ServerError
    if 300 <= status < 400:  # noqa: PLR2004  a redirect: an API does not
        return UnreadableAnswerError
    return AnswerError


def redirected(target: str) -> str:
    """Return where an API call was redirected to: a wrong base URL, or a login page."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return _NOWHERE
    host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.hostname else ""
    return f"it redirects to {host}{parts.path}" if host or parts.path else _NOWHERE


_NOWHERE: Final = "it redirects, and does not say where to"


def _loose_text(body: Any) -> str:
    if isinstance(body, NotJson):
        return first_line(body.text)
    return body if isinstance(body, str) else reason_anywhere(body)


def first_line(text: str) -> str:
    """Return the first line with words in it of a page or a text, without its tags.

    Of an error in XML its `Message`: its `Code` stands before it.
    """
    if found := _XML_MESSAGE.search(text):
        return found[1].strip()
    plain = _TAGS.sub("\n", text)
    return next((line.strip()[:200] for line in plain.splitlines() if line.strip()), "")


def words_of_page(page: str) -> str:
    """Return what a page says: its first line, else where it sends who opens it, else nothing."""
    words, target = first_line(page), refresh_in(page)
    return words or (redirected(target) if target else "")


NO_WORDS: Final = "it has no words"


def is_readable(words: str) -> bool:
    """Tell words from bytes that are no text."""
    return words.isprintable() and "\ufffd" not in words


def _word(value: object) -> str | None:
    """Return a code or an id, which may be a number; None for what is none."""
    known = isinstance(value, (str, int, float)) and value != ""
    return masked(str(value)[:_CODE_LIMIT]) if known else None
