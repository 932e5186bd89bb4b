"""How a record gets onto a node and stays there.

A plan's signed transactions are on disk before they are sent (`companion`), with the operator's
nonces counted there. A plan is finished when all of them stand in blocks that count (`watch`). When
a reorganisation takes blocks away again, the first plan that lost one and all after it are sent
once more.
"""

from collections.abc import Sequence

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import LedgerError, Reverted
from gridpact.ledger.chain import Call, OutboxStep, Outcome
from gridpact.ledger.evm.transactions import create_address, decode, sign
from gridpact.ledger.jsonrpc.companion import ChainOnNode, Companion, Plan, PlannedTx
from gridpact.ledger.jsonrpc.node import Node
from gridpact.ledger.jsonrpc.rehearsal import Rehearsed, most_gas, rehearse
from gridpact.ledger.jsonrpc.watch import Sent, Watch
from gridpact.model.interval import Key

_ATTEMPTS = 2
"""How often a transaction that failed in its block is made anew."""


class Sender:
    """Sends the records of one chain; its operator's nonces are counted in the companion file."""

    def __init__(
        self,
        node: Node,
        watch: Watch,
        companion: Companion,
        row: ChainOnNode,
        operator: PrivateKey,
        market_price: bool,
    ) -> None:
        self._node, self._watch, self._companion, self._row = node, watch, companion, row
        self._operator, self._market_price = operator, market_price

    def require_own_nonces(self) -> None:
        """Refuse a companion file that knows less than the node of what its operator sent."""
        planned, mined = self._next(), self._mined()
        if mined > planned:
            raise LedgerError(
                f"{self._companion.path}: the operator 0x{self._row.operator.hex()} of "
                f"{self._row.name} has sent {mined} transactions on chain {self._row.chain_id}, "
                f"this file knows {planned}: use the file of that run, or other keys"
            )

    def plan(
        self,
        key: Key,
        body: bytes,
        calls: Sequence[Call],
        rehearsed: Sequence[Rehearsed],
        steps: Sequence[OutboxStep],
    ) -> Plan:
        """Sign a record's transactions and write them down. Nothing is sent yet."""
        first = self._next()
        price = self._price() if calls else 0
        rows = [
            self._signed(call, at, 0, first + at, done.gas, price, done.outcome.output)
            for at, (call, done) in enumerate(zip(calls, rehearsed, strict=True))
        ]
        return self._companion.add(self._row.id, key, body, rows, steps)

    def finish(self, plan: Plan, patience: float | None = None) -> tuple[Plan, list[Outcome]]:
        """Bring a plan into blocks that count, and return where it ended and what it did.

        Raises
        ------
        Unavailable
            Not all of it stands in blocks yet; asking again goes on with the same transactions.
        LedgerError
            A transaction failed in its block though its rehearsal did not, and fails again.
        """
        sent = [
            Sent(self._operator.address, tx.nonce, tx.hash, tx.raw, tx.label) for tx in plan.last
        ]
        receipts = self._watch.bring(sent, patience)
        failed = [tx for tx in plan.last if receipts[tx.hash].status != 1]
        if failed:
            plan = self._again(plan, failed)
            return self.finish(plan, patience)
        blocks = [one.block for one in receipts.values()] or [self._watch.confirmed().head]
        last = max(blocks, key=lambda head: head.number)
        self._companion.finish(self._row.id, plan.number, last)
        done = [receipts[tx.hash] for tx in plan.last]
        outcomes = [
            Outcome(1, receipt.created or tx.output, receipt.logs)
            for tx, receipt in zip(plan.last, done, strict=True)
        ]
        return plan._replace(block=last), outcomes

    def repair(self) -> None:
        """Finish what is under way, and what a reorganisation took away again."""
        self._reopen_lost()
        for plan in list(self._companion.plans(self._row.id, finished=False)):
            self.finish(plan)

    def _reopen_lost(self) -> None:
        """Find the first record whose block is no longer in the chain; reopen it and the rest."""
        last = self._companion.last(self._row.id)
        if last is None or last.block is None:
            return
        self._node.expect(last.block.number)
        if self._stands(last):
            return
        lost = []
        for plan in reversed(list(self._companion.plans(self._row.id, finished=True))):
            if plan.transactions and self._stands(plan):
                break
            lost.append(plan)
        for plan in reversed(lost):
            self._companion.finish(self._row.id, plan.number, None)

    def _stands(self, plan: Plan) -> bool:
        return plan.block is not None and self._node.block(plan.block.number) == plan.block

    def _again(self, plan: Plan, failed: Sequence[PlannedTx]) -> Plan:
        """Make failed transactions anew with all the gas there may be; they must go well now."""
        if max(tx.attempt for tx in failed) >= _ATTEMPTS:
            raise LedgerError(f"{self._row.name}: {plan.key}: {failed[0].label} fails each time")
        if any(tx.created for tx in failed):
            raise LedgerError(
                f"{self._row.name}: {failed[0].label} failed in its block, and the contracts know "
                "each other by the addresses of this attempt: begin anew with other keys"
            )
        calls, at = [_call(tx) for tx in failed], self._watch.confirmed()
        try:
            rehearse(self._node, self._operator.address, calls, at)
        except Reverted as refusal:
            raise LedgerError(
                f"{self._row.name}: {plan.key} is written in part only: {refusal} "
                "after its rehearsal went well"
            ) from refusal
        first, price, gas = self._next(), self._price(), most_gas(at)
        rows = [
            self._signed(call, tx.position, tx.attempt + 1, first + n, gas, price, tx.output)
            for n, (call, tx) in enumerate(zip(calls, failed, strict=True))
        ]
        return self._companion.retry(self._row.id, plan, rows)

    def _signed(
        self,
        call: Call,
        position: int,
        attempt: int,
        nonce: int,
        gas: int,
        price: int,
        output: bytes,
    ) -> PlannedTx:
        made = sign(self._operator, self._row.chain_id, nonce, call.to, call.data, gas, price)
        created = b"" if call.to else create_address(self._operator.address, nonce)
        return PlannedTx(position, attempt, nonce, made.hash, made.raw, call.label, output, created)

    def _price(self) -> int:
        return self._node.gas_price() * 5 // 4 if self._market_price else 0

    def _mined(self) -> int:
        return self._node.nonce(self._operator.address)

    def _next(self) -> int:
        return self._companion.next_nonce(self._row.id)


def _call(tx: PlannedTx) -> Call:
    made = decode(tx.raw, priced=True)
    return Call(made.to, made.data, tx.label)
