"""The history of prompts: each once, newest first, found by words, in looks that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from opeai_nb.library import past_prompts

if TYPE_CHECKING:
    from collections.abc import Callable

    from opeai_nb.client import Generation
    from opeai_nb.library import Library
    from opeai_nb.library.past_prompts import PastPrompts


def words(found: PastPrompts) -> list[str]:
    return [record.prompt for record in found.records]


def all_prompts(library: Library, text: str = "", limit: int = 2) -> list[str]:
    """Every prompt, look by look; a later look may bring one again."""
    found, before = [], None
    while True:
        look = library.prompts(text, before=before, limit=limit)
        found += words(look)
        before = look.before
        if before is None:
            return list(dict.fromkeys(found))


def test_each_prompt_comes_once_with_its_newest_record(
    keep: Callable[..., Generation], library: Library
) -> None:
    for prompt in ("a fox", "an owl", "a fox", "a heron"):
        keep(prompt)
    found = library.prompts()
    assert words(found) == ["a heron", "a fox", "an owl"]
    newest = {record.prompt: record.id for record in library.records(newest_first=False)}
    assert [record.id for record in found.records] == [newest[prompt] for prompt in words(found)]
    assert found.before is None


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_looks_go_on_where_the_last_one_ended(
    keep: Callable[..., Generation], library: Library, limit: int
) -> None:
    for number in (1, 2, 3, 1, 4, 2):
        keep(f"no. {number}")
    assert all_prompts(library, limit=limit) == ["no. 2", "no. 4", "no. 1", "no. 3"]


def test_words_are_looked_for_in_prompts_alone_without_regard_to_case(
    keep: Callable[..., Generation], library: Library
) -> None:
    for prompt in ("A Watercolour CAT", "a dog by the straße", "水彩 cat"):
        keep(prompt, model="qwen-image-2.0")
    assert words(library.prompts("cat water")) == ["A Watercolour CAT"]
    assert words(library.prompts("STRASSE")) == ["a dog by the straße"]
    assert words(library.prompts("qwen")) == [], "that is the model"


def test_what_lies_in_the_trash_is_no_history(
    keep: Callable[..., Generation], library: Library
) -> None:
    keep("a fox")
    keep("an owl")
    (owl,) = library.search("owl")
    library.mark(owl.id, trash=True)
    assert words(library.prompts()) == ["a fox"]
    library.mark(owl.id, trash=False)
    assert words(library.prompts()) == ["an owl", "a fox"]


def test_a_record_whose_picture_is_gone_is_passed_over(
    keep: Callable[..., Generation], library: Library
) -> None:
    keep("a fox")
    keep("an owl")
    (owl,) = library.search("owl")
    owl.paths[0].unlink()
    assert words(library.prompts()) == ["a fox"]


def test_one_look_at_a_long_sweep_of_one_prompt_ends_and_says_where_to_go_on(
    keep: Callable[..., Generation], library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("an owl")
    for _ in range(9):
        keep("a fox")
    monkeypatch.setattr(past_prompts, "_STEP", 2)
    monkeypatch.setattr(past_prompts, "_MOST", 4)
    look = library.prompts()
    fourth = list(library.records())[3]
    assert words(look) == ["a fox"]
    assert look.before == (fourth.created, fourth.id), "four records, and not a step further"
    assert all_prompts(library) == ["a fox", "an owl"]
