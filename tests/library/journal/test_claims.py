"""Who decides, who works on what, and when a process counts as dead: values in, clocks in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.errors import LibraryError
from opeai_nb.library import Entry, Library
from opeai_nb.library.journal.claim_files import ClaimFiles
from opeai_nb.library.journal.claims import Claims
from opeai_nb.library.journal.entry import TakenOverError
from opeai_nb.library.journal.liveness import DEAD_SECONDS, Liveness
from opeai_nb.library.journal.process import describe, is_gone, start_of, this_process
from tests.fork import run, start
from tests.library.conftest import Clock

REQUEST = "5f70bf18a08600706a4cbd9d9a49bb70"
NEVER = 4_194_300  # no Linux has so many processes, unless it is told to
Kernel = Callable[[], Library]


@pytest.fixture
def ticks() -> Clock:
    """The clock of whoever watches."""
    return Clock()


@pytest.fixture
def kernel(folder: Path, clock: Clock, ticks: Clock) -> Kernel:
    """Return the library as a kernel of its own has it, whose heart beats when it is told to."""

    def made() -> Library:
        liveness = Liveness(folder / ".pending", ticks, beats=False)
        return Library(folder, clock=clock, liveness=liveness)

    return made


def begun(library: Library, prompt: str = "a cat") -> Entry:
    return library.begin(
        ImageRequest(prompt), key="k", base_url="http://x", origin="platform", slot=None
    )


def seen(library: Library) -> Entry:
    (entry,) = library.pending()
    return entry


@contextmanager
def owner_of_one(folder: Path, tmp_path: Path) -> Iterator[Any]:
    """Yield a process that has begun an entry, sends it when it reads a line, and is killed."""
    code = """
        import os, signal, sys
        from opeai_nb.client import ImageRequest
        from opeai_nb.library import Library
        entry = Library(sys.argv[1]).begin(
            ImageRequest("a cat"), key="key", base_url="http://x", origin="platform"
        )
        print("begun", flush=True)
        if sys.stdin.readline():
            entry.sending()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    run = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    with start(run, stdin=PIPE, stdout=PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout.readline() == "begun\n"
        yield process


def of_another_machine(entry: Entry, **changes: Any) -> None:
    """Let an entry look as if a process that cannot be seen from here had begun it."""
    assert entry.folder is not None
    path = entry.folder / "journal.jsonl"
    facts = json.loads(path.read_text().splitlines()[0])
    facts["owner"].update(host="host7", system="another boot", **changes)
    path.write_text(json.dumps(facts) + "\n")


# -- the short claim


def test_the_second_waits_until_the_first_has_begun(tmp_path: Path, ticks: Clock) -> None:
    first, order = Claims(tmp_path, clock=ticks), []
    inside, may_end = threading.Event(), threading.Event()

    def begin() -> None:
        with first.hold(REQUEST) as claim:
            inside.set()
            may_end.wait(30)
            order.append(("first", claim.holds))

    thread = threading.Thread(target=begin)
    thread.start()
    inside.wait(30)
    with Claims(tmp_path, clock=ticks, sleep=lambda _: may_end.set()).hold(REQUEST) as claim:
        order.append(("second", claim.holds))
    thread.join()
    assert order == [("first", True), ("second", True)]


def test_nothing_is_left_of_a_claim(tmp_path: Path) -> None:
    with Claims(tmp_path).hold(REQUEST):
        assert len(list(tmp_path.glob(".claim-*"))) == 1
    assert list(tmp_path.glob(".claim-*")) == []


def test_another_request_is_claimed_beside_it(tmp_path: Path) -> None:
    with Claims(tmp_path).hold(REQUEST), Claims(tmp_path).hold(REQUEST[::-1]) as other:
        assert other.holds


@pytest.mark.parametrize(
    ("text", "patience"),
    [
        (json.dumps({**this_process(), "start": "another"}), 0),  # it is gone: at once
        (json.dumps({**this_process(), "pid": NEVER}), 0),
        (json.dumps({**this_process(), "system": "another boot", "machine": "another"}), 30),
        (json.dumps({**this_process(), "claim": "of this process, frozen"}), 30),
        ("", 5),  # it died, or was frozen, between making the file and writing it
        ("{", 30),
    ],
)
def test_a_claim_of_one_who_does_not_come_back_is_taken(
    tmp_path: Path, ticks: Clock, text: str, patience: float
) -> None:
    (tmp_path / f".claim-{REQUEST}").write_text(text)
    began = ticks.now
    with Claims(tmp_path, clock=ticks, sleep=lambda _: ticks.pass_(1.0)).hold(REQUEST) as claim:
        assert claim.holds
    assert ticks.now - began == patience
    assert list(tmp_path.glob(".claim-*")) == []


@pytest.mark.parametrize("kind", ["folder", "fifo", "link", "dangling link"])
def test_what_stands_in_a_claims_place_is_no_claim(tmp_path: Path, ticks: Clock, kind: str) -> None:
    """It is put aside, and followed nowhere."""
    outside, path = tmp_path / "outside", tmp_path / "journal" / f".claim-{REQUEST}"
    outside.write_text("theirs")
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(outside if kind == "link" else tmp_path / "nothing")
    claims = Claims(path.parent, clock=ticks, sleep=lambda _: ticks.pass_(1.0))
    for _ in range(2):
        with claims.hold(REQUEST) as claim:
            assert claim.holds
    assert outside.read_text() == "theirs"


@pytest.mark.parametrize("sends", [None, -5, 10**30, True])
@pytest.mark.parametrize(
    "owner", [None, {}, {"token": 5}, {"token": "a" * 16, "pid": [], "host": {}, "start": 3}]
)
def test_an_entry_that_was_edited_is_nobodys_and_harmless(
    kernel: Kernel, sends: object, owner: object
) -> None:
    path = begun(kernel()).folder / "journal.jsonl"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "owner": owner, "sends": sends}))
    for entry in kernel().pending():
        assert (entry.is_alive, entry.worker) == (False, entry.worker)
        entry.void()
        entry.forget()


