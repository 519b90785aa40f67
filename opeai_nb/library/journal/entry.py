"""One unfinished request, as the journal knows it."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

from opeai_nb.client.values.filename import extension
from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import LibraryError
from opeai_nb.formats import sniff_format
from opeai_nb.library.disk.files import (
    DISK,
    Disk,
    is_plain_file,
    own_folder,
    remove_folder,
    sync_folder,
    write_whole,
)
from opeai_nb.library.documents import State
from opeai_nb.library.journal.answer_json import read_answer, write_answer
from opeai_nb.library.journal.journal_file import add_facts, owner_in, read_facts
from opeai_nb.library.journal.process import describe
from opeai_nb.library.journal.received_files import (
    ANSWER,
    MOST_OF_AN_ANSWER,
    received_in,
)
from opeai_nb.library.journal.right_to_send import RightToSend, sendings_in
from opeai_nb.library.journal.seal import hosts_in, is_sealed, sealed
from opeai_nb.library.library_warning import reason, warn
from opeai_nb.library.records.record import ENDING
from opeai_nb.library.records.request_facts import Fact, RequestFacts
from opeai_nb.library.records.validate import writable
from opeai_nb.library.replay.replay import TakeState
from opeai_nb.plain_file import read_plain
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.values.task import Task
    from opeai_nb.library.journal.liveness import Liveness
    from opeai_nb.library.journal.spare_folders import SpareFolders

Truth = Literal[
    "in flight",
    "not sent",
    "refused",
    "outcome unknown",
    "answer not read",
    "pending",
    "expired",
    "fetching",
    "not kept",
]

RETENTION: Final = 86_400.0
"""Seconds that the platform keeps the result of a task (platform.md 1.4)."""
_FIRST_BYTES: Final = 16


def record_file(facts: Mapping[str, Any]) -> str:
    """Return the file of the record that an entry's *facts* lead to, as the library names it."""
    subfolder = facts.get("subfolder")
    return f"{f'{subfolder}/' if subfolder else ''}{facts['name']}{ENDING}"


class TakenOverError(Exception):
    """Another process has taken an entry over while this one was frozen: it sends nothing."""


