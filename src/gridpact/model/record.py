"""What each phase writes to the ledger: decided once, read ever after.

A record is the whole content of one write. Its canonical bytes (MessagePack, fields in order) are
stored beside the chain, their hash stands on it; resume and audit read records and never compute
them again. What moves money is executed by contracts from the same numbers.
"""

from typing import TypeAlias, TypeVar

import msgspec

from gridpact.crypto.keccak import keccak
from gridpact.model.challenge import ChallengeTerms
from gridpact.model.council import Council, Word
from gridpact.model.delivery import Delivery, SignedReading
from gridpact.model.door import DoorTerms, Warrant
from gridpact.model.market import MarketTerms
from gridpact.model.net import FinalPart, NetLocks, NetPart, NetTerms
from gridpact.model.order import Accepted, Refusal
from gridpact.model.participant import Participant, ReviewTerms
from gridpact.model.proposal import Talk
from gridpact.model.rating import RatingTerms, Standing
from gridpact.model.statement import Bill, SettlementTerms, Statement
from gridpact.model.trade import Cut, Fill, Unmet
from gridpact.model.watch import Hold, Released, WatchTerms
from gridpact.quantities import Money, Price, Score, Wh


class Deposit(msgspec.Struct, frozen=True):
    """Money that enters at the door, once per reference, by its keepers' word."""

    account: bytes
    amount: Money
    reference: bytes
    warrant: Warrant = Warrant()


class Security(msgspec.Struct, frozen=True):
    """What a participant adds to its deposit from its own free money, by its signed word.

    Nobody signs in studies: there the `signature` is empty.
    """

    account: bytes
    amount: Money
    signature: bytes = b""


class Timing(msgspec.Struct, frozen=True):
    """When interval 0 begins (seconds since 1970, UTC) and how long each interval lasts. [s]"""

    begins: int = 0
    seconds: int = 3600

    def day(self, interval: int) -> int:
        """Return the day that an interval begins in, counted from the market's beginning."""
        return interval * self.seconds // 86_400


class IncentiveTerms(msgspec.Struct, frozen=True):
    """The incentive of plants (5-decisions, section 14): difficulty k, bounds, daily budget.

    `window` is the number of intervals over which steadiness s is measured, `day` the number of
    intervals over which the daily budget lasts.
    """

    difficulty: int = 10_000
    daily_budget: Money = 50_000_000
    steady_floor: Score = 500_000
    window: int = 24
    day: int = 24


class Crossing(msgspec.Struct, frozen=True):
    """Money on its way between two chains: paired entries under one id.

    It leaves `source` into transit (or is burned there) and appears on `target` under the same id.
    """

    id: bytes
    source: str
    target: str
    amount: Money


class Found(msgspec.Struct, frozen=True, tag=True):
    """The first write of a chain: who takes part, what they brought, the rules' numbers.

    `scenario` is the digest of what the run was started from: a ledger continues no other.
    `substation` is the meter through which the region takes from the grid above; a zone has none.
    `collector` signs the receipts of accepted orders; nobody's count where it is empty. `council`
    is in office from the first interval on, each member with the bond of `net`. `market` is how the
    local tier is cleared; the zonal one is always in merit order. `watch`: the sensors.
    `securities`: the deposits that sellers put down, out of what they brought. After `period`
    intervals households stand under other addresses (`Rotation`), 0 for never.
    """

    chain: str
    region: bytes
    participants: tuple[Participant, ...]
    deposits: tuple[Deposit, ...]
    settlement: SettlementTerms
    rating: RatingTerms
    incentive: IncentiveTerms
    scenario: bytes = b""
    substation: bytes = b""
    timing: Timing = Timing()
    net: NetTerms = NetTerms()
    door: DoorTerms = DoorTerms()
    review: ReviewTerms = ReviewTerms()
    challenge: ChallengeTerms = ChallengeTerms()
    collector: bytes = b""
    council: Council = Council()
    market: MarketTerms = MarketTerms()
    watch: WatchTerms = WatchTerms()
    securities: tuple[Security, ...] = ()
    period: int = 0


