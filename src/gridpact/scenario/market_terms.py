"""The market's numbers of a scenario: tariff, settlement, reputation, incentive, funds.

A person writes units of currency per kWh and shares; the market works in micro-units and ppm.
"""

import math
from itertools import pairwise

from gridpact.model.council import MOST_MEMBERS
from gridpact.model.door import MOST
from gridpact.model.record import IncentiveTerms
from gridpact.model.statement import MAX_DISPUTE_WINDOW, SettlementTerms
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import MICRO, PPM, Money, Price, Score, whole
from gridpact.scenario.scenario import (
    AggregatorSettings,
    CouncilSettings,
    DoorSettings,
    Funds,
    IdentitySettings,
    Time,
)
from gridpact.scenario.table import Table

_DEAREST = 1000.0
_NOT_IN_A_RUN = {
    "paper": "is a rule in Python alone (settlement/paper.py): a buyer's lock on the chain has no"
    " part for the reward",
    "netting": "cannot be run: the chain bills what was not traded at the posted tariffs alone",
}
"""Ways to settle that have a name and that no contract executes, with the reason."""


def _price(table: Table, key: str, default: float | None = None) -> Price:
    """Return a price in micro-units per kWh."""
    if default is None:
        return whole(table.number(key, high=_DEAREST) * MICRO)
    return whole(table.number(key, default, high=_DEAREST) * MICRO)


def _money(table: Table, key: str, default: float) -> Money:
    return whole(table.number(key, default, high=1e12) * MICRO)


def _share(table: Table, key: str, default: float, high: float = 1.0) -> Score:
    return whole(table.number(key, default, high=high) * PPM)


def read_tariff(table: Table, time: Time) -> Tariff:
    """Return the tariff with one retail price per interval (that in which the interval begins)."""
    bands = []
    for row in table.tables("retail"):
        bands.append((row.number("from_h", high=24.0), _price(row, "per_kwh"), row))
        row.finish()
    if not bands or bands[0][0] != 0:
        raise table.error("retail", "expected bands [[tariff.retail]], the first with from_h = 0")
    for (before, _, _), (now, _, row) in pairwise(bands):
        if now <= before:
            raise row.error("from_h", f"{now:g} does not rise above {before:g}")
    retail = []
    for interval in range(time.intervals):
        hour = (time.begins.hour + interval * time.hours) % 24
        retail.append([price for begins, price, _ in bands if begins <= hour][-1])
    tariff = Tariff(
        retail=tuple(retail),
        network_share=_price(table, "network_share_per_kwh"),
        feed_in=_price(table, "feed_in_per_kwh"),
        margin=_price(table, "margin_per_kwh", 0.0),
        local_charge=_price(table, "local_charge_per_kwh"),
        zonal_charge=_price(table, "zonal_charge_per_kwh"),
        tax=_share(table, "tax_share", 0.0),
    )
    if tariff.network_share > min(retail):
        raise table.error("network_share_per_kwh", "is more than the lowest retail price")
    if tariff.feed_in > min(retail):
        raise table.error("feed_in_per_kwh", "is more than the lowest retail price")
    table.finish()
    return tariff


def read_settlement(table: Table, tariff: Tariff) -> SettlementTerms:
    """Return the settlement's terms; an unused kWh costs the zonal charge unless given.

    Raises
    ------
    ScenarioError
        A mode that no chain executes; numbers that no rule has.
    """
    mode = table.text("mode", "used", choices=("used", *_NOT_IN_A_RUN))
    if mode in _NOT_IN_A_RUN:
        raise table.error("mode", f'"{mode}" {_NOT_IN_A_RUN[mode]}; a run settles by mode = "used"')
    return SettlementTerms(
        tau=_share(table, "tau_share", 0.05),
        eps=_share(table, "eps_share", 0.01),
        eps_floor_wh=table.whole("eps_floor_wh", 10, high=10**9),
        kappa=_share(table, "kappa", 1.25, high=100.0),
        reward=_share(table, "reward_share", 0.02),
        unused_fee=_price(table, "unused_fee_per_kwh", tariff.zonal_charge / MICRO),
        feed_in=tariff.feed_in,
        loss_fund_share=_share(table, "loss_fund_share", 0.2),
        dispute_window=table.whole("dispute_window", 2, low=1, high=MAX_DISPUTE_WINDOW),
    )


