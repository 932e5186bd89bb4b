"""What really flowed in one interval: the truth that meters see a part of.

Kept for the report and for an independent replay of every interval's power flow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridpact.prosumer.devices import FloatArray


@dataclass(frozen=True, eq=False)
class Flow:
    """Mean power of one interval.

    Per site (site,) [W]: load_w, ev_w, pv_w, pv_available_w, charge_w, discharge_w; stored_wh at
    the end of the interval [Wh]. Per plant (plant,) [W]: plant_w, plant_available_w. Per bus, in
    the order of the wires: p_w and q_var net injection (generation positive), voltage_pu.
    `substation_w` is the net import from the grid above. `limited_wh` was cut by limits known
    beforehand, `curtailed_wh` in real time; both per site, then per plant.
    """

    interval: int
    load_w: FloatArray
    ev_w: FloatArray
    pv_w: FloatArray
    pv_available_w: FloatArray
    charge_w: FloatArray
    discharge_w: FloatArray
    stored_wh: FloatArray
    plant_w: FloatArray
    plant_available_w: FloatArray
    p_w: FloatArray
    q_var: FloatArray
    voltage_pu: FloatArray
    loss_w: float
    substation_w: float
    limited_wh: FloatArray
    curtailed_wh: FloatArray
    reactive_var: Mapping[bytes, int]
    binding: tuple[str, ...]

    @property
    def net_w(self) -> FloatArray:
        """Net import of each site; negative where it feeds in. (site,) [W]"""
        return self.load_w + self.ev_w + self.charge_w - self.discharge_w - self.pv_w
