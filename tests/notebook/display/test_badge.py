"""The badge as a pure function of what is known."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.notebook.display import badge
from opeai_nb.studio.job import State, Update
from tests.pictures import png


def test_every_state_has_a_look_that_differs_by_more_than_colour() -> None:
    signs = {badge.bundle(state, "x")["text/plain"][0] for state in get_args(State)}
    assert len(signs) == len(get_args(State))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("state", get_args(State))
def test_the_text_is_readable(state: str) -> None:
    """White on the colour: a contrast of at least 4.5 (WCAG AA)."""
    found = re.search(r"background:(#[0-9a-f]{6})", badge.bundle(state, "x")["text/html"])
    assert found is not None
    assert 1.05 / (luminance(found[1]) + 0.05) >= 4.5


def test_the_text_is_escaped() -> None:
    html = badge.bundle("failed", "<script>alert(1)</script>")["text/html"]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_only_what_an_untrusted_notebook_keeps_is_used() -> None:
    """No variable, class, script or second element: JupyterLab drops them without trust."""
    html = badge.bundle("done", "2 pictures")["text/html"]
    assert html.count("<") == 2
    assert "var(" not in html
    assert "class=" not in html


def test_a_caption_stands_beside_the_badge_in_html_alone() -> None:
    """The front ends show no text alternative of a picture in an output: they show this."""
    made = badge.bundle("done", "1 picture", "a <red> fox")
    assert made["text/plain"] == "✓ 1 picture"
    assert made["text/html"].endswith(">a &lt;red&gt; fox</span>")
    first, beside = made["text/html"].split("</b>")
    assert not re.search(r"[^-]color:", beside)
    assert first.startswith("<b "), "where styles are dropped, as on GitHub, it is bold at least"


def test_an_end_is_announced_and_what_changes_each_second_is_not() -> None:
    assert ' role="status"' in badge.bundle("done", "x", is_end=True)["text/html"]
    assert "role=" not in badge.bundle("painting", "x")["text/html"]


def test_a_live_line_tells_time_progress_and_who_paints() -> None:
    update = Update("painting", 12.4, 40.0, 3.6)
    expected = "painting 12 s · 40 % · about 4 s left · embedded engine"
    assert badge.live_text(update, "engine") == expected
    assert badge.live_text(Update("queued", 0.2), "platform") == "queued 0 s"


def test_a_live_line_tells_of_a_question_that_failed() -> None:
    update = Update("painting", 12.4, trouble="The platform does not accept the key: no such key.")
    expected = "painting 12 s · still asking: The platform does not accept the key: no such key"
    assert badge.live_text(update, "platform") == expected
    assert len(badge.live_text(Update("painting", 1, trouble="x" * 900), "platform")) < 160


def test_the_final_line_is_the_same_sent_or_replayed() -> None:
    request = ImageRequest("a fox")
    pictures = (Picture(png((64, 32))), Picture(png((64, 32))))
    sent = Generation(pictures, request, task_id="image_1", request_id="r", origin="engine")
    again = Generation(pictures, request, replayed_from="abc", origin="engine")
    line = "2 pictures · qwen-image-2.0 · 64x32 · embedded engine"
    assert badge.final_text(sent) == badge.final_text(again) == line
