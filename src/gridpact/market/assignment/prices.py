"""What no assignment can exceed: prices of the providers' energy, and the bound that they prove.

With a price on each provider's energy every user may choose for itself; what they choose plus what
all energy costs is worth at least as much as any assignment (Lagrangian duality). The bound is
therefore certified by its prices alone, wherever they come from: a linear program where the case is
small, else a subgradient method.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridpact.market.assignment.problem import Chosen, Problem, Reals

_ROUNDING = 1e-12
_BLOCK = 2_000
"""Users whose pairs fit into a processor's cache."""
_STAGES = ((1_000, 600, 0.1), (8_000, 300, 0.01), (0, 80, 0.001))
"""Users (0: all), rounds, and by what share the bound is hoped to fall at first."""
_PROMISING = 8
"""How many of its providers each user keeps in sight."""
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
    return problem.open_value - problem.demand[:, None] * (provider - served)


def certified(problem: Problem, energy: int, provider: Reals, served: float = 0.0) -> Prices:
    """Return prices with the bound they prove for assignments of at least this energy.

    Notes
    -----
    bound = sum_i max_j (v_ij - (p_j - s) R_i) + sum_j p_j a_j - s E; nobody's 0 is among the
    choices unless E is all the energy that anybody could be served. Rounded up by what the sums
    may have lost.
    """
    provider, served = np.maximum(provider, 0.0), max(served, 0.0)
    best = np.empty(len(problem.demand))
    for first in range(0, len(best), _BLOCK):
        rows = slice(first, first + _BLOCK)
        unit = problem.demand[rows, None] * (provider - served)
        best[rows] = (problem.open_value[rows] - unit).max(axis=1, initial=-np.inf)
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


def by_subgradient(problem: Problem, energy: int) -> Prices:
    """Return prices that a subgradient method finds: of few users first, of everybody last.

    From the second stage on each user looks at its most promising providers only; what the prices
    prove is certified on all pairs.
    """
    users, everybody = len(problem.demand), energy >= problem.reachable
    found = Prices(np.zeros(len(problem.capacity)), 0.0, np.inf)
    for count, rounds, hope in _STAGES:
        if count and count >= users:
            continue
        user = np.arange(0, users, max(1, users // count if count else 1))
        some = problem if len(user) == users else problem.some(user)
        share = some.reachable / max(1, problem.reachable)
        least = some.reachable if everybody else int(energy * share)
        net = net_values(some, found.provider, found.served)
        size = len(problem.capacity) if np.isinf(found.bound) else _PROMISING
        left = np.asarray(problem.capacity * share, np.float64)
        few = replace(some.of_best(net, size), capacity=left)
        found = _descended(few, least, found.provider, found.served, rounds, hope)
    return certified(problem, energy, found.provider, found.served)


def _descended(
    few: Chosen, energy: int, price: Reals, served: float, rounds: int, hope: float
) -> Prices:
    """Return the best prices on the way: dearer where too many choose, else cheaper.

    Notes
    -----
    Polyak's step towards a bound that is lower by `hope` (a share); the hope is halved when ten
    rounds brought nothing.
    """
    demand, capacity = few.demand, np.maximum(few.capacity, 1).astype(float)
    row, everybody = np.arange(len(demand)), energy >= few.reachable
    best, since = Prices(price, served, np.inf), 0
    for _ in range(rounds):
        net = few.value - demand[:, None] * (price - served)[few.place]
        at = net.argmax(axis=1)
        most = net[row, at]
        takes = np.isfinite(most) & (everybody | (most > 0))
        load = np.bincount(few.place[row, at][takes], demand[takes], len(capacity))
        bound = float(most[takes].sum() + price @ few.capacity - served * energy)
        since += 1
        if bound < best.bound * (1 - 1e-6 * (best.bound > 0)):
            best, since = Prices(price, served, bound), 0
        elif since >= 10:
            hope, since, price, served = hope / 2, 0, best.provider, best.served
            continue
        # in units of what each has: a provider twice as large counts as two
        over = np.where((price > 0) | (load > few.capacity), (load - few.capacity) / capacity, 0.0)
        short = 0.0 if everybody else (energy - float(load.sum())) / max(1, energy)
        steep = float(over @ over) + short * short
        if steep == 0:
            break
        pace = (bound - best.bound + hope * abs(best.bound)) / steep
        price = np.maximum(price + pace * over / capacity, 0.0)
        served = max(0.0, served + pace * short / max(1, energy))
    return best
