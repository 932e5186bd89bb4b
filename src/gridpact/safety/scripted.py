"""What sensors a market has, and what befalls them in a simulated day.

The market's own sensors are described by `Section` and `station`; storms, faults and silences are
a scenario's script, releases what its operator decides. Hours count from the day's beginning.
"""

from dataclasses import dataclass

from gridpact.safety.verdict import Hazard

STORMS = (Hazard.THUNDERSTORM, Hazard.LIGHTNING, Hazard.HIGH_WIND, Hazard.TYPHOON)


@dataclass(frozen=True)
class Section:
    """The part of a feeder behind one transformer, watched by it, its line and an area meter.

    `bus` and everything behind it, but for sections of their own further out. `rating_kva` of
    transformer and line; None: a fifth more than its devices can ask for at once.
    """

    name: str
    bus: int
    rating_kva: float | None = None


@dataclass(frozen=True)
class Hours:
    """From, until. [h]"""

    since: float
    until: float


@dataclass(frozen=True)
class Storm:
    """Weather of a hazard's kind at the station."""

    kind: Hazard
    when: Hours


@dataclass(frozen=True)
class Warned:
    """A weather service warns of a hazard of this kind, rightly or not."""

    kind: Hazard
    when: Hours


@dataclass(frozen=True)
class Fault:
    """A transformer loses its cooling: its oil warms up to `extra_k` beyond what it should."""

    transformer: str
    when: Hours
    extra_k: float


@dataclass(frozen=True)
class Silence:
    """Nothing is heard of a sensor: the station, a section's line or transformer, a participant."""

    sensor: str
    when: Hours


@dataclass(frozen=True)
class Release:
    """The operator lets trades flow against what one target's sensors say."""

    target: str
    when: Hours
    reason: str


@dataclass(frozen=True)
class SensorSettings:
    """All of it. `train_days` clean days before the market's teach the sensors what is usual."""

    station: str
    sections: tuple[Section, ...]
    train_days: int = 8
    storms: tuple[Storm, ...] = ()
    warnings: tuple[Warned, ...] = ()
    faults: tuple[Fault, ...] = ()
    silences: tuple[Silence, ...] = ()
    releases: tuple[Release, ...] = ()
