"""Several kernels use one folder at once, and any of them may die at any point."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from opeai_nb.client import Generation, Picture
from opeai_nb.library import Library, received_bytes
from tests.fork import start

KEEP = """
    import os, sys, threading
    from pathlib import Path
    from opeai_nb.client import Generation, ImageRequest, Picture
    from opeai_nb.library import Library
    folder = Path(sys.argv[1])

    def keep(library, prompt, text=None):
        request = ImageRequest(prompt)
        entry = library.begin(request, key="k", base_url="http://x", origin="platform")
        entry.sending()
        data = b"\\x89PNG\\r\\n\\x1a\\n" + (text or prompt).encode()
        library.keep(entry, Generation((Picture(data),), request))
"""
WRITER = f"""{KEEP}
    name, count = sys.argv[2], int(sys.argv[3])
    library = Library(folder)
    for n in range(count):
        keep(library, f"writer {{name}} number {{n}}", f"{{name}}-{{n}}" * 50)
        if n % 5 == 0:  # the index is read while seven others write
            assert len(library.search(f"writer {{name}} number {{n}}")) >= 1
"""
# Another session's first look has listed the folder, and one more record comes before it reads on:
# a sub-folder is listed after the folder itself, which the interpreter tells of.
LISTED_WHILE_WRITTEN = f"""{KEEP}
    writer, reader, waiting = Library(folder), Library(folder), ["second"]

    def hook(event, args):
        if event == "os.scandir" and str(args[0]).endswith("2026-11-01") and waiting:
            keep(writer, waiting.pop())

    keep(writer, "first")
    (folder / "2026-11-01").mkdir()
    assert len(writer.search("first")) == 1
    sys.addaudithook(hook)
    assert len(reader.search("first")) == 1
    assert waiting == []
    print(*(len(each.search("second")) for each in (writer, reader, Library(folder))))
"""
# Another session, with an index of its own or without one while this one has it, keeps something in
# the very moment in which this one gives a record its name: it comes before, or waits.
KEPT_WHILE_KEPT = f"""{KEEP}
    from opeai_nb.library.index.index import Index
    whose = sys.argv[2]

    def keep_and_tell():
        keep(other, "another's")
        has_come.set()

    def hook(event, args):
        if event == "os.rename" and str(args[1]).endswith(".json") and not begun:
            begun.append(event)
            other_one.start()
            has_come.wait()
        elif event == "fcntl.flock" and threading.current_thread() is other_one:
            tries.append(event)
            if len(tries) > 1:
                has_come.set()

    mine = Library(folder)
    keep(mine, "first")
    if whose == "of its own":
        os.environ["OPEAI_NB_CACHE"] += "-another"
    other = Library(folder)
    other._index = Index(*other.homes.all, patience=0.0)
    assert len(other.search("first")) == len(mine.search("first")) == 1
    begun, tries, has_come = [], [], threading.Event()
    other_one = threading.Thread(target=keep_and_tell)
    sys.addaudithook(hook)
    keep(mine, "mine")
    other_one.join()
    print(*(len(each.search(word)) for each in (mine, other) for word in ("mine", "another's")))
"""
# A first session is about to set the folder's time back when a second one, of the same index, does
# so, and one of another index keeps something; then the first lists the folder.
TIME_SET_BACK_LATE = f"""{KEEP}
    found = []

    def hook(event, args):
        if event == "os.utime" and steps[:1] == ["set back"]:
            steps.pop(0)
            second.search("first")
            keep(other, "another's")
            steps.append("list")
        elif event in ("os.listdir", "os.scandir") and steps == ["list"]:
            steps.pop()
            found.append(len(second.search("another's")))

    first, second = Library(folder), Library(folder)
    keep(first, "first")
    assert len(first.search("first")) == len(second.search("first")) == 1
    os.environ["OPEAI_NB_CACHE"] += "-another"
    other = Library(folder)
    keep(other, "second")
    steps = ["set back"]
    sys.addaudithook(hook)
    assert len(first.search("second")) == 1
    print(*found)
