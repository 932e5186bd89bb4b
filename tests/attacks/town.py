"""A town that trades by voucher: real certificates, real contracts, a durable chain, one clock.

Ann and Ben buy, Sue and Sol sell. Sellers joined with a deposit, for a newcomer's word is covered
by nothing else. `Town.trade` runs one purchase as honest people do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.door import TERMS as DOOR
from tests.door import deposit
from tests.unit.identity.authorities import BEGINS, HOUR, REGION, certified, checker, listed

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.buyer import BuyerDesk, cheapest
from gridpact.cycle.purchase.operator import OperatorDesk
from gridpact.cycle.purchase.records import DeskRecords
from gridpact.cycle.purchase.seller import SellerDesk
from gridpact.cycle.purchase.store import open_desk
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.identity.certificate import Certificate
from gridpact.identity.freshness import FreshnessTerms
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import (
    Body,
    Certified,
    Message,
    Respond,
    Settled,
    encode,
    sealed,
)
from gridpact.identity.revocation import Revoked
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.files.store import Store, open_store
from gridpact.ledger.ledger import Totals
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.purchases import Counted, Purchases
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Metered, Profile
from gridpact.model.interval import Key as Place
from gridpact.model.interval import Phase
from gridpact.model.participant import Named, Participant, ReviewTerms, Role
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import Found, IncentiveTerms, Timing
from gridpact.model.statement import SettlementTerms
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Price, Wh, amount

CHAIN = 20_260_611
MICRO = 1_000_000
RICH: Money = 20 * MICRO
SECURED: Money = 5 * MICRO
PRICE, CHARGE, CAP, FEED_IN = 200_000, 40_000, 250_000, 80_000
FINE: Price = 100_000
VOLUME: Wh = 3_001
COST, LEVY = amount(PRICE, VOLUME), amount(CHARGE, VOLUME)
LOCKED = COST + LEVY
V0: Wh = 4_000
DUE = 3
BUYERS, SELLERS = ("ann", "ben"), ("sue", "sol")
PEOPLE = (*BUYERS, *SELLERS)
SERIALS = {name: serial for serial, name in enumerate(PEOPLE, 10)}
OPERATOR = Key.derive(b"town", "operator")
RUNNER = Key.derive(b"town", "whoever brings transactions for the operator")
TIMING = Timing(BEGINS, HOUR)


def device(name: str) -> Key:
    return Key.derive(b"test", name)


def registered(name: str, role: Role) -> Participant:
    """Return somebody as the registry knows it."""
    one = certified(name, SERIALS[name])
    return Participant(name, one.address, 1, role, one.fingerprint, one.claims.meter)


@dataclass
class Person:
    """One participant's end: its device, certificate, inbox and desk."""

    name: str
    key: Key
    certificate: bytes
    inbox: Inbox
    ledger: Purchases
    nonce: int = 0


