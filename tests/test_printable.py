"""What a server or a stranger says never steers a terminal, wherever it is shown."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb import errors
from opeai_nb.client import Client, Generation, ImageRequest, Picture
from opeai_nb.client.values.views.result_view import generation_bundle
from opeai_nb.errors import OpeaiError
from opeai_nb.notebook.display import badge
from opeai_nb.notebook.display.table import Table, Text
from opeai_nb.printable import escaped_json, printable, printable_cell, printable_line
from opeai_nb.testing import Answer, Script
from opeai_nb.warning import told_to, warn
from tests.pictures import png

EVIL = "a\x1b]0;pwned\x07\x1b[2J\x9b31m\r\x08\u202egnp.\u2066\u2028\u061c\x7f z"
STEERING = {"Cc", "Zl", "Zp", "Cs"}
BIDI = set("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_harmless(text: str, *, breaks: str = "\n\t") -> bool:
    """Tell whether nothing in *text* steers a terminal."""
    return not any(
        letter in BIDI or (unicodedata.category(letter) in STEERING and letter not in breaks)
        for letter in text
    )


@given(st.text() | st.text(alphabet=EVIL))
def test_any_text_becomes_harmless_and_keeps_its_letters(text: str) -> None:
    assert is_harmless(printable(text))
    assert is_harmless(printable_line(text), breaks="")
    assert [c for c in text if c.isalnum()] == [
        c for c in text if c in printable(text) and c.isalnum()
    ]


@given(st.text())
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    if is_harmless(text) and "\ufeff" not in text:
        assert printable(text) == text


@given(st.text(alphabet=EVIL))
def test_json_means_the_same(text: str) -> None:
    told = escaped_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(told) == [text]
    assert is_harmless(told)


KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, OpeaiError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_shows_nothing_of_it(kind: type[OpeaiError]) -> None:
    error = kind(EVIL, advice=EVIL, code=EVIL, request_id=EVIL, task_id=EVIL)
    for text in (str(error), error.message, error.evidence(), *error.args):
        assert is_harmless(text)
    assert all(is_harmless(line, breaks="") for line in error._render_traceback_())
    assert error.task_id == EVIL, "what is used stays as it came"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": EVIL, "code": EVIL, "type": EVIL}},
        {"message": EVIL},
        {"detail": [{"msg": EVIL, "loc": [EVIL]}]},
        {"data": [{"error": {"message": EVIL}}]},
        EVIL,
    ],
    ids=["error", "message", "detail", "item", "text"],
)
def test_a_server_that_says_it_is_shown_without_it(body: Any) -> None:
    for status in (200, 400, 401, 402, 403, 404, 429, 500, 503):
        answer = Answer(body, status, {"x-request-id": "id-1", "retry-after": "0"})
        script = Script(*[answer] * 6)
        options: dict[str, Any] = {"base_url": "https://x.example", "sleep": lambda _: None}
        client = Client(api_key="k-0123456789", transport=script, **options)
        with pytest.raises(OpeaiError) as raised:
            client.generate("a fox")
        error: BaseException | None = raised.value
        while error is not None:
            assert is_harmless(str(error)), (status, error)
            error = error.__cause__


def test_badges_tables_and_views_show_nothing_of_it() -> None:
    told = badge.bundle("failed", EVIL)
    assert all(is_harmless(text, breaks="") for text in told.values())
    table = Table(("prompt", "n"), [(EVIL, 1), ("plain", 2)], note=EVIL)
    assert is_harmless(repr(table))
    assert is_harmless(repr(Text(EVIL)))
    made = Generation((Picture(png()),), ImageRequest("a fox", model=EVIL))
    assert is_harmless(repr(made))
    assert is_harmless(generation_bundle(made)[0]["text/plain"])
    assert is_harmless(badge.final_text(dataclasses.replace(made, origin="engine")))


def test_warnings_show_nothing_of_it() -> None:
    heard: list[str] = []
    with told_to(heard.append):
        warn(EVIL, UserWarning)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        warn(EVIL, UserWarning)
    assert all(is_harmless(text, breaks="") for text in [*heard, str(shown[0].message)])


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", " =1", "\r=1\n"])
def test_a_cell_of_a_stranger_is_no_formula(text: str) -> None:
    cell = printable_cell(text)
    assert is_harmless(cell, breaks="")
    assert cell[0] not in "=+-@"
    assert printable_cell("a fox = a fox") == "a fox = a fox"
