"""Phase 7: what the meters say becomes deliveries, statements, bills; everybody is paid.

The zonal chain settles first: what its fills did not need of the region's money crosses home and
is refunded within the local settlement. What the accounts can pay is worked out here from their
free money in the order in which the contracts pay.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from gridpact.cycle.crossing import homeward
from gridpact.cycle.deliver import parties
from gridpact.cycle.market import Market
from gridpact.cycle.net import set_aside, with_part
from gridpact.cycle.past import Past
from gridpact.cycle.phase import once
from gridpact.errors import LedgerError
from gridpact.ledger.ledger import Ledger
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.participant import Named
from gridpact.model.record import (
    Cleared,
    Commitment,
    Confirmed,
    Crossing,
    Incentive,
    Prices,
    Refund,
    Settlement,
)
from gridpact.model.statement import SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Money
from gridpact.settlement import account_lines, incentive, steadiness
from gridpact.settlement.allocation import Allocation
from gridpact.settlement.bills import bills, loss_purchase
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split


@dataclass(frozen=True)
class Settled:
    """The settlements of one interval on both chains."""

    local: Settlement
    zonal: Settlement


def settle(
    market: Market,
    interval: int,
    prices: Prices,
    cleared: Cleared,
    past: Past,
    allocation: Allocation,
) -> Settled:
    """Settle the interval's fills and the grid tier on both chains."""
    local_fills = tuple(fill for fill in cleared.fills if fill.tier is Tier.LOCAL)
    crossed = tuple(fill for fill in cleared.fills if fill.tier is Tier.ZONAL)
    deliveries = allocation.deliveries[: len(local_fills)]
    crossed_deliveries = allocation.deliveries[len(local_fills) :]
    there = once(
        market.zonal,
        Key(market.zone, interval, Phase.SETTLE),
        Settlement,
        lambda: _zonal(market, interval, prices, past, crossed_deliveries, allocation),
    )
    key = Key(market.region.id, interval, Phase.SETTLE)

    def decide() -> Settlement:
        made = (local_fills, deliveries, allocation, crossed, there)
        homes = set(parties(market).homes)
        aside = set_aside(market.local, key)
        free = free_money(market.local)
        settled = local(market.rules.settlement, prices, free, homes, *made, aside)
        settled = with_part(market.local, key, settled)
        return market.council.stated(market.local, key, settled)

    here = once(market.local, key, Settlement, decide)
    if there.departed is not None:
        departed = there.departed
        once(
            market.zonal,
            Key(market.zone, interval, Phase.SETTLE, 1),
            Confirmed,
            lambda: Confirmed(departed, block(market, interval)),
        )
    return Settled(here, there)


def local(
    terms: SettlementTerms,
    prices: Prices,
    free: Counter[bytes],
    homes: Collection[bytes],
    fills: tuple[Fill, ...],
    deliveries: tuple[Delivery, ...],
    allocation: Allocation,
    crossed: Sequence[Fill],
    zonal: Settlement,
    aside: tuple[Money, Money] | None = None,
) -> Settlement:
    """Return the local settlement of an interval; `free` is what the accounts have before it.

    Fills that are settled net have rewards and claims from what was set `aside` for them, and move
    no money yet.
    """
    owed = _owed(terms, fills, deliveries, prices)
    home = refunds(crossed, zonal.statements)
    if aside is None:
        statements = _funded(owed, free, terms)
        _pay(free, fills, deliveries, statements, terms)
    else:
        statements = fund(owed, *aside, terms)
    for refund in home:
        free[refund.buyer] += refund.amount
    rows = bills([row for row in allocation.balances if row.participant in homes], prices, free)
    for row in rows:
        for flow in account_lines.bill_flows(row):
            free[flow.source] -= flow.amount
            free[flow.target] += flow.amount
    return Settlement(
        fills=fills,
        deliveries=deliveries,
        statements=statements,
        bills=rows,
        network_loss_wh=allocation.network_loss_wh,
        network_loss_cost=loss_purchase(
            allocation.network_loss_wh, prices, free[Named.NETWORK_OPERATOR.address]
        ),
        refunds=home,
        arrived=zonal.departed,
    )


def refunds(crossed: Sequence[Fill], statements: Sequence[Statement]) -> tuple[Refund, ...]:
    """Return what comes home to the buyers of zonal fills, whose statements are on the zone."""
    return tuple(
        Refund(fill.hash, fill.buyer, statement.refund + statement.claim)
        for fill, statement in zip(crossed, statements, strict=True)
        if statement.refund + statement.claim
    )


