"""Every participant's bill, line by line, and the flows of money between all accounts.

A flow has a source, a target and a reason; every line and every net is a sum of flows, so what
one account loses another gains, to the micro-unit. Totals over a day are sums over intervals.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict, replace

from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.participant import Named
from gridpact.model.record import Fine, Incentive
from gridpact.model.statement import Bill, Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Money, Wh
from gridpact.settlement.fund import loss_fund_part

GRID_SUPPLY = Named.GRID_SUPPLY.address
NETWORK_OPERATOR = Named.NETWORK_OPERATOR.address
NETWORK_LOSS = Named.NETWORK_LOSS.address
FINES = Named.FINES.address


class Reason(StrEnum):
    """Why money moves."""

    ENERGY = "energy"
    CHARGE = "network charge"
    UNUSED = "unused fee"
    REWARD = "reward"
    CLAIM = "claim"
    RETAIL = "retail"
    NETWORK_SHARE = "network share of retail"
    FEED_IN = "feed-in"
    LOSSES = "network losses"
    INCENTIVE = "incentive"
    FINE = "fine"


class Flow(NamedTuple):
    """Money from one account to another. [micro-units, > 0]"""

    source: bytes
    target: bytes
    reason: Reason
    amount: Money


class Settled(NamedTuple):
    """A fill with what was delivered and what was paid.

    For a zonal fill the buyer is the participant for whom the region bought.
    """

    fill: Fill
    delivery: Delivery
    statement: Statement


class Line(msgspec.Struct, frozen=True):
    """One participant's account over any number of intervals. Energy in Wh, money in micro-units.

    `bought` / `sold` count what was received / sent per tier (local, zonal, grid); `imbalance` is
    what was contracted and neither used nor delivered: unused as a buyer, short as a seller.
    `refund` came back from the locks and is no income; `unpaid` is what empty accounts still owe
    the participant, less what it still owes itself; `total` = income - outlay.
    """

    participant: bytes
    bought: tuple[Wh, Wh, Wh]
    sold: tuple[Wh, Wh, Wh]
    imbalance: Wh
    held: Wh
    paid: Money
    charges: Money
    fees: Money
    retail: Money
    claims: Money
    earned: Money
    rewards: Money
    fee_income: Money
    feed_in: Money
    incentives: Money
    fines: Money
    refund: Money
    unpaid: Money
    total: Money


def together(lines: Iterable[Line], of: Callable[[bytes], bytes]) -> dict[bytes, Line]:
    """Return one line for each person, `of` whose addresses there may be several."""
    found: dict[bytes, Line] = {}
    for line in lines:
        who = of(line.participant)
        found[who] = _sum(found[who], line) if who in found else replace(line, participant=who)
    return found


def _sum(one: Line, other: Line) -> Line:
    sums: dict[str, Any] = {}
    for name, here in asdict(one).items():
        there = getattr(other, name)
        if isinstance(here, tuple):
            sums[name] = tuple(a + b for a, b in zip(here, there, strict=True))
        elif name != "participant":
            sums[name] = here + there
    return replace(one, **sums)


def fill_flows(row: Settled, terms: SettlementTerms) -> Iterator[Flow]:
    """Yield what the settlement of one fill moves; a disputed one moves nothing."""
    fill, statement = row.fill, row.statement
    fund = loss_fund_part(statement.charge, terms)
    yield from _positive(
        Flow(fill.buyer, fill.seller, Reason.ENERGY, statement.paid),
        Flow(fill.buyer, NETWORK_LOSS, Reason.CHARGE, fund),
        Flow(fill.buyer, NETWORK_OPERATOR, Reason.CHARGE, statement.charge - fund),
        Flow(fill.buyer, fill.seller, Reason.UNUSED, statement.fee_seller),
        Flow(fill.buyer, NETWORK_LOSS, Reason.UNUSED, statement.fee_network),
        Flow(Named.REWARD.address, fill.seller, Reason.REWARD, statement.reward),
        Flow(NETWORK_LOSS, fill.buyer, Reason.CLAIM, statement.claim),
    )


def bill_flows(bill: Bill) -> Iterator[Flow]:
    """Yield what one bill of the grid tier moves."""
    energy = bill.purchase - bill.network_share
    yield from _positive(
        Flow(bill.participant, GRID_SUPPLY, Reason.RETAIL, energy),
        Flow(bill.participant, NETWORK_OPERATOR, Reason.NETWORK_SHARE, bill.network_share),
        Flow(GRID_SUPPLY, bill.participant, Reason.FEED_IN, bill.sale),
    )


def flows(
    settled: Iterable[Settled],
    bills: Iterable[Bill],
    network_loss_cost: Money,
    incentives: Iterable[Incentive],
    terms: SettlementTerms,
    fines: Iterable[Fine] = (),
) -> tuple[Flow, ...]:
    """Return all money that the settlement of one interval, and its ratings, move."""
    moved = [flow for row in settled for flow in fill_flows(row, terms)]
    moved += [flow for bill in bills for flow in bill_flows(bill)]
    moved += _positive(Flow(NETWORK_OPERATOR, GRID_SUPPLY, Reason.LOSSES, network_loss_cost))
    moved += _positive(
        *(
            Flow(Named.INCENTIVE.address, row.plant, Reason.INCENTIVE, row.paid)
            for row in incentives
        )
    )
    moved += fine_flows(fines)
    return tuple(moved)


def fine_flows(fines: Iterable[Fine]) -> list[Flow]:
    """Return what breaches take from deposits: it goes to the market, never to the other side."""
    return _positive(*(Flow(row.participant, FINES, Reason.FINE, row.amount) for row in fines))


def net(moved: Iterable[Flow]) -> dict[bytes, Money]:
    """Return what each account gains (or loses, below zero) by flows; the values sum to zero."""
    gains: defaultdict[bytes, Money] = defaultdict(int)
    for flow in moved:
        gains[flow.source] -= flow.amount
        gains[flow.target] += flow.amount
    return dict(gains)


def summed(moved: Iterable[Flow]) -> tuple[Flow, ...]:
    """Return flows added up per source, target and reason, in order of first appearance."""
    sums: defaultdict[tuple[bytes, bytes, Reason], Money] = defaultdict(int)
    for flow in moved:
        sums[flow.source, flow.target, flow.reason] += flow.amount
    return tuple(Flow(*which, money) for which, money in sums.items())


def lines(
    settled: Sequence[Settled],
    bills: Sequence[Bill],
    incentives: Sequence[Incentive],
    terms: SettlementTerms,
    fines: Sequence[Fine] = (),
) -> tuple[Line, ...]:
    """Return one line per participant of any intervals' settlement, in order of first bill.

    Parties without a bill come after, in order of first fill.
    """
    moved = flows(settled, bills, 0, incentives, terms, fines)
    out: defaultdict[tuple[bytes, Reason], Money] = defaultdict(int)
    into: defaultdict[tuple[bytes, Reason], Money] = defaultdict(int)
    for flow in moved:
        out[flow.source, flow.reason] += flow.amount
        into[flow.target, flow.reason] += flow.amount
    energy = _energies(settled, bills)
    gains = net(moved)
    return tuple(
        Line(
            participant=party,
            bought=sums.bought(),
            sold=sums.sold(),
            imbalance=sums.imbalance,
            held=sums.held,
            paid=out[party, Reason.ENERGY],
            charges=out[party, Reason.CHARGE],
            fees=out[party, Reason.UNUSED],
            retail=out[party, Reason.RETAIL] + out[party, Reason.NETWORK_SHARE],
            claims=into[party, Reason.CLAIM],
            earned=into[party, Reason.ENERGY],
            rewards=into[party, Reason.REWARD],
            fee_income=into[party, Reason.UNUSED],
            feed_in=into[party, Reason.FEED_IN],
            incentives=into[party, Reason.INCENTIVE],
            fines=out[party, Reason.FINE],
            refund=sums.refund,
            unpaid=sums.unpaid,
            total=gains.get(party, 0),
        )
        for party, sums in energy.items()
    )


class _Sums:
    """Running sums of one participant that are no flows of money."""

    def __init__(self) -> None:
        self.received = [0, 0, 0]
        self.sent = [0, 0, 0]
        self.imbalance = self.held = self.refund = self.unpaid = 0

    def bought(self) -> tuple[Wh, Wh, Wh]:
        local, zonal, grid = self.received
        return local, zonal, grid

    def sold(self) -> tuple[Wh, Wh, Wh]:
        local, zonal, grid = self.sent
        return local, zonal, grid


def _energies(settled: Sequence[Settled], bills: Sequence[Bill]) -> dict[bytes, _Sums]:
    sums: defaultdict[bytes, _Sums] = defaultdict(_Sums)
    for bill in bills:
        row = sums[bill.participant]
        row.received[Tier.GRID] += bill.bought_wh
        row.sent[Tier.GRID] += bill.sold_wh
        row.unpaid += bill.unpaid_sale - bill.unpaid_purchase
    for fill, delivery, statement in settled:
        buyer, seller = sums[fill.buyer], sums[fill.seller]
        buyer.received[fill.tier] += delivery.received
        buyer.imbalance += delivery.unused
        buyer.held += delivery.held
        seller.sent[fill.tier] += delivery.sent
        seller.imbalance += delivery.agreed - delivery.sent
        seller.held += delivery.held
        if statement.case is not Case.DISPUTE:
            buyer.refund += statement.refund
        buyer.unpaid += statement.unpaid_claim
        seller.unpaid += statement.unpaid_reward
    return dict(sums)


def _positive(*moved: Flow) -> list[Flow]:
    return [flow for flow in moved if flow.amount]
