"""A market that anybody may disturb: rules for Hypothesis, and what must hold after each.

The operator's verbs with sensible and with absurd numbers, the same twice, out of order, and any
function of any contract by anybody with values of its types. After every step money is conserved to
the micro-unit, no lock is paid twice, every lock of an open fill is still there, no contract was
entered again while it was under way, nobody outside the suite was called, and every refusal says
"contract: reason".
"""

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from bench.traffic import random_call
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)
from tests.contracts.fuzz.boa_engine import Boa, open_engine
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    OPERATOR,
    PLANT,
    REGION,
    STRANGER,
    World,
    delivery,
    fill,
)
from tests.contracts.reading import Contract, Event

from gridpact.errors import Reverted
from gridpact.ledger.abi import interface
from gridpact.ledger.suite import ORDER
from gridpact.model.delivery import Delivery
from gridpact.model.order import Accepted, Side
from gridpact.model.participant import Named
from gridpact.model.trade import Fill

REASON = re.compile(r"[a-z_]+: [a-z0-9].+")
UNTOLD = ("no reason given",)
"""What a contract says of numbers that do not fit their type: the compiler's own refusal."""
PRECOMPILES = range(1, 10)
BUYERS, SELLERS = ("ann", "cem"), ("bob", "cem")
PEOPLE = (OPERATOR, ANN, BOB, CEM, PLANT, STRANGER)

energies = st.integers(100, 3_000) | st.integers(100, 3_000) | st.sampled_from([0, 1, 2**40 - 1])
absurd = st.sampled_from([0, 1, 2**48 - 1])
bid_prices = st.integers(150_000, 230_000) | st.integers(150_000, 230_000) | absurd
offer_prices = st.integers(80_000, 150_000) | st.integers(80_000, 150_000) | absurd
charges = st.just(40_000) | st.just(30_000) | absurd
sums = st.one_of(st.integers(0, 10**9), st.sampled_from([0, 1, 2**62]))


