"""Which files are ledgers of ours, and how they are opened.

A foreign, truncated, altered or newer file is refused in one sentence before anything is read from
it or written to it. A new file gets all its tables in one commit: a crash leaves all or none.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from gridpact.errors import LedgerError, LedgerLocked
from gridpact.ledger.files import schema
from gridpact.ledger.files.migration import EARLIER, migrate
from gridpact.ledger.files.open_file import is_new, make_durable, take_over

Age: TypeAlias = tuple[int, int]
"""Size and time of the last change: while both stay equal, nobody wrote."""

_MAGIC = b"SQLite format 3\0"


def lock(file: Path) -> int:
    """Take the writer's lock and return its handle: closing it, or dying, gives it back."""
    place = _lock_of(file)
    while True:
        try:
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LedgerError(f"{file}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise LedgerLocked(f"{file}: another process writes to this ledger") from error
        if _is_at(handle, place):
            return handle
        os.close(handle)  # its owner removed it before we had it: the next one counts


def unlock_refused(file: Path, handle: int) -> None:
    """Give the lock of a file back that is no ledger of ours; nothing is left beside it."""
    with suppress(OSError):
        _lock_of(file).unlink()
    os.close(handle)


def _lock_of(file: Path) -> Path:
    return file.with_name(file.name + ".lock")


def _is_at(handle: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(place))
    except FileNotFoundError:
        return False


def connect_to_write(file: Path) -> sqlite3.Connection:
    """Open or create a ledger file; the caller holds its lock."""
    if file.exists():
        require_whole(file)
    with _opened(file, "mode=rwc") as connection:
        new = is_new(connection)
        version = schema.VERSION if new else _require_ours(file, connection)
        make_durable(connection)
        if version != schema.VERSION:
            migrate(connection, version)
        take_over(connection, new, schema.TABLES, schema.VERSION, schema.APPLICATION_ID)
        return connection


def connect_to_read(file: Path) -> tuple[sqlite3.Connection, Age | None]:
    """Open an existing ledger file: one view of it, whatever its writer adds meanwhile.

    A file without a write-ahead log is read as it is, also on a read-only disk, and nothing is
    created beside it; SQLite then does not see a writer that starts, so its age is returned too.
    """
    if not file.is_file():
        raise LedgerError(f"{file}: there is no such file")
    require_whole(file)
    age = age_at_rest(file)
    with _opened(file, "mode=ro" if age is None else "mode=ro&immutable=1") as connection:
        if is_new(connection):
            raise LedgerError(f"{file}: holds no ledger")
        connection.execute("BEGIN")
        version = _require_ours(file, connection)
        return (
            connection if version == schema.VERSION else _migrated_copy(connection, version)
        ), age


def _migrated_copy(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """Return a copy in memory with today's tables: a reader leaves the file as it is."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(copy)
    connection.close()
    migrate(copy, version)
    return copy


@contextmanager
def _opened(file: Path, how: str) -> Iterator[sqlite3.Connection]:
    """Yield a connection that stays open unless something is found to be wrong."""
    connection = None
    try:
        address = f"file:{quote(str(file.absolute()))}?{how}"
        # several threads submit; `Store` lets one at a time use the connection
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, timeout=10.0, check_same_thread=False
        )
        yield connection
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise LedgerError(f"{file}: cannot be opened as a ledger: {error}") from error
        raise


def age_at_rest(file: Path) -> Age | None:
    """Return size and time of the last change; None when a write-ahead log lies beside it."""
    if _log_of(file).exists():
        return None
    state = file.stat()
    return state.st_size, state.st_mtime_ns


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def require_whole(file: Path) -> None:
    """Refuse a file that is shorter than its header says; SQLite would read zeros for the rest.

    Not while a write-ahead log lies beside it: the missing pages may stand there.
    """
    log = _log_of(file)
    try:
        if log.exists() and log.stat().st_size:
            return
        with file.open("rb") as stream:
            start = stream.read(100)
        there = file.stat().st_size
    except OSError as error:
        raise LedgerError(f"{file}: cannot be read: {error.strerror}") from error
    if not start.startswith(_MAGIC):
        return
    size = int.from_bytes(start[16:18], "big")
    needed = (65536 if size == 1 else size) * int.from_bytes(start[28:32], "big")
    if len(start) < 100 or there < needed:
        raise LedgerError(f"{file}: is truncated: {there} of {needed} bytes are there")


def _require_ours(file: Path, connection: sqlite3.Connection) -> int:
    """Return the schema of a file of ours: today's or an earlier one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != schema.APPLICATION_ID:
        raise LedgerError(f"{file}: is a database, but not a ledger of gridpact")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    version = meta.pop("schema", "")
    if not version.isdecimal() or meta:
        raise LedgerError(f"{file}: the table meta does not say which schema this is")
    if int(version) > schema.VERSION:
        raise LedgerError(
            f"{file}: has schema {version}, this gridpact reads up to {schema.VERSION}: "
            "use a newer gridpact"
        )
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    tables = {**EARLIER, schema.VERSION: schema.TABLES}.get(int(version), ())
    if sorted(sql for (sql,) in found) != sorted(tables):
        raise LedgerError(f"{file}: its tables are not those of schema {version}")
    return int(version)
