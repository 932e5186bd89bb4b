"""Days of the 56-bus market under other seeds, forecasts and conducts, on both cores.

Memory ledgers without signatures: the same cycle and rules as a real run, about a second a day.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import Assembled, assemble
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.outlook import Model
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

SCENARIOS = Path(__file__).parent.parent / "scenarios"
T = TypeVar("T")


@dataclass(frozen=True)
class Variant:
    """One day: what differs from the scenario file. `sigma` None keeps the file's forecast."""

    seed: int
    sigma: float | None = None
    persistence: bool = False
    strategy: str = "own"
    conduct: Mapping[str, Conduct] = field(default_factory=dict)
    scenario: str = "sce56-day.toml"


def varied(variant: Variant) -> Scenario:
    """Return the scenario of a variant."""
    scenario = load(SCENARIOS / variant.scenario)
    forecast = scenario.forecast
    if variant.persistence:
        forecast = replace(forecast, model=Model.PERSISTENCE)
    elif variant.sigma is not None:
        forecast = replace(forecast, sigma=variant.sigma)
    return replace(scenario, seed=variant.seed, forecast=forecast, strategy=variant.strategy)


def assembled(variant: Variant) -> Assembled:
    """Put a variant's market together without running it."""
    scenario = varied(variant)
    return assemble(scenario, memory_ledgers(scenario), signed=False, conduct=variant.conduct)


def day(variant: Variant) -> DayResult:
    """Run one variant."""
    scenario = varied(variant)
    return run_day(
        scenario,
        memory_ledgers(scenario),
        lambda _interval, _phase: None,
        signed=False,
        conduct=variant.conduct,
    )


def each(figure: Callable[[Variant], T], variants: Sequence[Variant]) -> list[T]:
    """Return a figure of every variant, in order."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(figure, variants))
