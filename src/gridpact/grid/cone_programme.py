"""A convex programme in blocks of named rows, handed to Clarabel as it stands.

    minimise 1/2 x'Px + c'x   subject to   A x + s = b, s in {0}, R+ or a second-order cone

Blocks are collected in any order and stacked by kind; the multipliers come back by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import clarabel
import numpy as np
from scipy import sparse

from gridpact.grid.feeder import FloatArray, IntArray

SOLVER = f"Clarabel {clarabel.__version__}"
Entry = tuple[IntArray, IntArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Answer:
    """`solved` is false when the solver proved infeasibility or gave up (`status` says which).

    `bound` is the dual objective: no feasible point costs less.
    """

    solved: bool
    status: str
    x: FloatArray
    objective: float
    bound: float
    multipliers: dict[str, FloatArray]


@dataclass(eq=False)
class ConeProgramme:
    """Collects cost and rows over `width` variables."""

    width: int
    cost: FloatArray = field(init=False)
    curvature: FloatArray = field(init=False)
    _blocks: dict[int, list[tuple[str, sparse.coo_array, FloatArray]]] = field(init=False)

    def __post_init__(self) -> None:
        self.cost, self.curvature = np.zeros(self.width), np.zeros(self.width)
        self._blocks = {}

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
        if len(right) == 0:
            return
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        matrix = sparse.coo_array((values, (rows, columns)), shape=(len(right), self.width))
        self._blocks.setdefault(kind, []).append((name, matrix, right))

    def solve(self) -> Answer:
        """Return the optimum with the multiplier of every row, by block."""
        matrices, rights, cones, places = [], [], [], {}
        row = 0
        for kind in sorted(self._blocks):
            height = 0
            for name, matrix, right in self._blocks[kind]:
                matrices.append(matrix)
                rights.append(right)
                places[name] = slice(row + height, row + height + len(right))
                height += len(right)
            if kind == 0:
                cones.append(clarabel.ZeroConeT(height))
            elif kind == 1:
                cones.append(clarabel.NonnegativeConeT(height))
            else:
                cones.extend(clarabel.SecondOrderConeT(kind) for _ in range(height // kind))
            row += height
        quadratic = sparse.csc_matrix(sparse.diags_array(self.curvature, format="csc"))
        table = sparse.csc_matrix(sparse.vstack(matrices, format="csc"))
        solver = clarabel.DefaultSolver(
            quadratic, self.cost, table, np.concatenate(rights), cones, _settings()
        )
        answer = solver.solve()
        status = str(answer.status)
        z = np.asarray(answer.z)
        return Answer(
            solved=status in ("Solved", "AlmostSolved"),
            status=status,
            x=np.asarray(answer.x),
            objective=float(answer.obj_val),
            bound=float(answer.obj_val_dual),
            multipliers={name: z[place] for name, place in places.items()},
        )


def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = 1e-9
    settings.tol_feas = 1e-9
    settings.max_iter = 200
    return settings
