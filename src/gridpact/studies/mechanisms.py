"""Who gains and who loses by which rule? The same market days under every mechanism, and the
`gridpact` scheme with one rule at a time taken away.

Each day is drawn as in `days`: people, forecasts and meters of a seed, on ledgers in memory. Every
variant sees the same days, so differences are those of the rule. Orders do not change with the
mechanism: owners ask and bid as the scenario says, and do not learn to game it.
"""

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.grid.feeder import FloatArray
from gridpact.market.mechanism import Budget
from gridpact.market.mechanisms import MECHANISMS
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.quantities import MICRO, PPM
from gridpact.report.comparison import CONSUMERS, OWNERS, PLANTS, compare
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario
from gridpact.studies.repeated import half_width

MEASURES: Mapping[str, str] = {
    CONSUMERS: "money",
    OWNERS: "money",
    PLANTS: "money",
    "network operator": "money",
    "grid supply": "money",
    "not worse": "share of the participants without generation",
    "traded locally": "kWh",
    "welfare": "money",
    "cut": "kWh",
}
"""What is measured of a day, and its unit. Of the groups: what they have more than without market.

welfare: (bid price - offer price) x energy of the local fills; cut: what the wires took.
"""


TITLES: Mapping[int, str] = {
    1: "who gains by which mechanism",
    2: "the scheme, one rule at a time away",
}


@dataclass(frozen=True, eq=False)
class Outcome:
    """One figure: a row per variant, all measures over the seeds. values: (variant, draw)."""

    number: int
    title: str
    variants: tuple[str, ...]
    values: Mapping[str, FloatArray]

    def cell(self, measure: str, variant: int) -> tuple[float, float]:
        """Return mean and half width of its 95 % interval over the seeds."""
        drawn = self.values[measure][variant]
        return float(drawn.mean()), float(half_width(drawn))


def runnable() -> tuple[str, ...]:
    """Return the mechanisms that a market can run: those that no account has to pay for."""
    return tuple(
        name for name, known in MECHANISMS.items() if known.claims.budget is not Budget.ANY
    )


def by_mechanism() -> Mapping[str, Mapping[str, object]]:
    """Return a variant per mechanism, else as the scenario says."""
    return {name: {"market": MarketTerms(name)} for name in runnable()}


def ablation(scenario: Scenario) -> Mapping[str, Mapping[str, object]]:
    """Return the scenario's own rules, and the same with one of them away."""
    settlement, incentive = scenario.settlement, scenario.incentive
    return {
        "as it is": {},
        "no splitting over plants": {"splitting": False},
        "no incentive": {"incentive": msgspec.structs.replace(incentive, daily_budget=0)},
        "no reward": {"settlement": msgspec.structs.replace(settlement, reward=0)},
        "shortfall at its price": {"settlement": msgspec.structs.replace(settlement, kappa=PPM)},
        "unused energy is free": {"settlement": msgspec.structs.replace(settlement, unused_fee=0)},
    }


def figure(number: int, path: Path, draws: int) -> Outcome:
    """Return figure 1, all mechanisms, or 2, the scheme rule by rule, over seeds 1 to `draws`."""
    scenario = load(path)
    variants = by_mechanism() if number == 1 else ablation(scenario)
    days = [(changes, seed) for changes in variants.values() for seed in range(1, draws + 1)]
    work = partial(_measured, path)
    workers = min(len(days), os.cpu_count() or 1)
    if workers < 2:
        rows = list(map(work, days))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(work, days))
    values = {
        name: np.array([row[name] for row in rows]).reshape(len(variants), draws)
        for name in MEASURES
    }
    return Outcome(number, TITLES[number], tuple(variants), values)


def _measured(path: Path, drawn: tuple[Mapping[str, object], int]) -> Mapping[str, float]:
    changes, seed = drawn
    own = load(path, seed=seed, fleet_seed=seed)
    chosen = dataclasses.replace(own, **changes)  # type: ignore[arg-type]
    return measured(run_day(chosen, memory_ledgers(chosen), unwatched, signed=False))


def measured(day: DayResult) -> Mapping[str, float]:
    """Return the measures of one day."""
    found = compare(day)
    gains = {one.name: one.change / MICRO for one in found.groups}
    local = [fill for one in day.intervals for fill in one.cleared.fills if fill.tier is Tier.LOCAL]
    price = {one.hash: one.order.price for row in day.intervals for one in row.book.orders}
    worth = sum((price[one.bid] - price[one.offer]) * one.energy_wh for one in local)
    cuts = [cut for one in day.intervals for cut in one.cleared.cuts]
    return {name: gains[name] for name in MEASURES if name in gains} | {
        "not worse": found.not_worse / len(found.consumers),
        "traded locally": sum(one.energy_wh for one in local) / 1000,
        "welfare": worth / 1000 / MICRO,
        "cut": sum(one.from_surplus_wh + one.from_fills_wh for one in cuts) / 1000,
    }


def against(found: Outcome) -> Outcome:
    """Return what each other variant has more than the first, on the same days."""
    first = {name: values[:1] for name, values in found.values.items()}
    more = {name: values[1:] - first[name] for name, values in found.values.items()}
    title = f"more than with {found.variants[0]}"
    return Outcome(found.number, title, found.variants[1:], more)


def cell(mean: float, half: float) -> str:
    """Return a mean with half of its 95 % interval, where there is one."""
    mean = round(mean, 2) + 0.0  # no minus before a zero
    return f"{mean:.2f}" if math.isnan(half) else f"{mean:.2f} ± {half:.2f}"


def table(found: Outcome, measures: Sequence[str] = tuple(MEASURES)) -> str:
    """Return a Markdown table: mean ± half of the 95 % interval over the seeds, if several."""
    lines = ["| | " + " | ".join(measures) + " |", "|---|" + "--:|" * len(measures)]
    for row, variant in enumerate(found.variants):
        shown = " | ".join(cell(*found.cell(name, row)) for name in measures)
        lines.append(f"| {variant} | {shown} |")
    return "\n".join(lines)
