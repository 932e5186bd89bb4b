"""McAfee's surplus: buyers pay more than sellers get, and the rest is with the wires' accounts."""

from dataclasses import replace

import pytest
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.market.caps import Pairs
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.model.participant import Named
from gridpact.quantities import amount
from gridpact.report.findings import examine
from gridpact.report.levies import levies
from gridpact.report.money import interval_flows
from gridpact.report.summary import summary
from gridpact.scenario.scenario import Scenario
from gridpact.settlement.account_lines import Reason


@pytest.fixture(scope="module")
def levied(scenario: Scenario) -> DayResult:
    chosen = replace(shortened(scenario, 13), market=MarketTerms("mcafee"))
    return run_day(chosen, memory_ledgers(chosen), quietly, signed=False)


def test_levies_and_network_charges_are_all_that_the_wires_accounts_get(levied: DayResult) -> None:
    wires, got = 0, dict.fromkeys((Named.NETWORK_OPERATOR.address, Named.NETWORK_LOSS.address), 0)
    buses = {one.address: one.participant.bus for one in levied.people.sites}
    for result in levied.intervals:
        pairs = Pairs.of(result.prices, Tier.LOCAL)
        rows = zip(result.settlement.fills, result.settlement.deliveries, strict=True)
        for fill, delivery in rows:
            wires += amount(pairs.charge(buses[fill.buyer], buses[fill.seller]), delivery.sent)
        wires += sum(one.charge for one in result.zonal_settlement.statements)
        for flow in interval_flows(result, levied.scenario.settlement):
            if flow.reason is Reason.CHARGE:
                got[flow.target] += flow.amount
    kept = levies(levied)
    assert kept > 1_000_000
    assert sum(got.values()) == wires + kept
    share = got[Named.NETWORK_LOSS.address] / sum(got.values())
    assert share == pytest.approx(0.2, abs=1e-3)


def test_the_levy_is_what_buyers_pay_and_no_seller_gets(levied: DayResult) -> None:
    told = summary(examine(levied))["money"]
    assert told["levies"] == levies(levied)
    assert 0 < told["levies"] < told["charges"]


def test_a_balanced_mechanism_keeps_nothing(day: DayResult) -> None:
    assert levies(day) == 0
