"""Does a chain on a node tell a story that can be true? Header by header, ours executed again.

What the node says is believed only as far as hashes cover it: each header has its hash and names
its parent, transactions and receipts have the header's roots (`node_block`). What our operators and
anybody else sent to our contracts is executed again from the deployment on, and must give the
receipts of the blocks; in the end the contracts' storage must be what the last header's state root
says (`eth_getProof`). Keys and bodies come from the companion file, and inspectors judge what they
mean. That the node shows its network's chain, and not one of its own, only a head kept elsewhere
or another node can tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import rlp

from gridpact.crypto.keccak import keccak
from gridpact.errors import Corrupt, HeadMismatch, LedgerError
from gridpact.ledger.audit.audit import (
    AuditedBlock,
    AuditedChain,
    ChainReport,
    Inspector,
    Report,
    viewer,
)
from gridpact.ledger.chain import Call, OutboxStep, Outcome
from gridpact.ledger.evm.engine import EngineFactory, EvmEngine, Moment, default_engine
from gridpact.ledger.evm.state_hash import StateAccount
from gridpact.ledger.evm.transactions import Transaction, create_address, decode, intrinsic_gas
from gridpact.ledger.evm.trie import Unproven, proven, secure_root
from gridpact.ledger.jsonrpc.companion import ChainOnNode, Companion, Plan
from gridpact.ledger.jsonrpc.node import Node
from gridpact.ledger.jsonrpc.node_block import Block, Mined, verified
from gridpact.ledger.ledger import Head
from gridpact.ledger.outbox import crossing_of
from gridpact.model.interval import public_key

_SLOTS_AT_ONCE = 256


class Stands(NamedTuple):
    """A contract that stands as executed. `whole`: its storage has no slot besides ours."""

    row: bytes
    whole: bool


class NodeReport(NamedTuple):
    """What was found of the chains, and how much of their storage the state root covers.

    `contracts` are all, `whole` those whose storage root is that of the slots we know; of the rest
    each of our slots was proven, and others would not be noticed.
    """

    report: Report
    blocks: int
    contracts: int
    whole: int


@dataclass
class _Found:
    """What the blocks hold of one chain: its transactions, with the block of each."""

    row: ChainOnNode
    contracts: set[bytes] = field(default_factory=set)
    rows: list[tuple[Block, int, Mined]] = field(default_factory=list)

    def look(self, block: Block) -> None:
        for at, mined in enumerate(block.transactions):
            ours = mined.sender == self.row.operator
            if ours and not mined.to and mined.status:
                self.contracts.add(create_address(mined.sender, mined.nonce))
            if ours or mined.to in self.contracts:
                self.rows.append((block, at, mined))


def audit_node(
    node: Node,
    companion: Companion,
    heads: Mapping[str, bytes],
    inspectors: Sequence[Inspector] = (),
    engine: EngineFactory | None = None,
) -> NodeReport:
    """Verify the chains of a companion file on a node.

    Parameters
    ----------
    heads
        Hashes of blocks that the user kept elsewhere, by chain name: each must be in the chain.
    inspectors
        Checks of what the records mean.

    Raises
    ------
    Corrupt
        Something does not fit; block and transaction are named.
    HeadMismatch
        The chain does not hold a block that the user named.
    """
    chains = companion.chains()
    if unknown := heads.keys() - {row.name for row in chains}:
        raise HeadMismatch(f"there is no chain {', '.join(sorted(unknown))} in {companion.path}")
    for row in chains:
        if (row.chain_id, row.genesis) != (node.chain_id, node.genesis):
            raise LedgerError(f"{companion.path}: chain {row.name} is on another network")
    found = [_Found(row) for row in chains]
    blocks = list(_blocks(node, _start(node, companion, chains)))
    for block in blocks:
        for one in found:
            one.look(block)
    known, last = frozenset(Head(block.number, block.hash) for block in blocks), blocks[-1]
    reports, stand = [], []
    for one in found:
        name = one.row.name
        chain = AuditedChain(name, one.row.chain_id, one.row.operator, known)
        again = (engine or default_engine())(one.row.chain_id, {})
        _Replay(again, chain, inspectors).run(one, companion)
        state = again.state()
        rows = [_account(node, name, each, state.get(each), last) for each in sorted(one.contracts)]
        stand += rows
        digest = keccak(b"".join(row.row for row in rows))
        confirmed = _confirmed(name, heads.get(name), known)
        head = Head(last.number, last.hash)
        reports.append(ChainReport(name, head, digest, len(one.rows), 0, confirmed))
    for inspector in inspectors:
        inspector.finish()
    report = Report(tuple(reports))
    return NodeReport(report, len(known), len(stand), sum(row.whole for row in stand))


def _confirmed(chain: str, expected: bytes | None, known: frozenset[Head]) -> bool:
    """Say whether the user named a block of the chain."""
    if expected is not None and expected not in {block.hash for block in known}:
        raise HeadMismatch(f"chain {chain} holds no block 0x{expected.hex()}")
    return expected is not None


def _start(node: Node, companion: Companion, chains: Sequence[ChainOnNode]) -> int:
    """Return the first block that holds something of ours."""
    firsts = [next(companion.plans(row.id), None) for row in chains]
    blocks = []
    for plan in firsts:
        for tx in plan.transactions[:1] if plan else ():
            receipt = node.receipt(tx.hash)
            if receipt is None:
                raise Corrupt(f"transaction 0x{tx.hash.hex()}", f"{tx.label}: is in no block")
            blocks.append(receipt.block.number)
    if not blocks:
        raise LedgerError(f"{companion.path}: nothing was written to a node")
    return min(blocks)


def _blocks(node: Node, start: int) -> Iterator[Block]:
    """Yield verified blocks up to the node's last, each the parent of the next."""
    tip = node.tip()
    if tip is None or tip.head.number < start:
        raise Corrupt(f"block {start}", "number: the node's chain ends before")
    before: Block | None = None
    for at in range(start, tip.head.number + 1):
        header = node.header(at)
        if header is None:
            raise Corrupt(f"block {at}", "is not there")
        hashes = [bytes.fromhex(str(row["hash"])[2:]) for row in header.get("transactions", ())]
        block = verified(header, node.receipts(at, hashes))
        if block.number != at:
            raise Corrupt(f"block {at}", f"number: the node shows block {block.number}")
        if before is not None and block.parent != before.hash:
            raise Corrupt(f"block {at}", "parentHash: is not the hash of the block before")
        yield block
        before = block


