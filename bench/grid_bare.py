"""What does the bare solver take? Clarabel with the matrices of our own model and no more."""

from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

from gridpact.grid.columns import free_directions, lay_out
from gridpact.grid.cone_programme import Form
from gridpact.grid.feeder import rebased
from gridpact.grid.opf import base_power
from gridpact.grid.problem import Problem
from gridpact.grid.socp import build


@dataclass(frozen=True, eq=False)
class Matrices:
    """What `clarabel.DefaultSolver` takes."""

    quadratic: sparse.csc_matrix
    cost: np.ndarray
    table: sparse.csc_matrix
    right: np.ndarray
    kinds: tuple[tuple[int, int], ...]


def matrices(problem: Problem) -> Matrices:
    """Return the matrices of a problem without constant-current loads."""
    feeder = rebased(problem.feeder, base_power(problem))
    columns = lay_out(problem, free_directions(problem))
    flat = np.ones((problem.intervals, feeder.size - 1))
    form: Form = build(problem, feeder, columns, flat).programme.form()
    width = len(form.cost)
    shape = (len(form.right), width)
    entries = form.values * form.scale[form.columns]
    curved = form.curvature * form.scale[form.curved] ** 2
    return Matrices(
        sparse.csc_matrix((curved, (form.curved, form.curved)), shape=(width, width)),
        form.cost * form.scale,
        sparse.csc_matrix((entries, (form.rows, form.columns)), shape=shape),
        form.right,
        form.kinds,
    )


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
