"""Many sites as arrays: row = site. One NumPy step then moves every battery of a region.

A site without a device has zeros there; efficiencies are 1 so that nothing divides by zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer.devices import Battery, Ev, FloatArray, Pv, Site


@dataclass(frozen=True, eq=False)
class Fleet:
    """Sites, stacked. Profiles are (site, interval) [W], devices (site,)."""

    sites: tuple[Site, ...]
    bus: NDArray[np.int64]
    load_w: FloatArray
    pv_w: FloatArray
    pv_peak_w: FloatArray
    inverter_va: FloatArray
    capacity_wh: FloatArray
    power_w: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    start_wh: FloatArray
    ev_energy_wh: FloatArray
    ev_power_w: FloatArray
    ev_arrives: NDArray[np.int64]
    ev_leaves: NDArray[np.int64]

    @property
    def intervals(self) -> int:
        return int(self.load_w.shape[1])


def stack(sites: Sequence[Site]) -> Fleet:
    """Return the sites as arrays, in their order."""
    pvs = [site.pv or Pv(0.0, 0.0) for site in sites]
    batteries = [site.battery or Battery(0.0, 0.0, 1.0, 1.0) for site in sites]
    evs = [site.ev or Ev(0.0, 0.0, 0, 0) for site in sites]
    return Fleet(
        sites=tuple(sites),
        bus=np.array([site.bus for site in sites], dtype=np.int64),
        load_w=np.array([site.load_w for site in sites]),
        pv_w=np.array([site.pv_w for site in sites]),
        pv_peak_w=np.array([pv.peak_w for pv in pvs]),
        inverter_va=np.array([pv.inverter_va for pv in pvs])
        + np.array([battery.power_w for battery in batteries]),
        capacity_wh=np.array([battery.capacity_wh for battery in batteries]),
        power_w=np.array([battery.power_w for battery in batteries]),
        charge_efficiency=np.array([battery.charge_efficiency for battery in batteries]),
        discharge_efficiency=np.array([battery.discharge_efficiency for battery in batteries]),
        start_wh=np.array([battery.start_wh for battery in batteries]),
        ev_energy_wh=np.array([ev.energy_wh for ev in evs]),
        ev_power_w=np.array([ev.power_w for ev in evs]),
        ev_arrives=np.array([ev.arrives for ev in evs], dtype=np.int64),
        ev_leaves=np.array([ev.leaves for ev in evs], dtype=np.int64),
    )
