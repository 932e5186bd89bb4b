"""What do devices demand of an optimal power flow? Their bounds, contents and energies.

Rows of the programme that `socp` builds: PV, batteries, cars, shiftable and curtailable loads,
generators.
"""

from collections.abc import Mapping

import numpy as np

from gridpact.grid.columns import Columns, Pairs
from gridpact.grid.cone_programme import ConeProgramme, Entry
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.problem import Problem
from gridpact.grid.socp_limits import bound

_SMALLEST_RATING = 1e-6  # unit of what a device does [pu]


def devices(
    problem: Problem,
    feeder: Feeder,
    at: Columns,
    programme: ConeProgramme,
    slack: Mapping[str, IntArray],
) -> None:
    devices, base = problem.devices, feeder.s_base_mva
    bound(programme, "buy", at.buy, 0.0, None)
    bound(programme, "sell", at.sell, 0.0, None)
    _usual_sizes(problem, at, programme, base)
    _pv(problem, at, programme, base)
    _storage(problem, at, programme, base, slack)
    _cars(problem, at, programme, base, slack)
    _shifts(problem, at, programme, base, slack)
    most = devices.curtailable.most(problem.feeder, problem.load_p_mw) / base
    bound(programme, "shed", at.shed.column, 0.0, most[at.shed.t, at.shed.k])
    units = devices.generator
    for name, pairs, low, high in (
        ("generator p", at.generator_p, units.p_min_mw, units.p_max_mw),
        ("generator q", at.generator_q, units.q_min_mvar, units.q_max_mvar),
    ):
        bound(programme, name, pairs.column, low[pairs.k] / base, high[pairs.k] / base)


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
        bound(programme, "pv", p.column, 0.0, most)
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
    slack: Mapping[str, IntArray],
) -> None:
    """E_t = E_{t-1} + dt (eta_c ch - dis / eta_d); the last E is given."""
    units, T = problem.devices.storage, problem.intervals
    count = len(units.bus)
    if count == 0:
        return
    most = units.p_max_mw / base
    bound(programme, "charge", at.charge.column, 0.0, most[at.charge.k])
    bound(programme, "discharge", at.discharge.column, 0.0, most[at.discharge.k])
    device = np.tile(np.arange(count), T - 1)
    column = at.energy.ravel()
    bound(
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
    slack: Mapping[str, IntArray],
) -> None:
    """The sum of eta p dt over the window is the energy asked for."""
    cars, pairs = problem.devices.ev, at.ev
    bound(programme, "ev", pairs.column, 0.0, cars.p_max_mw[pairs.k] / base)
    worth, asked = cars.eta * problem.dt_h, cars.energy_mwh / base
    _energy(programme, "ev", pairs, worth, asked, slack.get("ev short"))


def _shifts(
    problem: Problem,
    at: Columns,
    programme: ConeProgramme,
    base: float,
    slack: Mapping[str, IntArray],
) -> None:
    """The sum of p dt over the window is the energy asked for; variables count from the floor."""
    loads, pairs = problem.devices.shiftable, at.shift
    room = (loads.p_max_mw - loads.p_min_mw) / base
    bound(programme, "shift", pairs.column, 0.0, room[pairs.t, pairs.k])
    least, _ = loads.energies(problem.dt_h)
    worth, asked = np.full(len(loads.bus), problem.dt_h), (loads.energy_mwh - least) / base
    _energy(programme, "shift", pairs, worth, asked, slack.get("shift short"))


def _energy(
    programme: ConeProgramme,
    name: str,
    pairs: Pairs,
    worth: FloatArray,
    asked: FloatArray,
    short: IntArray | None,
) -> None:
    """Each device that has a choice gets what it asks for, less what it falls short by.

    worth: energy that a unit of its power is in one interval; asked, short: (device,).
    """
    asking = np.unique(pairs.k)
    entries = [(np.searchsorted(asking, pairs.k), pairs.column, worth[pairs.k])]
    if short is not None:
        entries.append((np.arange(len(asking)), short[asking], np.ones(len(asking))))
    programme.equal(f"{name} energy", entries, asked[asking])
