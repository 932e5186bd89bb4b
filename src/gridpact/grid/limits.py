"""Which limits does a state of the net touch? Voltage bands and line ratings, by name.

Voltages are judged as magnitudes, lines by apparent power at both ends (and from both sides of a
limit: by how much it is exceeded, or how much is left).
"""

from dataclasses import dataclass

import numpy as np

from gridpact.grid.adjoint import Pushes
from gridpact.grid.branch_flow import Layout, State, layout
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.power_flow import PowerFlow

V_MAX, V_MIN, LINE_SENT, LINE_ARRIVED, IMPORT, EXPORT = range(6)


@dataclass(frozen=True, eq=False)
class Band:
    """What is permitted in one interval: voltage magnitude at every bus but the root. [pu]

    v_min, v_max: one number or (m,); s_max: (bus,), the feeder's ratings when absent;
    most_import, most_export: active power through the substation.
    """

    v_min: float | FloatArray
    v_max: float | FloatArray
    s_max: FloatArray | None = None
    most_import: float = np.inf
    most_export: float = np.inf


@dataclass(frozen=True, eq=False)
class Margins:
    """Excess over every limit of one interval; negative where it is kept. [pu]

    kind, place: which limit, and at which bus (or on the branch above it).
    """

    kind: IntArray
    place: IntArray
    excess: FloatArray

    def choose(self, mask: np.ndarray) -> "Margins":
        return Margins(self.kind[mask], self.place[mask], self.excess[mask])


def margins(flow: PowerFlow, interval: int, band: Band) -> Margins:
    """Return the excess over all limits, of voltages in pu, of lines in pu of apparent power."""
    feeder = flow.feeder
    buses = np.arange(1, feeder.size)
    s_max = feeder.s_max if band.s_max is None else band.s_max
    rated = np.flatnonzero(np.isfinite(s_max))
    v, supply = flow.v[interval, 1:], flow.supply.real[interval : interval + 1]
    sent, arrived = (np.abs(end[interval, rated]) for end in (flow.sent, flow.arrived))
    parts = [
        (V_MAX, buses, v - band.v_max),
        (V_MIN, buses, band.v_min - v),
        (LINE_SENT, rated, sent - s_max[rated]),
        (LINE_ARRIVED, rated, arrived - s_max[rated]),
    ]
    root = np.zeros(1, dtype=np.int64)
    if np.isfinite(band.most_import):
        parts.append((IMPORT, root, supply - band.most_import))
    if np.isfinite(band.most_export):
        parts.append((EXPORT, root, -supply - band.most_export))
    return Margins(
        np.concatenate([np.full(len(place), kind) for kind, place, _ in parts]),
        np.concatenate([place for _, place, _ in parts]),
        np.concatenate([excess for _, _, excess in parts]),
    )


def names(feeder: Feeder, found: Margins) -> list[str]:
    """Return "v_max at bus 19", "s_max of line 4-7", "import_max" for every limit in `found`."""
    return [
        limit_name(feeder, int(kind), int(place))
        for kind, place in zip(found.kind, found.place, strict=True)
    ]


def limit_name(feeder: Feeder, kind: int, place: int) -> str:
    if kind in (IMPORT, EXPORT):
        return "import_max" if kind == IMPORT else "export_max"
    if kind in (V_MAX, V_MIN):
        return f"{'v_max' if kind == V_MAX else 'v_min'} at bus {feeder.ids[place]}"
    return f"s_max of {feeder.branch_name(place)}"


def gradients(feeder: Feeder, at_state: State, found: Margins) -> Pushes:
    """Return the gradient of each excess with respect to the state, (limit, 1, m).

    Of voltages and lines; what the substation may pass is no function of a branch.
    """
    at, count, m = layout(feeder), len(found.place), feeder.size - 1
    values = np.zeros((count, 4 * m))
    for kind in np.unique(found.kind):
        chosen = np.flatnonzero(found.kind == kind)
        branch = found.place[chosen] - 1
        for column, value in _terms(feeder, at, at_state, int(kind), branch):
            values[chosen, column] = value
    return Pushes(*values.reshape(count, 4, 1, m).swapaxes(0, 1))


def _terms(
    feeder: Feeder, at: Layout, now: State, kind: int, branch: IntArray
) -> list[tuple[IntArray, FloatArray]]:
    """Return (column, value) of the gradients of one kind of limit at some branches."""
    if kind in (V_MAX, V_MIN):
        sign = 1.0 if kind == V_MAX else -1.0
        return [(at.v[branch], sign / (2 * np.sqrt(now.v[branch])))]
    r, x, l = feeder.r[1:][branch], feeder.x[1:][branch], now.l[branch]  # noqa: E741
    lost = 0.0 if kind == LINE_SENT else 1.0
    P, Q = now.P[branch] - lost * r * l, now.Q[branch] - lost * x * l
    size = np.maximum(np.hypot(P, Q), 1e-12)
    terms = [(at.P[branch], P / size), (at.Q[branch], Q / size)]
    if lost:
        terms.append((at.l[branch], -(P * r + Q * x) / size))
    return terms
