"""What the words behind `%imagine history` ask of the library."""

from __future__ import annotations

from typing import Any

import pytest

from opeai_nb.errors import OptionError
from opeai_nb.notebook.commands.kept_commands import history_query


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("", {"text": ""}),
        ("red fox", {"text": "red fox"}),
        ("--starred red --tag poster fox", {"text": "red fox", "starred": True, "tag": "poster"}),
        ("--tag=poster --model gpt*", {"text": "", "tag": "poster", "model": "gpt*"}),
        ("it's --trash", {"text": "it's", "trashed": True}),
        ('--trash "red fox"', {"text": "red fox", "trashed": True}),
        ("'red fox' -5", {"text": "'red fox' -5"}),
    ],
)
def test_words_and_options_stand_in_any_order(line: str, query: dict[str, Any]) -> None:
    assert history_query(line.split()) == query


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--stared", "Did you mean '--starred'"),
        ("--tag", "--tag needs a value"),
        ("--tag --starred", "--tag needs a value"),
        ("--model=", "--model needs a value"),
        ("-n 5", "-n is no option of history"),
    ],
)
def test_what_is_no_option_is_refused(line: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        history_query(line.split())
