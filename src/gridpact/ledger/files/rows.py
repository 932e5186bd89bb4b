"""The rows of `ledger.db` as stored: one type per table of `schema`, columns in the same order."""

from collections.abc import Sequence
from typing import NamedTuple

from gridpact.errors import Corrupt
from gridpact.ledger.chain import Outcome
from gridpact.ledger.files import schema
from gridpact.ledger.files.content import unpack_receipts, unpack_transactions


class ChainRow(NamedTuple):
    """A chain of the file, as stored."""

    id: int
    name: str
    chain_id: int
    operator: bytes
    head_number: int
    head_hash: bytes
    transactions: int


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


class ContentRow(NamedTuple):
    """A block's transactions and receipts; `first` counts the chain's transactions before it."""

    chain: int
    block: int
    first: int
    transactions: bytes
    receipts: bytes


class PlaceRow(NamedTuple):
    """Where the transactions stand whose hashes begin with `prefix`."""

    chain: int
    run: int
    prefix: int
    block: int
    position: int


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
    contents: Sequence[ContentRow]
    places: Sequence[PlaceRow]
    bodies: Sequence[BodyRow]
    steps: Sequence[StepRow]

    @property
    def content(self) -> ContentRow:
        """Return the block's one content. Raises `Corrupt` where there is none."""
        if len(self.contents) != 1:
            problem = f"content: {len(self.contents)} rows instead of one"
            raise Corrupt(f"block {self.header.number}", problem)
        return self.contents[0]

    @property
    def raws(self) -> tuple[bytes, ...]:
        """Return the signed transactions, in order. Raises `Corrupt` on unreadable ones."""
        content = self.content
        try:
            return unpack_transactions(content.transactions)
        except ValueError as error:
            raise Corrupt(f"block {content.block}", f"transactions: {error}") from error

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Return the receipts, in order. Raises `Corrupt` on unreadable ones."""
        content = self.content
        try:
            return unpack_receipts(content.receipts)
        except ValueError as error:
            raise Corrupt(f"block {content.block}", f"receipts: {error}") from error


def prefix_of(transaction: bytes) -> int:
    """Return what `place` keeps of a transaction's hash."""
    return int.from_bytes(transaction[: schema.PREFIX], "big")


def places_of(chain: int, block: int, first: int, hashes: Sequence[bytes]) -> list[PlaceRow]:
    """Return where a block's transactions stand, in the order of the table."""
    run = first // schema.RUN
    return sorted(
        PlaceRow(chain, run, prefix_of(hash_), block, position)
        for position, hash_ in enumerate(hashes)
    )
