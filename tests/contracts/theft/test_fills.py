"""Who tries to take what through orders and fills, and how the chain stops it.

Each attempt is named by who tries what; it is refused, and the victim has what it had.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contracts.fills import Hands
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    INTERVAL,
    MICRO,
    OPERATOR,
    RETAIL,
    STRANGER,
    World,
    decoded,
    delivery,
    fill,
    refused,
    without,
)
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.model.order import Accepted, Side, Tier
from gridpact.model.participant import Account, Named
from gridpact.model.trade import Fill


@pytest.fixture
def hands(world: World) -> Iterator[Hands]:
    for account in (ANN, BOB, CEM, Named.REWARD.address):
        world.mint(account, MICRO)
    world.price()
    hands = Hands(world)
    hands.at(INTERVAL, -7_200)
    yield hands
    world.time = 0


def posted(hands: Hands, energy: int = 1000, price: int = 100_000) -> tuple[Any, Any, Fill]:
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=price)
    hands.post(bid)
    hands.post(offer)
    return bid, offer, fill(bid, offer, energy, price, 30_000)


def locked(hands: Hands, energy: int = 1000) -> tuple[Accepted, Accepted, Fill]:
    bid, offer, trade = posted(hands, energy)
    hands.match(bid, offer, trade)
    hands.at(INTERVAL + 2)
    return bid, offer, trade


def unharmed(hands: Hands, trade: Fill) -> None:
    """Say that the buyer's lock stands untouched and the seller has nothing of it."""
    assert hands.world.account(ANN).locked == trade.lock
    assert hands.world.free(BOB) == MICRO
    assert hands.world.holds()


# the operator and orders


def test_operator_fills_an_order_beyond_its_energy(hands: Hands) -> None:
    bid, offer, trade = posted(hands, energy=1001)
    with refused("orders: above the order's energy"):
        hands.match(bid, offer, trade)
    hands.match(bid, offer, fill(bid, offer, 600, 100_000, 30_000))
    with refused("orders: above the order's energy"):
        hands.match(bid, offer, fill(bid, offer, 401, 100_000, 30_000, index=1))
    assert hands.world.account(BOB) == Account(MICRO)


def test_operator_makes_a_seventeenth_fill(hands: Hands) -> None:
    bid, offer, _ = posted(hands)
    for index in range(16):
        hands.match(bid, offer, fill(bid, offer, 1, 100_000, 30_000, index))
    reserved = hands.world.account(ANN).reserved
    with refused("orders: too many fills"):
        hands.match(bid, offer, fill(bid, offer, 1, 100_000, 30_000, 16))
    assert hands.world.account(ANN).reserved == reserved


def test_operator_fills_one_energy_on_both_tiers(hands: Hands) -> None:
    world = hands.world
    parent = world.order("ann", Side.BID)
    child = world.order("ann", Side.BID, tier=Tier.ZONAL, parent=parent.hash)
    offer = world.order("bob", Side.OFFER, price=100_000)
    for order in (parent, child, offer):
        hands.post(order)
    hands.match(parent, offer, fill(parent, offer, 700, 100_000, 30_000))
    plant = replace(fill(child, offer, 301, 100_000, 0), offer=keccak(b"plant"), seller=CEM)
    held = world.account(ANN)
    with refused("orders: parent is filled"):
        world.cross(keccak(b"out"), plant)
    assert world.account(ANN) == held


def test_operator_names_another_parent_for_a_child(hands: Hands) -> None:
    world = hands.world
    parent, other = world.order("ann", Side.BID, energy=10), world.order("ann", Side.BID)
    child = world.order("ann", Side.BID, tier=Tier.ZONAL, parent=parent.hash)
    for order in (parent, other, child):
        hands.post(order)
    world.book[parent.hash] = other.order  # brings one with more energy in its place
    plant = replace(fill(child, child, 500, 100_000, 0), offer=keccak(b"plant"), seller=CEM)
    with refused("orders: other parent"):
        world.cross(keccak(b"out"), plant)


