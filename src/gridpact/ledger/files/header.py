"""What a block commits to (5-decisions, section 17, "State").

header = chain id, number, time, parent, key, body hash, transaction root, receipt root, steps root,
state chain, with state_chain = keccak(previous || receipt root). Receipts hold status, return data
and logs, no gas. The roots are indexed Merkle roots (`crypto.merkle`). Block 0 is no block: its
hash stands for the chain's name, id and operator, so every head binds them.
"""

from collections.abc import Sequence
from functools import cached_property

import msgspec

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.ledger.chain import Log, OutboxStep, Outcome
from gridpact.model.interval import Key

_BLOCK = name_hash("gridpact block 1")
_GENESIS = name_hash("gridpact chain 1")

_encoder = msgspec.msgpack.Encoder()
_logs = msgspec.msgpack.Decoder(tuple[tuple[bytes, tuple[bytes, ...], bytes], ...])


class Header(msgspec.Struct, frozen=True, dict=True):
    """All that one block says, in 32-byte words. `time` in seconds."""

    chain_id: int
    number: int
    time: int
    parent: bytes
    key: Key
    body_hash: bytes
    transaction_root: bytes
    receipt_root: bytes
    steps_root: bytes
    state_chain: bytes

    @cached_property
    def hash(self) -> bytes:
        key = self.key
        numbers = (self.chain_id, self.number, self.time, key.interval, key.phase, key.part)
        words = [number.to_bytes(32, "big") for number in numbers]
        roots = (self.body_hash, self.transaction_root, self.receipt_root, self.steps_root)
        return keccak(b"".join((_BLOCK, *words, key.region, self.parent, *roots, self.state_chain)))


def genesis_hash(name: str, chain_id: int, operator: bytes) -> bytes:
    """Return the parent of block 1: what a chain is, before anything happened on it."""
    return keccak(
        _GENESIS + name_hash(name) + chain_id.to_bytes(32, "big") + operator.rjust(32, b"\0")
    )


def next_state_chain(previous: bytes, receipt_root: bytes) -> bytes:
    """Return the hash over all receipts since genesis."""
    return keccak(previous + receipt_root)


def transaction_root(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle root over transaction hashes, in order."""
    return merkle.root(hashes)


def pack_logs(logs: Sequence[Log]) -> bytes:
    """Return the canonical bytes of a receipt's logs."""
    return _encoder.encode([(log.address, log.topics, log.data) for log in logs])


def unpack_logs(packed: bytes) -> tuple[Log, ...]:
    """Return the logs of `pack_logs`; raises `msgspec.DecodeError` on other bytes."""
    return tuple(Log(*log) for log in _logs.decode(packed))


def receipt_leaf(outcome: Outcome, logs: bytes) -> bytes:
    """Return the leaf of one receipt; `logs` are its packed logs."""
    words = outcome.status.to_bytes(32, "big") + len(outcome.output).to_bytes(32, "big")
    return words + outcome.output + logs


def receipt_root(outcomes: Sequence[Outcome]) -> bytes:
    """Return the Merkle root over receipts, in order."""
    return merkle.root([receipt_leaf(outcome, pack_logs(outcome.logs)) for outcome in outcomes])


def steps_root(steps: Sequence[OutboxStep]) -> bytes:
    """Return the Merkle root over a block's steps of cross-chain effects."""
    return merkle.root(
        [_encoder.encode((c.id, c.source, c.target, str(c.amount), state)) for c, state in steps]
    )
