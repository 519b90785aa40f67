"""The library: a folder that a person can read, and what the toolkit does with it.

    begin, pending, take_over, forget    what is under way: `journal/`
    keep, unkept, lay_over               what came: `records/`, `laid_over`
    claim, turn, look, note              what a decision looks at, and notes: `replay/`
    mark, trashed                        what people say of it: `marks`

What is kept is asked for in its base classes: `kept_requests`, `queries`.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, Unpack

from opeai_nb.client.values.words import words_said
from opeai_nb.errors import LibraryError
from opeai_nb.guard import Guard
from opeai_nb.library.disk.files import Disk
from opeai_nb.library.journal.claim_files import ClaimFiles
from opeai_nb.library.journal.claims import Claims
from opeai_nb.library.journal.journal import FOLDER, Journal
from opeai_nb.library.journal.liveness import Liveness
from opeai_nb.library.kept_requests import KeptRequests, passed_over
from opeai_nb.library.laid_over import Layer
from opeai_nb.library.marks import Change, Marks, tag_of
from opeai_nb.library.records import write_record
from opeai_nb.library.records.keep_generation import Keeper
from opeai_nb.library.records.record import Record
from opeai_nb.library.records.spreading import MANY, SubfolderChoice, Subfolders
from opeai_nb.library.replay.notes import Notes, notebook_beside, notes_there
from opeai_nb.library.replay.replay import Note, Scene, Take, place_key
from opeai_nb.library.replay.session_takes import Session
from opeai_nb.library.replay.slot import Slot
from opeai_nb.library.timestamps import MOST_AHEAD, Timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.only import Only
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.values.words import Words
    from opeai_nb.library.journal.claims import Claim
    from opeai_nb.library.journal.entry import Entry

Origin = Literal["platform", "engine"]
Result = TypeVar("Result")

_ID_BYTES: Final = 4
_TAKES: Final = """
    SELECT id, created, cell, call, json_extract(stands, '$.place'), home, file, mtime, size
    FROM kept
    WHERE identity = ? AND origin IN (SELECT value FROM json_each(?))"""
_SIZE: Final = """
    SELECT (SELECT count(*) FROM (SELECT 1 FROM records LIMIT ?)),
    EXISTS (SELECT 1 FROM folder WHERE subfolder != '')"""
_OF_ID: Final = "SELECT 1 FROM records WHERE id = ?"


class Look(NamedTuple):
    """What is there of one request: the *scene* of a decision, and what its takes are.

    *files* holds the file of each record, *entries* each unfinished request, by their ids.
    *free_id* is one that no record has. *is_elsewhere* tells that another server was sent the
    same, and it is unfinished there, *is_in_part* that the index of a very large library had not
    all yet.
    """

    scene: Scene
    files: dict[str, Path]
    entries: dict[str, Entry]
    free_id: str | None = None
    is_elsewhere: bool = False
    is_in_part: bool = False

    def having(self, slot: Slot, take: str) -> Look:
        """Return the look once *slot* has a take."""
        return self._replace(scene=self.scene._replace(had=self.scene.had.having(slot, take)))


class Library(KeptRequests):
    """Keeps what was asked and what came back in *folder*, which is made with the first write.

    What the folder does not take, another user's or a full disk, is kept in the user's own data
    folder, and read together with the rest. *clock* gives seconds since 1970. With *metadata* each
    picture file tells where it comes from; without, the files are the received bytes as they are.
    *liveness* tells who works on what (tests pass one with a clock of theirs), *disk* is what it is
    written with. *subfolders* says whether what is made lies in sub-folders by date: `always`,
    `never`, or `auto`, in a library of more than 10,000 records, or that has some already; all are
    read in any case. Any thread and any number of processes may use one folder at once. Methods are
    plain functions that wait for the disk.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        clock: Callable[[], float] = time.time,
        metadata: bool = True,
        liveness: Liveness | None = None,
        disk: Disk | None = None,
        subfolders: SubfolderChoice = "auto",
    ) -> None:
        super().__init__(folder, disk or Disk())
        self.metadata = metadata
        self.subfolders = subfolders
        self._clock = clock
        self._timestamps = Timestamps(clock)
        liveness = liveness or Liveness(self.folder / FOLDER)
        second = Liveness(self.homes.second / FOLDER, liveness.clock)
        alive = {self.folder: liveness, self.homes.second: second}
        files = ClaimFiles(lambda: any(each.is_busy() for each in alive.values()))
        self._journal = Journal(self.homes, clock, alive, on_idle=files.tidy)
        journals = (home / FOLDER for home in self.homes.all)
        self._claims = Claims(*journals, clock=liveness.clock, files=files)
        self._notes = Notes(self.homes)
        self._keeper = Keeper(self.homes, lambda: self._index)
        self._subfolders = Subfolders(self.folder, self._is_large)
        self._told: set[str] = set()
        self._has_looked = False
        self._lock = Guard()

    def __repr__(self) -> str:
        return f"<Library: {self.folder.name}>"

    # -- what is under way

    def begin(
        self,
        request: ImageRequest,
        *,
        key: str,
        base_url: str,
        origin: Origin,
        slot: Slot | None = None,
        place: str | None = None,
        metadata: bool | None = None,
        subfolders: SubfolderChoice | None = None,
        words: Words | None = None,
        free_id: str | None = None,
        identity: str | None = None,
    ) -> Entry:
        """Put the intent to send *request* on the disk and return its entry, `intended`.

        *key* is the Idempotency-Key, *place* that of the take which its slot had before;
        *metadata* and *subfolders* override the library's own choice for this one, a resume after
        a restart included; *words* are said of its pictures; *free_id* is that of a look and
        *identity* the request's, where they are known. Raises `InputError` when the request is too
        long to be read back, `LibraryError` when no disk takes the intent: then nothing may be
        sent.
        """
        created, entry_id = self._timestamps.now(), free_id or self._new_id()
        name = write_record.stem(request.prompt, created, entry_id)
        return self._journal.begin(
            request,
            entry_id=entry_id,
            name=name,
            subfolder=self._subfolders.of(name, subfolders or self.subfolders),
            created=created,
            key=key,
            base_url=base_url,
            origin=origin,
            slot=slot,
            place=place,
            metadata=self.metadata if metadata is None else metadata,
            words=words.to_json() if words else None,
            identity=identity,
        )

    def spread(self) -> None:
        """Let what is begun from now on lie in sub-folders by date, where that is left to `auto`.

        Other processes that use this library see it, too.
        """
        self._subfolders.spread(write_record.day_of(self._clock()), self.homes.disk)

    def _is_large(self) -> bool:
        try:
            rows = self._index.rows(_SIZE, (MANY + 1,), whole=False)
        except LibraryError:
            return False  # a folder that cannot be read does not hold up the request
        if self._index.growth is not None:
            return True
        return any(has_some or records > MANY for records, has_some in rows)

    def pending(self) -> list[Entry]:
        """Return everything unfinished, oldest first, whichever process wrote it."""
        return self._journal.entries()

    def entry(self, id_or_prefix: str) -> Entry:
        """Return one unfinished request, by the beginning of its id or by its task's id.

        Raises `LibraryError` when there is none, or more than one.
        """
        return self._journal.entry(id_or_prefix)

    def take_over(self, entry: Entry) -> Entry:
        """Take over what nobody works on any more; return it as it stands on the disk now.

        Raises `LibraryError` where somebody works on it, or has finished it.
        """
        with self.claim(entry.identity):
            now = self._left_alone(entry)
            now.adopt()
            return now

    def forget(self, entry: Entry) -> None:
        """Drop an unfinished request, with whatever reached us of it.

        Raises `LibraryError` where somebody works on it.
        """
        with self.claim(entry.identity):
            now = self._left_alone(entry)
            now.void()
            now.forget()

    def _left_alone(self, entry: Entry) -> Entry:
        now = self._journal.now(entry)
        if now is None:
            raise LibraryError(
                f"The request {entry.id} is finished, or was dropped, since it was looked up.",
                advice="%imagine history lists what is kept, %imagine tasks what is unfinished.",
            )
        if now.is_alive and not now.is_mine:
            raise _living(now)
        return now

    def keep(self, entry: Entry, generation: Generation) -> Generation:
        """Put bytes and record on the disk, then settle the entry.

        Returns the generation with its pictures in their files. Where both homes refuse, a
        `LibraryWarning` says so and the generation comes back as it is, in memory or in the
        journal's files; the entry stays, so that a resume can keep it later. Keeping an entry
        that is kept already returns what is kept, unless more came of it now. An answer that could
        not be read to its end (`generation.answer`) stays in the journal, for a later version.
        """
        return self._keeper.keep(entry, generation)

    def unkept(self, entry: Entry) -> Generation | None:
        """Return what came for an entry in this process and no disk took, if that is so."""
        return self._keeper.unkept.get(entry.id)

    def lay_over(
        self, generation: Generation, only: Only, record_id: str, *, metadata: bool | None = None
    ) -> Generation:
        """Return a generation with its pictures laid over the one that was edited, and keep that.

        *record_id* is that of its record. What was made before is shown as it is. What cannot be
        laid over stays as it came, and `laid_notes` says why. *metadata* overrides the library's
        own choice.
        """
        has_metadata = self.metadata if metadata is None else metadata
        layer = Layer(self.homes, only, has_metadata, self._timestamps.now())
        record = None
        with suppress(LibraryError):  # no disk took it: then it is in memory, and so is this
            record = self.record(record_id)
        return layer.laid(generation, record)

    # -- replay

    def claim(self, request: str) -> AbstractContextManager[Claim]:
        """Return what is entered to look and to begin, by one at a time for each identity."""
        return self._claims.hold(request)

    def turn(
        self, request: str
    ) -> AbstractContextManager[Callable[[], AbstractContextManager[Claim]]]:
        """Return what is entered to look; it yields what is entered to begin, too."""
        return self._claims.turn(request)

    def look(
        self,
        request: str,
        session: Session,
        *,
        origins: Collection[str],
        server: str,
        row: str | None = None,
        prompt: str | None = None,
    ) -> Look:
        """Return all that a decision on *request*, an identity, looks at.

        *row* names who asks for it where that is not the request itself (`replay.row_key`). Records
        count when their origin is one of *origins*, unfinished requests when they were
        sent to *server*. While the index of a very large library is made, what is there of the
        request is looked for by its *prompt*; without, that is waited for.
        """
        asked, new_id = row or request, secrets.token_hex(_ID_BYTES)
        # The journal before the index: what is settled between the two is seen twice, not lost.
        unfinished = self._journal.of(request)
        is_elsewhere = _is_elsewhere(unfinished, server)
        questions = (_TAKES, (request, json.dumps(sorted(origins)))), (_OF_ID, (new_id,))
        (rows, same_id), is_in_part = self._answers(prompt, *questions)
        takes, files = self._kept_takes(rows, session, asked)
        # What is kept in part is a record; the rest of its answer is nobody's take.
        entries = {
            entry.id: entry
            for entry in unfinished
            if entry.base_url == server and entry.origin in origins and entry.id not in files
        }
        states = {name: entry.take_state for name, entry in entries.items()}
        if any(states[name] != "under way" and self._has_gone_on(entries[name]) for name in states):
            return self.look(
                request, session, origins=origins, server=server, row=row, prompt=prompt
            )
        takes += [
            Take(e.id, e.created, e.slot, e.place, state, is_mine=session.made.get(e.id) == asked)
            for e in entries.values()
            if (state := states[e.id]) is not None
        ]
        scene = self._scene(takes, session, asked)
        return Look(scene, files, entries, None if same_id else new_id, is_elsewhere, is_in_part)

    def _kept_takes(
        self, rows: Sequence[tuple[Any, ...]], session: Session, asked: str
    ) -> tuple[list[Take], dict[str, Path]]:
        """Return the takes that records are, and the file of each."""
        homes, trash = self.homes.all, self._marks.trashed() if rows else frozenset()
        takes: list[Take] = []
        files: dict[str, Path] = {}
        for record, created, cell, call, place, home, file, *_ in rows:
            slot = Slot(cell, call) if call else None
            own = place or place_key(created, record)
            is_mine, is_trashed = session.made.get(record) == asked, record in trash
            takes.append(Take(record, created, slot, own, is_mine=is_mine, is_trashed=is_trashed))
            files[record] = homes[home] / file
        return takes, files

    def _scene(self, takes: list[Take], session: Session, asked: str) -> Scene:
        """Return what the rule of replay looks at, in the order in which it was made."""
        ordered, notes = sorted(takes, key=lambda take: take.order), self._notes.of(asked)
        self._timestamps.saw([take.at for take in ordered] + [note.at for note in notes])
        notebook = notebook_beside(self.folder, session.notebook)
        notes = notes_there(self.folder, notes) if notebook else notes
        return Scene(tuple(ordered), notes, session.had(asked), session.name, notebook)

    def _has_gone_on(self, entry: Entry) -> bool:
        """Tell whether its owner went on with it, and ended, since it was read: then look again."""
        return self._journal.now(entry) is None or not entry.is_as_read()

    def note(self, request: str, session: Session, slot: Slot, take: str) -> None:
        """Note for later sessions which take a slot has."""
        notebook = notebook_beside(self.folder, session.notebook)
        note = Note(self._timestamps.following(), session.name, slot, take, notebook)
        self._notes.add(request, note)

    def new_session(self) -> Session:
        """Return the session of a kernel that starts now: the latest one, whatever the clock says.

        The clock may have been set back since the one before began.
        """
        return Session(after=self._notes.latest_start(self._clock() + MOST_AHEAD))

    def problems(self, *, new: bool = False) -> list[str]:
        """Return what is skipped in the folder, each once, with the reason.

        With *new*, only what no such call has returned yet; the pictures of all records are looked
        at by the first one then, and those of a record whenever it is shown.
        """
        if not (new and self._has_looked):
            for _ in self.records(trashed=True):
                pass  # each is looked at: a picture may have been spoiled in place
            self._has_looked = True
        rows = self._index.rows("SELECT file, problem FROM records WHERE problem IS NOT NULL")
        rows += [found for home in self.homes.there for found in passed_over(home)]
        found = sorted([*(f"{file}: {told}" for file, told in rows), *self._journal.problems()])
        with self._lock:
            fresh = [text for text in found if text not in self._told]
            self._told.update(fresh if new else ())
        return fresh if new else found

    # -- marks

    @property
    def trashed(self) -> frozenset[str]:
        """The ids of the records in the trash."""
        return self._marks.trashed()

    def mark(self, id_or_prefix: str, **change: Unpack[Change]) -> Marks:
        """Change what is said of a record and return what holds then.

        `3f2a9c1d-2` names the second picture of a record, as its file does: it is starred, tagged
        and noted by itself, and goes into the trash with its record alone, which replays whole.
        *star* and *trash* are switched, *note*, *alt*, *caption* and *keywords* are replaced, *tag*
        and *untag* are lists of words; what is not given stays. Nothing is deleted: what is in the
        trash is not listed and not replayed, its files stay, and `trash=False` brings it back.
        Raises `LibraryError` when there is no such record or picture, a tag is none, or no folder
        can be written, `InputError` for an alt text, caption or keywords that cannot be.
        """
        return self.mark_all([id_or_prefix], **change)[0]

    def mark_all(self, ids: Sequence[str], **change: Unpack[Change]) -> list[Marks]:
        """Change what is said of each, as `mark` does; where one is none, of none of them."""
        if "tag" in change:
            change["tag"] = [tag_of(text) for text in change["tag"]]
        if "untag" in change:
            change["untag"] = [text.strip().removeprefix("#") for text in change["untag"]]
        said: Any = {**change, **words_said(change)}
        named = [self._named(text, is_for_all="trash" in change) for text in ids]
        return self._marks.change(named, said, self._timestamps.now)

    def _named(self, text: str, *, is_for_all: bool) -> tuple[Record, int | None]:
        """Return the record that *text* names, and which of its pictures; None for all of them."""
        beginning, _, number = text.partition("-")
        record = self.record(beginning)
        picture = _picture_in(record, number) if number else None
        if picture is not None and is_for_all:
            raise LibraryError(
                f"{text} is one of {len(record.pictures)} pictures that replay together.",
                advice=f"Trash them all: {record.id}. Nothing was changed.",
            )
        return record, picture

    # -- names

    def _new_id(self) -> str:
        while True:
            found = secrets.token_hex(_ID_BYTES)
            try:
                if not self._index.rows(_OF_ID, (found,), whole=False):
                    return found
            except LibraryError:
                return found  # a folder that cannot be read does not hold up the request


def _is_elsewhere(unfinished: Sequence[Entry], server: str) -> bool:
    """Tell whether another server than *server* may be making this, or have made it."""
    others = (it for it in unfinished if it.base_url != server and it.origin == "platform")
    return any(entry.take_state is not None for entry in others)


def _living(entry: Entry) -> LibraryError:
    return LibraryError(
        f"{entry.worker.capitalize()} works on the request {entry.id}, or did until a moment ago.",
        advice="Its pictures land in this library, and running the cell waits for them. If that "
        "kernel is gone, this works two minutes later. Nothing was sent.",
    )


def _picture_in(record: Record, number: str) -> int | None:
    """Return which picture of a record is meant; None where it is the only one."""
    count = len(record.pictures)
    if not number.isdecimal() or not 1 <= int(number) <= count:
        raise LibraryError(
            f"{record.id} has no picture {number!r}.",
            advice=f"They are numbered from 1 to {count}.",
        )
    return int(number) if count > 1 else None
