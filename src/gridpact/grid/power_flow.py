"""Which voltages and flows follow from given injections? Backward/forward sweep, many intervals.

Radial nets with constant power at the buses, optionally with loads that depend on voltage (ZIP).
Backward: bus currents are summed up the tree into branch currents; forward: voltage drops are
summed down the tree. Both sums are one matrix for small nets and a sparse triangular solve for
large ones, so all intervals go through at once.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.feeder import Feeder, FloatArray

ComplexArray = npt.NDArray[np.complex128]

_DENSE_UP_TO = 800
_STEPS = 200
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class ZipLoad:
    """Loads that follow the voltage: nominal power times `a v**2 + b v + c`.

    p, q: nominal consumption (interval, bus) [pu]; coefficients (a, b, c) with a + b + c = 1.
    """

    p: FloatArray
    q: FloatArray
    p_parts: tuple[float, float, float]
    q_parts: tuple[float, float, float]

    def at(self, v: FloatArray) -> ComplexArray:
        """Return the consumption at voltage magnitudes `v`. [pu]"""
        active, reactive = (a * v**2 + b * v + c for a, b, c in (self.p_parts, self.q_parts))
        return self.p * active + 1j * (self.q * reactive)


@dataclass(frozen=True)
class PowerFlow:
    """State of the net, per unit, shape (interval, bus); branch quantities at the lower bus.

    `voltage` is complex with angle 0 at the root; `sent` and `arrived` are the complex powers at
    the upper and lower end of a branch (0 at the root); `drawn` is the net power that leaves the
    branches at a bus: consumption minus generation, without the shunt.
    """

    feeder: Feeder
    voltage: ComplexArray
    current: ComplexArray
    drawn: ComplexArray

    @cached_property
    def v(self) -> FloatArray:
        """Voltage magnitude. [pu]"""
        return np.abs(self.voltage)

    @cached_property
    def sent(self) -> ComplexArray:
        return self.voltage[:, self.feeder.parent] * self.current.conj()

    @cached_property
    def arrived(self) -> ComplexArray:
        return self.voltage * self.current.conj()

    @cached_property
    def squared_current(self) -> FloatArray:
        return np.abs(self.current) ** 2

    @cached_property
    def loss(self) -> FloatArray:
        """Active losses by interval. (interval,) [pu]"""
        return self.squared_current @ self.feeder.r

    @cached_property
    def supply(self) -> ComplexArray:
        """Complex power that the substation feeds in. (interval,) [pu]"""
        below = self.feeder.parent == 0
        shunt = 1j * self.feeder.shunt[0] * self.v[:, 0] ** 2
        supplied: ComplexArray = self.sent[:, below].sum(axis=1) + self.drawn[:, 0] - shunt
        return supplied


class _Sums:
    """Sums up and down a tree: `up` adds everything below a bus, `down` everything above it."""

    def __init__(self, feeder: Feeder) -> None:
        count = feeder.size - 1
        above = feeder.parent[1:] - 1
        inner = np.flatnonzero(above >= 0)
        step = sparse.csc_array(
            (np.ones(len(inner), dtype=complex), (above[inner], inner)), shape=(count, count)
        )
        tree = (sparse.eye_array(count, dtype=complex, format="csc") - step).tocsc()
        self._up, self._down = splu(tree), splu(tree.T.tocsc())
        self._dense: ComplexArray | None = None
        if count <= _DENSE_UP_TO:
            self._dense = np.ascontiguousarray(self._up.solve(np.eye(count, dtype=complex)))

    def up(self, values: ComplexArray) -> ComplexArray:
        if self._dense is not None:
            return values @ self._dense.T
        return np.asarray(self._up.solve(np.ascontiguousarray(values.T)), dtype=complex).T

    def down(self, values: ComplexArray) -> ComplexArray:
        if self._dense is not None:
            return values @ self._dense
        return np.asarray(self._down.solve(np.ascontiguousarray(values.T)), dtype=complex).T


@lru_cache(maxsize=32)
def _sums(feeder: Feeder) -> _Sums:
    return _Sums(feeder)


def power_flow(
    feeder: Feeder,
    p: FloatArray,
    q: FloatArray,
    v_root: float | FloatArray = 1.0,
    load: ZipLoad | None = None,
) -> PowerFlow:
    """Return the power flow of every interval.

    Parameters
    ----------
    p, q
        Net injection, generation positive. (interval, bus) [pu]
    v_root
        Voltage at the substation, one or per interval. [pu]
    load
        Consumption that depends on voltage, in addition to `p`, `q`.

    Raises
    ------
    PowerFlowDiverged
        No voltage was found for an interval; names the interval and the worst bus.
    """
    sums = _sums(feeder)
    root = np.broadcast_to(np.asarray(v_root, dtype=float), (len(p),))
    voltage = np.repeat(root.astype(complex)[:, None], feeder.size, axis=1)
    current = np.zeros_like(voltage)
    impedance, admittance = feeder.impedance[1:], 1j * feeder.shunt
    constant = -(p + 1j * q)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            drawn = constant if load is None else constant + load.at(np.abs(voltage))
            bus_current = (drawn / voltage).conj() + admittance * voltage
            current[:, 1:] = sums.up(bus_current[:, 1:])
            below = root[:, None] - sums.down(current[:, 1:] * impedance)
            moved = np.abs(below - voltage[:, 1:])
            voltage[:, 1:] = below
            if moved.max(initial=0.0) <= _TOLERANCE:
                drawn = constant if load is None else constant + load.at(np.abs(voltage))
                return PowerFlow(feeder, voltage, current, drawn)
            if not np.isfinite(moved).all():
                break
    worst = np.nan_to_num(moved, nan=np.inf)
    interval, place = np.unravel_index(int(worst.argmax()), worst.shape)
    bus = int(feeder.ids[place + 1])
    raise PowerFlowDiverged(int(interval), bus, float(worst[interval, place]))
