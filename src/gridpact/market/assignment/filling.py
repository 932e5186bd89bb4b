"""Who is served where energy is short? Each provider is filled to its last unit, at the least loss.

Of a provider's users, and of those who wait and could be its users, the ones that matter least
where they are (at given prices) may change sides. `subsets` finds the best of a million ways:
first the most energy, then the most value among those of equal energy.
"""

import numpy as np

from gridpact.market.assignment.problem import NOBODY, Problem, Reals, Whole
from gridpact.market.assignment.subsets import HALF, best_subset


def filled(problem: Problem, provider: Whole, net: Reals, passes: int = 3) -> Whole:
    """Return an assignment that serves at least as much, and as little less value as found."""
    provider, room = provider.copy(), problem.left(provider)
    for _ in range(passes):
        changes = [
            _fill(problem, provider, room, net[:, place], place) for place in range(len(room))
        ]
        if not any(changes):
            break
    return provider


def _fill(problem: Problem, provider: Whole, room: Whole, net: Reals, place: int) -> bool:
    """Let one provider's users and those who wait change sides; say whether that was better."""
    inside = provider == place
    user = np.flatnonzero(inside | ((provider == NOBODY) & problem.allowed[:, place]))
    user = user[np.argsort(np.abs(net[user]), kind="stable")[: 2 * HALF]]
    sign = np.where(inside[user], -1, 1)
    weight = sign * problem.demand[user]
    gain = sign * problem.value[user, place]
    lowest, free = int(weight[weight < 0].sum()), int(room[place])
    most = best_subset(weight, weight.astype(float), lowest, free)
    more = max(0, int(weight[most].sum()))
    taken = best_subset(weight, gain, more, more)
    if not more and gain[taken].sum() <= 1e-11 * problem.scale:
        return False
    provider[user[taken]] = np.where(inside[user[taken]], NOBODY, place)
    room[place] -= more
    return True
