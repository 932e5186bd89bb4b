"""From accepted orders to a book of columns, and from a clearing back to fills with names.

This is where ties get their order: bids stand in the order of the draw, offers in that of their
hashes, so the order of arrival changes nothing whatever the mechanism.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.market.book import ALWAYS, NOBODY, OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.draw import drawn
from gridpact.market.mechanism import Clearing, Mechanism
from gridpact.market.walk import bids_of, offers_of
from gridpact.model.attributes import PLAIN
from gridpact.model.order import MAX_FILLS, Accepted, Tier
from gridpact.model.trade import Fill
from gridpact.quantities import Score


@dataclass(frozen=True, eq=False)
class LocalBook:
    """A book of columns with the accepted orders behind its rows."""

    book: OrderBook
    bids: Sequence[Accepted]
    offers: Sequence[Accepted]

    def unwilling(self, fills: Iterable[Fill]) -> Fill | None:
        """Return the first fill whose orders do not accept each other, price apart."""
        bids = {one.hash: row for row, one in enumerate(self.bids)}
        offers = {one.hash: row for row, one in enumerate(self.offers)}
        for fill in fills:
            if not self.book.may_trade(bids[fill.bid], offers[fill.offer]):
                return fill
        return None

    def fills(self, clearing: Clearing) -> tuple[Fill, ...]:
        """Return the fills of a clearing under the orders' own names, indexed from 0."""
        charges = self.book.charge(clearing.bid, clearing.offer) + clearing.levy
        columns = (clearing.bid, clearing.offer, clearing.energy, clearing.price, charges)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return tuple(
            self._fill(index, self.bids[bid], self.offers[offer], *numbers)
            for index, (bid, offer, *numbers) in enumerate(rows)
        )

    @staticmethod
    def _fill(
        index: int, bid: Accepted, offer: Accepted, energy: int, price: int, charge: int
    ) -> Fill:
        order = bid.order
        return Fill(
            order.region,
            order.interval,
            order.tier,
            index,
            bid.hash,
            offer.hash,
            order.participant,
            offer.order.participant,
            energy,
            price,
            charge,
        )


def local_book(
    orders: Sequence[Accepted],
    pairs: Pairs,
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    seed: bytes,
) -> LocalBook:
    """Return the local tier of a closed book as columns.

    Parameters
    ----------
    orders
        Accepted orders of the region; those of other tiers are left alone.
    pairs
        Charges and caps of the local tier.
    buses, scores
        Bus and reputation of every participant in the book.
    seed
        Of the closed book, see `draw`.
    """
    bids, offers = drawn(bids_of(orders, Tier.LOCAL), seed), local_offers(orders)
    people = {one.order.participant: None for one in (*bids, *offers)}
    number = {who: row for row, who in enumerate(people)}
    reputation = np.array([scores[who] for who in people], np.int64)
    wanted, asked = (_columns(side, number, pairs, buses) for side in (bids, offers))
    book = OrderBook.of(wanted, asked, reputation, pairs, MAX_FILLS, seed)
    return LocalBook(book, bids, offers)


def local_offers(orders: Sequence[Accepted]) -> list[Accepted]:
    """Return the local offers in the order of the book's rows."""
    return sorted(offers_of(orders, Tier.LOCAL), key=lambda one: one.hash)


def _columns(
    side: Sequence[Accepted],
    number: Mapping[bytes, int],
    pairs: Pairs,
    buses: Mapping[bytes, int],
) -> Orders:
    orders = [one.order for one in side]
    asked = [one.attributes or PLAIN for one in side]
    return Orders.of(
        energy=[one.energy_wh for one in orders],
        price=[one.price for one in orders],
        owner=[number[one.participant] for one in orders],
        min_reputation=[one.min_reputation for one in orders],
        location=[pairs.locational.get(buses[one.participant], 0) for one in orders],
        whole=[one.all_or_nothing for one in asked],
        start=[one.start for one in asked],
        end=[one.end or ALWAYS for one in asked],
        source=[one.source for one in asked],
        partner=[number.get(one.partner, NOBODY) for one in asked],
        zone=[one.zone for one in asked],
    )


def cleared(
    mechanism: Mechanism,
    orders: Sequence[Accepted],
    pairs: Pairs,
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    seed: bytes,
) -> tuple[Fill, ...]:
    """Return the fills of the local tier as a mechanism clears it; parameters of `local_book`."""
    local = local_book(orders, pairs, buses, scores, seed)
    return local.fills(mechanism(local.book))
