"""An SQLite file that is open: read and written in whole commits, its errors told in our words."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gridpact.errors import LedgerError, Unavailable


class OpenFile:
    """A connection to a file and the writer's lock on it; one thread at a time uses it.

    Parameters
    ----------
    path
        The file, to name it in errors.
    connection
        Open, without transactions of its own (`isolation_level=None`).
    lock
        The handle of the writer's lock, given back by `close`; None for a reader.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self._path, self._connection, self._lock = path, connection, lock
        self._mutex = threading.RLock()

    def read(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        """Return all rows of a query."""
        try:
            with self._mutex:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: cannot be read: {error}") from error

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside as one disk commit, or nothing of it.

        Raises
        ------
        Unavailable
            The disk is full or refuses; nothing was written.
        LedgerError
            The file is damaged.
        """
        try:
            with self._mutex:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.OperationalError as error:  # disk full, disk error, busy
            raise Unavailable(f"{self._path}: cannot be written: {error}") from error
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: cannot be written: {error}") from error

    def insert(self, table: str, rows: Sequence[tuple]) -> None:  # type: ignore[type-arg]
        """Add rows with all the table's columns; only within `commit`."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def require_sound(self) -> None:
        """Refuse a file whose pages or indexes are damaged where reading its rows does not show."""
        with self._mutex:
            found = damage(self._connection)
        if found:
            raise LedgerError(f"{self._path}: is damaged: {found}")

    def close(self) -> None:
        """Close the file and give the lock back."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: {error}") from error
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None


def is_new(connection: sqlite3.Connection) -> bool:
    """Say whether nothing was ever created in the file (also after a crash while creating)."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def make_durable(connection: sqlite3.Connection) -> None:
    """Let every commit be on disk when it returns."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def take_over(
    connection: sqlite3.Connection, new: bool, tables: Sequence[str], version: int, application: int
) -> None:
    """Give a new file its tables and its name, in one commit; make sure that any can be written."""
    connection.execute("BEGIN IMMEDIATE")
    if new:
        for statement in tables:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(version),))
        connection.execute(f"PRAGMA application_id = {application}")
    # a write that changes nothing: SQLite opens a read-only file without a word
    connection.execute("UPDATE meta SET value = value WHERE name = 'schema'")
    connection.execute("COMMIT")


def damage(connection: sqlite3.Connection) -> str:
    """Return what SQLite finds wrong with a file's pages or indexes, "" for nothing."""
    try:
        ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        return str(error)
    # its first line only: a page's finding comes below a heading
    return "" if found == "ok" else " ".join(found.split())