def read_payment(table: Table, council: CouncilSettings, identity: IdentitySettings) -> bool:
    """Say whether local fills are settled net, by one number per account; else fill by fill.

    Raises
    ------
    ScenarioError
        Net without a council: a part stands by its quorum alone. Net while households take other
        addresses: a part pays its rows, also those that nobody looks at any more.
    """
    net = table.text("payment", "batches", choices=("batches", "net")) == "net"
    if net and not council.members:
        raise table.error("payment", '"net" needs a council, and [council] members is 0')
    if net and identity.rotation is not None:
        problem = '"net" pays addresses that [identity] rotation_intervals has left'
        raise table.error("payment", problem)
    table.finish()
    return net


def read_incentive(table: Table, time: Time) -> IncentiveTerms:
    terms = IncentiveTerms(
        difficulty=table.whole("difficulty", 10_000, low=2, high=10**9),
        daily_budget=_money(table, "daily_budget", 50.0),
        steady_floor=_share(table, "steady_floor_share", 0.5),
        day=max(1, 24 * 60 // time.minutes),
    )
    table.finish()
    return terms


def read_funds(table: Table) -> Funds:
    funds = Funds(
        participant=_money(table, "participant", 500.0),
        plant=_money(table, "plant", 500.0),
        region=_money(table, "region", 1_000.0),
        grid_supply=_money(table, "grid_supply", 10_000.0),
        network_operator=_money(table, "network_operator", 2_000.0),
        network_loss=_money(table, "network_loss", 100.0),
        reward=_money(table, "reward", 200.0),
        incentive=_money(table, "incentive", 50.0),
    )
    table.finish()
    return funds


def read_council(table: Table) -> CouncilSettings:
    """Return the council's settings: four aggregators unless given, so that three sign."""
    links = table.whole("links", 2, low=1, high=MOST_MEMBERS)
    rows = table.tables("aggregator")
    settings = CouncilSettings(
        members=table.whole("members", len(rows) or 4, low=0, high=MOST_MEMBERS),
        bond=_money(table, "bond", 50.0),
        links=links,
        min_trust=_share(table, "min_trust_share", 0.8),
        aggregators=tuple(_aggregator(row, links) for row in rows),
        max_km=table.number("max_km", math.inf, high=1e6) if table.has("max_km") else math.inf,
    )
    placed = [one.place_km is not None for one in settings.aggregators]
    if len(rows) > settings.members:
        raise table.error("aggregator", f"{len(rows)} rows for {settings.members} members")
    if any(placed) and (not all(placed) or len(rows) < settings.members):
        raise table.error("aggregator", "place_km is given for some members, but not for all")
    table.finish()
    return settings


def _aggregator(row: Table, links: int) -> AggregatorSettings:
    """Return one member; a trust of 0.05 to 0.95 is what 20 earlier tasks can have shown."""
    place = None
    if row.has("place_km"):
        place = row.point("place_km")
    member = AggregatorSettings(
        links=row.whole("links", links, low=1, high=MOST_MEMBERS),
        place_km=place,
        trust=whole(row.number("trust_share", low=0.05, high=0.95) * PPM)
        if row.has("trust_share")
        else None,
    )
    row.finish()
    return member


def read_door(table: Table, brought: Money) -> DoorSettings:
    """Return the door's settings; a day lets in twice what is `brought` in one unless given."""
    keepers = table.whole("keepers", 3, low=1, high=16)
    settings = DoorSettings(
        keepers=keepers,
        needed=table.whole("needed", keepers // 2 + 1, low=1, high=16),
        daily_cap=_money(table, "daily_cap", usual_cap(brought) / MICRO),
    )
    if settings.needed > keepers:
        raise table.error("needed", f"{settings.needed} of {keepers} keepers")
    if settings.daily_cap < brought:
        problem = f"is less than the {brought / MICRO:g} that accounts begin with in a day"
        raise table.error("daily_cap", problem)
    table.finish()
    return settings


def usual_cap(brought: Money) -> Money:
    """Return what a day lets in where a scenario says nothing: twice what the founding brings."""
    return min(2 * brought, MOST)


def brought_at_founding(funds: Funds, council: CouncilSettings, sites: int, plants: int) -> Money:
    """Return what enters at the founding, on the chain where it is more."""
    both = funds.grid_supply + funds.network_loss + funds.reward
    both += council.pledged
    local = sites * funds.participant + funds.network_operator
    zonal = plants * funds.plant + funds.region + funds.incentive
    return both + max(local, zonal)
