"""What is asked of the optimal power flow, and what it answers: plain records with units.

The form of `gridpact solve opf` one to one. Energy in MWh, power in MW and Mvar, prices per MWh,
bus numbers as the feeder has them; arrays over buses in the feeder's order (`Feeder.ids`). A
record is only held together here; `Problem.checked` says what cannot be used.
"""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.flexible import (
    NO_CURTAILABLE,
    NO_SHIFTABLE,
    Curtailable,
    Shiftable,
    check_curtailable,
)

Status = Literal["optimal", "inexact", "infeasible"]
_NO_BUS = np.zeros(0, dtype=np.int64)
_NONE = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Pv:
    """PV units. available_mw: (interval, unit); offer per MWh.

    `reactive`: the inverter may supply or take reactive power within its circle; otherwise it
    runs at unity power factor.
    """

    bus: IntArray
    s_mva: FloatArray
    available_mw: FloatArray
    offer: FloatArray
    reactive: bool = True


@dataclass(frozen=True, eq=False)
class Storage:
    """Batteries. Energy leaves the cell divided by `eta_discharge`.

    e_final_mwh: energy after the last interval; the initial energy when absent.
    """

    bus: IntArray
    p_max_mw: FloatArray
    e_min_mwh: FloatArray
    e_max_mwh: FloatArray
    e_0_mwh: FloatArray
    eta_charge: FloatArray
    eta_discharge: FloatArray
    wear_per_mwh: FloatArray
    e_final_mwh: FloatArray | None = None

    @property
    def final(self) -> FloatArray:
        return self.e_0_mwh if self.e_final_mwh is None else self.e_final_mwh


@dataclass(frozen=True, eq=False)
class Ev:
    """Cars that need `energy_mwh` (in the cell) within [start, end), counted in intervals."""

    bus: IntArray
    p_max_mw: FloatArray
    energy_mwh: FloatArray
    start: IntArray
    end: IntArray
    eta: FloatArray


@dataclass(frozen=True, eq=False)
class Generator:
    """Controllable generators; cost per hour `c2 p^2 + c1 p`, p in MW."""

    bus: IntArray
    p_min_mw: FloatArray
    p_max_mw: FloatArray
    q_min_mvar: FloatArray
    q_max_mvar: FloatArray
    c2: FloatArray
    c1: FloatArray


