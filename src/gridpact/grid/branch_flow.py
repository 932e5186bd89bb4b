"""Which equations tie the state of a radial net? The branch flow model, its linear rows.

One interval's state is (P, Q, l, v) of every branch and the bus below it: power at the upper end,
squared current, squared voltage. With branch i->j (i upstream) the model of [GanLiTopcuLow15] is

    P_j - r l_j - sum_k P_k + p_j - g_j v_j = 0    Q_j - x l_j - sum_k Q_k + q_j + b_j v_j = 0
    v_j - v_i + 2 (r P_j + x Q_j) - (r^2 + x^2) l_j = 0          l_j v_i = P_j^2 + Q_j^2

where p, q are net injections. The first three are linear and shared by the optimisation (`socp`);
the fourth is relaxed there to a cone, and linearised in `adjoint` (sensitivities) and
`socp_wires` (repair).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.power_flow import PowerFlow


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of the state of one interval: branch b (0 .. m-1) ends at bus b + 1.

    `above` is the branch above the upper bus (-1 at the root), `inner` the branches that have one.
    """

    above: IntArray
    inner: IntArray
    P: IntArray
    Q: IntArray
    l: IntArray  # noqa: E741 - the symbol of the literature
    v: IntArray


@lru_cache(maxsize=32)
def layout(feeder: Feeder) -> Layout:
    above = feeder.parent[1:] - 1
    places = np.arange(4 * (feeder.size - 1)).reshape(4, -1)
    return Layout(above, np.flatnonzero(above >= 0), *places)


@lru_cache(maxsize=32)
def linear_rows(feeder: Feeder) -> sparse.csr_array:
    """Return active balance, reactive balance and voltage drop of every branch, (3 m, 4 m).

    The drop rows of branches at the root have the constant `v_root**2` on the right-hand side.
    """
    at, count = layout(feeder), feeder.size - 1
    r, x, shunt, leak = feeder.r[1:], feeder.x[1:], feeder.shunt[1:], feeder.conductance[1:]
    leaking = np.flatnonzero(leak)
    inner, one = at.inner, np.ones(count)
    parent = at.above[inner]
    active, reactive, drop = at.P, at.Q, at.l
    entries = [
        (active, at.P, one),
        (active, at.l, -r),
        (leaking, at.v[leaking], -leak[leaking]),
        (parent, at.P[inner], -one[inner]),
        (reactive, at.Q, one),
        (reactive, at.l, -x),
        (count + parent, at.Q[inner], -one[inner]),
        (reactive, at.v, shunt),
        (drop, at.v, one),
        (drop[inner], at.v[parent], -one[inner]),
        (drop, at.P, 2 * r),
        (drop, at.Q, 2 * x),
        (drop, at.l, -(r**2 + x**2)),
    ]
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    return sparse.csr_array((values, (rows, columns)), shape=(3 * count, 4 * count))


@dataclass(frozen=True)
class State:
    """Branch flow quantities of one interval, per branch. [pu]"""

    P: FloatArray
    Q: FloatArray
    l: FloatArray  # noqa: E741 - the symbol of the literature
    v: FloatArray
    v_above: FloatArray


def state(flow: PowerFlow, interval: int) -> State:
    """Return one interval of a power flow as branch flow quantities."""
    squared = flow.v[interval] ** 2
    sent = flow.sent[interval, 1:]
    return State(
        P=sent.real,
        Q=sent.imag,
        l=flow.squared_current[interval, 1:],
        v=squared[1:],
        v_above=squared[flow.feeder.parent[1:]],
    )
