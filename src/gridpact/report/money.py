"""Who paid whom over the day, and is it what the ledgers hold?

Every sum of the report is a sum of flows (`settlement.account_lines`). `require_booked` compares
each account's change on each chain with its flows, to the micro-unit, so that the report never
shows money that a ledger does not have.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from gridpact.assembly.day import DayResult
from gridpact.cycle.result import IntervalResult
from gridpact.errors import SettlementError
from gridpact.model.order import Tier
from gridpact.model.participant import Account
from gridpact.model.record import Fine, Settlement
from gridpact.model.statement import SettlementTerms
from gridpact.quantities import Money
from gridpact.report.trades import Trade, of_interval
from gridpact.settlement.account_lines import Flow, Settled, flows, net


def interval_flows(result: IntervalResult, terms: SettlementTerms) -> tuple[Flow, ...]:
    """Return all money that moved in one interval, zonal trades under their participants."""
    local, zonal = result.settlement, result.zonal_settlement
    return flows(
        (trade.settled for trade in of_interval(result)),
        (*local.bills, *zonal.bills),
        local.network_loss_cost + zonal.network_loss_cost,
        zonal.incentives,
        terms,
        (*result.fines[0], *result.fines[1]),
    )


def require_booked(day: DayResult) -> None:
    """Check that every account of both chains ended where its deposit and its flows put it.

    Raises
    ------
    SettlementError
        An account that holds other money than the settlements say, or money that left by another
        way than an address that its household left behind paying itself out.
    """
    local, zonal = day.chains
    terms = day.scenario.settlement
    on_local, on_zonal = (Counter(dict(brought)) for brought in day.founding)
    on_local.update(dict.fromkeys(day.persons, day.scenario.funds.participant))
    closed = closed_addresses(day)
    for result in day.intervals:
        on_local.update(net(_chain_flows(result.settlement, terms, result.fines[0])))
        on_local.update(_crossed(of_interval(result)))
        on_zonal.update(net(_chain_flows(result.zonal_settlement, terms, result.fines[1])))
        on_zonal.update(_crossings(result))
    for chain, expected in ((local, on_local), (zonal, on_zonal)):
        for address, account in chain.accounts.items():
            holds = _holds(account)
            if address in closed and holds <= expected[address]:
                continue
            if holds != expected[address]:
                raise SettlementError(
                    f"{chain.name}: {day.names.get(address, address.hex())} holds {holds},"
                    f" its settlements leave it {expected[address]}"
                )

    left = sum(on_local[one] - _holds(local.accounts[one]) for one in closed)
    if closed and left != local.totals.burned:
        raise SettlementError(
            f"{local.name}: {local.totals.burned} were burned, closed addresses paid out {left}"
        )


def closed_addresses(day: DayResult) -> frozenset[bytes]:
    """Return the addresses that households had and have left behind."""
    last = {day.person(who): who for who in day.persons}
    return frozenset(day.persons.values()) | (day.persons.keys() - last.values())


def _holds(account: Account) -> Money:
    return account.free + account.reserved + account.locked


def _chain_flows(
    settlement: Settlement, terms: SettlementTerms, fines: Iterable[Fine]
) -> tuple[Flow, ...]:
    """Return what a chain's own settlement and ratings move between its accounts."""
    rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
    return flows(
        (Settled(*row) for row in rows),
        settlement.bills,
        settlement.network_loss_cost,
        settlement.incentives,
        terms,
        fines,
    )


def _crossed(settled: Iterable[Trade]) -> Counter[bytes]:
    """Return what zonal trades changed on the local chain: locks that left, less what came home."""
    changes: Counter[bytes] = Counter()
    for trade in settled:
        fill, _, statement = trade.settled
        if trade.tier is Tier.ZONAL:
            changes[fill.buyer] += statement.refund + statement.claim - fill.lock
    return changes


def _crossings(result: IntervalResult) -> Counter[bytes]:
    """Return what crossings changed of the region's account on the zonal chain."""
    changes: Counter[bytes] = Counter()
    for fill, statement in zip(
        result.zonal_settlement.fills, result.zonal_settlement.statements, strict=True
    ):
        changes[fill.buyer] += fill.lock - statement.refund - statement.claim
    return changes


def between(moved: Iterable[Flow], group_of: Mapping[bytes, str]) -> Counter[tuple[str, str]]:
    """Return the money that each group paid to each other group, by (payer, payee)."""
    sums: Counter[tuple[str, str]] = Counter()
    for flow in moved:
        sums[group_of[flow.source], group_of[flow.target]] += flow.amount
    return sums
