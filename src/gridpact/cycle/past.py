"""What an interval needs to know of those before it; all of it follows from their records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridpact.cycle.market import Market
from gridpact.cycle.result import IntervalResult, cumulative
from gridpact.model.order import Side
from gridpact.quantities import Money, Price
from gridpact.settlement.incentive import reference_price
from gridpact.settlement.steadiness import Steadiness, observe


@dataclass(frozen=True)
class Past:
    """The state of the market between two intervals.

    `readings`: (import, export) of every meter so far [Wh]; `steadiness` of each plant;
    `reference`: the zone's renewable price of the last interval that had one, C_REG;
    `granted`: incentives paid since midnight; `carried_wh`: what the region's balance left open.
    """

    reference: Price
    readings: Mapping[bytes, tuple[int, int]] = field(default_factory=dict)
    steadiness: Mapping[bytes, Steadiness] = field(default_factory=dict)
    granted: Money = 0
    carried_wh: int = 0


def beginning(market: Market) -> Past:
    """Return the past of the first interval: C_REG is the feed-in tariff."""
    return Past(
        reference=market.tariff.feed_in,
        steadiness={plant: Steadiness() for plant in market.plants},
    )


def advance(past: Past, market: Market, result: IntervalResult) -> Past:
    """Return the past of the next interval."""
    day = market.rules.incentive.day
    granted = sum(row.paid for row in result.zonal_settlement.incentives)
    new_day = (result.interval + 1) % day == 0
    return Past(
        reference=reference_price(result.zonal_settlement.fills, past.reference),
        readings={**past.readings, **cumulative(result.meters, result.plant_meters)},
        steadiness={
            plant: _observed(known, plant, market, result)
            for plant, known in past.steadiness.items()
        },
        granted=0 if new_day else past.granted + granted,
        carried_wh=result.meters.carried_wh,
    )


def _observed(
    known: Steadiness, plant: bytes, market: Market, result: IntervalResult
) -> Steadiness:
    declared = sum(
        one.order.energy_wh
        for one in result.plant_book.orders
        if one.order.participant == plant and one.order.side is Side.OFFER
    )
    stopped = sum(
        row.energy_wh for row in result.plant_meters.curtailed if row.participant == plant
    )
    if plant not in result.metered:
        return known
    actual = result.metered[plant].export_wh + stopped
    return observe(known, declared, actual, market.minutes, market.rules.incentive)
