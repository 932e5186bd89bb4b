"""The day-ahead power flow as the cycle asks for it: solved once, told interval by interval."""

from dataclasses import dataclass
from functools import cached_property

from gridpact.cycle.ports import PriceSignal
from gridpact.grid import day_ahead
from gridpact.grid.feeder import Feeder
from gridpact.model.record import BusCharge
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.tariff import Tariff
from gridpact.simulation.day_ahead import problem
from gridpact.simulation.world import World


@dataclass(frozen=True, eq=False)
class Advisor:
    """A `cycle.ports.DayAhead` over the expected day of a region.

    `v_root` is the substation's voltage, `band` the limits of all others. [pu]
    """

    world: World
    outlook: Outlook
    feeder: Feeder
    tariff: Tariff
    v_root: float
    band: tuple[float, float]
    inverter_q: bool

    @cached_property
    def day(self) -> tuple[day_ahead.Advice, ...]:
        """The advice for every interval, from one coupled power flow."""
        return day_ahead.day_ahead(
            problem(
                self.world,
                self.outlook,
                self.feeder,
                self.tariff,
                self.v_root,
                self.band,
                self.inverter_q,
            )
        )

    def __call__(self, interval: int) -> PriceSignal:
        advice = self.day[interval]
        return PriceSignal(
            buses=tuple(BusCharge(bus, price) for bus, price in advice.locational.items() if price),
            solver=advice.solver,
            conflicts=advice.conflicts,
            marginal_loss=advice.marginal_loss,
        )
