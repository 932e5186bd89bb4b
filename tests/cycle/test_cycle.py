"""What the market promises of a whole day: nothing lost, nothing invented, limits kept."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tests.cycle.conftest import quietly

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.model.order import Side, Tier
from gridpact.quantities import amount
from gridpact.scenario.scenario import Scenario
from gridpact.settlement.split import split


@pytest.fixture(params=["day", "voltage_day"])
def any_day(request: pytest.FixtureRequest) -> DayResult:
    result: DayResult = request.getfixturevalue(request.param)
    return result


def test_energy_sold_equals_energy_bought_per_interval_and_tier(any_day: DayResult) -> None:
    traded = 0
    for result in any_day.intervals:
        for tier in (Tier.LOCAL, Tier.ZONAL):
            fills = [fill for fill in result.cleared.fills if fill.tier is tier]
            bought: Counter[bytes] = Counter()
            sold: Counter[bytes] = Counter()
            for fill in fills:
                bought[fill.bid] += fill.energy_wh
                sold[fill.offer] += fill.energy_wh
            assert sum(bought.values()) == sum(sold.values())
            traded += sum(sold.values())
    assert traded > 5_000_000


def test_no_fill_exceeds_its_order(any_day: DayResult) -> None:
    for result in any_day.intervals:
        limits = {
            one.hash: one.order.energy_wh
            for one in (*result.book.orders, *result.plant_book.orders)
        }
        used: Counter[bytes] = Counter()
        for fill in result.cleared.fills:
            used[fill.bid] += fill.energy_wh
            used[fill.offer] += fill.energy_wh
        assert all(energy <= limits[name] for name, energy in used.items())


def test_bought_and_unmet_energy_add_up_to_the_bids(any_day: DayResult) -> None:
    for result in any_day.intervals:
        wanted = sum(
            one.order.energy_wh
            for one in result.book.orders
            if (one.order.side, one.order.tier) == (Side.BID, Tier.LOCAL)
        )
        served = sum(fill.energy_wh for fill in result.cleared.fills)
        unmet = sum(one.energy_wh for one in result.cleared.unmet)
        assert served + unmet == wanted


def test_deliveries_and_imbalances_equal_the_meters(any_day: DayResult) -> None:
    for result in any_day.intervals:
        settlements = (result.settlement, result.zonal_settlement)
        substation = result.meters.readings[-1].reading.meter
        meters = [row for row in result.metered.values() if row.participant != substation]
        above = result.metered[substation]
        deliveries = [one for each in settlements for one in each.deliveries]
        bills = [bill for each in settlements for bill in each.bills]
        received = sum(one.received for one in deliveries)
        sent = sum(one.sent for one in deliveries)
        bought = sum(bill.bought_wh for bill in bills)
        sold = sum(bill.sold_wh for bill in bills)
        assert received + bought == sum(row.import_wh for row in meters)
        assert sent + sold == sum(row.export_wh for row in meters)
        network = result.settlement.network_loss_wh
        assert bought + network - sold == above.import_wh - above.export_wh


def test_every_lock_is_shared_out_to_the_micro_unit(any_day: DayResult) -> None:
    for result in any_day.intervals:
        for settlement in (result.settlement, result.zonal_settlement):
            for fill, one in zip(settlement.fills, settlement.statements, strict=True):
                shared = one.paid + one.charge + one.fee_seller + one.fee_network + one.refund
                assert shared == fill.lock
                assert one.paid <= amount(fill.price, fill.energy_wh)


def test_statements_are_those_of_the_rule(day: DayResult) -> None:
    terms = day.scenario.settlement
    for result in day.intervals:
        for settlement in (result.settlement, result.zonal_settlement):
            for fill, delivery, written in zip(
                settlement.fills, settlement.deliveries, settlement.statements, strict=True
            ):
                owed = split(fill, delivery, terms, result.prices.loss_share)
                assert (owed.case, owed.paid, owed.refund) == (
                    written.case,
                    written.paid,
                    written.refund,
                )


def test_money_of_both_chains_holds_and_crossings_meet(any_day: DayResult) -> None:
    local, zonal = any_day.chains
    assert local.totals.holds
    assert zonal.totals.holds
    founding = sum(any_day.founding[1].values())
    assert local.totals.transit == zonal.totals.minted - founding - zonal.totals.burned
    assert zonal.totals.locked == any_day.scenario.council.pledged
    assert zonal.totals.reserved == zonal.totals.transit == 0


def test_no_account_runs_empty(any_day: DayResult) -> None:
    for end in any_day.chains:
        assert all(account.free >= 0 for account in end.accounts.values())
    for result in any_day.intervals:
        for settlement in (result.settlement, result.zonal_settlement):
            assert not any(one.unpaid_reward or one.unpaid_claim for one in settlement.statements)
            assert not any(one.unpaid_purchase or one.unpaid_sale for one in settlement.bills)


def test_buyers_never_pay_more_than_retail_for_what_they_receive(day: DayResult) -> None:
    for result in day.intervals:
        prices = result.prices
        for fill in result.cleared.fills:
            assert fill.price + fill.charge < prices.retail


def test_grid_check_binds_on_the_voltage_day_and_keeps_the_limits(voltage_day: DayResult) -> None:
    hours = [result.interval for result in voltage_day.intervals if result.cleared.cuts]
    assert hours == [10, 11, 12, 13, 14, 15]
    limit = voltage_day.scenario.grid.v_max_pu
    for flow in voltage_day.flows:
        assert float(np.max(flow.voltage_pu)) <= limit + 1e-6


def test_nothing_is_cut_on_the_main_day(day: DayResult) -> None:
    assert not any(result.cleared.cuts for result in day.intervals)


def test_inverters_hold_the_voltage_without_any_cut(voltage: Scenario) -> None:
    """The same day with reactive power switched on: nothing is cut, every limit holds."""
    able = replace(voltage, grid=replace(voltage.grid, inverter_q=True))
    result = run_day(able, memory_ledgers(able), quietly, signed=False)
    assert not any(one.cleared.cuts for one in result.intervals)
    assert sum(len(one.cleared.reactive) for one in result.intervals) > 0
    limit = able.grid.v_max_pu
    assert max(float(np.max(flow.voltage_pu)) for flow in result.flows) <= limit + 1e-6
    assert sum(float(flow.curtailed_wh.sum()) for flow in result.flows) == 0
