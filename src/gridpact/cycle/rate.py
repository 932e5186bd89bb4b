"""Phase 8: sellers' reputations move by what they delivered, and breaches cost, on both chains."""

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.ledger.ledger import Ledger
from gridpact.model.fine import fined
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import ReviewTerms
from gridpact.model.rating import CredibilityTerms, RatingTerms, of_zone
from gridpact.model.record import Rating, Settlement
from gridpact.reputation.rule import Known
from gridpact.reputation.rule import rate as rated


def rate(
    market: Market, interval: int, local: Settlement, zonal: Settlement, part: int = 0
) -> tuple[Rating, Rating]:
    """Rate the sellers of two settlements, once. Disputed fills count when they are resolved.

    Who sold in a part of net settlement is rated when that is final: `cycle.finalise`.
    """
    rating, review = market.rules.rating, market.rules.review
    here = Key(market.region.id, interval, Phase.RATE, part)
    there = Key(market.zone, interval, Phase.RATE, part)
    return (
        _rate(market, market.local, here, local, rating, review),
        _rate(market, market.zonal, there, zonal, of_zone(rating), review.of_zone),
    )


def _rate(
    market: Market,
    ledger: Ledger,
    key: Key,
    settlement: Settlement,
    terms: RatingTerms,
    review: ReviewTerms,
) -> Rating:
    fills, deliveries = settlement.fills, settlement.deliveries
    if settlement.net is not None:
        fills = deliveries = ()

    def decide() -> Rating:
        stood = {fill.seller: known(ledger, fill.seller, terms) for fill in fills}
        when = key.interval, market.timing.seconds
        rows = rated(stood, fills, deliveries, terms, *when)
        return Rating(rows, fined(rows, ledger.deposit, review))

    return once(ledger, key, Rating, decide)


def known(ledger: Ledger, seller: bytes, terms: RatingTerms) -> Known:
    if isinstance(terms, CredibilityTerms):
        return Known(ledger.score(seller), ledger.standing(seller))
    return Known(ledger.score(seller))
