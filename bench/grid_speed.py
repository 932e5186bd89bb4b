"""What does a whole optimal power flow cost beside the bare solver's setup and solve?"""

from dataclasses import replace

import numpy as np

from bench.grid_bare import renew_bare, solve_bare
from bench.grid_cases import day_of_sce56, made_day
from bench.grid_matrices import matrices
from bench.grid_timing import alternated
from bench.rows import Row
from gridpact.grid.kept import Kept
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem

TIMES = 7
PARTS = (0.3, 0.4, 0.3)


def rows() -> list[Row]:
    found = []
    for name, day in (("56 x 24", day_of_sce56()), ("500 x 24", made_day(500, 24))):
        found += _of(name, day)
    return found


def _of(name: str, day: Problem) -> list[Row]:
    """Return the rows of one day; every time beside the bare solver's in the same run."""
    tomorrow = _tomorrow(day)
    curved = replace(day, zip_p=PARTS, zip_q=PARTS)
    today, other = matrices(day), matrices(tomorrow)
    kept, renewed, turn = Kept(), solve_bare(today), [0]

    def update() -> None:
        turn[0] += 1
        _must_be_optimal(tomorrow if turn[0] % 2 else day, kept)

    def update_bare() -> None:
        renew_bare(renewed, other if turn[0] % 2 else today)

    _must_be_optimal(day, kept)
    bare, whole, next_day, bare_again, with_zip, zip_again = alternated(
        [
            lambda: solve_bare(today),
            lambda: _must_be_optimal(day, Kept()),
            update,
            update_bare,
            lambda: _must_be_optimal(curved, Kept()),
            lambda: _must_be_optimal(replace(day, feeder=replace(day.feeder)), Kept()),
        ],
        TIMES if day.feeder.size < 100 else 5,
    )
    against = f"bare Clarabel, setup and solve: {bare:.4g} s"

    def row(what: str, value: float, most: float | None = None) -> Row:
        ratio = value / bare
        goal = "" if most is None else f"at most {most} times"
        return Row(
            f"{name}: {what}", value, "s CPU", against, ratio, goal,
            None if most is None else ratio <= most,
        )  # fmt: skip

    return [
        row("whole call: check, build, solve, AC replay, prices with their parts", whole, 1.15),
        row("the same of a feeder never seen before", zip_again),
        row("another day of the same feeder, matrices renewed", next_day, 1.05),
        Row(
            f"{name}: the same against bare update and solve",
            next_day,
            "s CPU",
            f"bare Clarabel, update and solve: {bare_again:.4g} s",
            next_day / bare_again,
        ),
        row("with ZIP loads (0.3, 0.4, 0.3), tangents renewed", with_zip, 2.5),
    ]


def _tomorrow(day: Problem) -> Problem:
    """Return a day with other loads, prices and sun."""
    pv = replace(day.devices.pv, available_mw=0.8 * day.devices.pv.available_mw)
    rng = np.random.default_rng(5)
    return replace(
        day,
        load_p_mw=day.load_p_mw * rng.uniform(0.9, 1.05, day.load_p_mw.shape),
        price_buy=1.1 * day.price_buy,
        devices=replace(day.devices, pv=pv),
    )


def _must_be_optimal(problem: Problem, kept: Kept) -> None:
    answer = solve(problem, kept)
    if answer.status != "optimal":
        raise AssertionError(f"the case is meant to be solved, it is {answer.status}")
