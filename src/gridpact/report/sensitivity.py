"""How much does the outcome depend on the forecasts? The same day at other forecast errors.

Each case is a whole day on ledgers in memory, without signatures (studies need none), and knows
nothing of the main run: `beside` runs them on another core. Only the forecast changes; loads, sun,
devices and rules stay.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.quantities import Money, Wh
from gridpact.report.comparison import compare
from gridpact.scenario.scenario import Scenario

_ERRORS = (0.0, 0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Sensitivity:
    """One case. `bill_before` and `bill_after` are those of the participants without generation.

    traded: received of neighbours and plants; imbalance: cleared energy that was not used, not
    sent or stopped [Wh]. dearer_hours: intervals with a mean price above before; more_contracted:
    intervals in which more is contracted from grid supply than before.
    """

    forecast: str
    consumers: int
    not_worse: int
    bill_before: Money
    bill_after: Money
    cleared: Wh
    traded: Wh
    imbalance: Wh
    dearer_hours: int
    more_contracted: int
    unpaid: Money


def cases(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    """Yield the scenario under every forecast; persistence only where yesterday is known."""
    own = scenario.forecast
    for sigma in _ERRORS:
        model = Model.AR1 if sigma else Model.PERFECT
        settings = ForecastSettings(model, sigma, own.correlation)
        yield f"error {100 * sigma:.0f} %", dataclasses.replace(scenario, forecast=settings)
    known = [
        profile is not None
        for site in scenario.sites
        for profile in (site.load_yesterday_w, site.pv_yesterday_w)
    ]
    known += [plant.power_yesterday_w is not None for plant in scenario.plants]
    if all(known):
        settings = dataclasses.replace(own, model=Model.PERSISTENCE)
        yield "persistence", dataclasses.replace(scenario, forecast=settings)


def run_case(forecast: str, scenario: Scenario) -> Sensitivity:
    """Run one case."""
    day = run_day(scenario, memory_ledgers(scenario), unwatched, signed=False)
    compared = compare(day)
    hours, consumers = compared.hours, compared.consumers
    return Sensitivity(
        forecast=forecast,
        consumers=len(consumers),
        not_worse=compared.not_worse,
        bill_before=sum(one.before for one in consumers),
        bill_after=sum(one.after for one in consumers),
        cleared=sum(hour.cleared for hour in hours),
        traded=sum(hour.local + hour.zonal for hour in hours),
        imbalance=sum(hour.unused + hour.short + hour.held for hour in hours),
        dearer_hours=sum((hour.price_after or 0) > hour.price_before for hour in hours),
        more_contracted=sum(hour.contracted_after > hour.contracted_before for hour in hours),
        unpaid=compared.unpaid,
    )


def sensitivity(scenario: Scenario) -> tuple[Sensitivity, ...]:
    """Run all cases, one after another."""
    return tuple(run_case(*case) for case in cases(scenario))
