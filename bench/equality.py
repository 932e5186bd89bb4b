"""Is our chain an Ethereum chain? The same signed transactions here and on anvil, compared.

Random traffic (`bench.traffic`) block by block to the embedded chain and to anvil under London
rules, with the same chain id and block times: status, return data, logs of every transaction, and
at the end the whole state (nonces, balances, code, storage) have to be equal. The chain accounts
no gas, so transactions that run out of it are compared between py-evm and anvil, with the gas used.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.anvil import anvil

from bench.node import Node, unhex, unhex_all
from bench.rows import Row
from bench.traffic import Recorded, Sent, recorded, traffic
from gridpact.errors import LedgerError, PowerFlowDiverged
from gridpact.ledger.chain import Log, Outcome
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm import pyevm
from gridpact.ledger.evm.engine import Moment
from gridpact.ledger.evm.state_hash import State, unpack
from gridpact.ledger.evm.transactions import GAS, sign
from gridpact.ledger.files.store import Store, open_store

TRANSACTIONS = 10_000
SHORT_OF_GAS = 2_000
"""Transactions of the second part, on an engine a hundred times as slow."""
FIRST_SEED = 5_000
BEGINS, SECONDS = 1_700_000_000, 60
"""Time of the first block, and between two. [s]"""
OPTIONS = (
    *("--no-mining", "--order", "fifo", "--timestamp", "1", "--disable-block-gas-limit"),
    *("--accounts", "1", "--balance", "0"),
)
NOTES = (
    "Traffic of small random markets on both chains of each, with unplanned calls between the "
    "planned ones: by strangers, again, cut, longer, with a bit or a word changed, any function "
    "of any contract, noise, deployments (`bench/traffic.py`). The same raw transactions in the "
    "same blocks go to the embedded chain (`submit_many`) and to anvil (London, the chain's id, "
    "set block times, gas price 0, 60 M gas each). Compared: status, return data (also of "
    "reverts) and logs of each transaction; nonces, balances, code and storage of all accounts "
    "at the end. The second part gives transactions too little gas, on py-evm and on anvil, and "
    "compares status and gas used of all."
)


@dataclass
class Found:
    """What a campaign saw. `differences` says where two clients came to different things."""

    kinds: Counter[str] = field(default_factory=Counter)
    succeeded: int = 0
    failed: int = 0
    logs: int = 0
    slots: int = 0
    accounts: int = 0
    out_of_gas: int = 0
    chains: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def transactions(self) -> int:
        return self.succeeded + self.failed


def run() -> list[Row]:
    ample, seed = Found(), FIRST_SEED
    while ample.transactions < TRANSACTIONS:
        for chain in _recorded(seed):
            ample_gas(chain, random.Random(seed), ample)
        seed += 1
    short = Found()
    while short.transactions < SHORT_OF_GAS:
        for chain in _recorded(seed):
            short_of_gas(chain, random.Random(seed), short, SHORT_OF_GAS // 4)
        seed += 1
    return _rows(ample, short)


def _recorded(seed: int) -> list[Recorded]:
    """Return the chains of a seed's market; none if no voltage can carry its load."""
    try:
        return recorded(seed)
    except PowerFlowDiverged:
        return []


def ample_gas(of: Recorded, chance: random.Random, found: Found) -> None:
    """Send a chain's traffic to an embedded chain and to anvil; note what differs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "ledger.db") as store,
        anvil(of.chain_id, *OPTIONS) as url,
        Node(url) as node,
    ):
        chain = _Embedded(store, of)
        for number, block in enumerate(traffic(of, chance), 1):
            moment = Moment(number, BEGINS + SECONDS * number)
            ours = chain.mined(block, moment)
            _, outcomes = mined(node, block, moment)
            for at, (here, there, sent) in enumerate(zip(ours, outcomes, block, strict=True)):
                found.kinds[sent.kind] += 1
                found.succeeded += here.status
                found.failed += 1 - here.status
                found.logs += len(here.logs)
                if here != there:
                    place = f"{of.name} block {number} transaction {at} ({sent.kind})"
                    found.differences.append(f"{place}: {here} is not {there}")
        compare(of, chain.state(), node.state(), found)


class _Embedded:
    """An embedded chain whose blocks are those that the campaign wants."""

    def __init__(self, store: Store, of: Recorded) -> None:
        self._store, self._moment = store, Moment(0, 0)
        self._chain = EmbeddedChain(
            *(store, of.name, of.chain_id, of.operator, lambda _: 0),
            now=lambda: self._moment.time,
        )

    def mined(self, block: Sequence[Sent], moment: Moment) -> list[Outcome]:
        """Submit raw transactions; raises when they do not all stand in this one block."""
        self._moment = moment
        outcomes = []
        for answer in self._chain.submit_many([sent.transaction.raw for sent in block]):
            if isinstance(answer, LedgerError):
                raise answer
            outcomes.append(answer.outcome)
        if self._chain.head().number != moment.number:
            raise RuntimeError(f"block {moment.number} was cut into several")
        return outcomes

    def state(self) -> State:
        """Return the whole state at the head, as the chain writes it into a snapshot."""
        self._chain.close()
        (row,) = self._store.chains()
        return unpack(self._store.snapshots(row.id)[0].content, row.name)


def short_of_gas(of: Recorded, chance: random.Random, found: Found, most: int) -> None:
    """Send a chain's traffic, much of it with too little gas, to py-evm and to anvil."""
    engine = pyevm.PyEvm(of.chain_id, {})
    sent_before = found.transactions
    with anvil(of.chain_id, *OPTIONS) as url, Node(url) as node:
        number, nonces = 0, Counter[bytes]()
        keys = {key.address: key for key in (of.operator, *of.others)}
        for block in traffic(of, chance):
            for sent in block:
                if found.transactions - sent_before >= most:
                    break
                number += 1
                moment = Moment(number, BEGINS + SECONDS * number)
                limit = _limit(engine, sent, moment, chance)
                if number <= len(of.blocks[0]):
                    limit = GAS  # the suite has to stand first
                sender, tx = sent.sender, sent.transaction
                nonce = nonces[sender]
                again = sign(keys[sender], of.chain_id, nonce, tx.to, tx.data, limit)
                nonces[sender] += 1
                one = Sent(again, sender, sent.kind)
                here = engine.execute(again, sender, moment)
                engine.keep()
                receipts, outcomes = mined(node, [one], moment)
                used = int(receipts[0]["gasUsed"], 16)
                found.kinds[sent.kind] += 1
                found.succeeded += here.outcome.status
                found.failed += 1 - here.outcome.status
                found.out_of_gas += here.failure == "halted: OutOfGas"
                if here.outcome != outcomes[0] or used != engine.gas_used:
                    place = f"{of.name} transaction {number} ({sent.kind}, gas {limit})"
                    found.differences.append(
                        f"{place}: {here.outcome}, gas {engine.gas_used} is not "
                        f"{outcomes[0]}, gas {used}"
                    )
        compare(of, engine.state(), node.state(), found)


