"""From what a block did to what is stored of it: its header and the rows of all tables."""

from collections.abc import Sequence
from typing import NamedTuple

from gridpact.crypto.keccak import keccak
from gridpact.ledger.chain import OutboxStep, Outcome
from gridpact.ledger.embedded.replay import Position
from gridpact.ledger.evm.engine import Moment
from gridpact.ledger.evm.transactions import Transaction
from gridpact.ledger.files import header as head
from gridpact.ledger.files.content import pack_receipts, pack_transactions
from gridpact.ledger.files.header import Header
from gridpact.ledger.files.rows import (
    BlockRow,
    BodyRow,
    ChainRow,
    ContentRow,
    StepRow,
    StoredBlock,
    places_of,
)
from gridpact.model.interval import Key, Phase


class Made(NamedTuple):
    """What a new block holds. Blocks of public transactions have neither body nor steps."""

    key: Key
    moment: Moment
    transactions: Sequence[Transaction]
    outcomes: Sequence[Outcome]
    body: bytes = b""
    steps: Sequence[OutboxStep] = ()


class Assembled(NamedTuple):
    """A new block: its header, everything to store of it, its transactions' hashes in order."""

    header: Header
    rows: StoredBlock
    hashes: Sequence[bytes]


def assemble(chain: ChainRow, parent: Position, made: Made) -> Assembled:
    """Return what a new block on `parent` is."""
    hashes = [each.hash for each in made.transactions]
    receipts = head.receipt_root(made.outcomes)
    header = Header(
        chain_id=chain.chain_id,
        number=made.moment.number,
        time=made.moment.time,
        parent=parent.hash,
        key=made.key,
        body_hash=keccak(made.body),
        transaction_root=head.transaction_root(hashes),
        receipt_root=receipts,
        steps_root=head.steps_root(made.steps),
        state_chain=head.next_state_chain(parent.state_chain, receipts),
    )
    return Assembled(header, _rows(chain.id, header, parent.transactions, made, hashes), hashes)


def _rows(
    chain: int, header: Header, first: int, made: Made, hashes: Sequence[bytes]
) -> StoredBlock:
    number, key = header.number, header.key
    named = (key.region, key.interval, int(key.phase), key.part)
    roots = (header.transaction_root, header.receipt_root, header.steps_root)
    raws = pack_transactions([each.raw for each in made.transactions])
    has_body = key.phase is not Phase.PUBLIC
    return StoredBlock(
        BlockRow(
            *(chain, number, header.time, header.parent),
            *named,
            *(header.body_hash, *roots, header.state_chain, header.hash),
        ),
        [ContentRow(chain, number, first, raws, pack_receipts(made.outcomes))],
        places_of(chain, number, first, hashes),
        [BodyRow(chain, number, *named, made.body)] if has_body else [],
        [
            StepRow(chain, number, at, c.id, c.source, c.target, str(c.amount), state)
            for at, (c, state) in enumerate(made.steps)
        ],
    )
