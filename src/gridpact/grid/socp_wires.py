"""What do the wires demand of an optimal power flow? Balance, voltage drop, the current's cone.

Rows of the programme that `socp` builds: the branch flow equations, and for the current either the
relaxation's cone or, in a step of the repair, the tangent of the exact equation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.grid.branch_flow import State, layout, linear_rows
from gridpact.grid.columns import Columns, Pairs
from gridpact.grid.cone_programme import ConeProgramme, Entry
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.problem import Problem
from gridpact.grid.socp_limits import bound

_SMALLEST_FLOW = 0.1  # unit of a branch's flow; smaller ones cost the solver steps, tried to 1e-4


@dataclass(frozen=True, eq=False)
class Around:
    """A point to linearise at: AC states by interval, the controls there, a trust radius [pu].

    curvature: of the Lagrangian in P and Q of each branch, from the last multipliers of the
    exact equation, (interval, branch); without it steps overshoot along the losses.
    """

    states: Sequence[State]
    controls: FloatArray
    radius: float
    curvature: FloatArray


def network(
    problem: Problem,
    feeder: Feeder,
    at: Columns,
    programme: ConeProgramme,
    v_tangent: FloatArray,
) -> None:
    """Balance at every bus and voltage drop along every branch."""
    T, m = at.P.shape
    rows = linear_rows(feeder).tocoo()
    line, column, value = (*rows.coords, rows.data)
    # what meets a bus's own voltage (shunts, ZIP loads) is written once, below
    plain = (value != 0) & ~((line < 2 * m) & (column >= 3 * m))
    hours = np.arange(T)[:, None]
    entries: list[Entry] = [
        (
            (hours * 3 * m + line[plain]).ravel(),
            (hours * 4 * m + column[plain]).ravel(),
            np.tile(value[plain], T),
        )
    ]
    root = problem.v_root**2
    right = np.zeros((T, 3, m))
    right[:, 2, feeder.parent[1:] == 0] = root[:, None]
    top: list[Entry] = [(np.arange(T), at.buy, np.ones(T)), (np.arange(T), at.sell, -np.ones(T))]
    below = np.flatnonzero(feeder.parent[1:] == 0)
    t, branch = np.repeat(np.arange(T), len(below)), np.tile(below, T)
    top.append((t, at.P[t, branch], -np.ones(len(t))))
    a, b, c = problem.zip_p
    root_load = problem.load_p_mw[:, 0] * (a * root + b * problem.v_root + c) / feeder.s_base_mva
    root_load += feeder.conductance[0] * root
    for pairs, buses, worth, row in _injections(problem, at):
        place = np.array([feeder.at(int(bus)) for bus in buses], dtype=np.int64)[pairs.k]
        inner = place > 0
        line = pairs.t * 3 * m + row * m + place - 1
        entries.append((line[inner], pairs.column[inner], worth[inner]))
        if row == 0:
            top.append((pairs.t[~inner], pairs.column[~inner], worth[~inner]))
    shift, least = problem.devices.shiftable, problem.devices.shiftable.floor(T)
    fixed_p, fixed_q = np.zeros((2, T, feeder.size))
    for k, bus in enumerate(shift.bus):
        fixed_p[:, feeder.at(int(bus))] += least[:, k] / feeder.s_base_mva
        fixed_q[:, feeder.at(int(bus))] += least[:, k] * shift.mvar_per_mw[k] / feeder.s_base_mva
    root_load += fixed_p[:, 0]
    both = (
        (problem.load_p_mw, fixed_p, problem.zip_p, -feeder.conductance[1:]),
        (problem.load_q_mvar, fixed_q, problem.zip_q, feeder.shunt[1:]),
    )
    for row, (load, fixed, (a, b, c), shunt) in enumerate(both):
        nominal = load[:, 1:] / feeder.s_base_mva
        # b sqrt(v) by its tangent at the squared voltage v_tangent**2
        right[:, row] = nominal * (c + b * v_tangent / 2) + fixed[:, 1:]
        follows = np.flatnonzero(shunt) if not (a or b) else np.arange(m)
        slope = (shunt - nominal * (a + b / (2 * v_tangent)))[:, follows]
        line = (hours * 3 * m + row * m + follows).ravel()
        entries.append((line, at.v[:, follows].ravel(), slope.ravel()))
    programme.equal("network", entries, right.ravel())
    programme.equal("root", top, root_load)


def _injections(problem: Problem, at: Columns) -> list[tuple[Pairs, IntArray, FloatArray, int]]:
    """Return (variables, buses, power of one, 0 for active or 1 for reactive) of all devices."""
    devices, feeder = problem.devices, problem.feeder
    shift, shed = devices.shiftable, devices.curtailable
    plain = [
        (at.pv_p, devices.pv.bus, 1.0, 0),
        (at.pv_q, devices.pv.bus, 1.0, 1),
        (at.charge, devices.storage.bus, -1.0, 0),
        (at.discharge, devices.storage.bus, 1.0, 0),
        (at.ev, devices.ev.bus, -1.0, 0),
        (at.generator_p, devices.generator.bus, 1.0, 0),
        (at.generator_q, devices.generator.bus, 1.0, 1),
        (at.shift, shift.bus, -1.0, 0),
        (at.shed, shed.bus, 1.0, 0),
    ]
    with_active = shed.mvar_per_mw(feeder, problem.load_p_mw, problem.load_q_mvar)
    return [
        *((pairs, buses, np.full(len(pairs.t), sign), row) for pairs, buses, sign, row in plain),
        (at.shift, shift.bus, -shift.mvar_per_mw[at.shift.k], 1),
        (at.shed, shed.bus, with_active[at.shed.t, at.shed.k], 1),
    ]


def cones(problem: Problem, feeder: Feeder, at: Columns, programme: ConeProgramme) -> None:
    """|| (2 P, 2 Q, l - v_i) || <= l + v_i, v_i at the sending end.

    Written for P/s, Q/s and l/s^2, s the usual flow of the branch: the same cone, but one whose
    terms are all about 1, at the root as at the leaves.
    """
    count = at.P.size
    first = 4 * np.arange(count).reshape(at.P.shape)
    one = np.ones(at.P.shape)
    usual = np.broadcast_to(usual_flow(problem, feeder), at.P.shape)
    programme.scale[at.P] = programme.scale[at.Q] = usual
    programme.scale[at.l] = usual**2
    inner = layout(feeder).inner
    above = at.v[:, layout(feeder).above[inner]]
    terms = [
        (first, at.l, -1 / usual**2),
        (first + 1, at.P, -2 / usual),
        (first + 2, at.Q, -2 / usual),
        (first + 3, at.l, -1 / usual**2),
        (first[:, inner], above, -one[:, inner]),
        (first[:, inner] + 3, above, one[:, inner]),
    ]
    right = np.zeros((*at.P.shape, 4))
    top = feeder.parent[1:] == 0
    right[:, top, 0] = problem.v_root[:, None] ** 2
    right[:, top, 3] = -(problem.v_root[:, None] ** 2)
    entries = [(row.ravel(), column.ravel(), value.ravel()) for row, column, value in terms]
    programme.cone("current", 4, entries, right.ravel())


def usual_flow(problem: Problem, feeder: Feeder) -> FloatArray:
    """Return the power that loads and devices below each branch may ask for. (branch,) [pu]"""
    below = np.hypot(problem.load_p_mw, problem.load_q_mvar).max(axis=0)
    devices = problem.devices
    for buses, power in (
        (devices.pv.bus, devices.pv.s_mva),
        (devices.storage.bus, devices.storage.p_max_mw),
        (devices.ev.bus, devices.ev.p_max_mw),
        (devices.generator.bus, np.abs(devices.generator.p_max_mw)),
        (devices.shiftable.bus, devices.shiftable.p_max_mw.max(axis=0, initial=0.0)),
    ):
        places = np.array([feeder.at(int(bus)) for bus in buses], dtype=np.int64)
        np.add.at(below, places, power)
    return np.maximum(feeder.up(below)[1:] / feeder.s_base_mva, _SMALLEST_FLOW)


def tangents(problem: Problem, at: Columns, programme: ConeProgramme, around: Around) -> None:
    """`l v_i = P^2 + Q^2` linearised at AC states, and a box around the controls."""
    feeder = problem.feeder
    inner, top = layout(feeder).inner, feeder.parent[1:] == 0
    P, Q, l, above = (  # noqa: E741
        np.array([getattr(now, name) for now in around.states])
        for name in ("P", "Q", "l", "v_above")
    )
    row = np.arange(at.P.size).reshape(at.P.shape)
    terms = [
        (row, at.l, above),
        (row, at.P, -2 * P),
        (row, at.Q, -2 * Q),
        (row[:, inner], at.v[:, layout(feeder).above[inner]], l[:, inner]),
    ]
    right = l * above - 2 * P**2 - 2 * Q**2 + l * above
    right[:, top] -= (l * above)[:, top]
    entries = [(row.ravel(), column.ravel(), value.ravel()) for row, column, value in terms]
    programme.equal("current", entries, right.ravel())
    for name, column, centre in (("P", at.P, P), ("Q", at.Q, Q)):
        programme.curve(name, column, around.curvature)
        programme.cost[column] -= around.curvature * centre
    bound(
        programme,
        "trust",
        at.controls,
        around.controls - around.radius,
        around.controls + around.radius,
    )
