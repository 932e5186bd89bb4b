"""Paper D's trading schemes: the exact front, the swarm beside NSGA-II, and the way to the ledger.

The cases have the size of the paper's experiment: six suppliers (the large grid first), five users,
a mean price of at most 0.5. Shares of hypervolume are those of 5-decisions, section 12: objectives
normalised by the exact front, reference its nadir; the exact front counts with all mixtures of its
corners (the area under its lines), the others by their points alone.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from bench.grid_timing import alternated
from bench.rows import Row
from gridpact.market import aneja_nair, parametric
from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_front import Front, hypervolume
from gridpact.market.pareto_swarm import Encoding, Swarm, search
from gridpact.studies.zeng2023_delay import delays

EVALUATIONS, SEEDS = 20_000, 30
GOALS = {11: 0.010, 100: 0.3}
"""Most CPU seconds for the exact front, by participants."""
PATH = (2, 4, 6, 8, 10, 20, 50, 100, 200, 500, 1000)
PAPER_DELAY, PAPER_PEOPLE = 0.2, 10
NOTES = (
    f"Swarm and NSGA-II: {EVALUATIONS:,} evaluated schemes, medians of {SEEDS} seeds, each seed "
    "its own case; a point counts as infeasible when it breaks a limit by more than 1e-6 of the "
    "largest energy. Hypervolume is that of 5-decisions, section 12: the exact front counts with "
    "all mixtures of its corners (the area under its lines), the others by their points alone: "
    "the two ends of the front then add no area, so to have them given changes nothing. "
    "Times are CPU seconds of this process, the delay's also wall seconds (the machine may be busy "
    "with other work). Aneja and Nair's method runs on HiGHS through scipy, one linear program a "
    "corner. The delay has everything from the devices' signatures to locks on disk "
    "(`studies/zeng2023_delay.py`); [Zeng23] states about 0.2 s for up to 10 participants."
)


def case(seed: int, suppliers: int = 6, users: int = 5) -> Case:
    """Return a random case: grid supply first, large and fossil, then renewables."""
    chance = np.random.default_rng(seed)
    price = np.concatenate([[0.45], chance.uniform(0.25, 0.6, suppliers - 1)])
    least = chance.uniform(10, 30, users)
    return Case.of(
        price[:, None] + chance.uniform(0.01, 0.12, (suppliers, users)),
        np.concatenate([[50.0 * users], chance.uniform(20, 60, suppliers - 1)]),
        least,
        least + chance.uniform(0, 60, users),
        np.concatenate([[0.0], np.ones(suppliers - 1)]),
        0.5,
    )


def run() -> list[Row]:
    return [*_exact(), *_approximate(), *_path()]


def _exact() -> list[Row]:
    rows = []
    for suppliers, users, times in ((6, 5, 20), (50, 50, 1)):
        people, given = suppliers + users, case(1, suppliers, users)
        ours, theirs = alternated(
            [
                lambda given=given: parametric.exact(given),
                lambda given=given: aneja_nair.exact(given),
            ],
            times,
        )
        goal, front = GOALS[people], parametric.exact(given)
        rows.append(
            Row(f"exact front, {people} participants, {0 if front is None else len(front)} corners",
                1000 * ours, "CPU ms", f"Aneja-Nair on HiGHS: {1000 * theirs:.4g} ms",
                ours / theirs, f"at most {1000 * goal:g} ms", ours <= goal)
        )  # fmt: skip
    return rows


def _approximate() -> list[Row]:
    rows = []
    for name, swarm, goal in (
        ("swarm", Swarm(), 0.95),
        ("swarm with both ends of the exact front given", Swarm(anchors=True), None),
        ("swarm, a particle is the scheme (paper's form)", Swarm(encoding=Encoding.DIRECT), None),
    ):
        shares, broken = _shares(
            lambda one, seed, s=swarm: _points(search(one, EVALUATIONS, seed, s))
        )
        found = median(shares)
        rows += [
            Row(f"{name}: share of the exact hypervolume", found, "share",
                f"worst of {SEEDS}: {min(shares):.4f}", None,
                f"at least {goal}" if goal else "", found >= goal if goal else None),
            Row(f"{name}: infeasible points", broken, "points", goal="0", holds=broken == 0),
        ]  # fmt: skip
    peer = _nsga2()
    if peer is None:
        return rows
    shares, broken = _shares(peer)
    return [
        *rows,
        Row("peer, pymoo NSGA-II: share of the exact hypervolume", median(shares), "share"),
        Row("peer, pymoo NSGA-II: infeasible points in its answers", broken, "points"),
    ]


def _points(front: Front) -> tuple[Floats, Floats]:
    tables = np.array([front.table(row) for row in range(len(front))])
    return front.points, tables


def _shares(
    method: Callable[[Case, int], tuple[Floats, Floats]],
) -> tuple[list[float], int]:
    """Return the shares of the exact hypervolume over all seeds, and the infeasible points."""
    shares, broken = [], 0
    for seed in range(SEEDS):
        one = case(seed)
        best = parametric.exact(one)
        if best is None:
            raise AssertionError(f"case {seed} has no exact front")
        points, tables = method(one, seed)
        bad = one.violation(tables) > 1e-6
        broken += int(bad.sum())
        whole = hypervolume(best.points, best.points, mixed=True)
        shares.append(hypervolume(points[~bad], best.points) / whole)
    return shares, broken


def _nsga2() -> Callable[[Case, int], tuple[Floats, Floats]] | None:
    """Return pymoo's NSGA-II as a method; None, and a word about it, where it is not installed."""
    try:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.problem import Problem
        from pymoo.optimize import minimize
    except ImportError:
        print("peer NSGA-II left out: pymoo is not installed (pip install pymoo)")
        return None

    class Trading(Problem):  # type: ignore[misc]
        """The case with penalised constraints, as a user of the library would state it."""

        def __init__(self, one: Case) -> None:
            most = np.minimum(one.capacity[:, None], one.demand_max).ravel()
            limits = one.shape[0] + 2 * one.shape[1] + 1
            super().__init__(n_var=most.size, n_obj=2, n_ieq_constr=limits, xl=0.0 * most, xu=most)
            self.one = one

        def _evaluate(self, x: Floats, out: dict[str, Any], *_: object, **__: object) -> None:
            one, table = self.one, x.reshape(-1, *self.one.shape)
            sold, taken = table.sum(axis=2), table.sum(axis=1)
            above = (table * (one.unit_cost - one.price_cap)).sum(axis=(1, 2))[:, None]
            out["F"] = one.objectives(table) * [1.0, -1.0]
            out["G"] = np.concatenate(
                [sold - one.capacity, taken - one.demand_max, one.demand_min - taken, above], axis=1
            )

    def method(one: Case, seed: int) -> tuple[Floats, Floats]:
        found = minimize(
            Trading(one), NSGA2(pop_size=100), ("n_eval", EVALUATIONS), seed=seed, verbose=False
        )
        if found.X is None:
            return np.zeros((0, 2)), np.zeros((0, *one.shape))
        tables = np.atleast_2d(found.X).reshape(-1, *one.shape)
        return one.objectives(tables), tables

    return method


def _path() -> list[Row]:
    rows = []
    for people in PATH:
        took = delays(people, 5 if people <= 100 else 2)[1:]
        wall, cpu = median(one.wall for one in took), median(one.cpu for one in took)
        clearing, small = median(one.clearing for one in took), people <= PAPER_PEOPLE
        rows.append(
            Row(f"from signed orders to locks on disk, {people} participants", wall, "s wall",
                f"{cpu:.4g} CPU s, of it clearing {clearing:.4g}", None,
                f"at most {PAPER_DELAY} s" if small else "", wall <= PAPER_DELAY if small else None)
        )  # fmt: skip
    return rows
