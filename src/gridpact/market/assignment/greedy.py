"""An assignment at once: the pairs in order of their value, each taken if it still fits."""

import heapq

import numpy as np

from gridpact.market.assignment.problem import NOBODY, Problem, Reals, Whole


def by_value(problem: Problem, value: Reals | None = None) -> Whole:
    """Return the assignment that takes the pair of largest value again and again.

    `value` takes the place of the problem's, say with prices of the providers' energy deducted.

    Notes
    -----
    Ties: larger tie, earlier provider, earlier user. A user's next best provider is looked for
    only when its best has no room left.
    """
    ranked = problem.value if value is None else value
    ranked = np.where(problem.allowed, ranked, -np.inf)
    order = np.lexsort((-problem.tie, -ranked), axis=1) if _small(ranked) else None
    provider, left = np.full(len(problem.demand), NOBODY), problem.capacity.tolist()
    demand, heap = problem.demand.tolist(), list[tuple[float, float, int, int]]()
    tries = [0] * len(demand)
    width = ranked.shape[1] if ranked.size else 0

    def push(user: int) -> None:
        """Put a user's best pair that has room on the heap."""
        row = ranked[user]
        if order is None:
            fits = np.asarray(left) >= demand[user]
            place = int(np.argmax(np.where(fits, row, -np.inf))) if width else 0
            if width and fits[place] and np.isfinite(row[place]):
                heapq.heappush(heap, (-row[place], -problem.tie[user, place], place, user))
            return
        while tries[user] < width:
            place = int(order[user, tries[user]])
            if not np.isfinite(row[place]):
                return
            if demand[user] <= left[place]:
                heapq.heappush(heap, (-row[place], -problem.tie[user, place], place, user))
                return
            tries[user] += 1

    for user in range(len(demand)):
        push(user)
    while heap:
        *_, place, user = heapq.heappop(heap)
        if demand[user] <= left[place]:
            provider[user] = place
            left[place] -= demand[user]
        else:
            push(user)
    return provider


def seated(problem: Problem, provider: Whole, net: Reals) -> Whole:
    """Return an assignment in which those who wait have taken what room is left, largest first."""
    answer, left = provider.copy(), problem.left(provider)
    waiting = np.flatnonzero(answer == NOBODY)
    for user in waiting[np.argsort(-problem.demand[waiting], kind="stable")].tolist():
        fits = np.where(problem.demand[user] <= left, net[user], -np.inf)
        place = int(fits.argmax()) if fits.size else 0
        if fits.size and np.isfinite(fits[place]):
            answer[user] = place
            left[place] -= problem.demand[user]
    return answer


def _small(ranked: Reals) -> bool:
    return ranked.size <= 2_000_000


def by_regret(problem: Problem, net: Reals, choices: int = 8) -> Whole:
    """Return the assignment in which those choose first who would lose most by their next choice.

    For many users: each looks at its `choices` best providers by net value and waits if none of
    them has room.
    """
    few = problem.of_best(net, choices)
    worth = net[np.arange(len(few.demand))[:, None], few.place]
    order = np.argsort(-worth, axis=1, kind="stable")
    row = np.arange(len(order))[:, None]
    place, worth = few.place[row, order], worth[row, order]
    second = worth[:, 1] if worth.shape[1] > 1 else np.full(len(worth), -np.inf)
    with np.errstate(invalid="ignore"):
        regret = np.nan_to_num(worth[:, 0] - second, nan=0.0, posinf=np.inf)
    found, left = [NOBODY] * len(worth), problem.capacity.tolist()
    rows, may = place.tolist(), np.isfinite(worth).tolist()
    demand = problem.demand.tolist()
    for user in np.argsort(-regret, kind="stable").tolist():
        for there, allowed in zip(rows[user], may[user], strict=True):
            if allowed and demand[user] <= left[there]:
                found[user] = there
                left[there] -= demand[user]
                break
    return np.array(found, np.int64)
