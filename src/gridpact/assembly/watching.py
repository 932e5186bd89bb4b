"""The sensors of a scenario: what they are fed with, what they learned, who overrules them."""

from collections.abc import Iterable

from gridpact.assembly.ledgers import operator_key
from gridpact.crypto.keccak import keccak
from gridpact.cycle.watch import Override, Watch
from gridpact.grid.feeder import Feeder
from gridpact.model.watch import WatchTerms
from gridpact.safety.sensors import Sensors
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.instruments import Clock, Instruments
from gridpact.simulation.people import People, key_seed


def instruments(
    scenario: Scenario, simulated: SimulatedField, feeder: Feeder, people: People, begins: int
) -> Instruments | None:
    """Return what measures a scenario's day; None where nobody watches."""
    settings, time = scenario.sensors, scenario.time
    if settings is None:
        return None
    clock = Clock(begins, time.minutes * 60, time.intervals, settings.train_days)
    names = [party.participant.name for party in (*people.sites, *people.plants)]
    return Instruments(
        simulated.world, feeder, simulated.flows, settings, clock, names, scenario.seed
    )


def watch(
    scenario: Scenario, measuring: Instruments, everybody: Iterable[People], signed: bool
) -> Watch:
    """Return a scenario's sensors after their clean days; they know everybody by every name."""
    learned, clock = measuring.learn(), measuring.clock
    duty = operator_key(scenario, "operator on duty")
    known = {
        party.address: measuring.meters(n)
        for people in everybody
        for n, party in enumerate((*people.sites, *people.plants))
    }
    watching = Watch(
        sensors=Sensors.of(learned),
        feed=measuring,
        meters=known,
        terms=WatchTerms(learned.version, duty.address),
        salt=salt(scenario),
        now=clock.first,
        above=measuring.above,
        overrides=tuple(
            Override(
                one.target,
                clock.moment(one.when.since),
                clock.moment(one.when.until),
                one.reason,
            )
            for one in measuring.settings.releases
        ),
        sign=duty.sign if signed else None,
    )
    watching.warm_up(clock.begins)
    return watching


def salt(scenario: Scenario) -> bytes:
    """Return the secret under which a scenario's measurements are hashed."""
    return keccak(b"sensors" + key_seed(scenario.seed))
