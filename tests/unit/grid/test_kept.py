"""Renewing the solver's numbers gives what building it anew gives, and only where it may."""

from dataclasses import replace

import numpy as np
import pytest
from bench.grid_cases import day_of_sce56

from gridpact.grid.cone_programme import ConeProgramme
from gridpact.grid.cone_solver import ConeSolver
from gridpact.grid.kept import Kept
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem, Solution


def _same(one: Solution, other: Solution) -> None:
    assert one.status == other.status == "optimal"
    assert one.objective == pytest.approx(other.objective, rel=1e-8)
    assert one.schedule is not None
    assert other.schedule is not None
    a, b = one.schedule, other.schedule
    np.testing.assert_allclose(a.voltage, b.voltage, atol=1e-5)
    np.testing.assert_allclose(a.prices.active, b.prices.active, rtol=1e-4)


def _tomorrow(today: Problem) -> Problem:
    pv = replace(today.devices.pv, available_mw=0.7 * today.devices.pv.available_mw)
    return replace(
        today,
        load_p_mw=1.1 * today.load_p_mw,
        load_q_mvar=0.9 * today.load_q_mvar,
        price_buy=today.price_buy[::-1],
        v_root=np.full(today.intervals, 1.01),
        devices=replace(today.devices, pv=pv),
    )


def test_tomorrow_renews_todays_matrices_and_answers_as_if_alone() -> None:
    today, kept = day_of_sce56(6), Kept()
    tomorrow = _tomorrow(today)
    _same(solve(today, kept), solve(today))
    _same(solve(tomorrow, kept), solve(tomorrow))
    _same(solve(today, kept), solve(today))
    assert kept.relaxation.renewed == 2


def test_other_devices_are_set_up_anew() -> None:
    today, kept = day_of_sce56(6), Kept()
    solve(today, kept)
    none = replace(today.devices, generator=type(today.devices.generator)(*[np.zeros(0)] * 7))
    none = replace(none, generator=replace(none.generator, bus=np.zeros(0, dtype=np.int64)))
    fewer = replace(today, devices=none)
    _same(solve(fewer, kept), solve(fewer))
    longer = day_of_sce56(8)
    _same(solve(longer, kept), solve(longer))
    assert kept.relaxation.renewed == 0


def test_zip_loads_need_one_renewal() -> None:
    parts = (0.3, 0.4, 0.3)
    today, kept = replace(day_of_sce56(6), zip_p=parts, zip_q=parts), Kept()
    answer = solve(today, kept)
    assert kept.relaxation.renewed == 1
    assert answer.status == "optimal"
    assert answer.schedule is not None
    # tangents renewed until nothing moves at all
    kept.v = answer.schedule.voltage[:, 1:]
    again = solve(today, kept)
    assert again.schedule is not None
    assert again.objective == pytest.approx(answer.objective, rel=1e-9)
    prices, exact = answer.schedule.prices, again.schedule.prices
    assert np.abs(prices.active / exact.active - 1).max() < 1e-6
    demand, true = (
        one.schedule.import_mw.sum() for one in (answer, again) if one.schedule is not None
    )
    assert demand == pytest.approx(true, rel=1e-7)


def test_infeasible_day_between_two_others_changes_nothing() -> None:
    today, kept = day_of_sce56(4), Kept()
    solve(today, kept)
    tight = replace(today, v_min=1.0, v_max=1.0005)
    answer, alone = solve(tight, kept), solve(tight)
    assert answer.status == alone.status == "infeasible"
    assert [str(one) for one in answer.conflicts] == [str(one) for one in alone.conflicts]
    _same(solve(today, kept), solve(today))


def test_programme_may_change_its_mind_about_every_number() -> None:
    """min p/2 x^2 + c x + y, a x + y = b, |y| <= t, x, y, t in units of their own."""
    solver, rng = ConeSolver(), np.random.default_rng(3)
    first, nothing = np.array([0]), np.array([0])
    for turn in range(5):
        p, c, a, b = rng.uniform(0.5, 2, 4)
        programme = ConeProgramme(3)
        programme.scale[:] = rng.uniform(0.1, 10, 3)
        programme.cost[:] = c, 1.0, 0.0
        programme.curve("x", first, np.array([p]))
        one = np.ones(1)
        programme.equal("line", [(nothing, first, a * one), (nothing, first + 1, one)], b * one)
        programme.at_most("box", [(nothing, first + 2, one)], 2 * one)
        programme.cone(
            "size", 2, [(nothing, first + 2, -one), (nothing + 1, first + 1, -one)], np.zeros(2)
        )
        answer = solver.solve(programme)
        # y = b - a x, so the cost is p/2 x^2 + (c - a) x + b, with |y| <= 2
        x = np.clip((a - c) / p, *sorted(((b - 2) / a, (b + 2) / a)))
        assert answer.solved
        assert answer.x[:2] == pytest.approx([x, b - a * x], abs=1e-6)
        assert answer.objective == pytest.approx(p / 2 * x**2 + (c - a) * x + b, abs=1e-7)
        assert solver.renewed == turn


def test_two_entries_at_one_place_are_refused() -> None:
    programme = ConeProgramme(1)
    entry = (np.array([0]), np.array([0]), np.ones(1))
    programme.equal("twice", [entry, entry], np.ones(1))
    with pytest.raises(AssertionError, match="one place"):
        ConeSolver().solve(programme)