"""
# A process is killed once its record lies in a sub-folder, at its next step on the disk.
KILLED_WHEN_PLACED = """
    import os, signal, sys
    from pathlib import Path
    from opeai_nb.client import Generation, ImageRequest, Picture
    from opeai_nb.library import Library, identity
    from opeai_nb.library.replay.session_takes import Session
    folder, request = Path(sys.argv[1]), ImageRequest("a fox")

    def keep(library):
        entry = library.begin(request, key="k", base_url="http://x", origin="platform")
        entry.sending()
        library.keep(entry, Generation((Picture(b"\\x89PNG\\r\\n\\x1a\\n"),), request))

    def takes(library):
        asked = {"origins": {"platform"}, "server": "http://x", "prompt": "a fox"}
        return len(library.look(identity(request), Session(), **asked).files)

    def hook(event, args):
        if event == "os.utime" and len([*folder.glob("*/*.json")]) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    library, other = (Library(folder, subfolders="always") for _ in range(2))
    keep(library)
    assert takes(other) == 1
    child = os.fork()
    if child == 0:
        sys.addaudithook(hook)
        keep(library)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    print(takes(other))
"""
# Runs one whole request again and again, each time in a child that is killed at its next
# step on the disk (an audit event of the interpreter), and prints how far each had come.
DRIVER = """
    import json, os, signal, sys
    from pathlib import Path
    from opeai_nb.client import Generation, ImageRequest, Picture, Task
    from opeai_nb.library import Library, Slot
    root, kind = Path(sys.argv[1]), sys.argv[2]
    pictures = [Path(name).read_bytes() for name in sys.argv[4:]]

    def request_once(folder, told):
        library = Library(folder, subfolders=sys.argv[3])
        request = ImageRequest("a cat", n=2, image=pictures[0])
        entry = library.begin(request, key="k", base_url="http://x", origin="platform",
                              slot=Slot("c"))
        told("begun")
        entry.sending()
        told("posted")
        if kind == "task":
            entry.submitted(Task("image_1"))
            told("submitted")
            entry.answered(Generation((Picture(url="u0"), Picture(url="u1")), request))
            for n, data in enumerate(pictures):
                told(f"download {n}")
                place = entry.folder / str(n)
                place.mkdir(exist_ok=True)
                (place / ".x.part").write_bytes(data)
                (place / ".x.part").rename(place / "x.png")
            generation = entry.generation()
        else:
            generation = Generation(tuple(Picture(data) for data in pictures), request)
            entry.answered(generation)
        told("received")
        library.keep(entry, generation)
        told("kept")

    def child(number, folder):
        seen = 0
        def hook(event, args):
            nonlocal seen
            if event.split(".")[0] in ("open", "os", "shutil", "sqlite3") and args and (
                    str(folder) in str(args[0])):
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)
        log = os.open(root / f"{number}.log", os.O_CREAT | os.O_WRONLY)
        sys.addaudithook(hook)
        request_once(folder, lambda word: os.write(log, word.encode() + b"\\n"))
        os._exit(0)

    Library(root / "warm")
    import PIL.Image
    PIL.Image.preinit()
    for number in range(1, 500):
        pid = os.fork()
        if pid == 0:
            child(number, root / f"library-{number}")
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
            break
    print(number - 1)
