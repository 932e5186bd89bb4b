"""Prices of exactly zero: losses cost nothing, optima are many, and one of them is physics."""

from dataclasses import replace

import numpy as np
import pytest
from tests.ac_optimum import ac_optimum
from tests.unit.grid.random_cases import random_problem

from gridpact.grid.net_limits import net_limits
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem
from gridpact.grid.replay import replay

KINDS = ["one interval", "export of one interval", "all", "export of all"]


def free(seed: int, kind: str) -> Problem:
    """Return a random problem that has energy for nothing. Even seeds: the sun meets a limit."""
    given = random_problem(seed, sun=3.0 if seed % 2 == 0 else 0.2, v_max=1.03)
    buy, sell = given.price_buy.copy(), given.price_sell.copy()
    where = slice(None) if kind.endswith("all") else slice(1, 2)
    sell[where] = 0
    if not kind.startswith("export"):
        buy[where] = 0
    return replace(given, price_buy=buy, price_sell=sell)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_free_energy_is_scheduled_at_the_exact_optimum(seed: int, kind: str) -> None:
    given = free(seed, kind)
    answer, exact = solve(given), ac_optimum(given, starts=2)
    assert answer.status == "optimal"
    assert answer.schedule is not None
    assert answer.exactness is not None
    assert answer.exactness.fictitious_loss_kw <= 1e-2
    assert answer.objective == pytest.approx(exact.cost, abs=1e-6 * (10 + abs(exact.cost)))
    flow = replay(given, given.feeder, answer.schedule.set_points)
    assert net_limits(given, given.feeder).excess(flow) <= 1e-5
    np.testing.assert_allclose(answer.schedule.voltage, flow.v, atol=1e-9)
    scale = max(np.abs(exact.price_p).max(), 1.0)
    np.testing.assert_allclose(answer.schedule.prices.active, exact.price_p, atol=1e-4 * scale)


def test_parts_of_a_price_add_up_where_energy_is_free() -> None:
    for seed in range(6):
        answer = solve(free(seed, "one interval"))
        assert answer.schedule is not None
        prices = answer.schedule.prices
        parts = prices.energy + prices.loss + prices.congestion + prices.voltage
        np.testing.assert_allclose(parts, prices.active, atol=1e-3)
        np.testing.assert_allclose(prices.active[1], 0, atol=1e-3)


def test_a_price_just_below_zero_is_still_called_inexact() -> None:
    """Losses are worth having there: the same feeders, and no tie to break."""
    for seed in (1, 3):
        given = free(seed, "one interval")
        low = replace(given, price_sell=np.where(given.price_sell == 0, -5.0, given.price_sell))
        low = replace(low, price_buy=np.where(low.price_buy == 0, -5.0, low.price_buy))
        assert solve(low).status == "inexact"
