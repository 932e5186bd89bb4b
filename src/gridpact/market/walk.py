"""How one bid is served from offers that stand in its merit order: the step both tiers share.

Each fill is priced at the offer, lifted to the floor, and carries the pair's charge. A bid gets
at most `MAX_FILLS` fills, for which it has reserved the rounding; an offer reserves nothing and
may be split over any number of bids.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gridpact.market.caps import Pairs
from gridpact.model.order import MAX_FILLS, Accepted, Order, Side, Tier
from gridpact.model.trade import Fill
from gridpact.quantities import Price, Score, Wh


@dataclass(slots=True)
class Standing:
    """An offer while the market clears: what is left of it. [Wh]"""

    accepted: Accepted
    seller: bytes
    price: Price
    score: Score
    bus: int
    left: Wh

    @property
    def merit(self) -> tuple[Price, Score, bytes]:
        """Lowest first: price, higher reputation, order hash."""
        return self.price, -self.score, self.accepted.hash


def standing(
    offers: Iterable[Accepted],
    pairs: Pairs,
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
) -> list[Standing]:
    """Return offers in merit order. Offers below the floor are lifted and then equal in price."""
    stand = [
        Standing(
            offer,
            offer.order.participant,
            pairs.lifted(offer.order.price),
            scores[offer.order.participant],
            buses[offer.order.participant],
            offer.order.energy_wh,
        )
        for offer in offers
    ]
    stand.sort(key=lambda one: one.merit)
    return stand


def willing(bid: Order, one: Standing) -> bool:
    """Say whether both sides accept each other: price, reputation, and two different people."""
    return (
        one.price <= bid.price and one.score >= bid.min_reputation and one.seller != bid.participant
    )


def take(
    bid: Accepted,
    bus: int,
    wanted: Wh,
    stand: Iterable[Standing],
    pairs: Pairs,
    first_index: int,
    most: int = MAX_FILLS,
) -> list[Fill]:
    """Return at most `most` fills of a bid for at most `wanted` Wh, drawn from the offers."""
    order, fills = bid.order, list[Fill]()
    for one in stand:
        if wanted <= 0 or len(fills) >= most:
            break
        if one.left <= 0 or not willing(order, one):
            continue
        charge, _, ceiling = pairs.terms(bus, one.bus)
        if one.price > ceiling:
            continue
        energy = min(wanted, one.left)
        fills.append(
            Fill(
                order.region,
                order.interval,
                order.tier,
                first_index + len(fills),
                bid.hash,
                one.accepted.hash,
                order.participant,
                one.seller,
                energy,
                one.price,
                charge,
            )
        )
        one.left -= energy
        wanted -= energy
    return fills


def bids_of(orders: Iterable[Accepted], tier: Tier) -> list[Accepted]:
    """Return the bids of one tier, in the order of the book."""
    return [one for one in orders if one.order.side is Side.BID and one.order.tier is tier]


def offers_of(orders: Iterable[Accepted], tier: Tier) -> list[Accepted]:
    """Return the offers of one tier, in the order of the book."""
    return [one for one in orders if one.order.side is Side.OFFER and one.order.tier is tier]
