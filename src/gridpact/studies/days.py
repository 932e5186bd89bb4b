"""What does a market day come to with other people, other weather forecasts, other meters?

Each draw is the scenario's whole day with a fleet and forecasts of its own seed, on ledgers in
memory and without signatures. Draws know nothing of each other, so they run in several processes.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.grid.feeder import FloatArray
from gridpact.quantities import MICRO
from gridpact.report.claims import PAPER, Claim
from gridpact.report.findings import Findings, examine
from gridpact.scenario.reader import load


@dataclass(frozen=True, eq=False)
class Draw:
    """One day: the paper's claims on it, and its curves by name, (interval,) [kW or per kWh]."""

    seed: int
    edges: FloatArray
    curves: Mapping[str, FloatArray]
    claims: tuple[Claim, ...]


def draw_days(scenario: Path, draws: int) -> tuple[Draw, ...]:
    """Return the days of the seeds 1 to `draws`, of forecasts and of the fleet alike."""
    load(scenario)  # what is wrong with the file is said once, and here
    seeds, workers = range(1, draws + 1), min(draws, os.cpu_count() or 1)
    if workers < 2:
        return tuple(draw(scenario, seed) for seed in seeds)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return tuple(pool.map(partial(draw, scenario), seeds))


def draw(scenario: Path, seed: int) -> Draw:
    """Return the day of one seed."""
    chosen = load(scenario, seed=seed, fleet_seed=seed)
    found = examine(run_day(chosen, memory_ledgers(chosen), unwatched, signed=False))
    claims = tuple(one for one in found.claims if one.source.startswith(PAPER))
    return Draw(seed, found.curves.edges, _curves(found), claims)


def _curves(found: Findings) -> dict[str, FloatArray]:
    curves, hours, per_hour = found.curves, found.compared.hours, found.compared.per_hour
    contracted = {
        name: per_hour(name) / 1000 / curves.hours
        for name in ("contracted_before", "contracted_after")
    }
    paid = [one.price_before if one.price_after is None else one.price_after for one in hours]
    return contracted | {
        "demand": curves.demand,
        "charge": curves.charge,
        "discharge": curves.discharge,
        "roofs": curves.roofs,
        "generation": curves.generation,
        "substation": curves.substation,
        "price_before": per_hour("price_before") / MICRO,
        "price_after": np.array(paid) / MICRO,
    }
