"""What one interval came to, as the two ledgers tell it: the input of report and summary."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gridpact.crypto.eip712 import Domain
from gridpact.model.delivery import Metered, SignedReading
from gridpact.model.interval import Key, Phase
from gridpact.model.record import (
    Book,
    Cleared,
    Finalised,
    Fine,
    Meters,
    Prices,
    R,
    Rated,
    Rating,
    Settlement,
    Verdicts,
)


@dataclass(frozen=True)
class Books:
    """The sealed books of one interval: the region's, and the plants' of the zone."""

    local: Book
    zonal: Book


@dataclass(frozen=True)
class Ended:
    """The disputes of an earlier `interval`, settled and rated when their window was over."""

    interval: int
    local: Settlement
    zonal: Settlement
    rating: Rating
    plant_rating: Rating


@dataclass(frozen=True)
class IntervalResult:
    """All records of one interval.

    `cleared.fills` holds the fills of both tiers under the participants' own bids;
    `settlement` settles the local ones, `zonal_settlement` the zonal ones, in the same order as
    `cleared.fills` has them, with the region as their buyer. `metered` is every meter's energy of
    the interval, participants and plants. [Wh] `ended` are disputes of an earlier interval whose
    window was over with this one. `verdicts`: what the sensors decided before and during delivery.
    `closed`: parts of net settlement that are final with this interval; with the last one also
    those that are final after it.
    """

    interval: int
    prices: Prices
    book: Book
    plant_book: Book
    cleared: Cleared
    meters: Meters
    plant_meters: Meters
    metered: Mapping[bytes, Metered]
    settlement: Settlement
    zonal_settlement: Settlement
    rating: Rating
    plant_rating: Rating
    ended: Ended | None = None
    verdicts: tuple[Verdicts, ...] = ()
    closed: tuple[Finalised, ...] = ()

    @property
    def rated(self) -> tuple[Rated, ...]:
        """Return who was rated within this interval, on both chains, in order of time."""
        before = (*self.ended.rating.rated, *self.ended.plant_rating.rated) if self.ended else ()
        parts = (row for one in self.closed for row in one.rated)
        return (*before, *self.rating.rated, *parts, *self.plant_rating.rated)

    @property
    def fines(self) -> tuple[tuple[Fine, ...], tuple[Fine, ...]]:
        """Return what breaches cost within this interval, on the local and on the zonal chain."""
        parts = (row for one in self.closed for row in one.fines)
        here, there = (*self.rating.fines, *parts), self.plant_rating.fines
        if self.ended is None:
            return here, there
        return (*self.ended.rating.fines, *here), (*self.ended.plant_rating.fines, *there)


def metered(
    now: Iterable[SignedReading], before: Mapping[bytes, tuple[int, int]]
) -> dict[bytes, Metered]:
    """Return each meter's energy of an interval from cumulative readings. [Wh]

    `before` holds the readings of the interval before as (import, export); a meter not in it
    started at zero.
    """
    energy = {}
    for signed in now:
        reading = signed.reading
        imported, exported = before.get(reading.meter, (0, 0))
        energy[reading.meter] = Metered(
            reading.meter, reading.import_wh - imported, reading.export_wh - exported
        )
    return energy


def cumulative(*meters: Meters) -> dict[bytes, tuple[int, int]]:
    """Return each meter's cumulative (import, export). [Wh]"""
    return {
        signed.reading.meter: (signed.reading.import_wh, signed.reading.export_wh)
        for record in meters
        for signed in record.readings
    }


class Reads(Protocol):
    """What can be read of a chain: of a ledger at work, or of its records alone."""

    @property
    def name(self) -> str: ...

    @property
    def domain(self) -> Domain: ...

    def read(self, key: Key, kind: type[R]) -> R | None: ...


def read(
    ledger: Reads, region: bytes, interval: int, phase: Phase, kind: type[R], part: int = 0
) -> R:
    """Return a record that must be there."""
    record = ledger.read(Key(region, interval, phase, part), kind)
    if record is None:
        raise KeyError(f"{ledger.name}: no {phase.name.lower()}/{part} of interval {interval}")
    return record
