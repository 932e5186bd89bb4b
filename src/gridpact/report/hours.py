"""What did each interval come to, and what would it have been without a market?

Energy by who sold it, contracts, imbalances, prices, the substation: one record per interval, from
the ledgers' records and the day before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gridpact.assembly.day import DayResult
from gridpact.cycle.result import IntervalResult
from gridpact.model.delivery import Metered
from gridpact.model.order import Side, Tier
from gridpact.quantities import Money, Price, Wh, divide_half_even
from gridpact.report.trades import Trade, of_interval
from gridpact.settlement.account_lines import Flow, Reason, net


@dataclass(frozen=True)
class Hour:
    """One interval. Energy in Wh, prices in micro-units per kWh (None without a trade).

    contracted: what grid supply has to provide by contract, before delivery: the forecast net
    demand before, what the tiers left unmet after. local, zonal, grid: what participants received
    of each tier by their meters; grid_before what they imported without a market. unused, short,
    held: cleared energy that the buyer did not use, the seller did not send, the network operator
    stopped. unordered: received from grid supply beyond the contract. price: what participants
    paid for energy, charges and fees less claims, per kWh imported.
    """

    interval: int
    contracted_before: Wh
    contracted_after: Wh
    grid_before: Wh
    local: Wh
    zonal: Wh
    grid: Wh
    cleared: Wh
    unused: Wh
    short: Wh
    held: Wh
    unordered: Wh
    price_before: Price
    price_after: Price | None
    local_price: Price | None
    zonal_price: Price | None
    substation_before: Wh
    substation_after: Wh
    loss_before: Wh
    loss_after: Wh
    bill_before: Money
    bill_after: Money


def everybody(day: DayResult) -> set[bytes]:
    """Return every address that a household has within the run."""
    return {party.address for party in day.people.sites} | day.persons.keys()


def hour(day: DayResult, result: IntervalResult, moved: Sequence[Flow]) -> Hour:
    """Return what an interval came to; `moved` is all money that moved in it."""
    t, sites = result.interval, everybody(day)
    rows = list(of_interval(result))
    bought = sum(bill.bought_wh for bill in result.settlement.bills)
    imported = sum(row.import_wh for row in result.metered.values() if row.participant in sites)
    contracted = sum(one.energy_wh for one in result.cleared.unmet)
    substation = day.people.substation.address
    above = result.metered.get(substation, Metered(substation, 0, 0))
    spent, gains = _spent(moved, sites), net(moved)
    return Hour(
        interval=t,
        contracted_before=sum(
            one.order.energy_wh
            for one in result.book.orders
            if one.order.side is Side.BID and one.order.tier is Tier.LOCAL
        ),
        contracted_after=contracted,
        grid_before=int(day.before.import_wh[: len(day.people.sites), t].sum()),
        local=_received(rows, Tier.LOCAL),
        zonal=_received(rows, Tier.ZONAL),
        grid=bought,
        cleared=sum(row.settled.fill.energy_wh for row in rows),
        unused=sum(row.settled.delivery.unused for row in rows),
        short=sum(row.settled.delivery.agreed - row.settled.delivery.sent for row in rows),
        held=sum(row.settled.delivery.held for row in rows),
        unordered=bought - contracted,
        price_before=day.before.price[t],
        price_after=divide_half_even(1000 * spent, imported) if imported else None,
        local_price=_mean_price(rows, Tier.LOCAL),
        zonal_price=_mean_price(rows, Tier.ZONAL),
        substation_before=int(day.before.substation_wh[t]),
        substation_after=above.import_wh - above.export_wh,
        loss_before=int(day.before.loss_wh[t]),
        loss_after=result.meters.loss_wh,
        bill_before=sum(day.before.bill_by_interval[i][t] for i in range(len(day.people.sites))),
        bill_after=-sum(gains.get(who, 0) for who in sites),
    )


def _spent(moved: Iterable[Flow], sites: set[bytes]) -> Money:
    """Return what participants paid for what they consumed, whatever they earned beside it."""
    paid = sum(
        flow.amount for flow in moved if flow.source in sites and flow.reason is not Reason.FINE
    )
    claims = sum(flow.amount for flow in moved if flow.reason is Reason.CLAIM)
    return paid - claims


def _received(rows: Iterable[Trade], tier: Tier) -> Wh:
    return sum(row.settled.delivery.received for row in rows if row.tier is tier)


def _mean_price(rows: Iterable[Trade], tier: Tier) -> Price | None:
    fills = [row.settled.fill for row in rows if row.tier is tier]
    energy = sum(fill.energy_wh for fill in fills)
    if not energy:
        return None
    return divide_half_even(sum(fill.price * fill.energy_wh for fill in fills), energy)
