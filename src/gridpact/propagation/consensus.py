"""How long does agreement take with shards and without? Paper C's experiment ([Cui22] figure 5).

One group of 12, or three shards of four. A round: a puzzle is solved (time in U[20, 40] for each
node, the first counts), the block spreads (each hop U[0, 20]), everybody confirms; a block holds
100 trades, the others wait for the next round. Shards end with the slowest; their delegates then
tell each other, asynchronously, which gives the global finality (5-decisions, section 16). What the
paper does not say can be chosen. A shard of four falls to three nodes that collude, a group of
twelve to seven: sharded proof of work is quicker because it is weaker. Real ledgers of gridpact
have none.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gridpact.propagation.nodes import FloatArray

Puzzle = Literal["first", "one"]
Route = Literal["binary", "star", "line"]
Wave = Literal["confirm", "vote", "none"]


@dataclass(frozen=True)
class Model:
    """How a round goes. Times in the paper's unit, each drawn evenly between two bounds.

    puzzle: "first" of all nodes solves it, or "one" that was chosen before. route: the block goes
    down a binary tree, to everybody at once ("star"), or from one to the next ("line"). wave: a
    confirmation goes the same way once more, or all vote at once, or nobody says anything.
    """

    puzzle: Puzzle = "first"
    route: Route = "binary"
    wave: Wave = "confirm"
    block: int = 100
    solve: tuple[float, float] = (20, 40)
    hop: tuple[float, float] = (0, 20)


@dataclass(frozen=True, eq=False)
class Times:
    """Times to agree on some trades, (draw,): in the regions, and until all know all results."""

    regional: FloatArray
    final: FloatArray


def general(trades: int, nodes: int, model: Model, draws: int, seed: int) -> FloatArray:
    """Return how long one group of all nodes takes, (draw,)."""
    return _group(trades, nodes, model, draws, np.random.default_rng((seed, trades, 0)))


def sharded(trades: int, nodes: int, shards: int, model: Model, draws: int, seed: int) -> Times:
    """Return how long it takes when trades and nodes are split over shards, as evenly as can be."""
    chance = np.random.default_rng((seed, trades, 1))
    ends = np.stack(
        [
            _group(_part(trades, shards, k), _part(nodes, shards, k), model, draws, chance)
            for k in range(shards)
        ]
    )
    told = chance.uniform(*model.hop, (shards, shards, draws))
    told[np.arange(shards), np.arange(shards)] = 0
    return Times(ends.max(axis=0), (ends[:, None] + told).max(axis=(0, 1)))


def falls_to(nodes: int) -> int:
    """Return how many colluding nodes outweigh the others of a group: its majority."""
    return nodes // 2 + 1


def _part(whole: int, parts: int, turn: int) -> int:
    return (whole + turn) // parts


def _group(
    trades: int, nodes: int, model: Model, draws: int, chance: np.random.Generator
) -> FloatArray:
    rounds = -(-trades // model.block)
    shape = (draws, rounds)
    solved = chance.uniform(*model.solve, (*shape, nodes if model.puzzle == "first" else 1))
    took = solved.min(axis=2) + _spread(nodes, model, shape, chance)
    if model.wave == "confirm":
        took = took + _spread(nodes, model, shape, chance)
    if model.wave == "vote":
        took = took + chance.uniform(*model.hop, (*shape, max(1, nodes - 1))).max(axis=2)
    return np.asarray(took.sum(axis=1))


def _spread(
    nodes: int, model: Model, shape: tuple[int, int], chance: np.random.Generator
) -> FloatArray:
    """Return how long a block takes to reach all nodes, (draw, round)."""
    if nodes == 1:
        return np.zeros(shape)
    hops = chance.uniform(*model.hop, (*shape, nodes - 1))
    if model.route == "star":
        return np.asarray(hops.max(axis=2))
    if model.route == "line":
        return np.asarray(hops.sum(axis=2))
    at = np.zeros((*shape, nodes))
    for node in range(1, nodes):
        at[:, :, node] = at[:, :, (node - 1) // 2] + hops[:, :, node - 1]
    return np.asarray(at.max(axis=2))
