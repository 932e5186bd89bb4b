"""What stands behind a connection point: load, PV, battery, vehicles; and the renewable plants.

Plain records with their actual and yesterday's profiles. Who reads them from files is `scenario`,
who runs them is `simulation`, what their owners want is `prosumer.bidding` and `prosumer.plan`.
Power in W, energy in Wh, one value per interval in an array; floats, as everywhere in the field.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer.wishes import NO_WISH, Wish
from gridpact.quantities import Score

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pv:
    """Rooftop PV: rated power [W] and the inverter's rated apparent power [VA]."""

    peak_w: float
    inverter_va: float


@dataclass(frozen=True)
class Battery:
    """A battery behind the meter. Power is at the terminals, `stored` energy inside the cell.

    E_t = E_{t-1} + h (eta_c ch - dis / eta_d), 0 <= E_t <= capacity ([Wang23] multiplies by eta_d).
    """

    capacity_wh: float
    power_w: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    start_wh: float = 0.0


@dataclass(frozen=True)
class Ev:
    """Vehicles that need `energy_wh` at the wall between `arrives` and `leaves` (exclusive)."""

    energy_wh: float
    power_w: float
    arrives: int
    leaves: int


@dataclass(frozen=True, eq=False)
class Site:
    """One participant's connection point.

    `load_w` and `pv_w` are what will really happen, `*_yesterday_w` the same hours of the day
    before (None when unknown: persistence is then no possible forecast). All (interval,) [W].
    `ask_share` places its offers between feed-in tariff (0) and cap (1); `wish` is what its orders
    ask beyond energy and price.
    """

    name: str
    bus: int
    kind: str
    load_w: FloatArray
    pv_w: FloatArray
    load_yesterday_w: FloatArray | None
    pv_yesterday_w: FloatArray | None
    ask_share: float
    min_reputation: Score
    pv: Pv | None = None
    battery: Battery | None = None
    ev: Ev | None = None
    wish: Wish = NO_WISH


@dataclass(frozen=True, eq=False)
class Plant:
    """A renewable plant that serves the whole zone; `window` is its announced steady window.

    The window counts intervals, the end is exclusive.
    """

    name: str
    bus: int
    peak_w: float
    inverter_va: float
    power_w: FloatArray
    power_yesterday_w: FloatArray | None
    ask_share: float
    window: tuple[int, int]
