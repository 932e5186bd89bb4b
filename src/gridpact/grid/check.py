"""May this clearing flow? The grid check that binds (5-decisions, section 6).

One interval's AC power flow with the cleared generation as it is; when all limits hold nothing is
touched. Otherwise generation is curtailed as little as the limits allow: a linear programme around
the AC power flow, repeated until the AC power flow itself keeps every limit. What is cut costs a
weight between 1 (highest rank) and `_RANK_RANGE` (lowest), so rank decides among injectors that
relieve a limit about equally, and nobody is cut for a limit that lies elsewhere. Reactive power
of the inverters, where it may be used, comes before any cut. A curtailment's multiplier is the
share of the interval's weighted cut that 0.01 pu more of its limit would save.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gridpact.errors import GridError, PowerFlowDiverged
from gridpact.grid.branch_flow import injection_gradient, state
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.limits import Band, Margins, gradients, margins, names
from gridpact.grid.power_flow import PowerFlow, power_flow
from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.quantities import PPM, whole

_RANK_RANGE = 10.0  # lowest over highest weight: rank may cost ten times the energy, not more
_REACTIVE_WEIGHT = 1e-3  # of a unit of reactive power against the cheapest cut
_KEPT = 1e-7  # a limit counts as kept [pu]
_BROKEN = 1e-6  # what remains above it is a conflict [pu]
_AIM = 5e-8  # the linear programme stays this far within [pu]
_STILL = 1e-9  # set points no longer move [pu]
_NEAR = 0.003  # limits this near are watched by the linear programme [pu]
_STEPS = 25
_RELAXED = 0.01  # step by which a limit's multiplier is expressed [pu]
_FACETS = 24  # sides of the polygon for an inverter's half circle


@dataclass(frozen=True, eq=False)
class _Case:
    """One interval, per unit: fixed injections and what may be changed."""

    v_root: float
    fixed_p: FloatArray
    fixed_q: FloatArray
    place: IntArray
    generation: FloatArray
    rating: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class _Point:
    """Generation and reactive supply of every injector, with the flow they give."""

    p: FloatArray
    q: FloatArray
    flow: PowerFlow
    excess: Margins


@dataclass(frozen=True, eq=False)
class _Step:
    """An answer of the linear programme; `worth` is the dual of each limit in `watched`."""

    p: FloatArray
    q: FloatArray
    watched: Margins
    worth: FloatArray
    effect: FloatArray
    cutting: bool = True


@dataclass(frozen=True, eq=False)
class RadialCheck:
    """The grid check of one radial feeder; a `model.grid_check.GridCheck`.

    v_root: substation voltage, one or per interval [pu]; inverter_q: whether inverters may be
    asked for reactive power. Line ratings are the feeder's.
    """

    feeder: Feeder
    v_min: float
    v_max: float
    v_root: float | Sequence[float] = 1.0
    inverter_q: bool = False

    def __call__(
        self,
        interval: int,
        load: Mapping[int, tuple[int, int]],
        injectors: Sequence[Injector],
    ) -> GridVerdict:
        """Judge one interval.

        Raises
        ------
        FeederError
            A load or an injector stands at a bus that the feeder does not have.
        """
        case = self._case(interval, load, injectors)
        try:
            point = self._flow(case, case.generation, np.zeros_like(case.generation))
        except PowerFlowDiverged:
            return self._from_zero(case, injectors)
        if point.excess.excess.max(initial=-1.0) <= _KEPT or not injectors:
            return self._verdict(case, point, injectors, None)
        return self._curtail(case, point, injectors)

    def _case(
        self,
        interval: int,
        load: Mapping[int, tuple[int, int]],
        injectors: Sequence[Injector],
    ) -> _Case:
        base = self.feeder.s_base_mva * 1e6
        fixed_p, fixed_q = np.zeros(self.feeder.size), np.zeros(self.feeder.size)
        for bus, (active, reactive) in load.items():
            place = self.feeder.at(bus)
            fixed_p[place] -= active / base
            fixed_q[place] -= reactive / base
        generation = np.array([injector.generation_w for injector in injectors]) / base
        rating = np.array([injector.inverter_va for injector in injectors]) / base
        return _Case(
            v_root=(
                float(self.v_root)
                if isinstance(self.v_root, int | float)
                else float(self.v_root[interval])
            ),
            fixed_p=fixed_p,
            fixed_q=fixed_q,
            place=np.array([self.feeder.at(i.bus) for i in injectors], dtype=np.int64),
            generation=generation,
            rating=np.maximum(rating, generation),
            weight=_weights([injector.rank for injector in injectors]),
        )

    def _flow(self, case: _Case, p: FloatArray, q: FloatArray) -> _Point:
        injected_p, injected_q = case.fixed_p.copy(), case.fixed_q.copy()
        np.add.at(injected_p, case.place, p)
        np.add.at(injected_q, case.place, q)
        flow = power_flow(self.feeder, injected_p[None], injected_q[None], case.v_root)
        return _Point(p, q, flow, margins(flow, 0, Band(self.v_min, self.v_max)))

    def _from_zero(self, case: _Case, injectors: Sequence[Injector]) -> GridVerdict:
        """Judge an interval in which the cleared generation has no power flow at all."""
        zero = np.zeros_like(case.generation)
        try:
            point = self._flow(case, zero, zero)
        except PowerFlowDiverged as error:
            return _stopped(injectors, str(error))
        return self._curtail(case, point, injectors)

    def _curtail(self, case: _Case, point: _Point, injectors: Sequence[Injector]) -> GridVerdict:
        """Repeat the linear programme until the AC power flow stands still within limits."""
        watched = np.zeros(len(point.excess.excess), dtype=bool)
        step = None
        for _ in range(_STEPS):
            watched |= point.excess.excess > -_NEAR
            # once reactive power alone has failed, cuts stay allowed
            try:
                step = self._programme(case, point, watched, step is not None and step.cutting)
            except GridError as error:
                return _stopped(injectors, str(error))
            before = point
            point = self._reach(case, point, step)
            moved = np.abs(np.r_[point.p - before.p, point.q - before.q]).max(initial=0.0)
            if moved <= _STILL or self._tight(point, step, watched):
                break
        return self._verdict(case, point, injectors, step)

    def _tight(self, point: _Point, step: _Step, watched: np.ndarray) -> bool:
        """Say whether the AC power flow keeps every limit and leaves nothing at those that bind."""
        binding = point.excess.choose(watched).excess[step.worth > 1e-9]
        kept = point.excess.excess.max() <= _KEPT
        return bool(kept and binding.min(initial=0.0) >= -2 * _AIM)

    def _reach(self, case: _Case, point: _Point, step: _Step) -> _Point:
        """Return the AC point of a step, halved until it has a power flow."""
        share = 1.0
        while True:
            p = point.p + share * (step.p - point.p)
            room = np.sqrt(np.maximum(case.rating**2 - p**2, 0.0))
            q = np.clip(point.q + share * (step.q - point.q), -room, room)
            try:
                return self._flow(case, p, q)
            except PowerFlowDiverged:
                share /= 2

    def _programme(self, case: _Case, point: _Point, watched: np.ndarray, cutting: bool) -> _Step:
        """Minimise weighted cuts (and, far less, reactive power) within linearised limits.

        Variables: generation p, reactive supply q+ and q- of every injector. Limits that no
        point keeps are first relaxed by the least total excess.
        """
        now, limits = state(point.flow, 0), point.excess.choose(watched)
        by_p, by_q = injection_gradient(self.feeder, now, gradients(self.feeder, now, limits))
        effect_p, effect_q = by_p[:, case.place], by_q[:, case.place]
        if self.inverter_q and not cutting:
            uncut = self._reactive_only(case, point, limits, effect_p, effect_q)
            if uncut is not None:
                return uncut
        count = len(case.place)
        rows = sparse.csr_array(np.hstack([effect_p, effect_q, -effect_q]))
        bounds = -limits.excess - _AIM + effect_p @ point.p + effect_q @ point.q
        circle, radius = self._circles(case)
        ceiling = case.rating if self.inverter_q else np.zeros(count)
        box = np.r_[
            np.c_[np.zeros(count), case.generation], *(np.c_[np.zeros(count), ceiling],) * 2
        ]
        cost = np.r_[-case.weight, np.full(2 * count, _REACTIVE_WEIGHT)]
        table = sparse.vstack([rows, circle], format="csr")
        answer = _linear_programme(cost, table, np.r_[bounds, radius], box)
        if answer is None:
            slack = _least_excess(rows, bounds, circle, radius, box) * (1 + 1e-9) + 1e-12
            answer = _linear_programme(cost, table, np.r_[bounds + slack, radius], box)
        if answer is None:
            raise GridError("limits relaxed by their least excess cannot be kept")
        p, plus, minus = answer[0].reshape(3, count)
        return _Step(p, plus - minus, limits, answer[1][: len(bounds)], effect_p)

    def _reactive_only(
        self,
        case: _Case,
        point: _Point,
        limits: Margins,
        effect_p: FloatArray,
        effect_q: FloatArray,
    ) -> _Step | None:
        """Return the least reactive power that needs no cut at all, or None if there is none."""
        count = len(case.place)
        cleared = case.generation - point.p
        bounds = -limits.excess - _AIM + effect_q @ point.q - effect_p @ cleared
        room = np.sqrt(np.maximum(case.rating**2 - case.generation**2, 0.0))
        box = np.tile(np.c_[np.zeros(count), room], (2, 1))
        rows = sparse.csr_array(np.hstack([effect_q, -effect_q]))
        answer = _linear_programme(np.ones(2 * count), rows, bounds, box)
        if answer is None:
            return None
        plus, minus = answer[0].reshape(2, count)
        worth = answer[1] * _REACTIVE_WEIGHT
        return _Step(case.generation, plus - minus, limits, worth, effect_p, cutting=False)

    def _circles(self, case: _Case) -> tuple[sparse.csr_array, FloatArray]:
        """Return the inverters' half circles p^2 + q^2 <= rating^2 as polygons within them.

        The polygon has corners at q = 0 and at p = 0, and lies at most 0.22 % inside the circle.
        """
        count = len(case.place)
        if not self.inverter_q:
            return sparse.csr_array((0, 3 * count)), np.zeros(0)
        half = math.pi / (2 * _FACETS)
        angles = -math.pi / 2 + half * (1 + 2 * np.arange(_FACETS))
        cosine, sine = (
            sparse.kron(sparse.csr_array(f(angles)[:, None]), sparse.eye_array(count))
            for f in (np.cos, np.sin)
        )
        radius = np.tile(case.rating * math.cos(half), _FACETS)
        return sparse.hstack([cosine, sine, -sine], format="csr"), radius

    def _verdict(
        self, case: _Case, point: _Point, injectors: Sequence[Injector], step: _Step | None
    ) -> GridVerdict:
        """Return the point in whole W and var, with the names of what binds."""
        base = self.feeder.s_base_mva * 1e6
        loss, v = whole(point.flow.loss[0] * base), point.flow.v[0, 1:]
        low, high = float(v.min()), float(v.max())
        broken = point.excess.choose(point.excess.excess > _BROKEN)
        conflicts = tuple(names(self.feeder, broken))
        if step is None:
            return GridVerdict((), {}, loss, low, high, (), conflicts)
        label = names(self.feeder, step.watched)
        total = float(case.weight @ (case.generation - point.p))
        curtailments, reactive = [], {}
        for i, injector in enumerate(injectors):
            power = math.floor(point.p[i] * base + 1e-6)
            if case.generation[i] - point.p[i] > _STILL and power < injector.generation_w:
                blame = int(np.argmax(step.worth * step.effect[:, i]))
                share = step.worth[blame] * _RELAXED / total
                curtailments.append(
                    Curtailment(injector.participant, power, label[blame], whole(share * PPM))
                )
            if var := math.trunc(point.q[i] * base):
                reactive[injector.participant] = var
        binding = tuple(label[k] for k in np.flatnonzero(step.worth > 1e-9))
        return GridVerdict(tuple(curtailments), reactive, loss, low, high, binding, conflicts)


def _stopped(injectors: Sequence[Injector], conflict: str) -> GridVerdict:
    """Return a verdict that lets nobody generate: nothing is known of the state of the net."""
    cuts = tuple(
        Curtailment(injector.participant, 0, conflict, 0)
        for injector in injectors
        if injector.generation_w > 0
    )
    return GridVerdict(cuts, {}, 0, math.nan, math.nan, (), (conflict,))


def _weights(ranks: Sequence[int]) -> FloatArray:
    """Return what cutting costs: 1 for the highest rank, rising to `_RANK_RANGE` for the lowest."""
    levels = {rank: level for level, rank in enumerate(sorted(set(ranks), reverse=True))}
    steps = max(len(levels) - 1, 1)
    return np.array([_RANK_RANGE ** (levels[rank] / steps) for rank in ranks])


def _linear_programme(
    cost: FloatArray, rows: sparse.csr_array, bounds: FloatArray, box: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Return the optimum and the worth of relaxing each row; None when no point fits."""
    # the stubs know no sparse A_ub
    answer = linprog(cost, rows, bounds, bounds=box, method="highs")  # type: ignore[call-overload]
    if answer.status == 2:
        return None
    if answer.status != 0 or answer.x is None:
        raise GridError(f"the linear programme of the grid check failed: {answer.message}")
    return np.asarray(answer.x), -np.asarray(answer.ineqlin.marginals)


def _least_excess(
    rows: sparse.csr_array,
    bounds: FloatArray,
    circle: sparse.csr_array,
    radius: FloatArray,
    box: FloatArray,
) -> FloatArray:
    """Return by how much each limit is exceeded when the total excess is least."""
    count, width = len(bounds), rows.shape[1]
    table = sparse.block_array([[rows, -sparse.eye_array(count)], [circle, None]], format="csr")
    answer = _linear_programme(
        np.r_[np.zeros(width), np.ones(count)],
        table,
        np.r_[bounds, radius],
        np.r_[box, np.c_[np.zeros(count), np.full(count, np.inf)]],
    )
    if answer is None:
        raise GridError("limits with free excess cannot be kept")
    return answer[0][width:]
