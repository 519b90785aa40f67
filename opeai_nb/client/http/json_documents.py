"""The JSON values of a text: one, as promised, what servers write instead, or what a cut left."""

from __future__ import annotations

import ast
import html
import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from opeai_nb.client.protocol.steps import Documents

_JUNK: Final = "\ufeff\0\x1e \t\r\n"
_GUARD = re.compile(r"\A(?:\)\]\}',?|while\(1\);|for\(;;\);)\s*")
# What stands before JSON at times: a call around it, a fence of Markdown, lines of a log, a page.
# A script or a style sheet holds braces of its own, and the settings of some other page.
_VALUE = re.compile(r"\{\s*[\"'}]|\[\s*[\[{\"']")
_FURTHEST: Final = 4000
_NOT_BEFORE = re.compile(r"<(?:script|style)\b", re.IGNORECASE)
_FRAME = re.compile(r".{0,12}|.*[\n>(]\s*", re.DOTALL)
_MOST_OF_PYTHON: Final = 20_000
# A string without an end is taken whole: from each quote in it one would look to the end again.
_COMMA = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))|,(\s*[}\]])', re.DOTALL)
_DECODER: Final = json.JSONDecoder(strict=False)
_MOST: Final = 10_000
# Ark says `partial_succeeded` of each picture of several that is whole.
_DRAFTS = re.compile(r"partial(?!_?(?:succe|fail))|keepalive|heartbeat|ping", re.IGNORECASE)


def json_values(text: str) -> Any:
    """Return the value of *text*, or `Documents` where it holds several.

    Understands raw control characters in strings, trailing commas, bytes behind the last brace,
    several values in a row, a form, and an event stream (partial pictures and heartbeats left out).
    Raises `ValueError` for what is none of these, such as half a value.
    """
    text = _GUARD.sub("", text.strip(_JUNK))
    try:
        return _DECODER.decode(text)
    except ValueError:
        pass
    text = _in_lines(text)
    if _FORM.match(text):
        return dict(parse_qsl(text))
    if _is_stream(text):
        return _one_or_several(_joined(_events(text), is_over="[DONE]" in text))
    return _one_or_several(_joined(_in_a_row(_without_preface(text))))


# Names and values as forms encode them (`status=ok&url=https%3A%2F%2F…`), and nothing else.
_FORM = re.compile(r"(?:\w[\w.%\[\]-]{0,40}=[^\s&=<>\"]*+(?:&|\Z))+\Z")


def _without_preface(text: str) -> str:
    """Return *text* from where its first value begins; raise `ValueError` where none does."""
    if text[:1] == "<" and "&quot;" in text[:_FURTHEST]:
        text = html.unescape(text)
    found = _VALUE.search(text, 0, _FURTHEST)
    before = text[: found.start()] if found else text
    if found is None or _NOT_BEFORE.search(before) or not _FRAME.fullmatch(before):
        raise ValueError("no JSON")
    return text[found.start() :]


def _one_or_several(values: list[Any]) -> Any:
    kept = [value for value in values if not _is_draft(value)]
    if not kept:
        raise ValueError("no JSON")
    return kept[0] if len(kept) == 1 else Documents(tuple(kept))


def _in_a_row(text: str) -> list[Any]:
    """Return the values that stand one behind the other; what follows the last is ignored."""
    values: list[Any] = []
    position = 0
    while position < len(text) and len(values) < _MOST:
        if text[position] in _JUNK or text[position] in ",;":
            position += 1
            continue
        try:
            value, position = _DECODER.raw_decode(text, position)
        except ValueError:
            break
        values.append(value)
    if not values:
        values.append(_in_python(text) or json.loads(_without_commas(text), strict=False))
    return [value for value in values if isinstance(value, (dict, list))] or values[:1]


def _without_commas(text: str) -> str:
    """Return JSON without the commas that stand before a closing bracket."""
    return _COMMA.sub(lambda m: m[1] or m[2], text)


def _in_python(text: str) -> Any:
    """Return the value that Python prints so (`{'data': [None]}`); None for what is none."""
    if "'" not in text[:_FURTHEST] or text.count(",") > _MOST_OF_PYTHON:
        return None
    try:
        # Its names may be numbers, its lists tuples, and its base64 bytes.
        value = json.loads(json.dumps(ast.literal_eval(text), default=repr))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _in_lines(text: str) -> str:
    """Return *text* with line feeds, where it ends its lines with a carriage return alone."""
    return text if "\n" in text else text.replace("\r", "\n")


def _is_stream(text: str) -> bool:
    return re.search(r"(?m)^(?:data|event|id|retry)\s*:", text[:4000]) is not None and (
        re.search(r"(?m)^data\s*:", text) is not None
    )