class Heir(msgspec.Struct, frozen=True):
    """A newcomer that begins with a reputation. [ppm]"""

    participant: bytes
    score: Score


class Inheritance(msgspec.Struct, frozen=True):
    """What those who are `leaving` yield of reputation, and how it is dealt out to newcomers.

    Both in the order of their addresses: who is whose heir is not said.
    """

    leaving: tuple[bytes, ...]
    heirs: tuple[Heir, ...]


class Rotation(msgspec.Struct, frozen=True, tag=True):
    """A period begins: every household stands under a new address, with the same sum.

    `participants` in the order of their addresses, each let in by its `warrants`. Part 0 of `FOUND`
    of the period's first interval, before anything else of it.
    """

    participants: tuple[Participant, ...]
    entering: Money
    warrants: tuple[Warrant, ...]
    inheritances: tuple[Inheritance, ...] = ()


class Emptied(msgspec.Struct, frozen=True, tag=True):
    """All free money of closed addresses left through the door, by their owners' own hands.

    Part 1 of `FOUND`. `accounts`: all closed ones, in the order of addresses. What each paid out
    says its own transaction.
    """

    accounts: tuple[bytes, ...]


def entrance(region: bytes, account: bytes) -> bytes:
    """Return the reference under which a newcomer's money enters when a period begins."""
    return keccak(b"period" + region + account)


class Book(msgspec.Struct, frozen=True, tag=True):
    """The sealed book of one interval. `seed` decides the order of equal bids.

    `suspended` are those whose broken word shuts them out from this interval on, addresses rising:
    who was not in the book before is suspended on the chain, who is not any more is reinstated.
    """

    seed: bytes
    orders: tuple[Accepted, ...]
    refusals: tuple[Refusal, ...]
    suspended: tuple[bytes, ...] = ()


class BusCharge(msgspec.Struct, frozen=True):
    """Congestion and voltage part of the day-ahead DLMP at a bus; may be negative."""

    bus: int
    locational: int


class Prices(msgspec.Struct, frozen=True, tag=True):
    """Prices of one interval. [micro-units per kWh]

    A pair's network charge is its tier's charge plus what the buyer's bus has more in locational
    price than the seller's; its cap is (retail - charge - margin) (1 - loss share).
    `conflicts` names limits that the day-ahead power flow could not hold.
    """

    retail: Price
    network_share: Price
    feed_in: Price
    margin: Price
    local_charge: Price
    zonal_charge: Price
    loss_share: Score
    buses: tuple[BusCharge, ...]
    solver: str
    conflicts: tuple[str, ...] = ()


class Limit(msgspec.Struct, frozen=True):
    """A set point the network operator imposes: highest generation in the interval. [W]"""

    participant: bytes
    power_w: int


class SetPoint(msgspec.Struct, frozen=True):
    """Reactive power that an inverter supplies on the network operator's order. [var]"""

    participant: bytes
    reactive_var: int


class Carried(msgspec.Struct, frozen=True):
    """What the wires carry of an offer that sold more, because of `limit` ("v_max at bus 19").

    `multiplier` is the marginal worth of relaxing the limit. [ppm of cut energy]
    """

    offer: bytes
    energy_wh: Wh
    limit: str
    multiplier: int


class Cleared(msgspec.Struct, frozen=True, tag=True):
    """A clearing after the grid check.

    `scores` are the reputations by which it was cleared, one per order of the chain's sealed book.
    `wires` are the answers to a mechanism that asks the wires while it clears, round by round: the
    offers that were not carried in full; none in the last round. `talks` are what the devices
    behind each local fill said before the check, where they negotiate and sign.
    """

    fills: tuple[Fill, ...]
    unmet: tuple[Unmet, ...]
    cuts: tuple[Cut, ...]
    limits: tuple[Limit, ...]
    refusals: tuple[Refusal, ...]
    binding: tuple[str, ...]
    reactive: tuple[SetPoint, ...] = ()
    scores: tuple[Score, ...] = ()
    wires: tuple[tuple[Carried, ...], ...] = ()
    talks: tuple[Talk, ...] = ()


