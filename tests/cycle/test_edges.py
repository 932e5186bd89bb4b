"""Markets at the edge of what a scenario may say go on, and nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.prosumer.tariff import Tariff
from gridpact.report.money import require_booked
from gridpact.scenario.scenario import Scenario

NOON = 12


@pytest.fixture(scope="module")
def noon(scenario: Scenario) -> Scenario:
    """The day until noon, when plants sell to the region."""
    return shortened(scenario, NOON + 1)


def _ran(scenario: Scenario) -> DayResult:
    return run_day(scenario, memory_ledgers(scenario), quietly, signed=False)


def test_region_needs_no_money_of_its_own_on_the_zonal_chain(noon: Scenario) -> None:
    """It reserves what its consumers' locks brought across, not its highest price for all of it."""
    day = _ran(replace(noon, funds=replace(noon.funds, region=0)))
    assert day.intervals[NOON].zonal_settlement.fills
    assert day.chains[1].accounts[_region(day)].free == 0
    assert day.chains[1].totals.locked == noon.council.pledged
    require_booked(day)


def _region(day: DayResult) -> bytes:
    return day.intervals[NOON].zonal_settlement.fills[0].buyer


def test_fills_too_small_to_cost_anything_are_settled_without_a_crossing(
    noon: Scenario, tmp_path: Path
) -> None:
    """A few hundred Wh at a millionth per kWh lock nothing: no money crosses, the energy does."""
    retail = (2,) * len(noon.tariff.retail)
    tariff = Tariff(retail, 0, feed_in=0, margin=0, local_charge=0, zonal_charge=0)
    plants = tuple(replace(plant, power_w=plant.power_w * 3e-4) for plant in noon.plants)
    small = replace(noon, tariff=tariff, plants=plants)
    ledgers = embedded_ledgers(small, tmp_path / "ledger.db")
    day = run_day(small, ledgers, quietly)
    ledgers.close()
    traded = [result for result in day.intervals if result.zonal_settlement.fills]
    locks = [fill.lock for result in traded for fill in result.zonal_settlement.fills]
    assert 0 in [sum(fill.lock for fill in result.zonal_settlement.fills) for result in traded], (
        locks
    )
    require_booked(day)
    audit_ledger(tmp_path / "ledger.db", {})


def test_feed_in_above_the_energy_part_of_retail_does_not_stop_the_day_ahead_flow(
    noon: Scenario,
) -> None:
    """Buyers keep to retail: what no neighbour may pay for goes to grid supply."""
    tariff = replace(noon.tariff, feed_in=450_000)
    day = _ran(replace(noon, tariff=tariff))
    assert not any(result.cleared.fills for result in day.intervals)
    assert any(bill.sale for result in day.intervals for bill in result.settlement.bills)
    require_booked(day)
