"""The leaf of a part of net settlement: one fill's statement with its running sums.

The same words as `contracts/statement.vy`. Every number follows from the leaf itself and one other.
"""

from typing import NamedTuple

import msgspec

from gridpact.crypto.keccak import keccak
from gridpact.model.delivery import Delivery
from gridpact.model.statement import Statement
from gridpact.quantities import Money, Wh


class Chained(msgspec.Struct, frozen=True, gc=False):
    """An account's running sums up to a leaf.

    `row` is the account's place in the part's list, `previous` that of its leaf before, from 1.
    `sent` is a seller's, `agreed` a buyer's, as their meters count them; `sold` is what it agreed
    as a seller, outside of disputes.
    """

    row: int = 0
    previous: int = 0
    credit: Money = 0
    debit: Money = 0
    held: Money = 0
    sent: Wh = 0
    agreed: Wh = 0
    sold: Wh = 0

    @property
    def word(self) -> int:
        """row 16 | previous 16 | credit 48 | debit 48 | held 48 | sent 40 | agreed 40."""
        return (
            self.row << 240
            | self.previous << 224
            | self.credit << 176
            | self.debit << 128
            | self.held << 80
            | self.sent << 40
            | self.agreed
        )


class Common(NamedTuple):
    """Running sums of the market's own accounts: all that ever went to or from them."""

    to_loss: Money = 0
    to_network: Money = 0
    rewards: Money = 0
    claims: Money = 0


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """The statement of one fill as it is proven, eleven words: see `contracts/statement.vy`.

    `position` is the fill's place in its clearing, `seller_meter` and `buyer_meter` are
    `meter_digest` of their signed readings; `sent_wh` is the region's running rho.
    """

    statement: Statement
    delivery: Delivery
    seller_meter: bytes
    buyer_meter: bytes
    position: int
    sent_wh: Wh
    buyer: Chained
    seller: Chained
    common: Common

    @property
    def content(self) -> bytes:
        # one long number for eight words: a part has thousands of leaves
        s, d, c = self.statement, self.delivery, self.common
        delivery = d.agreed << 208 | d.sent << 168 | d.received << 128 | d.unused << 88
        delivery |= d.unused_sent << 48 | d.held << 8 | d.disputed
        amounts = s.case << 192 | s.paid << 144 | s.charge << 96 | s.fee_seller << 48
        extras = s.reward << 144 | s.claim << 96 | s.unpaid_reward << 48 | s.unpaid_claim
        upper = delivery << 512 | (amounts | s.fee_network) << 256 | extras
        common = c.to_loss << 192 | c.to_network << 128 | c.rewards << 64 | c.claims
        lower = (self.position << 64 | self.sent_wh) << 1024 | self.buyer.word << 768
        lower |= self.seller.word << 512 | common << 256
        lower |= self.buyer.sold << 128 | self.seller.sold
        return b"".join(
            (
                s.fill,
                self.seller_meter,
                self.buyer_meter,
                upper.to_bytes(96, "big"),
                lower.to_bytes(160, "big"),
            )
        )


def meter_digest(before: bytes, now: bytes) -> bytes:
    """Return what a leaf says of a meter: the digests of its readings before and after."""
    return keccak(before + now)
