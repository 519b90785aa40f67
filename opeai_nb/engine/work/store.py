"""Where generations and their pictures are kept for 24 hours: SQLite, in a file or in memory.

A generation keeps its whole request, and painting is deterministic: a picture whose bytes are not
there yet (its process died first) can be painted by whoever asks next. Several processes may use
one file: WAL, a busy timeout, one short transaction for each call.
"""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RETENTION: Final = 86_400.0  # seconds that results are kept, platform.md 1.4
_RECIPES_KEPT: Final = 365 * RETENTION  # a picture in somebody's library is edited months later
_PRUNE_EVERY: Final = 600.0  # seconds: rare beside requests, often beside a day
_BUSY_SECONDS: Final = 10.0  # what another process's transaction may take on a slow disk
_FILE: Final = "engine-1.sqlite3"  # the number is the schema's
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS generations (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL, created REAL NOT NULL,
    starts REAL NOT NULL, ends REAL NOT NULL, fate TEXT NOT NULL,
    key TEXT UNIQUE, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (
    generation TEXT NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (generation, position));
CREATE TABLE IF NOT EXISTS pictures (
    id TEXT PRIMARY KEY, generation TEXT NOT NULL, position INTEGER NOT NULL,
    signature TEXT NOT NULL, expires REAL NOT NULL, data BLOB);
CREATE TABLE IF NOT EXISTS recipes (
    pixels TEXT PRIMARY KEY, recipe TEXT NOT NULL, created REAL NOT NULL);
CREATE INDEX IF NOT EXISTS pictures_of ON pictures (generation, position);
CREATE INDEX IF NOT EXISTS generations_by_age ON generations (created);
"""


@dataclass(frozen=True, slots=True)
class StoredGeneration:
    """One accepted request, sync or task; times are the engine's clock, in seconds."""

    id: str
    kind: str
    """`sync` or `task`."""
    request: str
    """JSON, see `ApiRequest.dumps`."""
    created: float
    starts: float
    """When a task leaves the queue."""
    ends: float
    """When a task is done, if its pictures are painted by then."""
    fate: str
    """`success`, `failure`, `expired` or `canceled`."""
    key: str | None
    """The request's Idempotency-Key."""
    digest: str
    """Of the request's body: one key belongs to one body."""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """One picture of a generation, without its bytes."""

    id: str
    generation: str
    position: int
    signature: str
    """The query string that its URL must carry, to the letter."""
    expires: float
    painted: bool


class Store:
    """Generations, input images and pictures. Every method may be called from any thread.

    *folder* None keeps all in memory. Raises OSError or sqlite3.Error where the folder is unusable.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._pruned = 0.0
        self._write_lock = Guard()
        if folder is None:
            self._writer = self._reader = _connect(":memory:")
            self._read_lock = self._write_lock
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(str(folder / _FILE))
            self._reader = _connect(str(folder / _FILE))
            self._read_lock = Guard()
        self._finalizer = weakref.finalize(
            self, _close, (self._write_lock, self._read_lock), (self._writer, self._reader)
        )

    def close(self) -> None:
        """Close the files; also done when the store is collected or the interpreter ends."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        """Tell whether `close` was called or the interpreter is about to end."""
        return not self._finalizer.alive

    def add(
        self,
        generation: StoredGeneration,
        inputs: Sequence[bytes],
        pictures: Sequence[StoredPicture],
    ) -> StoredGeneration:
        """Keep *generation*, or return the one that has its Idempotency-Key already."""
        if generation.created - self._pruned > _PRUNE_EVERY:
            self._pruned = generation.created
            self._prune(generation.created)
        with self._write() as db:
            if generation.key is not None:
                db.execute(
                    "DELETE FROM generations WHERE key = ? AND created < ?",
                    (generation.key, generation.created - RETENTION),
                )
                row = db.execute(_BY_KEY, (generation.key,)).fetchone()
                if row is not None:
                    return StoredGeneration(*row)
            db.execute(_ADD, astuple(generation))
            db.executemany(
                "INSERT INTO inputs VALUES (?, ?, ?)",
                ((generation.id, position, data) for position, data in enumerate(inputs)),
            )
            db.executemany(
                "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, NULL)",
                ((p.id, p.generation, p.position, p.signature, p.expires) for p in pictures),
            )
        return generation

    def generation(self, id_: str, now: float) -> StoredGeneration | None:
        """Return the generation, or None when it is unknown or older than 24 hours."""
        row = self._row(_BY_ID, id_, now - RETENTION)
        return StoredGeneration(*row) if row else None

    def by_key(self, key: str, now: float) -> StoredGeneration | None:
        """Return the generation made under an Idempotency-Key within 24 hours."""
        row = self._row(_BY_KEY, key)
        generation = StoredGeneration(*row) if row else None
        return generation if generation and generation.created >= now - RETENTION else None

    def inputs(self, generation: str) -> list[bytes]:
        """Return the input images of an edit, in order."""
        asked = "SELECT data FROM inputs WHERE generation = ? ORDER BY position"
        return [row[0] for row in self._rows(asked, generation)]

    def count_inputs(self, generation: str) -> int:
        """Return how many input images an edit has; 0 for a generation."""
        return int(self._row("SELECT COUNT(*) FROM inputs WHERE generation = ?", generation)[0])

    def pictures(self, generation: str) -> list[StoredPicture]:
        """Return the pictures of a generation, in order."""
        rows = self._rows(f"{_PICTURE} WHERE generation = ? ORDER BY position", generation)
        return [_picture(row) for row in rows]

    def picture(self, id_: str) -> StoredPicture | None:
        """Return one picture, expired or not."""
        row = self._row(f"{_PICTURE} WHERE id = ?", id_)
        return _picture(row) if row else None

    def data(self, picture: str) -> bytes | None:
        """Return the bytes of a picture, or None when it is not painted."""
        row = self._row("SELECT data FROM pictures WHERE id = ?", picture)
        return row[0] if row else None

    def put_data(self, picture: StoredPicture, data: bytes) -> None:
        """Keep the bytes of a picture."""
        with self._write() as db:
            db.execute("UPDATE pictures SET data = ? WHERE id = ?", (data, picture.id))

    def recipe(self, pixels: str) -> str | None:
        """Return the recipe of the picture with these *pixels*, by their digest, or None."""
        row = self._row("SELECT recipe FROM recipes WHERE pixels = ?", pixels)
        return row[0] if row else None

    def put_recipe(self, pixels: str, recipe: str, now: float) -> None:
        """Keep what the picture with these *pixels* was made from."""
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO recipes VALUES (?, ?, ?)", (pixels, recipe, now))

    def end(self, generation: str, fate: str) -> None:
        """Let a task end otherwise than it would have: `failure` or `canceled`."""
        with self._write() as db:
            db.execute("UPDATE generations SET fate = ? WHERE id = ?", (fate, generation))

    def recent_tasks(self, now: float) -> list[str]:
        """Return the ids of the tasks of the last 24 hours, the latest first."""
        with self._read_lock:
            rows = self._reader.execute(
                "SELECT id FROM generations WHERE kind = 'task' AND created >= ? "
                "ORDER BY created DESC",
                (now - RETENTION,),
            ).fetchall()
        return [row[0] for row in rows]

    def _prune(self, now: float) -> None:
        with self._write() as db:
            _prune(db, now)
        with self._write_lock:
            # It frees one page for each step, and execute() makes a single one.
            self._writer.executescript("PRAGMA incremental_vacuum")

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._read_lock:
            return self._reader.execute(sql, values).fetchall()

    def _row(self, sql: str, *values: object) -> Any:
        """Return the first row; None where there is none."""
        return next(iter(self._rows(sql, *values)), None)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Hold one transaction that takes the write lock at once, so that it can't deadlock."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")


_COLUMNS: Final = "id, kind, request, created, starts, ends, fate, key, digest"
_BY_ID: Final = f"SELECT {_COLUMNS} FROM generations WHERE id = ? AND created >= ?"  # noqa: S608  a constant
_BY_KEY: Final = f"SELECT {_COLUMNS} FROM generations WHERE key = ?"  # noqa: S608  a constant
_ADD: Final = "INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PICTURE: Final = (
    "SELECT id, generation, position, signature, expires, data IS NOT NULL FROM pictures"
)


def _picture(row: tuple[str, str, int, str, float, int]) -> StoredPicture:
    return StoredPicture(row[0], row[1], row[2], row[3], row[4], bool(row[5]))


def _connect(path: str) -> sqlite3.Connection:
    """Open *path* in autocommit mode: transactions are begun and ended by hand."""
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _prune(db: sqlite3.Connection, now: float) -> None:
    """Drop the bytes of what is older than 24 hours; its rows stay a week, to say "expired"."""
    old = "(SELECT id FROM generations WHERE created < ?)"
    db.execute(f"DELETE FROM inputs WHERE generation IN {old}", (now - RETENTION,))  # noqa: S608  a constant
    db.execute(
        f"UPDATE pictures SET data = NULL WHERE data IS NOT NULL AND generation IN {old}",  # noqa: S608  a constant
        (now - RETENTION,),
    )
    db.execute("DELETE FROM generations WHERE created < ?", (now - 7 * RETENTION,))
    db.execute("DELETE FROM recipes WHERE created < ?", (now - _RECIPES_KEPT,))
    for table in ("inputs", "pictures"):
        db.execute(
            f"DELETE FROM {table} WHERE generation NOT IN (SELECT id FROM generations)"  # noqa: S608  two constants
        )


def _close(locks: Sequence[Guard], connections: Sequence[sqlite3.Connection]) -> None:
    # Closing a connection under a thread that is using it crashes the interpreter.
    with ExitStack() as held:
        for lock in dict.fromkeys(locks):  # in memory both are one
            held.enter_context(lock)
        for connection in connections:
            connection.close()
