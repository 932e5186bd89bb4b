"""What the desks of a purchase need of the ledger.

`ledger.onchain.purchases` answers on any open chain. Each party acts with its own key: reading is
the same for all, an act is a transaction of whoever's end this is.
"""

from typing import Protocol

from gridpact.crypto.eip712 import Domain
from gridpact.model.delivery import Profile
from gridpact.model.purchase import Done, Proven, Sale, Wallet
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Wh


class PurchaseLedger(Protocol):
    """The ledger as one party sees and uses it. Acts return the transaction's hash.

    Every act raises `Reverted` with the contract's reason when it is refused.
    """

    @property
    def domain(self) -> Domain: ...

    @property
    def own(self) -> bytes:
        """The address that acts."""
        ...

    def free(self, account: bytes) -> Money: ...

    def deposit(self, account: bytes) -> Money:
        """The deposit that is locked for a participant at the registry."""
        ...

    def wallet(self, account: bytes) -> Wallet: ...

    def sale(self, account: bytes) -> Sale: ...

    def open_wallet(
        self, nonce: int, key: bytes, proof: bytes, money: Money, until: int
    ) -> bytes: ...

    def name_seller(self, voucher: Voucher, certified: bytes, paid: bytes) -> bytes: ...

    def hold(self, account: bytes, signature: bytes) -> bytes: ...

    def release(self, account: bytes) -> bytes: ...

    def claim(self, account: bytes, delivered: Wh) -> bytes: ...

    def confirm(self, account: bytes, received: Wh, signature: bytes) -> bytes: ...

    def settle_by_meters(
        self, account: bytes, sold: Profile, sold_by: bytes, bought: Profile, bought_by: bytes
    ) -> bytes:
        """`sold_by` and `bought_by` are the meters' signatures."""
        ...

    def time_out(self, account: bytes) -> bytes: ...

    def done(self, transaction: bytes) -> Done | None:
        """What a transaction did with a wallet, by its events; None of any other."""
        ...

    def bring(self, raw: bytes) -> bytes:
        """Send a transaction that was signed before; sent twice it counts once."""
        ...

    def proven(self, participant: bytes, interval: int) -> Proven: ...

    def fine(self, participant: bytes, interval: int) -> Money:
        """Fine a participant for an interval by what was proven; return what its deposit paid."""
        ...
