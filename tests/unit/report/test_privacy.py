"""A run whose households changed their addresses is reported by household."""

from pathlib import Path

import pytest
from tests.privacy.street import ROTATING, profiles, street
from tests.unit.scenario.texts import write

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.billing import write_bills
from gridpact.report.findings import Findings, examine
from gridpact.report.money import closed_addresses, require_booked
from gridpact.report.page import page
from gridpact.report.privacy import privacy
from gridpact.report.summary import reputations
from gridpact.scenario.reader import load


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> DayResult:
    text = street() + ROTATING.format(2)
    scenario = load(write(tmp_path_factory.mktemp("street"), text, profiles()))
    return run_day(scenario, memory_ledgers(scenario), unwatched, signed=False)


@pytest.fixture(scope="module")
def found(day: DayResult) -> Findings:
    return examine(day)


def test_every_household_has_one_account_over_all_periods(found: Findings) -> None:
    assert len(found.compared.accounts) == 18 + 1
    bought = sum(sum(one.line.bought) for one in found.compared.accounts)
    imported = sum(hour.local + hour.zonal + hour.grid for hour in found.compared.hours)
    assert bought == imported > 0
    assert found.compared.emptied == ()


def test_money_is_booked_and_left_only_by_closed_addresses(day: DayResult) -> None:
    require_booked(day)
    assert len(closed_addresses(day)) == 2 * 18


def test_bills_and_reputations_name_everybody_once(found: Findings, tmp_path: Path) -> None:
    rows = write_bills(found, tmp_path / "bills.csv").read_text().splitlines()
    assert sum(",total," in row for row in rows) == 18 + 1
    assert any("home 0,homes,energy" in row for row in rows)
    assert len(reputations(found.day)) <= 7


def test_report_says_among_how_many_each_stands(found: Findings) -> None:
    hidden = privacy(found.day)
    assert hidden is not None
    assert (hidden.rotations, hidden.among, hidden.too_few) == (2, 3, 0)
    assert hidden.fewest >= 3
    assert sum(zone.households for zone in hidden.zones) == 18
    said = page(found, {}, ())
    assert "which changed 2 times in the run" in said
    assert f"stands among {hidden.fewest} or more" in " ".join(said.split())
