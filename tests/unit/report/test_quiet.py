"""The report of a day on which little happens: one household, two intervals, nobody who sells."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.scenario.texts import SMALL, csv, write

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.figures import figures
from gridpact.report.findings import Findings, examine
from gridpact.report.page import page, unheld
from gridpact.report.tables import write_prices
from gridpact.scenario.reader import load

ONE = """
[[participant]]
name = "bob"
bus = 5
profile = "home"
"""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    text = SMALL.partition("[[participant]]")[0] + ONE
    text = text.replace("intervals = 4", "intervals = 2").replace("minutes = 60", "minutes = 720")
    folder: Path = tmp_path_factory.mktemp("quiet")
    scenario = load(write(folder, text, csv(rows=96)))
    return examine(run_day(scenario, memory_ledgers(scenario), unwatched, signed=False))


def test_hourly_claims_are_left_out_where_intervals_are_longer_than_an_hour(
    quiet: Findings,
) -> None:
    assert {claim.source for claim in quiet.claims} == {"gridpact"}


def test_empty_pictures_say_why(quiet: Findings) -> None:
    drawn = figures(quiet)
    assert "nothing changed for anybody" in drawn["gains"]
    assert "nothing was cleared" in drawn["imbalances"]
    assert "nobody sold" in drawn["reputations"]


def test_page_counts_in_words_and_shows_parts_of_a_kwh(quiet: Findings) -> None:
    html = page(quiet, figures(quiet), ())
    assert "1 participant (" in html
    assert "0 renewable plants" in html
    assert "2 intervals" in html
    assert "Nobody traded" in html
    assert re.search(r"energy contracted from grid supply: \d\.\d\d before", html)
    assert '"down">+0.00' not in html


def test_shares_are_not_negative_where_losses_come_from_above(quiet: Findings) -> None:
    assert quiet.curves.self_sufficiency == pytest.approx(0.0, abs=1e-6)
    assert f"{quiet.curves.self_sufficiency:.0f}" == "0"


@pytest.fixture(scope="module")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A substation above the upper limit, which no participant can do anything about."""
    text = SMALL.replace('case = "sce56"', 'case = "sce56"\nroot_voltage_pu = 1.07')
    scenario = load(write(tmp_path_factory.mktemp("beyond"), text))
    return examine(run_day(scenario, memory_ledgers(scenario), unwatched, signed=False))


def test_limits_that_no_cut_can_hold_are_told(beyond: Findings) -> None:
    assert [interval for interval, _ in unheld(beyond)] == [0, 1, 2, 3]
    html = page(beyond, figures(beyond), ())
    assert "In 4 intervals limits were passed" in html
    assert "No limit was reached" not in html


def test_bus_without_a_price_shows_none(beyond: Findings, tmp_path: Path) -> None:
    assert "no price where limits cannot hold: 4 intervals" in figures(beyond)["dlmp"]
    prices = pq.read_table(write_prices(beyond, tmp_path / "prices.parquet"))
    assert set(prices["dlmp"].to_pylist()) == {None}
