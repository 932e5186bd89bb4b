"""Is there a better assignment than this one? Branch and bound (HiGHS) over what prices leave open.

A pair whose net value lies so far below its user's best that every assignment with it is worth less
than one that is known can be left out, and so can every assignment that is worth no more: what
remains is small, and when nothing remains the known one is optimal.
"""

from typing import NamedTuple

import numpy as np

from gridpact.market.assignment.prices import Prices, net_values
from gridpact.market.assignment.problem import NOBODY, Flags, Problem, Reals, Whole

_AT_LEAST = 1e-9
_UNIT = 1e4


class Ceiling(NamedTuple):
    """What no assignment can exceed; and none with a certain pair. (user, provider)"""

    bound: float
    pair: Reals


class Searched(NamedTuple):
    """What was found: a better assignment or None, a bound, and whether the clock ended it."""

    provider: Whole | None
    bound: float
    out_of_time: bool


def search(
    problem: Problem, known: Whole, ceiling: Ceiling, nodes: int, seconds: float
) -> Searched:
    """Look for an assignment of at least the energy of the known one that is worth more.

    Parameters
    ----------
    ceiling
        What no assignment at all and none with a pair can exceed.
    nodes
        Most nodes of the search.
    seconds
        Last stop; who reaches it may find another answer on another machine.
    """
    worth = problem.worth(known)
    found = _better(problem, known, ceiling.pair >= worth.value, nodes, seconds)
    if found.nothing:
        return Searched(None, worth.value, False)
    bound = min(ceiling.bound, max(found.bound, worth.value))
    return Searched(found.provider, bound, found.out_of_time)


def _better(problem: Problem, known: Whole, pairs: Flags, nodes: int, seconds: float) -> "_Found":
    """Look for an assignment of these pairs that is worth more than the known one."""
    worth = problem.worth(known)
    open_ = _Open(problem, *np.nonzero(pairs))
    value = problem.value[open_.user, open_.place] * (_UNIT / problem.scale)
    least = worth.value * (_UNIT / problem.scale)
    rows = [*open_.limits(worth.energy), (value, least * (1 + _AT_LEAST))]
    found = open_.best(value, rows, nodes, seconds)
    return found._replace(bound=found.bound * problem.scale / _UNIT * (1 + 1e-12))


def ceiling_of(problem: Problem, prices: Prices, energy: int) -> Ceiling:
    """Return what prices of energy say of each pair: what it loses against its user's best."""
    net = net_values(problem, prices.provider, prices.served)
    best = net.max(axis=1, initial=-np.inf)
    if energy < problem.reachable:
        best = np.maximum(best, 0.0)
    pair = np.full(net.shape, -np.inf)
    np.subtract(net, best[:, None], out=pair, where=problem.allowed)
    return Ceiling(prices.bound, prices.bound + pair)


def best_of(problem: Problem, pairs: Flags, nodes: int) -> Whole | None:
    """Return the best assignment of these pairs that serves everybody, as far as nodes find it."""
    open_ = _Open(problem, *np.nonzero(pairs))
    value = problem.value[open_.user, open_.place] * (_UNIT / problem.scale)
    rows = open_.limits(problem.reachable)
    return open_.best(value, rows, nodes, np.inf).provider


def most_energy(problem: Problem, known: Whole, nodes: int, seconds: float) -> Searched:
    """Look for an assignment that serves more energy; the bound is that of energy."""
    open_ = _Open(problem, *np.nonzero(problem.allowed))
    served = int(problem.worth(known).energy)
    found = open_.best(open_.weight, [(open_.weight, served / open_.unit)], nodes, seconds)
    if found.nothing:
        return Searched(None, float(served), False)
    # whole numbers: what is no whole unit more is nothing
    bound = np.floor(found.bound * open_.unit * (1 + 1e-12) + 1e-6)
    return Searched(found.provider, float(bound), found.out_of_time)


class _Found(NamedTuple):
    provider: Whole | None
    bound: float
    out_of_time: bool
    nothing: bool


class _Open:
    """The pairs that are left open, as the columns of a programme of zeros and ones."""

    def __init__(self, problem: Problem, user: Whole, place: Whole) -> None:
        self.problem, self.user, self.place = problem, user, place
        self.unit = max(1.0, float(problem.demand.max(initial=1)) / 1e6)
        self.weight = problem.demand[user] / self.unit

    def limits(self, energy: int) -> list[tuple[Reals, float]]:
        """Return the row (coefficients, least) that asks for the energy, if not all are served."""
        if energy >= self.problem.reachable:
            return [(np.ones(len(self.user)), float(self.problem.allowed.any(axis=1).sum()))]
        return [(self.weight, energy / self.unit)]

    def best(
        self, value: Reals, rows: list[tuple[Reals, float]], nodes: int, seconds: float
    ) -> _Found:
        """Return the pairs of the largest value, users once, providers within capacity."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_matrix

        users, providers = self.problem.value.shape
        columns = np.arange(len(self.user))
        taken = csr_matrix((self.weight, (self.place, columns)), (providers, len(columns)))
        once = csr_matrix((np.ones(len(columns)), (self.user, columns)), (users, len(columns)))
        done = milp(
            -value,
            integrality=np.ones(len(columns), np.int64),
            bounds=Bounds(0, 1),
            constraints=[
                LinearConstraint(taken, ub=self.problem.capacity / self.unit),
                LinearConstraint(once, ub=1.0),
                *(LinearConstraint(csr_matrix(row[None, :]), lb=least) for row, least in rows),
            ],
            options={"node_limit": nodes, "time_limit": seconds, "mip_rel_gap": 1e-9},
        )
        dual = done.mip_dual_bound
        bound = -float(dual) if dual is not None and np.isfinite(dual) else np.inf
        out_of_time = done.status == 1 and (done.mip_node_count or 0) < nodes
        return _Found(self._assigned(done.x), bound, out_of_time, done.status == 2)

    def _assigned(self, x: Reals | None) -> Whole | None:
        """Return a programme's answer as an assignment, if it fits to the unit."""
        if x is None:
            return None
        provider = np.full(len(self.problem.demand), NOBODY)
        taken = x > 0.5
        provider[self.user[taken]] = self.place[taken]
        # the programme fits within its tolerance only
        return provider if (self.problem.left(provider) >= 0).all() else None