def _events(text: str) -> list[Any]:
    values: list[Any] = []
    for block in _BLOCKS.split(text, maxsplit=_MOST)[:_MOST]:
        pieces = re.split(r"\r\n|\r|\n", block, maxsplit=_MOST)[:_MOST]
        lines = [line.partition(":") for line in pieces]
        data = [rest.removeprefix(" ") for name, _, rest in lines if name.strip() == "data"]
        kind = next((rest.strip() for name, _, rest in lines if name.strip() == "event"), "")
        found = _data(data)
        values += [_named(value, kind) for value in found]
        if not found and not _is_draft_of(kind) and _STANDS_ALONE.match(data[0] if data else ""):
            values.append("".join(data))
    return values


_STANDS_ALONE = re.compile(r"https?://|data:image/|iVBORw0KGgo|/9j/|R0lGOD|UklGR")
"""How a URL begins, and the base64 of a PNG, a JPEG, a GIF and a WebP."""


def _joined(values: list[Any], *, is_over: bool = False) -> list[Any]:
    """Return *values* with the chunks of a chat as one answer: a URL may be split between them.

    Only where its end came, too: else the last URL may be half of one.
    """
    chunks = [value for value in values if _deltas(value)]
    choices = [choice for chunk in chunks for choice in _deltas(chunk)]
    if not (is_over or any(choice.get("finish_reason") for choice in choices)):
        return values
    messages: dict[str, dict[str, Any]] = {}
    for choice in choices:
        _append(messages.setdefault(str(choice.get("index")), {}), choice["delta"])
    whole = [{"message": message} for message in messages.values()]
    others = [value for value in values if not _deltas(value)]
    return [*others, *({**chunk, "choices": whole} for chunk in chunks[-1:])]


def _deltas(value: Any) -> list[dict[str, Any]]:
    """Return the choices of a chunk of a chat (OpenAI: `choices[].delta`); none for none."""
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list):
        return []
    return [each for each in choices if isinstance(each, dict) and type(each.get("delta")) is dict]


def _append(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        before = message.get(name)
        is_more = type(value) is type(before) and isinstance(value, (str, list)) and name != "role"
        message[name] = before + value if before is not None and is_more else value or before


def drafts_in(text: str) -> list[str]:
    """Return the events of a stream, cut or whole, that only show how far a picture is."""
    text = _in_lines(text)
    blocks = _BLOCKS.split(text, maxsplit=_MOST)[:_MOST] if _is_stream(text) else []
    return [block for block in blocks if _is_draft_of(" ".join(_KIND.findall(block)))]


_BLOCKS = re.compile(r"\r?\n\r?\n|\r\r")
_KIND = re.compile(r'(?m)^event\s*:.*$|"(?:type|object|event)"\s*:\s*"[^"]{1,100}"')


def _data(lines: list[str]) -> list[Any]:
    """Return what the data of one event holds: lines of one value, or a value in each line."""
    for texts in (["\n".join(lines)], lines):
        values: list[Any] = []
        for text in texts:
            try:
                values.append(_DECODER.decode(text))
            except ValueError:
                continue
        if values:
            return values
    return []


def _named(value: Any, kind: str) -> Any:
    return {"type": kind, **value} if kind and isinstance(value, dict) else value


def _is_draft(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return _is_draft_of(f"{value.get('type')} {value.get('object')} {value.get('event')}")


def _is_draft_of(kind: str) -> bool:
    return _DRAFTS.search(kind) is not None


def whole_part(text: str) -> Any:
    """Return the value of *text* up to its last whole value, with its brackets closed.

    None where nothing in it is whole. A number or a word at the very end may be half of one.
    """
    start = next((i for i, sign in enumerate(text) if sign in _CLOSING), None)
    if start is None:
        return None
    end, closing = _last_whole(text, start)
    try:
        return json.loads(text[start:end] + closing, strict=False) if end else None
    except (ValueError, RecursionError):
        return None


def _last_whole(text: str, start: int) -> tuple[int, str]:
    """Return where the last whole value ends, and what closes the text there."""
    opened: list[str] = []
    end, closing, is_name = 0, "", False
    for step in _STEP.finditer(text, start):
        sign = step[0]
        if sign in _CLOSING:
            opened.append(sign)
            is_name = sign == "{"
        elif sign in ("}", "]"):
            if not opened or _CLOSING[opened.pop()] != sign:
                break
        elif sign == ",":
            is_name = bool(opened) and opened[-1] == "{"
        elif sign == ":":
            is_name = False
        if len(opened) > _DEEPEST or not opened or sign == '"':  # a string without an end
            break
        is_value = sign not in (*_CLOSING, ":", ",") and not is_name
        if is_value and (sign[0] in '"}]' or step.end() < len(text)):
            end, closing = step.end(), "".join(_CLOSING[each] for each in reversed(opened))
    return end, closing


_STEP = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}:,]|[^\s"\[\]{}:,]++|"', re.DOTALL)
_CLOSING: Final = {"{": "}", "[": "]"}
_DEEPEST: Final = 64