@dataclass
class Town:
    """The whole town; `now` is its clock."""

    store: Store
    place: Path
    now: int = BEGINS + HOUR
    people: dict[str, Person] = field(default_factory=dict)
    buyers: dict[str, BuyerDesk] = field(default_factory=dict)
    sellers: dict[str, SellerDesk] = field(default_factory=dict)
    revoked: tuple[Revoked, ...] = ()
    dies: Callable[[int], bool] = lambda _: False
    """Whether the desk dies before it hears its next message, by how many it heard so far."""
    heard: int = 0
    _nonce: int = 0

    def __post_init__(self) -> None:
        self.chain = EmbeddedChain(
            self.store, "local", CHAIN, OPERATOR, lambda _: self.now, now=lambda: self.now
        )
        self.market = MarketLedger(self.chain, REGION)
        self.suite = Suite(OPERATOR.address)
        self.checker = checker()
        self.publish()
        self._found()
        self.domain = self.market.domain
        self.terms = PurchaseTerms(
            REGION, TIMING, {device(name).address: V0 for name in PEOPLE}, CAP
        )
        self.begin_desk()
        for name in PEOPLE:
            self.join(name)
        for name in SELLERS:
            self._secure(name)

    def begin_desk(self, ledger: type[Purchases] = Purchases) -> None:
        """Let the operator open its desk: a new one, with what the file knows."""
        self.inbox = self.inbox_of(OPERATOR.address)
        records = DeskRecords(open_desk(self.place / "desk.db"))
        self.desk = OperatorDesk(
            *(OPERATOR, self.terms, ledger(self.chain, RUNNER, records), self.inbox, records),
            charge=lambda _buyer, _seller, _interval: CHARGE,
        )

    def kill_desk(self) -> None:
        """Let the desk die, with all that it has in memory, and open another."""
        holds = self.desk.bills.holds
        self.desk.records.store.close()
        self.begin_desk()
        self.desk.bills.holds = holds

    # how the town came to be

    def _found(self) -> None:
        currency = self.suite.currency(CHAIN)
        people = tuple(registered(name, Role.CONSUMER) for name in BUYERS)
        money = tuple(
            deposit(currency, device(name).address, RICH, keccak(name.encode())) for name in BUYERS
        )
        self.market.write(
            Place(REGION, 0, Phase.FOUND),
            Found(
                "local",
                REGION,
                people,
                money,
                SettlementTerms(),
                FeedbackTerms(),
                IncentiveTerms(),
                timing=TIMING,
                door=DOOR,
                collector=OPERATOR.address,
                review=ReviewTerms(fine=FINE),
            ),
        )

    def _secure(self, name: str) -> None:
        """Let a seller apply, be approved, and put its deposit down."""
        key = device(name)
        self.enter(name, certified(name, SERIALS[name]), nonce=0)
        self.mint(key.address, SECURED)
        self.send(key, "registry", "put_deposit", b"", 1)
        self.people[name].ledger = Purchases(self.chain, key, Counted(2))
        self.sellers[name].ledger = self.people[name].ledger

    def enter(self, name: str, certificate: Certificate, nonce: int) -> None:
        """Let a seller apply under a certificate and be approved."""
        key = device(name)
        one = registered(name, Role.PRODUCER)
        asked = pack(certificate.fingerprint, one.meter, packing.place(one), REGION, SECURED)
        self.send(key, "registry", "apply", asked, nonce)
        self.operate("registry", "approve", pack(key.address) + asked)

    def leave(self, name: str) -> None:
        """Let a seller leave, wait until it may, and have its deposit back."""
        key = device(name)
        self.send(key, "registry", "leave", b"", 2)
        self.go_to((self.now - BEGINS) // HOUR + ReviewTerms().delay)
        self.operate("registry", "return_deposit", pack(key.address))

    def join(self, name: str) -> Person:
        """Give somebody a certificate, an inbox and a desk."""
        key = device(name)
        certificate = certified(name, SERIALS[name]).der
        ledger = Purchases(self.chain, key)
        self.people[name] = Person(name, key, certificate, self.inbox_of(key.address), ledger)
        if name in SELLERS:
            self.sellers[name] = SellerDesk(OPERATOR.address, ledger)
        else:
            self.buyers[name] = BuyerDesk(
                REGION,
                OPERATOR.address,
                ledger,
                lambda number: Key.derive(b"wallets", f"{name} {number}"),
                PurchaseRecord(key.address),
            )
        return self.people[name]

    def inbox_of(self, own: bytes, terms: FreshnessTerms | None = None) -> Inbox:
        domain = self.suite.domain(CHAIN)
        known = Purchases(self.chain, RUNNER).certificate
        return Inbox(own, REGION, OPERATOR.address, domain, self.checker, known, terms)

    def send(self, key: Key, contract: str, function: str, given: bytes, nonce: int) -> None:
        """Send one transaction of somebody's; it must not fail."""
        call = self.suite.call(contract, function, given)
        receipt = self.chain.submit(sign(key, CHAIN, nonce, call.to, call.data).raw)
        assert receipt.outcome.status == 1, receipt.outcome.output

    def operate(self, contract: str, function: str, *given: bytes | Rows) -> None:
        """Let the operator call a contract in a block of its own."""
        self._nonce += 1
        key = Place(REGION, 0, Phase.COLLECT, 1_000 + self._nonce)
        self.chain.execute(key, b"", [self.suite.call(contract, function, *given)])

    def mint(self, account: bytes, money: Money) -> None:
        """Let money in at the door, as two keepers sign."""
        self._nonce += 1
        reference = keccak(bytes([self._nonce]))
        word = deposit(self.suite.currency(CHAIN), account, money, reference).warrant
        given = pack(account, money, reference, word.day)
        self.operate("vault", "mint", given, Rows(word.signatures))

    # what people do

    def go_to(self, interval: int) -> None:
        """Let an interval begin; the operator's authority signs a fresh revocation list."""
        self.now = BEGINS + interval * HOUR
        self.publish()

    def publish(self, *revoked: Revoked) -> None:
        """Let the authority publish its list, with some more certificates revoked."""
        self.revoked += revoked
        number = self.checker.revocations.number + 1
        self.checker.update(listed(number, *self.revoked, at=self.now))

    def say(self, name: str, body: Body, to: bytes = OPERATOR.address, **changes: Any) -> Message:
        """Return a body in somebody's envelope; `changes` are lies in it."""
        person = self.people[name]
        person.nonce += 1
        given = {
            "key": person.key,
            "certificate": person.certificate,
            "receiver": to,
            "nonce": person.nonce,
            "sent_at": self.now,
        } | changes
        return sealed(body=body, domain=self.domain, **given)

    def tell(self, name: str, body: Body) -> Message:
        """Return the operator's message to somebody, heard by its inbox."""
        self._nonce += 1
        person = self.people[name]
        sent = sealed(OPERATOR, b"", person.key.address, self._nonce, self.now, body, self.domain)
        return person.inbox.opened(encode(sent), self.now)

    def hear(self, message: Message) -> Message:
        """Return a message that the operator's inbox let through."""
        if self.dies(self.heard):
            self.kill_desk()
        self.heard += 1
        return self.inbox.opened(encode(message), self.now)

    def answer(self, message: Message) -> Body | None:
        """Return what the operator's desk answers to a message that its inbox let through."""
        heard = self.hear(message)
        return self.desk.hear(heard, self.now)

    def offer(self, name: str = "sue", volume: Wh = VOLUME, price: int = PRICE) -> bytes:
        """Let a seller offer for `DUE`; return the offer's hash."""
        credit = self.credit(name)
        body = self.sellers[name].offer(DUE, volume, price, credit)
        message = self.say(name, body)
        self.answer(message)
        return message.hash

    def ask(self, name: str = "ann", volume: Wh = VOLUME, cap: int = CAP) -> Respond:
        """Let a buyer ask for energy in `DUE`; return who sells."""
        buyer = self.buyers[name]
        message = self.say(name, buyer.ask(DUE, volume, cap, self.credit(name)))
        buyer.asked(message)
        answer = self.answer(message)
        assert isinstance(answer, Respond)
        return answer

    def choose(self, name: str = "ann", volume: Wh = VOLUME) -> Certified:
        """Let a buyer ask and choose; return its voucher."""
        answer = self.tell(name, self.ask(name, volume))
        choice = self.buyers[name].choose(answer, cheapest)
        assert choice is not None
        answered = self.answer(self.say(name, choice))
        assert isinstance(answered, Certified)
        return answered

    def pay(self, name: str = "ann", volume: Wh = VOLUME) -> Message:
        """Let a buyer go as far as its payment; return the message to the seller."""
        certified = self.choose(name, volume)
        seller, payment = self.buyers[name].pay(self.tell(name, certified))
        return self.say(name, payment, to=seller)

    def sold(self, name: str = "ann", seller: str = "sue", volume: Wh = VOLUME) -> Voucher:
        """Let a purchase be paid and its seller be named on the ledger."""
        payment = self.pay(name, volume)
        person = self.people[seller]
        heard = person.inbox.opened(encode(payment), self.now)
        return self.sellers[seller].accept(heard)

    def bill(self, voucher: Voucher, delivered: Wh = VOLUME, seller: str = "sue") -> bytes:
        """Let a seller claim and bill in the interval of delivery; return the bill's hash."""
        self.go_to(DUE)
        body = self.sellers[seller].bill(voucher.purchase, delivered)
        message = self.say(seller, body)
        self.sellers[seller].billed(message)
        self.answer(message)
        return message.hash

    def confirm(self, voucher: Voucher, received: Wh = VOLUME, name: str = "ann") -> Settled:
        """Let a buyer confirm."""
        body = self.buyers[name].confirm(voucher.purchase, received)
        settled = self.answer(self.say(name, body))
        assert isinstance(settled, Settled)
        return settled

    def metered(
        self, voucher: Voucher, sent: Wh, taken: Wh, seller: str = "sue", buyer: str = "ann"
    ) -> Settled:
        """Let the operator settle by what the two meters signed of `DUE`."""
        sold = self.profile(seller, 0, sent)
        bought = self.profile(buyer, taken, 0)
        return self.desk.settling.meter(voucher.purchase, *sold, *bought, self.now)

    def rate(self, **meters: tuple[Wh, Wh]) -> None:
        """Let the operator rate `DUE` by what meters took and gave; everybody else nothing."""
        at = {name: meters.get(name, (0, 0)) for name in PEOPLE}
        readings = {
            device(name).address: Metered(device(name).address, taken, sent)
            for name, (taken, sent) in at.items()
        }
        self.desk.settling.rate(DUE, readings)

    def profile(self, name: str, imported: Wh, exported: Wh) -> tuple[Profile, bytes]:
        key = device(name)
        profile = Profile(key.address, REGION, DUE, 500, 500, 500 + imported, 500 + exported)
        return profile, key.sign(profile.digest(self.domain))

    def trade(self, name: str = "ann", seller: str = "sue", volume: Wh = VOLUME) -> Settled:
        """Run one purchase as honest people do."""
        self.offer(seller, volume)
        voucher = self.sold(name, seller, volume)
        self.bill(voucher, volume, seller)
        settled = self.confirm(voucher, volume, name)
        self.buyers[name].renew(self.tell(name, self.desk.settling.renewed(device(name).address)))
        self.rate(**{name: (volume, 0), seller: (0, volume)})
        return settled

    def metered_again(self, purchase: bytes) -> Settled:
        """Let the operator settle a purchase by its name."""
        sold, bought = self.profile("sue", 0, VOLUME), self.profile("ann", VOLUME, 0)
        return self.desk.settling.meter(purchase, *sold, *bought, self.now)

    def sell_again(self, name: str) -> None:
        """Let a seller offer for a later interval."""
        body = self.sellers[name].offer(DUE + 20, VOLUME, PRICE, self.credit(name))
        self.answer(self.say(name, body))

    def fined(self, interval: int = DUE) -> dict[str, Money]:
        """Let the operator fine an interval; return who paid what."""
        names = {device(name).address: name for name in PEOPLE}
        paid = self.desk.settling.fine(interval, self.now)
        return {names[one]: money for one, money in paid.items()}

    # what they have

    def credit(self, name: str) -> int:
        return self.desk.standings.credit(device(name).address, self.terms.interval(self.now))

    def free(self, name: str) -> Money:
        return self.desk.ledger.free(device(name).address)

    def tills(self) -> tuple[Money, Money]:
        """Return what network operator and loss fund have."""
        ledger = self.desk.ledger
        tills = Named.NETWORK_OPERATOR, Named.NETWORK_LOSS
        return ledger.free(tills[0].address), ledger.free(tills[1].address)

    def totals(self) -> Totals:
        return self.market.totals()


def opened(place: Path) -> tuple[Town, Store]:
    """Return a town on a fresh ledger file, and the file."""
    store = open_store(place / "town.db")
    return Town(store, place), store
