"""Which matrices does our model hand to the solver? For the bare solver to be measured with."""

import numpy as np
from scipy import sparse

from bench.grid_bare import Matrices
from gridpact.grid.columns import free_directions, lay_out
from gridpact.grid.feeder import rebased
from gridpact.grid.opf import base_power
from gridpact.grid.problem import Problem
from gridpact.grid.socp import build


def matrices(problem: Problem) -> Matrices:
    """Return the matrices of a problem without constant-current loads."""
    feeder = rebased(problem.feeder, base_power(problem))
    columns = lay_out(problem, free_directions(problem))
    flat = np.ones((problem.intervals, feeder.size - 1))
    form = build(problem, feeder, columns, flat).programme.form()
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
