"""The real scenario's day on ledgers in memory, run once for all tests of the report."""

from pathlib import Path

import pytest

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.findings import Findings, examine
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return load(SCENARIOS / "sce56-day.toml")


@pytest.fixture(scope="session")
def day(scenario: Scenario) -> DayResult:
    return run_day(scenario, memory_ledgers(scenario), unwatched, signed=False)


@pytest.fixture(scope="session")
def found(day: DayResult) -> Findings:
    return examine(day)
