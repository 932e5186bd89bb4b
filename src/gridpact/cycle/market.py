"""Everything a trading cycle is given: two ledgers, the field, the wires, the rules' numbers.

`assembly` fills it with concrete parts; a test fills it with plain ones in a few lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gridpact.crypto.recovery import signed_by
from gridpact.cycle.council import NOBODY, Seats
from gridpact.cycle.ports import NO_CERTIFICATES, Certificates, DayAhead, Field, Rotating
from gridpact.cycle.watch import Watch
from gridpact.identity.roster import Roster
from gridpact.ledger.ledger import Ledger
from gridpact.market.admission import Check
from gridpact.market.talks import Device
from gridpact.market.zonal import Window
from gridpact.model.door import DoorTerms, Sign, Warrant, deposit_digest, warrant
from gridpact.model.grid_check import GridCheck
from gridpact.model.market import MarketTerms
from gridpact.model.order import Order
from gridpact.model.participant import Participant, ReviewTerms
from gridpact.model.rating import FeedbackTerms, RatingTerms
from gridpact.model.record import IncentiveTerms, Timing
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import Money

InTime = Callable[[int, int], bool]
"""Whether a chain that did not answer so often may still be asked to commit for an interval."""
ATTEMPTS = 3


def thrice(_interval: int, attempt: int) -> bool:
    """Ask three times: in a simulated market no time passes between attempts.

    A pilot gives a function that waits and compares its clock with the commit deadline, 10 minutes
    before delivery (5-decisions, section 17).
    """
    return attempt < ATTEMPTS


@dataclass(frozen=True)
class Region:
    """The region: its identifier, its account and key as a party of the zone, its own meter.

    `substation` is the address of the meter through which it takes from the grid above.
    """

    id: bytes
    account: bytes
    sign: Sign
    substation: bytes


@dataclass(frozen=True)
class Collector:
    """Who accepts orders and signs for each one. `sign` is None in studies."""

    sign: Sign | None


@dataclass(frozen=True)
class Door:
    """Who lets money in: the terms, and the keys of as many keepers as it takes.

    `signs` are in the order of the keepers' addresses; none in studies.
    """

    terms: DoorTerms = field(default_factory=DoorTerms)
    signs: tuple[Sign, ...] = ()

    def warrant(
        self, ledger: Ledger, account: bytes, amount: Money, reference: bytes, day: int
    ) -> Warrant:
        """Return the keepers' word that an amount may enter a chain."""
        digest = deposit_digest(ledger.currency, account, amount, reference, day)
        return warrant(digest, day, self.signs)


UNSIGNED = Door()
"""A door at which nobody signs: for studies and tests in memory."""


@dataclass(frozen=True)
class Rules:
    """The rules of a market: what each chain writes into its founding, and the zonal splitting."""

    settlement: SettlementTerms = field(default_factory=SettlementTerms)
    rating: RatingTerms = field(default_factory=FeedbackTerms)
    incentive: IncentiveTerms = field(default_factory=IncentiveTerms)
    market: MarketTerms = field(default_factory=MarketTerms)
    splitting: bool = True
    review: ReviewTerms = field(default_factory=ReviewTerms)


@dataclass(frozen=True)
class PlantFacts:
    """What is registered of a plant: its steady window and its rated power. [W]"""

    window: Window
    power_w: int


Told = Callable[[int, Sequence[Fill]], None]
"""Told of an interval's fills of both tiers as soon as they are committed."""


def nobody_told(_interval: int, _fills: Sequence[Fill]) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Market:
    """One region with its zone.

    `zone` is the zonal chain's identifier, under which its writes stand. `people` belong to the
    region's chain, the plants and the region itself to the zonal one. `check` verifies signatures
    and `name` names orders; both are real unless a study leaves signatures out. `in_time` tells how
    long an unavailable zone is asked again. The `council` signs every settlement. `certificates`
    tell whose orders are not taken. Interval 0 `begins` then. [seconds since 1970, UTC] Without a
    `watch` no sensor holds a trade. Who orders is `told` what came of it.
    Participants' devices sign what they say in negotiations; without a `device` they say nothing.
    Households that are `rotating` stand under other addresses in each period.
    """

    local: Ledger
    zonal: Ledger
    field: Field
    day_ahead: DayAhead
    grid_check: GridCheck
    region: Region
    zone: bytes
    collector: Collector
    people: Roster
    zonal_people: Roster
    plants: Mapping[bytes, PlantFacts]
    tariff: Tariff
    rules: Rules
    minutes: int = 60
    check: Check = signed_by
    name: Callable[[Order], bytes] | None = None
    in_time: InTime = thrice
    door: Door = UNSIGNED
    begins: int = 0
    council: Seats = NOBODY
    certificates: Certificates = NO_CERTIFICATES
    watch: Watch | None = None
    told: Told = nobody_told
    device: Device | None = None
    rotating: Rotating | None = None

    @property
    def timing(self) -> Timing:
        return Timing(self.begins, 60 * self.minutes)

    @property
    def participants(self) -> tuple[Participant, ...]:
        return tuple(self.people.participants.values())

    @property
    def zonal_participants(self) -> tuple[Participant, ...]:
        return tuple(self.zonal_people.participants.values())

    @property
    def buses(self) -> dict[bytes, int]:
        """Return the bus of every participant and plant."""
        return {one.address: one.bus for one in (*self.participants, *self.zonal_participants)}
