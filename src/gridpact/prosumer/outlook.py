"""What participants and the network operator expect of the day: forecasts as plain arrays.

Orders, schedules and caps see an outlook, meters see what happens (5-decisions, section 3).
`simulation.forecast` makes one for a simulated day.
"""

from dataclasses import dataclass
from enum import StrEnum

from gridpact.prosumer.devices import FloatArray


class Model(StrEnum):
    """How a forecast is made: erring by an AR(1) factor, yesterday again, or without error."""

    AR1 = "ar1"
    PERSISTENCE = "persistence"
    PERFECT = "perfect"


@dataclass(frozen=True)
class ForecastSettings:
    """`sigma`: standard deviation of the error factor; `correlation`: from interval to interval."""

    model: Model = Model.AR1
    sigma: float = 0.2
    correlation: float = 0.7


@dataclass(frozen=True, eq=False)
class Outlook:
    """Expected power. load_w, pv_w: (site, interval); plant_w: (plant, interval). [W]"""

    load_w: FloatArray
    pv_w: FloatArray
    plant_w: FloatArray
