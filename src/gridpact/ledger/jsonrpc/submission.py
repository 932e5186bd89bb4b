"""Anybody's signed transactions on a node: judged before they are sent, told when they count.

The same judgement as on the embedded chain (`admission`) where a node would only let them wait or
lose them. The node keeps them; the companion file does not know of them.
"""

from collections.abc import Sequence

from gridpact.crypto.signers import Signers
from gridpact.errors import InvalidTransaction, LedgerError, Unavailable
from gridpact.ledger.chain import Outcome, Receipt
from gridpact.ledger.evm.admission import Admitted, admit
from gridpact.ledger.jsonrpc.node import Node, NodeReceipt
from gridpact.ledger.jsonrpc.watch import Sent, Watch

Answer = Receipt | LedgerError


def submit(
    node: Node, watch: Watch, chain_id: int, operator: bytes, raws: Sequence[bytes]
) -> tuple[Answer, ...]:
    """Send transactions in order; return for each its receipt, or why it has none."""
    due: dict[bytes, int] = {}
    judged = [
        each if isinstance(each, LedgerError) else _turn(node, operator, each, due)
        for each in admit(raws, chain_id, operator, Signers(cores=1)).admissions
    ]
    sent = list(dict.fromkeys(one for one in judged if isinstance(one, Sent)))
    receipts: dict[bytes, NodeReceipt] = {}
    trouble: LedgerError = Unavailable("not sent")
    try:
        receipts.update(watch.bring(sent))
    except LedgerError as error:
        trouble = error
        receipts.update(_there(node, sent))
    return tuple(
        one if isinstance(one, LedgerError) else _answer(one, receipts, trouble) for one in judged
    )


def known(node: Node, transaction: bytes) -> Receipt | None:
    """Return the receipt of a transaction in a block, or None."""
    found = node.receipt(transaction)
    return None if found is None else _receipt(transaction, found)


def _turn(
    node: Node, operator: bytes, admitted: Admitted, due: dict[bytes, int]
) -> Sent | LedgerError:
    """Send a transaction if it is its turn; return it, or why it is not taken."""
    made, sender = admitted
    row = Sent(sender, made.nonce, made.hash, made.raw, "submitted transaction")
    if sender == operator:
        return InvalidTransaction("the operator's transactions are those of records", made.hash)
    if sender not in due:
        due[sender] = node.nonce(sender, "pending")
    if made.nonce > due[sender]:
        problem = f"nonce {made.nonce} leaves a gap, the sender's next is {due[sender]}"
        return InvalidTransaction(problem, made.hash)
    if made.nonce < due[sender]:
        if node.knows(made.hash):
            return row
        problem = f"nonce {made.nonce} is used, the sender's next is {due[sender]}"
        return InvalidTransaction(problem, made.hash)
    if refusal := node.send(made.raw):
        return InvalidTransaction(refusal, made.hash)
    due[sender] += 1
    return row


def _there(node: Node, sent: Sequence[Sent]) -> dict[bytes, NodeReceipt]:
    """Return the receipts that are there already, if the node says anything."""
    found = {}
    for one in sent:
        try:
            receipt = node.receipt(one.hash)
        except Unavailable:
            break
        if receipt is not None:
            found[one.hash] = receipt
    return found


def _answer(one: Sent, receipts: dict[bytes, NodeReceipt], trouble: LedgerError) -> Answer:
    found = receipts.get(one.hash)
    return trouble if found is None else _receipt(one.hash, found)


def _receipt(transaction: bytes, found: NodeReceipt) -> Receipt:
    """Return a node's receipt as ours; a node does not keep what a transaction returned."""
    outcome = Outcome(found.status, b"", found.logs)
    return Receipt(transaction, found.block, found.position, outcome)
