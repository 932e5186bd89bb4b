"""Phase 8: sellers' reputations move by what they delivered, on both chains."""

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Rating, Settlement
from gridpact.reputation.feedback import rate as rated


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
        scores = {fill.seller: ledger.score(fill.seller) for fill in fills}
        return Rating(rated(scores, fills, deliveries, market.rules.rating))

    return once(ledger, key, Rating, decide)
