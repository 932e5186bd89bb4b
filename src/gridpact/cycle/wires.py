"""The grid check of the coming interval: after the tiers have traded, and while one is cleared.

What a mechanism asks while it clears (`while_clearing`) is what the check after it will ask: who
generates feeds in whether it sells or not, unsold energy is cut first. Plants have sold nothing
then, so they are cut before any neighbour who has: the local tier comes first.
"""

from collections.abc import Mapping, Sequence

from gridpact.cycle.market import Market
from gridpact.cycle.ports import Expected
from gridpact.cycle.result import Books
from gridpact.market.cuts import AfterCheck, apply
from gridpact.market.local_book import local_offers
from gridpact.market.rank import Span, merged, ranked
from gridpact.market.wires import Asked
from gridpact.model.grid_check import GridVerdict
from gridpact.model.order import NONE, Tier
from gridpact.model.record import Carried, Prices
from gridpact.model.trade import Fill
from gridpact.quantities import Score, Wh


def checked(
    market: Market,
    interval: int,
    books: Books,
    expected: Expected,
    scores: Mapping[bytes, Score],
    fills: Sequence[Fill],
    prices: Prices,
) -> tuple[GridVerdict, AfterCheck]:
    """Ask the wires, and take from the clearing what they cannot carry."""
    span = Span(market.minutes)
    offers = (*books.local.orders, *books.zonal.orders)
    rows = ranked(expected.injectors, fills, offers, scores, expected.exports, span, prices.feed_in)
    verdict = merged(market.grid_check(interval, expected.load, rows), rows)
    return verdict, apply(fills, verdict, expected.injectors, expected.exports, span)


def while_clearing(
    market: Market,
    interval: int,
    books: Books,
    expected: Expected,
    scores: Mapping[bytes, Score],
    prices: Prices,
) -> Asked:
    """Return wires that a mechanism may ask what of the local offers they carry."""
    offers = local_offers(books.local.orders)
    region, seller = market.region.id, {one.hash: one.order.participant for one in offers}

    def ask(sold: Mapping[bytes, Wh]) -> list[Carried]:
        fills = [
            Fill(region, interval, Tier.LOCAL, index, NONE, offer, b"", seller[offer], energy, 0, 0)
            for index, (offer, energy) in enumerate(sold.items())
        ]
        verdict, after = checked(market, interval, books, expected, scores, fills, prices)
        if verdict.conflicts:
            reason = "; ".join(verdict.conflicts)
            return [Carried(offer, 0, reason, 0) for offer in sold]
        cuts = {one.participant: one for one in after.cuts if one.from_fills_wh}
        rows = ((offer, cuts.get(seller[offer])) for offer in sold)
        return [
            Carried(offer, sold[offer] - cut.from_fills_wh, cut.limit, cut.multiplier)
            for offer, cut in rows
            if cut is not None
        ]

    return Asked(offers, market.buses, ask)
