"""Every picture is on disk before it is shown."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from opeai_nb import errors
from opeai_nb.client import Generation, ImageRequest, Picture, Task
from opeai_nb.errors import LibraryError
from opeai_nb.library import Entry, Library, Slot, identity, info, received_bytes
from opeai_nb.library.disk.files import own_folder
from tests.fork import run
from tests.library.conftest import Clock
from tests.pictures import png


def visible(folder: Path) -> list[Any]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_names_are_readable(
    keep: Callable[..., Generation], library: Library, folder: Path, picture: Callable[..., bytes]
) -> None:
    keep("Watercolour cat, 水彩!", pictures=[picture(), picture("JPEG"), picture("WEBP")])
    (record,) = library.records()
    stem = f"2026-11-22-watercolour-cat-水彩-{record.id}"
    assert visible(folder) == sorted(
        [f"{stem}-1.png", f"{stem}-2.jpg", f"{stem}-3.webp", f"{stem}.json"]
    )


def test_a_kept_generation_has_its_pictures_in_files(
    keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    kept = keep(pictures=[picture(), picture("JPEG")], usage={"total_tokens": 3}, task_id="t")
    for path, data in zip(
        [p.path for p in kept.pictures], [picture(), picture("JPEG")], strict=True
    ):
        assert received_bytes(path.read_bytes()) == data
    assert [p.received_sha256 for p in kept.pictures] == [
        hashlib.sha256(data).hexdigest() for data in (picture(), picture("JPEG"))
    ]
    assert (kept.usage, kept.task_id, kept.origin) == ({"total_tokens": 3}, "t", "platform")
    assert kept.replayed_from is None
    assert kept[0].size == (48, 32)


def test_the_record_tells_what_was_asked_and_what_came(
    begin: Callable[..., Entry], library: Library, clock: Clock, picture: Callable[..., bytes]
) -> None:
    entry = begin("a cat", slot=Slot("c1"), n=2, size="1024x1024")
    entry.sending()
    clock.pass_(6.5)
    failed = errors.ModerationError("refused", code="moderation")
    generation = Generation(
        (Picture(picture(), revised_prompt="a red cat"), Picture(error=failed)),
        entry.request,
        usage={"total_tokens": 3},
        created=1_777_440_000,
        model="qwen-image-2.0-alias",
        request_id="r-1",
    )
    entry.answered(generation)
    library.keep(entry, generation)
    (record,) = library.records()
    assert record.request == entry.request
    assert (record.id, record.model, record.prompt) == (entry.id, "qwen-image-2.0", "a cat")
    assert (record.slot, record.duration) == (Slot("c1"), 6.5)
    assert record.stands["answered_model"] == "qwen-image-2.0-alias"
    assert record.request_id == "r-1"
    good, bad = record.pictures
    assert (good.format, good.size, good.bytes) == ("png", (48, 32), len(picture()))
    assert good.sha256 == hashlib.sha256(picture()).hexdigest()
    assert good.revised_prompt == "a red cat"
    assert bad.error == {"type": "ModerationError", "message": "refused", "code": "moderation"}
    again = library.generation(record)
    assert (len(again), len(again.failed)) == (1, 1)
    assert isinstance(again.failed[0].error, errors.ModerationError)
    assert (again.created, again.request_id) == (1_777_440_000, "r-1")


def test_a_picture_that_failed_to_download_keeps_its_url(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    lost = Picture(url="https://x.example/b", error=errors.DownloadError("cut"))
    library.keep(
        entry, Generation((Picture(picture(), url="https://x.example/a"), lost), entry.request)
    )
    (record,) = library.records()
    assert [item.url for item in record.pictures] == [None, "https://x.example/b"]


def test_half_a_letter_from_a_server_costs_no_picture(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    """JSON can say `\\ud83d` alone, where somebody cut an emoji in two; no file can."""
    entry = begin()
    entry.sending()
    received = Picture(picture(), revised_prompt="a cat \ud83d")
    generation = Generation((received,), entry.request, usage={"a \udc00": 1})
    entry.answered(generation)
    kept = library.keep(entry, generation)
    assert kept.pictures[0].revised_prompt == "a cat ?"
    (record,) = library.records()
    assert record.usage == {"a ?": 1}
    assert library.pending() == []


def test_a_file_name_that_is_no_text_is_no_hindrance(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"cat-\xff.png")
    try:
        path.write_bytes(picture())
    except OSError:
        pytest.skip("this file system takes no such name")
    begin(ImageRequest("x", image=path))
    (entry,) = library.pending()
    assert entry.written["image"][0]["name"] == "cat-?.png"


def test_bytes_that_are_no_picture_are_kept_as_they_are(
    keep: Callable[..., Generation], library: Library
) -> None:
    kept = keep(pictures=[b"something else"])
    assert kept.pictures[0].path.suffix == ".bin"
    assert kept.pictures[0].data == b"something else"
    assert library.problems() == []


def test_the_entry_is_settled_last(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep()
    assert library.pending() == []
    assert list((folder / ".pending" / ".alive").iterdir()) != []
    assert {p.name for p in (folder / ".pending").iterdir()} == {".alive", ".gitignore"}


def test_keeping_twice_keeps_once(
    begin: Callable[..., Entry], library: Library, folder: Path, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    generation = Generation((Picture(picture()),), entry.request)
    one, two = library.keep(entry, generation), library.keep(entry, generation)
    assert [p.path for p in one.pictures] == [p.path for p in two.pictures]
    assert len(visible(folder)) == 2


def test_an_entry_whose_record_is_there_is_done(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    text = (entry.folder / "journal.jsonl").read_bytes()
    library.keep(entry, Generation((Picture(picture()),), entry.request))
    entry.folder.mkdir()
    (entry.folder / "journal.jsonl").write_bytes(text)
    assert library.pending() == []
    assert not entry.folder.exists()


def test_what_was_asked_later_is_newer_also_when_the_clock_stands(
    keep: Callable[..., Generation], library: Library
) -> None:
    prompts = [keep(f"cat {n}").request.prompt for n in range(5)]
    assert [record.prompt for record in library.records()] == prompts[::-1]
    assert [r.prompt for r in library.records(newest_first=False)] == prompts


def test_what_was_asked_first_and_came_last_is_not_the_newest(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    slow, quick = begin("slow"), begin("quick")
    for entry in (quick, slow):
        library.keep(entry, Generation((Picture(picture()),), entry.request))
    assert [record.prompt for record in library.records()] == ["quick", "slow"]


def test_a_record_is_found_by_the_beginning_of_its_id(
    keep: Callable[..., Generation], library: Library
) -> None:
    keep()
    (record,) = library.records()
    assert library.record(record.id[:4]) == record
    for text in ("", "zz"):
        with pytest.raises(LibraryError, match="%imagine history"):
            library.record(text)


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_a_library_that_macos_packed_is_whole(
    library: Library, keep: Callable[..., Generation], form: Literal["NFC", "NFD"]
) -> None:
    """Its archives spell the names of files with letters and accents apart."""
    data = keep("한국 고양이, café", slot=Slot("cell-1")).pictures[0].data
    for path in [*library.folder.glob("*.json"), *library.folder.glob("*.png")]:
        path.rename(path.with_name(unicodedata.normalize(form, path.name)))
    again = Library(library.folder)
    (record,) = again.records()
    assert again.problems() == []
    assert again.generation(record).pictures[0].data == data
    assert info(record.paths[0])["request"]["prompt"] == "한국 고양이, café"
    again.close()


def test_a_library_that_windows_packed_is_whole(
    library: Library, keep: Callable[..., Generation]
) -> None:
    """Its archives spell letters in the system's own code, which others read as their own."""
    data = keep("一只熊在咖啡馆里", slot=Slot("cell-1")).pictures[0].data
    for path in [*library.folder.glob("*.json"), *library.folder.glob("*.png")]:
        path.rename(path.with_name(path.name.encode("gbk").decode("cp437")))
    again = Library(library.folder)
    (record,) = again.records()
    assert again.problems() == []
    assert again.generation(record).pictures[0].data == data
    again.close()


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="names are text there")
def test_a_name_that_is_no_text_is_told_and_hides_nothing_else(
    library: Library, keep: Callable[..., Generation]
) -> None:
    """Linux unpacks such an archive with the bytes as they are; every request failed then."""
    request = keep("一只熊在咖啡馆里").request
    keep("a fox")
    for path in library.folder.glob("*.*"):
        if not path.name.isascii():
            path.rename(path.with_name(os.fsdecode(path.name.encode("gbk"))))
    again = Library(library.folder)
    assert [record.request.prompt for record in again.records()] == ["a fox"]
    (problem,) = again.problems()
    assert "its name is no text" in problem
    assert problem.encode()
    assert again.lost([(identity(request), request.prompt)])
    assert not again.lost([(identity(replace(request, n=2)), request.prompt)])
    again.close()


