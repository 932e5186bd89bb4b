"""How little must be cut? Weighted curtailment of one interval's generation, by AC power flow.

A linear programme around the AC power flow, repeated: its step counts only if the AC power flow
confirms what it promised, else the next one may go less far. Limits that no point keeps are
exceeded by the least total. Reactive power, where it may be used, comes before any cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridpact.errors import GridError, PowerFlowDiverged
from gridpact.grid.adjoint import injection_gradients
from gridpact.grid.branch_flow import state
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.inverter_circle import within_circles
from gridpact.grid.limits import Band, Margins, gradients, margins
from gridpact.grid.linear_programme import least_excess, minimise
from gridpact.grid.power_flow import PowerFlow, power_flow

_REACTIVE_WEIGHT = 1e-3  # of a unit of reactive power against the cheapest cut
KEPT = 1e-7  # a limit counts as kept [pu]
STILL = 1e-9  # set points no longer move [pu]
_AIM = 5e-8  # the linear programme stays this far within [pu]
_NEAR = 0.003  # limits this near are watched by the linear programme [pu]
_STEPS = 40
_PROMISE = 1e-8  # weighted power that a step has to promise [pu]
_FARTHEST = 1e3  # a step's reach to begin with: none [pu]
_LEAST_PRICE = 10.0  # of a pu of excess against the cheapest cut


@dataclass(frozen=True, eq=False)
class Case:
    """One interval, per unit: fixed injections and what may be changed."""

    feeder: Feeder
    band: Band
    inverter_q: bool
    v_root: float
    fixed_p: FloatArray
    fixed_q: FloatArray
    place: IntArray
    generation: FloatArray
    rating: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class Point:
    """Generation and reactive supply of every injector, with the flow they give."""

    p: FloatArray
    q: FloatArray
    flow: PowerFlow
    excess: Margins

    @property
    def total_excess(self) -> float:
        return float(np.maximum(self.excess.excess, 0).sum())


@dataclass(frozen=True, eq=False)
class Step:
    """An answer of the linear programme; `worth` is the dual of each limit in `watched`.

    least: the total excess that the linear programme could not avoid.
    """

    p: FloatArray
    q: FloatArray
    watched: Margins
    worth: FloatArray
    effect: FloatArray
    effect_q: FloatArray
    least: float
    cutting: bool = True

    def predicted(self, point: Point) -> FloatArray:
        """Return the excess over each watched limit that was expected of a step from a point."""
        moved = self.effect @ (self.p - point.p) + self.effect_q @ (self.q - point.q)
        predicted: FloatArray = self.watched.excess + moved
        return predicted


def point_of(case: Case, p: FloatArray, q: FloatArray) -> Point:
    """Return the AC point of set points.

    Raises
    ------
    PowerFlowDiverged
        They have none.
    """
    injected_p, injected_q = case.fixed_p.copy(), case.fixed_q.copy()
    np.add.at(injected_p, case.place, p)
    np.add.at(injected_q, case.place, q)
    flow = power_flow(case.feeder, injected_p[None], injected_q[None], case.v_root)
    return Point(p, q, flow, margins(flow, 0, case.band))


def curtail(case: Case, point: Point) -> tuple[Point, Step]:
    """Return the least weighted cut that the AC power flow allows, and the last step there.

    Raises
    ------
    GridError
        The linear programme failed.
    """
    watched = np.zeros(len(point.excess.excess), dtype=bool)
    step, reach, price = None, _FARTHEST, _LEAST_PRICE
    for _ in range(_STEPS):
        watched |= point.excess.excess > -_NEAR
        # once reactive power alone has failed, cuts stay allowed
        cutting = step is not None and step.cutting
        step = _programme(case, point, watched, reach, cutting)
        price = max(price, 2 * float(step.worth.max(initial=0.0)))
        here = _merit(case, point, price)
        promised = here - _cost(case, step.p, step.q) - price * step.least
        after = _reached(case, point, step)
        if here - _merit(case, after, price) < 0.75 * promised:
            # limits bend away from their tangents: the same step, with that in mind
            bent = after.excess.choose(watched).excess - step.predicted(point)
            mended = _programme(case, point, watched, reach, step.cutting, bent)
            other = _reached(case, point, mended)
            after = min(after, other, key=lambda one: _merit(case, one, price))
        gained = here - _merit(case, after, price)
        moved = float(np.abs(np.r_[after.p - point.p, after.q - point.q]).max(initial=0.0))
        if gained > 0.1 * promised:
            point = after
        if moved <= STILL or promised <= _PROMISE or _tight(point, step, watched):
            break
        if gained < 0.25 * promised:
            reach = moved / 4
        elif gained > 0.75 * promised:
            reach = max(reach, 2 * moved)
    assert step is not None
    return point, step


def _cost(case: Case, p: FloatArray, q: FloatArray) -> float:
    cut = case.weight @ (case.generation - p)
    return float(cut + _REACTIVE_WEIGHT * np.abs(q).sum())


def _merit(case: Case, point: Point, price: float) -> float:
    return _cost(case, point.p, point.q) + price * point.total_excess


def _tight(point: Point, step: Step, watched: np.ndarray) -> bool:
    """Say whether the AC power flow keeps every limit and leaves nothing at those that bind.

    Only for cuts alone: reactive power has a choice of points that leave nothing.
    """
    binding = point.excess.choose(watched).excess[step.worth > 1e-9]
    kept = point.excess.excess.max() <= KEPT
    return bool(kept and not point.q.any() and binding.min(initial=0.0) >= -2 * _AIM)


def _reached(case: Case, point: Point, step: Step) -> Point:
    """Return the AC point of a step, halved until it has a power flow."""
    share = 1.0
    while True:
        p = point.p + share * (step.p - point.p)
        room = np.sqrt(np.maximum(case.rating**2 - p**2, 0.0))
        q = np.clip(point.q + share * (step.q - point.q), -room, room)
        try:
            return point_of(case, p, q)
        except PowerFlowDiverged:
            share /= 2


def _programme(
    case: Case,
    point: Point,
    watched: np.ndarray,
    reach: float,
    cutting: bool,
    bent: FloatArray | float = 0.0,
) -> Step:
    """Minimise weighted cuts (and, far less, reactive power) within linearised limits.

    Variables: generation p, reactive supply q+ and q- of every injector, within `reach`. Limits
    that no point keeps are first relaxed by the least total excess. bent: by how much each limit
    is nearer than its tangent says.
    """
    now, limits = state(point.flow, 0), point.excess.choose(watched)
    constant = np.zeros((1, case.feeder.size - 1))
    pushes = gradients(case.feeder, now, limits)
    by_p, by_q = injection_gradients(point.flow, pushes, constant, constant)
    effect_p, effect_q = by_p[:, 0, case.place], by_q[:, 0, case.place]
    room = -limits.excess - _AIM - bent
    supply = np.r_[np.maximum(point.q, 0), np.maximum(-point.q, 0)]
    if case.inverter_q and not cutting:
        uncut = _reactive_only(case, point, limits, (effect_p, effect_q), room, supply, reach)
        if uncut is not None:
            return uncut
    count = len(case.place)
    rows = sparse.csr_array(np.hstack([effect_p, effect_q, -effect_q]))
    bounds = room + effect_p @ point.p + effect_q @ point.q
    ceiling = np.tile(case.rating if case.inverter_q else np.zeros(count), 2)
    box = _box(np.r_[case.generation, ceiling], np.r_[point.p, supply], reach)
    cost = np.r_[-case.weight, np.full(2 * count, _REACTIVE_WEIGHT)]
    circle, radius = sparse.csr_array((0, 3 * count)), np.zeros(0)
    if case.inverter_q:
        circle, radius = within_circles(case.rating, point.p, point.q)
    table = sparse.vstack([rows, circle], format="csr")
    answer = minimise(cost, table, np.r_[bounds, radius], box)
    least = np.zeros(len(bounds))
    if answer is None:
        least = least_excess(rows, bounds, circle, radius, box)
        slack = least * (1 + 1e-9) + 1e-12
        answer = minimise(cost, table, np.r_[bounds + slack, radius], box)
    if answer is None:
        raise GridError("limits relaxed by their least excess cannot be kept")
    p, plus, minus = answer[0].reshape(3, count)
    worth = answer[1][: len(bounds)]
    return Step(p, plus - minus, limits, worth, effect_p, effect_q, float(least.sum()))


def _box(ceiling: FloatArray, centre: FloatArray, reach: float) -> FloatArray:
    """Return bounds between 0 and a ceiling, no farther than `reach` from a centre."""
    box: FloatArray = np.c_[np.maximum(0.0, centre - reach), np.minimum(ceiling, centre + reach)]
    return box


def _reactive_only(
    case: Case,
    point: Point,
    limits: Margins,
    effect: Sequence[FloatArray],
    left: FloatArray,
    supply: FloatArray,
    reach: float,
) -> Step | None:
    """Return the least reactive power that needs no cut at all, or None if there is none."""
    cleared = case.generation - point.p
    bounds = left + effect[1] @ point.q - effect[0] @ cleared
    room = np.sqrt(np.maximum(case.rating**2 - case.generation**2, 0.0))
    rows = sparse.csr_array(np.hstack([effect[1], -effect[1]]))
    box = _box(np.tile(room, 2), np.minimum(supply, np.tile(room, 2)), reach)
    answer = minimise(np.ones(len(box)), rows, bounds, box)
    if answer is None:
        return None
    plus, minus = answer[0].reshape(2, -1)
    worth = answer[1] * _REACTIVE_WEIGHT
    return Step(
        case.generation, plus - minus, limits, worth, effect[0], effect[1], 0.0, cutting=False
    )
