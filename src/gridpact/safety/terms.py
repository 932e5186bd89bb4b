"""All numbers of the sensors in one record."""

from dataclasses import dataclass, field

from gridpact.safety.area import BalanceTerms
from gridpact.safety.charts import ChartTerms
from gridpact.safety.equipment import EquipmentTerms
from gridpact.safety.meters import MeterTerms
from gridpact.safety.principal import PrincipalTerms
from gridpact.safety.weather import WeatherTerms

QUARTER = 900
"""Seconds of one tick of the meters."""


@dataclass(frozen=True)
class Terms:
    """All numbers of the sensors. `material`: an error counts beyond the larger of these shares of
    the true value and of the meter's scale, times `clear`, for it is estimated; `bouts`, at least
    `pause` seconds apart and within `memory` seconds, make a meter unsafe between them, too;
    `drift`: growth of a share within the window that makes it a drift. late: seconds after the
    newest moment for which a permit may be given.
    """

    weather: WeatherTerms = field(default_factory=WeatherTerms)
    equipment: EquipmentTerms = field(default_factory=EquipmentTerms)
    principal: PrincipalTerms = field(default_factory=PrincipalTerms)
    meters: MeterTerms = field(default_factory=MeterTerms)
    charts: ChartTerms = field(default_factory=ChartTerms)
    balance: BalanceTerms = field(default_factory=BalanceTerms)
    material: tuple[float, float] = (0.05, 0.02)
    clear: float = 1.2
    bouts: int = 2
    memory: int = 2 * 86_400
    pause: int = 6 * 3600
    late: int = 2 * QUARTER
    drift: float = 1.5
