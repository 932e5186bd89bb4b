"""How does a function of the net's state react to injections? One adjoint solve, all intervals.

The branch flow equations linearised at AC power flows, with the squared current eliminated by
`l_j v_i = P_j^2 + Q_j^2`. What remains is three equations per bus that tie a bus to its parent
only; taken from the leaves up they factor without fill, all intervals in one go.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.power_flow import PowerFlow


@dataclass(frozen=True, eq=False)
class Pushes:
    """Gradients of functions with respect to the state of every branch, (function, interval, m)."""

    P: FloatArray
    Q: FloatArray
    l: FloatArray  # noqa: E741 - the symbol of the literature
    v: FloatArray


@dataclass(frozen=True, eq=False)
class _Pattern:
    """Where the transposed Jacobian's entries stand: `order` sorts them into its columns."""

    order: IntArray
    indices: npt.NDArray[np.int32]
    heads: npt.NDArray[np.int32]


@lru_cache(maxsize=64)
def _pattern(feeder: Feeder, intervals: int) -> _Pattern:
    m = feeder.size - 1
    above = feeder.parent[1:] - 1
    inner = np.flatnonzero(above >= 0)
    # unknowns (P, Q, v) of a branch side by side, children before their parents
    first = 3 * (m - 1 - np.arange(m))
    own = [(first + row, first + column) for row in range(3) for column in range(3)]
    parent = first[above[inner]]
    from_parent = [(first[inner] + row, parent + 2) for row in range(3)]
    to_parent = [(parent + row, first[inner] + row) for row in range(2)]
    places = own + from_parent + to_parent
    step = 3 * m * np.arange(intervals)[:, None]
    rows = np.concatenate([(step + row).ravel() for row, _ in places])
    columns = np.concatenate([(step + column).ravel() for _, column in places])
    numbers = np.arange(1, len(rows) + 1)
    placed = sparse.csc_array((numbers, (columns, rows)))
    placed.sort_indices()
    return _Pattern(placed.data - 1, placed.indices, placed.indptr)


def injection_gradients(
    flow: PowerFlow, pushes: Pushes, slope_p: FloatArray, slope_q: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (d function / d p, d function / d q), each (function, interval, bus), 0 at the root.

    slope_p, slope_q: how injection itself grows with the squared voltage of its bus (ZIP loads).
    (interval, m) [pu]
    """
    feeder, T = flow.feeder, len(flow.v)
    m = feeder.size - 1
    above = feeder.parent[1:] - 1
    inner = np.flatnonzero(above >= 0)
    r, x = feeder.r[1:], feeder.x[1:]
    by_voltage_p = slope_p - feeder.conductance[1:]
    by_voltage_q = slope_q + feeder.shunt[1:]
    over = 1 / flow.v[:, feeder.parent[1:]] ** 2
    sent, l = flow.sent[:, 1:], flow.squared_current[:, 1:]  # noqa: E741
    # dl = l_P dP + l_Q dQ + l_v dv_above
    l_P, l_Q, l_v = 2 * sent.real * over, 2 * sent.imag * over, -l * over
    one, z = np.ones((T, m)), r**2 + x**2
    own = [
        *(one - r * l_P, -r * l_Q, by_voltage_p),
        *(-x * l_P, one - x * l_Q, by_voltage_q),
        *(2 * r - z * l_P, 2 * x - z * l_Q, one),
    ]
    from_parent = [(-r * l_v)[:, inner], (-x * l_v)[:, inner], (-one - z * l_v)[:, inner]]
    to_parent = [-one[:, inner], -one[:, inner]]
    values = np.concatenate([part.ravel() for part in own + from_parent + to_parent])
    at = _pattern(feeder, T)
    transposed = sparse.csc_array((values[at.order], at.indices, at.heads))
    wanted = np.zeros((len(pushes.P), T, m, 3))
    wanted[..., 0] = pushes.P + pushes.l * l_P
    wanted[..., 1] = pushes.Q + pushes.l * l_Q
    wanted[..., 2] = pushes.v
    through_current = (pushes.l * l_v)[..., inner].transpose(2, 0, 1)
    np.add.at(wanted[..., 2].transpose(2, 0, 1), above[inner], through_current)
    right = wanted[:, :, ::-1].reshape(len(pushes.P), 3 * T * m)
    # rows this short gain nothing from SuperLU's panels
    factors = splu(transposed, permc_spec="NATURAL", diag_pivot_thresh=0.0, relax=1, panel_size=1)
    solved = factors.solve(np.ascontiguousarray(right.T)).T
    worth = solved.reshape(wanted.shape)[:, :, ::-1]
    by_p, by_q = np.zeros((2, len(pushes.P), T, feeder.size))
    by_p[..., 1:], by_q[..., 1:] = -worth[..., 0], -worth[..., 1]
    return by_p, by_q
