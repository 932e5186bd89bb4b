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
from gridpact.grid.bent import bent
from gridpact.grid.branch_flow import State, state
from gridpact.grid.columns import Columns, Directions, free_directions, lay_out
from gridpact.grid.cone_solver import Answer, ConeSolver
from gridpact.grid.directions import branch
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Problem, SetPoints
from gridpact.grid.replay import cost, gathered, replay, set_points
from gridpact.grid.socp import Elastic, Model, build
from gridpact.grid.socp_wires import Around

_STEPS = 50
_ENDS = ((1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0))  # of reactive power, by turns
_STILL = 1e-7
_LEAST = 1e-5  # how near to the least excess is near enough, where limits conflict
_BROKEN = 1e-6  # pu
_EXCESS_PRICE = 1e3
_SMALLEST_RADIUS = 1e-7


@dataclass(frozen=True, eq=False)
class OperatingPoint:
    """An AC operating point, with the programme whose multipliers are its prices.

    merit: its cost and priced excess, in units of that programme; less is better. excess: what it
    breaks limits by, in all. [pu]
    """

    points: SetPoints
    flow: PowerFlow
    model: Model
    answer: Answer
    merit: float
    excess: float


def repair(
    problem: Problem, feeder: Feeder, relaxed: tuple[FloatArray, SetPoints] | None = None
) -> OperatingPoint | None:
    """Return an AC-feasible, or else a least violating, point near the relaxation's optimum.

    relaxed: that optimum, if there is one, as the programme's answer and as set points. None is
    returned when no start was found: no set points in one direction, or none with a power flow.
    """
    x, base = relaxed[0] if relaxed else None, feeder.s_base_mva

    def settle(directions: Directions, near: SetPoints | None) -> OperatingPoint | None:
        columns = lay_out(problem, directions)
        if near is not None:
            return _settle(problem, feeder, columns, gathered(problem, columns, near, base))
        return _settle(problem, feeder, columns, x if directions is free else None)

    free = free_directions(problem)
    return branch(problem, settle, free)


def _settle(
    problem: Problem, feeder: Feeder, columns: Columns, x: FloatArray | None
) -> OperatingPoint | None:
    """Return the best AC point of the columns' choices, near the programme's `x`.

    Where energy is worth less than nothing, losses are welcome and no reactive power is a saddle,
    which linearisations do not leave: there it is also started from the ends.
    """
    start = _from(problem, feeder, columns, x) if x is not None else None
    start = start or _start(problem, feeder, columns)
    if start is None:
        return None
    starts = [start]
    if (problem.price_sell < 0).any():
        for signs in _ENDS:
            x = _pushed(problem, feeder, columns, start, np.array(signs))
            pushed = _from(problem, feeder, columns, x)
            starts += [pushed] if pushed is not None else []
    points = [_descend(problem, feeder, columns, one) for one in starts]
    return min(points, key=lambda point: point.merit)


def _pushed(
    problem: Problem,
    feeder: Feeder,
    columns: Columns,
    start: tuple[FloatArray, SetPoints, PowerFlow],
    signs: FloatArray,
) -> FloatArray:
    """Return a start with all reactive power at an end of its range, by turns of the units."""
    x, base = start[0].copy(), feeder.s_base_mva
    units, pairs = problem.devices.generator, columns.generator_q
    high = signs[pairs.k % 2] > 0
    x[pairs.column] = np.where(high, units.q_max_mvar[pairs.k], units.q_min_mvar[pairs.k]) / base
    pv, pairs = problem.devices.pv, columns.pv_q
    room = np.sqrt(np.maximum(pv.s_mva**2 - start[1].pv_mw ** 2, 0)) / base
    x[pairs.column] = signs[pairs.k % 2] * room[pairs.t, pairs.k]
    return x


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
    limits = net_limits(problem, feeder)
    for _ in range(_STEPS):
        broken = limits.excess(flow)
        if broken > _BROKEN:  # the next linearisation will differ: its scaling would not serve
            solver = ConeSolver()
        states = [state(flow, t) for t in range(problem.intervals)]
        around = Around(states, x[columns.controls], radius, curvature)
        model = build(problem, feeder, columns, flow.v[:, 1:], around, elastic)
        answer = solver.solve(model.programme)
        here = _merit(problem, points, flow, model.unit, unit_price)
        if best is None or answer.solved:
            best = OperatingPoint(points, flow, model, answer, here, 0.0)
        if not answer.solved:
            radius /= 4
            if radius < _SMALLEST_RADIUS:
                break
            continue
        promised = here - answer.objective - _constant(states, curvature)
        curvature = np.maximum(-2 * answer.multipliers["current"].reshape(curvature.shape), 0)
        # an excess that could still shrink is priced, so it would be promised too
        enough = _STILL * (1 + abs(here)) + _LEAST * unit_price * broken
        if promised <= enough:
            break
        ends = [_from(problem, feeder, columns, answer.x)]
        if ends[0] and here - _merit(problem, *ends[0][1:], model.unit, unit_price) < promised / 2:
            moved = bent(problem, feeder, columns, answer.x, ends[0][2])
            again = build(moved, feeder, columns, flow.v[:, 1:], around, elastic)
            other = solver.solve(again.programme)
            ends += [_from(problem, feeder, columns, other.x)] if other.solved else []
        gains = [
            here - _merit(problem, *end[1:], model.unit, unit_price) if end else -np.inf
            for end in ends
        ]
        gained, end = max(gains), ends[int(np.argmax(gains))]
        if end and gained > 0.1 * promised:
            x, points, flow = end
        if gained > 0.75 * promised:
            radius *= 2
        elif gained < 0.25 * promised:
            radius /= 4
        if radius < _SMALLEST_RADIUS:
            break
    if best is None:
        raise AssertionError("no step was tried")
    merit = _merit(problem, points, flow, best.model.unit, unit_price)
    return OperatingPoint(points, flow, best.model, best.answer, merit, limits.excess(flow))


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
