"""The quickest tree there is, by mixed-integer programming (HiGHS), for a handful of nodes.

From a given root, within the links, trusted nodes served by trusted ones. `slots`: besides, as many
untrusted nodes on trusted ones as these have links left for, as the greedy tree has it.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


def quickest(
    cost: np.ndarray,
    links: Sequence[int],
    trusted: Sequence[bool],
    root: int,
    at_most: float,
    slots: bool = True,
) -> float:
    """Return the least time of the last arrival; `at_most` is the time of some allowed tree."""
    n = len(cost)
    pairs = [
        (u, v)
        for u in range(n)
        for v in range(n)
        if u != v and v != root and (trusted[u] or not trusted[v])
    ]
    m = len(pairs)
    # variables: x of each pair, arrival of each node, time of the last
    rows, low, high = [], [], []

    def require(terms: dict[int, float], least: float, most: float) -> None:
        row = np.zeros(m + n + 1)
        for place, factor in terms.items():
            row[place] += factor
        rows.append(row)
        low.append(least)
        high.append(most)

    for node in range(n):
        if node != root:
            require({k: 1 for k, (_, v) in enumerate(pairs) if v == node}, 1, 1)
        require({k: 1 for k, (u, _) in enumerate(pairs) if u == node}, 0, links[node])
        require({m + n: 1, m + node: -1}, 0, np.inf)
    for k, (u, v) in enumerate(pairs):
        # if x: arrival of v >= arrival of u + cost
        loose = at_most + cost[u, v]
        require({m + v: 1, m + u: -1, k: -loose}, cost[u, v] - loose, np.inf)
        # both of a pair cannot send to each other
        if (v, u) in pairs and u < v:
            require({k: 1, pairs.index((v, u)): 1}, 0, 1)
    if slots:
        inside = [node for node in range(n) if trusted[node]]
        left = sum(links[node] for node in inside) - (len(inside) - 1)
        crossing = {k: 1.0 for k, (u, v) in enumerate(pairs) if trusted[u] and not trusted[v]}
        require(crossing, min(left, n - len(inside)), np.inf)
    upper = np.concatenate((np.ones(m), np.full(n + 1, at_most)))
    upper[m + root] = 0
    nearest = np.array([_shortest(cost, root, node) for node in range(n)])
    lower = np.concatenate((np.zeros(m), nearest, [nearest.max()]))
    found = milp(
        np.eye(1, m + n + 1, m + n)[0],
        constraints=LinearConstraint(sparse.csr_array(np.array(rows)), low, high),
        bounds=Bounds(np.minimum(lower, upper), upper + 1e-9),
        integrality=np.concatenate((np.ones(m), np.zeros(n + 1))),
    )
    assert found.status == 0, found.message
    return float(found.fun)


def _shortest(cost: np.ndarray, root: int, node: int) -> float:
    """Return the length of the shortest way, which no tree beats."""
    best = cost[root].copy()
    best[root] = 0
    for _ in range(len(cost)):
        best = np.minimum(best, (best[:, None] + cost).min(axis=0))
    return float(best[node])