def test_who_was_frozen_sees_that_its_claim_is_gone(tmp_path: Path, ticks: Clock) -> None:
    with Claims(tmp_path, clock=ticks).hold(REQUEST) as frozen:
        with Claims(tmp_path, clock=ticks, sleep=lambda _: ticks.pass_(31.0)).hold(
            REQUEST
        ) as claim:
            assert (frozen.holds, claim.holds) == (False, True)
        assert not frozen.holds


def test_two_who_take_the_same_claim_do_not_both_hold_it(tmp_path: Path, ticks: Clock) -> None:
    """The second moves the first one's new claim away: the first sees it before it sends."""
    left = json.dumps({**this_process(), "start": "another"})
    path = tmp_path / f".claim-{REQUEST}"
    path.write_text(left)
    with Claims(tmp_path, clock=ticks).hold(REQUEST) as first:
        path.write_text(left)  # what the second read a moment ago
        with Claims(tmp_path, clock=ticks).hold(REQUEST) as second:
            assert (first.holds, second.holds) == (False, True)


def test_where_nothing_can_be_written_nobody_else_can_begin(tmp_path: Path) -> None:
    (tmp_path / "imagine").write_text("no folder")
    with Claims(tmp_path / "imagine").hold(REQUEST) as claim:
        assert claim.holds


# -- who lives


def test_who_lets_its_counter_stand_still_for_two_minutes_is_dead(
    kernel: Kernel, ticks: Clock
) -> None:
    """Frozen, or suspended: its process is there, and does nothing."""
    entry = begun(kernel())
    watcher = kernel()
    assert seen(watcher).is_alive
    ticks.pass_(DEAD_SECONDS - 1)
    assert seen(watcher).is_alive
    ticks.pass_(1)
    assert not seen(watcher).is_alive
    assert entry.is_mine, "it does not know yet"


def test_a_watcher_that_has_just_begun_has_not_watched(kernel: Kernel, ticks: Clock) -> None:
    """The counter is a day old, says the disk's clock: it may be another machine's clock."""
    begun(kernel())
    ticks.pass_(86_400)
    assert seen(kernel()).is_alive


