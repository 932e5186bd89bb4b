"""What the market changed, on the real scenario: sums that must hold, and the promises."""

import dataclasses

import pytest

from gridpact.assembly.day import DayResult
from gridpact.errors import SettlementError
from gridpact.model.order import Tier
from gridpact.report.comparison import compare
from gridpact.report.findings import Findings


def test_what_some_gain_others_lose(found: Findings) -> None:
    groups = found.compared.groups
    assert sum(group.before for group in groups) == 0
    assert sum(group.after for group in groups) == 0
    named = {group.name: group.change for group in groups}
    assert named["renewable plants"] > 0
    assert named["grid supply"] < 0
    assert named["network operator"] < 0


def test_money_that_is_missing_before_is_not_shown(day: DayResult) -> None:
    tilted = dataclasses.replace(day.before, grid_supply=day.before.grid_supply + 1)
    with pytest.raises(SettlementError, match="day before adds up to 1"):
        compare(dataclasses.replace(day, before=tilted))


def test_what_participants_received_is_what_their_meters_read(
    day: DayResult, found: Findings
) -> None:
    sites = {party.address for party in day.people.sites}
    for result, hour in zip(day.intervals, found.compared.hours, strict=True):
        read = sum(row.import_wh for who, row in result.metered.items() if who in sites)
        assert hour.local + hour.zonal + hour.grid == read


def test_every_export_is_sold_once(day: DayResult, found: Findings) -> None:
    for account in found.compared.accounts:
        who = account.line.participant
        exported = sum(result.metered[who].export_wh for result in day.intervals)
        imported = sum(result.metered[who].import_wh for result in day.intervals)
        assert sum(account.line.sold) == exported
        assert sum(account.line.bought) == imported


def test_hours_add_up_to_the_bills(found: Findings) -> None:
    compared = found.compared
    assert sum(hour.bill_after for hour in compared.hours) == sum(
        one.after for one in compared.participants
    )
    assert sum(hour.bill_before for hour in compared.hours) == sum(
        one.before for one in compared.participants
    )


def test_energy_sold_in_trades_is_energy_bought_plus_its_losses(found: Findings) -> None:
    compared = found.compared
    for tier in (Tier.LOCAL, Tier.ZONAL):
        sold = sum(one.line.sold[tier] for one in compared.accounts)
        bought = sum(one.line.bought[tier] for one in compared.accounts)
        lost = sum(
            row.settled.delivery.sent - row.settled.delivery.received
            for row in compared.trades
            if row.tier is tier
        )
        assert sold == bought + lost
        assert 0 < lost < sold * 0.1


def test_contracted_energy_is_lower_over_the_day_and_higher_in_no_hour(found: Findings) -> None:
    hours = found.compared.hours
    assert all(hour.contracted_after <= hour.contracted_before for hour in hours)
    assert sum(hour.contracted_after for hour in hours) < 0.8 * sum(
        hour.contracted_before for hour in hours
    )


def test_mean_price_is_higher_in_no_hour_and_lower_at_noon(found: Findings) -> None:
    hours = found.compared.hours
    assert all(hour.price_after is not None for hour in hours)
    assert all((hour.price_after or 0) <= hour.price_before for hour in hours)
    assert (hours[12].price_after or 0) < 0.9 * hours[12].price_before


def test_nobody_without_generation_pays_more_than_before(found: Findings) -> None:
    compared = found.compared
    assert len(compared.consumers) == 60
    assert compared.not_worse >= 0.99 * len(compared.consumers)
    assert all(not {"PV", "battery"} & set(one.devices) for one in compared.consumers)


def test_no_account_runs_empty_and_nothing_stays_owed(found: Findings) -> None:
    assert found.compared.unpaid == 0
    assert found.compared.emptied == ()
