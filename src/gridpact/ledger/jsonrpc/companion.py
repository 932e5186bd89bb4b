"""The file beside a chain on a node: what we wrote there, and what we were about to write.

A record is several transactions on a node, not one block. All of it (key, body, signed
transactions) is on disk here before the first of them is sent, so that a process which dies in
between goes on with the same bytes. Bodies never go to the node; without this file the chain still
proves who owns what, but nobody can read why. One process writes, held by a lock.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gridpact.errors import LedgerError
from gridpact.ledger.chain import OutboxStep
from gridpact.ledger.files import ledger_file
from gridpact.ledger.files.open_file import OpenFile, damage, is_new, make_durable, take_over
from gridpact.ledger.files.rows import StepRow
from gridpact.ledger.ledger import Head
from gridpact.model.interval import Key, Phase

APPLICATION_ID = 0x6772706E
VERSION = 1
TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE chain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " chain_id INTEGER NOT NULL, genesis BLOB NOT NULL, operator BLOB NOT NULL) STRICT",
    "CREATE TABLE record (chain INTEGER NOT NULL, number INTEGER NOT NULL, region BLOB NOT NULL,"
    " interval INTEGER NOT NULL, phase INTEGER NOT NULL, part INTEGER NOT NULL,"
    " body BLOB NOT NULL, block INTEGER, hash BLOB, PRIMARY KEY (chain, number),"
    " UNIQUE (chain, region, interval, phase, part)) STRICT",
    "CREATE TABLE tx (chain INTEGER NOT NULL, record INTEGER NOT NULL, position INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, nonce INTEGER NOT NULL, hash BLOB NOT NULL, raw BLOB NOT NULL,"
    " label TEXT NOT NULL, output BLOB NOT NULL, created BLOB NOT NULL,"
    " UNIQUE (chain, nonce), UNIQUE (chain, record, position, attempt)) STRICT",
    "CREATE TABLE outbox (chain INTEGER NOT NULL, record INTEGER NOT NULL,"
    " position INTEGER NOT NULL, id BLOB NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,"
    " amount TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (chain, record, position)) STRICT",
)


class ChainOnNode(NamedTuple):
    """A chain of the file, as stored."""

    id: int
    name: str
    chain_id: int
    genesis: bytes
    operator: bytes


class PlannedTx(NamedTuple):
    """A signed transaction of a record. `output` is what its simulation returned.

    `attempt` counts from 0: a transaction that failed in its block is made anew with more gas.
    """

    position: int
    attempt: int
    nonce: int
    hash: bytes
    raw: bytes
    label: str
    output: bytes
    created: bytes


class Plan(NamedTuple):
    """A record with its transactions; `block` is where it ends, None while it is under way."""

    number: int
    key: Key
    body: bytes
    transactions: tuple[PlannedTx, ...]
    block: Head | None

    @property
    def last(self) -> tuple[PlannedTx, ...]:
        """Return the last attempt at each call, in order."""
        return tuple({each.position: each for each in self.transactions}.values())


class Companion:
    """An open companion file. Use `open_companion`, or `read_companion` for a look."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.path = path
        self._file = OpenFile(path, connection, lock)

    def chains(self) -> list[ChainOnNode]:
        return [ChainOnNode(*row) for row in self._file.read("SELECT * FROM chain ORDER BY id")]

    def open_chain(self, name: str, chain_id: int, genesis: bytes, operator: bytes) -> ChainOnNode:
        """Return a chain of the file, written now if it is new."""
        found = next((one for one in self.chains() if one.name == name), None)
        if found is None:
            with self._file.commit() as connection:
                connection.execute(
                    "INSERT INTO chain (name, chain_id, genesis, operator) VALUES (?, ?, ?, ?)",
                    (name, chain_id, genesis, operator),
                )
            return self.open_chain(name, chain_id, genesis, operator)
        if found[2:] != (chain_id, genesis, operator):
            raise LedgerError(
                f"{self.path}: chain {name} has id {found.chain_id}, genesis "
                f"0x{found.genesis.hex()[:16]}… and operator 0x{found.operator.hex()}, not id "
                f"{chain_id}, genesis 0x{genesis.hex()[:16]}… and operator 0x{operator.hex()}"
            )
        return found

    def add(
        self,
        chain: int,
        key: Key,
        body: bytes,
        transactions: Sequence[PlannedTx],
        steps: Sequence[OutboxStep],
    ) -> Plan:
        """Write what is about to be sent: when this returns it is on disk."""
        number = self._one("SELECT max(number) FROM record WHERE chain = ?", chain) + 1
        with self._file.commit() as connection:
            connection.execute(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (chain, number, key.region, key.interval, int(key.phase), key.part, body),
            )
            self._insert_txs(chain, number, transactions)
            self._file.insert(
                "outbox",
                [
                    (chain, number, at, c.id, c.source, c.target, str(c.amount), state)
                    for at, (c, state) in enumerate(steps)
                ],
            )
        return Plan(number, key, body, tuple(transactions), None)

    def retry(self, chain: int, plan: Plan, transactions: Sequence[PlannedTx]) -> Plan:
        """Add further attempts to a record under way."""
        with self._file.commit():
            self._insert_txs(chain, plan.number, transactions)
        return plan._replace(transactions=(*plan.transactions, *transactions))

    def finish(self, chain: int, number: int, block: Head | None) -> None:
        """Write where a record ends, or with None that it is to be sent again."""
        place = (block.number, block.hash) if block else (None, None)
        with self._file.commit() as connection:
            connection.execute(
                "UPDATE record SET block = ?, hash = ? WHERE chain = ? AND number = ?",
                (*place, chain, number),
            )

    def plans(self, chain: int, finished: bool | None = None) -> Iterator[Plan]:
        """Yield the records of a chain in order: all, or only (un)finished ones."""
        which = "" if finished is None else f" AND block IS {'NOT ' if finished else ''}NULL"
        rows = self._file.read(
            f"SELECT * FROM record WHERE chain = ?{which} ORDER BY number", chain
        )
        yield from (self._plan(row) for row in rows)

    def plan(self, chain: int, key: Key) -> Plan | None:
        """Return the record under a key, finished or not."""
        rows = self._file.read(
            "SELECT * FROM record"
            " WHERE chain = ? AND region = ? AND interval = ? AND phase = ? AND part = ?",
            *(chain, key.region, key.interval, int(key.phase), key.part),
        )
        return next((self._plan(row) for row in rows), None)

    def last(self, chain: int) -> Plan | None:
        """Return the last finished record that has transactions."""
        rows = self._file.read(
            "SELECT * FROM record WHERE chain = ? AND block IS NOT NULL AND EXISTS (SELECT 1 FROM"
            " tx WHERE tx.chain = record.chain AND tx.record = record.number)"
            " ORDER BY number DESC LIMIT 1",
            chain,
        )
        return next((self._plan(row) for row in rows), None)

    def next_nonce(self, chain: int) -> int:
        """Return the nonce of the next transaction: the first is 0."""
        return self._one("SELECT max(nonce) FROM tx WHERE chain = ?", chain, none=-1) + 1

    def created(self, chain: int) -> list[bytes]:
        """Return the addresses of the contracts we deployed."""
        rows = self._file.read(
            "SELECT created FROM tx WHERE chain = ? AND created != x'' ORDER BY nonce", chain
        )
        return [address for (address,) in rows]

    def steps(self, crossing: bytes) -> list[StepRow]:
        """Return the steps of a crossing in finished records, oldest first."""
        rows = self._file.read(
            "SELECT o.chain, o.record, o.position, o.id, o.source, o.target, o.amount, o.state"
            " FROM outbox o JOIN record r ON r.chain = o.chain AND r.number = o.record"
            " WHERE o.id = ? AND r.block IS NOT NULL ORDER BY o.rowid",
            crossing,
        )
        return [StepRow(*row) for row in rows]

    def steps_of(self, chain: int, number: int) -> list[StepRow]:
        """Return the steps that a record takes."""
        rows = self._file.read(
            "SELECT * FROM outbox WHERE chain = ? AND record = ? ORDER BY position", chain, number
        )
        return [StepRow(*row) for row in rows]

    def close(self) -> None:
        """Close the file and give the lock back."""
        self._file.close()

    def _insert_txs(self, chain: int, number: int, rows: Sequence[PlannedTx]) -> None:
        self._file.insert("tx", [(chain, number, *row) for row in rows])

    def _plan(self, row: tuple) -> Plan:  # type: ignore[type-arg]
        chain, number, region, interval, phase, part, body, block, digest = row
        txs = self._file.read(
            "SELECT position, attempt, nonce, hash, raw, label, output, created FROM tx"
            " WHERE chain = ? AND record = ? ORDER BY attempt, position",
            *(chain, number),
        )
        end = None if block is None else Head(block, digest)
        key = Key(region, interval, Phase(phase), part)
        return Plan(number, key, body, tuple(PlannedTx(*tx) for tx in txs), end)

    def _one(self, query: str, *values: object, none: int = 0) -> int:
        ((found,),) = self._file.read(query, *values)
        return none if found is None else int(found)