def test_a_counter_that_moves_keeps_its_owner_alive(
    folder: Path, clock: Clock, ticks: Clock, kernel: Kernel
) -> None:
    liveness = Liveness(folder / ".pending", ticks, beats=False)
    begun(Library(folder, clock=clock, liveness=liveness))
    watcher = kernel()
    for _ in range(30):
        assert seen(watcher).is_alive
        ticks.pass_(10)
        liveness.beat()
    assert seen(watcher).is_alive


def test_a_process_that_is_gone_is_dead_at_once(kernel: Kernel, ticks: Clock) -> None:
    begun(kernel())
    entry = seen(kernel())
    entry.stands["owner"]["start"] = "1"  # its number belongs to another process now
    assert not entry.is_alive


HERE = {**this_process(), "machine": "3f2a9c1d5e6f7081", "space": "pid:[4026531836]"}
"""A Linux machine that has an id, and no container on it."""
OTHER_BOOT = {"system": "another boot"}


@pytest.mark.parametrize(
    "change", [{"machine": "another", **OTHER_BOOT}, {"space": "pid:[4026532999]"}, {"host": "h7"}]
)
def test_a_process_id_of_elsewhere_says_nothing(change: dict[str, str]) -> None:
    """Another container, or another machine."""
    owner = {**HERE, "system": HERE["system"] or "a boot", "pid": NEVER}
    here = {**owner, "pid": os.getpid()}
    assert is_gone(owner, here)
    assert not is_gone({**owner, **change}, here)


def test_what_ran_before_the_machine_was_started_anew_is_dead_at_once() -> None:
    here = {**HERE, "system": "this boot"}
    before = {**here, **OTHER_BOOT}
    assert is_gone(before, here), "though a process of now has its number"
    for telling in ("machine", "space", "host", "system"):
        assert not is_gone({**before, telling: ""}, here), telling


def test_a_container_does_not_know_whether_its_machine_is_the_same() -> None:
    """Its image gives the id of a machine and a name to all that are made of it."""
    inside = {**HERE, "system": "this boot", "space": "pid:[4026532999]"}
    assert not is_gone({**inside, **OTHER_BOOT}, inside)


def test_an_owner_of_elsewhere_is_watched(kernel: Kernel, ticks: Clock) -> None:
    of_another_machine(begun(kernel()), pid=NEVER)
    watcher = kernel()
    assert (seen(watcher).is_alive, seen(watcher).worker) == (True, "another kernel on host7")
    ticks.pass_(DEAD_SECONDS)
    assert not seen(watcher).is_alive


def test_an_entry_that_came_without_its_counter_is_nobodys(kernel: Kernel, folder: Path) -> None:
    """A library that was unpacked, or copied without what is hidden in its journal."""
    of_another_machine(begun(kernel()))
    for path in (folder / ".pending" / ".alive").iterdir():
        path.unlink()
    assert not seen(kernel()).is_alive


def test_who_begins_anew_after_the_folder_was_emptied_is_alive(
    kernel: Kernel, folder: Path
) -> None:
    owner = kernel()
    begun(owner).forget()
    shutil.rmtree(folder / ".pending")
    begun(owner)
    assert seen(kernel()).is_alive


def test_an_entry_of_the_first_version_is_understood() -> None:
    host = this_process()["host"]
    assert is_gone({"token": "0" * 16, "pid": NEVER, "host": host})
    assert not is_gone({"token": "0" * 16, "pid": os.getpid(), "host": host})
    assert not is_gone({"token": "0" * 16, "pid": NEVER, "host": "another"})


def test_a_process_is_told_by_its_start() -> None:
    assert start_of(os.getpid()) == this_process()["start"] != ""
    assert start_of(NEVER) == "gone"
    assert not is_gone(this_process())


def test_who_works_there_is_told_to_people() -> None:
    here = dict(this_process())
    assert describe(here) == describe({}) == "another kernel"
    assert describe({**here, "user": "ann", "host": "host7"}) == "ann's kernel on host7"
    assert describe({**here, "user": "a\x1b[2Jnn"}).isprintable()


def test_a_counter_goes_when_its_process_is_dead(kernel: Kernel, ticks: Clock) -> None:
    owner = kernel()
    begun(owner)
    (path,) = (owner.folder / ".pending" / ".alive").iterdir()
    watcher = kernel()
    watcher.pending()
    assert path.exists()
    ticks.pass_(DEAD_SECONDS)
    watcher.pending()
    assert not path.exists()


