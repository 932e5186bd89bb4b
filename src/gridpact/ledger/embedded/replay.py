"""One stored block executed again: does everything stored of it follow from its transactions?

Used by `embedded` to resume after a crash and by `audit` from genesis. Nothing derived is trusted:
each stored field is computed anew, and the first that does not fit is named in `Corrupt`. What is
stored twice (key, hash, the beginning of a transaction's hash) tells which of the two was changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gridpact.crypto.keccak import keccak
from gridpact.crypto.signers import Signers
from gridpact.errors import Corrupt
from gridpact.ledger.chain import Call, OutboxStep, Outcome
from gridpact.ledger.embedded.ahead import Ahead
from gridpact.ledger.evm.admission import objection
from gridpact.ledger.evm.engine import EvmEngine, Moment
from gridpact.ledger.evm.transactions import NotATransaction, Transaction, decode
from gridpact.ledger.files import header as head
from gridpact.ledger.files.content import pack_receipts, unpack_receipts
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
from gridpact.model.interval import Key, Phase, public_key
from gridpact.model.record import Crossing


class Position(NamedTuple):
    """How far a chain was followed: its last block, and the transactions up to it."""

    number: int
    hash: bytes
    state_chain: bytes
    time: int
    transactions: int


def genesis(chain: ChainRow) -> Position:
    """Return where a chain starts."""
    parent = head.genesis_hash(chain.name, chain.chain_id, chain.operator)
    return Position(0, parent, bytes(32), 0, 0)


def position_at(block: StoredBlock) -> Position:
    """Return where a chain stands after a block, as stored."""
    header = block.header
    count = block.content.first + len(block.raws)
    return Position(header.number, header.hash, header.state_chain, header.time, count)


class Replayed(NamedTuple):
    """A block that was executed again and found in order; `senders` signed its calls."""

    header: Header
    body: bytes
    calls: tuple[Call, ...]
    senders: tuple[bytes, ...]
    outcomes: tuple[Outcome, ...]
    steps: tuple[OutboxStep, ...]
    position: Position


def replay_all(
    engine: EvmEngine,
    chain: ChainRow,
    start: Position,
    blocks: Iterable[StoredBlock],
    signers: Signers | None = None,
) -> Iterator[Replayed]:
    """Execute the blocks after `start` in order, up to the head that the chain names.

    `signers` finds out who signed; by default without a process of its own.
    """
    position, rest, ahead = start, iter(blocks), Ahead(signers or Signers(cores=1))
    block = next(rest, None)
    while block is not None:
        following = next(rest, None)
        link = following.header.parent if following else chain.head_hash
        done = replay(engine, chain, position, Stored(block, link, following), ahead)
        position, block = done.position, following
        yield done
    if chain.head_number != position.number:
        raise Corrupt(f"chain {chain.name}", f"head_number: the last block is {position.number}")
    if chain.head_hash != position.hash:
        raise Corrupt(f"chain {chain.name}", "head_hash: is not the hash of the last block")
    if chain.transactions != position.transactions:
        problem = f"transactions: {chain.transactions}, the blocks hold {position.transactions}"
        raise Corrupt(f"chain {chain.name}", problem)


class Stored(NamedTuple):
    """A stored block, its hash as the next block or the head says it, and the next block."""

    block: StoredBlock
    next_parent: bytes
    following: StoredBlock | None


def replay(
    engine: EvmEngine, chain: ChainRow, before: Position, stored: Stored, ahead: Ahead
) -> Replayed:
    """Execute a stored block on `engine`, which stands at `before`, and check every field.

    Raises `Corrupt` with the place and the field.
    """
    block, next_parent, following = stored
    row = block.header
    place = f"{chain.name} block {row.number}"
    if row.number != before.number + 1:
        raise Corrupt(f"{chain.name} block {before.number + 1}", f"number: next is {row.number}")
    if not 0 <= row.time < 2**63:
        raise Corrupt(place, f"time: {row.time}")
    body = _body_of(place, chain, block)
    key = _key(place, chain, row, body)
    _link(place, chain, block, key, before)
    _body(place, chain, row, key, body)
    content = _only_content(place, block)
    _want(f"{place} content", "first", content.first, before.transactions)
    transactions, signers = _transactions(place, chain, engine, block, key, ahead)
    ahead.begin(following)
    moment = Moment(row.number, row.time)
    executed = [
        engine.execute(each, sender, moment)
        for each, sender in zip(transactions, signers, strict=True)
    ]
    outcomes = tuple(execution.outcome for execution in executed)
    _receipts(place, chain, row, content, key, outcomes)
    steps = _steps(place, chain, row, key, block.steps)
    expected = head.next_state_chain(before.state_chain, row.receipt_root)
    _want(place, "state_chain", row.state_chain, expected)
    header = _header(chain, row, key)
    if header.hash != row.hash:
        changed = "time" if next_parent == row.hash else "hash"
        raise Corrupt(place, f"{changed}: the header does not have the block's hash")
    _require_rules(place, key, outcomes, steps)
    engine.keep()
    calls = tuple(
        Call(transaction.to, transaction.data, f"{place} transaction {position}")
        for position, transaction in enumerate(transactions)
    )
    count = before.transactions + len(transactions)
    position = Position(header.number, header.hash, header.state_chain, header.time, count)
    return Replayed(header, body.content, calls, signers, outcomes, steps, position)


def _require_rules(
    place: str, key: Key, outcomes: Sequence[Outcome], steps: Sequence[OutboxStep]
) -> None:
    """Check what a block of its kind never holds, however well its hashes fit."""
    if key.phase is not Phase.PUBLIC:
        if any(outcome.status != 1 for outcome in outcomes):
            raise Corrupt(place, "status: a failed transaction in a block of the market")
    elif steps or not outcomes:
        raise Corrupt(place, "outbox or transactions: not those of a public block")


def _want(place: str, field: str, stored: object, computed: object) -> None:
    if stored != computed:
        raise Corrupt(place, f"{field}: stored {_short(stored)}, computed {_short(computed)}")


def _short(value: object) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else str(value)


def _header(chain: ChainRow, row: BlockRow, key: Key) -> Header:
    roots = (row.body_hash, row.transaction_root, row.receipt_root, row.steps_root)
    link = (chain.chain_id, row.number, row.time, row.parent)
    return Header(*link, key, *roots, row.state_chain)


def _would_fit(chain: ChainRow, row: BlockRow, key: Key) -> bool:
    """Say whether the header with one field replaced has the stored hash: that field is wrong."""
    return _header(chain, row, key).hash == row.hash


def _body_of(place: str, chain: ChainRow, block: StoredBlock) -> BodyRow:
    """Return the block's one body; that of a public block is empty and not stored."""
    row, bodies = block.header, block.bodies
    if len(bodies) == 1:
        if bodies[0].phase == Phase.PUBLIC:
            raise Corrupt(f"{place} body", "phase: a public block has no body")
        return bodies[0]
    key = public_key(row.number)
    if bodies or (row.phase != Phase.PUBLIC and not _would_fit(chain, row, key)):
        raise Corrupt(place, f"body: {len(bodies)} rows instead of one")
    return BodyRow(row.chain, row.number, key.region, key.interval, key.phase, key.part, b"")


