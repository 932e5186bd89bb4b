"""A ledger file of an earlier schema becomes one of today's: in place, all of it or nothing.

Heads, hashes and receipts stay as they are; only where they are kept changes. What an older schema
stored twice is compared before one of the two is let go, and the audit judges the result as any
other file.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping

import msgspec

from gridpact.crypto.keccak import keccak
from gridpact.errors import Corrupt
from gridpact.ledger.chain import Outcome
from gridpact.ledger.files import schema
from gridpact.ledger.files.content import pack_receipts, pack_transactions
from gridpact.ledger.files.header import pack_logs, unpack_logs
from gridpact.ledger.files.rows import ContentRow, PlaceRow, places_of


def _of(*tables: str) -> list[str]:
    """Return today's statements that make some tables and their indexes."""
    return [each for each in schema.TABLES if each.split(" ")[2] in tables]


TABLES_OF_1 = (
    *_of("meta", "block", "body", "snapshot", "outbox"),
    *_of("INDEX"),
    "CREATE TABLE chain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " chain_id INTEGER NOT NULL, operator BLOB NOT NULL,"
    " head_number INTEGER NOT NULL, head_hash BLOB NOT NULL) STRICT",
    "CREATE TABLE tx (chain INTEGER NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,"
    " hash BLOB NOT NULL, raw BLOB NOT NULL, UNIQUE (chain, block, position)) STRICT",
    "CREATE TABLE receipt (chain INTEGER NOT NULL, block INTEGER NOT NULL,"
    " position INTEGER NOT NULL, status INTEGER NOT NULL, output BLOB NOT NULL,"
    " logs BLOB NOT NULL, UNIQUE (chain, block, position)) STRICT",
)
"""Schema 1: a row per transaction and another per receipt, found by block and position only."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an open file from `version` to today's schema, in one commit.

    Raises
    ------
    Corrupt
        What is stored does not fit together; the file stays as it was.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, schema.VERSION):
            _STEPS[step](connection)
        connection.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema'", (str(schema.VERSION),)
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _from_1(connection: sqlite3.Connection) -> None:
    """Pack each block's transactions and receipts into one row, and index the hashes."""
    chains = connection.execute("SELECT * FROM chain ORDER BY id").fetchall()
    for statement in _of("content", "place"):
        connection.execute(statement)
    counts = {row[0]: _pack_chain(connection, row[0], row[1]) for row in chains}
    for table in ("tx", "receipt", "chain"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute(*_of("chain"))
    connection.executemany(
        "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*row, counts[row[0]]) for row in chains],
    )


def _pack_chain(connection: sqlite3.Connection, chain: int, name: str) -> int:
    """Write the new rows of one chain; return its number of transactions."""
    first = 0
    numbers = connection.execute(
        "SELECT number FROM block WHERE chain = ? ORDER BY number", (chain,)
    )
    for (number,) in numbers.fetchall():
        content, places = _packed(connection, chain, name, number, first)
        connection.execute("INSERT INTO content VALUES (?, ?, ?, ?, ?)", content)
        connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?)", places)
        first += len(places)
    for table in ("tx", "receipt"):
        query = f"SELECT count(*) FROM {table} WHERE chain = ?"
        if connection.execute(query, (chain,)).fetchone() != (first,):
            raise Corrupt(f"chain {name}", f"{table}: rows that belong to no block")
    return first


def _packed(
    connection: sqlite3.Connection, chain: int, name: str, number: int, first: int
) -> tuple[ContentRow, list[PlaceRow]]:
    where, place = (chain, number), f"{name} block {number}"
    transactions = connection.execute(
        "SELECT position, hash, raw FROM tx WHERE chain = ? AND block = ? ORDER BY position", where
    ).fetchall()
    receipts = connection.execute(
        "SELECT position, status, output, logs FROM receipt WHERE chain = ? AND block = ?"
        " ORDER BY position",
        where,
    ).fetchall()
    due = list(range(len(transactions)))
    if [row[0] for row in transactions] != due or [row[0] for row in receipts] != due:
        raise Corrupt(place, "position: transactions and receipts do not stand in pairs")
    for position, stored, raw in transactions:
        if keccak(raw) != stored:
            raise Corrupt(f"{place} transaction {position}", "hash: is not that of the raw bytes")
    content = ContentRow(
        *(chain, number, first),
        pack_transactions([raw for _, _, raw in transactions]),
        pack_receipts(list(_outcomes(place, receipts))),
    )
    return content, places_of(chain, number, first, [stored for _, stored, _ in transactions])


def _outcomes(place: str, receipts: list[tuple[int, int, bytes, bytes]]) -> Iterator[Outcome]:
    for position, status, output, packed in receipts:
        try:
            logs = unpack_logs(packed)
        except msgspec.DecodeError as error:
            raise Corrupt(f"{place} receipt {position}", f"logs: {error}") from error
        if pack_logs(logs) != packed:
            raise Corrupt(f"{place} receipt {position}", "logs: not in canonical form")
        yield Outcome(status, output, logs)


_STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _from_1}

EARLIER: Mapping[int, tuple[str, ...]] = {1: TABLES_OF_1}
"""What files of earlier schemas hold."""
