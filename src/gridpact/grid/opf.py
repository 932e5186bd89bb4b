"""How should a feeder be run at least cost, and what is energy worth at each bus?

`solve` relaxes (`socp`), asks whether the answer is physics (`exactness`), prices it (`dlmp`),
repairs it where it is not (`repair`), and where limits cannot hold together says which. What it
calls optimal has passed an AC power flow.
"""

import numpy as np

from gridpact.errors import GridError, PowerFlowDiverged
from gridpact.grid.columns import Columns, free_directions, lay_out
from gridpact.grid.cone_programme import SOLVER, Answer
from gridpact.grid.dlmp import nodal_prices
from gridpact.grid.exactness import is_exact, measure, worst_excess
from gridpact.grid.feeder import Feeder, FloatArray, rebased
from gridpact.grid.limits import Band, margins, names
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Exactness, Problem, SetPoints, Solution, Status
from gridpact.grid.repair import repair
from gridpact.grid.replay import cost, replay, set_points
from gridpact.grid.socp import Elastic, Model, build

_TANGENT_STILL = 1e-8
_TANGENT_STEPS = 20
_SLACK_SHOWN = 1e-5
_EXCESS = 1e-6


def solve(problem: Problem) -> Solution:
    """Return the optimal power flow of a problem: optimal, inexact (repaired) or infeasible.

    Raises
    ------
    FeederError
        Numbers that cannot be used (shapes, unknown buses, crossed limits).
    GridError
        The solver gave up without an answer or a proof.
    """
    problem.checked()
    if conflicts := impossible_duties(problem):
        return Solution("infeasible", SOLVER, conflicts=conflicts)
    feeder = rebased(problem.feeder, _size(problem))
    columns = lay_out(problem, free_directions(problem))
    model, answer = _relax(problem, feeder, columns)
    if not answer.solved:
        return _explain(problem, feeder, columns, answer)
    points = set_points(problem, columns, answer.x, feeder.s_base_mva)
    bound = answer.objective * model.unit * problem.dt_h * feeder.s_base_mva
    try:
        flow = replay(problem, feeder, points)
    except PowerFlowDiverged:
        return _repaired(problem, feeder, points, bound, None)
    x = answer.x
    found = measure(
        problem, points, flow, x[columns.v], x[columns.l], (x[columns.P], x[columns.Q]), bound
    )
    if not is_exact(problem, found, feeder.s_base_mva):
        return _repaired(problem, feeder, points, bound, found)
    return _solution("optimal", problem, model, answer, points, flow, bound, bound, found)


def impossible_duties(problem: Problem) -> tuple[str, ...]:
    """Return what no grid could make possible: a battery outside its band, a car in a hurry."""
    found = []
    storage, ev = problem.devices.storage, problem.devices.ev
    for k, bus in enumerate(storage.bus):
        low, high = storage.e_min_mwh[k], storage.e_max_mwh[k]
        for what, energy in (("start", storage.e_0_mwh[k]), ("end", storage.final[k])):
            if not low - 1e-12 <= energy <= high + 1e-12:
                found.append(
                    f"storage {k} at bus {bus}: {what} {energy:g} MWh is outside {low:g} .. {high:g}"
                )
    for k, bus in enumerate(ev.bus):
        start, end = max(int(ev.start[k]), 0), min(int(ev.end[k]), problem.intervals)
        possible = max(end - start, 0) * problem.dt_h * ev.p_max_mw[k] * ev.eta[k]
        if ev.energy_mwh[k] > possible * (1 + 1e-12):
            found.append(
                f"ev {k} at bus {bus}: {ev.energy_mwh[k]:g} MWh do not fit into its window"
                f" [{ev.start[k]}, {ev.end[k]}) ({possible:g} MWh)"
            )
    return tuple(found)


def _size(problem: Problem) -> float:
    """Return a power near the feeder's own as a base, so that per-unit values are about 1. [MVA]"""
    devices = problem.devices
    power = np.hypot(problem.load_p_mw, problem.load_q_mvar).sum(axis=1).max()
    power += devices.pv.s_mva.sum() + np.abs(devices.generator.p_max_mw).sum()
    power += devices.storage.p_max_mw.sum() + devices.ev.p_max_mw.sum()
    return float(10.0 ** np.round(np.log10(max(power, 1e-6))))


