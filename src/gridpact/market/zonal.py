"""The zonal tier: which renewable plant serves what the neighbours could not ([Wang23] RETB).

A plant may serve a bid when the interval lies inside the plant's steady window and it has capacity
left; among those the cheapest is taken, network charge and marginal loss included (5-decisions,
section 5). Consumers have no account on the zonal chain: their region buys there, and
`region_fills` shows each fill as the region's own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from gridpact.errors import InvalidClearing
from gridpact.market.caps import Pairs
from gridpact.market.draw import drawn
from gridpact.market.unmet import filled
from gridpact.market.walk import Standing, bids_of, offers_of, standing, take
from gridpact.model.order import MAX_FILLS, Accepted, Tier
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, Price, Score, Wh


@dataclass(frozen=True)
class Window:
    """The intervals in which a plant produces steadily: start inclusive, end exclusive."""

    start: int
    end: int

    def holds(self, interval: int) -> bool:
        return self.start <= interval < self.end


@dataclass(frozen=True)
class ZonalTerms:
    """What decides among plants.

    window: steady window of each plant; one without does not trade.
    marginal_loss: losses that one more unit injected at a bus adds (negative: saves). [ppm]
    loss_price: what a lost kWh costs, retail without its network share. [micro-units per kWh]
    splitting: a bid may be served by several plants; off in the paper's literal form, where one
    plant serves all of it or none.
    """

    windows: Mapping[bytes, Window]
    loss_price: Price
    marginal_loss: Mapping[int, int] = field(default_factory=dict)
    splitting: bool = True


def clear(
    book: Sequence[Accepted],
    plant_book: Sequence[Accepted],
    wanted: Mapping[bytes, Wh],
    pairs: Pairs,
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    seed: bytes,
    terms: ZonalTerms,
    kept: Sequence[Fill] = (),
) -> tuple[Fill, ...]:
    """Return the fills of the zonal tier under the participants' own bids.

    Parameters
    ----------
    book, plant_book
        The region's book, with the zonal bids; the zone's, with the plants' offers.
    wanted
        What each zonal bid may still take, `unmet.zonal_wanted`. [Wh]
    seed
        Of the region's closed book: bids are served in the draw's order.
    kept
        Zonal fills that stand already, when energy cut by the wires is offered again. They count
        against bids, offers and fills per bid; the new ones are indexed after them.
    """
    stand = [
        one
        for one in standing(offers_of(plant_book, Tier.ZONAL), pairs, buses, scores)
        if one.seller in terms.windows
        and terms.windows[one.seller].holds(one.accepted.order.interval)
    ]
    if not stand:
        return ()
    used, count = filled(kept), Counter(fill.bid for fill in kept)
    for one in stand:
        one.left -= used.get(one.accepted.hash, 0)
    fills: list[Fill] = []
    by_bus: dict[int, list[Standing]] = {}
    for bid in drawn([one for one in bids_of(book, Tier.ZONAL) if wanted[one.hash] > 0], seed):
        bus, need = buses[bid.order.participant], wanted[bid.hash]
        if bus not in by_bus:
            by_bus[bus] = sorted(stand, key=lambda one: cost(one, bus, pairs, terms))
        ranked = by_bus[bus]
        if not terms.splitting:
            ranked = [one for one in ranked if one.left >= need]
        first, most = len(kept) + len(fills), MAX_FILLS - count[bid.hash]
        fills += take(bid, bus, need, ranked, pairs, first, most)
    return tuple(fills)


def cost(
    one: Standing, buyer_bus: int, pairs: Pairs, terms: ZonalTerms
) -> tuple[int, Score, bytes]:
    """Return what a kWh of a plant costs at a buyer's bus, and how ties are broken.

    price + network charge + loss price x marginal loss of the plant's bus, times a million so that
    it is whole; then higher reputation, then order hash. The buyer's own marginal loss is the same
    for all plants and left out.
    """
    loss = terms.loss_price * terms.marginal_loss.get(one.bus, 0)
    return (
        (one.price + pairs.charge(buyer_bus, one.bus)) * PPM + loss,
        -one.score,
        one.accepted.hash,
    )


def region_fills(
    fills: Sequence[Fill], region: bytes, bid: bytes, offers: Sequence[Accepted]
) -> tuple[Fill, ...]:
    """Return zonal fills as the zone's chain knows them: one to one, bought by the region.

    Parameters
    ----------
    fills
        Fills of the zonal tier under the participants' bids.
    region
        Address of the region's account on the zonal chain.
    bid
        Hash of the region's own order there.
    offers
        The zone's book; its orders say which zone a fill belongs to.

    Raises
    ------
    InvalidClearing
        A fill sells an offer that is not in the zone's book.
    """
    zone = {one.hash: one.order.region for one in offers}
    shown = []
    for fill in fills:
        if fill.offer not in zone:
            raise InvalidClearing(f"zonal fill {fill.index} sells an offer the zone does not know")
        shown.append(msgspec.structs.replace(fill, region=zone[fill.offer], buyer=region, bid=bid))
    return tuple(shown)