class Commitment(msgspec.Struct, frozen=True, tag=True):
    """Locks of the local fills; money of the zonal fills leaves for the zonal chain.

    `fills` repeats those of the clearing that are locked here, `crossed` those whose money
    crosses; what no fill needs is freed. On the zonal chain `arrived` is the same crossing and
    `bid` the region's own order, under which its fills stand. A zonal chain that does not take a
    crossing in says so under the same key: `refused` is that crossing, with the `reason`. The door
    keepers' `warrant` lets the arrived money in, or uses up the refused crossing's reference. Where
    fills are settled `net`, what they can cost is set aside for all of them at once.
    """

    fills: tuple[Fill, ...]
    crossed: tuple[Fill, ...] = ()
    departed: Crossing | None = None
    arrived: Crossing | None = None
    bid: Accepted | None = None
    refused: Crossing | None = None
    reason: str = ""
    warrant: Warrant = Warrant()
    net: NetLocks | None = None


class Confirmed(msgspec.Struct, frozen=True, tag=True):
    """The other chain has taken a crossing in: `receipt` is the hash of its block."""

    crossing: Crossing
    receipt: bytes


class Refund(msgspec.Struct, frozen=True):
    """What comes back to the buyer of a zonal fill: `fill` is its hash on the local chain."""

    fill: bytes
    buyer: bytes
    amount: Money


class Returned(msgspec.Struct, frozen=True, tag=True):
    """The other chain refused a crossing for ever: every buyer has its whole lock back.

    `receipt` is the hash of the block that refused. The fills whose money crossed are called off:
    `unmet` stands instead of the clearing's, `refusals` are added to its own.
    """

    crossing: Crossing
    receipt: bytes
    refunds: tuple[Refund, ...]
    unmet: tuple[Unmet, ...]
    refusals: tuple[Refusal, ...]


class Curtailed(msgspec.Struct, frozen=True):
    """Generation that the network operator stopped during delivery: owed to nobody."""

    participant: bytes
    energy_wh: Wh


class Meters(msgspec.Struct, frozen=True, tag=True):
    """All signed readings at the end of an interval, and the region's balance. [Wh]

    The substation's own meter signs too (its import is what the region takes from the grid above);
    its reading is the last one.

    loss = substation import - substation export + sum of exports - sum of imports + what the
    interval before carried, >= 0. Where a meter is missing or that is below zero it is the expected
    loss, and the rest is `carried` (`model.balance`). `weighed` = sum of imports + loss, over which
    the loss is shared; `before` = rho already settled on another chain in this interval, where the
    running sum starts.
    """

    readings: tuple[SignedReading, ...]
    loss_wh: Wh
    weighed_wh: Wh
    before_wh: Wh = 0
    curtailed: tuple[Curtailed, ...] = ()
    carried_wh: int = 0


class Verdicts(msgspec.Struct, frozen=True, tag=True):
    """What sensors said up to a moment, and which trades they hold for it.

    Part 1 of an interval stands before its delivery, part 2 is what came up during it, before the
    meters are read. `root`: of all verdicts that are not ok since the last record, salted; `rows`
    counts them. `log`: salted hash of everything that was measured meanwhile. `word`: the council's
    under the holds, where there are any.
    """

    until: int
    root: bytes
    rows: int
    log: bytes
    holds: tuple[Hold, ...] = ()
    released: tuple[Released, ...] = ()
    word: Word = msgspec.field(default_factory=Word)


