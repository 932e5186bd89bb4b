"""Deposits, fines and suspensions of a day in the report, the summary and the bills."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.model.rating import CredibilityTerms
from gridpact.report.billing import write_bills
from gridpact.report.deposits import deposits
from gridpact.report.figures import figures
from gridpact.report.findings import Findings, examine
from gridpact.report.page import page
from gridpact.report.summary import summary
from gridpact.scenario.reader import load


@pytest.fixture(scope="module")
def strict() -> DayResult:
    """The morning of the day with deposits of a tenth, and suspension from the first breach on."""
    scenario = load(SCENARIOS / "sce56-day.toml", scheme="credibility")
    sanctions = replace(scenario.sanctions, deposit=100_000)
    rating = CredibilityTerms(floor=20_000, away=2)
    scenario = replace(shortened(scenario, 12), sanctions=sanctions, rating=rating)
    return run_day(scenario, memory_ledgers(scenario), quietly, signed=False)


@pytest.fixture(scope="module")
def judged(strict: DayResult) -> Findings:
    return examine(strict)


def test_what_was_put_down_is_fined_or_left(strict: DayResult) -> None:
    found = deposits(strict)
    assert found is not None
    assert found.put_down == sum(sum(one.values()) for one in strict.put_down)
    assert found.left == sum(row.left for row in found.sellers) == found.put_down - found.fined
    assert 0 < found.fined < found.put_down
    assert found.uncovered > 10
    assert found.suspended
    assert {row.name for row in found.touched} >= set(found.suspended)


def test_a_day_without_deposits_has_no_section(day: DayResult, found: Findings) -> None:
    assert deposits(day) is None
    assert summary(found)["deposits"] is None
    assert summary(found)["money"]["fines"] == 0


def test_page_and_summary_tell_the_same_sums(strict: DayResult, judged: Findings) -> None:
    found, said = deposits(strict), summary(judged)
    assert found is not None
    assert said["deposits"]["fined"] == said["money"]["fines"] == found.fined
    assert said["deposits"]["left"] == found.left
    assert said["deposits"]["suspended"] == list(found.suspended)
    told = page(judged, figures(judged), ())
    assert f"{found.breaches} breach" in told
    assert f"{found.uncovered} offers had no cover" in " ".join(told.split())


def test_a_fine_is_an_item_of_its_sellers_bill_without_tax(
    strict: DayResult, judged: Findings, tmp_path: Path
) -> None:
    tariff = replace(strict.scenario.tariff, tax=190_000)
    taxed = replace(strict.scenario, tariff=tariff)
    path = write_bills(replace(judged, day=replace(strict, scenario=taxed)), tmp_path / "bills.csv")
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["item"] == "fine"]
    found = deposits(strict)
    assert found is not None
    assert sum(int(row["amount"]) for row in rows) == found.fined
    assert all(int(row["tax"]) == 0 and row["net"] == row["amount"] for row in rows)