def test_a_record_that_a_killed_process_was_about_to_write_is_not_lost(library: Library) -> None:
    """Its picture lay there already: a batch stopped, and said that the record was missing."""
    request = ImageRequest("a fox")
    asked = [(identity(request), request.prompt)]
    entry = library.begin(request, key="k", base_url="https://api.example.com", origin="platform")
    entry.sending()
    (library.folder / f"{entry.name}-1.png").write_bytes(png())
    again = Library(library.folder)
    assert not again.lost(asked)
    again.close()
    library.forget(entry)
    again = Library(library.folder)
    assert again.lost(asked) == {asked[0][0]}
    again.close()


def test_a_library_may_be_moved(
    keep: Callable[..., Generation], library: Library, folder: Path, tmp_path: Path
) -> None:
    keep("a cat")
    library.close()
    folder.rename(tmp_path / "moved")
    moved = Library(tmp_path / "moved")
    (record,) = moved.records()
    assert moved.generation(record)[0].size == (48, 32)
    moved.close()


LIMITED = """
    import json, resource, sys, warnings
    from opeai_nb.client import Generation, ImageRequest, Picture, Task
    from opeai_nb.library import Library
    folder, picture = sys.argv[1:]
    data = open(picture, "rb").read()
    library = Library(folder)
    entry = library.begin(ImageRequest("x"), key="k", base_url="http://x", origin="platform")
    entry.sending()
    generation = Generation((Picture(data), Picture(data[:500])), entry.request)
    if "streamed" in picture:
        entry.answered(generation)
        generation = entry.generation()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(data) // 2, len(data) // 2))
    with warnings.catch_warnings(record=True) as told:
        kept = library.keep(entry, generation)
    print(json.dumps([[str(w.message) for w in told], kept.pictures[0].data == data]))
"""


