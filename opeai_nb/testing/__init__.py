"""PROVE: what the tests of notebooks and scripts share with our own.

    from opeai_nb.client import Client
    from opeai_nb.testing import Script, pictures_answer, png, task_answer

    script = Script(
        task_answer("QUEUED", id="image_1"),
        task_answer("SUCCESS", id="image_1", data=[{"url": "https://example.com/1.png"}]),
        png(64, 64),
    )
    client = Client(transport=script, sleep=lambda seconds: None)
    assert len(client.generate("a fox")) == 1
    assert script.sent == [{"model": "qwen-image-2.0", "prompt": "a fox"}]

`Script` stands in for the platform; `opeai_nb.testing.plugin` gives pytest the fixture
`opeai_engine` and the option `--opeai-engine`, which point a test, or a run of notebooks, at the
embedded engine and a temporary library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.testing.answers import error_answer, pictures_answer, png, task_answer
    from opeai_nb.testing.environment import engine_environment
    from opeai_nb.testing.replies import Answer, Drop, Refuse, Stall
    from opeai_nb.testing.script import Script

_HOMES = {
    "Answer": "replies",
    "Drop": "replies",
    "Refuse": "replies",
    "Script": "script",
    "Stall": "replies",
    "engine_environment": "environment",
    "error_answer": "answers",
    "pictures_answer": "answers",
    "png": "answers",
    "task_answer": "answers",
}

__all__ = [
    "Answer",
    "Drop",
    "Refuse",
    "Script",
    "Stall",
    "engine_environment",
    "error_answer",
    "pictures_answer",
    "png",
    "task_answer",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