def _body(place: str, chain: ChainRow, row: BlockRow, key: Key, body: BodyRow) -> None:
    computed = keccak(body.content)
    if computed != row.body_hash:
        if _would_fit(chain, row._replace(body_hash=computed), key):
            raise Corrupt(place, "body_hash: is not the hash of the body")
        raise Corrupt(f"{place} body", "content: does not have the block's body_hash")


def _link(place: str, chain: ChainRow, block: StoredBlock, key: Key, before: Position) -> None:
    """Check the parent; at block 1 either it or what the chain says of itself may be wrong."""
    row = block.header
    if row.parent == before.hash:
        return
    if before.number or _would_fit(chain, row._replace(parent=before.hash), key):
        raise Corrupt(place, "parent: is not the hash of the block before")
    problem = f"{_odd_field(chain, block)}: block 1 has another genesis"
    raise Corrupt(f"chain {chain.name}", problem)


def _odd_field(chain: ChainRow, block: StoredBlock) -> str:
    """Return what of a chain's row its first transaction contradicts."""
    try:
        first = decode(block.raws[0])
    except (IndexError, NotATransaction, Corrupt):
        return "name, chain_id or operator"
    if first.chain_id != chain.chain_id:
        return "chain_id"
    return "operator" if first.sender != chain.operator else "name"


def _key(place: str, chain: ChainRow, row: BlockRow, body: BodyRow) -> Key:
    """Return the block's key; where block and body differ, the header's hash decides."""
    for field in ("region", "interval", "phase", "part"):
        stored, repeated = getattr(row, field), getattr(body, field)
        if stored == repeated:
            continue
        try:
            block_is_wrong = _would_fit(chain, row, _key_of(body))
        except (ValueError, OverflowError):
            block_is_wrong = False
        raise Corrupt(
            place if block_is_wrong else f"{place} body",
            f"{field}: the block says {_short(stored)}, its body {_short(repeated)}",
        )
    try:
        return _key_of(row)
    except (ValueError, OverflowError) as error:
        raise Corrupt(place, f"region, interval, phase or part: {error}") from error


def _key_of(row: BlockRow | BodyRow) -> Key:
    if len(row.region) != 32 or min(row.interval, row.part) < 0:
        raise ValueError("no such key")
    return Key(row.region, row.interval, Phase(row.phase), row.part)


def _only_content(place: str, block: StoredBlock) -> ContentRow:
    if len(block.contents) != 1:
        raise Corrupt(place, f"content: {len(block.contents)} rows instead of one")
    return block.contents[0]


