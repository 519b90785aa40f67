"""The documents of a library are what their types say, or they are refused."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.library.documents import (
    EntryDocument,
    PictureDocument,
    RecordDocument,
    check,
)
from opeai_nb.library.records.record import KeptPicture
from opeai_nb.library.records.validate import check_entry, check_record

RECORD: dict[str, Any] = {
    "opeai_nb": 1,
    "id": "3f2a9c1d",
    "created": "2026-11-22T10:00:00.000000+00:00",
    "origin": "platform",
    "request": {"prompt": "a fox", "model": "m", "image": [{"sha256": "0" * 64}], "seed": 1},
    "pictures": [{"file": "fox.png", "format": "png", "size": [4, 4], "bytes": 9}],
    "slot": {"cell": None, "call": 1},
    "duration": 2,
}
ENTRY: dict[str, Any] = {
    "opeai_nb": 1,
    "id": "3f2a9c1d",
    "name": "2026-11-22-fox-3f2a9c1d",
    "created": 1.5,
    "key": "k",
    "base_url": "https://example.org",
    "origin": "platform",
    "request": {"prompt": "a fox", "model": "m"},
    "state": "pending",
    "owner": {},
    "task_id": "t1",
    "deadline": 86_400,
    "answer": {"pictures": [{"url": "https://example.org/1.png"}], "created": 1},
}
SOUND = [(RECORD, check_record, RecordDocument), (ENTRY, check_entry, EntryDocument)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(("document", "judge", "kind"), SOUND)
def test_what_we_write_is_sound(document: dict[str, Any], judge: Any, kind: Any) -> None:
    check(document, kind)
    judge(document)


def test_every_field_of_a_kept_picture_stands_in_its_document() -> None:
    assert set(KeptPicture.__dataclass_fields__) == set(get_type_hints(PictureDocument))


def paths(kind: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the way to every field of a document that our samples have."""
    found = []
    for name, hint in get_type_hints(kind).items():
        found.append((*at, name))
        inner = get_args(hint)[0] if get_origin(hint) is list else hint
        if is_typeddict(inner):
            found += paths(inner, (*at, name, 0) if get_origin(hint) is list else (*at, name))
    return found


@pytest.mark.parametrize("sample", SOUND, ids=["record", "entry"])
@given(data=st.data())
def test_any_json_in_any_field_is_sound_or_refused(
    sample: tuple[dict[str, Any], Any, Any], data: st.DataObject
) -> None:
    """Nothing but `TypeError` and `ValueError`, whatever a stranger writes, and wherever."""
    document, judge, kind = deepcopy(sample[0]), sample[1], sample[2]
    way: tuple[Any, ...] = data.draw(st.sampled_from(paths(kind)))
    place: Any = document
    for step in way[:-1]:
        if not (isinstance(place, list) and place) and not (
            isinstance(place, dict) and step in place
        ):
            return
        place = place[step]
    place[way[-1]] = data.draw(JSON)
    try:
        judge(document)
    except (TypeError, ValueError):
        return
    assert json.dumps(document)


@pytest.mark.parametrize("name", ["id", "created", "origin", "request", "pictures", "opeai_nb"])
def test_a_record_without_what_it_needs_is_refused(name: str) -> None:
    for value in (None, "absent"):
        document = {**RECORD, name: value}
        if value == "absent":
            del document[name]
        with pytest.raises(TypeError, match=name):
            check_record(document)


def test_a_state_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="state"):
        check_entry({**ENTRY, "state": "painting"})


def test_an_entry_or_a_record_of_too_many_pictures_is_refused() -> None:
    """Each URL of a journal would be a GET to wherever a stranger wishes."""
    many = [{"url": f"https://example.org/{number}.png"} for number in range(20_000)]
    with pytest.raises(ValueError, match="pictures"):
        check_entry({**ENTRY, "answer": {"pictures": many}})
    with pytest.raises(ValueError, match="pictures"):
        check_record({**RECORD, "pictures": RECORD["pictures"] * 20_000})
