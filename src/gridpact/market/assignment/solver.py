"""The best assignment that so much work finds, and what no assignment can exceed.

Greedy first, so that the answer is never worse; then prices, which tell what a provider's energy is
worth and prove a bound; then rings on what the prices suggest, and a shake. A descent to a stronger
bound shows further assignments on its way. Where the case is small branch and bound may prove the
best.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from gridpact.market.assignment import branch
from gridpact.market.assignment.branch import Ceiling, ceiling_of
from gridpact.market.assignment.descent import Descent
from gridpact.market.assignment.few import placed_anew
from gridpact.market.assignment.filling import filled
from gridpact.market.assignment.greedy import by_regret, by_value, seated
from gridpact.market.assignment.prices import Prices, net_values, prices_for
from gridpact.market.assignment.problem import NOBODY, Answer, Problem, Reals, Whole
from gridpact.market.assignment.rings import Rings
from gridpact.market.assignment.shake import shaken

_CHOICES = 5
_OPEN = 600
"""Most pairs that may be left open for a search to be of use."""
_TURNS = 60
_SETTLED = 100
"""Pairs open at which branch and bound says the rest."""
_BEST = 3
"""How many of the assignments that the descent shows are made better by more work."""
_CROWD = 1_000_000
"""Pairs from which on no table of pairs of users is made."""
_RINGS = 2_500
"""Most users among whom rings are looked for: tables of pairs grow with their square."""


@dataclass(frozen=True)
class Effort:
    """How much work an answer may cost. Counts, so that the same work gives the same answer.

    kicks
        How often the assignment is shaken; scaled down for more than 100 users.
    nodes
        Most nodes of the branch and bound.
    pairs
        Most pairs of a case on which it is tried.
    rounds
        Steps to the stronger bound, which also show assignments; 0: none.
    seconds
        Last stop by the clock: whoever reaches it may have another answer than a faster machine.
    """

    kicks: int = 100
    nodes: int = 200
    pairs: int = 8_000
    rounds: int = 150
    seconds: float = math.inf

    def kicks_of(self, problem: Problem) -> int:
        """Return how often a case of this size is shaken."""
        return int(self.kicks * min(1.0, (100 / max(1, len(problem.demand))) ** 2))

    def rounds_of(self, problem: Problem) -> int:
        """Return the steps to the stronger bound, fewer for large cases."""
        return math.ceil(self.rounds * min(1.0, 20_000 / max(1, problem.value.size)))

    def starts_of(self, problem: Problem) -> int:
        """Return how many of them are tried as assignments: rings grow with users squared."""
        return int(self.rounds / 4 * min(1.0, (200 / max(1, len(problem.demand))) ** 3))

    @classmethod
    def within(cls, seconds: float) -> "Effort":
        """Return the effort that a core of today does well within so much time. [s]"""
        return cls(int(12 * seconds), int(20 * seconds), rounds=150, seconds=seconds)


def solve(problem: Problem, effort: Effort = Effort()) -> Answer:
    """Return an assignment with its bound: energy first, then value, then ties."""
    begun = monotonic()
    crowd = problem.value.size > _CROWD
    answer = np.full(len(problem.demand), NOBODY) if crowd else by_value(problem)
    most = _most_energy(problem)
    if not problem.allowed.any():
        return Answer(answer, 0, 0, 0.0, 0.0, True, False)
    prices = prices_for(problem, most)
    net = net_values(problem, prices.provider, prices.served)
    late = _late(begun, effort)
    if crowd:
        answer = _seated(problem, prices, net)
        ceiling = ceiling_of(problem, prices, problem.worth(answer).energy)
        return _searched(problem, answer, ceiling, most, effort, begun)
    for start in _starts(problem, answer, prices, net):
        rested = _by_rings(problem, start, net, effort, late)
        if problem.worth(rested).energy < most:
            rested = filled(problem, rested, net)
        answer = problem.better(answer, rested)
    worth = problem.worth(answer)
    if worth.energy < most and problem.allowed.sum() <= effort.pairs and effort.nodes > 0:
        left = max(0.0, effort.seconds - (monotonic() - begun)) / 2
        more = branch.most_energy(problem, answer, effort.nodes, left)
        most = int(min(most, more.bound))
        answer = answer if more.provider is None else problem.better(answer, more.provider)
        worth = problem.worth(answer)
    if worth.energy < problem.reachable:
        prices = prices_for(problem, worth.energy)
    ceiling = ceiling_of(problem, prices, worth.energy)
    if ceiling.bound > worth.value * (1 + 1e-9) and effort.rounds > 0:
        answer, ceiling = _descended(problem, answer, prices, effort, late)
    return _searched(problem, answer, ceiling, most, effort, begun)


def _starts(problem: Problem, greedy: Whole, prices: Prices, net: Reals) -> tuple[Whole, ...]:
    """Return what to improve: what prices suggest, and where energy is short greedy, too."""
    if prices.served == 0:
        return (by_value(problem, net),)
    willing = by_value(problem, np.where(net < 0, -np.inf, net))
    return filled(problem, willing, net), filled(problem, greedy, net)


def _seated(problem: Problem, prices: Prices, net: Reals) -> Whole:
    """Return the assignment of a crowd: by regret, then whoever still waits, then filled up."""
    willing = np.where(net < 0, -np.inf, net) if prices.served > 0 else net
    answer = seated(problem, by_regret(problem, willing), willing)
    return filled(problem, answer, net) if (answer == NOBODY).any() else answer


def _descended(
    problem: Problem, answer: Whole, prices: Prices, effort: Effort, late: Callable[[], bool]
) -> tuple[Whole, Ceiling]:
    """Return the best assignment that lies on the way to the stronger bound, and that bound."""
    energy, rounds = problem.worth(answer).energy, effort.rounds_of(problem)
    descent, starts = Descent(problem, energy, prices), effort.starts_of(problem)
    found = [answer]
    for turn in range(rounds):
        if late() or descent.stands:
            break
        descent.step(problem.worth(answer).value)
        if turn * starts // rounds < (turn + 1) * starts // rounds:
            net = descent.net()
            rings = Rings(problem, seated(problem, descent.assignment(), net), net, _CHOICES)
            rings.settle(_TURNS)
            found.append(rings.provider)
            answer = problem.better(answer, rings.provider)
    by_energy = ceiling_of(problem, prices, energy).pair
    ceiling = Ceiling(descent.bound, np.minimum(descent.ceiling, by_energy))
    if (ceiling.pair >= problem.worth(answer).value).sum() <= _SETTLED:
        return answer, ceiling
    net = descent.net()
    found.sort(key=problem.worth, reverse=True)
    for one in found[:_BEST]:
        better = placed_anew(problem, one, net, rounds // 8, late)
        rings = Rings(problem, better, net, _CHOICES)
        better = shaken(problem, rings, effort.kicks_of(problem), late)
        answer = problem.better(answer, better)
    return answer, ceiling


def _late(begun: float, effort: Effort) -> Callable[[], bool]:
    return lambda: monotonic() - begun > effort.seconds


def _most_energy(problem: Problem) -> int:
    """Return what no assignment can exceed in energy: of users, and of providers."""
    served = problem.allowed.any(axis=0)
    return min(problem.reachable, int(problem.capacity[served].sum()))


def _by_rings(
    problem: Problem, start: Whole, net: Reals, effort: Effort, late: Callable[[], bool]
) -> Whole:
    if len(problem.demand) > _RINGS:
        return start
    rings = Rings(problem, start, net, _CHOICES)
    rings.settle(_TURNS)
    kicks = 0 if effort.rounds else effort.kicks_of(problem)
    return shaken(problem, rings, kicks, late) if kicks and not late() else rings.provider


def _searched(
    problem: Problem, answer: Whole, ceiling: Ceiling, most: int, effort: Effort, begun: float
) -> Answer:
    """Return the answer after branch and bound, if the case is small enough for it."""
    bound, out_of_time = ceiling.bound, False
    for _ in range(2):
        worth, left = problem.worth(answer), effort.seconds - (monotonic() - begun)
        if bound - worth.value <= 1e-9 * bound or problem.allowed.sum() > effort.pairs:
            break
        if (ceiling.pair >= worth.value).sum() > _OPEN:
            break
        if effort.nodes <= 0 or left <= 0:
            out_of_time = effort.nodes > 0
            break
        found = branch.search(problem, answer, ceiling, effort.nodes, left)
        bound, out_of_time = min(bound, found.bound), found.out_of_time
        if found.provider is None:
            break
        answer = problem.better(answer, found.provider)
        if out_of_time or bound > problem.worth(answer).value * (1 + 1e-9):
            break
    worth = problem.worth(answer)
    bound = max(bound, worth.value)
    optimal = worth.energy >= most and bound - worth.value <= 1e-8 * bound
    return Answer(answer, worth.energy, most, worth.value, bound, optimal, out_of_time)