def _limit(engine: pyevm.PyEvm, sent: Sent, moment: Moment, chance: random.Random) -> int:
    """Return ample gas, or some between what any transaction costs and what this one needs."""
    if chance.random() < 0.4:
        return GAS
    engine.execute(replace(sent.transaction, nonce=engine.nonce(sent.sender)), sent.sender, moment)
    needed = engine.gas_used
    engine.undo()
    least = pyevm.intrinsic_gas(sent.transaction)
    return least + int((needed - least) * chance.random() * 1.1)


def mined(
    node: Node, block: Sequence[Sent], moment: Moment
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Have anvil mine a block of exactly these transactions; return receipts and outcomes."""
    for sent in block:
        node.send(sent.transaction.raw)
    node.call("evm_mine", moment.time)
    receipts = node.call("eth_getBlockReceipts", hex(moment.number))
    hashes = unhex_all([receipt["transactionHash"] for receipt in receipts])
    if hashes != tuple(sent.transaction.hash for sent in block):
        raise RuntimeError(f"anvil's block {moment.number} does not hold what was sent, in order")
    traces = node.call("trace_block", hex(moment.number))
    outputs = {one["transactionPosition"]: one for one in traces if not one["traceAddress"]}
    return receipts, [_outcome(one, outputs[at]) for at, one in enumerate(receipts)]


def _outcome(receipt: dict[str, Any], trace: dict[str, Any]) -> Outcome:
    """Return an outcome as our engines tell it: a deployment's output is its address."""
    status = int(receipt["status"], 16)
    result = trace.get("result") or {}
    output = unhex(result.get("output", "0x"))
    if status and receipt["to"] is None:
        output = unhex(receipt["contractAddress"])
    logs = tuple(
        Log(unhex(log["address"]), unhex_all(log["topics"]), unhex(log["data"]))
        for log in receipt["logs"]
    )
    return Outcome(status, output, logs)


def compare(of: Recorded, ours: State, theirs: State, found: Found) -> None:
    """Compare whole states; accounts that only one of both has count as a difference too."""
    found.chains += 1
    found.accounts += len(ours)
    found.slots += sum(len(account.storage) for account in ours.values())
    for address in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(address), theirs.get(address)
        if here != there and address not in _PREDEPLOYED:
            found.differences.append(f"{of.name} account {address.hex()}: {here} is not {there}")


_PREDEPLOYED = frozenset({unhex("0x4e59b44847b379578588920ca78fbf26c0b4956c")})
"""anvil has a deployment helper from the start."""


def _rows(ample: Found, short: Found) -> list[Row]:
    def row(what: str, value: int, unit: str = "") -> Row:
        return Row(what, value, unit)

    kinds = [row(f"of them {kind}", n) for kind, n in sorted(ample.kinds.items())]
    many = f">= {TRANSACTIONS:,}"
    equal, also = ample.differences, short.differences
    for difference in (*equal, *also):
        print(difference[:600])
    return [
        Row(
            *("transactions with ample gas", ample.transactions, "", "anvil", None),
            *(many, ample.transactions >= TRANSACTIONS),
        ),
        *kinds,
        row("succeeded", ample.succeeded),
        row("refused", ample.failed),
        row("logs compared", ample.logs),
        row("chains whose whole state was compared", ample.chains),
        row("accounts compared", ample.accounts),
        row("storage slots compared", ample.slots),
        Row("differences", len(equal), "", "anvil", None, "0", not equal),
        row("transactions on py-evm, many short of gas", short.transactions),
        row("of them out of gas", short.out_of_gas),
        Row(
            *("differences, gas used included", len(also), "", "anvil", None),
            *("0, some out of gas", not also and short.out_of_gas > 0),
        ),
    ]
