"""What does it cost to send from one node to another? As a matrix, a function or coordinates.

A dense matrix of 1e5 nodes would be 80 GB, so a tree asks only for the costs that it needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gridpact.errors import TreeError
from gridpact.propagation.nodes import FloatArray, IntArray

Nodes = IntArray | int


class Costs(Protocol):
    """Cost W[u][v] of sending from u to v: never negative, zero from a node to itself."""

    @property
    def size(self) -> int | None:
        """Return how many nodes it is for; None where it does not know."""
        ...

    def between(self, senders: Nodes, receivers: Nodes) -> FloatArray:
        """Return the costs of pairs of nodes, broadcast as NumPy does."""
        ...


@dataclass(frozen=True, eq=False)
class Matrix:
    """Costs as a table: row the sender, column the receiver. May be asymmetric."""

    table: FloatArray

    @property
    def size(self) -> int:
        return len(self.table)

    def between(self, senders: Nodes, receivers: Nodes) -> FloatArray:
        return self.table[senders, receivers]  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Distance:
    """Costs are Euclidean distances between points, (node, dimension)."""

    points: FloatArray

    @property
    def size(self) -> int:
        return len(self.points)

    def between(self, senders: Nodes, receivers: Nodes) -> FloatArray:
        squares = np.square(self.points[senders, 0] - self.points[receivers, 0])
        for axis in range(1, self.points.shape[1]):
            squares = squares + np.square(self.points[senders, axis] - self.points[receivers, axis])
        return np.asarray(np.sqrt(squares))


@dataclass(frozen=True)
class Function:
    """Costs as a function of two arrays of nodes of one shape; what it returns is checked."""

    cost: Callable[[IntArray, IntArray], npt.ArrayLike]
    size: int | None = None

    def between(self, senders: Nodes, receivers: Nodes) -> FloatArray:
        pairs: Any = np.broadcast_arrays(senders, receivers)
        values = np.asarray(self.cost(*pairs), dtype=float)
        if values.shape != pairs[0].shape:
            raise TreeError("cost", f"gave {values.shape} values for {pairs[0].shape} pairs")
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        if len(wrong):
            u, v = (int(side.flat[wrong[0]]) for side in pairs)
            raise TreeError(f"cost of {u} to {v}", f"is {values.flat[wrong[0]]}, expected >= 0")
        return values


def matrix(rows: npt.ArrayLike) -> Matrix:
    """Return costs given as a table.

    Raises
    ------
    TreeError
        Not square, a value that is negative or not finite, a node that costs something to itself.
    """
    try:
        table = np.asarray(rows, dtype=float)
    except (TypeError, ValueError):
        raise TreeError("cost", "is no table of numbers with rows of one length") from None
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        shape = " x ".join(map(str, table.shape))
        raise TreeError("cost", f"is {shape}, expected as many columns as rows")
    wrong = np.argwhere(~(np.isfinite(table) & (table >= 0)))
    if len(wrong):
        u, v = (int(place) for place in wrong[0])
        raise TreeError(f"cost[{u}][{v}]", f"{table[u, v]} is no number of at least 0")
    own = np.flatnonzero(np.diagonal(table))
    if len(own):
        u = int(own[0])
        raise TreeError(f"cost[{u}][{u}]", f"is {table[u, u]:g}, expected 0: a node to itself")
    return Matrix(table)


def distance(points: npt.ArrayLike) -> Distance:
    """Return costs as distances between points, one row of coordinates a node.

    Raises
    ------
    TreeError
        Rows of other lengths, or a coordinate that is not finite.
    """
    try:
        table = np.asarray(points, dtype=float)
    except (TypeError, ValueError):
        raise TreeError("coordinates", "is no table with rows of one length") from None
    if table.ndim != 2 or not table.shape[1]:
        raise TreeError("coordinates", "is no table with a row of coordinates a node")
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(wrong):
        raise TreeError(f"coordinates[{int(wrong[0])}]", "holds a number that is not finite")
    return Distance(table)


def require_size(costs: Costs, size: int) -> None:
    """Refuse costs for another number of nodes."""
    if costs.size is not None and costs.size != size:
        raise TreeError("cost", f"is for {costs.size} nodes, expected {size}: one row a node")
