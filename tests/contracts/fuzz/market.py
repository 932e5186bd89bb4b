"""Rules: orders and fills, from the signature to the statement, by whoever may and may not."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec.structs import replace
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.play import (
    LOSS,
    PEOPLE,
    WEIGHED,
    Play,
    energy,
    money,
    pick,
    price,
    sender,
    when,
    who,
)
from tests.contracts.harness import (
    AREA,
    DEVICES,
    OPERATOR,
    PLANT,
    _matched,
    _parted,
    decoded,
    delivery,
    fill,
    struct,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, arguments
from gridpact.ledger.onchain.attest import BILL, SETTLE
from gridpact.ledger.onchain.packing import words
from gridpact.model.interval import Phase
from gridpact.model.order import NONE, Accepted, Side, Tier
from gridpact.model.statement import Bill
from gridpact.model.trade import Fill

WAYS = ("collect", "collect", "post", "relay", "pocket")


class Market(Play):
    """Orders, fills, payment, ratings."""

    # orders

    def open_market(self) -> None:
        super().open_market()
        for name in PEOPLE:
            for side in Side:
                self.order(name, side, 900, 16, 12, 0, "collect", OPERATOR)
        self.order("bob", Side.OFFER, 900, 16, 12, 3, "collect", OPERATOR)
        self.deliver(12)
        bids, offers = self.side(Side.BID), self.side(Side.OFFER)
        self.commit([fill(bids[0], offers[1], 100, 150_000, 30_000, index=900)])
        assert len(self.orders) == 7
        assert len(self.fills) == 1

    def side(self, side: Side) -> list[Accepted]:
        return [one for one in self.orders + self.pocket if one.order.side is side]

    @rule(
        name=st.sampled_from([*PEOPLE, "ann", "region", "stranger"]),
        side=st.sampled_from(Side),
        energy=energy,
        fills=st.integers(0, 18),
        interval=when,
        tier=st.integers(0, 4),
        way=st.sampled_from(WAYS),
        sender=sender,
    )
    def order(
        self,
        name: str,
        side: Side,
        energy: int,
        fills: int,
        interval: int,
        tier: int,
        way: str,
        sender: bytes,
    ) -> None:
        fields: dict[str, Any] = {"interval": interval, "fills": fills}
        if tier == 4 and self.orders:
            fields["parent"] = self.of(energy, self.orders).hash
        price = 100_000 if side is Side.OFFER else 200_000
        one = self.world.order(name, side, energy, price, tier=Tier(tier // 3), **fields)
        pool = self.pocket if way == "pocket" else self.orders
        if self.attempt(lambda: self._placed(one, name, fills, way, sender)):
            pool.append(one)

    def _placed(self, one: Accepted, name: str, fills: int, way: str, sender: bytes) -> None:
        many = fills if hands.is_bid(one) else 0
        if way == "collect":
            row = packing.collection(one, many)
            write = self.world.write(interval=one.order.interval)
            self.world.rows(Contract.ORDERS, "collect", [row], write=write)
        elif way == "post":
            given = struct(one), one.charge, many
            self.world.send(Contract.ORDERS, "post", *given, sender=one.order.participant)
        elif way == "relay":
            hands.relay(self.world, one, many, name, sender)

    @rule(at=pick, sender=sender, by_operator=st.booleans())
    def withdraw_order(self, at: int, sender: bytes, by_operator: bool) -> None:
        one = self.of(at, self.orders)
        if by_operator:
            row, write = packing.order(one.order), self.world.write(interval=one.order.interval)
            act = lambda: self.world.rows(Contract.ORDERS, "close", [row], write=write)  # noqa: E731
        else:
            who = one.order.participant if at % 3 else sender
            act = lambda: self.world.send(Contract.ORDERS, "cancel", struct(one), sender=who)  # noqa: E731
        self.attempt(act)

    # fills

    @rule(
        bid=pick,
        offer=pick,
        energy=energy,
        price=price,
        charge=st.integers(0, 100_000),
        way=st.sampled_from(["commit", "match", "match", "buy", "bind", "cross", "stray"]),
        now=st.booleans(),
        sender=sender,
    )
    def fill(
        self,
        bid: int,
        offer: int,
        energy: int,
        price: int,
        charge: int,
        way: str,
        now: bool,
        sender: bytes,
    ) -> None:
        bids, offers = self.side(Side.BID), self.side(Side.OFFER)
        if way == "bind":
            bids = [one for one in self.pocket if hands.is_bid(one)] or bids
            sender = OPERATOR if bid % 4 else sender
        pair = self.of(bid, bids), self.of(offer, offers)
        if way == "buy":  # the buyer itself pays the offer's price and the network's share
            price, charge, sender = 100_000, 90_000, pair[0].order.participant
        elif way == "match":
            sender = OPERATOR
        one = fill(*pair, energy, price, charge % 45_000 if way != "buy" else charge)
        one = replace(one, index=len(self.fills))
        if way == "commit":
            self.commit([one])
        elif way == "cross":
            self.cross(replace(one, offer=keccak(b"a plant's offer"), seller=PLANT))
        elif way == "bind":
            if self.attempt(lambda: hands.bind(self.world, *pair, one, sender)):
                self.fills.append(one)
        else:
            given = struct(pair[0]), struct(pair[1]), one.terms, now
            if self.attempt(
                lambda: self.world.send(Contract.SETTLEMENT, "match", *given, sender=sender)
            ):
                self.fills.append(one)

    def commit(self, fills: list[Fill]) -> None:
        write = self.world.write(interval=fills[0].interval)
        if self.attempt(lambda: self.world.filled("settlement", "commit", write, fills, _matched)):
            self.fills += fills

    def cross(self, one: Fill) -> None:
        write, crossing = self.world.write(interval=one.interval), words((len(self.fills) + 1,))
        if self.attempt(
            lambda: self.world.filled("crossing", "cross", write, [one], _parted, crossing)
        ):
            self.fills.append(one)

    @rule(at=pick, sender=sender)
    def lock(self, at: int, sender: bytes) -> None:
        self._single(at, "lock", sender)

    @rule(at=pick, sender=sender)
    def take_back(self, at: int, sender: bytes) -> None:
        self._single(at, "take_back", sender)

    def _single(self, at: int, verb: str, sender: bytes) -> None:
        given = hands.single(self.of(at, self.fills))
        self.attempt(lambda: self.world.send(Contract.SETTLEMENT, verb, given, sender=sender))

    # payment

    @rule(at=pick, sent=energy, unused=pick, disputed=st.booleans(), more=st.integers(0, 3))
    def settle(self, at: int, sent: int, unused: int, disputed: bool, more: int) -> None:
        rows = []
        first = self.of(at, self.fills)
        for step in range(1 + more % 2):
            one = self.of(at + step, self.fills)
            if one.interval == first.interval:
                rows.append((one, self._delivered(one, sent, unused, disputed)))
        write = self.world.write(interval=first.interval)
        if more != 3:
            self.witness(write, SETTLE, arguments(Rows([packing.settlement(*one) for one in rows])))
        self.attempt(lambda: self.world.settle(*rows, write=write))

    def _delivered(self, one: Fill, sent: int, unused: int, disputed: bool) -> Any:
        held = self.held(one.hash) + (sent % 11 == 0)  # now and then more than anybody stopped
        owed = max(one.energy_wh - held, 0)
        unused = unused % (owed + 1) if unused % 3 == 0 else 0
        sent = min(sent, owed - unused)
        loss = LOSS * sent // WEIGHED + (unused % 7 == 1)
        return delivery(one, sent, min(loss, sent), unused, unused // 2, held, disputed)

    @rule(at=pick, sent=energy, taken=energy, sender=sender, wrong=st.integers(0, 6))
    def settle_fill(self, at: int, sent: int, taken: int, sender: bytes, wrong: int) -> None:
        one = self.of(at, self.fills)
        seller, buyer = self._meters(one, sent, taken, wrong)
        given = hands.single(one), seller, buyer
        who = OPERATOR if at % 2 else sender
        self.attempt(
            lambda: self.world.send(Contract.SETTLEMENT, "settle_fill", *given, sender=who)
        )

    @rule(at=pick, sent=energy, other=energy, seller=st.booleans(), sender=sender)
    def contradict(self, at: int, sent: int, other: int, seller: bool, sender: bytes) -> None:
        one = self.of(at, self.fills)
        name = hands.NAMES[one.seller if seller else one.buyer]
        first, second = (
            hands.profile(self.world, name, one.interval, 0, much) for much in (sent, other)
        )
        meter = hands.address(DEVICES[self.of(at, list(PEOPLE))].address)
        if at % 5:
            meter = hands.address(DEVICES[name].address)
        given = hands.single(one), meter, first, second
        self.attempt(
            lambda: self.world.send(Contract.SETTLEMENT, "contradict", *given, sender=sender)
        )

    def _meters(self, one: Fill, sent: int, taken: int, wrong: int) -> tuple[Any, Any]:
        names = [hands.NAMES[one.seller], hands.NAMES[one.buyer]]
        if wrong == 1:
            names.reverse()
        if wrong == 2:
            sent = -1  # the meter ran backwards
        interval = one.interval + (wrong == 3)
        return (
            hands.profile(self.world, names[0], interval, 0, sent),
            hands.profile(self.world, names[1], interval, taken, 0),
        )

    @rule(at=pick, money=st.integers(0, 100_000))
    def refund(self, at: int, money: int) -> None:
        row, home = (self.of(at, self.fills).hash, money), words((at, money))
        crossing = keccak(home) if at % 9 else NONE
        self.attempt(lambda: self.world.refund(crossing, row))

    @rule(region=st.sampled_from([AREA, AREA, PLANT]), money=money, at=pick)
    def send_home(self, region: bytes, money: int, at: int) -> None:
        write = decoded(self.world.write())
        given = write, hands.address(region), money, keccak(words((at % 5,)))
        self.attempt(lambda: self.world.send(Contract.CROSSING, "send_home", *given))

    @rule(name=st.sampled_from([*PEOPLE, "plant"]), bought=energy, sold=energy, interval=when)
    def bill(self, name: str, bought: int, sold: int, interval: int) -> None:
        row = packing.bill(Bill(DEVICES[name].address, bought, sold, 0, 0, 0))
        write = self.world.write(interval=interval)
        self.witness(write, BILL, arguments(Rows([row])))
        self.attempt(
            lambda: self.world.rows(
                Contract.SUPPLY, "bill", [row], after=_expected(bought), write=write
            )
        )

    # ratings and rewards

    @rule(name=who, interval=when, sender=sender, batch=st.booleans(), at=pick)
    def rate(self, name: str, interval: int, sender: bytes, batch: bool, at: int) -> None:
        mine = DEVICES[name].address
        if batch:
            rows, write = [mine.rjust(32, b"\0")], self.world.write(interval=interval)
            self.attempt(
                lambda: self.world.rows(
                    Contract.REPUTATION, "rate", rows, after=_expected(at), write=write
                )
            )
        else:
            given = hands.address(mine), interval
            self.attempt(
                lambda: self.world.send(Contract.REPUTATION, "rate_one", *given, sender=sender)
            )

    # what is posted of an interval

    @rule(
        interval=st.integers(11, 16),
        loss=energy,
        weighed=energy,
        batch=st.integers(0, 3),
        what=pick,
    )
    def publish(self, interval: int, loss: int, weighed: int, batch: int, what: int) -> None:
        if what % 4 == 0:
            self.attempt(lambda: self.deliver(interval, loss, weighed, batch))
        elif what % 4 == 1:
            share = 1_000_001 if loss == 1 else 30_000
            self.attempt(lambda: self.price_with(interval, share, batch))
        else:
            write = decoded(self.world.write(Phase.CLEAR, interval, number=batch))
            given = write, keccak(b"orders"), keccak(b"fills"), keccak(b"seed"), weighed, loss
            self.attempt(lambda: self.world.send(Contract.CLEARING, "post", *given))

    @rule(seconds=st.sampled_from([600, 1900, 3600, 3600, 3 * 3600, 12 * 3600]))
    def wait(self, seconds: int) -> None:
        self.world.time += seconds


def _expected(number: int) -> bytes:
    """Return what amounts are said to hash to: now and then something else than they do."""
    return NONE if number % 4 else keccak(b"other amounts")
