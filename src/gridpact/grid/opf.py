"""How should a feeder be run at least cost, and what is energy worth at each bus?

`solve` relaxes (`socp`), asks whether the answer is physics (`exactness`), prices it (`dlmp`),
repairs it where it is not (`repair`), and where limits cannot hold together says which. What it
calls optimal has passed an AC power flow.
"""

from dataclasses import replace

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid import tangent
from gridpact.grid.columns import Columns, free_directions, lay_out
from gridpact.grid.cone_solver import SOLVER, TIGHT, Answer, ConeSolver
from gridpact.grid.directions import BURNED
from gridpact.grid.dlmp import nodal_prices
from gridpact.grid.duties import ease
from gridpact.grid.exactness import at_bound, burned, is_exact, measure
from gridpact.grid.feeder import Feeder, FloatArray, rebased
from gridpact.grid.kept import Kept
from gridpact.grid.limits import (
    EXPORT,
    IMPORT,
    LINE_ARRIVED,
    LINE_SENT,
    V_MAX,
    V_MIN,
    limit_name,
    margins,
    names,
)
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import (
    Conflict,
    Exactness,
    Problem,
    Schedule,
    SetPoints,
    Solution,
    Status,
)
from gridpact.grid.repair import OperatingPoint, repair
from gridpact.grid.replay import cost, replay, set_points
from gridpact.grid.socp import Elastic, Model, build

_SLACK_SHOWN = 1e-5
_EXCESS = 1e-6


def solve(problem: Problem, kept: Kept | None = None) -> Solution:
    """Return the optimal power flow of a problem: optimal, inexact (repaired) or infeasible.

    kept: what an earlier call left; when only numbers differ since then, its matrices are renewed.

    Raises
    ------
    FeederError
        Numbers that cannot be used (shapes, unknown buses, crossed limits).
    """
    problem.checked()
    conflicts, possible = ease(problem)
    if conflicts:
        eased = solve(possible, kept)
        conflicts += eased.conflicts
        return replace(eased, status="infeasible", bound=-np.inf, conflicts=conflicts)
    feeder = rebased(problem.feeder, base_power(problem))
    columns = lay_out(problem, free_directions(problem))
    model, answer = _relax(problem, feeder, columns, kept or Kept())
    if not answer.solved:
        conflicts = _explain(problem, feeder, columns)
        return _repaired(problem, repair(problem, feeder), -np.inf, None, conflicts)
    points = set_points(problem, columns, answer.x, feeder.s_base_mva)
    scale = model.unit * problem.dt_h * feeder.s_base_mva
    money = answer.objective * scale, answer.bound * scale
    found, x = None, answer.x
    try:
        flow = replay(problem, feeder, points)
    except PowerFlowDiverged:
        flow = None
    if flow is not None:
        sent = x[columns.P], x[columns.Q]
        found = measure(problem, points, flow, x[columns.v], x[columns.l], sent, money)
        exact = is_exact(problem, found, feeder.s_base_mva)
        physics = found if exact else at_bound(problem, found, feeder.s_base_mva)
        if physics is not None:
            point = OperatingPoint(points, flow, model, answer, answer.objective, 0.0)
            return _solution("optimal", problem, point, money[0], money[1], physics)
    return _repaired(problem, repair(problem, feeder, (x, points)), money[1], found, ())


def base_power(problem: Problem) -> float:
    """Return a power near the feeder's own as a base, so that per-unit values are about 1. [MVA]"""
    devices = problem.devices
    power = np.hypot(problem.load_p_mw, problem.load_q_mvar).sum(axis=1).max()
    power += devices.pv.s_mva.sum() + np.abs(devices.generator.p_max_mw).sum()
    power += devices.storage.p_max_mw.sum() + devices.ev.p_max_mw.sum()
    power += devices.shiftable.p_max_mw.sum(axis=1).max(initial=0.0)
    return float(10.0 ** np.round(np.log10(max(power, 1e-6))))


def _relax(problem: Problem, feeder: Feeder, columns: Columns, kept: Kept) -> tuple[Model, Answer]:
    """Solve the relaxation; with constant-current loads until their tangents stand still."""
    at, curved = tangent.first(problem, feeder, kept.v), tangent.is_curved(problem)
    rough = curved
    for _ in range(tangent.STEPS):
        model = build(problem, feeder, columns, at)
        answer = kept.relaxation.solve(model.programme, tangent.ROUGH if rough else TIGHT)
        if not answer.solved or not curved:
            break
        kept.v = np.sqrt(answer.x[columns.v])
        moved = np.abs(kept.v - at)
        if not rough and tangent.is_still(problem, feeder, moved):
            break
        then = tangent.next_move(problem, feeder, moved)
        rough = not tangent.is_still(problem, feeder, then)
        points = set_points(problem, columns, answer.x, feeder.s_base_mva)
        at = tangent.true_voltages(problem, feeder, points, kept.v)
    return model, answer