"""


def run(code: str, *args: Any) -> Popen[str]:
    return start(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_eight_processes_keep_a_thousand_records_and_none_is_lost(folder: Path) -> None:
    writers = [run(WRITER, folder, name, 125) for name in range(8)]
    assert [writer.communicate()[0] and writer.returncode for writer in writers] == [""] * 8
    assert [writer.returncode for writer in writers] == [0] * 8
    library = Library(folder)
    records = list(library.records())
    expected = {f"writer {name} number {n}" for name in range(8) for n in range(125)}
    assert {record.prompt for record in records} == expected
    assert len(records) == len({record.id for record in records}) == 1000
    for record in records:
        _, name, _, n = record.prompt.split()
        data = b"\x89PNG\r\n\x1a\n" + f"{name}-{n}".encode() * 50
        assert received_bytes(record.paths[0].read_bytes()) == data
        assert json.loads((folder / record.file).read_text())["id"] == record.id
    assert library.problems() == []
    assert library.pending() == []
    library.close()


def test_what_is_kept_while_another_session_lists_the_folder_stays_in_the_index(
    folder: Path,
) -> None:
    assert run(LISTED_WHILE_WRITTEN, folder).communicate()[0] == "1 1 1\n"


def test_a_folders_time_that_is_set_back_late_hides_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    assert run(TIME_SET_BACK_LATE, folder).communicate()[0] == "1\n"


def test_what_a_process_put_into_a_subfolder_before_it_was_killed_is_seen_by_all(
    folder: Path,
) -> None:
    assert run(KILLED_WHEN_PLACED, folder).communicate()[0] == "2\n"


@pytest.mark.parametrize("index", ["of its own", "none just now"])
def test_what_another_session_keeps_in_the_same_moment_is_seen_by_all(
    folder: Path, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    assert run(KEPT_WHILE_KEPT, folder, index).communicate()[0] == "1 1 1 1\n"


def test_another_process_that_lives_is_in_flight_and_its_death_is_seen(folder: Path) -> None:
    code = """
        import sys
        from opeai_nb.client import ImageRequest
        from opeai_nb.library import Library
        entry = Library(sys.argv[1]).begin(
            ImageRequest("x"), key="k", base_url="http://x", origin="platform")
        entry.sending()
        print("sent", flush=True)
        sys.stdin.read()
    """
    with start(
        [sys.executable, "-c", textwrap.dedent(code), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        library = Library(folder)
        (entry,) = library.pending()
        assert (entry.truth, entry.is_mine) == ("in flight", False)
        process.kill()
        process.wait()
        assert entry.truth == "outcome unknown"
        assert [found.truth for found in library.pending()] == ["outcome unknown"]


@pytest.mark.parametrize(
    ("kind", "subfolders"), [("task", "never"), ("sync", "never"), ("sync", "always")]
)
def test_a_process_killed_at_any_point_loses_nothing(
    kind: str, subfolders: str, tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    pictures = [picture("PNG", "red"), picture("JPEG", "blue")]
    names = [tmp_path / "0.png", tmp_path / "1.jpg"]
    for name, data in zip(names, pictures, strict=True):
        name.write_bytes(data)
    driver = run(DRIVER, tmp_path, kind, subfolders, *names)
    count = int(driver.communicate()[0])
    assert count >= 30
    ends = [finish(tmp_path, number, pictures) for number in range(1, count + 1)]
    assert {"nothing", "not sent", "outcome unknown", "fetching", "kept"} <= set(ends)


def finish(root: Path, number: int, pictures: list[bytes]) -> str:
    """Find what a killed process left, check that it is true, and finish it as a resume does."""
    said = (root / f"{number}.log").read_text().split("\n")
    library = Library(root / f"library-{number}")
    pending, records = library.pending(), list(library.records())
    assert library.problems() == []
    end = pending[0].truth if pending else "kept" if records else "nothing"
    assert len(pending) + len(records) <= 1
    allowed = {"nothing", "not sent"}
    if "begun" in said:
        allowed = {"not sent", "outcome unknown"}
    if "posted" in said:
        allowed = {"outcome unknown", "pending", "fetching"}
    if "submitted" in said:
        allowed = {"pending", "fetching"}
    if "received" in said:
        allowed = {"fetching", "kept"}
    if "kept" in said:
        allowed = {"kept"}
    assert end in allowed, (number, said)
    if end == "fetching":
        generation = pending[0].generation()
        downloaded = sum(f"download {n}" in said for n in range(1, 2))
        assert sum(p.data is not None for p in generation.pictures) >= downloaded
        whole = tuple(Picture(data) for data in pictures)
        library.keep(pending[0], Generation(whole, generation.request))
        assert library.pending() == []
    if end in ("fetching", "kept"):
        (record,) = library.records()
        assert [received_bytes(path.read_bytes()) for path in record.paths] == pictures
        assert record.request.image[0].data == pictures[0]
        assert library.generation(record)[0].size == (48, 32)
    library.close()
    return end
