"""The operator's desk on disk: what it may not forget when it dies between two messages.

A SQLite file of named shelves; a row of a shelf is one record under a key. What `together` encloses
stands as a whole or not at all; everything else is on disk when the call returns. Nothing is kept
in memory beside it, so there is nothing to bring back after a crash.
"""

import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from gridpact.errors import BadInput

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE row (shelf TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (shelf, key)) STRICT, WITHOUT ROWID"
)
T = TypeVar("T")


class Shelf(MutableMapping[bytes, T], Generic[T]):
    """Records of one kind by their keys, in the order of these."""

    def __init__(self, db: sqlite3.Connection, name: str, kind: type[T]) -> None:
        self._db, self._name = db, name
        self._decoder = msgspec.json.Decoder(kind)

    def __getitem__(self, key: bytes) -> T:
        found = self._db.execute(
            "SELECT value FROM row WHERE shelf = ? AND key = ?", (self._name, key)
        ).fetchone()
        if found is None:
            raise KeyError(key)
        return self._decoder.decode(found[0])

    def __setitem__(self, key: bytes, value: T) -> None:
        record = msgspec.json.encode(value)
        self._db.execute(
            "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (self._name, key, record),
        )

    def __delitem__(self, key: bytes) -> None:
        gone = self._db.execute("DELETE FROM row WHERE shelf = ? AND key = ?", (self._name, key))
        if gone.rowcount == 0:
            raise KeyError(key)

    def __iter__(self) -> Iterator[bytes]:
        rows = self._db.execute("SELECT key FROM row WHERE shelf = ? ORDER BY key", (self._name,))
        return iter([key for (key,) in rows.fetchall()])

    def __len__(self) -> int:
        found = self._db.execute("SELECT count(*) FROM row WHERE shelf = ?", (self._name,))
        return int(found.fetchone()[0])

    def drop_below(self, key: bytes) -> None:
        """Forget all records whose keys are below one."""
        self._db.execute("DELETE FROM row WHERE shelf = ? AND key < ?", (self._name, key))


class DeskStore:
    """The open file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        self._db.close()

    def shelf(self, name: str, kind: type[T]) -> Shelf[T]:
        """Return a shelf; its records are of one kind for good."""
        return Shelf(self._db, name, kind)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all that is written within one change: on disk at the end, or not at all."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def open_desk(place: Path | str) -> DeskStore:
    """Open a desk's file, or begin a new one; `:memory:` is one that nobody needs afterwards.

    Raises
    ------
    BadInput
        The file is something else.
    """
    db = sqlite3.connect(place, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            db.execute(_SCHEMA)
            db.execute(f"PRAGMA user_version = {_VERSION}")
            version = _VERSION
    except sqlite3.DatabaseError as error:
        db.close()
        raise BadInput(f"{place}: is no desk's file: {error}") from error
    if version != _VERSION:
        db.close()
        raise BadInput(f"{place}: is version {version} of a desk's file, expected {_VERSION}")
    return DeskStore(db)
