"""What flowed over the day, as curves in kW that claims and figures share.

The physical truth of `simulation.flow`, not the meters' view of it: what was sold to whom is
`comparison`.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.assembly.day import DayResult
from gridpact.prosumer.devices import FloatArray
from gridpact.simulation.flow import Flow


@dataclass(frozen=True, eq=False)
class Series:
    """Mean power per interval, (interval,) [kW]; `begins` in hours from the start [h].

    demand: load and vehicles; roofs, plants: generation after curtailment; substation: net import
    from the grid above, negative when the feeder exports; stored: energy in all batteries at the
    end of the interval [kWh]; voltage: (interval, bus) [pu].
    """

    begins: FloatArray
    hours: float
    demand: FloatArray
    charge: FloatArray
    discharge: FloatArray
    stored: FloatArray
    roofs: FloatArray
    plants: FloatArray
    curtailed: FloatArray
    loss: FloatArray
    substation: FloatArray
    substation_before: FloatArray
    voltage: FloatArray

    @property
    def edges(self) -> FloatArray:
        """Beginnings and end of the intervals. (interval + 1,) [h]"""
        return np.append(self.begins, self.begins[-1] + self.hours)

    @property
    def generation(self) -> FloatArray:
        return np.asarray(self.roofs + self.plants)

    @property
    def deficit(self) -> FloatArray:
        """Demand that batteries do not cover. [kW]"""
        return np.asarray(self.demand + self.charge - self.discharge)

    def energy(self, power: FloatArray) -> float:
        """Return the energy of a curve over the day. [kWh]"""
        return float(power.sum()) * self.hours

    @property
    def self_sufficiency(self) -> float:
        """Share of what the feeder used, losses included, that did not come from above."""
        used = self.energy(self.demand + self.loss)
        drawn = self.energy(np.maximum(self.substation, 0.0))
        return max(0.0, 1 - drawn / used) if used else 0.0

    @property
    def self_consumption(self) -> float:
        """Share of what the feeder generated that did not leave it."""
        made = self.energy(self.generation)
        given = self.energy(np.maximum(-self.substation, 0.0))
        return max(0.0, 1 - given / made) if made else 0.0


def series(day: DayResult) -> Series:
    """Return the day's curves."""
    flows, hours = day.flows, day.scenario.time.hours
    cut_wh = np.array([flow.limited_wh.sum() + flow.curtailed_wh.sum() for flow in flows])
    return Series(
        begins=np.arange(len(flows), dtype=np.float64) * hours,
        hours=hours,
        demand=np.array([flow.load_w.sum() + flow.ev_w.sum() for flow in flows]) / 1000,
        charge=_sum(flows, "charge_w"),
        discharge=_sum(flows, "discharge_w"),
        stored=_sum(flows, "stored_wh"),
        roofs=_sum(flows, "pv_w"),
        plants=_sum(flows, "plant_w"),
        curtailed=cut_wh / hours / 1000,
        loss=np.array([flow.loss_w for flow in flows]) / 1000,
        substation=np.array([flow.substation_w for flow in flows]) / 1000,
        substation_before=np.array([flow.substation_w for flow in day.before.flows]) / 1000,
        voltage=np.array([flow.voltage_pu for flow in flows]),
    )


def _sum(flows: tuple[Flow, ...], name: str) -> FloatArray:
    return np.array([getattr(flow, name).sum() for flow in flows]) / 1000


def clock(hour: float) -> str:
    """Return "08:00" of 8.0 hours after the start of the day."""
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
