"""The `parameters` text that other tools read: the prompt, then one line of settings.

Their readers take the last line for settings when it holds at least three `Key: value` pairs, and
read values that hold a comma, a colon or a line break as JSON strings.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYWORD = "parameters"
_PLAIN = re.compile(r"[^,:\n\"]*")


def infotext(facts: Mapping[str, Any]) -> str:
    """Return the text for one picture's provenance."""
    request = facts["request"]
    lines = [request["prompt"]]
    if negative := request.get("negative_prompt"):
        lines.append(f"Negative prompt: {negative}")
    size = facts.get("size")
    settings = {
        # Of no meaning here, but without three such settings many readers see no prompt at all.
        "Steps": 1,
        "Sampler": "opeai_nb",
        "CFG scale": 1,
        "Model": request["model"],
        "Size": f"{size[0]}x{size[1]}" if size else None,
        "Seed": request.get("seed"),
        "Quality": request.get("quality"),
        "Style": request.get("style"),
        "Record": facts["id"],
        "Version": f"opeai_nb {facts['toolkit']}",
    }
    lines.append(", ".join(f"{name}: {_value(v)}" for name, v in settings.items() if v is not None))
    return "\n".join(lines)


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
