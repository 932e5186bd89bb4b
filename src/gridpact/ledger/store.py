"""The file that holds all chains of a process: what is in it is on disk, block by block.

SQLite with a write-ahead log and synchronous=FULL: when `add_block` returns, the block survives a
crash of program and machine; a crash before leaves nothing of it. One process writes, held by a
lock on `<file>.lock` that dies with the process; readers (`audit`) need none.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from gridpact.errors import LedgerError, LedgerLocked
from gridpact.ledger import schema
from gridpact.ledger.ledger import Head


class ChainRow(NamedTuple):
    """A chain of the file, as stored."""

    id: int
    name: str
    chain_id: int
    operator: bytes
    head_number: int
    head_hash: bytes


class BlockRow(NamedTuple):
    """A block's header, as stored."""

    chain: int
    number: int
    time: int
    parent: bytes
    region: bytes
    interval: int
    phase: int
    part: int
    body_hash: bytes
    transaction_root: bytes
    receipt_root: bytes
    steps_root: bytes
    state_chain: bytes
    hash: bytes


class TxRow(NamedTuple):
    chain: int
    block: int
    position: int
    hash: bytes
    raw: bytes


class ReceiptRow(NamedTuple):
    chain: int
    block: int
    position: int
    status: int
    output: bytes
    logs: bytes


class BodyRow(NamedTuple):
    chain: int
    block: int
    region: bytes
    interval: int
    phase: int
    part: int
    content: bytes


class SnapshotRow(NamedTuple):
    chain: int
    block: int
    state_hash: bytes
    content: bytes


class StepRow(NamedTuple):
    chain: int
    block: int
    position: int
    id: bytes
    source: str
    target: str
    amount: str
    state: str


class StoredBlock(NamedTuple):
    """Everything stored of one block."""

    header: BlockRow
    transactions: Sequence[TxRow]
    receipts: Sequence[ReceiptRow]
    bodies: Sequence[BodyRow]
    steps: Sequence[StepRow]


