"""Which voltages and flows follow from given injections? Radial nets, many intervals at once.

Constant power at the buses, and optionally loads that depend on voltage (ZIP). `sweeps` finds the
state; everything else follows from it and is computed when it is first asked for.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.sweeps import ComplexArray, Consumption, Demand, by_current, by_power

_TOLERANCE = 1e-12
_MANY = 128  # intervals from which the sweep bus by bus is the faster one


@dataclass(frozen=True)
class ZipLoad:
    """Loads that follow the voltage: nominal power times `a v**2 + b v + c`.

    p, q: nominal consumption (interval, bus) [pu]; coefficients (a, b, c) with a + b + c = 1.
    """

    p: FloatArray
    q: FloatArray
    p_parts: tuple[float, float, float]
    q_parts: tuple[float, float, float]

    def consumption(self) -> Consumption:
        """Return what is drawn in some intervals at squared voltages, (bus, interval). [pu]"""
        nominal = np.ascontiguousarray(self.p.T), np.ascontiguousarray(self.q.T)

        def drawn(intervals: slice, squared: FloatArray) -> tuple[FloatArray, FloatArray]:
            v = np.sqrt(squared)
            active, reactive = (
                (a * squared + b * v + c) * power[:, intervals]
                for power, (a, b, c) in zip(nominal, (self.p_parts, self.q_parts), strict=True)
            )
            return active, reactive

        return drawn


@dataclass(frozen=True, eq=False)
class PowerFlow:
    """State of the net, per unit, shape (interval, bus); branch quantities at the lower bus.

    `sent` and `arrived` are the complex powers at the upper and lower end of a branch (0 at the
    root), `supply` the complex power that the substation feeds in, (interval,).
    """

    feeder: Feeder
    squared_voltage: FloatArray
    squared_current: FloatArray
    sent: ComplexArray
    supply: ComplexArray

    @cached_property
    def v(self) -> FloatArray:
        """Voltage magnitude. [pu]"""
        return np.sqrt(self.squared_voltage)

    @cached_property
    def voltage(self) -> ComplexArray:
        """Complex voltage, angle 0 at the root: V_j = V_i - z conj(S_ij / V_i)."""
        feeder, upper = self.feeder, self.feeder.parent.tolist()
        voltage = np.empty_like(self.sent.T)
        voltage[0] = self.v[:, 0]
        inverse = self.sent.T.conj() / self.squared_voltage.T[feeder.parent]
        for bus in range(1, feeder.size):
            voltage[bus] = voltage[upper[bus]] * (1 - feeder.impedance[bus] * inverse[bus])
        return voltage.T

    @cached_property
    def current(self) -> ComplexArray:
        """Complex current of a branch."""
        current: ComplexArray = (self.sent / self.voltage[:, self.feeder.parent]).conj()
        return current

    @cached_property
    def arrived(self) -> ComplexArray:
        arrived: ComplexArray = self.sent - self.feeder.impedance * self.squared_current
        return arrived

    @cached_property
    def drawn(self) -> ComplexArray:
        """Net power that leaves the branches at a bus: consumption minus generation, no shunt."""
        drawn = (self.arrived - self.feeder.admittance.conj() * self.squared_voltage).T.copy()
        drawn[0] += self.supply
        for bus in range(1, self.feeder.size):
            drawn[self.feeder.parent[bus]] -= self.sent.T[bus]
        return drawn.T

    @cached_property
    def loss(self) -> FloatArray:
        """Active losses by interval, those of shunts included. (interval,) [pu]"""
        series: FloatArray = self.squared_current @ self.feeder.r
        return series + self.squared_voltage @ self.feeder.conductance


def power_flow(
    feeder: Feeder,
    p: FloatArray,
    q: FloatArray,
    v_root: float | FloatArray = 1.0,
    load: ZipLoad | None = None,
    tolerance: float = _TOLERANCE,
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
    tolerance
        The last step of the voltage is at most this. [pu]

    Raises
    ------
    PowerFlowDiverged
        No voltage was found for an interval; names the interval and the worst bus.
    """
    root = np.broadcast_to(np.asarray(v_root, dtype=float), (len(p),))
    sweep = by_power if len(p) >= _MANY else by_current
    demand = Demand(
        np.ascontiguousarray(-p.T),
        np.ascontiguousarray(-q.T),
        None if load is None else load.consumption(),
    )
    found = sweep(feeder, demand, root, tolerance)
    supply = found.sent[0].copy()
    found.sent[0] = 0
    return PowerFlow(feeder, found.v.T, found.l.T, found.sent.T, supply)
