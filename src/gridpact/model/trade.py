"""Trades: who sells how much to whom at what price, before delivery."""

import msgspec

from gridpact.crypto.keccak import keccak
from gridpact.model.order import Tier
from gridpact.quantities import Money, Price, Wh, amount


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One bilateral trade of a clearing, the unit that is locked, settled and rounded.

    `price` is the seller's offer, `charge` the network charge of this pair. [micro-units per kWh]
    `index` counts the fills of one interval and tier from 0.
    """

    region: bytes
    interval: int
    tier: Tier
    index: int
    bid: bytes
    offer: bytes
    buyer: bytes
    seller: bytes
    energy_wh: Wh
    price: Price
    charge: Price

    @property
    def terms(self) -> int:
        """energy 40 | price 48 | charge 48 | index 16 | tier 8 bits, lowest last."""
        return (
            self.energy_wh << 120
            | self.price << 72
            | self.charge << 24
            | self.index << 8
            | int(self.tier)
        )

    @property
    def hash(self) -> bytes:
        """The fill's name on chain; `packing.vy: fill_hash` computes the same."""
        return keccak(
            self.region
            + self.interval.to_bytes(32, "big")
            + self.bid
            + self.offer
            + self.buyer.rjust(32, b"\0")
            + self.seller.rjust(32, b"\0")
            + self.terms.to_bytes(32, "big")
        )

    @property
    def lock(self) -> Money:
        """What the buyer must have locked before delivery starts."""
        return amount(self.price, self.energy_wh) + amount(self.charge, self.energy_wh)


class Cut(msgspec.Struct, frozen=True):
    """Energy that the grid check took from a participant's generation.

    `from_surplus_wh` would have gone to grid supply unsold; `from_fills_wh` had been cleared.
    `limit` names the binding limit, `multiplier` says how much less would be cut if it gave way.
    [ppm of cut energy]
    """

    participant: bytes
    from_surplus_wh: Wh
    from_fills_wh: Wh
    limit: str
    multiplier: int


class Unmet(msgspec.Struct, frozen=True):
    """What the tiers left open of a participant's bid; grid supply covers it."""

    participant: bytes
    energy_wh: Wh
