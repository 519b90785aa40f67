"""The rule of replay, as lives of notebooks: what a person sees, and what is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.library import Library, Session, Slot, identity
from opeai_nb.library.replay.notes import notebook_beside, notes_there
from opeai_nb.library.replay.replay import Note
from tests.library.conftest import Clock
from tests.library.replaying import shown

FIRST, SECOND = Slot("cell-1"), Slot("cell-2")
CAT = ImageRequest("a cat")


def ids(library: Library) -> list[str]:
    """Return what is kept, oldest first."""
    return [record.id for record in library.records(newest_first=False)]


def seen(library: Library, *slots: Slot | None, session: Session | None = None) -> list[Any]:
    """Return the ids that runs of the same request show one after another; None: it sends."""
    session = session or Session()
    found = [shown(library, CAT, slot=slot, session=session) for slot in slots]
    return [record and record.id for record in found]


def test_the_first_run_of_a_slot_shows_what_it_made_last(keep: Any, library: Library) -> None:
    for _ in range(3):
        keep(CAT, slot=FIRST)
    assert seen(library, FIRST) == ids(library)[-1:]
    assert seen(library, FIRST) == ids(library)[-1:], "and so does the next session"


def test_a_clock_that_was_set_back_makes_nothing_older(
    keep: Any, library: Library, clock: Clock
) -> None:
    """A laptop that two systems take turns with, or one of two machines on a shared folder."""
    keep(CAT, slot=FIRST)
    (before,) = ids(library)
    library.note(identity(CAT), library.new_session(), FIRST, before)
    clock.pass_(-86_400)
    later = Library(library.folder, clock=clock)
    session = later.new_session()
    assert seen(later, FIRST, session=session) == [before]
    later.note(identity(CAT), session, FIRST, before)
    keep(CAT, slot=FIRST, into=later)
    (after,) = set(ids(library)) - {before}
    later.note(identity(CAT), session, FIRST, after)
    assert seen(library, FIRST) == seen(library, Slot("0")) == [after]


def test_what_a_folder_says_of_the_year_9999_is_not_followed(library: Library) -> None:
    (library.folder / ".sessions").mkdir(parents=True)
    (library.folder / ".sessions" / "253402300799.000000-3f2a9c1d.jsonl").touch()
    assert library.new_session().name < "2"


def test_any_further_run_sends(keep: Any, library: Library) -> None:
    keep(CAT, slot=FIRST)
    assert seen(library, FIRST, FIRST, FIRST) == [*ids(library), None, None]


def test_each_call_of_a_cell_is_a_slot_of_its_own(keep: Any, library: Library) -> None:
    for call in (1, 2):
        keep(CAT, slot=Slot("c", call))
    assert seen(library, *(Slot("c", call) for call in (1, 2, 3))) == [*ids(library), None]


def test_two_cells_with_the_same_text_keep_their_own_pictures(keep: Any, library: Library) -> None:
    keep(CAT, slot=FIRST)
    keep(CAT, slot=SECOND)
    first, second = ids(library)
    assert seen(library, SECOND, FIRST) == [second, first]


def test_a_notebook_and_its_duplicate_show_each_its_own_picture(
    keep: Any, library: Library
) -> None:
    """The duplicate begins with the pictures that the other shows; then they are two."""
    here = library.folder.parent
    names = ("fox.ipynb", "fox-Copy1.ipynb", "moved.ipynb")
    first, copy, moved = (here / name for name in names)

    def opened(notebook: Path) -> Session:
        session = library.new_session()
        session.notebook = notebook
        return session

    first.touch()
    keep(CAT, slot=FIRST)
    of_first = ids(library)[-1]
    library.note(identity(CAT), opened(first), FIRST, of_first)
    copy.touch()
    assert seen(library, FIRST, session=opened(copy)) == [of_first]
    library.note(identity(CAT), opened(copy), FIRST, of_first)
    keep(CAT, slot=FIRST)
    of_copy = ids(library)[-1]
    library.note(identity(CAT), opened(copy), FIRST, of_copy)
    assert seen(library, FIRST, session=opened(first)) == [of_first]
    assert seen(library, FIRST, session=opened(copy)) == [of_copy]
    assert seen(library, FIRST) == [of_copy], "where no name is told it is the latest"
    copy.rename(moved)
    assert seen(library, FIRST, session=opened(moved)) == [of_copy], "the same under another name"
    moved.replace(first)
    assert seen(library, FIRST, session=opened(first)) == [of_copy], "it took the other's place"


def test_a_notebook_that_a_stranger_names_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "out.ipynb").touch()
    library = tmp_path / "course" / "imagine"
    names = ("../out.ipynb", str(tmp_path / "out.ipynb"), "//server/share/a.ipynb", "a\x00b")
    notes = [Note(1.0, "s", FIRST, "3f2a9c1d", name) for name in names]
    assert {note.notebook for note in notes_there(library, notes)} == {""}
    assert notebook_beside(library, tmp_path / "out.ipynb") == "", "it tells of no other folder"


def test_new_ids_at_each_opening_show_the_pictures_in_their_order(
    keep: Any, library: Library
) -> None:
    """A notebook of format 4.4; bare numbers, as nbstripout leaves them; no ids at all."""
    keep(CAT, slot=FIRST)
    keep(CAT, slot=SECOND)
    for slots in ([Slot("new-1"), Slot("new-2")], [Slot("0"), Slot("1")], [None, None]):
        assert seen(library, *slots, Slot("more")) == [*ids(library), None]


def test_a_find_of_the_panel_is_shown_by_the_first_cell_that_asks(
    keep: Any, library: Library
) -> None:
    keep(CAT, slot=None)
    assert seen(library, FIRST, SECOND) == [*ids(library), None]


def test_the_cells_own_picture_comes_before_a_newer_find(keep: Any, library: Library) -> None:
    keep(CAT, slot=FIRST)
    keep(CAT, slot=None)
    assert seen(library, FIRST) == ids(library)[:1]


def test_a_loop_that_gets_an_item_sends_that_one_alone(keep: Any, library: Library) -> None:
    """The call is counted for each request: what stands before it in the cell moves nothing."""
    session, run = Session(), "run-1"
    for prompt in ("a red owl", "a blue owl"):
        keep(prompt, slot=session.slot(prompt, "cell-1", run))
    later = Session()
    slots = [later.slot(p, "cell-1", run) for p in ("a green owl", "a red owl", "a blue owl")]
    assert [slot.call for slot in slots] == [1, 1, 1]


def test_a_run_that_did_not_end_well_does_not_pay_again(keep: Any, library: Library) -> None:
    session = Session()
    keep(CAT, slot=FIRST)
    first = seen(library, FIRST, session=session)
    session.cell_ended("cell-1", well=False)
    assert seen(library, FIRST, session=session) == first
    session.cell_ended("cell-1", well=True)
    assert seen(library, FIRST, session=session) == [None]


def test_what_a_thread_begins_after_its_cell_was_interrupted_is_not_paid_for_again(
    keep: Any, library: Library
) -> None:
    session = Session()
    keep(CAT, slot=FIRST)
    session.cell_ended("cell-1", well=False, run="run-1")
    slot = session.slot(identity_of_cat(library), "cell-1", "run-1")
    first = seen(library, slot, session=session)
    assert seen(library, session.slot("…", "cell-1", "run-2"), session=session) == first
    session.cell_ended("cell-1", well=True, run="run-2")
    assert seen(library, slot, session=session) == [None]


@pytest.mark.parametrize("ends", [(True, False), (False, True)])
def test_a_cell_that_ran_another_has_ended_well_where_both_have(
    keep: Any, library: Library, ends: tuple[bool, ...]
) -> None:
    """`%%capture`, `get_ipython().run_cell("%imagine a cat"); 1/0`: IPython tells of both ends."""
    session = Session()
    keep(CAT, slot=FIRST)
    slot = session.slot(identity_of_cat(library), "cell-1", "run-1")
    first = seen(library, slot, session=session)
    for well in ends:
        session.cell_ended("cell-1", well=well, run="run-1")
    assert seen(library, slot, session=session) == first


def test_what_insert_code_reserved_is_shown_by_the_next_cell(keep: Any, library: Library) -> None:
    session = Session()
    keep(CAT, slot=FIRST)
    keep(CAT, slot=None)
    row, panel = ids(library)
    session.reserve(identity_of_cat(library), panel)
    assert seen(library, SECOND, Slot("cell-3"), session=session) == [panel, row]


def identity_of_cat(library: Library) -> str:
    return next(library.records()).identity


def test_another_request_of_the_same_cell_is_not_shown(keep: Any, library: Library) -> None:
    keep("a cat", slot=FIRST)
    assert shown(library, ImageRequest("a dog"), slot=FIRST) is None


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
    keep: Any, library: Library, kept: str, allowed: set[str], is_shown: bool
) -> None:
    keep(CAT, slot=FIRST, origin=kept)
    assert (shown(library, CAT, slot=FIRST, origins=allowed) is not None) == is_shown


def test_the_library_tells_its_origins(keep: Any, library: Library) -> None:
    assert library.origins() == frozenset()
    keep(origin="platform")
    keep(origin="engine")
    assert library.origins() == {"platform", "engine"}


def test_a_fresh_run_sends(keep: Any, library: Library) -> None:
    keep(CAT, slot=FIRST)
    assert shown(library, CAT, slot=FIRST, fresh=True) is None


def test_a_replay_reads_no_picture_and_names_its_record(keep: Any, library: Library) -> None:
    kept = keep("a cat", slot=FIRST)
    record = shown(library, kept.request, slot=FIRST)
    assert record is not None
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