class Store:
    """An open `ledger.db`. Use `open_store`, or `open_to_read` for a look without a lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def chains(self) -> list[ChainRow]:
        return [ChainRow(*row) for row in self._read("SELECT * FROM chain ORDER BY id")]

    def chain(self, name: str) -> ChainRow | None:
        rows = self._read("SELECT * FROM chain WHERE name = ?", name)
        return next((ChainRow(*row) for row in rows), None)

    def add_chain(self, name: str, chain_id: int, operator: bytes, genesis: bytes) -> ChainRow:
        with self._commit():
            self._connection.execute(
                "INSERT INTO chain (name, chain_id, operator, head_number, head_hash)"
                " VALUES (?, ?, ?, 0, ?)",
                (name, chain_id, operator, genesis),
            )
        row = self.chain(name)
        if row is None:
            raise LedgerError(f"{self.path}: chain {name} was written and is not there")
        return row

    def add_block(self, block: StoredBlock) -> None:
        """Write a block with all that belongs to it: when this returns it is on disk."""
        chain, number, head = block.header.chain, block.header.number, block.header.hash
        with self._commit():
            self._insert("block", [block.header])
            self._insert("tx", block.transactions)
            self._insert("receipt", block.receipts)
            self._insert("body", block.bodies)
            self._insert("outbox", block.steps)
            self._connection.execute(
                "UPDATE chain SET head_number = ?, head_hash = ? WHERE id = ?",
                (number, head, chain),
            )

    def add_snapshot(self, snapshot: SnapshotRow, keep: int) -> None:
        """Write a snapshot and let go of all but the last `keep` of its chain."""
        with self._commit():
            self._insert("snapshot", [snapshot])
            self._connection.execute(
                "DELETE FROM snapshot WHERE chain = ? AND block NOT IN (SELECT block FROM snapshot"
                " WHERE chain = ? ORDER BY block DESC LIMIT ?)",
                (snapshot.chain, snapshot.chain, keep),
            )

    def blocks(self, chain: int, after: int = 0) -> Iterator[StoredBlock]:
        """Yield the blocks of a chain above number `after`, in order."""
        for row in self._read(
            "SELECT * FROM block WHERE chain = ? AND number > ? ORDER BY number", chain, after
        ):
            header = BlockRow(*row)
            yield StoredBlock(
                header,
                [TxRow(*r) for r in self._of_block("tx", header, "position")],
                [ReceiptRow(*r) for r in self._of_block("receipt", header, "position")],
                [BodyRow(*r) for r in self._of_block("body", header, "block")],
                [StepRow(*r) for r in self._of_block("outbox", header, "position")],
            )

    def _of_block(self, table: str, header: BlockRow, order: str) -> Iterator[tuple]:  # type: ignore[type-arg]
        return self._read(
            f"SELECT * FROM {table} WHERE chain = ? AND block = ? ORDER BY {order}",
            header.chain,
            header.number,
        )

    def header(self, chain: int, number: int) -> BlockRow | None:
        rows = self._read("SELECT * FROM block WHERE chain = ? AND number = ?", chain, number)
        return next((BlockRow(*row) for row in rows), None)

    def snapshots(self, chain: int) -> Iterator[SnapshotRow]:
        """Yield a chain's snapshots, latest first."""
        rows = self._read("SELECT * FROM snapshot WHERE chain = ? ORDER BY block DESC", chain)
        return (SnapshotRow(*row) for row in rows)

    def written_at(
        self, chain: int, region: bytes, interval: int, phase: int, part: int
    ) -> Head | None:
        """Return the block that holds a key."""
        rows = self._read(
            "SELECT number, hash FROM block"
            " WHERE chain = ? AND region = ? AND interval = ? AND phase = ? AND part = ?",
            *(chain, region, interval, phase, part),
        )
        return next((Head(number, digest) for number, digest in rows), None)

    def body(self, chain: int, block: int) -> bytes | None:
        rows = self._read("SELECT content FROM body WHERE chain = ? AND block = ?", chain, block)
        return next((bytes(content) for (content,) in rows), None)

    def steps(self, crossing: bytes | None = None) -> list[StepRow]:
        """Return the recorded steps of one cross-chain effect, or of all, oldest first."""
        if crossing is None:
            return [StepRow(*row) for row in self._read("SELECT * FROM outbox ORDER BY rowid")]
        rows = self._read("SELECT * FROM outbox WHERE id = ? ORDER BY rowid", crossing)
        return [StepRow(*row) for row in rows]

    def strays(self) -> list[tuple[str, int, int]]:
        """Return (table, chain, block) of rows that belong to no block."""
        found = [
            ("block", *row)
            for row in self._read(
                "SELECT chain, number FROM block WHERE chain NOT IN (SELECT id FROM chain)"
            )
        ]
        for table in schema.BLOCK_TABLES:
            found += [
                (table, *row)
                for row in self._read(
                    f"SELECT t.chain, t.block FROM {table} t LEFT JOIN block b"
                    " ON b.chain = t.chain AND b.number = t.block WHERE b.number IS NULL"
                )
            ]
        return found

    def close(self) -> None:
        """Close the file and give the lock back."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: {error}") from error
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _insert(self, table: str, rows: Sequence[tuple]) -> None:  # type: ignore[type-arg]
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _read(self, query: str, *values: object) -> Iterator[tuple]:  # type: ignore[type-arg]
        try:
            # no `yield from`: it would close the cursor of a reader that stops half way, too late
            for row in self._connection.execute(query, values):
                yield row
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: cannot be read: {error}") from error

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """Write everything inside as one disk commit, or nothing of it."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: cannot be written: {error}") from error


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open or create a ledger file as its only writer.

    Raises
    ------
    LedgerLocked
        Another process writes to it.
    LedgerError
        The file is foreign, damaged, of a newer version, or cannot be written.
    """
    file = Path(path)
    lock = _lock(file)
    try:
        if file.exists():
            _require_whole(file)
        connection = _connect(file, f"file:{_quoted(file)}?mode=rwc")
        try:
            _prepare(file, connection)
            return Store(file, connection, lock)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        os.close(lock)
        raise


def open_to_read(path: str | os.PathLike[str]) -> Store:
    """Open an existing ledger file without lock or change, also beside its writer."""
    file = Path(path)
    if not file.is_file():
        raise LedgerError(f"{file}: there is no such file")
    _require_whole(file)
    # without a write-ahead log beside it the file is complete, and may lie on a read-only disk
    alone = "" if _log_of(file).exists() else "&immutable=1"
    connection = _connect(file, f"file:{_quoted(file)}?mode=ro{alone}")
    try:
        with _sqlite_errors(file):
            if _is_new(connection):
                raise LedgerError(f"{file}: holds no ledger")
            _require_ours(file, connection)
            # one view of the file for all that is read, whatever its writer adds meanwhile
            connection.execute("BEGIN")
        return Store(file, connection, None)
    except BaseException:
        connection.close()
        raise


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _require_whole(file: Path) -> None:
    """Refuse a file that is shorter than its header says; SQLite would read zeros for the rest.

    Not while a write-ahead log lies beside it: the missing pages may stand there.
    """
    log = _log_of(file)
    if log.exists() and log.stat().st_size:
        return
    with file.open("rb") as stream:
        start = stream.read(100)
    if not start.startswith(b"SQLite format 3\0"):
        return
    size = int.from_bytes(start[16:18], "big")
    needed = (65536 if size == 1 else size) * int.from_bytes(start[28:32], "big")
    if len(start) < 100 or file.stat().st_size < needed:
        raise LedgerError(f"{file}: is truncated: {file.stat().st_size} of {needed} bytes")


def _quoted(file: Path) -> str:
    from urllib.parse import quote

    return quote(str(file.absolute()))


def _lock(file: Path) -> int:
    place = file.with_name(file.name + ".lock")
    try:
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LedgerError(f"{file}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise LedgerLocked(f"{file}: another process writes to this ledger") from error
    return handle


def _connect(file: Path, address: str) -> sqlite3.Connection:
    with _sqlite_errors(file):
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=10.0)


@contextmanager
def _sqlite_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"{file}: cannot be opened as a ledger: {error}") from error


def _prepare(file: Path, connection: sqlite3.Connection) -> None:
    with _sqlite_errors(file):
        new = _is_new(connection)
        if not new:
            _require_ours(file, connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if new:
            connection.execute("BEGIN IMMEDIATE")
            for statement in schema.TABLES:
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(schema.VERSION),))
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute("COMMIT")


def _is_new(connection: sqlite3.Connection) -> bool:
    """Say whether nothing was ever created in the file (also after a crash while creating)."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def _require_ours(file: Path, connection: sqlite3.Connection) -> None:
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
    found = [
        sql
        for (sql,) in connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        )
    ]
    if int(version) != schema.VERSION or found != list(schema.TABLES):
        raise LedgerError(f"{file}: its tables are not those of schema {schema.VERSION}")
