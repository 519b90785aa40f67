"""Where in an answer things may stand: its objects and lists, through all known wrappers.

Gateways wrap what they pass on: `{"code": "success", "data": {…}}`, `{"output": {…}}`, JSON inside
a string (platform.md 7). All of that is unwrapped once, here, so that whoever looks for a status
or a picture looks along two flat lists.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

WRAPPERS: Final = ("data", "result", "output", "task_result", "response", "task_info", "metadata")
_LISTS: Final = (*WRAPPERS, "images", "results", "choices", "urls", "image_urls")
_MOST_NODES: Final = 64  # the deepest answer seen has 9; more is a body made to keep us busy
_DEEPEST: Final = 8


@dataclass
class Places:
    """*nodes* are the objects of an answer, *lists* its lists of items, both from outside in."""

    nodes: list[dict[str, Any]] = field(default_factory=list)
    lists: list[list[Any]] = field(default_factory=list)

    def first(self, *names: str, kind: type | tuple[type, ...] = str) -> Any:
        """Return the first value of this kind under one of *names* that says something."""
        for node in self.nodes:
            for name in names:
                value = node.get(name)
                if isinstance(value, kind) and not isinstance(value, bool) and value:
                    return value
        return None


def places_in(body: Any) -> Places:
    """Return where to look in *body*, any JSON value."""
    found = Places()
    queue: deque[tuple[Any, int]] = deque([(body, 0)])
    while queue and len(found.nodes) < _MOST_NODES:
        value, depth = queue.popleft()
        value = _unpacked(value)
        if isinstance(value, list):
            found.lists.append(value)
            # A list of one task is a task: what a query for several ids answers.
            queue.extend((item, depth + 1) for item in value[:1] if _is_only_task(value))
        elif isinstance(value, dict):
            found.nodes.append(value)
            if depth < _DEEPEST:
                queue.extend((value[name], depth + 1) for name in _LISTS if name in value)
    return found


def _is_only_task(values: list[Any]) -> bool:
    only = values[0] if len(values) == 1 else None
    return isinstance(only, dict) and ("task_id" in only or "task_status" in only)


def _unpacked(value: Any) -> Any:
    """Return the JSON inside a string that holds JSON; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
