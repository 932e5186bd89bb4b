"""The simulated net: which voltages and losses follow from what flows at the buses.

A `Wires` is the physical feeder as the field meets it. The power flow is handed in as a function,
`radial` makes one of a `grid.feeder.Feeder`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gridpact.grid.feeder import Feeder
from gridpact.grid.power_flow import power_flow
from gridpact.model.grid_check import GridCheck
from gridpact.prosumer.devices import FloatArray


class GridState(NamedTuple):
    """What the power flow says of one interval.

    voltage_pu: (bus,); `substation_w` is the net import from the grid above, losses included.
    """

    voltage_pu: FloatArray
    loss_w: float
    substation_w: float


PowerFlow = Callable[[FloatArray, FloatArray], GridState]


@dataclass(frozen=True, eq=False)
class Wires:
    """`flow` takes net injections at `buses` (W, var); `check` is the network operator's.

    Without a check nothing is curtailed in real time. `reactive_share` is the load's var per W.
    """

    buses: tuple[int, ...]
    flow: PowerFlow
    check: GridCheck | None
    power_factor: float

    @cached_property
    def place(self) -> dict[int, int]:
        return {bus: place for place, bus in enumerate(self.buses)}

    @property
    def reactive_share(self) -> float:
        """Reactive per active power of the load, tan(arccos(power factor))."""
        return float(np.sqrt(1 / self.power_factor**2 - 1))

    def places(self, buses: Sequence[int]) -> list[int]:
        return [self.place[bus] for bus in buses]


def radial(feeder: Feeder, v_root: float, power_factor: float, check: GridCheck | None) -> Wires:
    """Return a radial feeder as wires."""
    base = feeder.s_base_mva * 1e6

    def flow(p_w: FloatArray, q_var: FloatArray) -> GridState:
        state = power_flow(feeder, p_w[None, :] / base, q_var[None, :] / base, v_root)
        return GridState(
            state.v[0], float(state.loss[0]) * base, float(state.supply[0].real) * base
        )

    return Wires(tuple(int(bus) for bus in feeder.ids), flow, check, power_factor)
