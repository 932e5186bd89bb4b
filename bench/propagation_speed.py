"""How long do trees take to build and to measure, in how much memory, and beside networkx?"""

import os
import subprocess
import sys
from typing import Any

import networkx as nx
import numpy as np

from bench.grid_timing import alternated, once
from bench.rows import Row
from gridpact.propagation.costs import distance
from gridpact.propagation.delay_trust import delay_trust
from gridpact.propagation.measures import Measures, measures
from gridpact.propagation.nodes import nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.weighted import weighted

RULE = Rule(0.8, 8.2)
PEERED, LARGE, LEAST_DELAY = 100_000, 1_000_000, 10_000
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def rows() -> list[Row]:
    small, large = arrays(PEERED), arrays(LARGE)
    made, paid = edges(*small)
    ours, theirs = alternated([lambda: built(*small), lambda: by_networkx(small[0], made, paid)], 3)
    [million] = alternated([lambda: built(*large)], 3)
    few = arrays(LEAST_DELAY)
    taking, costs = nodes(*few[:2]), distance(few[2])
    delay, _ = once(lambda: delay_trust(taking, costs, RULE))
    peak = _peak()
    return [
        Row("WCT of 1e6 nodes, coordinates: built and measured", million, "s CPU",
            goal="at most 1 s", holds=million <= 1),
        Row("the same: peak memory of a process", peak, "MB", goal="at most 500 MB",
            holds=peak <= 500),
        Row("WCT of 1e5 nodes, coordinates: built and measured", ours, "s CPU",
            goal="at most 0.1 s", holds=ours <= 0.1),
        Row("networkx for the same 1e5 nodes", theirs, "s CPU", f"ours: {ours:.4g} s",
            theirs / ours, "at least 20 times", theirs >= 20 * ours),
        Row("DTT of 1e4 nodes, coordinates: built", delay, "s CPU", goal="at most 5 s",
            holds=delay <= 5),
    ]  # fmt: skip


def arrays(size: int) -> Arrays:
    """Return trust, links and places of nodes."""
    chance = np.random.default_rng(size)
    honest = chance.random(size) < 0.8
    trust = np.where(honest, chance.uniform(0.8, 1, size), chance.uniform(0, 0.8, size))
    links = chance.choice([1, 2, 3], size, p=[0.8, 0.15, 0.05])
    return np.round(trust, 6), links, chance.uniform(0, 10, (size, 2))


def built(trust: np.ndarray, links: np.ndarray, places: np.ndarray) -> Measures:
    taking, costs = nodes(trust, links), distance(places)
    found = measures(weighted(taking, costs, RULE), taking, costs, RULE.max_cost)
    assert found is not None
    return found


def edges(trust: np.ndarray, links: np.ndarray, places: np.ndarray) -> tuple[Tree, list[float]]:
    """Return the tree, and what its edges cost."""
    costs = distance(places)
    made = weighted(nodes(trust, links), costs, RULE)
    return made, costs.between(made.senders, made.receivers).tolist()


def by_networkx(trust: np.ndarray, made: Tree, paid: list[float]) -> dict[str, Any]:
    """Build a tree as a graph of networkx and measure it with its own means.

    Sequence, edges and costs are given to it: they are not what is compared.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(made.sequence.tolist())
    pairs = zip(made.senders.tolist(), made.receivers.tolist(), paid, strict=True)
    graph.add_weighted_edges_from(pairs)
    depth = nx.single_source_shortest_path_length(graph, made.root)
    arrival = nx.single_source_dijkstra_path_length(graph, made.root)
    levels = np.bincount(list(depth.values()))
    shares = trust.tolist()
    return {
        "overall_trust": sum(d * shares[node] for node, d in graph.out_degree()) / (len(graph) - 1),
        "rounds": len(levels) - 1,
        "node_concurrency": int(levels[1:].max()),
        "concurrent_time": max(arrival.values()),
    }


_SCRIPT = """
from bench.propagation_speed import LARGE, arrays, built
built(*arrays(LARGE))
print(next(line.split()[1] for line in open('/proc/self/status') if line[:6] == 'VmHWM:'))
"""


def _peak() -> float:
    """Return the peak resident memory of a fresh process that builds and measures 1e6. [MB]"""
    paths = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env=os.environ | {"PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(ran.stdout) / 1024
