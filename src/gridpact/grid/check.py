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

from gridpact.errors import GridError, PowerFlowDiverged
from gridpact.grid.curtail import KEPT, STILL, Case, Point, Step, curtail, point_of
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.limits import Band, names
from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.quantities import PPM, whole

_RANK_RANGE = 10.0  # lowest over highest weight: rank may cost ten times the energy, not more
_BROKEN = 1e-6  # what remains above it is a conflict [pu]
_RELAXED = 0.01  # step by which a limit's multiplier is expressed [pu]


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
        zero = np.zeros_like(case.generation)
        try:
            point = point_of(case, case.generation, zero)
        except PowerFlowDiverged:
            # the cleared generation has no power flow at all
            try:
                point = point_of(case, zero, zero)
            except PowerFlowDiverged as error:
                return _stopped(injectors, str(error))
        else:
            if point.excess.excess.max(initial=-1.0) <= KEPT or not injectors:
                return self._verdict(case, point, injectors, None)
        try:
            point, step = curtail(case, point)
        except GridError as error:
            return _stopped(injectors, str(error))
        return self._verdict(case, point, injectors, step)

    def _case(
        self,
        interval: int,
        load: Mapping[int, tuple[int, int]],
        injectors: Sequence[Injector],
    ) -> Case:
        base = self.feeder.s_base_mva * 1e6
        fixed_p, fixed_q = np.zeros(self.feeder.size), np.zeros(self.feeder.size)
        for bus, (active, reactive) in load.items():
            place = self.feeder.at(bus)
            fixed_p[place] -= active / base
            fixed_q[place] -= reactive / base
        generation = np.array([injector.generation_w for injector in injectors]) / base
        rating = np.array([injector.inverter_va for injector in injectors]) / base
        return Case(
            feeder=self.feeder,
            band=Band(self.v_min, self.v_max),
            inverter_q=self.inverter_q,
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

    def _verdict(
        self, case: Case, point: Point, injectors: Sequence[Injector], step: Step | None
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
            if case.generation[i] - point.p[i] > STILL and power < injector.generation_w:
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
