"""The rows of `ledger.db` as stored: one type per table of `schema`, columns in the same order."""

from collections.abc import Sequence
from typing import NamedTuple


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
