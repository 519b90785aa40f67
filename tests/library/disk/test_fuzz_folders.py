"""Library folders that nobody wrote: files changed, cut, mixed up, replaced by links and FIFOs.

The same examples at each run, for a bounded time: what is found here is a fault for everybody.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opeai_nb.bulk.batch.manifest import Manifest
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.errors import OpeaiError
from opeai_nb.library import Library, Slot, identity
from tests.library.conftest import encoded
from tests.library.disk.test_stranger_files import KINDS, SECRET, put

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here"),
]
SCALARS = [
    *(None, True, -1, 0, 2**70, 1e308, "", "..", "../secret.txt", "/etc/passwd", "a/../../b"),
    *("\0", "\ud800", "\x1b]0;x\x07", "\u202e", "x" * 5000, [], {}, [[]], {"a": {}}),
    *("http://127.0.0.1/", "file:///etc/passwd", "2026-13-45", "con", "NaN"),
]
AN_AGE = 60.0
"""Seconds: a folder takes some tenths of one, on a loaded machine a few."""
SERVER = "https://x.example"
ROWS = rows_of(["a fox", "a bat"], None, {})
places = st.floats(0, 0.999)
changes = st.lists(
    st.tuples(
        places,
        st.sampled_from(["value", "name", "bytes", "cut", "double", "swap", *KINDS]),
        places,
        st.sampled_from(SCALARS),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with four records, one with an input picture, one starred and noted, one trashed.

    Two requests are unfinished, a session noted what its slots had, and a batch has a manifest.
    """
    root = tmp_path_factory.mktemp("fuzz") / "pristine"
    library = Library(root)

    def begin(prompt: str, **fields: Any) -> Any:
        request = ImageRequest(prompt, **fields)
        return library.begin(request, key=prompt, base_url=SERVER, origin="platform")

    session, ids = library.new_session(), []
    for prompt in ("a fox", "an owl", "a hare", "an edited fox"):
        entry = begin(prompt, image=encoded("PNG", "red") if "edited" in prompt else None)
        entry.sending()
        library.keep(entry, Generation((Picture(encoded()),), entry.request))
        library.note(identity(entry.request), session, Slot(prompt), entry.id)
        ids.append(entry.id)
    library.mark(ids[0], star=True, tag=["vixen"], note="the best")
    library.mark(ids[1], trash=True)
    for prompt in ("a vole", "a newt"):
        entry = begin(prompt, n=2)
        entry.answered(Generation((Picture(encoded()), Picture(url="https://x/1")), entry.request))
    Manifest(root, ROWS.table.rows, ROWS.plan).begin()
    library.close()
    return root


def spots_in(value: Any) -> list[tuple[Any, Any]]:
    """Return the containers in a JSON value, each with one of its keys."""
    if isinstance(value, dict):
        spots = [(value, name) for name in value]
    else:
        spots = [(value, number) for number in range(len(value))]
    inner = [container[key] for container, key in spots]
    return spots + [s for v in inner if isinstance(v, (dict, list)) for s in spots_in(v)]


def edited(data: bytes, place: float, scalar: Any, *, in_name: bool) -> bytes:
    """Return a file of JSON, or of lines of JSON, with *scalar* somewhere in it."""
    lines = data.splitlines() if data.count(b"\n{") else [data]
    number = int(place * len(lines))
    try:
        value = json.loads(lines[number])
    except (ValueError, IndexError):
        return data
    spots = spots_in(value) if isinstance(value, (dict, list)) else []
    if spots:
        container, key = spots[int(place * len(spots))]
        if in_name and isinstance(container, dict):
            container[str(scalar)] = container.pop(key)
        else:
            container[key] = scalar
    lines[number] = json.dumps(value).encode()
    return b"\n".join(lines)


def changed(data: bytes, kind: str, place: float, scalar: Any, other: bytes) -> bytes:
    """Return the bytes of a file, changed in one way."""
    at = int(place * len(data))
    match kind:
        case "bytes":
            return data[:at] + str(scalar).encode("utf-8", "replace") + data[at + 3 :]
        case "cut":
            return data[:at]
        case "double":
            return data + data[at:]
        case "swap":
            return other
    return edited(data, place, scalar, in_name=kind == "name")


def everything(library: Library) -> list[bytes]:
    """Ask a library all that reads its files; return the bytes of every picture that it gives."""
    data: list[bytes] = []
    for record in [*library.records(), *library.search("fox")]:
        with suppress(OpeaiError):  # a request that has been edited
            for picture in library.generation(record).pictures:
                with suppress(OpeaiError):
                    data.append(picture.data or b"")
    for entry in library.pending():
        with suppress(OpeaiError):
            entry.generation()
        data += [path.read_bytes() for path in entry.received().values()]
        entry.unknown("looked at")
    session = library.new_session()
    for prompt in ("a fox", "an owl", "a vole"):
        library.look(identity(ImageRequest(prompt)), session, origins=("platform",), server=SERVER)
    for record in library.records(trashed=True):
        with suppress(OpeaiError):
            library.mark(record.id, star=True, note="seen")
    with suppress(OpeaiError):
        Manifest(library.folder, ROWS.table.rows, ROWS.plan).begin()
    library.problems()
    library.usage()
    return data


@settings(
    derandomize=True,
    max_examples=400,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=changes)
def test_no_folder_breaks_out_blocks_or_raises(
    pristine: Path, steps: list[tuple[float, str, float, Any]]
) -> None:
    root = pristine.parent / "work"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(pristine, root / "imagine")
    outside = root / "secret.txt"
    outside.write_bytes(SECRET)
    files = sorted(path for path in (root / "imagine").rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files]
    for which, kind, place, scalar in steps:
        number = int(which * len(files))
        if kind in KINDS:
            put(kind, files[number], outside)
        elif files[number].is_file() and not files[number].is_symlink():
            other = contents[int(place * len(files))]
            contents[number] = changed(contents[number], kind, place, scalar, other)
            files[number].write_bytes(contents[number])
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = Library(root / "imagine")
        assert SECRET not in everything(library)
        entry = library.begin(
            ImageRequest("a new fox"), key="k", base_url="https://x.example", origin="platform"
        )
        library.keep(entry, Generation((Picture(encoded()),), entry.request))
        library.close()
    assert time.monotonic() - began < AN_AGE
    assert outside.read_bytes() == SECRET
    assert {path.name for path in root.iterdir()} == {"imagine", "secret.txt"}
