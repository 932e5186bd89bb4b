"""What is the best that the wires really allow, when the relaxation is not exact?

Sequential convex programming around AC power flows: the cone is replaced by the tangent of the
exact equation at the present point, controls move within a trust radius, limits may give way at a
high price while under way, and a step counts only if the AC power flow confirms it. Batteries that
burn energy by charging and discharging at once are held to one direction.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.branch_flow import state
from gridpact.grid.columns import Columns, Directions, free_directions, lay_out
from gridpact.grid.cone_programme import Answer
from gridpact.grid.exactness import burned
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Problem, SetPoints
from gridpact.grid.replay import cost, replay, set_points
from gridpact.grid.socp import Around, Elastic, Model, build

_STEPS = 60
_ROUNDS = 8
_STILL = 1e-8
_EXCESS_PRICE = 1e3
_BURNED = 1e-5
_SMALLEST_RADIUS = 1e-7


@dataclass(frozen=True, eq=False)
class Repaired:
    """An AC operating point, with the programme whose multipliers are its prices."""

    points: SetPoints
    flow: PowerFlow
    model: Model
    answer: Answer


def one_direction(problem: Problem, points: SetPoints, so_far: Directions) -> Directions:
    """Return directions in which no battery that now burns energy can do so."""
    burning = burned(points) > _BURNED * np.maximum(problem.devices.storage.p_max_mw, 1e-9)
    emptying = points.discharge_mw >= points.charge_mw
    return Directions(
        so_far.charge & ~(burning & emptying), so_far.discharge & ~(burning & ~emptying)
    )


def repair(problem: Problem, feeder: Feeder, relaxed: SetPoints) -> Repaired | None:
    """Return an AC-feasible (or least violating) point near the relaxation's optimum.

    None when no start was found: the batteries' duties fit no single direction, or nothing has a
    power flow.
    """
    directions, points = free_directions(problem), relaxed
    found = None
    for _ in range(_ROUNDS):
        directions = one_direction(problem, points, directions)
        columns = lay_out(problem, directions)
        start = _start(problem, feeder, columns)
        if start is None:
            return found
        found = _descend(problem, feeder, columns, start)
        points = found.points
        fixed = one_direction(problem, points, directions)
        if (fixed.charge == directions.charge).all() and (
            fixed.discharge == directions.discharge
        ).all():
            break
    return found


def _start(
    problem: Problem, feeder: Feeder, columns: Columns
) -> tuple[FloatArray, SetPoints, PowerFlow] | None:
    """Return the relaxation's optimum in the given directions with its AC power flow."""
    flat = np.ones((problem.intervals, feeder.size - 1))
    answer = build(problem, feeder, columns, flat).programme.solve()
    if not answer.solved:
        model = build(problem, feeder, columns, flat, elastic=Elastic(_EXCESS_PRICE, False))
        answer = model.programme.solve()
    if not answer.solved:
        return None
    points = set_points(problem, columns, answer.x, feeder.s_base_mva)
    try:
        return answer.x, points, replay(problem, feeder, points)
    except PowerFlowDiverged:
        return None


def _descend(
    problem: Problem,
    feeder: Feeder,
    columns: Columns,
    start: tuple[FloatArray, SetPoints, PowerFlow],
) -> Repaired:
    """Walk downhill in cost plus priced excess until the linearisation promises nothing more."""
    x, points, flow = start
    unit_price, radius = _EXCESS_PRICE, 1.0
    elastic = Elastic(unit_price, False)
    best: Repaired | None = None
    for _ in range(_STEPS):
        states = [state(flow, t) for t in range(problem.intervals)]
        around = Around(states, x[columns.controls], radius)
        model = build(problem, feeder, columns, flow.v[:, 1:], around, elastic)
        answer = model.programme.solve()
        if best is None or answer.solved:
            best = Repaired(points, flow, model, answer)
        if not answer.solved:
            radius /= 4
            if radius < _SMALLEST_RADIUS:
                break
            continue
        here = _merit(problem, points, flow, model.unit, unit_price)
        promised = here - answer.objective
        if promised <= _STILL * max(1.0, abs(here)):
            break
        tried = set_points(problem, columns, answer.x, feeder.s_base_mva)
        gained = -np.inf
        try:
            after = replay(problem, feeder, tried)
            gained = here - _merit(problem, tried, after, model.unit, unit_price)
        except PowerFlowDiverged:
            pass
        if gained > 0.1 * promised:
            x, points, flow = answer.x, tried, after
        if gained > 0.75 * promised:
            radius *= 2
        elif gained < 0.25 * promised:
            radius /= 4
        if radius < _SMALLEST_RADIUS:
            break
    if best is None:
        raise AssertionError("no step was tried")
    return Repaired(points, flow, best.model, best.answer)


def _merit(
    problem: Problem, points: SetPoints, flow: PowerFlow, unit: float, excess_price: float
) -> float:
    """Return what the programme minimises, with AC power flow in place of its tangent."""
    feeder = flow.feeder
    squared = flow.v[:, 1:] ** 2
    excess = np.maximum(squared - problem.v_max**2, 0).sum()
    excess += np.maximum(problem.v_min**2 - squared, 0).sum()
    rated = np.flatnonzero(np.isfinite(feeder.s_max))
    for end in (flow.sent, flow.arrived):
        excess += np.maximum(np.abs(end[:, rated]) - feeder.s_max[rated], 0).sum()
    money = cost(problem, points, flow) / (unit * problem.dt_h * feeder.s_base_mva)
    return money + excess_price * float(excess)
