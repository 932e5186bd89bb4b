"""The file that holds all chains of a process: what is in it is on disk, block by block.

SQLite with a write-ahead log and synchronous=FULL: when `add_block` returns, the block survives a
crash of program and machine; a crash before leaves nothing of it. One process writes, held by a
lock that dies with it; readers (`audit`) need none. `ledger_file` says which files are ours.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from gridpact.crypto.keccak import keccak
from gridpact.errors import LedgerError
from gridpact.ledger.chain import Receipt
from gridpact.ledger.files import ledger_file, schema
from gridpact.ledger.files.open_file import OpenFile
from gridpact.ledger.files.rows import (
    BlockRow,
    BodyRow,
    ChainRow,
    ContentRow,
    PlaceRow,
    SnapshotRow,
    StepRow,
    StoredBlock,
    prefix_of,
)
from gridpact.ledger.ledger import Head


class Store:
    """An open `ledger.db`. Use `open_store`, or `open_to_read` for a look without a lock."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        lock: int | None,
        age: ledger_file.Age | None = None,
    ) -> None:
        self.path = path
        self._file = OpenFile(path, connection, lock)
        self._age = age

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
        return [ChainRow(*row) for row in self._file.read("SELECT * FROM chain ORDER BY id")]

    def chain(self, name: str) -> ChainRow | None:
        rows = self._file.read("SELECT * FROM chain WHERE name = ?", name)
        return next((ChainRow(*row) for row in rows), None)

    def add_chain(self, name: str, chain_id: int, operator: bytes, genesis: bytes) -> ChainRow:
        with self._file.commit() as connection:
            connection.execute(
                "INSERT INTO chain"
                " (name, chain_id, operator, head_number, head_hash, transactions)"
                " VALUES (?, ?, ?, 0, ?, 0)",
                (name, chain_id, operator, genesis),
            )
        row = self.chain(name)
        if row is None:
            raise LedgerError(f"{self.path}: chain {name} was written and is not there")
        return row

    def add_block(self, block: StoredBlock) -> None:
        """Write a block with all that belongs to it: when this returns it is on disk."""
        chain, number, head = block.header.chain, block.header.number, block.header.hash
        with self._file.commit() as connection:
            self._file.insert("block", [block.header])
            self._file.insert("content", block.contents)
            self._file.insert("place", block.places)
            self._file.insert("body", block.bodies)
            self._file.insert("outbox", block.steps)
            connection.execute(
                "UPDATE chain SET head_number = ?, head_hash = ?,"
                " transactions = transactions + ? WHERE id = ?",
                (number, head, len(block.places), chain),
            )

    def add_snapshot(self, snapshot: SnapshotRow, keep: int) -> None:
        """Write a snapshot and let go of all but the last `keep` of its chain."""
        with self._file.commit() as connection:
            self._file.insert("snapshot", [snapshot])
            connection.execute(
                "DELETE FROM snapshot WHERE chain = ? AND block NOT IN (SELECT block FROM snapshot"
                " WHERE chain = ? ORDER BY block DESC LIMIT ?)",
                (snapshot.chain, snapshot.chain, keep),
            )

    def blocks(self, chain: int, after: int = 0) -> Iterator[StoredBlock]:
        """Yield the blocks of a chain above number `after`, in order."""
        run, places = -1, dict[int, list[PlaceRow]]()
        page = self._headers(chain, after)
        while page:
            for header in page:
                contents = [ContentRow(*r) for r in self._of_block("content", header, "block")]
                if contents and contents[0].first // schema.RUN != run:
                    run = contents[0].first // schema.RUN
                    places = self._places(chain, run)
                yield StoredBlock(
                    header,
                    contents,
                    places.get(header.number, []),
                    [BodyRow(*r) for r in self._of_block("body", header, "block")],
                    [StepRow(*r) for r in self._of_block("outbox", header, "position")],
                )
            page = self._headers(chain, page[-1].number)

    def _places(self, chain: int, run: int) -> dict[int, list[PlaceRow]]:
        """Return the places of one run, by block."""
        places: dict[int, list[PlaceRow]] = {}
        for row in self._file.read(
            "SELECT * FROM place WHERE chain = ? AND run = ? ORDER BY prefix, block, position",
            *(chain, run),
        ):
            place = PlaceRow(*row)
            places.setdefault(place.block, []).append(place)
        return places

    def place_count(self, chain: int) -> int:
        """Return how many transactions of a chain can be found by their hash."""
        ((count,),) = self._file.read("SELECT count(*) FROM place WHERE chain = ?", chain)
        return int(count)

    def _headers(self, chain: int, after: int) -> list[BlockRow]:
        rows = self._file.read(
            "SELECT * FROM block WHERE chain = ? AND number > ? ORDER BY number LIMIT 256",
            *(chain, after),
        )
        return [BlockRow(*row) for row in rows]

    def _of_block(self, table: str, header: BlockRow, order: str) -> list[tuple]:  # type: ignore[type-arg]
        return self._file.read(
            f"SELECT * FROM {table} WHERE chain = ? AND block = ? ORDER BY {order}",
            header.chain,
            header.number,
        )

    def block(self, chain: int, number: int) -> StoredBlock | None:
        """Return one block's header and content."""
        header = self.header(chain, number)
        if header is None:
            return None
        contents = [ContentRow(*row) for row in self._of_block("content", header, "block")]
        return StoredBlock(header, contents, (), (), ())

    def header(self, chain: int, number: int) -> BlockRow | None:
        rows = self._file.read("SELECT * FROM block WHERE chain = ? AND number = ?", chain, number)
        return next((BlockRow(*row) for row in rows), None)

    def snapshots(self, chain: int) -> list[SnapshotRow]:
        """Return a chain's snapshots, latest first."""
        rows = self._file.read("SELECT * FROM snapshot WHERE chain = ? ORDER BY block DESC", chain)
        return [SnapshotRow(*row) for row in rows]

    def written_at(
        self, chain: int, region: bytes, interval: int, phase: int, part: int
    ) -> Head | None:
        """Return the block that holds a key."""
        rows = self._file.read(
            "SELECT number, hash FROM block"
            " WHERE chain = ? AND region = ? AND interval = ? AND phase = ? AND part = ?",
            *(chain, region, interval, phase, part),
        )
        return next((Head(number, digest) for number, digest in rows), None)

    def body(self, chain: int, block: int) -> bytes | None:
        rows = self._file.read(
            "SELECT content FROM body WHERE chain = ? AND block = ?", chain, block
        )
        return next((bytes(content) for (content,) in rows), None)

    def receipt_of(self, chain: int, transaction: bytes) -> Receipt | None:
        """Return the receipt of a transaction by its hash."""
        for number, position in self._file.read(
            "WITH RECURSIVE runs (n) AS (SELECT (SELECT transactions FROM chain WHERE id = ?1) / ?2"
            " UNION ALL SELECT n - 1 FROM runs WHERE n > 0)"
            " SELECT p.block, p.position FROM runs CROSS JOIN place p"
            " ON p.chain = ?1 AND p.run = runs.n AND p.prefix = ?3",
            *(chain, schema.RUN, prefix_of(transaction)),
        ):
            block = self.block(chain, number)
            if block is not None and keccak(block.raws[position]) == transaction:
                head = Head(number, block.header.hash)
                return Receipt(transaction, head, position, block.outcomes[position])
        return None

    def steps(self, crossing: bytes | None = None) -> list[StepRow]:
        """Return the recorded steps of one cross-chain effect, or of all, oldest first."""
        if crossing is None:
            return [StepRow(*row) for row in self._file.read("SELECT * FROM outbox ORDER BY rowid")]
        rows = self._file.read("SELECT * FROM outbox WHERE id = ? ORDER BY rowid", crossing)
        return [StepRow(*row) for row in rows]

    def strays(self) -> list[tuple[str, int, int]]:
        """Return (table, chain, block) of rows that belong to no block, or to no chain."""
        found: list[tuple[str, int, int]] = []
        for table in schema.BLOCK_TABLES:
            rows = self._file.read(
                f"SELECT t.chain, t.block FROM {table} t LEFT JOIN block b"
                " ON b.chain = t.chain AND b.number = t.block WHERE b.number IS NULL"
            )
            found += [(table, chain, block) for chain, block in rows]
        rows = self._file.read(
            "SELECT chain, number FROM block"
            " WHERE number < 1 OR chain NOT IN (SELECT id FROM chain)"
        )
        return found + [("block", chain, number) for chain, number in rows]

    def require_unwritten(self) -> None:
        """Refuse what was read from a file at rest that somebody began to write meanwhile."""
        if self._age is not None and ledger_file.age_at_rest(self.path) != self._age:
            raise LedgerError(f"{self.path}: was written to while it was read: try again")

    def require_sound(self) -> None:
        """Refuse a file whose pages or indexes are damaged where reading its rows does not show."""
        self._file.require_sound()

    def close(self) -> None:
        """Close the file and give the lock back."""
        self._file.close()


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
    lock = ledger_file.lock(file)
    try:
        return Store(file, ledger_file.connect_to_write(file), lock)
    except BaseException:
        ledger_file.unlock_refused(file, lock)
        raise


def open_to_read(path: str | os.PathLike[str]) -> Store:
    """Open an existing ledger file without lock or change, also beside its writer."""
    file = Path(path)
    connection, age = ledger_file.connect_to_read(file)
    return Store(file, connection, None, age)
