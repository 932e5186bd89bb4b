"""A stronger bound: each user has a price, and each provider fills itself as it likes best.

With prices of the providers' energy users choose, and shares of users are as good as users
(`prices`). With prices of the users providers choose, whole users up to their capacity; what they
gain plus all prices is worth at least as much as any assignment, and never more than the bound by
energy from which it begins (Lagrangian relaxation of "one provider a user", Fisher 1986). On the
way down every step shows what the providers would like: nearly an assignment.
"""

import numpy as np

from gridpact.market.assignment.contents import Contents, best_contents
from gridpact.market.assignment.prices import Prices, net_values
from gridpact.market.assignment.problem import NOBODY, Problem, Reals, Whole

_ROUNDING = 1e-12
_PATIENCE = 6
_KEPT = 0.5
"""How much of the direction of the last step is kept."""
_ROOM = 1.3
"""How much more than in the last step a provider's best content is expected to lose."""
_FIRST = 1e-3
_SMALLEST = 1e-4
"""Share of Polyak's step below which there is nothing more to gain."""


class Descent:
    """Prices of users on their way to the best bound for assignments of at least this energy.

    Attributes
    ----------
    bound
        The best bound yet.
    ceiling
        What no assignment with this pair can exceed. (user, provider)
    """

    def __init__(self, problem: Problem, energy: int, prices: Prices) -> None:
        self.problem, self.energy, self.served = problem, energy, prices.served
        self.everybody = energy >= problem.reachable
        extra = prices.served * problem.demand[:, None]
        self.value = np.ascontiguousarray((problem.open_value + extra).T)
        price = net_values(problem, prices.provider, prices.served).max(axis=1, initial=-np.inf)
        price = np.where(np.isfinite(price), price, 0.0)
        self.price = self.best = price if self.everybody else np.maximum(price, 0.0)
        self.direction = np.zeros(len(price))
        self.bound, self.ceiling = prices.bound, np.full(problem.value.shape, np.inf)
        self.share, self.since = 1.0, 0
        self.budget = np.full(len(problem.capacity), _FIRST * problem.scale)
        self.seen: Contents | None = None

    @property
    def stands(self) -> bool:
        """Say whether further steps are of no use."""
        return self.share < _SMALLEST or not self.problem.demand.size

    def step(self, hope: float) -> None:
        """Go on towards a bound of `hope`, the value of the best assignment known.

        Notes
        -----
        L(u) = sum_i u_i + sum_j max {sum_i (v_ij + s R_i - u_i) x_ij : sum_i R_i x_ij <= a_j}
        - s E, u >= 0 where not everybody is served. A subgradient: 1 - how many take the user.
        """
        gain = self.value - self.price
        budget = np.maximum(_ROOM * self.budget, 1e-6 * self.problem.scale)
        seen = best_contents(gain, self.problem.demand, self.problem.capacity, budget)
        self.seen, self.budget = seen, seen.loss
        bound = self._certified(seen)
        self._note(bound, seen, gain)
        if self.since >= _PATIENCE:
            self.share, self.since = self.share / 2, 0
            self.price, self.direction = self.best, np.zeros(len(self.price))
        lacks = self._reached() - seen.taken.sum(axis=0)
        if not self.everybody:
            lacks = np.where((self.price <= 0) & (lacks > 0), 0, lacks)
        self.direction = lacks + _KEPT * self.direction
        steep = float(self.direction @ self.direction)
        if steep == 0:
            self.share = 0.0
            return
        self.price = self.price - self.share * max(bound - hope, 0.0) / steep * self.direction
        if not self.everybody:
            self.price = np.maximum(self.price, 0.0)

    def assignment(self) -> Whole:
        """Return whom the last step's contents serve; of several who want a user, the best."""
        if self.seen is None:
            return np.full(len(self.price), NOBODY)
        net = np.where(self.seen.taken.T, self.net(), -np.inf)
        best = net.argmax(axis=1) if net.size else np.zeros(len(net), np.int64)
        return np.where(self.seen.taken.any(axis=0), best, NOBODY)

    def net(self) -> Reals:
        """Return values less what the energy costs, at the energy's prices of the last step."""
        price = np.zeros(len(self.budget)) if self.seen is None else self.seen.price
        return net_values(self.problem, price, self.served)

    def _certified(self, seen: Contents) -> float:
        """Return the bound of the last step, rounded up by what sums may have lost."""
        terms = np.concatenate((self.price, seen.value, [-self.served * self.energy]))
        return float(terms.sum() + _ROUNDING * np.abs(terms).sum())

    def _note(self, bound: float, seen: Contents, gain: Reals) -> None:
        """Keep what the step proves: of all assignments, and of those with a certain pair."""
        # with a user whom it did not choose a provider gains at most the relaxation less the change
        change = np.maximum(seen.price[:, None] * self.problem.demand - gain, 0.0)
        lost = np.where(seen.taken, 0.0, np.maximum(change - seen.loss[:, None], 0.0))
        np.minimum(self.ceiling, bound - lost.T, out=self.ceiling)
        if bound < self.bound * (1 - 1e-7):
            self.since = 0
        else:
            self.since += 1
        if bound < self.bound:
            self.bound, self.best = bound, self.price

    def _reached(self) -> Whole:
        """Return 1 for whom some provider may serve, 0 else."""
        return np.asarray(self.problem.allowed.any(axis=1), np.int64)
