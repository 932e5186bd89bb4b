"""A small market on two chains, written phase by phase: what the ledger's tests trade with.

Ann and Ben buy, Sue sells to both, the plant sells to Ann through the region. Every order, receipt
and reading is signed; statements come from the settlement rule itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace
from tests.door import TERMS as DOOR
from tests.door import deposit, word_of

from gridpact.crypto import merkle
from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.ledger import Head, Ledger
from gridpact.model.delivery import Delivery, Reading, SignedReading
from gridpact.model.interval import Key, Phase
from gridpact.model.order import (
    MAX_FILLS,
    NONE,
    Accepted,
    Code,
    Order,
    Refusal,
    Side,
    Tier,
)
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import (
    Anchor,
    Book,
    Cleared,
    Commitment,
    Confirmed,
    Crossing,
    Deposit,
    Found,
    IncentiveTerms,
    Meters,
    Prices,
    Rating,
    Record,
    Refund,
    Returned,
    Settlement,
)
from gridpact.model.statement import Bill, SettlementTerms, Statement
from gridpact.model.trade import Fill, Unmet
from gridpact.quantities import Money, Price, Wh, amount
from gridpact.reputation.rule import Known, rate
from gridpact.settlement.split import split

REGION = name_hash("region of the test")
ZONE = name_hash("zone of the test")
COLLECTOR = Device.derive(b"test", "collector")
ANN, BEN, SUE, PLANT, SUBSTATION, REGION_ACCOUNT = (
    Device.derive(b"test", name)
    for name in ("ann", "ben", "sue", "plant", "substation", "the region's account")
)
DEPOSIT = 10_000_000_000
TERMS = SettlementTerms()
RATING = FeedbackTerms()
PRICES = Prices(
    retail=300_000,
    network_share=90_000,
    feed_in=80_000,
    margin=0,
    local_charge=20_000,
    zonal_charge=60_000,
    loss_share=20_000,
    buses=(),
    solver="none",
)


def key(phase: Phase, interval: int, region: bytes = REGION, part: int = 0) -> Key:
    return Key(region, interval, phase, part)


def _participant(name: str, device: Device, roles: Role) -> Participant:
    return Participant(
        name, device.address, 1, roles, keccak(name.encode()), keccak(b"meter" + name.encode())
    )


def _deposits(currency: Domain, *accounts: bytes) -> tuple[Deposit, ...]:
    return tuple(
        deposit(currency, account, DEPOSIT, keccak(b"deposit" + account)) for account in accounts
    )


def found_local(chain: str, currency: Domain) -> Found:
    people = (
        _participant("ann", ANN, Role.CONSUMER),
        _participant("ben", BEN, Role.CONSUMER),
        _participant("sue", SUE, Role.PRODUCER),
        _participant("substation", SUBSTATION, Role.AGGREGATOR),
    )
    named = (Named.REWARD, Named.NETWORK_LOSS, Named.GRID_SUPPLY, Named.NETWORK_OPERATOR)
    deposits = _deposits(
        currency, ANN.address, BEN.address, SUE.address, *(account.address for account in named)
    )
    return Found(
        chain,
        REGION,
        people,
        deposits,
        TERMS,
        RATING,
        IncentiveTerms(),
        substation=SUBSTATION.address,
        door=DOOR,
    )


def found_zonal(chain: str, currency: Domain) -> Found:
    people = (
        _participant("plant", PLANT, Role.PLANT),
        _participant("region", REGION_ACCOUNT, Role.REGION),
    )
    named = (Named.REWARD, Named.NETWORK_LOSS, Named.GRID_SUPPLY, Named.INCENTIVE)
    deposits = _deposits(currency, PLANT.address, *(account.address for account in named))
    return Found(chain, ZONE, people, deposits, TERMS, RATING, IncentiveTerms(), door=DOOR)


def order(
    device: Device,
    side: Side,
    tier: Tier,
    interval: int,
    energy: Wh,
    price: Price,
    parent: bytes = NONE,
    region: bytes = REGION,
    salt: int = 0,
) -> Order:
    return Order(
        device.address,
        side,
        tier,
        region,
        interval,
        energy,
        price,
        parent=parent,
        expires=interval + 1,
        salt=salt,
    )


def accept(
    placed: Order, device: Device, domain: Domain, sequence: int, charge: Price, spare: Money
) -> Accepted:
    """Return the order in the book, signed by its device and by the collector."""
    digest = placed.digest(domain)
    reserved = 0
    if placed.side is Side.BID:
        reserved = amount(placed.price, placed.energy_wh) + amount(charge, placed.energy_wh) + spare
    bare = Accepted(digest, placed, device.sign(digest), sequence, reserved, b"", charge)
    return Accepted(
        digest,
        placed,
        bare.signature,
        sequence,
        reserved,
        COLLECTOR.sign(bare.digest(domain)),
        charge,
    )


def sealed(accepted: tuple[Accepted, ...]) -> Book:
    return Book(keccak(merkle.root([each.hash for each in accepted])), accepted, ())


def fill(bid: Accepted, offer: Accepted, energy: Wh, index: int, charge: Price) -> Fill:
    return Fill(
        bid.order.region,
        bid.order.interval,
        bid.order.tier,
        index,
        bid.hash,
        offer.hash,
        bid.order.participant,
        offer.order.participant,
        energy,
        offer.order.price,
        charge,
    )


def delivery(traded: Fill, sent: Wh, received: Wh) -> Delivery:
    return Delivery(traded.hash, traded.energy_wh, sent, received, 0, 0, 0)


def reading(
    device: Device,
    domain: Domain,
    interval: int,
    imported: Wh,
    exported: Wh,
    region: bytes = REGION,
) -> SignedReading:
    said = Reading(device.address, region, interval, imported, exported)
    return SignedReading(said, device.sign(said.digest(domain)))


def bill(device: Device, bought: Wh, sold: Wh) -> Bill:
    return Bill(
        device.address,
        bought,
        sold,
        amount(PRICES.retail, bought),
        amount(PRICES.network_share, bought),
        amount(PRICES.feed_in, sold),
    )


@dataclass
class Round:
    """One interval of the market. Iterate `steps` and write each: later ones read earlier ones.

    Sue offers 2,000 Wh and sells 1,200 to Ann and 700 to Ben; the plant sells Ann 800 more. What
    Sue's meter shows is `sue_wh`, what is lost on the wires `loss_wh`. A zone that is `refusing`
    does not take Ann's money in: the plant's sale is called off. A `silent` Sue puts her sales
    into dispute; `ends` is the round whose disputes end with this. Where earlier rounds differ,
    `said` is what the registers of Sue's export and of the substation's import stood at.
    """

    local: Ledger
    zonal: Ledger
    interval: int = 0
    sue_wh: Wh = 1_950
    plant_wh: Wh = 900
    loss_wh: Wh = 60
    refusing: bool = False
    silent: bool = False
    said: tuple[Wh, Wh] | None = None
    ends: "Round | None" = None

    def steps(self) -> Iterator[tuple[Ledger, Key, Record]]:
        """Yield (ledger, key, record) in the order in which a cycle writes them."""
        local, zonal = self.local, self.zonal
        yield local, self.key(Phase.COLLECT), self.book
        yield zonal, self.key(Phase.COLLECT, ZONE), self.plants
        yield local, self.key(Phase.PRICE), PRICES
        yield zonal, self.key(Phase.PRICE, ZONE), PRICES
        yield local, self.key(Phase.CLEAR), self.cleared(self.local_fills + self.crossed)
        yield zonal, self.key(Phase.CLEAR, ZONE), self.cleared(self.crossed, ZONE)
        yield (
            local,
            self.key(Phase.COMMIT),
            Commitment(self.local_fills, self.crossed, departed=self.out),
        )
        yield zonal, self.key(Phase.COMMIT, ZONE), self.refusal if self.refusing else self.taken
        receipt = self.block(zonal, self.key(Phase.COMMIT, ZONE)).hash
        if self.refusing:
            yield local, self.key(Phase.COMMIT, part=2), self.returned(receipt)
        else:
            yield local, self.key(Phase.COMMIT, part=1), Confirmed(self.out, receipt)
        yield local, self.key(Phase.DELIVER), self.local_meters
        yield zonal, self.key(Phase.DELIVER, ZONE), self.zonal_meters
        yield zonal, self.key(Phase.SETTLE, ZONE), self.zonal_settlement
        yield local, self.key(Phase.SETTLE), self.local_settlement
        if not self.refusing:
            receipt = self.block(local, self.key(Phase.SETTLE)).hash
            yield zonal, self.key(Phase.SETTLE, ZONE, 1), Confirmed(self.home, receipt)
        if self.ends:
            yield from self.ends.end()
        for ledger, where, fills, first in (
            (local, self.key(Phase.RATE), self.local_fills, 0),
            (zonal, self.key(Phase.RATE, ZONE), self.settled_there, 2),
        ):
            known = ledger.read(where, Rating)
            yield ledger, where, known or self.rating(ledger, fills, first)
        yield zonal, self.key(Phase.SEAL, ZONE), self.anchor

    def end(self) -> Iterator[tuple[Ledger, Key, Record]]:
        """Yield what ends this round's disputes."""
        yield self.zonal, self.key(Phase.SETTLE, ZONE, 2), Settlement((), (), (), ())
        yield self.local, self.key(Phase.SETTLE, part=2), self.ended
        rated = rate(
            {SUE.address: Known(self.local.score(SUE.address))},
            self.local_fills,
            self.ended.deliveries,
            RATING,
            self.interval,
            3600,
        )
        where = self.key(Phase.RATE, part=2)
        yield self.local, where, self.local.read(where, Rating) or Rating(rated)
        yield self.zonal, self.key(Phase.RATE, ZONE, 2), Rating(())

    @property
    def ended(self) -> Settlement:
        """Settle Sue's sales by what she signed for the interval: nothing."""
        made = tuple(replace(one, disputed=False) for one in self._of(self.local_fills, 0))
        said = tuple(
            split(traded, delivered, TERMS, PRICES.loss_share)
            for traded, delivered in zip(self.local_fills, made, strict=True)
        )
        return Settlement(self.local_fills, made, said, ())

    def write(self, until: Phase | None = None) -> None:
        """Write all steps, or those before the first of phase `until`."""
        for ledger, where, record in self.steps():
            if where.phase is until:
                return
            ledger.write(where, record)

    @staticmethod
    def block(ledger: Ledger, where: Key) -> Head:
        """Return the block of a record that must be there."""
        head = ledger.written_at(where)
        assert head is not None
        return head

    def key(self, phase: Phase, region: bytes = REGION, part: int = 0) -> Key:
        return Key(region, self.interval, phase, part)

    # orders

    def _order(
        self, device: Device, side: Side, tier: Tier, energy: Wh, price: Price, parent: bytes = NONE
    ) -> Order:
        region = ZONE if device in (PLANT, REGION_ACCOUNT) else REGION
        return order(device, side, tier, self.interval, energy, price, parent, region)

    @cached_property
    def book(self) -> Book:
        domain, charge = self.local.domain, PRICES.zonal_charge
        ann = self._order(ANN, Side.BID, Tier.LOCAL, 2_000, 200_000)
        more = self._order(ANN, Side.BID, Tier.ZONAL, 2_000, 190_000, ann.digest(domain))
        placed = (
            (ann, ANN),
            (self._order(BEN, Side.BID, Tier.LOCAL, 1_001, 180_001), BEN),
            (self._order(SUE, Side.OFFER, Tier.LOCAL, 2_000, 120_003), SUE),
            (more, ANN),
        )
        accepted = tuple(
            accept(each, device, domain, n, charge, MAX_FILLS)
            for n, (each, device) in enumerate(placed)
        )
        return sealed(accepted)

    @cached_property
    def plants(self) -> Book:
        offer = self._order(PLANT, Side.OFFER, Tier.ZONAL, 5_000, 100_007)
        return sealed((accept(offer, PLANT, self.zonal.domain, 0, 0, 0),))

    @cached_property
    def local_fills(self) -> tuple[Fill, ...]:
        ann, ben, sue, _ = self.book.orders
        charge = PRICES.local_charge
        return fill(ann, sue, 1_200, 0, charge), fill(ben, sue, 700, 1, charge)

    @cached_property
    def crossed(self) -> tuple[Fill, ...]:
        more, offer = self.book.orders[3], self.plants.orders[0]
        return (fill(more, offer, 800, 0, PRICES.zonal_charge),)

    @cached_property
    def region_bid(self) -> Accepted:
        bid = self._order(REGION_ACCOUNT, Side.BID, Tier.ZONAL, 800, 100_007)
        bare = accept(bid, REGION_ACCOUNT, self.zonal.domain, 1, PRICES.zonal_charge, 0)
        return replace(bare, reserved=self.out.amount)

    @cached_property
    def zonal_fills(self) -> tuple[Fill, ...]:
        return (fill(self.region_bid, self.plants.orders[0], 800, 0, PRICES.zonal_charge),)

    def cleared(self, fills: tuple[Fill, ...], region: bytes = REGION) -> Cleared:
        """Return a clearing by the reputations that stand; what is written stays as it is."""
        ledger, stood = self.zonal if region == ZONE else self.local, list[int]()
        part = 0
        while book := ledger.read(self.key(Phase.COLLECT, region, part), Book):
            stood += (ledger.score(one.order.participant) for one in book.orders)
            part += 1
        known = ledger.read(self.key(Phase.CLEAR, region), Cleared)
        return known or Cleared(fills, (), (), (), (), (), scores=tuple(stood))

    @cached_property
    def out(self) -> Crossing:
        amount_out = sum(traded.lock for traded in self.crossed)
        return Crossing(
            keccak(b"out" + self.key(Phase.COMMIT).packed),
            self.local.name,
            self.zonal.name,
            amount_out,
        )

    @property
    def taken(self) -> Commitment:
        out, account = self.out, REGION_ACCOUNT.address
        word = word_of(self.zonal.currency, account, out.amount, out.id)
        return Commitment(self.zonal_fills, arrived=out, bid=self.region_bid, warrant=word)

    @property
    def refusal(self) -> Commitment:
        word = word_of(self.zonal.currency, Named.OPERATOR.address, 0, self.out.id)
        return Commitment((), refused=self.out, reason="the zone is closed", warrant=word)

    def returned(self, receipt: bytes) -> Returned:
        """Return Ann's money from transit: the zone refused it in the block `receipt`."""
        off = self.crossed[0]
        return Returned(
            self.out,
            receipt,
            (Refund(off.hash, off.buyer, off.lock),),
            (Unmet(off.buyer, off.energy_wh),),
            (Refusal(off.bid, off.buyer, Code.CROSSING, self.refusal.reason),),
        )

    @property
    def settled_there(self) -> tuple[Fill, ...]:
        """Return the fills that stand on the zonal chain after its word."""
        return () if self.refusing else self.zonal_fills

    # delivery: what Ann and Ben take, Sue and the plant give in this interval [Wh]

    ann_wh, ben_wh = 3_000, 900

    @property
    def weighed(self) -> Wh:
        return self.ann_wh + self.ben_wh + self.loss_wh

    @property
    def substation_wh(self) -> Wh:
        return self.weighed - self.sue_wh - self.plant_wh

    def _reading(self, device: Device, imported: Wh, exported: Wh) -> SignedReading:
        """Return the cumulative reading at the end: intervals before were just like this one."""
        n = self.interval + 1
        region, domain = (
            (ZONE, self.zonal.domain) if device is PLANT else (REGION, self.local.domain)
        )
        return reading(device, domain, self.interval, n * imported, n * exported, region)

    @cached_property
    def local_meters(self) -> Meters:
        n, domain = self.interval, self.local.domain
        given, taken = self.said or (n * self.sue_wh, n * self.substation_wh)
        sue = reading(SUE, domain, n, 0, given + self.sue_wh)
        readings = (
            self._reading(ANN, self.ann_wh, 0),
            self._reading(BEN, self.ben_wh, 0),
            *(() if self.silent else (sue,)),
            reading(SUBSTATION, domain, n, taken + self.substation_wh, 0),
        )
        return Meters(readings, self.loss_wh, self.weighed)

    @cached_property
    def zonal_meters(self) -> Meters:
        readings = (self._reading(PLANT, 0, self.plant_wh),)
        before = sum(each.sent for each in self.deliveries[:2])
        return Meters(readings, self.loss_wh, self.weighed, before)

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Return what became of the fills: two local, then the crossed one."""
        found, running, left = [], 0, {SUE.address: self.sue_wh, PLANT.address: self.plant_wh}
        for traded in self.local_fills + (() if self.refusing else self.crossed):
            sent = min(traded.energy_wh, left[traded.seller])
            left[traded.seller] -= sent
            share = self.loss_wh * (running + sent) // self.weighed
            share -= self.loss_wh * running // self.weighed
            running += sent
            made = delivery(traded, sent, sent - share)
            found.append(replace(made, disputed=self.silent and traded.seller == SUE.address))
        return tuple(found)

    def _split(self, fills: Sequence[Fill], first: int) -> tuple[Statement, ...]:
        return tuple(
            split(traded, delivered, TERMS, PRICES.loss_share)
            for traded, delivered in zip(fills, self._of(fills, first), strict=True)
        )

    def _of(self, fills: Sequence[Fill], first: int) -> tuple[Delivery, ...]:
        there = self.deliveries[first : first + len(fills)]
        return tuple(
            replace(each, fill=traded.hash) for each, traded in zip(there, fills, strict=True)
        )

    @cached_property
    def zonal_settlement(self) -> Settlement:
        fills = self.settled_there
        statements = self._split(fills, 2)
        sold = self.plant_wh - sum(each.sent for each in self.deliveries[2:])
        return Settlement(
            fills,
            self._of(fills, 2),
            statements,
            (bill(PLANT, 0, sold),),
            departed=None if self.refusing else self.home,
        )

    @cached_property
    def home(self) -> Crossing:
        left = sum(each.refund + each.claim for each in self._split(self.settled_there, 2))
        return Crossing(
            keccak(b"home" + self.key(Phase.SETTLE).packed), self.zonal.name, self.local.name, left
        )

    @cached_property
    def local_settlement(self) -> Settlement:
        one, two, *zonal = self.deliveries
        brought = one.received + sum(each.received for each in zonal)
        home = Refund(self.crossed[0].hash, ANN.address, self.home.amount)
        carried = sum(each.sent - each.received for each in self.deliveries)
        loss = self.loss_wh - carried
        return Settlement(
            self.local_fills,
            self._of(self.local_fills, 0),
            self._split(self.local_fills, 0),
            (
                bill(ANN, self.ann_wh - brought, 0),
                bill(BEN, self.ben_wh - two.received, 0),
                bill(SUE, 0, self.sue_wh - one.sent - two.sent),
            ),
            network_loss_wh=loss,
            network_loss_cost=amount(PRICES.retail - PRICES.network_share, loss),
            refunds=() if self.refusing else (home,),
            arrived=None if self.refusing else self.home,
        )

    def rating(self, ledger: Ledger, fills: Sequence[Fill], first: int) -> Rating:
        known = {traded.seller: Known(ledger.score(traded.seller)) for traded in fills}
        made = self._of(fills, first)
        return Rating(rate(known, fills, made, RATING, self.interval, 3600))

    @property
    def anchor(self) -> Anchor:
        head = self.block(self.local, self.key(Phase.RATE))
        last = self.zonal.read(Key(ZONE, self.interval - 1, Phase.SEAL), Anchor)
        previous = last.head if last else NONE
        return Anchor(REGION, self.interval, head.number, head.hash, previous)


def founded(local: Ledger, zonal: Ledger) -> None:
    """Found both chains."""
    local.write(Key(REGION, 0, Phase.FOUND), found_local(local.name, local.currency))
    zonal.write(Key(ZONE, 0, Phase.FOUND), found_zonal(zonal.name, zonal.currency))