def open_companion(path: str | os.PathLike[str]) -> Companion:
    """Open or create a companion file as its only writer.

    Raises
    ------
    LedgerLocked
        Another process writes to it.
    LedgerError
        The file is foreign, damaged, of another version, or cannot be written.
    """
    file = Path(path)
    lock = ledger_file.lock(file)
    try:
        if file.exists():
            ledger_file.require_whole(file)
        connection = _connect(file, "mode=rwc")
        try:
            _prepare(file, connection)
        except BaseException:
            connection.close()
            raise
        return Companion(file, connection, lock)
    except BaseException:
        ledger_file.unlock_refused(file, lock)
        raise


def read_companion(path: str | os.PathLike[str]) -> Companion:
    """Open an existing companion file, or a copy of one, without lock or change."""
    file = Path(path)
    if not file.is_file():
        raise LedgerError(f"{file}: there is no such file")
    ledger_file.require_whole(file)
    connection = _connect(file, "mode=ro")
    try:
        _require_ours(file, connection)
    except BaseException:
        connection.close()
        raise
    return Companion(file, connection, None)


def is_companion(path: Path) -> bool:
    """Say whether a file is a companion, by its name in SQLite's header."""
    with suppress(OSError), path.open("rb") as stream:
        start = stream.read(72)
        return start.startswith(b"SQLite") and start[68:72] == APPLICATION_ID.to_bytes(4, "big")
    return False


