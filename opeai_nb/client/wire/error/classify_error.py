"""Which error of our tree a problem is, and what helps.

The code decides before the message, and both before the status: a gateway sends 503 for an unknown
model, and 500 for a bad request (platform.md 2.4, 2.5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from opeai_nb.client.wire.error.messages import LACKS_USER, PROXY_USER
from opeai_nb.client.wire.error.read_error import MESSAGE_LIMIT
from opeai_nb.client.wire.spelling import squeezed
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
    from collections.abc import Mapping

    from opeai_nb.client.wire.error.read_error import Problem

# Codes by what they mean, as `squeezed` spells them (platform.md 2.5, 3.6, 4.1, 4.2). A part is
# enough.
_MODERATION: Final = (
    *("moderationblocked", "contentpolicy", "sensitive", "promptblocked", "datainspection"),
    *("contentfilter", "riskcontrol", "unsafe"),
)
_QUOTA: Final = (
    *("insufficientuserquota", "insufficientquota", "arrearage", "allocationquota", "billing"),
    *("preconsumetokenquotafailed", "quotaexceeded", "insufficientbalance"),
)
_NO_MODEL: Final = ("modelnotfound", "modelnotexist", "invalidmodel")
_NO_TASK: Final = ("tasknotexist", "resourcenotfound", "tasknotfound")
_NO_KEY: Final = ("invalidapikey", "noapikey", "unauthorized")
_TOO_MANY: Final = ("throttling", "ratelimit", "toomanyrequests")
_WRONG: Final = (
    *("invalidimagerequest", "invalidparameter", "invalidrequest", "invalidurl", "badrequest"),
    *("unsupportedoperation", "readrequestbodyfailed"),
)
_QUOTA_WORDS: Final = re.compile(
    r"额度已用尽|额度不足|余额不足|欠费|balance(?: is)? (?:not enough|insufficient)"
    r"|(?:insufficient|not enough|out of|used up all) (?:account |your )?"
    r"(?:quota|balance|credits?|funds)\b"
)
# A service for moderation that fails has refused nothing.
_MODERATION_WORDS: Final = re.compile(
    r"safety system|content (?:polic|filter|checker)|\bnsfw\b|\bflagged\b|prohibited[ _]content"
    r"|\bmoderat(?:ed|ion)\b(?! (?:service|server|api|model|request|is|was|timed|time))"
    r"|sensitive (?:content|information)|new_sensitive|敏感|违规|违法|审核[不未]通过"
)
_ADVICE_413: Final = "The request is too large: send smaller input pictures."


def error_of(problem: Problem, *, paid: bool, task_id: str | None = None) -> OpeaiError:
    """Return the error for a problem.

    A 5xx on a *paid* request that names no other cause leaves the outcome unknown.
    """
    kind = _by_code(problem) or _by_status(_status_meant(problem), paid=paid)
    if paid and (_is_sent_twice(problem) or (kind in _VAGUE and _gave_up(problem))):
        kind = OutcomeUnknownError
    if kind is NotFoundError and task_id is not None:
        kind = TaskExpiredError
    told = problem.message or _NO_REASON.get(problem.status, "the platform gave no reason")
    advice = _advice(kind, problem, paid=paid)
    task_id = task_id or problem.task_id
    return kind(
        _OPENING.get(kind, "The platform refused: {}").format(told.rstrip("."))[:MESSAGE_LIMIT]
        + ".",
        advice=advice,
        status_code=problem.status,
        code=problem.code,
        type=problem.type,
        request_id=problem.request_id,
        task_id=task_id,
    )


_NO_REASON: Final = {407: LACKS_USER}


def _advice(kind: type[OpeaiError], problem: Problem, *, paid: bool) -> str | None:
    """Return advice for what the class alone does not know; None for the advice of the class."""
    message = problem.message.lower()
    if problem.status == 413:  # noqa: PLR2004  payload too large
        return _ADVICE_413
    if kind is UnreachableError:
        return f"{'Nothing was sent, so nothing was paid. ' if paid else ''}{PROXY_USER}"
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
    code, kind = (squeezed(text or "") for text in (problem.code, problem.type))
    for words, error in _BY_CODE:
        if any(word in code or word in kind for word in words):
            return error
    message = problem.message.lower()
    for pattern, error in _BY_MESSAGE:
        if pattern.search(message):
            return error
    if _UNKNOWN_MODEL.search(message) and problem.status in {200, 400, 404, 422, 503}:
        return ModelNotFoundError
    # Last, and never by the type: `invalid_request_error` goes with a wrong key and path as well.
    wrong = problem.status not in _TELLING and any(word in code for word in _WRONG)
    return BadRequestError if wrong else None


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


def _is_sent_twice(problem: Problem) -> bool:
    """Tell a conflict over the Idempotency-Key: a proxy sent it twice, and one is under way."""
    told = f"{problem.code} {problem.type} {problem.message}".lower()
    return problem.status == 409 and "idempoten" in told  # noqa: PLR2004  HTTP: a conflict


def _gave_up(problem: Problem) -> bool:
    """Tell what a 5xx tells, whatever the status: a server failed, or a gateway lost who paints.

    One that could not fetch an input has refused the request.
    """
    told = problem.message.lower()
    is_code = _LOST_CODE.search(squeezed(problem.code or "")) is not None
    return (is_code or _LOST.search(told) is not None) and not _OF_AN_INPUT.match(told)


_VAGUE: Final = frozenset({AnswerError, BadRequestError})
_LOST_CODE: Final = re.compile(r"timeout\Z|internal(?:server|service)?error")
_LOST: Final = re.compile(
    r"\binternal (?:server )?error\b|\bbad gateway\b|内部错误|服务器错误|系统异常|系统错误"
    r"|\btimed[ -]out\b|deadline exceeded|超时|socket hang up|econnreset|etimedout|unexpected eof"
    r"|\b(?:request|upstream|gateway|connection|read|response|server|backend|worker) time[ -]?out\b"
    r"|(?:connection|stream) (?:was )?(?:reset|aborted|closed|broken)|broken pipe"
    r"|: eof\Z|\bi/o timeout|client\.timeout|\b(?:bad|empty|no) response\b|response body is empty"
)
_OF_AN_INPUT: Final = re.compile(
    r"(?!.*(?:generat|result|output|response|upstream)).*(?:download|fetch|\burl|图片链接|下载)",
    re.S,
)


def _status_meant(problem: Problem) -> int:
    """Return the status: of HTTP, or what an envelope under a success says in its place."""
    code = problem.code or ""
    is_inside = problem.is_in_success and _STATUS.fullmatch(code) is not None
    return int(code) if is_inside else problem.status


_STATUS: Final = re.compile(r"[45]\d\d")


def _by_status(status: int, *, paid: bool) -> type[OpeaiError]:
    if (kind := _BY_STATUS.get(status)) is not None:
        return kind
    if status >= 500 or status in {408, 424, 460, 499}:  # noqa: PLR2004  the platform, or a proxy, gave up
        return OutcomeUnknownError if paid else ServerError
    if 300 <= status < 400:  # noqa: PLR2004  a redirect: an API does not
        return UnreadableAnswerError
    return AnswerError