@pytest.mark.parametrize("name", ["memory", "streamed"])
def test_where_the_disk_is_full_no_picture_is_lost(name: str, folder: Path, tmp_path: Path) -> None:
    """The system itself refuses to write more than half of the picture."""
    data = tmp_path / f"{name}.png"
    data.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(400_000))
    done = run([sys.executable, "-c", textwrap.dedent(LIMITED), str(folder), str(data)])
    assert done.returncode == 0, done.stderr
    warned, is_whole = json.loads(done.stdout)
    assert is_whole
    library = Library(folder)
    if name == "streamed":  # what lies on the disk needs no more room
        ((record,), pending) = list(library.records()), library.pending()
        assert (warned, pending, len(record.files)) == ([], [], 2)
        return
    assert len(warned) == 1
    assert "could not be kept in the library (File too large)" in warned[0]
    assert visible(folder) == []
    assert list(folder.glob("**/*.part")) == []
    assert "generation.save" in warned[0]
    assert len(library.pending()) == 1


def test_the_library_itself_may_be_a_link(tmp_path: Path, keep: Callable[..., Generation]) -> None:
    """A person may want it on a larger disk; what is inside leads nowhere else."""
    (tmp_path / "large disk").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "large disk")
    library = Library(tmp_path / "linked")
    keep("a cat", into=library)
    assert [record.prompt for record in library.records()] == ["a cat"]
    library.close()


def test_the_folder_of_an_entry_may_have_vanished(
    begin: Callable[..., Entry], library: Library, picture: Callable[..., bytes]
) -> None:
    entry = begin()
    entry.forget()
    kept = library.keep(entry, Generation((Picture(picture()),), entry.request))
    assert kept.pictures[0].path.is_file()


LONG = """
    import os, resource, sys
    import PIL.Image
    from opeai_nb.client import Generation, ImageRequest, Picture
    from opeai_nb.library import Library
    library, held = Library(sys.argv[1]), []
    for n in range(50):
        request = ImageRequest(f"cat {n}")
        entry = library.begin(request, key="k", base_url="http://x", origin="platform")
        made = tuple(Picture(b"\\x89PNG\\r\\n\\x1a\\n" + os.urandom(1_000_000)) for _ in range(4))
        held.append(library.keep(entry, Generation(made, request)))
        if n == 5:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_long_session_does_not_fill_the_memory(folder: Path) -> None:
    """All generations are held: 180 MB of pictures after the fifth."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LONG), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 30_000  # kB


def test_a_duration_is_known_where_one_process_saw_it(
    begin: Callable[..., Entry], library: Library, clock: Clock, picture: Callable[..., bytes]
) -> None:
    for seconds in (4.0, 6.0):
        entry = begin("a cat")
        entry.sending()
        entry.submitted(Task("t"))
        clock.pass_(seconds)
        generation = Generation((Picture(picture()),), ImageRequest("a cat"), task_id="t")
        entry.answered(generation)
        library.keep(entry, generation)
    assert library.durations("qwen-image-2.0", "platform") == (4.0, 6.0)
    assert library.durations("qwen-image-2.0", "engine") == ()


def test_a_folder_is_hidden_from_git_also_after_a_kill_cut_that_off(tmp_path: Path) -> None:
    folder = tmp_path / ".sessions"
    folder.mkdir()
    (folder / ".gitignore").touch()
    own_folder(folder, unlisted=True)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(".gitignore", "*\n")]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_hiding_a_folder_writes_through_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    (tmp_path / ".sessions").mkdir()
    (tmp_path / ".sessions" / ".gitignore").symlink_to(outside)
    own_folder(tmp_path / ".sessions", unlisted=True)
    assert not outside.read_bytes()
