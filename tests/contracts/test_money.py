"""Whatever the operator sends, in whatever order: money is where orders and fills say it is."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from tests.contracts.harness import DEVICES, MICRO, World, delivery, fill
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.packing import words
from gridpact.model.order import NONE, Accepted, Side, Tier
from gridpact.model.participant import Named
from gridpact.model.statement import Bill
from gridpact.model.trade import Fill

PEOPLE = ("ann", "bob", "cem")
LOSS, WEIGHED = 100, 2_000
REASON = re.compile(r"reverted: [a-z]+: [a-z'][^:]+$")
pick = st.integers(0, 2**16)
energy = st.integers(1, 400)
PRICES = st.integers(99_000, 201_000)
FOUNDED = World()


class Market(RuleBasedStateMachine):
    """An operator that tries everything; `orders` and `fills` are what it may name."""

    @initialize()
    def begin(self) -> None:
        self.world = FOUNDED
        self.world.engine.undo()
        self.orders: list[Accepted] = []
        self.fills: list[Fill] = []
        self.paid: set[bytes] = set()
        for name in PEOPLE:
            self.world.mint(DEVICES[name].address, MICRO)
        self.world.mint(Named.REWARD.address, 2_000)
        self.world.mint(Named.GRID_SUPPLY.address, 3_000)
        self.world.price()
        self.world.deliver(LOSS, WEIGHED)
        for name in PEOPLE:
            for side in Side:
                self.collect(name, side, 700, 0, 16)
        for place in range(3):
            self.fill(place, place + 1, 50, 150_000, out=False)
        self.fill(0, 1, 50, 150_000, out=True)
        assert len(self.fills) == 4

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Say whether it was accepted; a refusal names its contract and its reason."""
        try:
            act()
        except Reverted as refusal:
            if not REASON.fullmatch(str(refusal)):
                raise
            return False
        return True

    def side(self, side: Side) -> list[Accepted]:
        return [one for one in self.orders if one.order.side is side]

    @rule(
        name=st.sampled_from(PEOPLE), side=st.sampled_from(Side), energy=energy, tier=pick, at=pick
    )
    def collect(self, name: str, side: Side, energy: int, tier: int, at: int) -> None:
        parent = self.orders[at % len(self.orders)].hash if at % 5 == 0 else NONE
        price = 100_000 if side is Side.OFFER else 200_000
        order = self.world.order(
            name, side, energy, price, tier=Tier(tier % 4 // 3), parent=parent, fills=at % 18
        )
        if self.attempt(lambda: self.world.collect(order)):
            self.orders.append(order)

    @rule(bid=pick, offer=pick, energy=energy, price=PRICES, out=st.booleans())
    def fill(self, bid: int, offer: int, energy: int, price: int, out: bool) -> None:
        bids, offers = self.side(Side.BID), self.side(Side.OFFER)
        pair = bids[bid % len(bids)], offers[offer % len(offers)]
        one = fill(*pair, energy, price, price // 5, index=len(self.fills))
        if out:  # the offer of a fill that crosses stands on the other chain
            one = replace(one, offer=keccak(b"a plant's offer"))
        crossing = keccak(words((len(self.fills),)))
        if self.attempt(lambda: self.world.cross(crossing, one) if out else self.world.commit(one)):
            assert one.buyer == pair[0].order.participant
            self.fills.append(one)

    @rule(at=pick)
    def close(self, at: int) -> None:
        self.attempt(lambda: self.world.close(self.orders[at % len(self.orders)]))

    @rule(at=pick, sent=energy, unused=pick, disputed=st.booleans())
    def settle(self, at: int, sent: int, unused: int, disputed: bool) -> None:
        one = self.fills[at % len(self.fills)]
        unused %= one.energy_wh + 1
        sent = min(sent, one.energy_wh - unused)
        row = delivery(one, sent, LOSS * sent // WEIGHED, unused, unused // 2, disputed=disputed)
        if self.attempt(lambda: self.world.settle((one, row))) and not disputed:
            assert one.hash not in self.paid
            self.paid.add(one.hash)

    @rule(at=pick, money=st.integers(0, 100_000))
    def refund(self, at: int, money: int) -> None:
        home = keccak(words((at, money)))
        self.attempt(
            lambda: self.world.refund(home, (self.fills[at % len(self.fills)].hash, money))
        )

    @precondition(lambda self: self.paid)
    @rule(name=st.sampled_from(PEOPLE), bought=energy, sold=energy)
    def bill(self, name: str, bought: int, sold: int) -> None:
        row = packing.bill(Bill(DEVICES[name].address, bought, sold, 0, 0, 0))
        assert self.attempt(lambda: self.world.rows(Contract.SUPPLY, "bill", [row], after=NONE))

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.world.holds()

    @invariant()
    def held_money_is_what_open_orders_and_locked_fills_hold(self) -> None:
        states = {
            one.hash: self.world.view(Contract.SETTLEMENT, "fill_state", one.hash)
            for one in self.fills
        }
        away = {
            one.hash: self.world.view(Contract.CROSSING, "fill_state", one.hash)
            for one in self.fills
        }
        books = {
            one.hash: self.world.view(Contract.ORDERS, "state", one.hash) for one in self.orders
        }
        for name in PEOPLE:
            address = DEVICES[name].address
            account = self.world.account(address)
            mine = [one for one in self.orders if one.order.participant == address]
            bought = [one for one in self.fills if one.buyer == address]
            assert account.reserved == sum(books[one.hash][1] for one in mine)
            assert account.locked == sum(one.lock for one in bought if states[one.hash] in (1, 4))
        transit = self.world.view(Contract.VAULT, "totals")[5]
        assert transit >= sum(left for _, _, left in away.values())

    @invariant()
    def no_order_is_filled_beyond_itself(self) -> None:
        for order in self.orders:
            sold = sum(one.energy_wh for one in self.fills if order.hash in (one.bid, one.offer))
            assert sold <= order.order.energy_wh


TestMarket = Market.TestCase
TestMarket.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
