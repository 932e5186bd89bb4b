"""What no assignment can exceed: prices of the providers' energy, and the bound that they prove.

With a price on each provider's energy every user may choose for itself; what they choose plus what
all energy costs is worth at least as much as any assignment (Lagrangian duality). The bound is
therefore certified by its prices alone, wherever they come from: a linear program where the case is
small, else a subgradient method.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridpact.market.assignment.problem import Problem, Reals

_ROUNDING = 1e-12
_PROGRAM = 60_000
"""Most pairs that a linear program is given: it takes about a second for so many."""


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices per unit of energy, and the bound they prove.

    provider
        Of each provider's energy, >= 0. (provider,)
    served
        Paid for serving a unit of energy at all, >= 0: where energy is short it decides who goes
        without. 0 where everybody is served.
    """

    provider: Reals
    served: float
    bound: float


def net_values(problem: Problem, provider: Reals, served: float) -> Reals:
    """Return values less what the energy costs, `FORBIDDEN` where a pair may not be."""
    unit = problem.demand[:, None] * (provider - served)
    return np.where(problem.allowed, problem.value - unit, -np.inf)


def certified(problem: Problem, energy: int, provider: Reals, served: float = 0.0) -> Prices:
    """Return prices with the bound they prove for assignments of at least this energy.

    Notes
    -----
    bound = sum_i max_j (v_ij - (p_j - s) R_i) + sum_j p_j a_j - s E; nobody's 0 is among the
    choices unless E is all the energy that anybody could be served. Rounded up by what the sums
    may have lost.
    """
    provider, served = np.maximum(provider, 0.0), max(served, 0.0)
    best = net_values(problem, provider, served).max(axis=1, initial=-np.inf)
    best = best[np.isfinite(best)]
    if energy < problem.reachable:
        best = np.maximum(best, 0.0)
    terms = np.concatenate((best, provider * problem.capacity, [-served * energy]))
    bound = float(terms.sum() + _ROUNDING * np.abs(terms).sum())
    return Prices(provider, served, bound)


def prices_for(problem: Problem, energy: int) -> Prices:
    """Return good prices for assignments of this energy: exact ones where the case is small."""
    if problem.allowed.sum() <= _PROGRAM:
        found = by_linear_program(problem, energy)
        if found:
            return found
    return by_subgradient(problem, energy)


def by_linear_program(problem: Problem, energy: int) -> Prices | None:
    """Return the best prices there are; None where not even shares of users reach the energy."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, vstack

    user, place = np.nonzero(problem.allowed)
    users, providers = problem.value.shape
    columns, unit = np.arange(len(user)), max(1.0, float(problem.demand.mean()))
    weight, everybody = problem.demand[user] / unit, energy >= problem.reachable
    once = csr_matrix((np.ones(len(user)), (user, columns)), (users, len(user)))
    taken = csr_matrix((weight, (place, columns)), (providers, len(user)))
    limit, can = problem.capacity / unit, problem.allowed.any(axis=1).astype(float)
    short = vstack([taken, csr_matrix(-weight[None, :]), once])
    rows: dict[str, Any] = (
        {"A_ub": taken, "b_ub": limit, "A_eq": once, "b_eq": can}
        if everybody
        else {"A_ub": short, "b_ub": np.concatenate((limit, [-energy / unit], can))}
    )
    cost = -problem.value[user, place] / problem.scale
    found = linprog(cost, bounds=(0, None), method="highs", **rows)
    if found.status != 0:
        return None
    price = -found.ineqlin.marginals * problem.scale / unit
    served = 0.0 if everybody else float(price[providers])
    return certified(problem, energy, price[:providers], served)


def by_subgradient(problem: Problem, energy: int, rounds: int = 300) -> Prices:
    """Return prices that a subgradient method finds: dearer where too many choose, else cheaper."""
    demand, capacity = problem.demand, problem.capacity.astype(float)
    everybody, can = energy >= problem.reachable, problem.allowed.any(axis=1)
    price, served = np.zeros(len(capacity)), 0.0
    best = certified(problem, energy, price)
    typical = problem.scale / max(1.0, float(demand.mean()))
    for turn in range(rounds):
        net = net_values(problem, price, served)
        chosen = net.argmax(axis=1)
        takes = can & (everybody | (net[np.arange(len(chosen)), chosen] > 0))
        load = np.bincount(chosen[takes], demand[takes], len(capacity))
        step = 0.5 * typical / (1 + turn / 10)
        price = np.maximum(price + step * (load - capacity) / np.maximum(capacity, 1), 0)
        if not everybody:
            served = max(0.0, served + step * (energy - load.sum()) / max(1, energy))
        found = certified(problem, energy, price, served)
        best = found if found.bound < best.bound else best
    return best
