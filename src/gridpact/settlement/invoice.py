"""The bill that a participant gets: one item per reason and tier, with the tax it contains.

Items are sums of the flows of `account_lines`, from the participant's side, so what one invoice
says is paid another says is earned. Prices and charges of the market include the tax; it is taken
out of what is paid, never added. What a participant earns is shown without tax: who sells as a
business owes it on its own account.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gridpact.model.order import Tier
from gridpact.model.record import Fine, Incentive
from gridpact.model.statement import Bill, SettlementTerms
from gridpact.quantities import PPM, Money, Score, Wh, divide_half_even
from gridpact.settlement.account_lines import (
    Flow,
    Reason,
    Settled,
    bill_flows,
    fill_flows,
    fine_flows,
    flows,
)


class Item(NamedTuple):
    """One line of a bill.

    `amount` is paid by the participant, below zero what it earns; `tax` is the part of a payment
    that is tax. `energy` is what was received, sent, or left unused. [Wh, micro-units]
    """

    reason: Reason
    tier: Tier
    energy: Wh
    amount: Money
    tax: Money

    @property
    def net(self) -> Money:
        """Return the amount without its tax."""
        return self.amount - self.tax


def contained(gross: Money, rate: Score) -> Money:
    """Return the tax within an amount that includes it, at a rate on the net amount. [ppm]

    Notes
    -----
    tax = gross - gross / (1 + rate), the quotient rounded half to even. An amount that is earned
    (below zero) contains none.
    """
    return gross - divide_half_even(gross * PPM, PPM + rate) if gross > 0 else 0


def invoices(
    settled: Sequence[Settled],
    bills: Iterable[Bill],
    incentives: Iterable[Incentive],
    terms: SettlementTerms,
    tax: Score,
    fines: tuple[Iterable[Fine], Iterable[Fine]] = ((), ()),
) -> dict[bytes, tuple[Item, ...]]:
    """Return the items of every account that took part, over any intervals.

    Items stand in the order of `Tier` and `Reason`. The tax is taken once of each item's sum; a
    fine is no price and contains none. `fines` are those of the local and of the zonal tier.
    """
    book = _Book()
    for row in settled:
        book.fill(row, terms)
    for bill in bills:
        book.bill(bill)
    for flow in flows((), (), 0, incentives, terms):
        book.move(flow, Tier.ZONAL)
    for tier, rows in zip((Tier.LOCAL, Tier.ZONAL), fines, strict=True):
        for flow in fine_flows(rows):
            book.move(flow, tier)
    return book.items(tax)


class _Book:
    """Amounts and energies by account, tier and reason."""

    def __init__(self) -> None:
        self.amount: defaultdict[tuple[bytes, Tier, Reason], Money] = defaultdict(int)
        self.energy: defaultdict[tuple[bytes, Tier, Reason], Wh] = defaultdict(int)

    def move(self, flow: Flow, tier: Tier) -> None:
        self.amount[flow.source, tier, flow.reason] += flow.amount
        self.amount[flow.target, tier, flow.reason] -= flow.amount

    def fill(self, row: Settled, terms: SettlementTerms) -> None:
        fill, delivery, _ = row
        for flow in fill_flows(row, terms):
            self.move(flow, fill.tier)
        self.energy[fill.buyer, fill.tier, Reason.ENERGY] += delivery.received
        self.energy[fill.seller, fill.tier, Reason.ENERGY] += delivery.sent
        self.energy[fill.buyer, fill.tier, Reason.UNUSED] += delivery.unused
        self.energy[fill.seller, fill.tier, Reason.UNUSED] += delivery.unused_sent

    def bill(self, bill: Bill) -> None:
        for flow in bill_flows(bill):
            self.move(flow, Tier.GRID)
        self.energy[bill.participant, Tier.GRID, Reason.RETAIL] += bill.bought_wh
        self.energy[bill.participant, Tier.GRID, Reason.FEED_IN] += bill.sold_wh

    def items(self, tax: Score) -> dict[bytes, tuple[Item, ...]]:
        found: defaultdict[bytes, list[Item]] = defaultdict(list)
        keys = {**self.amount, **self.energy}
        place = {reason: at for at, reason in enumerate(Reason)}
        for key in sorted(keys, key=lambda one: (one[0], one[1], place[one[2]])):
            amount, energy = self.amount.get(key, 0), self.energy.get(key, 0)
            if amount or energy:
                who, tier, reason = key
                rate = 0 if reason is Reason.FINE else tax
                found[who].append(Item(reason, tier, energy, amount, contained(amount, rate)))
        return {who: tuple(rows) for who, rows in found.items()}
