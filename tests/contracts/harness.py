"""A market of five on a bare EVM: what the contract tests act on.

Deploys the compiled contracts, registers a buyer, two sellers, a plant and a region, and offers
the operator's verbs in one line each. No ledger, no disk: `ledger.market_ledger` is tested apart.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests import door as tests_door
from tests.contracts.reading import Contract, Event, artefact, call, event, result

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as Device
from gridpact.errors import Reverted
from gridpact.ledger.evm.engine import EngineFactory, Moment, default_engine
from gridpact.ledger.evm.transactions import GAS, Transaction
from gridpact.ledger.onchain import packing, roots
from gridpact.ledger.onchain.abi import Rows, arguments
from gridpact.ledger.onchain.calls import Places
from gridpact.ledger.onchain.suite import ORDER, Suite
from gridpact.model.challenge import ChallengeTerms
from gridpact.model.delivery import Delivery
from gridpact.model.door import DoorTerms
from gridpact.model.interval import Key, Phase
from gridpact.model.market import MarketTerms
from gridpact.model.net import NetTerms
from gridpact.model.order import MAX_FILLS, NONE, Accepted, Order, Side, Tier
from gridpact.model.participant import Account, Named, Participant, ReviewTerms, Role
from gridpact.model.rating import FeedbackTerms, RatingTerms
from gridpact.model.record import BusCharge, Found, IncentiveTerms, Timing
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import Money, Price, Wh, amount

CHAIN = 20_260_609
REGION = name_hash("region north")
OPERATOR_DEVICE = Device.derive(b"contracts", "operator")
OPERATOR = OPERATOR_DEVICE.address
COLLECTOR = Device.derive(b"contracts", "collector")
DEVICES = {
    name: Device.derive(b"contracts", name)
    for name in ("ann", "bob", "cem", "plant", "region", "stranger")
}
ANN, BOB, CEM, PLANT, AREA, STRANGER = (device.address for device in DEVICES.values())
ROLES = {
    "ann": Role.CONSUMER,
    "bob": Role.PRODUCER,
    "cem": Role.PRODUCER | Role.CONSUMER,
    "plant": Role.PLANT,
    "region": Role.REGION,
}
INTERVAL = 12
BEGINS, SECONDS = 2_000_000_000, 3600
MICRO = 1_000_000
RETAIL, SHARE, FEED_IN, LOSS_SHARE = 280_000, 90_000, 80_000, 30_000
BUSES = tuple(BusCharge(bus, 500 * (bus - 7)) for bus in range(1, 57))
COSTS = (0, 30_000, 40_000, roots.charge_root(BUSES))
"""Margin, local and zonal charge, root of the locational prices."""


class World:
    """One chain with its contracts; `send` returns events, `Reverted` carries the reason."""

    def __init__(
        self,
        engine: EngineFactory | None = None,
        settlement: SettlementTerms | None = None,
        rating: RatingTerms | None = None,
        incentive: IncentiveTerms | None = None,
        timing: Timing | None = None,
        door: DoorTerms | None = None,
        review: ReviewTerms | None = None,
        challenge: ChallengeTerms | None = None,
        net: NetTerms | None = None,
        market: MarketTerms | None = None,
        ends_founding: bool = True,
    ) -> None:
        self.net = net or NetTerms()
        self.review = review or ReviewTerms()
        self.challenge = challenge or ChallengeTerms()
        self.timing, self.time = timing or Timing(), 0
        self.door = door or tests_door.TERMS
        self.settlement = settlement or SettlementTerms()
        self.rating = rating or FeedbackTerms()
        self.incentive = incentive or IncentiveTerms()
        self.engine = (engine or default_engine())(CHAIN, {})
        self.suite = Suite(OPERATOR)
        self.at = {contract: self.suite[contract.value] for contract in Contract}
        self.names = {address: name for name, address in self.at.items()}
        rules = (self.settlement, self.rating, self.incentive)
        founding = {
            "timing": self.timing,
            "door": self.door,
            "review": self.review,
            "challenge": self.challenge,
            "net": self.net,
            "collector": COLLECTOR.address,
            "market": market or MarketTerms(),
        }
        found = Found("north", REGION, (), (), *rules, **founding)  # type: ignore[arg-type]
        for name, deploy in zip(ORDER, self.suite.deploy(found), strict=True):
            assert self._run(OPERATOR, b"", deploy.data).output == self.suite[name]
        self.domain = Domain(CHAIN, self.at[Contract.REGISTRY])
        self.currency = self.suite.currency(CHAIN)
        self._batches = 0
        self.book: dict[bytes, Order] = {}
        self.found([_participant(name) for name in ROLES], last=ends_founding)
        self.engine.keep()

    def _run(self, sender: bytes, to: bytes, data: bytes) -> Any:
        nonce = self.engine.nonce(sender)
        transaction = Transaction(CHAIN, nonce, GAS, to, data, b"", b"")
        execution = self.engine.execute(transaction, sender, Moment(1, self.time))
        if execution.failure:
            raise Reverted(execution.failure)
        return execution.outcome

    def raw(self, contract: Contract, data: bytes, sender: bytes = OPERATOR) -> list[Event]:
        outcome = self._run(sender, self.at[contract], data)
        return [event(self.names[log.address], log) for log in outcome.logs]

    def send(
        self, contract: Contract, name: str, *arguments: Any, sender: bytes = OPERATOR
    ) -> list[Event]:
        return self.raw(contract, call(contract, name, *arguments), sender)

    def rows(
        self,
        contract: Contract,
        name: str,
        rows: Sequence[bytes],
        before: bytes = b"",
        after: bytes = b"",
        write: bytes | None = None,
        sender: bytes = OPERATOR,
    ) -> list[Event]:
        selector = artefact(contract).functions[name].selector
        given = arguments(write or self.write(), before, Rows(rows), after)
        return self.raw(contract, selector + given, sender)

    def view(self, contract: Contract, name: str, *arguments: Any) -> Any:
        data = call(contract, name, *arguments)
        execution = self.engine.view(STRANGER, self.at[contract], data, Moment(1, self.time))
        if execution.failure:
            raise Reverted(execution.failure)
        values = result(contract, name, execution.outcome.output)
        return values[0] if len(values) == 1 else values

    def write(
        self,
        phase: Phase = Phase.COLLECT,
        interval: int = INTERVAL,
        number: int | None = None,
        content: bytes | None = None,
    ) -> bytes:
        """Return a write: the next batch of one record, unless told otherwise."""
        if number is None:
            self._batches += 1
            number = self._batches
        return packing.write(Key(REGION, interval, phase), number, content or keccak(b"record"))

    # what the operator does

    def go_to(self, interval: int) -> None:
        """Let the next transactions lie in an interval."""
        self.time = self.timing.begins + interval * self.timing.seconds

    def found(
        self, participants: Sequence[Participant], last: bool = False, write: bytes | None = None
    ) -> list[Event]:
        """Register founding participants; with the last ones the founding is over."""
        rows = [packing.registration(one) for one in participants]
        after = packing.words((last,))
        return self.rows(Contract.REGISTRY, "register", rows, after=after, write=write)

    def register(self, participants: Sequence[Participant]) -> list[Event]:
        """Let people join after the founding: each applies, the operator approves."""
        events = []
        for one in participants:
            asked = (one.certificate, one.meter, packing.place(one), REGION, 0)
            events += self.send(Contract.REGISTRY, "apply", asked, sender=one.address)
            events += self.send(Contract.REGISTRY, "approve", one.address, asked)
        return events

    def mint(self, account: bytes, money: Money, reference: str | None = None) -> list[Event]:
        self._batches += 1
        ref = keccak((reference or f"deposit {self._batches}").encode())
        return self.send(Contract.VAULT, "mint", *self.warranted(account, money, ref))

    def warranted(self, account: bytes, money: Money, ref: bytes, day: int = 0) -> tuple[Any, ...]:
        """Return what `vault.mint` takes, signed by enough keepers."""
        word = tests_door.word_of(self.currency, account, money, ref, day)
        return account, money, ref, day, [(one[:32], one[32:]) for one in word.signatures]

    def order(
        self,
        name: str,
        side: Side,
        energy: Wh = 1000,
        price: Price = 200_000,
        charge: Price = 40_000,
        fills: int = MAX_FILLS,
        signer: str | None = None,
        tier: Tier = Tier.LOCAL,
        **fields: Any,
    ) -> Accepted:
        """Return a signed order with its reservation, as `admission` would accept it."""
        self._batches += 1
        standard: dict[str, Any] = {"region": REGION, "interval": INTERVAL, "salt": self._batches}
        order = Order(
            DEVICES[name].address, side, tier, energy_wh=energy, price=price, **standard | fields
        )
        digest = order.digest(self.domain)
        self.book[digest] = order
        whole = amount(price, energy) + amount(charge, energy) + fills
        return Accepted(
            hash=digest,
            order=order,
            signature=DEVICES[signer or name].sign(digest),
            sequence=0,
            reserved=whole if side is Side.BID else 0,
            receipt=b"",
            charge=charge if side is Side.BID else 0,
        )

    def collect(self, *orders: Accepted) -> list[Event]:
        return self.rows(Contract.ORDERS, "collect", [packing.collection(one) for one in orders])

    def commit(self, *fills: Fill, write: bytes | None = None) -> list[Event]:
        self.price()
        return self.filled("settlement", "commit", write or self.write(), fills, _matched)

    def cross(self, crossing: bytes, *fills: Fill, write: bytes | None = None) -> list[Event]:
        self.price()
        return self.filled("crossing", "cross", write or self.write(), fills, _parted, crossing)

    def filled(
        self,
        contract: str,
        function: str,
        write: bytes,
        fills: Sequence[Fill],
        row: Callable[[Fill, Mapping[bytes, Order], Places], bytes],
        *after: bytes,
    ) -> list[Event]:
        """Send a batch of fills with the orders that they need."""
        places = Places()
        rows = Rows([row(one, self.book, places) for one in fills])
        call = self.suite.call(contract, function, write, Rows(places.orders), rows, *after)
        return self.raw(Contract(contract), call.data)

    def close(self, *orders: Accepted) -> list[Event]:
        return self.rows(Contract.ORDERS, "close", [packing.order(one.order) for one in orders])

    def price_of(self, interval: int) -> list[Event]:
        """Post the prices of another interval."""
        write = decoded(self.write(Phase.PRICE, interval, number=0))
        tariffs = (RETAIL, SHARE, FEED_IN, LOSS_SHARE)
        return self.send(Contract.CLEARING, "price", write, tariffs, COSTS)

    def price(self, loss_share: int = LOSS_SHARE) -> list[Event]:
        """Post the prices; once they are posted this changes nothing."""
        try:
            self.view(Contract.CLEARING, "tariffs", REGION, INTERVAL)
            return []
        except Reverted:
            tariffs = (RETAIL, SHARE, FEED_IN, loss_share)
        write = decoded(self.write(Phase.PRICE, number=0))
        return self.send(Contract.CLEARING, "price", write, tariffs, COSTS)

    def deliver(
        self, loss: Wh = 50, weighed: Wh = 1050, before: Wh = 0, interval: int = INTERVAL
    ) -> list[Event]:
        write = decoded(self.write(Phase.DELIVER, interval))
        root = keccak(b"readings")
        return self.send(Contract.CLEARING, "deliver", write, root, (loss, weighed, before))

    def settle(
        self, *rows: tuple[Fill, Delivery], expected: bytes = NONE, write: bytes | None = None
    ) -> list[Event]:
        packed = [packing.settlement(*row) for row in rows]
        return self.rows(Contract.SETTLEMENT, "settle", packed, after=expected, write=write)

    def refund(self, crossing: bytes, *rows: tuple[bytes, Money]) -> list[Event]:
        packed = [name + packing.words((money,)) for name, money in rows]
        return self.rows(Contract.CROSSING, "refund", packed, before=crossing)

    # what anybody sees

    def account(self, address: bytes) -> Account:
        return Account(*self.view(Contract.VAULT, "account", address))

    def free(self, address: bytes) -> Money:
        return self.account(address).free

    def holds(self) -> bool:
        """Say whether money is conserved: by the totals, the sum of all accounts, the currency."""
        minted, burned, free, reserved, locked, transit = self.view(Contract.VAULT, "totals")
        everyone = [*(DEVICES[name].address for name in ROLES), *(n.address for n in Named)]
        pots = [self.account(one) for one in everyone]
        sums = tuple(map(sum, zip(*((p.free, p.reserved, p.locked) for p in pots), strict=True)))
        held = self.view(Contract.CURRENCY, "balanceOf", self.at[Contract.VAULT])
        return (
            free + reserved + locked + transit == minted - burned <= held
            and sums == (free, reserved, locked)
            and held <= self.view(Contract.CURRENCY, "totalSupply")
        )

    def trade(
        self, energy: Wh = 1000, price: Price = 150_000, charge: Price = 30_000
    ) -> tuple[Accepted, Accepted, Fill]:
        """Return a bid of ann's and an offer of bob's, collected, and a fill between them."""
        bid = self.order("ann", Side.BID)
        offer = self.order("bob", Side.OFFER, price=100_000)
        self.collect(bid, offer)
        return bid, offer, fill(bid, offer, energy, price, charge)


def _matched(one: Fill, book: Mapping[bytes, Order], places: Places) -> bytes:
    bid, offer = (places.of(n, book[n].participant, book) for n in (one.bid, one.offer))
    return packing.match(one, bid, offer)


def _parted(one: Fill, book: Mapping[bytes, Order], places: Places) -> bytes:
    parent = book[one.bid].parent
    names = one.bid, one.bid if parent == NONE else parent
    bid, above = (places.of(n, book[n].participant, book) for n in names)
    return packing.cross(one, bid, above)


def struct(accepted: Accepted) -> tuple[Any, ...]:
    """Return an order as `eth_abi` wants it."""
    o = accepted.order
    return (
        *("0x" + o.participant.hex(), int(o.side), int(o.tier), o.region, o.interval),
        *(o.energy_wh, o.price, o.min_reputation, o.terms, o.parent, o.expires, o.salt),
    )


def fill(
    bid: Accepted, offer: Accepted, energy: Wh, price: Price, charge: Price, index: int = 0
) -> Fill:
    """Return a fill of two orders."""
    return Fill(
        region=bid.order.region,
        interval=bid.order.interval,
        tier=bid.order.tier,
        index=index,
        bid=bid.hash,
        offer=offer.hash,
        buyer=bid.order.participant,
        seller=offer.order.participant,
        energy_wh=energy,
        price=price,
        charge=charge,
    )


def delivery(
    of: Fill,
    sent: Wh,
    loss: Wh = 0,
    unused: Wh = 0,
    unused_sent: Wh = 0,
    held: Wh = 0,
    disputed: bool = False,
) -> Delivery:
    """Return what became of a fill."""
    agreed = of.energy_wh - unused - held
    return Delivery(of.hash, agreed, sent, sent - loss, unused, unused_sent, held, disputed)


def decoded(write: bytes) -> tuple[Any, ...]:
    """Return a packed write as `eth_abi` wants it."""
    numbers = [int.from_bytes(write[place : place + 32], "big") for place in range(32, 160, 32)]
    return (write[:32], *numbers, write[160:])


def without(order: Accepted, **changes: Any) -> Accepted:
    """Return an accepted order whose content is not what was signed."""
    return replace(order, order=replace(order.order, **changes))


def refused(reason: str) -> Any:
    """Expect a contract to refuse with exactly this reason."""
    return pytest.raises(Reverted, match=re.escape(f"reverted: {reason}") + "$")


def reverts(act: Callable[[], object]) -> bool:
    """Say whether a contract, or its plain twin, refuses."""
    try:
        act()
    except Reverted:
        return True
    return False


def _participant(name: str) -> Participant:
    return Participant(
        name=name,
        address=DEVICES[name].address,
        bus=7,
        roles=ROLES[name],
        certificate=keccak(f"certificate {name}".encode()),
        meter=keccak(f"meter {name}".encode()),
    )