def _transactions(
    place: str, chain: ChainRow, engine: EvmEngine, block: StoredBlock, key: Key, ahead: Ahead
) -> tuple[tuple[Transaction, ...], tuple[bytes, ...]]:
    """Return the block's transactions and who signed them."""
    row, content = block.header, block.contents[0]
    try:
        raws, read = ahead.of(block)
    except ValueError as error:
        raise Corrupt(f"{place} content", f"transactions: {error}") from error
    hashes = [keccak(raw) for raw in raws]
    places = places_of(row.chain, row.number, content.first, hashes)
    root = head.transaction_root(hashes)
    if root != row.transaction_root:
        if _would_fit(chain, row._replace(transaction_root=root), key):
            raise Corrupt(place, "transaction_root: does not cover the stored transactions")
        odd = sorted(one.position for one in set(places) - set(block.places))
        here = f"{place} transaction {odd[0]}" if odd else f"{place} content"
        raise Corrupt(here, "transactions: raw bytes do not have the hash that was stored")
    if places != list(block.places):
        problem = "chain, run, prefix, block or position: not as the transactions stand"
        raise Corrupt(f"{place} place", problem)
    signed = [_signed(place, at, chain, row.phase, *each) for at, each in enumerate(read)]
    _nonces(place, engine, signed)
    return tuple(each for each, _ in signed), tuple(signer for _, signer in signed)


def _signed(
    place: str,
    at: int,
    chain: ChainRow,
    phase: int,
    read: Transaction | NotATransaction,
    signer: bytes | None,
) -> tuple[Transaction, bytes]:
    """Check who signed: the operator for the market, anybody else in a public block."""
    if isinstance(read, NotATransaction):
        raise Corrupt(f"{place} transaction {at}", f"raw: {read}")
    if signer is None or read.chain_id != chain.chain_id:
        here = f"{place} transaction {at}"
        _want(here, "chain id in raw", read.chain_id, chain.chain_id)
        raise Corrupt(here, "sender in raw: the signature is not valid")
    if phase != Phase.PUBLIC:
        if signer != chain.operator:
            _want(f"{place} transaction {at}", "sender in raw", signer, chain.operator)
    elif wrong := objection(read, signer, chain.chain_id, chain.operator):
        raise Corrupt(f"{place} transaction {at}", f"raw: {wrong}")
    return read, signer


def _nonces(place: str, engine: EvmEngine, signed: Sequence[tuple[Transaction, bytes]]) -> None:
    """Check that each signer's nonces go on where the engine stands."""
    due: dict[bytes, int] = {}
    for at, (each, signer) in enumerate(signed):
        nonce = due.get(signer)
        nonce = engine.nonce(signer) if nonce is None else nonce
        if each.nonce != nonce:
            _want(f"{place} transaction {at}", "nonce in raw", each.nonce, nonce)
        due[signer] = nonce + 1


def _receipts(
    place: str,
    chain: ChainRow,
    row: BlockRow,
    content: ContentRow,
    key: Key,
    outcomes: Sequence[Outcome],
) -> None:
    """Check the stored receipts against those of the execution; where they differ, say in what."""
    if content.receipts != pack_receipts(outcomes):
        try:
            stored = unpack_receipts(content.receipts)
        except ValueError as error:
            raise Corrupt(f"{place} content", f"receipts: {error}") from error
        for at, (receipt, outcome) in enumerate(zip(stored, outcomes, strict=False)):
            here = f"{place} receipt {at} in receipts"
            _want(here, "status", receipt.status, outcome.status)
            _want(here, "output", receipt.output, outcome.output)
            _want(here, "logs", head.pack_logs(receipt.logs), head.pack_logs(outcome.logs))
        raise Corrupt(f"{place} content", f"receipts: {len(stored)} of {len(outcomes)}")
    root = head.receipt_root(outcomes)
    if root != row.receipt_root:
        changed = _would_fit(chain, row._replace(receipt_root=root), key)
        problem = "does not cover the receipts" if changed else "of another execution"
        raise Corrupt(place, f"receipt_root: {problem}")


def _steps(
    place: str, chain: ChainRow, row: BlockRow, key: Key, rows: Sequence[StepRow]
) -> tuple[OutboxStep, ...]:
    """Return the block's outbox steps; all their fields stand under one root."""
    steps = tuple(_step(f"{place} outbox {at}", at, step) for at, step in enumerate(rows))
    computed = head.steps_root(steps)
    if computed != row.steps_root:
        if _would_fit(chain, row._replace(steps_root=computed), key):
            raise Corrupt(place, "steps_root: does not cover the outbox rows")
        raise Corrupt(
            f"{place} outbox",
            "chain, block, id, source, target, amount or state: not as in steps_root",
        )
    return steps


def _step(place: str, position: int, row: StepRow) -> OutboxStep:
    if row.position != position:
        raise Corrupt(place, f"position: {row.position}")
    if not row.amount.isascii() or not row.amount.isdecimal() or row.amount != str(int(row.amount)):
        raise Corrupt(place, f"amount: {row.amount!r} is no whole number")
    return OutboxStep(Crossing(row.id, row.source, row.target, int(row.amount)), row.state)
