"""How is a convex programme solved? By Clarabel, whose matrices are built once and then renewed.

A programme that differs from the last one in nothing but numbers (prices, loads, limits, tangents)
keeps its ordering, its symbolic factors and its memory: only the numbers are handed over. What
differs in more is set up anew, so the answer never depends on what was solved before.
"""

from dataclasses import dataclass

import clarabel
import numpy as np
from scipy import sparse

from gridpact.grid.cone_programme import ConeProgramme, Form
from gridpact.grid.feeder import FloatArray, IntArray

SOLVER = f"Clarabel {clarabel.__version__}"
TIGHT = 1e-9


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


class ConeSolver:
    """Clarabel with the matrices of the last programme."""

    def __init__(self) -> None:
        self._form: Form | None = None
        self._order: IntArray = np.zeros(0, dtype=np.int64)
        self._data: FloatArray = np.zeros(0)
        self._solver: clarabel.DefaultSolver | None = None
        self.renewed = 0

    def solve(self, programme: ConeProgramme, tolerance: float = TIGHT) -> Answer:
        """Return the optimum with the multiplier of every row, by block."""
        form = programme.form()
        renews = self._form is not None and self._form.same_places(form)
        answer = self._answer(form, tolerance, renews)
        if renews and not answer.solved:
            # its scaling was that of other numbers: what cannot be solved is not for that reason
            answer = self._answer(form, tolerance, renews=False)
        return answer

    def _answer(self, form: Form, tolerance: float, renews: bool) -> Answer:
        if renews:
            self._renew(form, tolerance)
        else:
            self._set_up(form, tolerance)
        self._form = form
        assert self._solver is not None
        answer = self._solver.solve()
        status, z = str(answer.status), np.asarray(answer.z)
        return Answer(
            solved=status in ("Solved", "AlmostSolved"),
            status=status,
            x=np.asarray(answer.x) * form.scale,
            objective=float(answer.obj_val),
            bound=float(answer.obj_val_dual),
            multipliers={name: z[place] for name, place in form.places.items()},
        )

    def _set_up(self, form: Form, tolerance: float) -> None:
        shape = (len(form.right), len(form.cost))
        numbers = np.arange(1, len(form.values) + 1)
        placed = sparse.csc_matrix((numbers, (form.rows, form.columns)), shape=shape)
        if placed.nnz != len(numbers):
            raise AssertionError("two entries of a programme stand at one place")
        self._order = placed.data - 1
        self._data = _scaled(form)[self._order]
        table = sparse.csc_matrix((self._data, placed.indices, placed.indptr), shape=shape)
        self._solver = clarabel.DefaultSolver(
            _quadratic(form),
            form.cost * form.scale,
            table,
            form.right,
            _cones(form.kinds),
            _settings(tolerance),
        )

    def _renew(self, form: Form, tolerance: float) -> None:
        assert self._solver is not None
        data = _scaled(form)[self._order]
        change = {"q": form.cost * form.scale, "b": form.right, "settings": _settings(tolerance)}
        if not np.array_equal(data, self._data):
            change["A"] = self._data = data
        if len(form.curved):
            change["P"] = _quadratic(form).data
        self._solver.update(**change)
        self.renewed += 1


def _scaled(form: Form) -> FloatArray:
    return form.values * form.scale[form.columns]


def _quadratic(form: Form) -> sparse.csc_matrix:
    """Return the diagonal P in scaled variables; a curved column keeps its place at 0."""
    width = len(form.cost)
    order = np.argsort(form.curved)
    curved = form.curved[order]
    values = form.curvature[order] * form.scale[curved] ** 2
    heads = np.searchsorted(curved, np.arange(width + 1))
    return sparse.csc_matrix((values, curved, heads), shape=(width, width))


def _cones(kinds: tuple[tuple[int, int], ...]) -> list[object]:
    cones: list[object] = []
    for kind, height in kinds:
        if kind == 0:
            cones.append(clarabel.ZeroConeT(height))
        elif kind == 1:
            cones.append(clarabel.NonnegativeConeT(height))
        else:
            cones.extend([clarabel.SecondOrderConeT(kind)] * (height // kind))
    return cones


def _settings(tolerance: float) -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    settings.max_iter = 200
    # both would forbid that numbers are renewed, and have nothing to do here
    settings.presolve_enable = settings.chordal_decomposition_enable = False
    return settings
