"""Every mechanism that has a name clears the 56-bus day, and nothing is lost or invented."""

from dataclasses import replace

import pytest
from tests.cycle import test_cycle as laws
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.errors import OtherScenario
from gridpact.market.mechanism import Budget
from gridpact.market.mechanisms import MECHANISMS
from gridpact.model.interval import Key, Phase
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.model.record import Found
from gridpact.scenario.scenario import Scenario

RUNNABLE = [name for name, known in MECHANISMS.items() if known.claims.budget is not Budget.ANY]

LAWS = (
    laws.test_energy_sold_equals_energy_bought_per_interval_and_tier,
    laws.test_no_fill_exceeds_its_order,
    laws.test_bought_and_unmet_energy_add_up_to_the_bids,
    laws.test_deliveries_and_imbalances_equal_the_meters,
    laws.test_every_lock_is_shared_out_to_the_micro_unit,
    laws.test_statements_are_those_of_the_rule,
    laws.test_money_of_both_chains_holds_and_crossings_meet,
    laws.test_no_account_runs_empty,
    laws.test_buyers_never_pay_more_than_retail_for_what_they_receive,
)


@pytest.fixture(scope="module", params=RUNNABLE)
def cleared_day(request: pytest.FixtureRequest, scenario: Scenario) -> DayResult:
    chosen = replace(scenario, market=MarketTerms(request.param))
    return run_day(chosen, memory_ledgers(chosen), quietly, signed=False)


def test_energy_and_money_are_conserved(cleared_day: DayResult) -> None:
    for law in LAWS:
        law(cleared_day)


def test_neighbours_trade(cleared_day: DayResult) -> None:
    local = [f for one in cleared_day.intervals for f in one.cleared.fills if f.tier is Tier.LOCAL]
    assert sum(fill.energy_wh for fill in local) > 100_000


def test_another_mechanism_continues_no_ledger(scenario: Scenario) -> None:
    short = shortened(scenario, 1)
    ledgers = memory_ledgers(short)
    market = assemble(short, ledgers, signed=False).market
    for ledger, region in ((market.local, market.region.id), (market.zonal, market.zone)):
        found = ledger.read(Key(region, 0, Phase.FOUND), Found)
        assert found is not None
        assert found.market == MarketTerms("merit_order")
    with pytest.raises(OtherScenario):
        assemble(replace(short, market=MarketTerms("another")), ledgers, signed=False)