def _repaired(
    problem: Problem,
    point: OperatingPoint | None,
    bound: float,
    found: Exactness | None,
    conflicts: tuple[Conflict, ...],
) -> Solution:
    """Return the repaired point as inexact, or as infeasible when it breaks a limit."""
    if point is None:
        unreached = (Conflict("no set points were found that have a power flow"),)
        return Solution("infeasible", SOLVER, np.nan, bound, None, found, unreached + conflicts)
    money = cost(problem, point.points, point.flow)
    conflicts = conflicts or _broken(problem, point.flow) + _burning(problem, point.points)
    status: Status = "infeasible" if conflicts else "inexact"
    return _solution(status, problem, point, money, min(bound, money), found, conflicts)


def _solution(
    status: Status,
    problem: Problem,
    point: OperatingPoint,
    objective: float,
    bound: float,
    found: Exactness | None,
    conflicts: tuple[Conflict, ...] = (),
) -> Solution:
    flow = point.flow
    base = flow.feeder.s_base_mva
    schedule = Schedule(
        voltage=flow.v,
        import_mw=flow.supply.real * base,
        loss_mwh=flow.loss * base * problem.dt_h,
        set_points=point.points,
        prices=nodal_prices(problem, point.model, point.answer, flow),
    )
    return Solution(status, SOLVER, objective, bound, schedule, found, conflicts)


def _explain(problem: Problem, feeder: Feeder, columns: Columns) -> tuple[Conflict, ...]:
    """Find out which limits conflict: let all give way and see which have to.

    Empty when none has to: then the solver gave up on a feasible problem.
    """
    tangent = np.ones((problem.intervals, feeder.size - 1))
    model = build(problem, feeder, columns, tangent, elastic=Elastic(1.0, True))
    least = ConeSolver().solve(model.programme)
    if not least.solved:
        return (Conflict("the lines cannot carry the load at any voltage"),)
    return _given_way(problem, feeder, model, least.x)


def _given_way(
    problem: Problem, feeder: Feeder, model: Model, x: FloatArray
) -> tuple[Conflict, ...]:
    """Return the limits that gave way, with every interval in which they did."""
    devices, limits = problem.devices, net_limits(problem, feeder)
    t, bus = (part.ravel() for part in np.indices((problem.intervals, feeder.size - 1)))
    root = np.zeros(problem.intervals, dtype=np.int64)
    where = {
        "v_max": (V_MAX, t, bus + 1),
        "v_min": (V_MIN, t, bus + 1),
        "line sent": (LINE_SENT, limits.rated[0], limits.rated[1] + 1),
        "line arrived": (LINE_ARRIVED, limits.rated[0], limits.rated[1] + 1),
        "import_max": (IMPORT, np.flatnonzero(np.isfinite(limits.most_import)), root),
        "export_max": (EXPORT, np.flatnonzero(np.isfinite(limits.most_export)), root),
    }
    found: list[Conflict] = []
    for name, (kind, intervals, places) in where.items():
        for row in np.flatnonzero(x[model.slack[name]] > _SLACK_SHOWN):
            limit = limit_name(feeder, kind, int(places[row]))
            found.append(Conflict(limit, int(intervals[row])))
    late = np.flatnonzero(x[model.slack["ev short"]] > _SLACK_SHOWN)
    found += [Conflict(f"energy of ev {k} at bus {devices.ev.bus[k]}") for k in late]
    late = np.flatnonzero(x[model.slack["shift short"]] > _SLACK_SHOWN)
    shift = devices.shiftable
    found += [Conflict(f"energy of shiftable load {k} at bus {shift.bus[k]}") for k in late]
    final = x[model.slack["final short"]] + x[model.slack["final over"]]
    missed = np.flatnonzero(final > _SLACK_SHOWN)
    found += [
        Conflict(f"final energy of storage {k} at bus {devices.storage.bus[k]}") for k in missed
    ]
    return tuple(dict.fromkeys(found))


def _burning(problem: Problem, points: SetPoints) -> tuple[Conflict, ...]:
    """Return the batteries that still charge and discharge at once."""
    buses, power = problem.devices.storage.bus, burned(points)
    limit = 2 * BURNED * np.maximum(problem.devices.storage.p_max_mw, 1e-9)
    return tuple(
        Conflict(f"one direction of storage {k} at bus {buses[k]}", int(power[:, k].argmax()))
        for k in np.flatnonzero((power > limit).any(axis=0))
    )


def _broken(problem: Problem, flow: PowerFlow) -> tuple[Conflict, ...]:
    """Return the limits that an AC power flow breaks, interval by interval."""
    broken: list[Conflict] = []
    limits = net_limits(problem, flow.feeder)
    for t in range(problem.intervals):
        found = margins(flow, t, limits.band(t))
        over = found.choose(found.excess > _EXCESS)
        broken += [Conflict(name, t) for name in names(flow.feeder, over)]
    return tuple(broken)
