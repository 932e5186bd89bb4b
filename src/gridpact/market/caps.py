"""What a pair of buses pays for the wires, and the highest price at which it may trade.

5-decisions, section 4. No buyer ever pays more than retail: price + charge + margin, with the
losses it will not receive, stays below it. The floor is the feed-in tariff.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridpact.model.order import Tier
from gridpact.model.record import Prices
from gridpact.quantities import MAX_PRICE, PPM, Price, part


def tier_charge(prices: Prices, tier: Tier) -> Price:
    """Return the network charge of a tier before location; grid supply's is within retail."""
    return {Tier.LOCAL: prices.local_charge, Tier.ZONAL: prices.zonal_charge}.get(tier, 0)


Columns: TypeAlias = NDArray[np.int64]

NO_TRADE = -1
"""The ceiling of a pair that may not trade: below every price."""


class Terms(NamedTuple):
    """A pair's network charge, its cap, and the highest price a fill may have."""

    charge: Price
    cap: Price
    ceiling: Price


@dataclass(frozen=True)
class Pairs:
    """Charges and caps of one tier in one interval, by buyer's and seller's bus.

    `locational` is the congestion and voltage part of each bus's day-ahead DLMP; a bus that is
    not in it has none. Both results depend on the pair's difference alone, which is what is kept.
    """

    retail: Price
    margin: Price
    floor: Price
    base: Price
    keep: int
    locational: Mapping[int, int]
    _by_difference: dict[int, "Terms"] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, prices: Prices, tier: Tier) -> "Pairs":
        return cls(
            prices.retail,
            prices.margin,
            prices.feed_in,
            tier_charge(prices, tier),
            PPM - prices.loss_share,
            {row.bus: row.locational for row in prices.buses if row.locational},
        )

    def terms(self, buyer_bus: int, seller_bus: int) -> Terms:
        """Return what a pair pays for the wires and its highest price.

        Notes
        -----
        charge = tier charge + max(0, locational_buyer - locational_seller).
        cap = (retail - charge - margin) (1 - loss share), half-even, at least 0.

        The difference is floored at 0: a negative one would be a payment of the network operator
        to whoever trades against the congestion. Two accounts of one owner at the two buses could
        draw it without end, and the charge is a whole number >= 0 on chain.

        A cap below the floor lifts the pair's highest price to the floor, at which the seller
        could sell to grid supply anyway, unless even that, with charge and losses, would cost the
        buyer more than retail: then the pair does not trade.
        """
        locational = self.locational
        return self.of_difference(locational.get(buyer_bus, 0) - locational.get(seller_bus, 0))

    def of_difference(self, difference: int) -> Terms:
        """Return the terms of a pair whose locational prices differ so much, buyer's less seller's.

        [micro-units per kWh]
        """
        known = self._by_difference.get(difference)
        if known is None:
            known = self._by_difference[difference] = self._terms(difference)
        return known

    def by_difference(self, difference: Columns) -> tuple[Columns, Columns]:
        """Return charges and ceilings of many differences, in the shape that they come in."""
        difference = np.asarray(difference)
        if difference.size and (difference == difference.flat[0]).all():
            one = self.of_difference(int(difference.flat[0]))
            return np.full_like(difference, one.charge), np.full_like(difference, one.ceiling)
        values, place = np.unique(difference, return_inverse=True)
        terms = [self.of_difference(int(one)) for one in values]
        charge = np.array([one.charge for one in terms], np.int64)
        ceiling = np.array([one.ceiling for one in terms], np.int64)
        shape = np.shape(difference)
        return charge[place].reshape(shape), ceiling[place].reshape(shape)

    def _terms(self, difference: int) -> Terms:
        charge = self.base + max(0, difference)
        cap = part(max(0, self.retail - charge - self.margin), self.keep)
        if cap >= self.floor:
            return Terms(charge, cap, cap)
        bearable = self.floor + charge <= part(self.retail, self.keep)
        return Terms(charge, cap, self.floor if bearable else NO_TRADE)

    def charge(self, buyer_bus: int, seller_bus: int) -> Price:
        return self.terms(buyer_bus, seller_bus).charge

    def cap(self, buyer_bus: int, seller_bus: int) -> Price:
        return self.terms(buyer_bus, seller_bus).cap

    def ceiling(self, buyer_bus: int, seller_bus: int) -> Price:
        """Return the highest price a fill of this pair may have; `NO_TRADE` when it may not."""
        return self.terms(buyer_bus, seller_bus).ceiling

    def lifted(self, asked: Price) -> Price:
        """Return the price at which an offer trades: its own, lifted to the floor."""
        return max(asked, self.floor)

    def highest_ceiling(self, seller_bus: int, demand_buses: Iterable[int]) -> Price | None:
        """Return the highest price at which anybody may buy from a bus; None without demand.

        An offer is refused outright only above this; below it the cap is a condition on the pair.
        The less a buyer's bus has in locational price, the higher its ceiling.
        """
        locational = self.locational
        bus = min(demand_buses, key=lambda one: locational.get(one, 0), default=None)
        return None if bus is None else self.ceiling(bus, seller_bus)

    def highest_charge(self, buyer_bus: int) -> Price:
        """Return the most that any seller's bus makes a buyer pay for the wires: reserved for.

        A bus that the power flow does not name has locational price 0. No pair trades whose
        charge exceeds retail.
        """
        dearest = self.base + max(0, self.locational.get(buyer_bus, 0) - self._lowest)
        return min(dearest, self.retail)

    @cached_property
    def _lowest(self) -> int:
        return min((0, *self.locational.values()))

    def below_floor(self, pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Return those (buyer bus, seller bus) whose cap lies below the floor, each once."""
        return tuple(pair for pair in dict.fromkeys(pairs) if self.cap(*pair) < self.floor)


NO_CHARGE = Pairs(retail=MAX_PRICE, margin=0, floor=0, base=0, keep=PPM, locational={})
"""Wires that cost nothing and forbid nothing: for books without a grid."""