class Market(RuleBasedStateMachine):
    """One interval of one market on titanoboa."""

    founded: World | None = None
    counts: ClassVar[Counter[str]] = Counter()
    """What all examples of this process came to."""
    asks: Bundle[Accepted] = Bundle("asks")
    sales: Bundle[Accepted] = Bundle("sales")
    fills: Bundle[Fill] = Bundle("fills")

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        if cls.founded is None:
            cls.founded = World(engine=open_engine)
        self.world = cls.founded
        self.world.engine.undo()
        self.world.book.clear()
        assert isinstance(self.world.engine, Boa)
        self.engine = self.world.engine
        self.inside = set(self.world.at.values())
        self.open: dict[bytes, Fill] = {}
        self.settled: set[bytes] = set()
        for account in (ANN, CEM, Named.REWARD.address):
            self.world.mint(account, 10**9)
        self.world.price()
        self.world.deliver(loss=0, weighed=2**39)

    def attempt(self, act: Callable[[], list[Event]]) -> list[Event] | None:
        """Act; return events, or None when it was refused with a proper reason."""
        reason = ""
        try:
            events = act()
        except Reverted as refusal:
            reason = refusal.reason
        finally:
            self.check_calls()
        self.count("refused" if reason else "done")
        if reason:
            assert REASON.fullmatch(reason), reason
            return None
        self.note(events)
        return events

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def note(self, events: list[Event]) -> None:
        """Follow the locks: a fill is settled once, and then for the whole of its lock."""
        for one in events:
            if one.name != "Settled" or int(one.values["case"]) == 1:
                continue
            name = one.values["fill"]
            assert name not in self.settled, "a lock was paid twice"
            self.settled.add(name)
            self.count("locks paid")
            traded = self.open.pop(name)
            shares = ("paid", "charge", "fee_seller", "fee_network", "refund")
            assert sum(int(one.values[share]) for share in shares) == traded.lock

    def check_calls(self) -> None:
        for frame in self.engine.frames:
            known = frame.to in self.inside or int.from_bytes(frame.to, "big") in PRECOMPILES
            assert known, f"calls {frame.to.hex()}, which is none of ours"
            again = frame.to in frame.below and not frame.reads
            assert not again, f"{self.world.names[frame.to]} is entered while it is under way"

    @initialize(target=asks)
    def market_opens(self) -> Any:
        bid = self.world.order("ann", Side.BID)
        self.world.collect(bid)
        return bid

    @initialize(target=sales)
    def somebody_sells(self) -> Any:
        offer = self.world.order("bob", Side.OFFER, price=100_000)
        self.world.collect(offer)
        return offer

    @initialize(target=fills)
    def they_trade(self) -> Any:
        _, _, traded = self.world.trade()
        self.world.commit(traded)
        self.open[traded.hash] = traded
        self.count("locked")
        return traded

    @rule(account=st.sampled_from(PEOPLE[1:5]), money=sums)
    def money_enters(self, account: bytes, money: int) -> None:
        self.attempt(lambda: self.world.mint(account, money))

    @rule(
        target=asks,
        name=st.sampled_from(BUYERS),
        energy=energies,
        price=bid_prices,
        charge=charges,
        fills=st.sampled_from([16, 2, 1, 0, 17]),
    )
    def bids(self, name: str, energy: int, price: int, charge: int, fills: int) -> Any:
        order = self.world.order(name, Side.BID, energy, price, charge, fills)
        return multiple() if self.attempt(lambda: self.world.collect(order)) is None else order

    @rule(target=sales, name=st.sampled_from(SELLERS), energy=energies, price=offer_prices)
    def offers(self, name: str, energy: int, price: int) -> Any:
        order = self.world.order(name, Side.OFFER, energy, price)
        return multiple() if self.attempt(lambda: self.world.collect(order)) is None else order

    @rule(order=st.one_of(asks, sales))
    def the_same_order_again(self, order: Accepted) -> None:
        assert self.attempt(lambda: self.world.collect(order)) is None

    @rule(order=st.one_of(asks, sales))
    def order_closes(self, order: Accepted) -> None:
        self.attempt(lambda: self.world.close(order))

    @rule(
        target=fills,
        bid=st.one_of(asks, asks, asks, sales),
        offer=st.one_of(sales, sales, sales, asks),
        part=st.sampled_from([1, 2, 3, 5, 8, 0]),
        price=offer_prices,
        fair=st.sampled_from([True, True, True, False]),
        charge=charges,
    )
    def fills_are_locked(
        self, bid: Accepted, offer: Accepted, part: int, price: int, fair: bool, charge: int
    ) -> Any:
        whole = min(bid.order.energy_wh, offer.order.energy_wh)
        energy = whole // part if part else whole + 1
        traded = fill(
            *(bid, offer, energy, offer.order.price if fair else price, charge),
            index=len(self.open) + len(self.settled),
        )
        if self.attempt(lambda: self.world.commit(traded)) is None:
            return multiple()
        self.open[traded.hash] = traded
        self.count("locked")
        return traded

    @rule(traded=fills)
    def the_same_fill_again(self, traded: Fill) -> None:
        assert self.attempt(lambda: self.world.commit(traded)) is None

    @rule(
        traded=fills,
        sent=st.sampled_from([1, 0, 0.5, 0.98, 0.995, 1.01]),
        unused=st.sampled_from([0, 0, 0, 0.1, 1]),
        disputed=st.sampled_from([False, False, False, True]),
    )
    def fill_is_settled(self, traded: Fill, sent: float, unused: float, disputed: bool) -> None:
        left = int(traded.energy_wh * unused)
        rho = int((traded.energy_wh - left) * sent)
        self.fill_is_settled_with(traded, delivery(traded, rho, unused=left, disputed=disputed))

    def fill_is_settled_with(self, traded: Fill, made: Delivery) -> None:
        before = traded.hash in self.settled
        done = self.attempt(lambda: self.world.settle((traded, made)))
        assert done is None or not before, "settled twice"

    @rule(traded=fills)
    def all_of_it_is_delivered(self, traded: Fill) -> None:
        self.fill_is_settled_with(traded, delivery(traded, traded.energy_wh))

    @rule(
        place=st.sampled_from(
            [(n, e) for n in ORDER for e in interface(n) if e["type"] == "function"]
        ),
        sender=st.sampled_from(PEOPLE),
        chance=st.randoms(use_true_random=False),
    )
    def anybody_calls_anything(self, place: Any, sender: bytes, chance: random.Random) -> None:
        name, entry = place
        words = [bytes(32), REGION, b"\xff" * 32, *self.open, *self.settled, *self.world.book]
        words += [one.rjust(32, b"\0") for one in PEOPLE]
        data = random_call(entry, words, [*PEOPLE, *sorted(self.inside)], chance)
        try:
            self.note(self.world.raw(Contract(name), data, sender))
            self.count("done by anybody")
            return
        except Reverted as refusal:
            reason = refusal.reason
        finally:
            self.check_calls()
        self.count("refused")
        told = REASON.fullmatch(reason) or reason in UNTOLD
        assert told, f"{name}.{entry['name']}: {reason}"

    @invariant()
    def money_is_conserved(self) -> None:
        assert self.world.holds()

    @invariant()
    def every_open_lock_is_there(self) -> None:
        for buyer in (ANN, CEM):
            locks = sum(one.lock for one in self.open.values() if one.buyer == buyer)
            assert self.world.account(buyer).locked >= locks
