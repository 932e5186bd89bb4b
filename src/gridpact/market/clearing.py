"""Is this clearing one that the book allows? Checked before it is posted, whoever computed it.

Any mechanism may propose fills; none may sell what was not offered. A peer's auction that turns
bids of 20 and offers of 20 into 25 traded stops here.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from gridpact.errors import InvalidClearing
from gridpact.market.caps import Pairs
from gridpact.market.local_book import local_book
from gridpact.market.unmet import filled
from gridpact.model.order import MAX_FILLS, Accepted, Side, Tier
from gridpact.model.trade import Fill, Unmet
from gridpact.quantities import Score


class Pricing(StrEnum):
    """What a fill may cost: its offer's price, or more up to the bid's; then also with a levy.

    A levy is carried within the fill's charge, and price and levy together stay within the bid.
    """

    OFFER = "at the offer"
    BETWEEN = "between offer and bid"
    LEVIED = "between offer and bid, levy included"


def verify(
    orders: Sequence[Accepted],
    fills: Sequence[Fill],
    pairs: Mapping[Tier, Pairs],
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    local: Pricing = Pricing.OFFER,
) -> None:
    """Raise `InvalidClearing` unless every fill is allowed by both its orders.

    Parameters
    ----------
    orders
        The region's book, and the zone's with its offers.
    fills
        Of both tiers, under the participants' own bids, before or after the grid check.
    pairs
        Charges and caps of each tier that has fills.
    local
        How the local tier is priced; the zonal one is at the offer.
    """
    known = {one.hash: one for one in orders}
    _check_indices(fills)
    for fill in fills:
        pricing = local if fill.tier is Tier.LOCAL else Pricing.OFFER
        _check_fill(fill, known, pairs, buses, scores, pricing)
    _check_wishes(orders, fills, pairs, buses, scores)
    _check_energy(known, fills)
    _check_reservations(known, fills)


def verify_unmet(orders: Sequence[Accepted], fills: Sequence[Fill], unmet: Sequence[Unmet]) -> None:
    """Raise `InvalidClearing` unless bought and unmet energy add up to the local bids."""
    wanted = sum(
        one.order.energy_wh
        for one in orders
        if (one.order.side, one.order.tier) == (Side.BID, Tier.LOCAL)
    )
    served, rest = sum(one.energy_wh for one in fills), sum(one.energy_wh for one in unmet)
    if served + rest != wanted:
        raise InvalidClearing(f"{wanted} Wh bid, but {served} Wh served and {rest} Wh unmet")


def _check_indices(fills: Sequence[Fill]) -> None:
    for tier in Tier:
        indices = [fill.index for fill in fills if fill.tier is tier]
        if indices != list(range(len(indices))):
            raise InvalidClearing(f"fills of the {tier.name.lower()} tier are not counted from 0")


def _check_fill(
    fill: Fill,
    known: Mapping[bytes, Accepted],
    pairs: Mapping[Tier, Pairs],
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    pricing: Pricing,
) -> None:
    if fill.bid not in known or fill.offer not in known:
        raise InvalidClearing(f"{_name(fill)} names an order that is not in the book")
    bid, offer = known[fill.bid].order, known[fill.offer].order
    terms = pairs[fill.tier].terms(buses[fill.buyer], buses[fill.seller])
    asked = pairs[fill.tier].lifted(offer.price)
    levy = fill.charge - terms.charge
    cost = fill.price + max(0, levy)
    is_charged = levy >= 0 if pricing is Pricing.LEVIED else levy == 0
    broken = {
        "is not between a bid and an offer": (bid.side, offer.side) != (Side.BID, Side.OFFER),
        "is of another tier than its orders": not fill.tier == bid.tier == offer.tier,
        "is of another interval or region": (fill.interval, fill.region)
        != (bid.interval, bid.region)
        or fill.interval != offer.interval,
        "is not between its orders' participants": (fill.buyer, fill.seller)
        != (bid.participant, offer.participant),
        "has one participant on both sides": fill.buyer == fill.seller,
        "has no energy": fill.energy_wh <= 0,
        "is not priced at its offer": pricing is Pricing.OFFER and fill.price != asked,
        f"costs {fill.price}, below its offer's {asked}": fill.price < asked,
        f"costs {cost}, above its bid's {bid.price}": cost > bid.price,
        f"costs {cost}, above the cap {terms.ceiling}": cost > terms.ceiling,
        f"is charged {fill.charge}, not {terms.charge}": not is_charged,
        "has a seller below the bid's minimum reputation": scores[fill.seller] < bid.min_reputation,
    }
    for what, is_so in broken.items():
        if is_so:
            raise InvalidClearing(f"{_name(fill)} {what}")


def _check_wishes(
    orders: Sequence[Accepted],
    fills: Sequence[Fill],
    pairs: Mapping[Tier, Pairs],
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
) -> None:
    """Check that each local fill is one that the attributes of both its orders accept."""
    local = [fill for fill in fills if fill.tier is Tier.LOCAL]
    if not local or not any(one.attributes for one in orders):
        return
    book = local_book(orders, pairs[Tier.LOCAL], buses, scores, b"")
    unwilling = book.unwilling(local)
    if unwilling is not None:
        raise InvalidClearing(f"{_name(unwilling)} is not one that both its orders accept")


def _check_energy(known: Mapping[bytes, Accepted], fills: Sequence[Fill]) -> None:
    """No order is over-filled, and a zonal bid takes at most what its parent left."""
    used = filled(fills)
    for name, energy in used.items():
        _at_most(name, energy, known[name].order.energy_wh)
    for name, energy in used.items():
        order = known[name].order
        if (order.side, order.tier) == (Side.BID, Tier.ZONAL):
            parent = order.parent
            if parent not in known:
                raise InvalidClearing(f"bid {name.hex()[:8]} names no local bid of this book")
            both = energy + used.get(parent, 0)
            _at_most(parent, both, known[parent].order.energy_wh)


def _at_most(name: bytes, energy: int, limit: int) -> None:
    if energy > limit:
        raise InvalidClearing(f"order {name.hex()[:8]} is for {limit} Wh, its fills for {energy}")


def _check_reservations(known: Mapping[bytes, Accepted], fills: Sequence[Fill]) -> None:
    count: dict[bytes, int] = {}
    locks: dict[bytes, int] = {}
    for fill in fills:
        count[fill.bid] = count.get(fill.bid, 0) + 1
        locks[fill.bid] = locks.get(fill.bid, 0) + fill.lock
    for name, number in count.items():
        if number > MAX_FILLS:
            raise InvalidClearing(f"bid {name.hex()[:8]} has {number} fills, above {MAX_FILLS}")
        if locks[name] > known[name].reserved:
            raise InvalidClearing(
                f"bid {name.hex()[:8]} needs {locks[name]} micro-units,"
                f" {known[name].reserved} are reserved"
            )


def _name(fill: Fill) -> str:
    return f"{fill.tier.name.lower()} fill {fill.index}"