NO_PV = Pv(_NO_BUS, _NONE, np.zeros((0, 0)), _NONE)
NO_STORAGE = Storage(_NO_BUS, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)
NO_EV = Ev(_NO_BUS, _NONE, _NONE, _NO_BUS, _NO_BUS, _NONE)
NO_GENERATOR = Generator(_NO_BUS, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


@dataclass(frozen=True, eq=False)
class DeviceSets:
    """Everything that can be controlled."""

    pv: Pv = NO_PV
    storage: Storage = NO_STORAGE
    ev: Ev = NO_EV
    generator: Generator = NO_GENERATOR
    shiftable: Shiftable = NO_SHIFTABLE
    curtailable: Curtailable = NO_CURTAILABLE


@dataclass(frozen=True, eq=False)
class Problem:
    """Optimal power flow of one radial feeder over coupled intervals.

    v_min, v_max [pu] hold at every bus but the root, whose voltage is `v_root` (interval,) [pu];
    they are one number, (interval,) or (interval, bus). s_max_mva (interval, bus) replaces the
    feeder's ratings, infinite where a branch has none; import_max_mw, export_max_mw bound what
    passes the substation, one number or (interval,), none by default;
    loads (interval, bus) at nominal voltage; zip_p, zip_q: shares (a, b, c) of constant impedance,
    current and power; prices (interval,) per MWh, `price_buy >= price_sell`.
    """

    feeder: Feeder
    dt_h: float
    v_min: float | FloatArray
    v_max: float | FloatArray
    v_root: FloatArray
    load_p_mw: FloatArray
    load_q_mvar: FloatArray
    price_buy: FloatArray
    price_sell: FloatArray
    devices: DeviceSets = DeviceSets()
    zip_p: tuple[float, float, float] = (0.0, 0.0, 1.0)
    zip_q: tuple[float, float, float] = (0.0, 0.0, 1.0)
    s_max_mva: FloatArray | None = None
    import_max_mw: float | FloatArray = np.inf
    export_max_mw: float | FloatArray = np.inf

    @property
    def intervals(self) -> int:
        return len(self.load_p_mw)

    def checked(self) -> "Problem":
        """Return the problem itself if its numbers can be used.

        Raises
        ------
        FeederError
            A shape that does not fit, a number that is not finite, an unknown bus, limits or
            prices that are crossed; names the field.
        """
        n = self.feeder.size
        if np.ndim(self.load_p_mw) != 2:
            shape = np.shape(self.load_p_mw)
            raise FeederError("load_p_mw", f"has shape {shape}, expected (interval, {n})")
        T = self.intervals
        shapes = {
            "v_root": (self.v_root, (T,)),
            "load_p_mw": (self.load_p_mw, (T, n)),
            "load_q_mvar": (self.load_q_mvar, (T, n)),
            "price_buy": (self.price_buy, (T,)),
            "price_sell": (self.price_sell, (T,)),
        }
        for name, (values, shape) in shapes.items():
            _check_array(name, values, shape)
        if T == 0:
            raise FeederError("load_p_mw", "has no interval")
        if not 0 < self.dt_h < np.inf:
            raise FeederError("dt_h", f"{self.dt_h} is not a positive number of hours")
        self._check_limits()
        if (self.v_root <= 0).any():
            raise FeederError("v_root", "is not positive")
        if (self.price_buy < self.price_sell).any():
            t = int(np.flatnonzero(self.price_buy < self.price_sell)[0])
            raise FeederError(f"price_sell, interval {t}", "is above price_buy")
        for name, parts in (("zip_p", self.zip_p), ("zip_q", self.zip_q)):
            if not abs(sum(parts) - 1) < 1e-9:
                raise FeederError(name, f"{parts} do not add up to 1")
        for field in fields(self.devices):
            _check_devices(self.feeder, field.name, getattr(self.devices, field.name), T)
        check_curtailable(self.feeder, self.devices.curtailable)
        return self

    def _check_limits(self) -> None:
        """Look at what the network operator permits."""
        T, n = self.intervals, self.feeder.size
        for name in ("v_min", "v_max"):
            values = np.asarray(getattr(self, name), dtype=float)
            if values.ndim:
                _check_array(name, values, (T, n) if values.ndim == 2 else (T,))
        low, high = (_by_bus(limit) for limit in (self.v_min, self.v_max))
        low, high = np.broadcast_to(low, (T, n)), np.broadcast_to(high, (T, n))
        # written so that a NaN is no band either
        wrong = np.argwhere(~((low > 0) & (low <= high) & (high < np.inf)))
        if len(wrong):
            t, place = (int(where) for where in wrong[0])
            varies = np.ndim(self.v_min) or np.ndim(self.v_max)
            where = f", interval {t}, bus {self.feeder.ids[place]}" if varies else ""
            band = f"{low[t, place]:g} .. {high[t, place]:g}"
            raise FeederError(f"v_min, v_max{where}", f"{band} is no band")
        if self.s_max_mva is not None:
            if self.s_max_mva.shape != (T, n):
                raise FeederError(
                    "s_max_mva", f"has shape {self.s_max_mva.shape}, expected {(T, n)}"
                )
            if not (self.s_max_mva[:, 1:] > 0).all():
                raise FeederError("s_max_mva", "is not positive everywhere")
        for name in ("import_max_mw", "export_max_mw"):
            values = np.asarray(getattr(self, name), dtype=float)
            if values.ndim and values.shape != (T,):
                raise FeederError(name, f"has shape {values.shape}, expected {(T,)}")
            if not (values >= 0).all():
                raise FeederError(name, f"{values.min()} is not a number >= 0")


def _by_bus(limit: float | FloatArray) -> FloatArray:
    """Return a limit with the shape (interval, bus) or one that broadcasts to it."""
    values = np.asarray(limit, dtype=float)
    return values[:, None] if values.ndim == 1 else values


def _check_array(name: str, values: FloatArray, shape: tuple[int, ...]) -> None:
    if not isinstance(values, np.ndarray):
        raise FeederError(name, f"is a {type(values).__name__}, expected an array")
    if values.shape != shape:
        raise FeederError(name, f"has shape {values.shape}, expected {shape}")
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise FeederError(f"{name}{list(where)}", "is not a finite number")


_BY_INTERVAL = {
    ("pv", "available_mw"),
    ("shiftable", "p_min_mw"),
    ("shiftable", "p_max_mw"),
}
_CROSSED = {
    "shiftable": [("p_min_mw", "p_max_mw")],
    "storage": [("e_min_mwh", "e_max_mwh")],
    "generator": [("p_min_mw", "p_max_mw"), ("q_min_mvar", "q_max_mvar")],
}
_NOT_NEGATIVE = ("s_mva", "available_mw", "p_max_mw", "energy_mwh", "wear_per_mwh", "c2", "start")
_WHOLE = ("start", "end")
_SHARE = ("eta", "eta_charge", "eta_discharge")


def _check_devices(feeder: Feeder, kind: str, devices: object, intervals: int) -> None:
    """Look at the arrays of one kind of device."""
    buses: IntArray = devices.bus  # type: ignore[attr-defined]
    count = len(buses)
    if not np.issubdtype(np.asarray(buses).dtype, np.integer):
        raise FeederError(f"{kind}.bus", f"{buses[0]} is not a bus number, expected whole ones")
    for bus in buses:
        feeder.at(int(bus))
    for field in fields(devices):  # type: ignore[arg-type]
        values = getattr(devices, field.name)
        if field.name == "bus" or not isinstance(values, np.ndarray):
            continue
        name = f"{kind}.{field.name}"
        if field.name in _WHOLE and not np.issubdtype(values.dtype, np.integer):
            raise FeederError(name, f"has numbers of type {values.dtype}, expected whole ones")
        if (kind, field.name) in _BY_INTERVAL:
            _check_array(name, values, (intervals, count) if count else values.shape)
        else:
            _check_array(name, values, (count,))
        if kind != "generator" and field.name in _NOT_NEGATIVE and (values < 0).any():
            raise FeederError(name, f"{values.min()} is negative")
        if field.name == "c2" and (values < 0).any():
            raise FeederError(name, "is negative: the cost must be convex")
        if field.name in _SHARE and ((values <= 0) | (values > 1)).any():
            raise FeederError(name, "is not in (0, 1]")
    for low, high in _CROSSED.get(kind, []):
        crossed = getattr(devices, low) > getattr(devices, high)
        if crossed.any():
            bus = int(buses[int(np.argwhere(crossed)[0][-1])])
            raise FeederError(f"{kind} at bus {bus}", f"{low} is above {high}")


@dataclass(frozen=True, eq=False)
class SetPoints:
    """What the devices are to do. (interval, device), MW and Mvar; energy in MWh at the end."""

    pv_mw: FloatArray
    pv_mvar: FloatArray
    charge_mw: FloatArray
    discharge_mw: FloatArray
    energy_mwh: FloatArray
    ev_mw: FloatArray
    generator_mw: FloatArray
    generator_mvar: FloatArray
    shift_mw: FloatArray
    shed_mw: FloatArray


@dataclass(frozen=True, eq=False)
class Prices:
    """Nodal prices per MWh and per Mvarh, (interval, bus); the four parts add up to `active`.

    marginal_loss: losses that one more unit injected at a bus adds (negative: saves) [1].
    """

    active: FloatArray
    reactive: FloatArray
    energy: FloatArray
    loss: FloatArray
    congestion: FloatArray
    voltage: FloatArray
    marginal_loss: FloatArray


@dataclass(frozen=True)
class Exactness:
    """How far the relaxation is from physics (5-decisions, section 13).

    fictitious_loss_kw: worst interval; voltage_gap: relaxation against AC replay [pu];
    excess: what the replay exceeds a limit by [pu]; burned_mw: highest min(charge, discharge);
    cost_gap: AC replay against the relaxation's cost and dual bound, relative to the turnover.
    """

    fictitious_loss_kw: float
    voltage_gap: float
    excess: float
    burned_mw: float
    cost_gap: float


@dataclass(frozen=True)
class Conflict:
    """A limit that cannot hold with the others in an interval (None: it is tied to none)."""

    limit: str
    interval: int | None = None

    def __str__(self) -> str:
        return self.limit if self.interval is None else f"{self.limit} in interval {self.interval}"


@dataclass(frozen=True, eq=False)
class Schedule:
    """An operating point of the whole horizon, as an AC power flow has it.

    voltage (interval, bus) [pu]; import_mw (interval,), negative where the feeder exports;
    loss_mwh (interval,).
    """

    voltage: FloatArray
    import_mw: FloatArray
    loss_mwh: FloatArray
    set_points: SetPoints
    prices: Prices


@dataclass(frozen=True, eq=False)
class Solution:
    """Answer of the optimal power flow.

    optimal: `objective` is the cost, exact; inexact: that of the AC-feasible repair, `bound` that
    of the relaxation, prices those of the repaired point; infeasible: `conflicts` names the limits
    that cannot hold together, and `schedule`, where one was found, is the least violating one,
    whose prices mean nothing in intervals with a conflict. `bound` never exceeds the optimum.
    """

    status: Status
    solver: str
    objective: float
    bound: float
    schedule: Schedule | None
    exactness: Exactness | None
    conflicts: tuple[Conflict, ...] = ()
