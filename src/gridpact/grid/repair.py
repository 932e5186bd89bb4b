"""What is the best that the wires really allow, when the relaxation is not exact?

Sequential convex programming around AC power flows: the cone is replaced by the tangent of the
exact equation at the present point, controls move within a trust radius, limits may give way at a
high price while under way, and a step counts only if the AC power flow confirms it. Batteries that
burn energy by charging and discharging at once are held to one direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.branch_flow import State, state
from gridpact.grid.columns import Columns, Directions, free_directions, lay_out
from gridpact.grid.cone_solver import Answer, ConeSolver
from gridpact.grid.exactness import burned
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Problem, SetPoints
from gridpact.grid.replay import cost, replay, set_points
from gridpact.grid.socp import Around, Elastic, Model, build

_STEPS = 25
_ROUNDS = 4
_STILL = 1e-5
_EXCESS_PRICE = 1e3
BURNED = 1e-5
_SMALLEST_RADIUS = 1e-7


@dataclass(frozen=True, eq=False)
class OperatingPoint:
    """An AC operating point, with the programme whose multipliers are its prices."""

    points: SetPoints
    flow: PowerFlow
    model: Model
    answer: Answer


def one_direction(
    problem: Problem, points: SetPoints, so_far: Directions, everywhere: bool
) -> Directions:
    """Return directions in which no battery that now burns energy (or none at all) can do so."""
    burning = burned(points) > BURNED * np.maximum(problem.devices.storage.p_max_mw, 1e-9)
    burning |= everywhere and bool(burning.any())
    emptying = points.discharge_mw >= points.charge_mw
    return Directions(
        so_far.charge & ~(burning & emptying), so_far.discharge & ~(burning & ~emptying)
    )


def repair(
    problem: Problem, feeder: Feeder, relaxed: tuple[FloatArray, SetPoints] | None = None
) -> OperatingPoint | None:
    """Return an AC-feasible, or else a least violating, point near the relaxation's optimum.

    relaxed: that optimum, if there is one, as the programme's answer and as set points. None is
    returned when no start was found: no set points in one direction, or none with a power flow.
    """
    directions, point = free_directions(problem), None
    for turn in range(_ROUNDS):
        last = turn == _ROUNDS - 1
        points = point.points if point else relaxed[1] if relaxed else None
        fixed = one_direction(problem, points, directions, last) if points else directions
        unchanged = _same(fixed, directions)
        if point and unchanged:
            break
        directions = fixed
        columns = lay_out(problem, directions)
        start = None
        if relaxed and not point and unchanged:
            start = _from(problem, feeder, columns, relaxed[0])
        start = start or _start(problem, feeder, columns)
        if start is None:
            break
        point = _descend(problem, feeder, columns, start)
    return point


def _same(one: Directions, other: Directions) -> bool:
    return bool((one.charge == other.charge).all() and (one.discharge == other.discharge).all())


def _start(
    problem: Problem, feeder: Feeder, columns: Columns
) -> tuple[FloatArray, SetPoints, PowerFlow] | None:
    """Return the relaxation's optimum in the given directions with its AC power flow."""
    flat = np.ones((problem.intervals, feeder.size - 1))
    answer = ConeSolver().solve(build(problem, feeder, columns, flat).programme)
    if not answer.solved:
        model = build(problem, feeder, columns, flat, elastic=Elastic(_EXCESS_PRICE, False))
        answer = ConeSolver().solve(model.programme)
    return _from(problem, feeder, columns, answer.x) if answer.solved else None


def _from(
    problem: Problem, feeder: Feeder, columns: Columns, x: FloatArray
) -> tuple[FloatArray, SetPoints, PowerFlow] | None:
    """Return an answer with its set points and their AC power flow, if they have one."""
    points = set_points(problem, columns, x, feeder.s_base_mva)
    try:
        return x, points, replay(problem, feeder, points)
    except PowerFlowDiverged:
        return None


def _descend(
    problem: Problem,
    feeder: Feeder,
    columns: Columns,
    start: tuple[FloatArray, SetPoints, PowerFlow],
) -> OperatingPoint:
    """Walk downhill in cost plus priced excess until the linearisation promises nothing more."""
    x, points, flow = start
    unit_price, radius = _EXCESS_PRICE, 1.0
    elastic = Elastic(unit_price, False)
    best: OperatingPoint | None = None
    curvature, solver = np.zeros(columns.P.shape), ConeSolver()
    for _ in range(_STEPS):
        states = [state(flow, t) for t in range(problem.intervals)]
        around = Around(states, x[columns.controls], radius, curvature)
        model = build(problem, feeder, columns, flow.v[:, 1:], around, elastic)
        answer = solver.solve(model.programme)
        if best is None or answer.solved:
            best = OperatingPoint(points, flow, model, answer)
        if not answer.solved:
            radius /= 4
            if radius < _SMALLEST_RADIUS:
                break
            continue
        here = _merit(problem, points, flow, model.unit, unit_price)
        promised = here - answer.objective - _constant(states, curvature)
        curvature = np.maximum(-2 * answer.multipliers["current"].reshape(curvature.shape), 0)
        # an excess that could still shrink is priced, so it would be promised too
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
    return OperatingPoint(points, flow, best.model, best.answer)


def _constant(states: Sequence[State], curvature: FloatArray) -> float:
    """Return the constant that the programme's curvature about the present flows leaves out."""
    squares = np.array([now.P**2 + now.Q**2 for now in states])
    return float((curvature * squares).sum() / 2)


def _merit(
    problem: Problem, points: SetPoints, flow: PowerFlow, unit: float, excess_price: float
) -> float:
    """Return what the programme minimises, with AC power flow in place of its tangent."""
    feeder = flow.feeder
    excess = net_limits(problem, feeder).excess(flow)
    money = cost(problem, points, flow) / (unit * problem.dt_h * feeder.s_base_mva)
    return money + excess_price * excess
