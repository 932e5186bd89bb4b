"""Is the least cut really least? The grid check against an exact AC optimum."""

import numpy as np
import pytest
from tests.ac_optimum import ac_optimum
from tests.unit.grid.random_cases import random_feeder

from gridpact.grid.check import RadialCheck
from gridpact.grid.feeder import Feeder
from gridpact.grid.problem import DeviceSets, Problem, Pv
from gridpact.model.grid_check import Injector

LOW, HIGH = 0.95, 1.03


def cleared(seed: int, rated: bool) -> tuple[Feeder, dict[int, tuple[int, int]], list[Injector]]:
    """Return a feeder with loads and four injectors of different ranks, too many by far."""
    rng = np.random.default_rng(seed)
    feeder = random_feeder(rng, 10, rated)
    units = []
    for name in range(4):
        watts = int(rng.uniform(0.1, 1.5) * 1e6)
        bus, rank = int(rng.choice(feeder.ids[1:])), int(rng.integers(0, 4))
        va = int(watts * rng.uniform(1, 1.2))
        units.append(Injector(bytes([name]) * 20, bus, watts, rank, va))
    load = {
        int(bus): (int(rng.uniform(0, 1e5)), int(rng.uniform(0, 3e4))) for bus in feeder.ids[1:]
    }
    return feeder, load, units


def weights(units: list[Injector]) -> np.ndarray:
    """1 for the highest rank, 10 for the lowest, geometrically between."""
    levels = sorted({unit.rank for unit in units}, reverse=True)
    last = max(len(levels) - 1, 1)
    return np.array([10.0 ** (levels.index(unit.rank) / last) for unit in units])


def least_cut(
    feeder: Feeder, load: dict[int, tuple[int, int]], units: list[Injector], inverter_q: bool
) -> float:
    """Return the least weighted cut that the AC equations allow. [MW]"""
    p, q = np.zeros((2, 1, feeder.size))
    for bus, (watts, var) in load.items():
        p[0, feeder.at(bus)], q[0, feeder.at(bus)] = watts / 1e6, var / 1e6
    weight, watts = weights(units), np.array([unit.generation_w for unit in units]) / 1e6
    pv = Pv(
        bus=np.array([unit.bus for unit in units]),
        s_mva=np.array([unit.inverter_va for unit in units]) / 1e6,
        available_mw=watts[None],
        offer=-weight,
        reactive=inverter_q,
    )
    # energy itself is worth next to nothing: only what is cut counts
    given = Problem(
        feeder, 1.0, LOW, HIGH, np.ones(1), p, q, np.full(1, 1e-5), np.zeros(1), DeviceSets(pv=pv)
    )
    exact = ac_optimum(given, starts=3)
    return float(weight @ (watts - exact.controls["pv"][0]))


@pytest.mark.parametrize("inverter_q", [False, True])
@pytest.mark.parametrize("rated", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 6, 10, 11])
def test_weighted_cut_is_the_least_that_the_equations_allow(
    seed: int, rated: bool, inverter_q: bool
) -> None:
    feeder, load, units = cleared(seed, rated)
    verdict = RadialCheck(feeder, LOW, HIGH, 1.0, inverter_q)(0, load, units)
    assert verdict.conflicts == ()
    limits = {cut.participant: cut.power_w for cut in verdict.curtailments}
    cut = [unit.generation_w - limits.get(unit.participant, unit.generation_w) for unit in units]
    least = least_cut(feeder, load, units, inverter_q)
    # whole watts are rounded down, weighted up to ten times
    assert float(weights(units) @ cut) / 1e6 == pytest.approx(least, rel=1e-3, abs=1e-4)


def test_multiplier_is_what_a_relaxed_limit_saves() -> None:
    feeder, load, units = cleared(2, rated=False)
    step, found = 1e-4, []
    for high in (HIGH, HIGH + step):
        verdict = RadialCheck(feeder, LOW, high)(0, load, units)
        limits = {cut.participant: cut.power_w for cut in verdict.curtailments}
        cut = [
            unit.generation_w - limits.get(unit.participant, unit.generation_w) for unit in units
        ]
        found.append((float(weights(units) @ cut), verdict))
    (total, verdict), (less, _) = found
    assert len(verdict.binding) == 1
    assert verdict.curtailments
    for curtailment in verdict.curtailments:
        share = curtailment.multiplier / 1e6
        assert share == pytest.approx((total - less) / total * 0.01 / step, rel=0.02)