class _Replay:
    """Executes one chain's transactions again and shows its records to the inspectors."""

    def __init__(
        self, engine: EvmEngine, chain: AuditedChain, inspectors: Sequence[Inspector]
    ) -> None:
        self._engine, self._chain, self._inspectors = engine, chain, inspectors
        self._moment = Moment(0, 0)

    def run(self, found: _Found, companion: Companion) -> None:
        name, row = self._chain.name, found.row
        plans = iter(companion.plans(row.id))
        waiting = next(plans, None)
        waiting = self._empty(waiting, plans, companion, row)
        outcomes: dict[bytes, Outcome] = {}
        for block, at, mined in found.rows:
            place = f"{name} block {block.number} transaction {at}"
            outcome = self._again(place, block, mined)
            if mined.sender != row.operator:
                self._public(block, mined, outcome)
                continue
            if waiting is None or mined.hash not in {tx.hash for tx in waiting.transactions}:
                raise Corrupt(
                    place, "hash: the operator sent what the companion file does not know"
                )
            outcomes[mined.hash] = outcome
            if mined.hash == waiting.last[-1].hash:
                self._record(place, waiting, block, outcomes, companion, row)
                outcomes = {}
                waiting = self._empty(next(plans, None), plans, companion, row)
        if waiting is not None:
            raise Corrupt(f"{name} ({waiting.key})", "transactions: not all are in blocks")

    def _again(self, place: str, block: Block, mined: Mined) -> Outcome:
        """Execute a transaction and hold it to its receipt."""
        made = Transaction(0, mined.nonce, mined.gas, mined.to, mined.data, b"", b"")
        if mined.out_of_gas:
            # gas is not accounted here alike: give it nothing to run with, as it ran out there
            made = Transaction(0, mined.nonce, intrinsic_gas(made), mined.to, mined.data, b"", b"")
        self._moment = Moment(block.number, block.time)
        done = self._engine.execute(made, mined.sender, self._moment)
        self._engine.keep()
        outcome = done.outcome
        if outcome.status != mined.status:
            said = f"status: the receipt says {mined.status}, executed again {outcome.status}"
            raise Corrupt(place, f"{said} {done.failure}".rstrip())
        if outcome.status and outcome.logs != mined.logs:
            raise Corrupt(place, "logs: executed again it logs otherwise")
        return outcome

    def _record(
        self,
        place: str,
        plan: Plan,
        block: Block,
        outcomes: Mapping[bytes, Outcome],
        companion: Companion,
        row: ChainOnNode,
    ) -> None:
        """Show a record whose last transaction was just executed."""
        done = [outcomes.get(tx.hash) for tx in plan.last]
        if any(one is None or not one.status for one in done):
            raise Corrupt(place, f"{plan.key}: a transaction of the record failed or is missing")
        if plan.block != Head(block.number, block.hash):
            raise Corrupt(place, f"{plan.key}: the companion file names another block")
        self._show(plan, block, [one for one in done if one is not None], companion, row)

    def _empty(
        self,
        plan: Plan | None,
        plans: Iterator[Plan],
        companion: Companion,
        row: ChainOnNode,
    ) -> Plan | None:
        """Show records without transactions, and return the next one with some."""
        while plan is not None and not plan.transactions:
            if plan.block is None or plan.block not in self._chain.blocks:
                raise Corrupt(f"{row.name} ({plan.key})", "block: is not in the chain")
            self._show(plan, plan.block, [], companion, row)
            plan = next(plans, None)
        return plan

    def _show(
        self,
        plan: Plan,
        block: Block | Head,
        outcomes: Sequence[Outcome],
        companion: Companion,
        row: ChainOnNode,
    ) -> None:
        steps = companion.steps_of(row.id, plan.number)
        calls = tuple(_call(tx.raw, tx.label) for tx in plan.last)
        shown = AuditedBlock(
            chain=self._chain,
            number=block.number,
            hash=block.hash,
            time=self._moment.time,
            key=plan.key,
            body=plan.body,
            calls=calls,
            senders=(row.operator,) * len(calls),
            outcomes=tuple(outcomes),
            steps=tuple(OutboxStep(crossing_of(step), step.state) for step in steps),
        )
        self._inspect(shown)

    def _public(self, block: Block, mined: Mined, outcome: Outcome) -> None:
        """Show what anybody sent to our contracts."""
        call = Call(mined.to, mined.data, "public")
        self._inspect(
            AuditedBlock(
                *(self._chain, block.number, block.hash, block.time, public_key(block.number)),
                *(b"", (call,), (mined.sender,), (outcome,), ()),
            )
        )

    def _inspect(self, block: AuditedBlock) -> None:
        view = viewer(self._engine, self._chain.operator, self._moment)
        for inspector in self._inspectors:
            inspector.block(block, view)


