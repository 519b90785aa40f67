"""Where an answer says why: codes, words of success, and the first text under a telling name."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

_FINE_CODES: Final = frozenset({"", "0", "none", "null", "true"})
_FINE_NUMBER = re.compile(r"0+|0*2\d\d|1?0000|0*1000|20000")
_FINE_WORDS = re.compile(
    r"\b(?:success\w*|succeed\w*|ok|okay|accepted|created|submitted|queued|completed?|done|finished"
    r"|normal|processing|pending|in queue|in progress)\b"
    r"|成功|完成|已提交|已受理|排队中|处理中|生成中",
    re.IGNORECASE,
)
_FAILING_WORDS = re.compile(
    r"\b(?:fail\w*|err\w*|invalid|not|no|denied|refus\w*|exceed\w*|limit\w*|unauthor\w*|forbid\w*"
    r"|insufficient|unsuccess\w*|reject\w*|cannot|missing|expired|block\w*|full|busy|too"
    r"|crash\w*|cancel\w*|abort\w*|timeout|timed|overload\w*|duplicate|lost|killed|unable|wrong)\b"
    r"|失败|错误|不|无|过多|已满|超",
    re.IGNORECASE,
)
_DEEPEST: Final = 3
_LANGUAGES: Final = 6
# Codes, and names of a reason, as `squeezed` spells them: the likeliest first.
_CODES: Final = (
    *("code", "errorcode", "errcode", "errno", "ret", "retcode", "resultcode", "returncode"),
    *("statuscode", "joberrorcode", "failcode"),
)
_NAMES: Final = (
    *("taskstatusmsg", "taskstatusmessage", "failreason", "failurereason", "failedreason"),
    *("failmsg", "failmessage", "message", "msg", "faultstring", "detail", "details", "errormsg"),
    *("errormessage", "errmsg", "errmessage", "err", "reason", "description", "statusmsg"),
    *("joberrormsg", "generatemsg"),
    *("statusmessage", "errordescription", "error", "errors", "resultmsg", "retmsg"),
    *("returnmsg", "failure", "cause", "errorinfo", "info", "comment", "title"),
    *("refusal", "blockreasonmessage", "blockreason", "raifilteredreason"),
    *("filterreason", "rejectreason", "rejectionreason"),
)
_ENDS: Final = ("finishreason", "stopreason", "incompletereason")
# Of these most words say that all went well (`stop`, `length`, `SUCCESS`).
_REFUSING_END = re.compile(r"filter|safety|prohibit|block|moderat|refus|no_?image|recitat", re.I)
_MOST_NODES: Final = 200


def is_fine(text: str) -> bool:
    """Tell whether a code or a message is a word of success, in whatever form."""
    plain = text.strip().lower()
    if plain in _FINE_CODES or _FINE_NUMBER.fullmatch(plain):
        return True
    words = plain.replace("_", " ").replace("-", " ")
    return bool(_FINE_WORDS.search(words)) and not _FAILING_WORDS.search(words)


def code_of(body: Mapping[str, Any]) -> Any:
    """Return the first code of an answer; None for none."""
    codes = {squeezed(name): value for name, value in body.items() if _is_code(value)}
    found = next((codes[name] for name in _CODES if name in codes), None)
    status = body.get("status")  # of HTTP, where it is a number of its errors
    return status if found is None and type(status) is int and 400 <= status < 600 else found  # noqa: PLR2004


def _is_code(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and value != ""


def first_error(body: Mapping[str, Any]) -> Any:
    """Return what stands under `error`, or first in `errors`; JSON in a string is unpacked."""
    error = unpacked(body.get("error") or body.get("Error"))
    details = body.get("incomplete_details")
    if not error and isinstance(details, dict):  # OpenAI: why nothing more will come
        error = {"code": details.get("reason"), **details}
    errors = body.get("errors")
    if not error and isinstance(errors, list) and errors:
        error = errors[0]
    elif not error and isinstance(errors, (dict, str)):
        error = errors if isinstance(errors, str) else reason_of(errors) or _of_fields(errors)
    inner = error.get("error") if isinstance(error, dict) else None
    return inner if isinstance(inner, dict) and any(inner.values()) else error


def reason_of(body: Mapping[str, Any], depth: int = 0) -> str:
    """Return the first text under the names that platform.md 2.5 and 5 list, in any spelling."""
    named = {squeezed(name): body[name] for name in reversed(list(body))}
    for name in _NAMES:
        if name in named and (text := _text_in(named[name], depth)):
            return text
    return ""


def named_reason(body: Mapping[str, Any]) -> str:
    """Return the first text under a name that ends as a reason's does: `cancel_reason`.

    Of what surely failed alone: elsewhere such a text says anything.
    """
    named = ((squeezed(name), value) for name, value in body.items())
    texts = (
        _text_in(value, 0)
        for name, value in named
        if _REASON_NAME.fullmatch(name) and name not in _ENDS
    )
    return next(filter(None, texts), "")


_REASON_NAME = re.compile(
    r"(?!.*(?:input|request|prompt|param)).*"
    r"(?:reason|message|msg|details?|explanation|fault|exception|error)"
)


def reason_anywhere(body: Any) -> str:
    """Return the first reason in *body*, from outside in, in whatever envelope; "" for none."""
    queue = deque([body])
    for _ in range(_MOST_NODES):
        if not queue:
            break
        value = unpacked(queue.popleft())
        if isinstance(value, dict):
            if text := reason_of(value) or refusing_end(value):
                return text
            queue.extend(value.values())
        elif isinstance(value, list):
            queue.extend(value[:_MOST_NODES])
    return ""


def refusing_end(node: Mapping[str, Any]) -> str:
    """Return the word for why a model stopped, where it says that it refused (`IMAGE_SAFETY`)."""
    named = {squeezed(name): value for name, value in node.items() if isinstance(value, str)}
    words = (named.get(name, "") for name in _ENDS)
    return next((word for word in words if _REFUSING_END.search(word)), "")


def _text_in(value: Any, depth: int) -> str:
    """Return the reason in what stands under a telling name."""
    if isinstance(value, str):
        return "" if is_fine(value) else value.strip()
    if isinstance(value, dict) and depth < _DEEPEST:
        return reason_of(value, depth + 1) or _in_a_language(value) or _of_fields(value)
    if isinstance(value, list):  # FastAPI's `detail`: one entry for each field
        texts = (_text_in(item, depth + 1) for item in value if depth < _DEEPEST)
        return "; ".join(filter(None, texts))
    return ""


def _in_a_language(texts: Mapping[str, Any]) -> str:
    """Return the text of `{"en": …, "zh": …}`."""
    if not 0 < len(texts) <= _LANGUAGES or not all(isinstance(v, str) for v in texts.values()):
        return ""
    return str(texts.get("en") or next(iter(texts.values()))).strip()


def _of_fields(errors: Mapping[str, Any]) -> str:
    """Return the text of `{"size": ["too small"]}`: what is wrong with each field."""
    texts = {
        name: value if isinstance(value, str) else ", ".join(map(str, value))
        for name, value in errors.items()
        if isinstance(value, (str, list))
    }
    return "; ".join(f"{name}: {text}" for name, text in texts.items() if text)
