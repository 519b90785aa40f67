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

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.testing.answers import error_answer as error_answer
    from opeai_nb.testing.answers import pictures_answer as pictures_answer
    from opeai_nb.testing.answers import png as png
    from opeai_nb.testing.answers import task_answer as task_answer
    from opeai_nb.testing.environment import engine_environment as engine_environment
    from opeai_nb.testing.replies import Answer as Answer
    from opeai_nb.testing.replies import Drop as Drop
    from opeai_nb.testing.replies import Refuse as Refuse
    from opeai_nb.testing.replies import Stall as Stall
    from opeai_nb.testing.script import Script as Script

__getattr__, __dir__ = attach(__name__)
