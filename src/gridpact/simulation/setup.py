"""A simulated day put together: world, people, forecasts and field from plain values.

The chains' domains enter last (`field`), because a ledger is founded with the people of `prepare`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.devices import Plant, Site
from gridpact.prosumer.fleet import stack
from gridpact.prosumer.outlook import ForecastSettings, Outlook
from gridpact.prosumer.plan import plan
from gridpact.prosumer.tariff import Tariff
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.forecast import forecast
from gridpact.simulation.meters import gains
from gridpact.simulation.orders import Desk, Name, Venue
from gridpact.simulation.people import People, enlist
from gridpact.simulation.wires import Wires
from gridpact.simulation.world import World


@dataclass(frozen=True, eq=False)
class Setup:
    """What a simulated day is made of. `strategy`: "own" or "market"; `hours` of an interval."""

    sites: tuple[Site, ...]
    plants: tuple[Plant, ...]
    wires: Wires
    hours: float
    tariff: Tariff
    forecast: ForecastSettings
    strategy: str
    meter_error: float
    seed: int
    conduct: Mapping[str, Conduct] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A day ready to run. `before` is the world under self-consumption control."""

    setup: Setup
    people: People
    before: World
    world: World
    outlook: Outlook

    def field(
        self, venue: Venue, *, signed: bool = True, name: Name | None = None
    ) -> SimulatedField:
        """Return a fresh field at interval 0 whose orders and readings go to `venue`."""
        setup = self.setup
        desk = Desk(
            venue, self.people, setup.tariff, setup.seed, setup.conduct, signed=signed, name=name
        )
        meter_gain = gains(len(self.world.ids) + 1, setup.meter_error, setup.seed)
        return SimulatedField(self.world, self.outlook, desk, meter_gain)


def prepare(setup: Setup) -> Prepared:
    """Draw keys and forecasts, and the batteries' plan where owners plan."""
    fleet = stack(setup.sites)
    people = enlist(setup.sites, setup.plants, setup.wires.buses[0], setup.seed)
    ids = tuple(party.address for party in (*people.sites, *people.plants))
    outlook = forecast(fleet, setup.plants, setup.forecast, setup.seed)
    before = World(fleet, setup.plants, ids, setup.wires, setup.hours)
    if setup.strategy != "market":
        return Prepared(setup, people, before, before, outlook)
    planned = plan(fleet, outlook, setup.tariff, setup.hours)
    world = World(fleet, setup.plants, ids, setup.wires, setup.hours, planned)
    return Prepared(setup, people, before, world, outlook)
