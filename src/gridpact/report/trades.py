"""What became of every trade of a day, under the names of those who made it.

A zonal fill is settled on the zonal chain with the region as its buyer (`cycle.crossing`); its
statement belongs to the participant for whom the region bought, in the order of the clearing. Here
each fill stands once, with its participant, its delivery and its statement.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gridpact.cycle.result import IntervalResult
from gridpact.model.order import Tier
from gridpact.settlement.account_lines import Settled


class Trade(NamedTuple):
    """A settled fill. `name` is the fill's hash on the chain where it was settled."""

    interval: int
    name: bytes
    settled: Settled

    @property
    def tier(self) -> Tier:
        return self.settled.fill.tier

    @property
    def is_held(self) -> bool:
        """Say whether nothing of it was to flow: then it is none of the five cases."""
        return self.settled.delivery.held == self.settled.fill.energy_wh


def trades(intervals: Iterable[IntervalResult]) -> tuple[Trade, ...]:
    """Return all settled fills, by interval, local before zonal, in the order of the clearing."""
    return tuple(trade for result in intervals for trade in of_interval(result))


def of_interval(result: IntervalResult) -> Iterator[Trade]:
    """Yield the settled fills of one interval."""
    local, zonal = result.settlement, result.zonal_settlement
    for row in zip(local.fills, local.deliveries, local.statements, strict=True):
        yield Trade(result.interval, row[0].hash, Settled(*row))
    crossed = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    rows = zip(crossed, zonal.fills, zonal.deliveries, zonal.statements, strict=True)
    for own, shown, delivery, statement in rows:
        yield Trade(result.interval, shown.hash, Settled(own, delivery, statement))
