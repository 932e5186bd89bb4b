"""Among how many each household stands on the ledger, and how often it took another address."""

from collections import Counter
from dataclasses import dataclass

from gridpact.assembly.day import DayResult
from gridpact.model.participant import Role
from gridpact.quantities import Money


@dataclass(frozen=True)
class Zone:
    """Households that the ledger tells from each other by nothing but what they do.

    `bus` is the one they are all registered at, `buses` where they are.
    """

    bus: int
    roles: str
    buses: tuple[int, ...]
    households: int


@dataclass(frozen=True)
class Privacy:
    """Pseudonyms of a run: changes of address, the sum that each enters with, and who is alike."""

    rotations: int
    entering: Money
    among: int
    zones: tuple[Zone, ...]

    @property
    def fewest(self) -> int:
        """Return the size of the smallest group of those alike."""
        return min((zone.households for zone in self.zones), default=0)

    @property
    def too_few(self) -> int:
        """Return how many households stand among fewer than was asked for."""
        return sum(zone.households for zone in self.zones if zone.households < self.among)


def privacy(day: DayResult) -> Privacy | None:
    """Return what a run hides; None where everybody stands under its name."""
    settings = day.scenario.identity
    if settings.period is None:
        return None
    people = [party.participant for party in day.people.sites]
    alike = Counter((one.bus, one.roles) for one in people)
    places = dict[tuple[int, Role], set[int]]()
    for one, site in zip(people, day.scenario.sites, strict=True):
        places.setdefault((one.bus, one.roles), set()).add(site.bus)
    turns = (day.scenario.time.intervals - 1) // settings.rotation if settings.rotation else 0
    return Privacy(
        turns,
        day.scenario.funds.participant,
        settings.hidden_among,
        tuple(
            Zone(bus, _words(roles), tuple(sorted(places[bus, roles])), count)
            for (bus, roles), count in sorted(alike.items())
        ),
    )


def _words(roles: Role) -> str:
    return ", ".join(str(one.name).lower() for one in roles)
