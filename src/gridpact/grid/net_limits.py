"""What does the network operator permit, interval by interval? A problem's limits as full arrays.

A `Problem` may give a limit once or per interval (and bus); here each has its full shape, per unit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.limits import Band
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Problem


@dataclass(frozen=True, eq=False)
class NetLimits:
    """v_min, v_max, s_max: (interval, bus), of buses and of the branches above them; most_import,
    most_export: (interval,). Infinite where there is no limit. [pu]
    """

    v_min: FloatArray
    v_max: FloatArray
    s_max: FloatArray
    most_import: FloatArray
    most_export: FloatArray

    @cached_property
    def rated(self) -> tuple[IntArray, IntArray]:
        """Intervals and branches (bus - 1) with a rating."""
        t, branch = np.nonzero(np.isfinite(self.s_max[:, 1:]))
        return t, branch

    @property
    def ratings(self) -> FloatArray:
        """The ratings at `rated`."""
        t, branch = self.rated
        return self.s_max[t, branch + 1]

    def band(self, t: int) -> Band:
        """Return one interval's limits."""
        return Band(
            self.v_min[t, 1:],
            self.v_max[t, 1:],
            self.s_max[t],
            float(self.most_import[t]),
            float(self.most_export[t]),
        )

    def worst(self, flow: PowerFlow) -> float:
        """Return by how much the worst limit is exceeded; negative when all are kept."""
        t, branch = self.rated
        supply = flow.supply.real
        parts = [
            flow.v[:, 1:] - self.v_max[:, 1:],
            self.v_min[:, 1:] - flow.v[:, 1:],
            *(np.abs(end[t, branch + 1]) - self.ratings for end in (flow.sent, flow.arrived)),
            supply - self.most_import,
            -supply - self.most_export,
        ]
        return max(float(part.max(initial=-1.0)) for part in parts)

    def excess(self, flow: PowerFlow) -> float:
        """Return the sum of everything by which a flow exceeds limits, voltages squared."""
        squared = flow.squared_voltage[:, 1:]
        over = np.maximum(squared - self.v_max[:, 1:] ** 2, 0).sum()
        over += np.maximum(self.v_min[:, 1:] ** 2 - squared, 0).sum()
        t, branch = self.rated
        for end in (flow.sent, flow.arrived):
            over += np.maximum(np.abs(end[t, branch + 1]) - self.ratings, 0).sum()
        supply = flow.supply.real
        over += np.maximum(supply - self.most_import, 0).sum()
        over += np.maximum(-supply - self.most_export, 0).sum()
        return float(over)


def net_limits(problem: Problem, feeder: Feeder) -> NetLimits:
    """Return the limits of a problem, per unit of `feeder`."""
    T, n, base = problem.intervals, feeder.size, feeder.s_base_mva

    def by_bus(given: FloatArray | float) -> FloatArray:
        values = np.asarray(given, dtype=float)
        return np.broadcast_to(values[:, None] if values.ndim == 1 else values, (T, n))

    rating = feeder.s_max if problem.s_max_mva is None else problem.s_max_mva / base
    return NetLimits(
        v_min=by_bus(problem.v_min),
        v_max=by_bus(problem.v_max),
        s_max=np.broadcast_to(rating, (T, n)),
        most_import=np.broadcast_to(problem.import_max_mw, (T,)) / base,
        most_export=np.broadcast_to(problem.export_max_mw, (T,)) / base,
    )
