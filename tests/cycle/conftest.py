"""The 56-bus day and shorter pieces of it, run once for all tests that look at them."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def shortened(scenario: Scenario, intervals: int) -> Scenario:
    """Return the first intervals of a scenario's day."""
    return replace(scenario, time=replace(scenario.time, intervals=intervals))


def quietly(_interval: int, _phase: str) -> None:
    """Watch nothing."""


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return load(SCENARIOS / "sce56-day.toml")


@pytest.fixture(scope="session")
def voltage() -> Scenario:
    return load(SCENARIOS / "sce56-voltage.toml")


@pytest.fixture(scope="session")
def day(scenario: Scenario) -> DayResult:
    """A whole day on memory ledgers, without signatures."""
    return run_day(scenario, memory_ledgers(scenario), quietly, signed=False)


@pytest.fixture(scope="session")
def voltage_day(voltage: Scenario) -> DayResult:
    return run_day(voltage, memory_ledgers(voltage), quietly, signed=False)
