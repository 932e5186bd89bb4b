"""A better assignment by a few providers: all who are with them are placed anew, at best.

Three or four providers whose users could as well be with each other, drawn by lot, are a small
case of zeros and ones that branch and bound (HiGHS) soon answers (large neighbourhood search, Shaw
1998). It finds what takes more than a ring of four.
"""

from collections.abc import Callable

import numpy as np

from gridpact.market.assignment import branch
from gridpact.market.assignment.problem import NOBODY, Problem, Reals, Whole

_SEED = 2022
_SIZES = (3, 4)
_NODES = 50
_PAIRS = 110
"""Most pairs that are left open: those that lose least at the prices."""
_NEAR = 0.02
"""Loss, in shares of the largest value, at which a place is hardly as good as the best."""


def placed_anew(
    problem: Problem, provider: Whole, net: Reals, tries: int, stop: Callable[[], bool]
) -> Whole:
    """Return the best assignment of so many tries; whoever is served stays served."""
    draw, answer = np.random.default_rng(_SEED), provider
    loss = np.full(net.shape, np.inf)
    best = net.max(axis=1, initial=-np.inf)[:, None]
    np.subtract(best, net, out=loss, where=np.isfinite(net))
    for number in range(tries):
        if stop():
            break
        few = _together(draw, problem, answer, loss, _SIZES[number % len(_SIZES)])
        answer = problem.better(answer, _solved(problem, answer, loss, few))
    return answer


def _together(
    draw: np.random.Generator, problem: Problem, provider: Whole, loss: Reals, size: int
) -> Whole:
    """Return providers drawn by lot, likelier the more users could change between them."""
    providers = len(problem.capacity)
    near, served = np.exp(-loss / (_NEAR * problem.scale)), provider != NOBODY
    common = np.full((providers, providers), 1e-12)
    np.add.at(common, provider[served], near[served])
    common += common.T
    few = [int(draw.integers(providers))]
    while len(few) < min(size, providers):
        weight = common[few].sum(axis=0)
        weight[few] = 0.0
        few.append(int(draw.choice(providers, p=weight / weight.sum())))
    return np.array(few)


def _solved(problem: Problem, provider: Whole, loss: Reals, few: Whole) -> Whole:
    """Return the assignment with the users of a few providers placed anew, if that was found."""
    user = np.flatnonzero(np.isin(provider, few))
    part = np.ix_(user, few)
    some = Problem(problem.demand[user], problem.capacity[few], problem.value[part],
                   problem.tie[part])  # fmt: skip
    lost = np.where(few == provider[user, None], -1.0, loss[part])
    most = max(_PAIRS, len(user))
    limit = np.inf if lost.size <= most else np.partition(lost.ravel(), most)[most]
    found = branch.best_of(some, some.allowed & (lost < limit), _NODES)
    if found is None:
        return provider
    answer = provider.copy()
    answer[user] = np.where(found == NOBODY, NOBODY, few[found])
    return answer
