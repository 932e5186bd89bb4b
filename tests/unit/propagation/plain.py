"""Trees and their measures once more: plain loops over fractions, word for word as section 15."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Costs = Sequence[Sequence[Fraction]]
Edges = list[tuple[int, int]]


@dataclass(frozen=True)
class Case:
    """Input of a tree; every number is exact."""

    trust: list[Fraction]
    links: list[int]
    cost: list[list[Fraction]]
    min_trust: Fraction
    max_cost: Fraction
    weights: tuple[Fraction, Fraction]
    minmax: bool = False


def weighted_sequence(case: Case) -> tuple[list[int], bool]:
    everybody = range(len(case.trust))
    trusted = [i for i in everybody if case.trust[i] >= case.min_trust]
    others = [i for i in everybody if case.trust[i] < case.min_trust]
    if not trusted:
        return others, True
    trust = {i: case.trust[i] for i in trusted}
    links = {i: Fraction(case.links[i]) for i in trusted}
    if case.minmax:
        trust, links = _minmax(trust), _minmax(links)
    score = {i: case.weights[0] * trust[i] + case.weights[1] * links[i] for i in trusted}
    ranked = sorted(trusted, key=lambda i: (-score[i], i))
    root = ranked[0]
    near = [i for i in ranked if i == root or case.cost[root][i] <= case.max_cost]
    far = [i for i in ranked if i not in near]
    return near + far + others, False


def _minmax(values: dict[int, Fraction]) -> dict[int, Fraction]:
    low, high = min(values.values()), max(values.values())
    return {
        i: (one - low) / (high - low) if high > low else Fraction(0) for i, one in values.items()
    }


def sequence(algorithm: str, case: Case) -> list[int]:
    if algorithm == "wct":
        return weighted_sequence(case)[0]
    key: Sequence[Fraction | int] = case.links if algorithm == "lft" else case.trust
    return sorted(range(len(case.trust)), key=lambda i: (-key[i], i))


def breadth_first(order: Sequence[int], links: Sequence[int]) -> Edges:
    edges: Edges = []
    waiting = list(order[1:])
    for node in order:
        for _ in range(links[node]):
            if waiting:
                edges.append((node, waiting.pop(0)))
    return edges


def measures(case: Case, root: int, edges: Edges) -> dict[str, Fraction | int]:
    n = len(case.trust)
    sooner, later, depth = {root: Fraction(0)}, {root: Fraction(0)}, {root: 0}
    for node, child in edges:
        depth[child] = depth[node] + 1
        sooner[child] = sooner[node] + case.cost[node][child]
    clock: dict[int, Fraction] = {}
    for node, child in edges:
        clock[node] = clock.get(node, later[node]) + case.cost[node][child]
        later[child] = clock[node]
    moments = [sooner[node] for node, _ in edges]
    levels = list(depth.values())
    return {
        "overall_trust": sum((case.trust[node] for node, _ in edges), Fraction(0)) / (n - 1),
        "rounds": max(levels),
        "node_concurrency": max(levels.count(one) for one in set(levels) if one),
        "concurrent_time": max(sooner.values()),
        "inflight_concurrency": max(
            sum(sooner[node] <= x < sooner[child] for node, child in edges) for x in moments
        ),
        "serial_time": max(later.values()),
    }


def least_delay(case: Case) -> Edges:
    """DTT by looking at every pair, every time."""
    taken, degraded = weighted_sequence(case)
    root, edges = taken[0], Edges()
    trusted = [i for i in taken if degraded or case.trust[i] >= case.min_trust]
    others = [i for i in taken if i not in trusted]
    arrival, free = {root: Fraction(0)}, list(case.links)

    def add(group: Sequence[int], senders: Sequence[int]) -> None:
        while True:
            pairs = [
                (arrival[u] + case.cost[u][v], u, v)
                for u in senders
                if u in arrival and free[u]
                for v in group
                if v not in arrival
            ]
            if not pairs:
                return
            arrival[min(pairs)[2]], u, v = min(pairs)
            free[u] -= 1
            edges.append((u, v))

    add([i for i in trusted if case.links[i] >= 2], trusted)
    add(trusted, trusted)
    add(others, trusted)
    add(others, others)
    return edges
