"""Phase 8: sellers' reputations move by what they delivered, on both chains."""

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.rating import CredibilityTerms
from gridpact.model.record import Rating, Settlement
from gridpact.reputation.rule import Known
from gridpact.reputation.rule import rate as rated


def rate(
    market: Market, interval: int, local: Settlement, zonal: Settlement, part: int = 0
) -> tuple[Rating, Rating]:
    """Rate the sellers of two settlements, once. Disputed fills count when they are resolved."""
    chains = ((market.local, market.region.id, local), (market.zonal, market.zone, zonal))
    here, there = (
        _rate(market, ledger, Key(region, interval, Phase.RATE, part), settlement)
        for ledger, region, settlement in chains
    )
    return here, there


def _rate(market: Market, ledger: Ledger, key: Key, settlement: Settlement) -> Rating:
    fills, deliveries = settlement.fills, settlement.deliveries

    def decide() -> Rating:
        known = {fill.seller: _known(market, ledger, fill.seller) for fill in fills}
        when = key.interval, market.timing.seconds
        return Rating(rated(known, fills, deliveries, market.rules.rating, *when))

    return once(ledger, key, Rating, decide)


def _known(market: Market, ledger: Ledger, seller: bytes) -> Known:
    if isinstance(market.rules.rating, CredibilityTerms):
        return Known(ledger.score(seller), ledger.standing(seller))
    return Known(ledger.score(seller))
