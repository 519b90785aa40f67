"""What a run of a cell shows, and when it sends: the rule of replay, case by case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.library import Library, Session, Slot
from opeai_nb.library.replay import Run, Summary, choose

FIRST, SECOND = Slot("cell-1"), Slot("cell-2")


def records(*slots: Any) -> list[Summary]:
    """Summaries r1, r2… in order of creation, one for each slot given."""
    return [Summary(f"r{n}", float(n), slot) for n, slot in enumerate(slots, 1)]


def shown(
    found: list[Summary],
    slot: Slot | None,
    session: Session | None = None,
    *,
    request: str = "request",
) -> str | None:
    """Return what a run shows, the way the library asks."""
    session = session or Session()
    run = session.run(request, slot)
    choice = choose(found, run)
    if choice.record:
        session.show(choice.record, run.slot)
    return choice.record


def test_the_first_run_of_a_slot_shows_its_newest_generation() -> None:
    assert shown(records(FIRST, FIRST, FIRST), FIRST) == "r3"


def test_the_order_of_creation_counts_and_not_the_order_of_listing() -> None:
    assert shown(records(FIRST, FIRST)[::-1], FIRST) == "r2"


def test_any_further_run_sends() -> None:
    session, found = Session(), records(FIRST, FIRST)
    assert [shown(found, FIRST, session) for _ in range(3)] == ["r2", None, None]


def test_a_cell_that_was_edited_and_is_run_again_sends() -> None:
    session = Session()
    shown(records(FIRST), FIRST, session, request="a cat")
    assert shown(records(FIRST), FIRST, session, request="a dog") is None


def test_a_new_session_shows_again() -> None:
    found = records(FIRST)
    assert [shown(found, FIRST, Session()) for _ in range(2)] == ["r1", "r1"]


def test_each_call_of_a_cell_is_a_slot_of_its_own() -> None:
    session, found = Session(), records(Slot("c", 1), Slot("c", 2), Slot("c", 1))
    assert [shown(found, Slot("c", call), session) for call in (1, 2, 3)] == ["r3", "r2", None]


def test_two_cells_with_the_same_text_keep_their_own_pictures() -> None:
    session, found = Session(), records(FIRST, SECOND, FIRST)
    assert shown(found, SECOND, session) == "r2"
    assert shown(found, FIRST, session) == "r3"


def test_a_picture_that_another_cell_claims_is_not_shown() -> None:
    assert shown(records(FIRST), SECOND) is None


def test_a_find_of_the_panel_is_shown_by_the_first_cell_that_asks() -> None:
    assert shown(records(SECOND, None, None), FIRST) == "r3"


def test_a_find_from_a_machine_without_cell_ids_is_shown() -> None:
    assert shown(records(Slot(None, 1)), FIRST) == "r1"


def test_the_cells_own_picture_comes_before_a_newer_find() -> None:
    assert shown(records(FIRST, None), FIRST) == "r1"


def test_a_find_that_one_cell_shows_is_claimed_for_the_session() -> None:
    session, found = Session(), records(None)
    assert [shown(found, slot, session) for slot in (FIRST, SECOND)] == ["r1", None]


def test_without_cell_ids_the_kth_run_takes_the_kth_slot_in_order_of_creation() -> None:
    session, found = Session(), records(FIRST, SECOND, FIRST, Slot(None, 1))
    assert [shown(found, None, session) for _ in range(4)] == ["r3", "r2", "r4", None]


def test_without_cell_ids_a_find_of_the_panel_comes_after_the_slots() -> None:
    session, found = Session(), records(None, FIRST)
    assert [shown(found, None, session) for _ in range(3)] == ["r2", "r1", None]


def test_without_cell_ids_requests_are_counted_each_for_itself() -> None:
    session = Session()
    found = records(Slot(None, 1))
    assert shown(found, None, session, request="a cat") == "r1"
    assert shown(found, None, session, request="a dog") == "r1"
    assert shown(found, None, session, request="a cat") is None


def test_an_ordinal_that_is_given_is_not_counted_twice() -> None:
    session = Session()
    assert session.run("r", Slot(None, 1)).slot == Slot(None, 1)
    assert session.run("r").slot == Slot(None, 2)


def test_a_run_without_cell_id_takes_the_slot_that_it_stands_for() -> None:
    """What it makes anew is then found by the cell itself."""
    assert choose(records(FIRST), Run(Slot(None, 1), is_first=True)).slot == FIRST
    assert choose(records(FIRST), Run(Slot(None, 2), is_first=True)).slot == Slot(None, 2)


def test_restart_and_run_all_shows_what_one_last_saw(
    keep: Callable[..., Generation], library: Library
) -> None:
    request = ImageRequest("a cat")
    for _ in range(3):
        keep(request, slot=FIRST)
    newest = next(library.records())
    for _ in range(2):
        found = library.replay(request, slot=FIRST, session=Session(), origins={"platform"})
        assert found.id == newest.id


def test_another_request_of_the_same_cell_is_not_shown(
    keep: Callable[..., Generation], library: Library
) -> None:
    keep("a cat", slot=FIRST)
    dog = ImageRequest("a dog")
    assert library.replay(dog, slot=FIRST, session=Session(), origins={"platform"}) is None


@pytest.mark.parametrize(
    ("kept", "allowed", "is_shown"),
    [
        ("platform", {"platform"}, True),
        ("platform", {"platform", "engine"}, True),
        ("engine", {"platform", "engine"}, True),
        ("engine", {"platform"}, False),
    ],
)
def test_records_are_shown_where_their_origin_may_be(
    keep: Callable[..., Generation], library: Library, kept: str, allowed: set[str], is_shown: bool
) -> None:
    request = ImageRequest("a cat")
    keep(request, slot=FIRST, origin=kept)
    found = library.replay(request, slot=FIRST, session=Session(), origins=allowed)
    assert (found is not None) == is_shown


def test_the_library_tells_its_origins(keep: Callable[..., Generation], library: Library) -> None:
    assert library.origins() == frozenset()
    keep(origin="platform")
    keep(origin="engine")
    assert library.origins() == {"platform", "engine"}


def test_a_fresh_run_sends_and_counts(keep: Callable[..., Generation], library: Library) -> None:
    request, session = ImageRequest("a cat"), Session()
    keep(request, slot=FIRST)
    asked = {"slot": FIRST, "session": session, "origins": {"platform"}}
    assert library.replay(request, **asked, fresh=True) is None
    assert library.replay(request, **asked) is None


def test_a_replay_reads_no_picture_and_names_its_record(
    keep: Callable[..., Generation], library: Library
) -> None:
    kept = keep("a cat", slot=FIRST)
    record = library.replay(kept.request, slot=FIRST, session=Session(), origins={"platform"})
    again = library.generation(record, kept.request)
    assert again.replayed_from == record.id
    assert [p.source for p in again.pictures] == [p.source for p in kept.pictures]
    assert again.request is kept.request
    assert again.origin == "platform"


def test_a_cell_id_that_is_a_path_is_never_written() -> None:
    moved = [Slot(f"vscode-notebook-cell:/home/{who}/a.ipynb#W2sZ") for who in ("ada", "bob")]
    assert moved[0] == moved[1]
    assert "home" not in str(moved[0])
    assert Slot("0f3a-Bc_9").cell == "0f3a-Bc_9"
