"""Does a ledger file tell a story that can be true? Every chain executed again from genesis.

Nothing derived is trusted (`replay`): hashes, signatures, roots, receipts, snapshots and outbox
steps are computed anew. What the records mean to the market (order and reading signatures, money,
energy, crossings in pairs) is checked by inspectors inside the same replay. A rewritten file can be
consistent in itself: only heads kept elsewhere tell (5-decisions, section 17).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridpact.crypto.signers import Signers
from gridpact.errors import Corrupt, HeadMismatch, Reverted
from gridpact.ledger.chain import Call, OutboxStep, Outcome
from gridpact.ledger.embedded.replay import Replayed, genesis, replay_all
from gridpact.ledger.evm.engine import EngineFactory, EvmEngine, Moment, default_engine
from gridpact.ledger.evm.state_hash import State, pack, state_hash, unpack
from gridpact.ledger.files.rows import ChainRow, SnapshotRow, StepRow
from gridpact.ledger.files.store import Store, open_to_read
from gridpact.ledger.ledger import Head
from gridpact.ledger.outbox import crossing_of, problem, rank
from gridpact.model.interval import Key


@dataclass(frozen=True)
class AuditedChain:
    """What a chain says of itself; on a node, `blocks` are all that are known to be in it."""

    name: str
    chain_id: int
    operator: bytes
    blocks: frozenset[Head] = frozenset()


@dataclass(frozen=True)
class AuditedBlock:
    """One block that was executed again and found in order. `time` in seconds.

    `senders` signed its calls: the operator those of the market, anybody those of a public block.
    """

    chain: AuditedChain
    number: int
    hash: bytes
    time: int
    key: Key
    body: bytes
    calls: tuple[Call, ...]
    senders: tuple[bytes, ...]
    outcomes: tuple[Outcome, ...]
    steps: tuple[OutboxStep, ...]


View = Callable[[Call], bytes]
"""A read-only call on the state after the block at hand."""


class Inspector(Protocol):
    """Checks what blocks mean. Raises `Corrupt` with the place and the problem."""

    def block(self, block: AuditedBlock, view: View) -> None:
        """Look at one block; the blocks of a chain come in order, chain after chain."""
        ...

    def finish(self) -> None:
        """Look at all chains together, after the last block of the last."""
        ...


@dataclass(frozen=True)
class ChainReport:
    """What was found of one chain. `confirmed`: its head is the one the user named."""

    name: str
    head: Head
    state_hash: bytes
    transactions: int
    snapshots: int
    confirmed: bool


@dataclass(frozen=True)
class Report:
    """A ledger file in which everything follows from its transactions."""

    chains: tuple[ChainReport, ...]

    @property
    def confirmed(self) -> bool:
        """Say whether the head of every chain was confirmed by the user."""
        return bool(self.chains) and all(chain.confirmed for chain in self.chains)


def audit(
    path: str | os.PathLike[str],
    heads: Mapping[str, bytes] | None = None,
    inspectors: Sequence[Inspector] = (),
    engine: EngineFactory | None = None,
) -> Report:
    """Verify every chain of a ledger file from genesis.

    Parameters
    ----------
    heads
        Head hashes that the user kept elsewhere, by chain name.
    inspectors
        Checks of what the records mean.
    engine
        Opens the EVM; the fastest installed by default.

    Raises
    ------
    Corrupt
        A stored field does not fit; place and field are named.
    HeadMismatch
        A chain is sound but its head is not the one given, or there is no such chain.
    LedgerError
        The file is no ledger, or its pages are damaged.
    """
    with open_to_read(path) as store:
        try:
            report = _audit(store, dict(heads or {}), inspectors, engine or default_engine())
        finally:
            store.require_unwritten()
    return report


def _audit(
    store: Store,
    heads: Mapping[str, bytes],
    inspectors: Sequence[Inspector],
    factory: EngineFactory,
) -> Report:
    rows, signers = store.chains(), Signers()
    _no_strays(store, rows)
    if unknown := heads.keys() - {row.name for row in rows}:
        raise HeadMismatch(f"there is no chain {', '.join(sorted(unknown))} in {store.path}")
    try:
        reports = [
            _audit_chain(store, row, heads.get(row.name), inspectors, factory, signers)
            for row in rows
        ]
    finally:
        signers.close()
    _outbox(store.steps(), {row.id: row.name for row in rows})
    for inspector in inspectors:
        inspector.finish()
    store.require_sound()
    return Report(tuple(reports))


def _audit_chain(
    store: Store,
    row: ChainRow,
    expected: bytes | None,
    inspectors: Sequence[Inspector],
    factory: EngineFactory,
    signers: Signers,
) -> ChainReport:
    chain = AuditedChain(row.name, row.chain_id, row.operator)
    engine = factory(row.chain_id, {})
    snapshots = {snapshot.block: snapshot for snapshot in store.snapshots(row.id)}
    position, transactions = genesis(row), 0
    for done in replay_all(engine, row, position, store.blocks(row.id), signers):
        position = done.position
        transactions += len(done.calls)
        if position.number in snapshots:
            _snapshot(row.name, snapshots[position.number], engine.state())
        block = _audited(chain, done)
        for inspector in inspectors:
            inspector.block(
                block, viewer(engine, row.operator, Moment(position.number, position.time))
            )
    if (found := store.place_count(row.id)) != position.transactions:
        problem = f"{found} rows for {position.transactions} transactions"
        raise Corrupt(f"{row.name} place", f"chain, run, prefix, block or position: {problem}")
    if expected is not None and expected != position.hash:
        raise HeadMismatch(
            f"chain {row.name} ends at block {position.number} with head 0x{position.hash.hex()}, "
            f"not 0x{expected.hex()}"
        )
    return ChainReport(
        row.name,
        Head(position.number, position.hash),
        state_hash(engine.state()),
        transactions,
        len(snapshots),
        expected is not None,
    )


def _audited(chain: AuditedChain, done: Replayed) -> AuditedBlock:
    header = done.header
    return AuditedBlock(
        chain=chain,
        number=header.number,
        hash=header.hash,
        time=header.time,
        key=header.key,
        body=done.body,
        calls=done.calls,
        senders=done.senders,
        outcomes=done.outcomes,
        steps=done.steps,
    )


def viewer(engine: EvmEngine, sender: bytes, moment: Moment) -> View:
    """Return a way to ask the contracts at a moment."""

    def view(call: Call) -> bytes:
        done = engine.view(sender, call.to, call.data, moment)
        if done.failure:
            raise Reverted(done.failure, call.label)
        return done.outcome.output

    return view


def _snapshot(chain: str, snapshot: SnapshotRow, state: State) -> None:
    """Check a snapshot against the state that the replay reached at its block."""
    place = f"{chain} snapshot at block {snapshot.block}"
    computed = state_hash(state)
    if snapshot.content == pack(state):
        if snapshot.state_hash != computed:
            raise Corrupt(place, "state_hash: is not that of the state at this block")
        return
    if snapshot.state_hash == computed:
        raise Corrupt(place, "content: is not the state at this block")
    if state_hash(unpack(snapshot.content, place)) == snapshot.state_hash:
        raise Corrupt(place, "chain or block: the snapshot is of another block")
    raise Corrupt(place, "content and state_hash: neither is that of the state at this block")


def _no_strays(store: Store, rows: Sequence[ChainRow]) -> None:
    """Refuse rows that belong to no block, and blocks that belong to no chain."""
    chains = {row.id: row for row in rows}
    for table, chain, block in store.strays():
        if chain not in chains:
            raise Corrupt(f"chain {chain} {table} at block {block}", "chain or id: no such chain")
        name = chains[chain].name
        if 0 < block <= chains[chain].head_number:
            raise Corrupt(f"{name} block {block}", f"chain or number: not there, its {table} is")
        raise Corrupt(f"{name} {table} at block {block}", "chain or block: no such block")


def _outbox(rows: Sequence[StepRow], names: Mapping[int, str]) -> None:
    """Check that every crossing took its steps in order, each on its own chain."""
    crossings: dict[bytes, list[StepRow]] = {}
    for row in rows:
        crossings.setdefault(row.id, []).append(row)
    for steps in crossings.values():
        taken: list[OutboxStep] = []
        for row in sorted(steps, key=lambda row: rank(row.state)):
            step = OutboxStep(crossing_of(row), row.state)
            if wrong := problem(names[row.chain], step, taken):
                raise Corrupt(f"{names[row.chain]} block {row.block} outbox {row.position}", wrong)
            taken.append(step)