# -- who was called dead and wakes up


def test_what_was_never_sent_is_not_sent_by_who_wakes_up(kernel: Kernel, ticks: Clock) -> None:
    frozen = begun(kernel())
    watcher = kernel()
    seen(watcher)
    ticks.pass_(DEAD_SECONDS)
    assert seen(watcher).void()
    assert seen(watcher).void(), "also where who did so was killed a moment later"
    with pytest.raises(TakenOverError):
        frozen.sending()
    watcher.forget(frozen)
    with pytest.raises(TakenOverError):
        frozen.sending()


def test_what_may_have_left_is_not_given_up(kernel: Kernel, ticks: Clock) -> None:
    """The watcher read `not sent`; its owner wakes up and sends before the watcher goes on."""
    frozen = begun(kernel())
    watcher = kernel()
    seen(watcher)
    ticks.pass_(DEAD_SECONDS)
    left = seen(watcher)
    frozen.sending()
    assert (left.truth, left.void()) == ("not sent", False)
    assert seen(watcher).truth == "outcome unknown"


def test_what_its_owner_sent_before_it_died_is_not_given_up(
    kernel: Kernel, folder: Path, tmp_path: Path
) -> None:
    """The watcher read `not sent`; its owner sends and dies before the watcher goes on."""
    watcher = kernel()
    with owner_of_one(folder, tmp_path) as owner:
        left = seen(watcher)
        owner.stdin.write("send\n")
        owner.stdin.close()
        assert owner.wait(60) == -signal.SIGKILL
    assert (left.truth, left.void(), left.is_as_read()) == ("not sent", False, False)
    now = seen(watcher)
    assert (now.truth, now.is_as_read()) == ("outcome unknown", True)


def test_what_its_owner_did_not_send_before_it_died_is_given_up(
    kernel: Kernel, folder: Path, tmp_path: Path
) -> None:
    watcher = kernel()
    with owner_of_one(folder, tmp_path) as owner:
        left = seen(watcher)
        owner.kill()
        owner.wait(60)
    assert (left.truth, left.void()) == ("not sent", True)


def test_each_sending_has_a_right_of_its_own(kernel: Kernel, ticks: Clock) -> None:
    """Refused with 429, and frozen in the pause: its next attempt must not leave either."""
    frozen = begun(kernel())
    frozen.sending()
    frozen.returned("no room")
    watcher = kernel()
    seen(watcher)
    ticks.pass_(DEAD_SECONDS)
    assert (seen(watcher).truth, seen(watcher).void()) == ("refused", True)
    with pytest.raises(TakenOverError):
        frozen.sending()


def test_two_do_not_send_the_same_again_at_once(kernel: Kernel, ticks: Clock) -> None:
    """Both do so knowingly; the first is frozen after it has taken over, and wakes up."""
    begun(kernel()).sending()
    one, two = kernel(), kernel()
    seen(one), seen(two)
    ticks.pass_(DEAD_SECONDS)
    first = one.take_over(seen(one))
    with pytest.raises(LibraryError, match="Another kernel works on"):
        two.take_over(seen(two))
    ticks.pass_(DEAD_SECONDS)
    second = two.take_over(seen(two))
    second.sending()
    with pytest.raises(TakenOverError):
        first.sending()


def test_who_wakes_up_does_not_release_what_another_took(kernel: Kernel, ticks: Clock) -> None:
    frozen = begun(kernel())
    frozen.sending()
    watcher = kernel()
    seen(watcher)
    ticks.pass_(DEAD_SECONDS)
    watcher.take_over(seen(watcher))
    frozen.release()
    assert seen(watcher).is_mine
    assert seen(kernel()).is_alive


