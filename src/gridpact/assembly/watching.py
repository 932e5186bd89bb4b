"""The sensors of a scenario: what they learned, what they are fed with, who overrules them."""

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


def watch(
    scenario: Scenario,
    simulated: SimulatedField,
    feeder: Feeder,
    people: People,
    begins: int,
    signed: bool,
) -> Watch | None:
    """Return a scenario's sensors after their clean days; None where nobody watches."""
    settings = scenario.sensors
    if settings is None:
        return None
    time = scenario.time
    clock = Clock(begins, time.minutes * 60, time.intervals, settings.train_days)
    parties = (*people.sites, *people.plants)
    names = [party.participant.name for party in parties]
    instruments = Instruments(
        simulated.world, feeder, simulated.flows, settings, clock, names, scenario.seed
    )
    learned = instruments.learn()
    duty = operator_key(scenario, "operator on duty")
    watching = Watch(
        sensors=Sensors.of(learned),
        feed=instruments,
        meters={party.address: instruments.meters(n) for n, party in enumerate(parties)},
        terms=WatchTerms(learned.version, duty.address),
        salt=keccak(b"sensors" + key_seed(scenario.seed)),
        now=clock.first,
        overrides=tuple(
            Override(one.target, begins + round(one.when.since * 3600),
                     begins + round(one.when.until * 3600), one.reason)
            for one in settings.releases
        ),
        sign=duty.sign if signed else None,
    )  # fmt: skip
    watching.warm_up(clock.begins)
    return watching
