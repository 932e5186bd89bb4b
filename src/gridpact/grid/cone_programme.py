"""A convex programme in blocks of named rows: what is minimised under which cones.

    minimise 1/2 x'Px + c'x   subject to   A x + s = b, s in {0}, R+ or a second-order cone

Blocks are collected in any order and stacked by kind; the multipliers come back by name. P is
diagonal, and no two entries of A may stand at one place. `cone_solver` hands it to Clarabel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gridpact.grid.feeder import FloatArray, IntArray

Entry = tuple[IntArray, IntArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Form:
    """A programme as flat arrays.

    `kinds` are (0 equality, 1 at most, otherwise dimension of the cones; rows) in the order of
    the rows; `places` the rows of each block. `scale`: each column's unit, x = scale * x'.
    """

    rows: IntArray
    columns: IntArray
    values: FloatArray
    right: FloatArray
    cost: FloatArray
    curved: IntArray
    curvature: FloatArray
    scale: FloatArray
    kinds: tuple[tuple[int, int], ...]
    places: dict[str, slice]

    def same_places(self, other: "Form") -> bool:
        """Say whether two programmes differ in nothing but numbers."""
        return (
            self.kinds == other.kinds
            and len(self.cost) == len(other.cost)
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.columns, other.columns)
            and np.array_equal(self.curved, other.curved)
        )


@dataclass(eq=False)
class ConeProgramme:
    """Collects cost and rows over `width` variables.

    `scale`: a typical size of each variable; the solver sees them all about 1.
    """

    width: int
    cost: FloatArray = field(init=False)
    scale: FloatArray = field(init=False)
    _curvature: dict[str, tuple[IntArray, FloatArray]] = field(init=False)
    _blocks: dict[int, list[tuple[str, Sequence[Entry], FloatArray]]] = field(init=False)

    def __post_init__(self) -> None:
        self.cost, self.scale = np.zeros(self.width), np.ones(self.width)
        self._curvature, self._blocks = {}, {}

    def curve(self, name: str, columns: IntArray, values: FloatArray) -> None:
        """Add `values / 2 * x**2` to the cost; no column may be curved twice."""
        self._curvature[name] = columns.ravel(), values.ravel()

    def equal(self, name: str, entries: Sequence[Entry], right: FloatArray) -> None:
        """Add rows `A x = right`."""
        self._add(0, name, entries, right)

    def at_most(self, name: str, entries: Sequence[Entry], right: FloatArray) -> None:
        """Add rows `A x <= right`."""
        self._add(1, name, entries, right)

    def cone(self, name: str, dimension: int, entries: Sequence[Entry], right: FloatArray) -> None:
        """Add cones: `right - A x`, in groups of `dimension` rows, lies in the cone t >= |u|."""
        self._add(dimension, name, entries, right)

    def _add(self, kind: int, name: str, entries: Sequence[Entry], right: FloatArray) -> None:
        if len(right):
            self._blocks.setdefault(kind, []).append((name, entries, right))

    def form(self) -> Form:
        """Return the programme with its blocks stacked."""
        parts: tuple[list[IntArray], list[IntArray], list[FloatArray]] = [], [], []
        rights, kinds, places, height = [], [], {}, 0
        for kind in sorted(self._blocks):
            first = height
            for name, entries, right in self._blocks[kind]:
                for rows, columns, values in entries:
                    parts[0].append(rows + height)
                    parts[1].append(columns)
                    parts[2].append(values)
                rights.append(right)
                places[name] = slice(height, height + len(right))
                height += len(right)
            kinds.append((kind, height - first))
        curved = [columns for columns, _ in self._curvature.values()]
        curvature = [values for _, values in self._curvature.values()]
        return Form(
            rows=np.concatenate(parts[0]),
            columns=np.concatenate(parts[1]),
            values=np.concatenate(parts[2]),
            right=np.concatenate(rights),
            cost=self.cost,
            curved=np.concatenate(curved) if curved else np.zeros(0, np.int64),
            curvature=np.concatenate(curvature) if curvature else np.zeros(0),
            scale=self.scale,
            kinds=tuple(kinds),
            places=places,
        )