def test_what_another_settled_meanwhile_is_no_news(kernel: Kernel, ticks: Clock) -> None:
    """No warning: what is under way in a frozen process was finished by another."""
    frozen = begun(kernel())
    frozen.sending()
    seen(kernel()).forget()
    frozen.unknown("cut")
    frozen.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_is_another_process(kernel: Kernel) -> None:
    library = kernel()
    entry = begun(library)
    reading, writing = os.pipe()
    if os.fork() == 0:
        told = f"{entry.is_mine} {entry.is_alive} {begun(library, 'a dog').is_mine}"
        os.write(writing, told.encode())
        os._exit(0)
    assert os.read(reading, 100) == b"False True True"
    os.wait()
    assert [(left.prompt, left.is_alive) for left in library.pending()] == [
        ("a cat", True),
        ("a dog", False),
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_threads_of_a_fork_that_begin_at_one_moment_are_one_process(tmp_path: Path) -> None:
    code = """
        import os, sys, threading
        from pathlib import Path
        from opeai_nb.library.journal.liveness import Liveness

        def works(name):
            start.wait()
            liveness.hold(name)
            owner = liveness.owner()
            start.wait()
            mine.append(liveness.is_mine(owner, name))

        sys.setswitchinterval(1e-6)
        for _ in range(80):
            liveness = Liveness(Path(sys.argv[1]), beats=False)
            liveness.hold("parent's")
            child = os.fork()
            if child == 0:
                start, mine = threading.Barrier(4), []
                threads = [threading.Thread(target=works, args=[name]) for name in "abcd"]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                os._exit(mine != [True] * 4)
            assert os.waitpid(child, 0)[1] == 0
        print("each")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    assert run(command).stdout == "each\n"


# -- what claims are made of


def files_of(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in folder.glob(".*") if path.is_file()}


def test_the_claims_of_a_busy_process_are_one_file_after_the_other(tmp_path: Path) -> None:
    claims = Claims(tmp_path, files=ClaimFiles(lambda: True))
    with claims.hold(REQUEST) as claim:
        first = files_of(tmp_path)
        assert claim.holds
    with claims.hold(REQUEST[::-1]) as claim:
        assert claim.holds
        assert files_of(tmp_path) == first


def test_two_claims_at_once_are_two_files_and_say_each_its_own(tmp_path: Path) -> None:
    claims = Claims(tmp_path, files=ClaimFiles(lambda: True))
    with claims.hold(REQUEST) as one, claims.hold(REQUEST[::-1]) as other:
        assert one.holds
        assert other.holds
        texts = {path.read_bytes() for path in tmp_path.glob(".claim-*")}
        assert len(texts) == 2


def test_the_files_of_claims_go_with_the_last_work(tmp_path: Path) -> None:
    is_busy = [True]
    files = ClaimFiles(lambda: is_busy[0])
    claims = Claims(tmp_path, files=files)
    with claims.hold(REQUEST):
        pass
    assert len(list(tmp_path.glob("*.part"))) == 1
    is_busy[0] = False
    files.tidy()
    with claims.hold(REQUEST):
        pass
    assert list(tmp_path.glob("*.part")) == []


def test_a_file_for_claims_that_was_swept_away_is_done_without(tmp_path: Path) -> None:
    claims = Claims(tmp_path, files=ClaimFiles(lambda: True))
    for _ in range(2):
        with claims.hold(REQUEST) as claim:
            assert claim.holds
        for path in tmp_path.glob("*.part"):
            path.unlink()


def test_a_claim_that_another_took_leaves_no_file_of_its_own(tmp_path: Path, ticks: Clock) -> None:
    frozen_claims = Claims(tmp_path, clock=ticks, files=ClaimFiles(lambda: True))
    with frozen_claims.hold(REQUEST) as frozen:
        sleep = Claims(tmp_path, clock=ticks, sleep=lambda _: ticks.pass_(31.0))
        with sleep.hold(REQUEST) as claim:
            assert (frozen.holds, claim.holds) == (False, True)
    assert files_of(tmp_path) == {(tmp_path / ".gitignore").stat().st_ino}


def test_where_a_file_takes_no_second_name_a_claim_is_a_file_of_its_own(tmp_path: Path) -> None:
    files = ClaimFiles(lambda: True)
    assert files.place(str(tmp_path), str(tmp_path / ("x" * 300)), b"mine") is None
    assert files.place(str(tmp_path), str(tmp_path / "claim"), b"mine") is None
    with Claims(tmp_path, files=files).hold(REQUEST) as claim:
        assert claim.holds
    assert not list(tmp_path.glob("*.part"))