def _zonal(
    market: Market,
    interval: int,
    prices: Prices,
    past: Past,
    crossed: Sequence[Delivery],
    allocation: Allocation,
) -> Settlement:
    key = Key(market.zone, interval, Phase.SETTLE)
    commitment = market.zonal.read(Key(market.zone, interval, Phase.COMMIT), Commitment)
    settled = zonal(
        market.rules.settlement,
        prices,
        free_money(market.zonal),
        market.plants,
        commitment.fills if commitment else (),
        crossed,
        allocation,
        partial(
            homeward,
            market.zonal.name,
            market.local.name,
            Key(market.region.id, interval, Phase.SETTLE),
        ),
    )
    earned = _incentives(market, past, settled, free_money(market.zonal))
    return market.council.behind(market.zonal, key, replace(settled, incentives=earned))


def zonal(
    terms: SettlementTerms,
    prices: Prices,
    free: Counter[bytes],
    plants: Collection[bytes],
    fills: tuple[Fill, ...],
    crossed: Sequence[Delivery],
    allocation: Allocation,
    home: Callable[[Money], Crossing | None],
) -> Settlement:
    """Return the zonal settlement of an interval, without incentives; the region pays for all.

    `crossed` are the deliveries of its fills, `home` makes the crossing of what is left.
    """
    deliveries = tuple(
        replace(delivery, fill=fill.hash) for fill, delivery in zip(fills, crossed, strict=True)
    )
    statements = _funded(_owed(terms, fills, deliveries, prices), free, terms)
    _pay(free, fills, deliveries, statements, terms)
    back = sum(statement.refund + statement.claim for statement in statements)
    for fill in fills[:1]:
        free[fill.buyer] -= back
    rows = [row for row in allocation.balances if row.participant in plants]
    return Settlement(
        fills=fills,
        deliveries=deliveries,
        statements=statements,
        bills=bills(rows, prices, free),
        departed=home(back),
    )


def _incentives(
    market: Market,
    past: Past,
    settled: Settlement,
    free: Mapping[bytes, Money],
) -> tuple[Incentive, ...]:
    """Return what plants earn for steady supply, within the day's budget and the account."""
    rows = zip(settled.fills, settled.deliveries, settled.statements, strict=True)
    terms = market.rules.incentive
    supplies = [
        incentive.Supply(
            fill.seller,
            delivery.sent,
            statement.charge,
            steadiness.scale(past.steadiness[fill.seller], market.plants[fill.seller].power_w),
        )
        for fill, delivery, statement in rows
        if delivery.sent
    ]
    available = min(terms.daily_budget - past.granted, free[Named.INCENTIVE.address])
    return incentive.grant(supplies, past.reference, terms.difficulty, available)


def _owed(
    terms: SettlementTerms, fills: Sequence[Fill], deliveries: Sequence[Delivery], prices: Prices
) -> list[Statement]:
    return [
        split(fill, delivery, terms, prices.loss_share)
        for fill, delivery in zip(fills, deliveries, strict=True)
    ]


def _funded(
    owed: Sequence[Statement], free: Mapping[bytes, Money], terms: SettlementTerms
) -> tuple[Statement, ...]:
    return fund(owed, free[Named.REWARD.address], free[Named.NETWORK_LOSS.address], terms)


def free_money(ledger: Ledger) -> Counter[bytes]:
    return Counter({address: account.free for address, account in ledger.accounts().items()})


def _pay(
    free: Counter[bytes],
    fills: Iterable[Fill],
    deliveries: Iterable[Delivery],
    statements: Iterable[Statement],
    terms: SettlementTerms,
) -> None:
    """Move free money as the settlement of fills does; what a buyer pays comes from its lock."""
    for row in zip(fills, deliveries, statements, strict=True):
        settled = account_lines.Settled(*row)
        for flow in account_lines.fill_flows(settled, terms):
            free[flow.target] += flow.amount
            if flow.source != settled.fill.buyer:
                free[flow.source] -= flow.amount
        free[settled.fill.buyer] += settled.statement.refund


def block(market: Market, interval: int, part: int = 0) -> bytes:
    """Return the hash of the local chain's block in which an interval was settled."""
    head = market.local.written_at(Key(market.region.id, interval, Phase.SETTLE, part))
    if head is None:
        raise LedgerError(f"{market.local.name}: interval {interval} is not settled")
    return head.hash
