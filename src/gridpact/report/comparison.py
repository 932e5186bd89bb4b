"""What did the market change, and for whom? The day with it against the day before.

"Before" has the same devices, plants, control and forecasts, on retail and feed-in tariff only
(`simulation.baseline`). After is what the ledgers say. All energy in whole Wh, money in whole
micro-units; both days' money adds up to zero over all groups, so the changes do too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.assembly.day import DayResult
from gridpact.cycle.result import IntervalResult
from gridpact.errors import SettlementError
from gridpact.model.participant import Named
from gridpact.model.statement import Case
from gridpact.prosumer.devices import FloatArray, Site
from gridpact.quantities import Money, amount
from gridpact.report.hours import Hour, hour
from gridpact.report.money import closed_addresses, interval_flows
from gridpact.report.trades import Trade, trades
from gridpact.settlement.account_lines import Flow, Line, lines, net, summed, together
from gridpact.settlement.bills import loss_price

CONSUMERS = "participants without generation"
OWNERS = "participants with PV or battery"
PLANTS = "renewable plants"
_SHOWN = {
    Named.GRID_SUPPLY: "grid supply",
    Named.NETWORK_OPERATOR: "network operator",
    Named.NETWORK_LOSS: "loss account",
}


@dataclass(frozen=True)
class Account:
    """One participant's or plant's day.

    `before` and `after` are what it paid, below zero what it earned. `generates`: it has PV or a
    battery, or is a plant. `devices` names what stands behind its meter beside its load.
    """

    name: str
    bus: int
    kind: str
    generates: bool
    devices: tuple[str, ...]
    before: Money
    after: Money
    line: Line

    @property
    def saving(self) -> Money:
        return self.before - self.after


@dataclass(frozen=True)
class Group:
    """What a group of accounts is left with over the day, before and after. [micro-units]"""

    name: str
    before: Money
    after: Money

    @property
    def change(self) -> Money:
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """The day with the market against the day before.

    `accounts` are the participants, then the plants; `unpaid` what empty accounts still owe.
    """

    accounts: tuple[Account, ...]
    hours: tuple[Hour, ...]
    groups: tuple[Group, ...]
    flows: tuple[Flow, ...]
    trades: tuple[Trade, ...]
    unpaid: Money
    emptied: tuple[str, ...]

    @property
    def in_dispute(self) -> tuple[Trade, ...]:
        """Return the trades whose locks are held: their dispute window outlasts the day."""
        return tuple(row for row in self.trades if row.settled.statement.case is Case.DISPUTE)

    @property
    def held_in_dispute(self) -> Money:
        """Return the money of these locks, on both chains."""
        return sum(row.settled.fill.lock for row in self.in_dispute)

    @property
    def group_of(self) -> dict[bytes, str]:
        """Return the name of the group that each account belongs to."""
        names = {
            one.line.participant: PLANTS
            if one.kind == "plant"
            else OWNERS
            if one.generates
            else CONSUMERS
            for one in self.accounts
        }
        return names | {one.address: shown(one) for one in Named}

    def per_hour(self, field: str) -> FloatArray:
        """Return a field of the hours as a curve, in its own unit. (interval,)"""
        return np.array([float(getattr(hour, field)) for hour in self.hours])

    @property
    def participants(self) -> tuple[Account, ...]:
        return tuple(one for one in self.accounts if one.kind != "plant")

    @property
    def consumers(self) -> tuple[Account, ...]:
        """Return the participants without generation."""
        return tuple(one for one in self.accounts if not one.generates)

    @property
    def owners(self) -> tuple[Account, ...]:
        """Return the participants with PV or a battery."""
        return tuple(one for one in self.participants if one.generates)

    @property
    def not_worse(self) -> int:
        """Return how many participants without generation pay no more than before."""
        return sum(1 for one in self.consumers if one.saving >= 0)


def shown(account: Named) -> str:
    """Return what a named account is called in the report."""
    return _SHOWN.get(account, f"{account.value} account")


def compare(day: DayResult) -> Comparison:
    """Return what the market changed.

    Raises
    ------
    SettlementError
        Money that does not add up to zero over all accounts.
    """
    terms = day.scenario.settlement
    moves = [interval_flows(result, terms) for result in day.intervals]
    moved = summed(_of_persons(day, flow) for rows in moves for flow in rows)
    accounts, gains = _accounts(day), net(moved)
    groups = _groups(day, accounts, gains)
    for when, total in (
        ("before", sum(group.before for group in groups)),
        ("after", sum(group.after for group in groups)),
    ):
        if total:
            raise SettlementError(f"the money of the day {when} adds up to {total}, not to zero")
    return Comparison(
        accounts=accounts,
        hours=tuple(
            hour(day, result, rows) for result, rows in zip(day.intervals, moves, strict=True)
        ),
        groups=groups,
        flows=moved,
        trades=trades(day.intervals),
        unpaid=sum(unpaid(result) for result in day.intervals),
        emptied=_emptied(day),
    )


def _of_persons(day: DayResult, flow: Flow) -> Flow:
    return flow._replace(source=day.person(flow.source), target=day.person(flow.target))


def unpaid(result: IntervalResult) -> Money:
    """Return all that empty accounts still owe of one interval. [micro-units]"""
    local, zonal = result.settlement, result.zonal_settlement
    owed = sum(
        one.unpaid_reward + one.unpaid_claim for one in (*local.statements, *zonal.statements)
    )
    owed += sum(one.unpaid_purchase + one.unpaid_sale for one in (*local.bills, *zonal.bills))
    losses = amount(loss_price(result.prices), local.network_loss_wh)
    return owed + losses - local.network_loss_cost


def _accounts(day: DayResult) -> tuple[Account, ...]:
    sites, plants = day.scenario.sites, day.scenario.plants
    settled = [trade.settled for trade in trades(day.intervals)]
    bills = [
        bill
        for result in day.intervals
        for bill in (*result.settlement.bills, *result.zonal_settlement.bills)
    ]
    earned = [row for result in day.intervals for row in result.zonal_settlement.incentives]
    fined = [row for result in day.intervals for rows in result.fines for row in rows]
    terms = day.scenario.settlement
    by_party = together(lines(settled, bills, earned, terms, fined), day.person)
    kinds = [(site.kind, _devices(site)) for site in sites]
    kinds += [("plant", ("PV",)) for _ in plants]
    parties = (*day.people.sites, *day.people.plants)
    return tuple(
        Account(
            name=party.participant.name,
            bus=party.participant.bus,
            kind=kind,
            generates=bool({"PV", "battery"} & set(devices)),
            devices=devices,
            before=before,
            after=-by_party[party.address].total,
            line=by_party[party.address],
        )
        for party, (kind, devices), before in zip(parties, kinds, day.before.bill, strict=True)
    )


def _devices(site: Site) -> tuple[str, ...]:
    present = {"PV": site.pv, "battery": site.battery, "EV": site.ev}
    return tuple(name for name, device in present.items() if device is not None)


def _groups(
    day: DayResult, accounts: Sequence[Account], gains: dict[bytes, Money]
) -> tuple[Group, ...]:
    plants = [one for one in accounts if one.kind == "plant"]
    owners = [one for one in accounts if one.generates and one.kind != "plant"]
    own = {Named.GRID_SUPPLY: day.before.grid_supply}
    own[Named.NETWORK_OPERATOR] = day.before.network_operator
    named = [
        Group(shown(one), own.get(one, 0), gains.get(one.address, 0))
        for one in Named
        if one in own or gains.get(one.address, 0)
    ]
    return (
        _group(CONSUMERS, [one for one in accounts if not one.generates]),
        _group(OWNERS, owners),
        _group(PLANTS, plants),
        *sorted(named, key=lambda group: group.name.endswith("account")),
    )


def _group(name: str, accounts: Iterable[Account]) -> Group:
    rows = list(accounts)
    return Group(name, -sum(one.before for one in rows), -sum(one.after for one in rows))


def _emptied(day: DayResult) -> tuple[str, ...]:
    """Return the accounts that brought money and have none left, "account on chain".

    A bond is its owner's still; an address that its household left behind is empty for good.
    """
    former = closed_addresses(day)
    return tuple(
        f"{day.names[address]} on {chain.name}"
        for chain, brought in zip(day.chains, day.founding, strict=True)
        for address, money in brought.items()
        if address not in former
        if money and not (chain.accounts[address].free or chain.accounts[address].locked)
    )
