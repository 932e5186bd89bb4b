"""Door keepers, aggregators and authority of a simulated market, whose keys this process holds."""

from collections.abc import Mapping
from typing import Protocol

from gridpact.assembly.ledgers import Ledgers, operator_key
from gridpact.crypto.keccak import name_hash
from gridpact.cycle.council import Seats
from gridpact.cycle.judged import Judge
from gridpact.cycle.market import Door
from gridpact.cycle.ports import NoCertificates
from gridpact.cycle.relay import Relays, RelayTerms, Standing
from gridpact.cycle.watch import Watch
from gridpact.model.door import DoorTerms
from gridpact.model.net import NetTerms
from gridpact.model.participant import Role
from gridpact.model.record import Timing
from gridpact.propagation.trust import earlier
from gridpact.scenario.scenario import AggregatorSettings, Scenario
from gridpact.simulation.aggregators import SimulatedAggregator
from gridpact.simulation.certificates import Lost, SimulatedAuthority, Span
from gridpact.simulation.clock import MarketClock
from gridpact.simulation.people import Party, key_seed, party


def door(scenario: Scenario, signed: bool) -> Door:
    """Return who lets money in; the first keepers by address sign, as many as it takes.

    Without signatures (studies in memory) the terms count, and nobody signs.
    """
    settings = scenario.door
    keys = sorted(
        (operator_key(scenario, f"door keeper {n}") for n in range(settings.keepers)),
        key=lambda key: key.address,
    )
    return Door(
        DoorTerms(tuple(key.address for key in keys), settings.needed, settings.daily_cap),
        tuple(key.sign for key in keys[: settings.needed]) if signed else (),
    )


class Office(Protocol):
    """Who gives parties their certificates, and says who has lost its own."""

    def certified(self, party: Party, region: bytes, span: Span | None = None) -> Party: ...

    def barred(self, interval: int) -> Mapping[bytes, str]: ...


class NoOffice(NoCertificates):
    """Nobody has a certificate: parties are registered under marks that follow from the seed."""

    def certified(self, party: Party, _region: bytes, _span: Span | None = None) -> Party:
        return party


def authority(scenario: Scenario, signed: bool) -> Office:
    """Return the operator's authority; none where the scenario says so or nobody signs."""
    settings, time = scenario.identity, scenario.time
    if not (settings.certificates and signed):
        return NoOffice()
    lost = [Lost(one.participant, one.interval, one.revoked) for one in settings.lost]
    begins = MarketClock(time.begins, time.minutes).seconds(0)
    return SimulatedAuthority(
        key_seed(scenario.seed), Timing(begins, 60 * time.minutes), time.intervals, lost
    )


def council(
    scenario: Scenario,
    ledgers: Ledgers,
    root_bus: int,
    signed: bool,
    office: Office,
    watch: Watch | None = None,
) -> Seats:
    """Return the aggregators in office on both chains; each judges by its own reading of them.

    Without signatures (studies in memory) they hold their bonds, and nobody signs. Where sensors
    watch, the members have the same measurements and a memory of their own.
    """
    settings, secret = scenario.council, key_seed(scenario.seed)
    region, zone = name_hash(scenario.region), name_hash(scenario.zone)
    members = [
        office.certified(party(secret, f"aggregator {n}", root_bus, Role.AGGREGATOR), region)
        for n in range(1, settings.members + 1)
    ]
    described = zip(members, settings.aggregators, strict=False)
    terms = RelayTerms(
        settings.links,
        settings.min_trust,
        standing={one.address: _standing(row) for one, row in described},
        max_cost=settings.max_km,
    )
    judge = Judge(ledgers.local, ledgers.zonal, region, zone, watch.twin() if watch else None)
    return Seats(
        tuple(SimulatedAggregator(one, judge) for one in members),
        NetTerms(bond=settings.bond, on=scenario.net),
        signed,
        Relays(terms),
    )


def _standing(settings: AggregatorSettings) -> Standing:
    """Return how a member takes office; its trust is that of some earlier tasks."""
    if settings.trust is None:
        return Standing(settings.links, settings.place_km)
    return Standing(settings.links, settings.place_km, earlier(settings.trust))