class Entry(RequestFacts):
    """One unfinished request.

    *id* is short and becomes the id of the record; *key* is the request's Idempotency-Key, the
    same on every attempt; *base_url*, *origin* and *slot* are as given; *created* is when it was
    begun. *state* is one of `intended sending pending fetching unknown`, *task_id*, *poll_path* and
    *deadline* (24 hours after the task, in seconds since 1970) are set once there is a task,
    *error* says why the outcome is unknown. Bytes stream into *folder*: a picture straight into it,
    or picture *i* into `folder / str(i)`. *home* is the folder of the library, or its second home.
    *is_adopted* says that another process, maybe with another key, began it, *has_blank* that an
    empty file may lie in *folder*, to be written to, *syncs* how many times its journal's folder
    was synced, or was about to be, when it came there (`syncs_begun`).

    Each method has its change on disk when it returns; where the disk refuses it warns once and
    goes on in memory. Only `sending` raises then: nothing is sent that no disk knows of.
    """

    def __init__(
        self,
        facts: dict[str, Any],
        *,
        library: Path,
        folder: Path,
        clock: Callable[[], float],
        liveness: Liveness,
        spares: SpareFolders,
        request: ImageRequest | None = None,
        disk: Disk = DISK,
    ) -> None:
        self.stands: dict[str, Any] = facts
        self._disk = disk
        self._clock = clock
        self._liveness = liveness
        self._spares = spares
        self.home = library
        self._request = request
        self.folder = folder
        self.key: str = facts["key"]
        self.base_url: str = facts["base_url"]
        self.name: str = facts["name"]
        self._sent: float | None = None
        self._before: tuple[State, str | None] = ("intended", None)
        self._is_lost = False
        self._is_durable = False
        self.is_adopted = False
        self.has_blank = False
        self.syncs: int | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.id}: {self.truth}, {printable_line(self.model)}>"

    # -- what it is

    @property
    def created(self) -> float:
        """When it was asked, in seconds since 1970."""
        created: float = self.stands["created"]
        return created

    @property
    def state(self) -> State:
        """What was noted last."""
        noted: State = self.stands.get("state", "intended")
        return noted

    task_id = Fact[str | None]()
    """The platform's id of the task, once there is one."""
    poll_path = Fact[str | None]()
    """Where the platform says that the task is asked about, if it does."""
    deadline = Fact[float | None]()
    """When the platform drops the result of the task, in seconds since 1970."""
    error = Fact[str | None]()
    """Why the outcome is unknown."""
    duration = Fact[float | None]()
    """Seconds from the request to its answer, where one process saw both."""

    subfolder = Fact[str | None]()
    """The sub-folder by date that its record is to lie in; None for the folder itself."""

    @property
    def record_file(self) -> str:
        """The file of its record, as it is named in the library."""
        return record_file(self.stands)

    @property
    def metadata(self) -> bool:
        """Whether the picture files are to tell where they come from."""
        return bool(self.stands.get("metadata", True))

    @property
    def request(self) -> ImageRequest:
        """The request, to be sent again as it was.

        Raises `LibraryError` when an input picture is gone or the journal has been edited.
        """
        if self._request is None:
            self._request = self._read_request(self.home, "the journal")
        return self._request

    @property
    def owner(self) -> Mapping[str, Any]:
        """The process that works on it, or worked on it last; empty once it has let go."""
        owner: Mapping[str, Any] = self.stands.get("owner") or {}
        return owner

    @property
    def worker(self) -> str:
        """Who works on it, for people: `another kernel`, `ann's kernel on host7`."""
        return describe(self.owner)

    @property
    def is_mine(self) -> bool:
        """True while a job of this process works on it."""
        return self._liveness.is_mine(self.owner, self.id)

    @property
    def is_alive(self) -> bool:
        """True while the process that works on it lives, this one or another."""
        return self._liveness.is_alive(self.owner, self.id)

    @property
    def truth(self) -> Truth:
        """What can be said of it.

        `in flight` while its process lives and has heard nothing yet; `refused` where the platform
        had no room for it, and it was not sent again; `answer not read` where an answer came and
        is kept that nobody could read; `not kept` where pictures came that no disk took,
        and no URL is known to fetch them again.
        """
        if self._is_held:
            return "fetching"
        if self.state in ("intended", "sending") and self.is_alive:
            return "in flight"
        if self.state == "intended":
            return "refused" if self.error else "not sent"
        if self.state == "sending" and self.origin == "engine" and not self._has_all():
            return "not sent"  # the engine was in that process, and ended with it: nothing is paid
        if self.state == "pending":
            return "expired" if self.time_left() == 0 else "pending"
        if self.state == "fetching":
            return "fetching" if self._can_be_fetched() else "not kept"
        return "answer not read" if self.has_unread else "outcome unknown"

    @property
    def take_state(self) -> TakeState | None:
        """What a run can do with it; None where it was not sent."""
        if self.is_alive:
            return "under way"
        truth = self.truth
        if truth in ("pending", "fetching", "expired"):
            return "pending"  # the last by this clock: the platform is asked once more
        if truth == "outcome unknown" and self._has_all():
            return "pending"
        return None if truth in ("not sent", "refused") else "unknown"

    def _has_all(self) -> bool:
        """Tell whether as many pictures as were asked for lie complete in the journal."""
        return len(self.received()) >= int(self.written.get("n") or 1)

    def _can_be_fetched(self) -> bool:
        items = (self.stands.get("answer") or {}).get("pictures", ())
        return any(item.get("url") for item in items) or bool(self.received())

    def time_left(self) -> float | None:
        """Return the seconds that the platform still keeps the task's result, 0 when it is over."""
        return None if self.deadline is None else max(0.0, self.deadline - self._clock())

    @property
    def has_answer(self) -> bool:
        """True once the whole answer was read: its number of pictures is known."""
        return self.stands.get("answer") is not None

    @property
    def is_over(self) -> bool:
        """True once the platform has dropped what it made, whether a task or the URLs it gave."""
        return self._clock() >= (self.deadline or self.created + RETENTION)

    @property
    def is_held_elsewhere(self) -> bool:
        """True while another living process has pictures of it that no disk took."""
        holder = self.stands.get("holder") or {}
        return not self._is_held and self._liveness.is_alive(holder, self._memory)

    @property
    def _is_held(self) -> bool:
        """True while this process has pictures of it that no disk took."""
        return self._liveness.is_mine(self.stands.get("holder") or {}, self._memory)

    @property
    def _memory(self) -> str:
        """What a process works on as long as its memory holds what no disk took."""
        return f"{self.id} in memory"

    # -- what becomes of it

    def adopt(self) -> None:
        """Take it over from a process that died: from now on this process works on it."""
        if self.is_mine:
            return
        self.is_adopted = True
        try:
            self._liveness.hold(self.id)
            self._note(owner=self._liveness.owner(), sends=sendings_in(self.folder))
        except OSError as error:
            self._lose(error)

    def release(self) -> None:
        """Note that nobody works on it any more: whoever asks for it may finish it."""
        is_mine = self.is_mine
        self._liveness.let_go(self.id)
        if is_mine and self._is_still_mine():
            self._note(durable=False, owner={})
        self._spares.tidy()

    def sending(self) -> None:
        """Note that the POST leaves now: if the process dies, the outcome is unknown.

        Raises `TakenOverError` where another process has taken it over, and `LibraryError` where
        the disk refuses: then it must not leave.
        """
        self._sent = self._clock()
        self._before = self.state, self.error
        try:
            if not self._right.take():
                raise TakenOverError
            self._write({"state": "sending", "error": None}, durable=True)
            self._outlast()
        except OSError as error:
            raise LibraryError(
                f"The library folder cannot be written ({reason(error)}), and what is not noted "
                "there could be lost after it is paid for.",
                advice="Make room, or choose another folder. Nothing was sent.",
            ) from error

    def _outlast(self) -> None:
        """Make the entry's name as durable as its file, once.

        The intent waits for the disk here, and not where it is written: one fsync for both its
        lines, and none for what is never sent. Of a batch another may have waited meanwhile.
        """
        if not self._is_durable:
            sync_folder(os.path.dirname(self.folder), after=self.syncs)  # noqa: PTH120  a Path costs more
            self._is_durable = True

    def returned(self, why: str) -> None:
        """Note that what left is not under way any more: it was refused, or never arrived.

        What an earlier sending came to stays as it was.
        """
        state, error = self._before
        told = why if state == "intended" else error
        self._note(state=state, error=told, sends=sendings_in(self.folder))

    def void(self) -> bool:
        """Make sure that what was never sent never is; False where it may have left.

        Its process may be frozen, and wake up: it finds that its right to send is gone. Or it has
        sent and died since its notes were read here.
        """
        if self._liveness.is_surely_gone(self.owner):  # it notes nothing more
            return self.is_as_read()
        return self._right.void()

    def is_as_read(self) -> bool:
        """Tell whether its file says of its sending what it said when it was read."""
        try:
            now = read_facts(self.folder)
        except (OSError, ValueError):  # settled, or edited
            return False
        return all(now.get(name) == self.stands.get(name) for name in ("state", "sends"))

    @property
    def _right(self) -> RightToSend:
        return RightToSend(self.folder, self.stands.get("sends") or 0)

    def submitted(self, task: Task) -> None:
        """Note the task: from now on GETs alone can finish it."""
        self._note(
            state="pending",
            task_id=task.id,
            poll_path=task.poll_path,
            deadline=self._clock() + RETENTION,
            request_id=task.request_id,
        )

    def answered(self, generation: Generation) -> None:
        """Note what came: the URLs of pictures not yet downloaded, usage and ids.

        Bytes that are in memory alone are written beside; those in files are noted where they are.
        """
        duration = None if self._sent is None else max(0.0, self._clock() - self._sent)
        pictures = generation.pictures
        try:
            pictures = tuple(self._on_disk(n, item) for n, item in enumerate(pictures))
        except OSError as error:
            self._lose(error)
        answer = write_answer(generation, pictures, self.folder)
        # What came whole is kept in a moment, and outlives a killed process as it is; a URL is
        # all there is of a picture until it is downloaded.
        is_open = any(item.source is None and item.error is None for item in pictures)
        seal = sealed(self.id, hosts, self._disk) if (hosts := _hosts(answer)) else None
        self._note(durable=is_open, state="fetching", answer=answer, duration=duration, seal=seal)

    def hold(self) -> None:
        """Note that pictures of it are in this process alone, where that can be noted."""
        with suppress(OSError):
            self._liveness.hold(self._memory)
            self._write({"holder": self._liveness.owner()}, durable=False)

    def unknown(self, reason: str) -> None:
        """Note that nobody can tell whether the request was carried out, and why."""
        self._note(state="unknown", error=reason)

    def unread(self, reason: str, answer: bytes) -> None:
        """Note that an answer came that nobody can read yet, and keep it as it came.

        Once there is a task its state stays, so that the task can be asked about again.
        """
        self.keep_answer(answer)
        state = "pending" if self.state == "pending" else "unknown"
        seal = sealed(self.id, _digest(answer), self._disk)
        self._note(state=state, error=reason, unread=True, seal=seal)

    def understood(self) -> None:
        """Note that the answer that is kept hides nothing: what was guessed of it was right."""
        self._note(unread=False)

    def keep_answer(self, answer: bytes) -> None:
        """Keep an answer as it came, 64 MB of it at most; warns where the disk refuses it."""
        if not answer:
            return
        try:
            write_whole(self.folder / ANSWER, answer[:MOST_OF_AN_ANSWER], disk=self._disk)
        except OSError as error:
            self._lose(error)

    def answer(self) -> bytes | None:
        """Return the answer that nobody could read, as it came; None where there is none."""
        try:
            return read_plain(self.folder / ANSWER, MOST_OF_AN_ANSWER)
        except (OSError, ValueError):
            return None

    @property
    def has_unread(self) -> bool:
        """True while an answer is kept that nobody could read."""
        return bool(self.stands.get("unread")) and is_plain_file(self.folder / ANSWER)

    def failed(self, reason: str) -> None:
        """Settle it without a picture: it was refused, or provably never sent.

        If pictures have reached us all the same, or an answer that nobody could read, they are not
        thrown away: it stays, as `unknown`.
        """
        if self.received() or self.has_unread:
            self.unknown(reason)
        else:
            self.forget()

    def forget(self) -> None:
        """Remove it from the journal, with whatever reached us."""
        for work in (self.id, self._memory):
            self._liveness.let_go(work)
        if self.is_adopted:  # another user's folder, maybe
            remove_folder(self.folder)
        else:
            self._spares.remove(self.folder)

    # -- what has reached us

    def received(self) -> dict[int, Path]:
        """Return the files of the pictures that are complete, by their place in the answer.

        After a cut answer, before any place is known, they are numbered as they came.
        """
        return received_in(self.folder, self.stands.get("answer"))

    def generation(self) -> Generation | None:
        """Return what came, for a resume: pictures with their files, or with the URL to fetch.

        None when no answer has come; raises `LibraryError` as `request` does.
        """
        return read_answer(self.stands.get("answer"), self.request, self.received(), self.task_id)

    def foreign_hosts(self) -> frozenset[str]:
        """Return the hosts of pictures that somebody else's journal names; none of one's own."""
        answer = self.stands.get("answer")
        hosts = hosts_in(answer)
        is_own = not hosts or is_sealed(self.stands.get("seal"), self.id, _hosts(answer))
        return frozenset() if is_own else hosts

    def wrote(self, answer: bytes) -> bool:
        """Tell whether this user kept *answer*, which nobody could read."""
        return is_sealed(self.stands.get("seal"), self.id, _digest(answer))

    # -- the journal's file

    def _on_disk(self, number: int, picture: Picture) -> Picture:
        if not isinstance(picture.source, bytes) or not picture.source:
            return picture
        ending = extension(sniff_format(picture.source[:_FIRST_BYTES]))
        folder = own_folder(self.folder / str(number), disk=self._disk)
        path = folder / f"received.{ending}"
        write_whole(path, picture.source, durable=False, disk=self._disk)
        return Picture(source=path, revised_prompt=picture.revised_prompt)

    def _note(self, *, durable: bool = True, **changes: Any) -> None:
        changes = writable(changes)
        try:
            self._write(changes, durable=durable)
        except OSError as error:
            self.stands.update(changes)
            self._lose(error)

    def _write(self, changes: dict[str, Any], *, durable: bool) -> None:
        line = {"at": self._clock(), **changes}
        if self.is_adopted:  # its owner may settle it meanwhile, and use the file again
            line["id"] = self.id
        add_facts(self.folder, line, durable=durable, disk=self._disk)
        self.stands.update(changes)

    def _is_still_mine(self) -> bool:
        """Tell whether the journal's last word names this process: it may have been frozen."""
        owner = owner_in(self.folder)
        return owner is not None and owner.get("token") == self.owner.get("token")

    def _lose(self, error: OSError) -> None:
        is_settled = not self.folder.exists()  # by another process
        if self._is_lost or is_settled:
            return
        self._is_lost = True
        warn(
            f"The journal cannot be written ({reason(error)}): if this kernel dies before the "
            "pictures are kept, this request may not be resumed."
        )


def _hosts(answer: Mapping[str, Any] | None) -> str:
    return " ".join(sorted(hosts_in(answer)))


def _digest(answer: bytes) -> str:
    return hashlib.sha256(answer[:MOST_OF_AN_ANSWER]).hexdigest()