def _connect(file: Path, how: str) -> sqlite3.Connection:
    try:
        address = f"file:{quote(str(file.absolute()))}?{how}"
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=10.0)
    except sqlite3.Error as error:
        raise LedgerError(f"{file}: cannot be opened as a companion file: {error}") from error


def _prepare(file: Path, connection: sqlite3.Connection) -> None:
    """Give a new file its tables; refuse another's."""
    try:
        new = is_new(connection)
        if not new:
            _require_ours(file, connection)
        make_durable(connection)
        take_over(connection, new, TABLES, VERSION, APPLICATION_ID)
    except sqlite3.Error as error:
        raise LedgerError(f"{file}: cannot be opened as a companion file: {error}") from error


def _require_ours(file: Path, connection: sqlite3.Connection) -> None:
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise LedgerError(f"{file}: is no companion file of a chain on a node")
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        tables = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        made = sorted(sql for (sql,) in tables)
    except sqlite3.Error as error:
        raise LedgerError(f"{file}: cannot be opened as a companion file: {error}") from error
    if meta != {"schema": str(VERSION)}:
        raise LedgerError(f"{file}: has schema {meta.get('schema')}, this gridpact reads {VERSION}")
    if made != sorted(TABLES):
        raise LedgerError(f"{file}: its tables are not those of schema {VERSION}")
    if found := damage(connection):
        raise LedgerError(f"{file}: is damaged: {found}")
