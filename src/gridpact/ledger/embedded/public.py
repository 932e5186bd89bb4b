"""Blocks of transactions that anybody signed: who comes next, and what each is told.

Transactions keep the order in which they came. One that is out of turn (nonce) stands in no block
and does not stop the others, nor does one at which the engine breaks off; one that a contract
refuses stands in its block with status 0. The same bytes again are told the first receipt.
"""

from collections.abc import Callable, Sequence

from gridpact.errors import InvalidTransaction, LedgerError
from gridpact.ledger.chain import Outcome, Receipt
from gridpact.ledger.evm.admission import Admission, Admitted
from gridpact.ledger.evm.engine import EvmEngine, Moment
from gridpact.ledger.evm.transactions import Transaction
from gridpact.ledger.ledger import Head

MAX_TRANSACTIONS = 1024
MAX_BYTES = 4 * 1024 * 1024
"""Above either a block is full and the next one begins."""

Answer = Receipt | LedgerError


class PublicBlock:
    """A block in the making: takes admitted transactions until it is full."""

    def __init__(
        self, engine: EvmEngine, moment: Moment, known: Callable[[bytes], Receipt | None]
    ) -> None:
        self.moment = moment
        self.transactions: list[Transaction] = []
        self.outcomes: list[Outcome] = []
        self._engine, self._known = engine, known
        self._senders: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._answers: list[Answer | int] = []
        self._size = 0

    @property
    def full(self) -> bool:
        return len(self.transactions) >= MAX_TRANSACTIONS or self._size >= MAX_BYTES

    def take(self, admission: Admission) -> None:
        """Execute the next transaction, or note why it is not."""
        if isinstance(admission, Admitted):
            self._answers.append(self._turn(*admission))
        else:
            self._answers.append(admission)

    def _turn(self, transaction: Transaction, sender: bytes) -> Answer | int:
        """Return the transaction's position in this block, or its answer if it gets none."""
        due = self._engine.nonce(sender)
        if transaction.nonce == due:
            return self._execute(transaction, sender)
        if transaction.raw in self._places:
            return self._places[transaction.raw]
        if transaction.nonce > due:
            problem = f"nonce {transaction.nonce} leaves a gap, the sender's next is {due}"
            return InvalidTransaction(problem, transaction.hash)
        problem = f"nonce {transaction.nonce} is used, the sender's next is {due}"
        return self._known(transaction.hash) or InvalidTransaction(problem, transaction.hash)

    def _execute(self, transaction: Transaction, sender: bytes) -> Answer | int:
        try:
            done = self._engine.execute(transaction, sender, self.moment)
        except LedgerError as error:
            self._again()
            return InvalidTransaction(f"cannot be executed: {error}", transaction.hash)
        place = len(self.transactions)
        self._places[transaction.raw] = place
        self.transactions.append(transaction)
        self._senders.append(sender)
        self.outcomes.append(done.outcome)
        self._size += len(transaction.raw)
        return place

    def _again(self) -> None:
        """Execute the block once more without what the engine broke off at."""
        self._engine.undo()
        for transaction, sender in zip(self.transactions, self._senders, strict=True):
            self._engine.execute(transaction, sender, self.moment)

    def answers(self, head: Head, hashes: Sequence[bytes]) -> list[Answer]:
        """Return what each is told once the block is written; `hashes` of its transactions."""
        receipts = [
            Receipt(hash_, head, place, outcome)
            for place, (hash_, outcome) in enumerate(zip(hashes, self.outcomes, strict=True))
        ]
        return [receipts[each] if isinstance(each, int) else each for each in self._answers]

    def failed(self, error: LedgerError) -> list[Answer]:
        """Return what each is told when the block could not be written."""
        return [error if isinstance(each, int) else each for each in self._answers]


def cut(answers: Sequence[Answer], sizes: Sequence[int]) -> list[tuple[Answer, ...]]:
    """Return the answers of several callers, each its own."""
    cuts, at = [], 0
    for size in sizes:
        cuts.append(tuple(answers[at : at + size]))
        at += size
    return cuts
