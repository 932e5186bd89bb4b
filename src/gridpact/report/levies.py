"""What a mechanism kept: the levies that buyers paid beyond price and network charge.

A levy is within the charge of its fill, so it goes where network charges go: to the network
operator and, a share of it, to the loss fund. Nobody who bids locally has these accounts.
"""

from gridpact.assembly.day import DayResult
from gridpact.market.caps import Pairs
from gridpact.model.order import Tier
from gridpact.quantities import Money, amount
from gridpact.report.trades import of_interval


def levies(day: DayResult) -> Money:
    """Return the levies of a day: what was charged for local trades above the wires' own price."""
    bus = {one.address: one.participant.bus for one in day.people.sites}
    total = 0
    for result in day.intervals:
        pairs = Pairs.of(result.prices, Tier.LOCAL)
        for trade in of_interval(result):
            fill, delivery, statement = trade.settled
            if trade.tier is Tier.LOCAL and statement.charge:
                buyer, seller = day.person(fill.buyer), day.person(fill.seller)
                wires = pairs.charge(bus[buyer], bus[seller])
                total += statement.charge - amount(wires, delivery.sent)
    return total
