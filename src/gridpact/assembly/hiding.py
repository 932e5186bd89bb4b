"""Pseudonyms of a scenario: everybody in each period, and among how many each of them stands."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from msgspec.structs import replace as with_

from gridpact.assembly.keepers import Office
from gridpact.assembly.ledgers import Ledgers
from gridpact.crypto.keccak import name_hash
from gridpact.cycle.ports import DayAhead, PriceSignal, Rotating
from gridpact.grid.distance import in_walking_order
from gridpact.grid.feeder import Feeder
from gridpact.identity.hiding import groups, zones
from gridpact.model.record import BusCharge
from gridpact.quantities import divide_half_even
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.certificates import Span
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.households import SimulatedHouseholds
from gridpact.simulation.people import Party, People, enlist


class Hiding:
    """Who stands where under which name, period by period; 0 is the first one of the run."""

    def __init__(self, scenario: Scenario, feeder: Feeder, office: Office) -> None:
        self._scenario, self._office = scenario, office
        self._root = int(feeder.ids[0])
        self.zones = self._merged(feeder)
        self.known = cache(self._known)
        self.people = cache(self._people)

    @property
    def periods(self) -> int:
        """Return how many periods the run has."""
        length = self._scenario.identity.rotation
        return -(-self._scenario.time.intervals // length) if length else 1

    @property
    def persons(self) -> Mapping[bytes, bytes]:
        """Return of each household's later address the one that it began with."""
        first = self.known(0).sites
        return {
            now.address: was.address
            for period in range(1, self.periods)
            for was, now in zip(first, self.known(period).sites, strict=True)
        }

    def _known(self, period: int) -> People:
        """Return everybody's keys and places in a period, without certificates."""
        scenario = self._scenario
        first = scenario.identity.period
        under = None if first is None else first + period
        hours = scenario.time.hours
        people = enlist(scenario.sites, scenario.plants, self._root, scenario.seed, under, hours)
        plants = people.plants if not period else self.known(0).plants
        return replace(people, sites=merged(people.sites, self.zones), plants=plants)

    def _people(self, period: int) -> People:
        """Return everybody with a certificate of a period; the substation's meter has none."""
        scenario, people = self._scenario, self.known(period)
        region, zone = name_hash(scenario.region), name_hash(scenario.zone)
        span = self._span(period)
        certified = self._office.certified
        plants = tuple(certified(one, zone) for one in people.plants)
        return People(
            sites=tuple(certified(one, region, span) for one in people.sites),
            plants=plants if not period else self.people(0).plants,
            substation=people.substation,
        )

    def _span(self, period: int) -> Span | None:
        length = self._scenario.identity.rotation
        if length is None:
            return None
        return period * length, min((period + 1) * length, self._scenario.time.intervals) - 1

    def _merged(self, feeder: Feeder) -> Mapping[int, int]:
        """Return under which bus each bus with households is known."""
        scenario = self._scenario
        if scenario.identity.period is None:
            return {}
        here = enlist(scenario.sites, (), self._root, scenario.seed).sites
        place = {bus: n for n, bus in enumerate(in_walking_order(feeder))}
        stations = [(one.participant.bus, one.participant.roles) for one in here]
        stations.sort(key=lambda row: place[row[0]])
        return zones(stations, scenario.identity.hidden_among)


def merged(sites: tuple[Party, ...], under: Mapping[int, int]) -> tuple[Party, ...]:
    """Return households as the ledger knows them: by their zone, and what all alike could sell.

    What each one's devices could sell would be as good as its name.
    """
    if not under:
        return sites
    placed = [
        replace(one, participant=with_(one.participant, bus=under[one.participant.bus]))
        for one in sites
    ]
    known = {one.address: (one.participant.bus, one.participant.roles) for one in placed}
    rated = {one.address: one.participant.reference_wh for one in placed}
    mean = {
        who: sum(rated[one] for one in group) // len(group)
        for group in groups(known)
        for who in group
    }
    return tuple(
        replace(one, participant=with_(one.participant, reference_wh=mean[one.address]))
        for one in placed
    )


class MergedPrices:
    """The day-ahead prices (`cycle.ports.DayAhead`) with one locational price for each zone.

    It is the mean over the zone's households, so that what a zone pays for the wires stays about
    what its buses would have paid.
    """

    def __init__(self, advice: DayAhead, sites: tuple[int, ...], under: Mapping[int, int]) -> None:
        self._advice, self._sites, self._under = advice, sites, under

    def __call__(self, interval: int) -> PriceSignal:
        signal = self._advice(interval)
        price = {row.bus: row.locational for row in signal.buses}
        for zone in set(self._under.values()):
            own = [price.get(bus, 0) for bus in self._sites if self._under[bus] == zone]
            mean = divide_half_even(sum(own), len(own))
            price |= {bus: mean for bus, first in self._under.items() if first == zone}
        buses = tuple(BusCharge(bus, value) for bus, value in sorted(price.items()) if value)
        return replace(signal, buses=buses)


def rotating(
    scenario: Scenario, hiding: Hiding, field: SimulatedField, ledgers: Ledgers
) -> Rotating | None:
    """Return how households change their addresses within the run; None where they do not."""
    settings = scenario.identity
    if settings.rotation is None:
        return None
    region = name_hash(scenario.region)
    households = SimulatedHouseholds(hiding.people, field, region, ledgers.doorstep)
    entering, least = scenario.funds.participant, settings.hidden_among
    return Rotating(settings.rotation, entering, least, households)
