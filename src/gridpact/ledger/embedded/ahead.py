"""Who signed the next block, found out while this one is executed again.

What is wrong with a block's bytes is said when its turn comes, as without looking ahead.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gridpact.crypto.signers import PART, Signers
from gridpact.ledger.embedded.public import MAX_TRANSACTIONS
from gridpact.ledger.evm.transactions import NotATransaction, Signed, Transaction, decode
from gridpact.ledger.files.content import unpack_transactions
from gridpact.ledger.files.rows import StoredBlock

_PARTS = -(-MAX_TRANSACTIONS // PART)
"""Parts that the helper has at a time: a full block's, nobody asks for them meanwhile."""


class Begun(NamedTuple):
    """A block's raw transactions, and who signed them."""

    raws: Sequence[bytes]
    signed: Signed[NotATransaction]


class Ahead:
    """Looks one block ahead."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._next: tuple[StoredBlock, Begun] | None = None

    def begin(self, block: StoredBlock | None) -> None:
        """Begin with the block that comes next, if there is one that can be read."""
        self._next = None
        if block is not None and len(block.contents) == 1:
            try:
                self._next = block, self._begun(block)
            except ValueError:
                return  # `of` raises it again, in the block's turn

    def of(self, block: StoredBlock) -> Begun:
        """Return what was begun; raises `ValueError` where the transactions cannot be read."""
        if self._next is not None and self._next[0] is block:
            return self._next[1]
        return self._begun(block)

    def _begun(self, block: StoredBlock) -> Begun:
        raws = unpack_transactions(block.contents[0].transactions)
        return Begun(raws, Signed(raws, _read, self._signers, _PARTS))


def _read(raw: bytes) -> Transaction | NotATransaction:
    try:
        return decode(raw)
    except NotATransaction as error:
        return error
