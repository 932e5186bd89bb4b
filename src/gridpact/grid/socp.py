"""The optimal power flow as a convex programme: branch flow model with a second-order cone.

5-decisions, section 13, corrected from [WangYanLuanZhang23] eqs. 5-23: injections are in the
balance, the cone has the sending end's voltage, losses are priced by importing them, and a battery
discharges through a division by its efficiency. `around` replaces the cone by the tangent of the
exact equation at AC power flows (a step of the repair), `elastic` lets limits give way at a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.grid.branch_flow import State, layout, linear_rows
from gridpact.grid.columns import Columns, Pairs
from gridpact.grid.cone_programme import ConeProgramme, Entry
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.problem import Problem
from gridpact.grid.replay import dearest

_SMALLEST_RATING = 1e-6  # unit of what a device does [pu]
_USUAL_EXCESS = 1e-3  # by what limits give way, as a unit [pu]
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


@dataclass(frozen=True, eq=False)
class Elastic:
    """How limits may give way: `price` per pu of excess.

    `alone`: nothing else is minimised, and the devices' duties (a car's energy, a battery's final
    content) may give way too.
    """

    price: float
    alone: bool


@dataclass(frozen=True, eq=False)
class Model:
    """A built programme and how to read its answer.

    `unit` turns a multiplier into a price per MWh; `slack` holds the columns by which limits give
    way, by name of their rows.
    """

    programme: ConeProgramme
    columns: Columns
    unit: float
    slack: dict[str, IntArray]


def build(
    problem: Problem,
    feeder: Feeder,
    columns: Columns,
    v_tangent: FloatArray,
    around: Around | None = None,
    elastic: Elastic | None = None,
) -> Model:
    """Return the programme of a problem, per unit of `feeder` (the problem's net, any base).

    v_tangent: voltage at which the root in ZIP loads is taken, (interval, branch). [pu]
    """
    unit = dearest(problem)
    slack: dict[str, IntArray] = {}
    width = columns.width
    if elastic is not None:
        for name, count in _soft_rows(problem, feeder, columns, elastic.alone).items():
            slack[name] = np.arange(width, width + count)
            width += count
    programme = ConeProgramme(width)
    if elastic is None or not elastic.alone:
        _objective(problem, feeder, columns, programme, unit)
    for name, soft in slack.items():
        programme.cost[soft] = elastic.price if elastic is not None else 0.0
        programme.scale[soft] = _USUAL_EXCESS
        _bound(programme, f"slack of {name}", soft, 0.0, None)
    _network(problem, feeder, columns, programme, v_tangent)
    if around is None:
        _cones(problem, feeder, columns, programme)
    else:
        _tangents(problem, columns, programme, around)
    _limits(problem, feeder, columns, programme, slack)
    _devices(problem, feeder, columns, programme, slack)
    return Model(programme, columns, unit, slack)


def _soft_rows(problem: Problem, feeder: Feeder, at: Columns, duties: bool) -> dict[str, int]:
    """Return how many rows may give way: the net's limits, and the devices' duties if asked."""
    limits, devices = net_limits(problem, feeder), problem.devices
    rated = len(limits.rated[0])
    net = {"v_max": at.v.size, "v_min": at.v.size, "line sent": rated, "line arrived": rated}
    net["import_max"] = int(np.isfinite(limits.most_import).sum())
    net["export_max"] = int(np.isfinite(limits.most_export).sum())
    own = {"ev short": len(devices.ev.bus), "shift short": len(devices.shiftable.bus)}
    own |= dict.fromkeys(("final short", "final over"), len(devices.storage.bus))
    return net | own if duties else net


def _objective(
    problem: Problem, feeder: Feeder, at: Columns, programme: ConeProgramme, unit: float
) -> None:
    """Cost in units of `unit * dt * S_base`, so that its coefficients are about 1."""
    devices, cost, base = problem.devices, programme.cost, feeder.s_base_mva
    cost[at.buy] = problem.price_buy / unit
    cost[at.sell] = -problem.price_sell / unit
    cost[at.pv_p.column] = devices.pv.offer[at.pv_p.k] / unit
    cost[at.shed.column] = devices.curtailable.price[at.shed.k] / unit
    wear = devices.storage.wear_per_mwh / (2 * unit)
    cost[at.charge.column], cost[at.discharge.column] = wear[at.charge.k], wear[at.discharge.k]
    pairs = at.generator_p
    cost[pairs.column] = devices.generator.c1[pairs.k] / unit
    programme.curve("generators", pairs.column, 2 * devices.generator.c2[pairs.k] * base / unit)


def _network(
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


def _cones(problem: Problem, feeder: Feeder, at: Columns, programme: ConeProgramme) -> None:
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


def _tangents(problem: Problem, at: Columns, programme: ConeProgramme, around: Around) -> None:
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
    _bound(
        programme,
        "trust",
        at.controls,
        around.controls - around.radius,
        around.controls + around.radius,
    )


def _limits(
    problem: Problem,
    feeder: Feeder,
    at: Columns,
    programme: ConeProgramme,
    slack: dict[str, IntArray],
) -> None:
    """Voltage bands, line ratings at both ends, what the substation may pass."""
    limits = net_limits(problem, feeder)
    for name, sign, squared in (
        ("v_max", 1.0, limits.v_max[:, 1:] ** 2),
        ("v_min", -1.0, -(limits.v_min[:, 1:] ** 2)),
    ):
        _keep(programme, name, at.v.ravel(), sign, squared.ravel(), slack)
    for name, column, most in (
        ("import_max", at.buy, limits.most_import),
        ("export_max", at.sell, limits.most_export),
    ):
        given = np.isfinite(most)
        _keep(programme, name, column[given], 1.0, most[given], slack)
    t, branch = limits.rated
    P, Q, l = (part[t, branch] for part in (at.P, at.Q, at.l))  # noqa: E741
    first, one = 3 * np.arange(len(t)), np.ones(len(t))
    right = np.zeros((len(t), 3))
    right[:, 0] = limits.ratings
    for name in ("line sent", "line arrived"):
        entries = [(first + 1, P, -one), (first + 2, Q, -one)]
        if name == "line arrived":
            entries.append((first + 1, l, feeder.r[1:][branch]))
            entries.append((first + 2, l, feeder.x[1:][branch]))
        if name in slack:
            entries.append((first, slack[name], -one))
        programme.cone(name, 3, entries, right.ravel())


def _keep(
    programme: ConeProgramme,
    name: str,
    columns: IntArray,
    sign: float,
    right: FloatArray,
    slack: dict[str, IntArray],
) -> None:
    """Add sign * x <= right, by more where there is slack."""
    row, one = np.arange(len(columns)), np.ones(len(columns))
    entries = [(row, columns, sign * one)]
    if name in slack:
        entries.append((row, slack[name], -one))
    programme.at_most(name, entries, right)


def _devices(
    problem: Problem,
    feeder: Feeder,
    at: Columns,
    programme: ConeProgramme,
    slack: dict[str, IntArray],
) -> None:
    devices, base = problem.devices, feeder.s_base_mva
    _bound(programme, "buy", at.buy, 0.0, None)
    _bound(programme, "sell", at.sell, 0.0, None)
    _usual_sizes(problem, at, programme, base)
    _pv(problem, at, programme, base)
    _storage(problem, at, programme, base, slack)
    _cars(problem, at, programme, base, slack)
    _shifts(problem, at, programme, base, slack)
    most = devices.curtailable.most(problem.feeder, problem.load_p_mw) / base
    _bound(programme, "shed", at.shed.column, 0.0, most[at.shed.t, at.shed.k])
    units = devices.generator
    for name, pairs, low, high in (
        ("generator p", at.generator_p, units.p_min_mw, units.p_max_mw),
        ("generator q", at.generator_q, units.q_min_mvar, units.q_max_mvar),
    ):
        _bound(programme, name, pairs.column, low[pairs.k] / base, high[pairs.k] / base)


def _usual_sizes(problem: Problem, at: Columns, programme: ConeProgramme, base: float) -> None:
    """Count what a device does in its own rating: the smallest then weighs like the largest."""
    devices = problem.devices
    for pairs, rating in (
        (at.pv_p, devices.pv.s_mva),
        (at.pv_q, devices.pv.s_mva),
        (at.charge, devices.storage.p_max_mw),
        (at.discharge, devices.storage.p_max_mw),
        (at.ev, devices.ev.p_max_mw),
        (at.generator_p, np.abs(devices.generator.p_max_mw)),
    ):
        programme.scale[pairs.column] = np.maximum(rating[pairs.k] / base, _SMALLEST_RATING)
    capacity = np.maximum(devices.storage.e_max_mwh / base, _SMALLEST_RATING)
    programme.scale[at.energy] = capacity


def _pv(problem: Problem, at: Columns, programme: ConeProgramme, base: float) -> None:
    """0 <= p <= available, (p^2 + q^2) / S^2 <= 1."""
    pv, p, q = problem.devices.pv, at.pv_p, at.pv_q
    if len(p.t):
        most = np.minimum(pv.available_mw[p.t, p.k], pv.s_mva[p.k]) / base
        _bound(programme, "pv", p.column, 0.0, most)
    if not len(q.t):
        return
    active = np.full((problem.intervals, len(pv.bus)), -1)
    active[p.t, p.k] = p.column
    beside = active[q.t, q.k]
    sunny = beside >= 0
    first = 3 * np.arange(len(q.t))
    right = np.zeros((len(q.t), 3))
    right[:, 0] = 1.0
    share = base / pv.s_mva[q.k]
    entries = [
        (first[sunny] + 1, beside[sunny], -share[sunny]),
        (first + 2, q.column, -share),
    ]
    programme.cone("inverter", 3, entries, right.ravel())


def _storage(
    problem: Problem,
    at: Columns,
    programme: ConeProgramme,
    base: float,
    slack: dict[str, IntArray],
) -> None:
    """E_t = E_{t-1} + dt (eta_c ch - dis / eta_d); the last E is given."""
    units, T = problem.devices.storage, problem.intervals
    count = len(units.bus)
    if count == 0:
        return
    most = units.p_max_mw / base
    _bound(programme, "charge", at.charge.column, 0.0, most[at.charge.k])
    _bound(programme, "discharge", at.discharge.column, 0.0, most[at.discharge.k])
    device = np.tile(np.arange(count), T - 1)
    column = at.energy.ravel()
    _bound(
        programme, "energy", column, units.e_min_mwh[device] / base, units.e_max_mwh[device] / base
    )
    row = np.arange(column.size)
    one = np.ones(column.size)
    entries: list[Entry] = [(row, column, one), (row + count, column, -one)]
    for pairs, rate in (
        (at.charge, -problem.dt_h * units.eta_charge),
        (at.discharge, problem.dt_h / units.eta_discharge),
    ):
        entries.append((pairs.t * count + pairs.k, pairs.column, rate[pairs.k]))
    right = np.zeros((T, count))
    right[0] += units.e_0_mwh / base
    right[-1] -= units.final / base
    if "final short" in slack:
        last = (T - 1) * count + np.arange(count)
        entries.append((last, slack["final short"], -np.ones(count)))
        entries.append((last, slack["final over"], np.ones(count)))
    programme.equal("storage", entries, right.ravel())


def _cars(
    problem: Problem,
    at: Columns,
    programme: ConeProgramme,
    base: float,
    slack: dict[str, IntArray],
) -> None:
    """The sum of eta p dt over the window is the energy asked for."""
    cars, pairs = problem.devices.ev, at.ev
    if len(pairs.t) == 0:
        return
    _bound(programme, "ev", pairs.column, 0.0, cars.p_max_mw[pairs.k] / base)
    asking = np.unique(pairs.k)
    row = np.searchsorted(asking, pairs.k)
    entries = [(row, pairs.column, cars.eta[pairs.k] * problem.dt_h)]
    if "ev short" in slack:
        entries.append((np.arange(len(asking)), slack["ev short"][asking], np.ones(len(asking))))
    programme.equal("ev energy", entries, cars.energy_mwh[asking] / base)


def _shifts(
    problem: Problem,
    at: Columns,
    programme: ConeProgramme,
    base: float,
    slack: dict[str, IntArray],
) -> None:
    """The sum of p dt over the window is the energy asked for; variables count from the floor."""
    loads, pairs = problem.devices.shiftable, at.shift
    if len(pairs.t) == 0:
        return
    room = (loads.p_max_mw - loads.p_min_mw) / base
    _bound(programme, "shift", pairs.column, 0.0, room[pairs.t, pairs.k])
    asking = np.unique(pairs.k)
    row = np.searchsorted(asking, pairs.k)
    entries = [(row, pairs.column, np.full(len(row), problem.dt_h))]
    if "shift short" in slack:
        entries.append((np.arange(len(asking)), slack["shift short"][asking], np.ones(len(asking))))
    least, _ = loads.energies(problem.dt_h)
    programme.equal("shift energy", entries, (loads.energy_mwh - least)[asking] / base)


def _bound(
    programme: ConeProgramme,
    name: str,
    columns: IntArray,
    low: FloatArray | float,
    high: FloatArray | float | None,
) -> None:
    """low <= x <= high; no upper bound when `high` is None."""
    row, one = np.arange(len(columns)), np.ones(len(columns))
    programme.at_most(f"{name} low", [(row, columns, -one)], -np.broadcast_to(low, (len(columns),)))
    if high is not None:
        programme.at_most(
            f"{name} high", [(row, columns, one)], np.broadcast_to(high, (len(columns),))
        )
