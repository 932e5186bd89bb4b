"""Phase 8: sellers' reputations move by what they delivered, on both chains."""

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.rating import CredibilityTerms, RatingTerms, of_zone
from gridpact.model.record import Rating, Settlement
from gridpact.reputation.rule import Known
from gridpact.reputation.rule import rate as rated


def rate(
    market: Market, interval: int, local: Settlement, zonal: Settlement, part: int = 0
) -> tuple[Rating, Rating]:
    """Rate the sellers of two settlements, once. Disputed fills count when they are resolved."""
    rating = market.rules.rating
    chains = (
        (market.local, market.region.id, local, rating),
        (market.zonal, market.zone, zonal, of_zone(rating)),
    )
    here, there = (
        _rate(market, ledger, Key(region, interval, Phase.RATE, part), settlement, terms)
        for ledger, region, settlement, terms in chains
    )
    return here, there


def _rate(
    market: Market, ledger: Ledger, key: Key, settlement: Settlement, terms: RatingTerms
) -> Rating:
    fills, deliveries = settlement.fills, settlement.deliveries

    def decide() -> Rating:
        known = {fill.seller: _known(ledger, fill.seller, terms) for fill in fills}
        when = key.interval, market.timing.seconds
        return Rating(rated(known, fills, deliveries, terms, *when))

    return once(ledger, key, Rating, decide)


def _known(ledger: Ledger, seller: bytes, terms: RatingTerms) -> Known:
    if isinstance(terms, CredibilityTerms):
        return Known(ledger.score(seller), ledger.standing(seller))
    return Known(ledger.score(seller))