def _relax(problem: Problem, feeder: Feeder, columns: Columns) -> tuple[Model, Answer]:
    """Solve the relaxation; with constant-current loads until their tangents stand still."""
    tangent = np.ones((problem.intervals, feeder.size - 1))
    curved = bool(problem.zip_p[1] or problem.zip_q[1])
    for _ in range(_TANGENT_STEPS):
        model = build(problem, feeder, columns, tangent)
        answer = model.programme.solve()
        if not answer.solved or not curved:
            break
        v = np.sqrt(answer.x[columns.v])
        moved, tangent = float(np.abs(v - tangent).max()), v
        if moved <= _TANGENT_STILL:
            break
    return model, answer


def _repaired(
    problem: Problem,
    feeder: Feeder,
    points: SetPoints,
    bound: float,
    found: Exactness | None,
) -> Solution:
    """Return the AC-feasible repair, or the limits that it cannot hold."""
    better = repair(problem, feeder, points)
    if better is None:
        conflict = "no AC operating point was found from which to start"
        return Solution("infeasible", SOLVER, bound=bound, exactness=found, conflicts=(conflict,))
    if worst_excess(problem, better.flow) > _EXCESS:
        conflicts = _broken(problem, better.flow)
        return Solution("infeasible", SOLVER, bound=bound, exactness=found, conflicts=conflicts)
    money = cost(problem, better.points, better.flow)
    return _solution(
        "inexact",
        problem,
        better.model,
        better.answer,
        better.points,
        better.flow,
        money,
        bound,
        found,
    )


def _solution(
    status: Status,
    problem: Problem,
    model: Model,
    answer: Answer,
    points: SetPoints,
    flow: PowerFlow,
    objective: float,
    bound: float,
    found: Exactness | None,
) -> Solution:
    base = flow.feeder.s_base_mva
    return Solution(
        status=status,
        solver=SOLVER,
        objective=objective,
        bound=bound,
        loss_mwh=float(flow.loss.sum()) * base * problem.dt_h,
        voltage=flow.v,
        import_mw=flow.supply.real * base,
        set_points=points,
        prices=nodal_prices(problem, model, answer, flow),
        exactness=found,
    )


def _explain(problem: Problem, feeder: Feeder, columns: Columns, answer: Answer) -> Solution:
    """Find out which limits conflict: let all give way and see which have to."""
    tangent = np.ones((problem.intervals, feeder.size - 1))
    model = build(problem, feeder, columns, tangent, elastic=Elastic(1.0, True))
    least = model.programme.solve()
    if not least.solved:
        conflict = "the lines cannot carry the load at any voltage"
        return Solution("infeasible", SOLVER, conflicts=(conflict,))
    conflicts = _given_way(problem, feeder, model, least.x)
    if not conflicts:
        raise GridError(f"{SOLVER} gave up on a feasible optimal power flow: {answer.status}")
    return Solution("infeasible", SOLVER, conflicts=conflicts)


def _given_way(problem: Problem, feeder: Feeder, model: Model, x: FloatArray) -> tuple[str, ...]:
    """Return the limits that gave way, the worst interval of each."""
    found = []
    T = problem.intervals
    rated = np.flatnonzero(np.isfinite(feeder.s_max))
    label = {
        "v_max": [f"v_max at bus {bus}" for bus in feeder.ids[1:]],
        "v_min": [f"v_min at bus {bus}" for bus in feeder.ids[1:]],
        "line sent": [f"s_max of {feeder.branch_name(int(place))}" for place in rated],
        "line arrived": [f"s_max of {feeder.branch_name(int(place))}" for place in rated],
    }
    for name, labels in label.items():
        given = x[model.slack[name]].reshape(T, len(labels))
        for k in np.flatnonzero((given > _SLACK_SHOWN).any(axis=0)):
            found.append(f"{labels[k]} in interval {int(given[:, k].argmax())}")
    for k in np.flatnonzero(x[model.slack["ev short"]] > _SLACK_SHOWN):
        found.append(f"energy of ev {k} at bus {problem.devices.ev.bus[k]}")
    final = x[model.slack["final short"]] + x[model.slack["final over"]]
    for k in np.flatnonzero(final > _SLACK_SHOWN):
        found.append(f"final energy of storage {k} at bus {problem.devices.storage.bus[k]}")
    return tuple(dict.fromkeys(found))


def _broken(problem: Problem, flow: PowerFlow) -> tuple[str, ...]:
    """Return the limits that an AC power flow breaks, the first interval of each."""
    first: dict[str, int] = {}
    for t in range(problem.intervals):
        found = margins(flow, t, Band(problem.v_min, problem.v_max))
        for name in names(flow.feeder, found.choose(found.excess > _EXCESS)):
            first.setdefault(name, t)
    return tuple(f"{name} in interval {t}" for name, t in first.items())
