"""What does the bare solver take? Clarabel given matrices, and nothing of ours."""

from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Matrices:
    """What `clarabel.DefaultSolver` takes."""

    quadratic: sparse.csc_matrix
    cost: np.ndarray
    table: sparse.csc_matrix
    right: np.ndarray
    kinds: tuple[tuple[int, int], ...]


def solve_bare(given: Matrices) -> Any:
    """Set Clarabel up and solve; return the solver."""
    solver = set_up(given)
    solver.solve()
    return solver


def renew_bare(solver: Any, given: Matrices) -> None:
    """Hand new numbers to a solver of the same structure and solve."""
    solver.update(q=given.cost, b=given.right, A=given.table.data)
    solver.solve()


def set_up(given: Matrices) -> Any:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-9
    settings.presolve_enable = settings.chordal_decomposition_enable = False
    cones: list[Any] = []
    for kind, height in given.kinds:
        if kind == 0:
            cones.append(clarabel.ZeroConeT(height))
        elif kind == 1:
            cones.append(clarabel.NonnegativeConeT(height))
        else:
            cones += [clarabel.SecondOrderConeT(kind)] * (height // kind)
    return clarabel.DefaultSolver(
        given.quadratic, given.cost, given.table, given.right, cones, settings
    )