class Incentive(msgspec.Struct, frozen=True):
    """What a plant earns on one fill beyond its price for steady supply.

    `steadiness` is x = P t_d + s [ppm], `rate` = C_d' - C_REG and `reference` = C_REG in
    micro-units per kWh, `charge` the network charge paid on the fill, the most that can be `paid`.
    """

    plant: bytes
    energy_wh: Wh
    steadiness: int
    rate: Price
    paid: Money
    reference: Price = 0
    charge: Money = 0


class Settlement(msgspec.Struct, frozen=True, tag=True):
    """The settlement of one interval on one chain.

    `fills[i]`, `deliveries[i]` and `statements[i]` belong together. `refunds` brings home what the
    zonal settlement did not need, under the crossing `arrived`; on the zonal chain `departed` sends
    it. `network_loss_wh` is what the network operator buys of grid supply for the losses that no
    fill carries, at `loss_price`. `word` is the council's, over fills, deliveries, bills and loss.
    Where fills are settled `net`, that part moves their money, when its window is over.
    """

    fills: tuple[Fill, ...]
    deliveries: tuple[Delivery, ...]
    statements: tuple[Statement, ...]
    bills: tuple[Bill, ...]
    network_loss_wh: Wh = 0
    network_loss_cost: Money = 0
    refunds: tuple[Refund, ...] = ()
    arrived: Crossing | None = None
    departed: Crossing | None = None
    incentives: tuple[Incentive, ...] = ()
    word: Word = Word()
    net: NetPart | None = None


class Rated(msgspec.Struct, frozen=True):
    """One seller's reputation before and after: `agreed` and `sent` summed over its fills.

    `standing` is what the credibility rule knows of it afterwards; None by another rule.
    """

    participant: bytes
    agreed_wh: Wh
    sent_wh: Wh
    before: Score
    after: Score
    standing: Standing | None = None


class Fine(msgspec.Struct, frozen=True):
    """What a breach took of a seller's deposit, and what is left of it."""

    participant: bytes
    amount: Money
    left: Money


class Rating(msgspec.Struct, frozen=True, tag=True):
    """Who was rated, and whom of them a breach cost money (`ReviewTerms`), in the same order."""

    rated: tuple[Rated, ...]
    fines: tuple[Fine, ...] = ()


class Finalised(msgspec.Struct, frozen=True, tag=True):
    """What net settlement closes with an interval: parts of earlier ones, whose window is over.

    Each moves its money, and its sellers are `rated` in the parts' order, with `fines` for what
    they broke. `held` settles what the first of them held in disputes, by a part of its own that is
    posted with this record.
    """

    parts: tuple[FinalPart, ...]
    rated: tuple[Rated, ...] = ()
    fines: tuple[Fine, ...] = ()
    held: Settlement | None = None


class Anchor(msgspec.Struct, frozen=True, tag=True):
    """A region's head, kept on the zonal chain; names its predecessor."""

    region: bytes
    interval: int
    number: int
    head: bytes
    previous: bytes


Record: TypeAlias = (
    Found
    | Rotation
    | Emptied
    | Book
    | Prices
    | Cleared
    | Commitment
    | Confirmed
    | Returned
    | Verdicts
    | Meters
    | Settlement
    | Rating
    | Finalised
    | Anchor
)
R = TypeVar(
    "R",
    Found,
    Rotation,
    Emptied,
    Book,
    Prices,
    Cleared,
    Commitment,
    Confirmed,
    Returned,
    Verdicts,
    Meters,
    Settlement,
    Rating,
    Finalised,
    Anchor,
)

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the canonical bytes of a record."""
    return _encoder.encode(record)


def decode(data: bytes, kind: type[R]) -> R:
    """Return the record of canonical bytes."""
    return msgspec.msgpack.decode(data, type=kind)


def decode_any(data: bytes) -> Record:
    """Return the record of canonical bytes whatever its kind."""
    record: Record = _decoder.decode(data)
    return record


def content_hash(data: bytes) -> bytes:
    """Return the hash under which a record's bytes stand on chain."""
    return keccak(data)
