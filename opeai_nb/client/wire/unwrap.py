"""Where in an answer things may stand: its objects and lists, through all known wrappers.

Gateways wrap what they pass on: `{"code": "success", "data": {…}}`, `{"output": {…}}`, JSON inside
a string (platform.md 7). All of that is unwrapped once, here, so that whoever looks for a status
or a picture looks along two flat lists.

    places_in   the objects and lists under known wrappers, under names that end as a result's do,
                and under the one unknown name of an object that has nothing else to say
    leaves_in   every text that may be a result, wherever it stands: for the last resort
    is_never    a name under which no result stands: an input, a draft, a link to something else
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from opeai_nb.client.values.task import goes_on, read_status
from opeai_nb.client.wire.spelling import our_names, squeezed

_WRAPPERS: Final = (
    *("data", "result", "output", "task_result", "response", "task_info", "metadata"),
    *("result_json", "task", "job", "prediction", "generation", "body", "content"),
    *("sd_generation_job", "generations_by_pk", "response_data", "attributes", "message"),
    "embedded",
)
# Texts under these are what somebody wrote, not an answer in a string.
_PROSE: Final = frozenset({"content", "body", "generation", "message"})
_LISTS: Final = (
    *("images", "results", "outputs", "choices", "candidates", "urls", "image_urls"),
    *("result_urls", "artifacts", "predictions", "generations", "generated_images", "pictures"),
    *("items", "files", "assets", "parts", "b64_json"),
    *("image", "url", "result_url", "tasks", "jobs"),
)
_RANKS: Final = {name: rank for rank, name in enumerate((*_WRAPPERS, *_LISTS))}
# Lists that a request has as well: a server may only be repeating what it was sent.
INPUT_LISTS: Final = frozenset({"images", "image", "image_urls", "files", "url", "content"})
_MOST_NODES: Final = 64  # the deepest answer seen has 9; more is a body made to keep us busy
_DEEPEST: Final = 8


@dataclass
class Places:
    """*nodes* are the objects of an answer, *lists* its lists of items, both from outside in.

    A list stands with its name; `""` is the body itself. *texts* are wrappers that are strings.
    """

    nodes: list[dict[str, Any]] = field(default_factory=list)
    lists: list[tuple[str, list[Any]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def first(self, *names: str, kind: type | tuple[type, ...] = str) -> Any:
        """Return the first value of this kind under one of *names* that says something."""
        for node in self.nodes:
            for name in names:
                value = node.get(name)
                if isinstance(value, kind) and not isinstance(value, bool) and value:
                    return value
        return None


def places_in(body: Any) -> Places:
    """Return where to look in *body*, any JSON value; names are spelled as we do."""
    places = Places()
    queue: deque[tuple[str, Any, int]] = deque([("", our_names(unpacked(body)), 0)])
    while queue and len(places.nodes) < _MOST_NODES:
        name, value, depth = queue.popleft()
        if isinstance(inner := unpacked(value), (dict, list)) and inner is not value:
            value = our_names(inner)
        if isinstance(value, dict) and (items := _as_list(name, value)):
            value = items
        if isinstance(value, list):
            places.lists.append((name, value))
            # A list of one task is a task: what a query for several ids answers. And a body that
            # is a list of one object is that object.
            is_one = _is_only_task(value) or (not depth and len(value) == 1)
            queue.extend((name, item, depth + 1) for item in value[:1] if is_one)
        elif isinstance(value, dict):
            places.nodes.append(value)
            if depth < _DEEPEST:
                queue.extend((key, value[key], depth + 1) for key in _inner_names(value))
        elif isinstance(value, str) and name in _WRAPPERS:
            places.texts.append(value)  # Replicate: `output` is the URL itself
    return places


def _inner_names(node: dict[str, Any]) -> list[str]:
    """Return the names in *node* to look under: wrappers, lists, and JSON in a string."""
    inner = sorted(node.keys() & _RANKS.keys(), key=_RANKS.__getitem__)
    inner += [name for name, value in node.items() if _is_result(name, value)]
    named = [key for key in inner if isinstance(node[key], (dict, list))]
    texts = [key for key in inner if isinstance(node[key], str) and key in _WRAPPERS]
    texts = [key for key in texts if node[key].strip() and not _is_prose(key, node[key])]
    return [*(named or _unknown_wrappers(node)), *texts]


def _is_result(name: str, value: Any) -> bool:
    """Tell a list or an object whose name says by its end that a result stands in it."""
    is_new = name not in _RANKS and isinstance(value, (dict, list))
    return is_new and bool(_RESULT_NAME.fullmatch(squeezed(name))) and not is_never(name, value)


_RESULT_NAME: Final = re.compile(
    r".*(?:result|output)(?:s|list)?|generated|creations|(?:task|job)list"
    r"|(?:result|output|generated|edited)(?:image|picture|file|url|asset)s"
)


def _is_prose(name: str, text: str) -> bool:
    """Tell a text from an answer in a string, as AWS Lambda puts one under `body`."""
    return name in _PROSE and not (name == "body" and isinstance(unpacked(text), (dict, list)))


def _unknown_wrappers(node: dict[str, Any]) -> list[str]:
    """Return the one name of an object in *node* that tells of a task, or that is all in it.

    Whatever it is called. What tells of the query alone, as an envelope does, does not count.
    """
    rest = [key for key in node if squeezed(key) not in _OF_THE_QUERY]
    rest = [key for key in rest if key != "status" or goes_on(node[key])]
    own = [key for key in rest if isinstance(node[key], dict) and not is_never(key, node[key])]
    telling = [
        key
        for key, value in node.items()
        if isinstance(value, dict)
        and (_TELLING & value.keys() or (key in own and _says_status(value)))
    ]
    return telling if len(telling) == 1 else own if own == rest[:2] else []


_TELLING: Final = frozenset({"task_id", "task_status"})
_OF_THE_QUERY: Final = frozenset(
    [
        *("header", "headers", "meta", "usage", "baseresp", "baseresponse", "responsemetadata"),
        *("code", "msg", "message", "success", "ok", "requestid", "created", "time", "timestamp"),
        *("error", "errormsg"),
    ]
)


def _as_list(name: str, node: dict[str, Any]) -> list[Any]:
    """Return the values of an object that is a list: `{"0": "https://…", "1": "https://…"}`.

    Those of tasks by their ids, with these: `{"t-8151": {"status": "queued"}}`.
    """
    if name in _TASKS and node and all(map(_is_by_id, node, node.values())):
        return [{"task_id": key, **value} for key, value in node.items()]
    known = name in _LISTS or name in ("output", "result") or len(node) > 1
    return list(node.values()) if known and node and all(k.isdigit() for k in node) else []


def _is_by_id(key: str, value: Any) -> bool:
    """Tell a task under its id from one under its place in a list."""
    is_place = key.isdigit() and len(key) <= _LONGEST_PLACE
    return isinstance(value, dict) and not is_place and isinstance(value.get("status"), str)


_TASKS: Final = frozenset({"tasks", "jobs", "predictions", "generations"})
_LONGEST_PLACE: Final = 3


def _is_only_task(values: list[Any]) -> bool:
    if len(values) != 1 or not isinstance(only := values[0], dict):
        return False
    # What has nothing of a picture is none that failed, if it does not say so.
    is_bare = not only.keys() & _OF_PICTURES and read_status(only.get("status")) != "failed"
    return bool(_TELLING & only.keys()) or _says_status(only) or is_bare


_OF_PICTURES: Final = frozenset(
    {*_LISTS, "b64_json", "image_url", "inline_data", "result", "output", "message", "content"}
    - {"urls"}  # Replicate's are those of the task
)


def says_running(value: Any) -> bool:
    """Tell an object whose status says that it is not over, whatever its id is called."""
    words = map(value.get, ("status", "task_status", "state")) if isinstance(value, dict) else ()
    return any(isinstance(word, str) and goes_on(word) for word in words)


def _says_status(value: dict[str, Any]) -> bool:
    """Tell an object that says how it stands: with an id, or that it goes on."""
    return ("id" in value and isinstance(value.get("status"), str)) or says_running(value)


def unpacked(value: Any) -> Any:
    """Return the JSON inside a string that holds JSON, twice over too; anything else as it is.

    A fence of Markdown may stand around it.
    """
    for _ in range(3):
        text = value.strip() if isinstance(value, str) else ""
        text = text.strip("`").removeprefix("json").lstrip() if text[:3] == "```" else text
        if text[:1] not in {"{", "[", '"'}:
            break
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            break
    return value


# Names under which an answer repeats what was asked, shows a draft, or points to something else:
# parts of a name, and whole words of it that are too short to be looked for inside one.
_NEVER_PARTS: Final = (
    *("input", "request", "param", "argument", "payload", "callback", "webhook", "thumb"),
    *("preview", "poster", "partial", "draft", "avatar", "reference", "original", "status"),
    *("cancel", "prompt", "error", "message", "watermark", "profile", "homepage", "support"),
    *("stream", "progress", "intermediate", "lowres", "placeholder", "policy", "license"),
    *("polling", "option", "provider", "cover", "initimage", "maskimage", "responseurl"),
)
_NEVER_WORDS: Final = frozenset(
    [
        *("icon", "logo", "mask", "init", "poll", "doc", "docs", "help", "user", "self", "get"),
        *("edit", "next", "prev", "page", "home", "site", "terms", "model", "blur", "small"),
        *("tiny", "low", "min", "check", "source"),
    ]
)
_RESULT_WORDS: Final = frozenset({"result", "results", "output", "outputs"})  # `model_outputs`
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_MOST_TEXTS: Final = 500


def leaves_in(body: Any) -> list[Any]:
    """Return the strings and blobs of *body* that may be a result, whatever they are called.

    None under a name that speaks of an input, a draft, a callback, a status or a page.
    """
    leaves: list[Any] = []
    queue: deque[tuple[Any, int]] = deque([(body, 0)])
    while queue and len(leaves) < _MOST_TEXTS:
        value, depth = queue.popleft()
        value = unpacked(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            queue.extend((v, depth + 1) for k, v in value.items() if not is_never(k, v))
        elif isinstance(value, list) and depth < _DEEPEST:
            queue.extend((item, depth + 1) for item in value)
        elif not isinstance(value, (int, float, dict, list, type(None))):
            leaves.append(value)
    return leaves


_PICTURE_TEXT: Final = re.compile(
    r"\s*(?:iVBORw0KGgo|/9j/|UklGR|https?://[^?#\s]+\.(?:png|jpe?g|webp|avif)(?:[?#]\S*)?\s*\Z)"
)


def is_never(name: str, value: Any) -> bool:
    """Tell a name under which no result stands."""
    plain = squeezed(name)
    # RunPod's is the picture itself.
    if plain == "message" and isinstance(value, str) and _PICTURE_TEXT.match(value):
        return False
    # A chat's message, not an error's; and the payload of an answer, not of the request.
    if plain in {"message", "payload"} and isinstance(value, dict) and "prompt" not in value:
        return False
    if name == "_source" and isinstance(value, dict):  # Elasticsearch's is the document
        return False
    words = {word.lower() for word in _WORDS.findall(name)}
    is_aside = bool(words & _NEVER_WORDS) and not words & _RESULT_WORDS
    return is_aside or any(part in plain for part in _NEVER_PARTS)
