"""How signed transactions get into blocks of a node and when they count.

They are sent in order, one request each (some clients reorder batches), and sent again, the same
bytes, while they are in no block. They count when all stand in blocks of the canonical chain that
are deep enough; what a reorganisation takes away before is waited for anew.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from gridpact.errors import LedgerError, Unavailable
from gridpact.ledger.jsonrpc.node import Node, NodeReceipt, Tip


class NodeSettings(msgspec.Struct, frozen=True):
    """How to deal with a node. Times in seconds.

    `confirmations` counts the block itself: 1 takes what stands in a block, 0 waits until the node
    calls it finalized. `market_price` pays what the node asks for gas; else the price is zero, as
    consortium chains have it. `timeout` bounds one answer, `patience` a whole record; what is in no
    block is sent again after `resend`.
    """

    confirmations: int = 1
    market_price: bool = False
    timeout: float = 10.0
    patience: float = 120.0
    resend: float = 10.0
    poll: float = 0.01
    slowest_poll: float = 0.5


class Sent(NamedTuple):
    """A signed transaction that is to stand in a block; `label` names it in errors."""

    sender: bytes
    nonce: int
    hash: bytes
    raw: bytes
    label: str


class Watch:
    """Brings transactions into blocks that count. `name` is the chain's, for errors."""

    def __init__(self, node: Node, name: str, settings: NodeSettings) -> None:
        self._node, self._name, self._settings = node, name, settings

    def confirmed(self) -> Tip:
        """Return the last block that counts."""
        depth = self._settings.confirmations
        found = self._node.tip("latest" if depth else "finalized")
        if found is not None and depth > 1:
            found = self._node.tip(max(found.head.number - depth + 1, 0))
        if found is None:
            raise Unavailable("the node knows no block that counts yet")
        return found

    def bring(
        self, transactions: Sequence[Sent], patience: float | None = None
    ) -> Mapping[bytes, NodeReceipt]:
        """Send until every transaction has a receipt that counts; return them by hash.

        Raises
        ------
        Unavailable
            They do not all count within the patience.
        LedgerError
            Another transaction has taken a nonce.
        """
        patience = self._settings.patience if patience is None else patience
        end, pause, sent = time.monotonic() + patience, self._settings.poll, -math.inf
        receipts: dict[bytes, NodeReceipt] = {}
        trouble = "not all transactions are in blocks"
        while True:
            try:
                self._look(transactions, receipts)
                if time.monotonic() - sent >= self._settings.resend:
                    again, sent = sent > 0, time.monotonic()
                    trouble = self._send(transactions, receipts, again) or trouble
                    self._look(transactions, receipts)
                if len(receipts) == len(transactions) and self._count(receipts):
                    return receipts
            except Unavailable as silence:
                trouble = str(silence)
            if time.monotonic() >= end:
                raise Unavailable(
                    f"{self._name}: {len(receipts)} of {len(transactions)} transactions are in "
                    f"blocks after {patience:.0f} s: {trouble}"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, self._settings.slowest_poll)

    def _send(
        self, transactions: Sequence[Sent], receipts: Mapping[bytes, NodeReceipt], again: bool
    ) -> str:
        """Send what has no receipt, in order; return the first refusal."""
        missing = [tx for tx in transactions if tx.hash not in receipts]
        if again and missing and self._node.nonce(missing[0].sender) > missing[0].nonce:
            if self._node.receipt(missing[0].hash) is not None:
                return ""  # it came into a block since its receipt was asked for
            raise LedgerError(
                f"{self._name}: nonce {missing[0].nonce} of 0x{missing[0].sender.hex()} was used "
                f"by another transaction than {missing[0].label}: somebody else signs with its key"
            )
        for tx in missing:
            if refusal := self._node.send(tx.raw):
                return f"the node refuses {tx.label} (nonce {tx.nonce}): {refusal}"
        return ""

    def _look(self, transactions: Sequence[Sent], receipts: dict[bytes, NodeReceipt]) -> None:
        """Fetch receipts in order, up to the first that is not there."""
        for tx in transactions:
            if tx.hash not in receipts:
                found = self._node.receipt(tx.hash)
                if found is None:
                    return
                receipts[tx.hash] = found
                self._node.expect(found.block.number)

    def _count(self, receipts: dict[bytes, NodeReceipt]) -> bool:
        """Say whether all receipts stand deep enough; forget those whose block is gone."""
        if not receipts:
            return True
        head = self.confirmed().head
        blocks = {one.block for one in receipts.values()}
        gone = {one for one in blocks if one != head and self._node.block(one.number) != one}
        for digest in [one for one, receipt in receipts.items() if receipt.block in gone]:
            del receipts[digest]
        return not gone and all(block.number <= head.number for block in blocks)