def _call(raw: bytes, label: str) -> Call:
    made = decode(raw, priced=True)
    return Call(made.to, made.data, label)


def _account(
    node: Node, chain: str, address: bytes, state: StateAccount | None, block: Block
) -> Stands:
    """Hold a contract's storage and code to the block's state root."""
    place = f"{chain} block {block.number} contract 0x{address.hex()}"
    proof = node.proof(address, block.number)
    said = rlp.encode([proof.nonce, proof.balance, proof.storage_hash, proof.code_hash])
    if _shown(place, block.state_root, address, proof.nodes) != said:
        raise Corrupt(place, "proof: shows another account than the node names")
    if state is None or keccak(state.code) != proof.code_hash:
        raise Corrupt(place, "code: is not what its creation makes")
    slots = {
        slot.to_bytes(32, "big"): rlp.encode(value)
        for slot, value in state.storage.items()
        if value
    }
    whole = secure_root(slots) == proof.storage_hash
    if not whole:
        _slot_by_slot(node, place, address, slots, proof.storage_hash, block)
    return Stands(address + proof.code_hash + proof.storage_hash, whole)


def _slot_by_slot(
    node: Node,
    place: str,
    address: bytes,
    slots: Mapping[bytes, bytes],
    storage_root: bytes,
    block: Block,
) -> None:
    """Hold each slot to the storage root: some nodes keep slots that are zero, as anvil does.

    Their root is then not that of the slots alone, and slots which we do not know stay unseen.
    """
    keys = list(slots)
    for first in range(0, len(keys), _SLOTS_AT_ONCE):
        asked = keys[first : first + _SLOTS_AT_ONCE]
        for key, nodes in zip(asked, node.slot_proofs(address, asked, block.number), strict=True):
            if _shown(f"{place} slot 0x{key.hex()}", storage_root, key, nodes) != slots[key]:
                raise Corrupt(f"{place} slot 0x{key.hex()}", "is not what our transactions make it")


def _shown(place: str, root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes:
    try:
        return proven(root, keccak(key), nodes)
    except Unproven as error:
        raise Corrupt(place, f"proof: {error}") from error
