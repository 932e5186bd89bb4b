"""Which loads can move or be shed? Records of demand that serves the net.

A shiftable load keeps its energy and power factor and moves inside a window; a curtailable one is
part of a bus's load that may be switched off at a price.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, FloatArray, IntArray

_NO_BUS = np.zeros(0, dtype=np.int64)
_NONE = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Shiftable:
    """Loads on top of `load_p_mw` that need `energy_mwh` within [start, end), in intervals.

    p_min_mw, p_max_mw: bounds in each interval of the window, (interval, device); outside it they
    draw nothing. mvar_per_mw: reactive power that goes with the active, (device,).
    """

    bus: IntArray
    energy_mwh: FloatArray
    p_min_mw: FloatArray
    p_max_mw: FloatArray
    start: IntArray
    end: IntArray
    mvar_per_mw: FloatArray

    def inside(self, intervals: int) -> np.ndarray:
        """Return where a window is open. (interval, device)"""
        hours = np.arange(intervals)[:, None]
        inside: np.ndarray = (hours >= self.start) & (hours < self.end)
        return inside

    def floor(self, intervals: int) -> FloatArray:
        """Return what is drawn at least. (interval, device) [MW]"""
        floor: FloatArray = np.where(self.inside(intervals), self.p_min_mw, 0.0)
        return floor

    def energies(self, dt_h: float) -> tuple[FloatArray, FloatArray]:
        """Return the least and the most energy that fits into the windows. (device,) [MWh]"""
        inside = self.inside(len(self.p_max_mw))
        least, most = (
            np.where(inside, p, 0.0).sum(axis=0) * dt_h for p in (self.p_min_mw, self.p_max_mw)
        )
        return least, most


@dataclass(frozen=True, eq=False)
class Curtailable:
    """Shares of the loads at some buses that may be shed, at a price per MWh.

    A share counts of the bus's `load_p_mw` at nominal voltage; reactive load is shed with it. Shed
    power does not follow the voltage, whatever the rest of the load does.
    """

    bus: IntArray
    share: FloatArray
    price: FloatArray

    def most(self, feeder: Feeder, load_mw: FloatArray) -> FloatArray:
        """Return what may be shed. (interval, device) [MW]"""
        possible: FloatArray = self.share * np.maximum(load_mw[:, self.places(feeder)], 0.0)
        return possible

    def mvar_per_mw(self, feeder: Feeder, load_mw: FloatArray, load_mvar: FloatArray) -> FloatArray:
        """Return the reactive power that is shed with the active. (interval, device)"""
        places = self.places(feeder)
        active, reactive = load_mw[:, places], load_mvar[:, places]
        ratio: FloatArray = np.divide(
            reactive, active, out=np.zeros(active.shape), where=active > 0
        )
        return ratio

    def places(self, feeder: Feeder) -> IntArray:
        return np.array([feeder.at(int(bus)) for bus in self.bus], dtype=np.int64)


NO_SHIFTABLE = Shiftable(_NO_BUS, _NONE, _NONE[None], _NONE[None], _NO_BUS, _NO_BUS, _NONE)
NO_CURTAILABLE = Curtailable(_NO_BUS, _NONE, _NONE)


def check_curtailable(feeder: Feeder, devices: Curtailable) -> None:
    """Look at shares and prices.

    Raises
    ------
    FeederError
        A negative share or price, or more than the whole load of a bus.
    """
    for name, values in (("share", devices.share), ("price", devices.price)):
        if (values < 0).any():
            raise FeederError(f"curtailable.{name}", f"{values.min()} is negative")
    whole = np.zeros(feeder.size)
    np.add.at(whole, devices.places(feeder), devices.share)
    if (whole > 1 + 1e-12).any():
        bus = feeder.ids[int(whole.argmax())]
        raise FeederError(f"curtailable at bus {bus}", f"shares add up to {whole.max():g}, over 1")