def test_operator_raises_price_and_charge_above_retail(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID, price=RETAIL, charge=RETAIL)
    hands.world.mint(ANN, MICRO)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    for price, charge in ((RETAIL, 1), (100_000, RETAIL - 100_000 + 1)):
        with refused("settlement: above retail"):
            hands.match(bid, offer, fill(bid, offer, 10, price, charge))
        with refused("settlement: above retail"):
            hands.world.commit(fill(bid, offer, 10, price, charge))


def test_operator_fills_an_order_of_another_region(hands: Hands) -> None:
    south = keccak(b"south")
    bid = hands.world.order("ann", Side.BID, region=south)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    with refused("settlement: other region"):
        hands.world.commit(fill(bid, offer, 10, 100_000, 0))
    with refused("clearing: no prices"):
        hands.match(bid, offer, fill(bid, offer, 10, 100_000, 0))
    near = hands.world.order("ann", Side.BID)
    far = hands.world.order("bob", Side.OFFER, price=100_000, region=south)
    hands.post(near)
    hands.post(far)
    with refused("orders: other region"):
        hands.match(near, far, fill(near, far, 10, 100_000, 0))


def test_operator_lets_a_participant_trade_with_itself(hands: Hands) -> None:
    bid = hands.world.order("cem", Side.BID)
    offer = hands.world.order("cem", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    trade = fill(bid, offer, 10, 100_000, 30_000)
    with refused("settlement: trade with oneself"):
        hands.match(bid, offer, trade)
    with refused("orders: trade with oneself"):
        hands.bind(*(hands.world.order("cem", side) for side in Side), trade)


def test_operator_binds_orders_that_nobody_signed(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    trade = fill(bid, offer, 600, 120_000, 30_000)
    for signers in (("bob", "bob"), ("ann", "ann"), ("stranger", "bob")):
        with refused("orders: not the participant's signature"):
            hands.bind(bid, offer, trade, signers)
    with refused("orders: not the operator"):
        hands.bind(bid, offer, trade, sender=BOB)
    hands.bind(bid, offer, trade)
    with refused("orders: seen before"):
        hands.bind(bid, offer, replace(trade, index=1, energy_wh=1))
    assert hands.world.account(ANN).locked == trade.lock


def test_bound_bid_is_posted_cancelled_or_filled_again(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    trade = fill(bid, offer, 600, 120_000, 30_000)
    hands.bind(bid, offer, trade)
    with refused("orders: seen before"):
        hands.post(bid)
    with refused("orders: not open"):
        hands.cancel(bid)
    with refused("orders: not open"):
        hands.match(bid, offer, fill(bid, offer, 1, 120_000, 0))


# relays


@pytest.mark.parametrize(
    "changes",
    [
        {"price": 200_001},
        {"energy_wh": 999},
        {"salt": 5},
        {"side": Side.OFFER},
        {"interval": INTERVAL + 1},
    ],
)
def test_relay_alters_the_order(hands: Hands, changes: dict[str, Any]) -> None:
    bid = hands.world.order("ann", Side.BID)
    altered = without(bid, **changes)
    altered = replace(altered, hash=altered.order.digest(hands.world.domain))
    with refused("orders: not the participant's signature"):
        hands.relay(altered, said=bid, fills=16)
    assert hands.world.account(ANN) == Account(MICRO)


def test_relay_alters_charge_or_fills(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    with refused("orders: not the participant's signature"):
        hands.relay(bid, charge=bid.charge + 1)
    with refused("orders: not the participant's signature"):
        hands.relay(bid, signer="bob")
    assert hands.world.account(ANN) == Account(MICRO)


def test_order_of_another_chain_is_relayed(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    ours = hands.world.domain
    hands.world.domain = Domain(1, ours.verifying_contract)
    elsewhere = hands.world.order("ann", Side.BID)
    try:
        with refused("orders: not the participant's signature"):
            hands.relay(elsewhere)
    finally:
        hands.world.domain = ours
    hands.relay(bid)


# the buyer


def test_buyer_withdraws_between_acceptance_and_lock(hands: Hands) -> None:
    world = hands.world
    bid, offer, trade = posted(hands)
    with refused("vault: not enough free"):
        world.send(Contract.VAULT, "withdraw", MICRO - bid.reserved + 1, sender=ANN)
    world.send(Contract.VAULT, "withdraw", MICRO - bid.reserved, sender=ANN)
    hands.match(bid, offer, trade)
    with refused("vault: not enough free"):
        world.send(Contract.VAULT, "withdraw", 1, sender=ANN)
    assert world.account(ANN) == Account(0, bid.reserved - trade.lock, trade.lock)


def test_buyer_cancels_after_the_book_is_closed(hands: Hands) -> None:
    bid, offer, trade = posted(hands)
    hands.at(INTERVAL, -1_200)
    with refused("orders: the book is closed"):
        hands.cancel(bid)
    hands.match(bid, offer, trade)
    with refused("orders: not one's own"):
        hands.cancel(bid, sender=OPERATOR)


def test_buyer_cancels_after_the_clearing_is_posted(hands: Hands) -> None:
    bid, _, _ = posted(hands)
    roots = (keccak(name) for name in (b"orders", b"fills", b"seed"))
    hands.world.send(Contract.CLEARING, "post", decoded(hands.world.write()), *roots, 1, 10)
    with refused("orders: the book is closed"):
        hands.cancel(bid)


def test_buyer_takes_its_lock_back_early(hands: Hands) -> None:
    _, _, trade = locked(hands)
    hands.at(INTERVAL + 3, -1)
    for thief in (ANN, OPERATOR, STRANGER):
        with refused("settlement: too early"):
            hands.take_back(trade, sender=thief)
    unharmed(hands, trade)
    hands.settle(trade, 1000, 1000, sender=BOB)
    hands.at(INTERVAL + 9)
    with refused("orders: not bound to this fill"):
        hands.take_back(trade)
    assert hands.world.free(BOB) == MICRO + 102_000


def test_buyer_takes_back_what_is_not_its_fill(hands: Hands) -> None:
    _, _, trade = locked(hands)
    hands.at(INTERVAL + 9)
    for forged in (
        replace(trade, buyer=CEM),
        replace(trade, energy_wh=999),
        replace(trade, price=1),
        replace(trade, interval=INTERVAL - 5),
    ):
        with refused("orders: not bound to this fill"):
            hands.take_back(forged)
    unharmed(hands, trade)


# the seller, and readings


@pytest.mark.parametrize(
    "reading",
    [
        {"name": "bob", "exported": 1000, "signer": "ann"},
        {"name": "bob", "exported": 1000, "signer": "stranger"},
        {"name": "cem", "exported": 1000},
        {"name": "bob", "exported": 1000, "interval": INTERVAL - 1},
        {"name": "bob", "exported": 1000, "region": keccak(b"south")},
        {"name": "bob", "exported": 1000, "domain": Domain(1, bytes(20))},
    ],
    ids=["buyer's key", "stranger's key", "another meter", "interval", "region", "chain"],
)
def test_fill_is_settled_by_a_reading_that_is_not_its_own(
    hands: Hands, reading: dict[str, Any]
) -> None:
    _, _, trade = locked(hands)
    registers, signature = hands.profile(**reading)
    for thief in (BOB, STRANGER, OPERATOR):
        with refused("settlement: not the meter's signature"):
            hands.settle(trade, 1000, 1000, sender=thief, seller=(registers, signature))
        with refused("settlement: not the meter's signature"):
            hands.settle(trade, 1000, 1000, sender=thief, buyer=(registers, signature))
    unharmed(hands, trade)


def test_seller_alters_what_its_meter_signed(hands: Hands) -> None:
    _, _, trade = locked(hands)
    registers, signature = hands.profile("bob", exported=600)
    with refused("settlement: not the meter's signature"):
        hands.settle(trade, 0, 1000, sender=BOB, seller=(registers + 400, signature))
    unharmed(hands, trade)


def test_meter_that_ran_backwards_proves_nothing(hands: Hands) -> None:
    _, _, trade = locked(hands)
    back = hands.profile("bob", exported=-1)
    with refused("metering: the meter ran backwards"):
        hands.settle(trade, 0, 1000, sender=BOB, seller=back)
    unharmed(hands, trade)


def test_seller_claims_one_export_for_two_fills(hands: Hands) -> None:
    world = hands.world
    fills = []
    for name in ("ann", "cem"):
        bid = world.order(name, Side.BID)
        offer = world.order("bob", Side.OFFER, price=100_000)
        hands.post(bid)
        hands.post(offer)
        fills.append(fill(bid, offer, 1000, 100_000, 0))
        hands.match(bid, offer, fills[-1])
    hands.at(INTERVAL + 2)
    export = hands.profile("bob", exported=1000)
    hands.settle(fills[0], 1000, 1000, sender=BOB, seller=export)
    hands.settle(fills[1], 1000, 1000, sender=BOB, seller=export)
    assert world.free(BOB) == MICRO + 102_000  # the second one found nothing left
    assert world.free(CEM) == MICRO - world.account(CEM).reserved
    assert world.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL)[0] == 1000
    assert world.holds()


def test_seller_claims_unused_energy_twice(hands: Hands) -> None:
    world = hands.world
    bid = world.order("ann", Side.BID)
    offer = world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    first, second = (fill(bid, offer, 500, 100_000, 0, index) for index in range(2))
    hands.match(bid, offer, first)
    hands.match(bid, offer, second)
    hands.at(INTERVAL + 2)
    hands.settle(first, 500, 0, sender=BOB)
    before = world.free(BOB)
    hands.settle(second, 500, 0, sender=BOB)
    assert world.free(BOB) == before  # its export is spoken for


def test_anybody_settles_a_fill_twice(hands: Hands) -> None:
    _, _, trade = locked(hands)
    hands.settle(trade, 1000, 1000, sender=BOB)
    rich = hands.world.free(BOB)
    for thief in (BOB, OPERATOR):
        with refused("orders: not bound to this fill"):
            hands.settle(trade, 1000, 1000, sender=thief)
    hands.world.deliver(loss=0, weighed=1000)
    with refused("settlement: not locked"):
        hands.world.settle((trade, delivery(trade, 1000)))
    assert hands.world.free(BOB) == rich


def test_operator_settles_a_fill_by_batch_and_again_by_meters(hands: Hands) -> None:
    _, _, trade = locked(hands)
    hands.world.deliver(loss=0, weighed=1000)
    hands.world.settle((trade, delivery(trade, 1000)))
    with refused("settlement: not locked"):
        hands.settle(trade, 1000, 1000)
    assert hands.world.free(BOB) == MICRO + 102_000


def test_seller_settles_before_anything_is_committed(hands: Hands) -> None:
    bid, offer, trade = posted(hands)
    hands.at(INTERVAL + 2)
    with refused("orders: not bound to this fill"):
        hands.settle(trade, 1000, 1000, sender=BOB)
    hands.at(INTERVAL, -7_200)
    hands.match(bid, offer, trade, lock=False)
    hands.at(INTERVAL + 2)
    with refused("settlement: not locked"):
        hands.settle(trade, 1000, 1000, sender=BOB)
    assert hands.world.account(ANN).locked == 0


def test_stranger_rates_a_seller_up(hands: Hands) -> None:
    with refused("settlement: not the reputation"):
        hands.world.send(
            Contract.SETTLEMENT, "to_rate", "0x" + BOB.hex(), INTERVAL, sender=STRANGER
        )
    hands.at(INTERVAL + 9)
    with refused("reputation: nothing to rate"):
        hands.rate(BOB, sender=STRANGER)


def test_order_is_placed_in_anothers_name(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    for thief in (BOB, OPERATOR, STRANGER):
        with refused("orders: not one's own"):
            hands.post(bid, sender=thief)
    assert hands.world.account(ANN) == Account(MICRO)
