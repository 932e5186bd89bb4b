"""Orders: only what a participant signed stands in the book, and fills stay within it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.contracts.harness import (
    ANN,
    AREA,
    BOB,
    CEM,
    INTERVAL,
    MICRO,
    OPERATOR,
    PLANT,
    World,
    fill,
    refused,
    reverts,
    struct,
    without,
)
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.order import Accepted, Side, Tier
from gridpact.model.trade import Fill
from gridpact.quantities import amount

ORDER_OF_CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def rich(world: World) -> World:
    for account in (ANN, BOB, AREA):
        world.mint(account, MICRO)
    return world


def state(world: World, order: Accepted) -> tuple[int, int, int, int]:
    """Return energy left, reserved left, fills left and state."""
    found: tuple[Any, ...] = world.view(Contract.ORDERS, "state", order.hash)
    return found[0], found[1], found[2], found[3]


# collect


def test_accepted_bid_reserves_price_charge_and_a_micro_unit_per_fill(rich: World) -> None:
    bid = rich.order("ann", Side.BID, energy=1234, price=150_001, charge=40_000)
    (collected,) = rich.collect(bid)
    reserved = amount(150_001, 1234) + amount(40_000, 1234) + 16
    assert collected.name == "Collected"
    assert (collected.values["count"], collected.values["reserved"]) == (1, reserved)
    assert rich.account(ANN).reserved == reserved
    assert state(rich, bid) == (1234, reserved, 16, 1)


def test_offer_reserves_nothing(rich: World) -> None:
    offer = rich.order("bob", Side.OFFER)
    rich.collect(offer)
    assert rich.account(BOB).reserved == 0
    assert state(rich, offer) == (1000, 0, 0, 1)
    with refused("orders: an offer reserves nothing"):
        rich.collect(replace(rich.order("bob", Side.OFFER), reserved=1))


def test_the_contract_computes_the_digest_that_was_signed(rich: World) -> None:
    order = rich.order("ann", Side.BID, min_reputation=7, terms=keccak(b"terms"), expires=99)
    assert rich.view(Contract.ORDERS, "digest", struct(order)) == order.hash


def test_order_signed_by_another_is_refused(rich: World) -> None:
    with refused("orders: not the participant's signature"):
        rich.collect(rich.order("ann", Side.BID, signer="bob"))


@pytest.mark.parametrize(
    "changes",
    [
        {"price": 200_001},
        {"energy_wh": 999},
        {"salt": 5},
        {"min_reputation": 1},
        {"terms": keccak(b"x")},
        {"expires": 40},
        {"tier": Tier.ZONAL},
        {"side": Side.OFFER},
    ],
)
def test_changed_order_is_not_what_was_signed(rich: World, changes: dict[str, Any]) -> None:
    changed = without(rich.order("ann", Side.BID), **changes)
    o = changed.order
    full = amount(o.price, o.energy_wh) + amount(changed.charge, o.energy_wh) + 16
    with refused("orders: not the participant's signature"):
        rich.collect(replace(changed, reserved=full))


def test_order_signed_for_another_chain_is_refused(rich: World) -> None:
    elsewhere = World.__new__(World)
    elsewhere.domain, elsewhere._batches = Domain(1, rich.at[Contract.REGISTRY]), 0
    elsewhere.book = {}
    with refused("orders: not the participant's signature"):
        rich.collect(elsewhere.order("ann", Side.BID))


def test_high_s_twin_of_a_signature_is_refused(rich: World) -> None:
    bid = rich.order("ann", Side.BID)
    r, s, v = bid.signature[:32], int.from_bytes(bid.signature[32:64], "big"), bid.signature[64]
    twin = r + (ORDER_OF_CURVE - s).to_bytes(32, "big") + bytes([55 - v])
    with refused("signing: signature form"):
        rich.collect(replace(bid, signature=twin))  # has no compact form
    row, high = packing.collection(bid), (ORDER_OF_CURVE // 2 + 1).to_bytes(32, "big")
    with refused("signing: signature not low"):
        rich.rows(Contract.ORDERS, "collect", [row[: 13 * 32] + high + row[14 * 32 :]])


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_signature_of_another_form_is_refused(rich: World, v: int) -> None:
    bid = rich.order("ann", Side.BID)
    with refused("signing: signature form"):
        rich.collect(replace(bid, signature=bid.signature[:64] + bytes([v])))


def test_signature_that_recovers_to_nobody_is_refused(rich: World) -> None:
    bid = rich.order("ann", Side.BID)
    with refused("signing: signature form"):
        rich.collect(replace(bid, signature=bytes(64) + bytes([27])))


def test_order_counts_once(rich: World) -> None:
    bid = rich.order("ann", Side.BID)
    rich.collect(bid)
    with refused("orders: seen before"):
        rich.collect(bid)
    rich.close(bid)
    with refused("orders: seen before"):
        rich.collect(bid)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"region": keccak(b"south")}, "orders: other region"),
        ({"interval": INTERVAL + 1}, "orders: other interval"),
        ({"expires": INTERVAL}, "orders: expired"),
        ({"energy": 0}, "orders: energy"),
        ({"energy": 2**36}, "orders: energy"),
        ({"price": 2**48}, "orders: price"),
        ({"charge": 2**48}, "orders: price"),
        ({"fills": 17}, "orders: too many fills"),
    ],
)
def test_order_outside_the_rules_is_refused(
    rich: World, fields: dict[str, Any], reason: str
) -> None:
    with refused(reason):
        rich.collect(rich.order("ann", Side.BID, **fields))


def test_order_of_no_side_is_refused(rich: World) -> None:
    fields = list(struct(rich.order("ann", Side.BID)))
    fields[1] = 2
    with refused("orders: no such side"):
        rich.send(Contract.ORDERS, "post", tuple(fields), 40_000, 16, sender=ANN)


def test_bid_without_funds_is_refused(world: World) -> None:
    with refused("vault: not enough free"):
        world.collect(world.order("ann", Side.BID))


@pytest.mark.parametrize("change", [-1, 1])
def test_reservation_is_exact(rich: World, change: int) -> None:
    bid = rich.order("ann", Side.BID)
    row = packing.collection(bid)[:-32] + packing.words((bid.reserved + change,))
    with refused("orders: other reservation"):
        rich.rows(Contract.ORDERS, "collect", [row])


def test_region_may_reserve_less_and_fill_often(rich: World) -> None:
    bid = rich.order("region", Side.BID, energy=1000, tier=Tier.ZONAL)
    row = packing.collection(bid)[:-64] + packing.words((500, 90_000))
    rich.rows(Contract.ORDERS, "collect", [row])
    assert state(rich, bid) == (1000, 90_000, 500, 1)
    more = rich.order("region", Side.BID, energy=1000, tier=Tier.ZONAL)
    row = packing.collection(more)[:-32] + packing.words((more.reserved + 1,))
    with refused("orders: other reservation"):
        rich.rows(Contract.ORDERS, "collect", [row])


def test_order_of_an_unregistered_is_refused(rich: World) -> None:
    with refused("orders: not registered"):
        rich.collect(rich.order("stranger", Side.OFFER))
    with refused("vault: account not open"):
        rich.collect(rich.order("stranger", Side.BID))


def test_only_the_operator_collects_and_closes(rich: World) -> None:
    with refused("orders: not the operator"):
        rich.rows(Contract.ORDERS, "collect", [], sender=ANN)
    with refused("orders: not the operator"):
        rich.rows(Contract.ORDERS, "close", [], sender=ANN)


def test_only_the_settlement_takes(rich: World) -> None:
    bid, offer, trade = rich.trade()
    terms = (trade.energy_wh, trade.price, trade.charge, int(trade.tier))
    pair = struct(bid), struct(offer)
    for contract in (OPERATOR, ANN):
        with refused("orders: not the settlement"):
            rich.send(Contract.ORDERS, "take", *pair, terms, trade.lock, sender=contract)
        with refused("orders: not the settlement"):
            rich.send(Contract.ORDERS, "unbind", bid.hash, trade.hash, sender=contract)
    for contract in (OPERATOR, ANN):
        with refused("orders: not the crossing"):
            rich.send(Contract.ORDERS, "take_bid", *pair, terms, trade.lock, sender=contract)


# fills within orders


def test_fill_uses_up_energy_reservation_and_count(rich: World) -> None:
    bid, offer, trade = rich.trade(energy=400)
    rich.commit(trade)
    assert state(rich, bid) == (600, bid.reserved - trade.lock, 15, 1)
    assert state(rich, offer) == (600, 0, 0, 1)


Change = Callable[[Fill], Fill]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: replace(f, energy_wh=1001), "orders: above the order's energy"),
        (lambda f: replace(f, price=200_001), "orders: above the bid's price"),
        (lambda f: replace(f, price=99_999), "orders: below the offer's price"),
        (lambda f: replace(f, charge=40_001), "orders: above the bid's charge"),
        (lambda f: replace(f, bid=f.offer), "settlement: trade with oneself"),
        (lambda f: replace(f, tier=Tier.ZONAL), "orders: other tier"),
        (lambda f: replace(f, energy_wh=0), "orders: a fill of nothing"),
    ],
)
def test_fill_beyond_what_was_signed_is_refused(rich: World, change: Change, reason: str) -> None:
    _, _, trade = rich.trade()
    with refused(reason):
        rich.commit(change(trade))


def test_fill_of_another_interval_is_refused(rich: World) -> None:
    _, _, trade = rich.trade()
    write = rich.write(interval=INTERVAL + 1)
    with refused("clearing: no prices"):
        rich.commit(trade, write=write)
    rich.price_of(INTERVAL + 1)
    with refused("settlement: other interval"):
        rich.commit(trade, write=write)


def test_order_that_was_altered_or_never_collected_is_not_open(rich: World) -> None:
    bid, _, trade = rich.trade()
    for altered in (
        replace(bid.order, price=300_000),
        replace(bid.order, energy_wh=2_000),
        replace(bid.order, participant=CEM),
    ):
        rich.book[bid.hash] = altered
        with refused("orders: not open"):
            rich.commit(trade)


def test_orders_of_two_intervals_make_no_fill(rich: World) -> None:
    bid, _, _ = rich.trade()
    later = rich.order("bob", Side.OFFER, price=100_000, interval=INTERVAL + 1)
    write = rich.write(interval=INTERVAL + 1)
    rich.rows(Contract.ORDERS, "collect", [packing.collection(later)], write=write)
    with refused("orders: other interval"):
        rich.commit(fill(bid, later, 10, 150_000, 0))


def test_offer_is_sold_once(rich: World) -> None:
    _, offer, trade = rich.trade(energy=600)
    other = rich.order("ann", Side.BID)
    rich.collect(other)
    rich.commit(trade)
    with refused("orders: above the order's energy"):
        rich.commit(fill(other, offer, 401, 150_000, 0, index=1))
    rich.commit(fill(other, offer, 400, 150_000, 0, index=1))


def test_seventeenth_fill_is_refused(rich: World) -> None:
    bid, offer, _ = rich.trade()
    rich.commit(*(fill(bid, offer, 10, 150_000, 0, index) for index in range(16)))
    with refused("orders: too many fills"):
        rich.commit(fill(bid, offer, 10, 150_000, 0, 16))


def test_reservation_bounds_a_region(rich: World) -> None:
    bid = rich.order("region", Side.BID)
    row = packing.collection(bid)[:-32] + packing.words((100_000,))
    rich.rows(Contract.ORDERS, "collect", [row])
    offer = rich.order("bob", Side.OFFER, price=100_000)
    rich.collect(offer)
    with refused("orders: above the reservation"):
        rich.commit(fill(bid, offer, 1000, 150_000, 0))


# one energy on two tiers


def parent_and_child(world: World) -> tuple[Accepted, Accepted, Accepted]:
    parent = world.order("ann", Side.BID)
    child = world.order("ann", Side.BID, tier=Tier.ZONAL, parent=parent.hash)
    offer = world.order("bob", Side.OFFER, price=100_000)
    world.collect(parent, child, offer)
    return parent, child, offer


def test_zonal_bid_is_filled_to_what_the_local_tier_left(rich: World) -> None:
    parent, child, offer = parent_and_child(rich)
    rich.commit(fill(parent, offer, 700, 150_000, 0))
    plant = replace(fill(child, offer, 301, 150_000, 0), offer=keccak(b"plant"), seller=PLANT)
    with refused("orders: parent is filled"):
        rich.cross(keccak(b"out"), plant)
    rich.cross(keccak(b"out"), replace(plant, energy_wh=300))
    assert state(rich, parent)[0] == 0


def test_child_crosses_and_is_not_committed(rich: World) -> None:
    _, child, offer = parent_and_child(rich)
    with refused("orders: a child's fill crosses"):
        rich.commit(fill(child, offer, 10, 150_000, 0))


def test_local_bid_is_not_filled_by_what_its_child_took(rich: World) -> None:
    parent, child, offer = parent_and_child(rich)
    rich.cross(keccak(b"out"), replace(fill(child, offer, 700, 150_000, 0), offer=keccak(b"p")))
    with refused("orders: above the order's energy"):
        rich.commit(fill(parent, offer, 301, 150_000, 0))


def test_offer_does_not_pass_for_a_bid_nor_a_bid_for_an_offer(rich: World) -> None:
    mine, yours = rich.order("ann", Side.OFFER), rich.order("bob", Side.OFFER)
    bids = rich.order("ann", Side.BID, energy=10), rich.order("bob", Side.BID, energy=10)
    rich.collect(mine, yours, *bids)
    with refused("orders: other side"):
        rich.commit(fill(mine, yours, 10, 200_000, 0))
    with refused("orders: other side"):
        rich.commit(fill(*bids, 10, 200_000, 0))


def test_parent_is_a_known_bid_of_ones_own_in_the_same_interval(rich: World) -> None:
    bob = rich.order("bob", Side.BID, energy=10)
    offer = rich.order("ann", Side.OFFER)
    early = rich.order("ann", Side.BID, energy=10, interval=INTERVAL - 1)
    grand = rich.order("ann", Side.BID, energy=10)
    child = rich.order("ann", Side.BID, energy=10, tier=Tier.ZONAL, parent=grand.hash)
    unposted = rich.order("ann", Side.BID, energy=10)
    rich.collect(bob, offer, grand, child)
    for parent, reason in (
        (bob, "orders: not one's own parent"),
        (offer, "orders: parent is no bid"),
        (early, "orders: parent of another interval"),
        (child, "orders: parent has a parent"),
        (unposted, "orders: parent is not open"),
    ):
        born = rich.order("ann", Side.BID, energy=10, tier=Tier.ZONAL, parent=parent.hash)
        rich.collect(born)
        with refused(reason):
            rich.cross(keccak(b"out"), replace(fill(born, offer, 1, 150_000, 0), seller=PLANT))
    born = rich.order("ann", Side.BID, energy=10, tier=Tier.ZONAL, parent=grand.hash)
    rich.collect(born)
    rich.book[grand.hash] = unposted.order
    with refused("orders: other parent"):
        rich.cross(keccak(b"out"), replace(fill(born, offer, 1, 150_000, 0), seller=PLANT))


# close


def test_closing_frees_what_no_fill_needs(rich: World) -> None:
    bid, offer, trade = rich.trade(energy=400)
    rich.commit(trade)
    (closed,) = rich.close(bid, offer)
    assert closed.values["released"] == bid.reserved - trade.lock
    assert rich.account(ANN).reserved == 0
    assert rich.account(ANN).locked == trade.lock
    assert state(rich, bid) == (600, 0, 15, 2)
    assert rich.holds()


def test_closed_order_is_neither_filled_nor_closed_again(rich: World) -> None:
    bid, _, trade = rich.trade()
    rich.close(bid)
    with refused("orders: not open"):
        rich.commit(trade)
    with refused("orders: not open"):
        rich.close(bid)
    with refused("orders: not open"):
        rich.close(rich.order("ann", Side.BID))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(80_000, 220_000), st.integers(0, 45_000)),
        min_size=1,
        max_size=20,
    ),
)
def test_no_fills_take_more_than_was_signed_and_reserved(
    founded: World, wanted: list[tuple[int, int, int]]
) -> None:
    founded.engine.undo()
    founded.mint(ANN, MICRO)
    bid, offer, _ = founded.trade()
    sold = locked = 0
    for index, (energy, price, charge) in enumerate(wanted):
        trade = fill(bid, offer, energy, price, charge, index)
        if not reverts(lambda trade=trade: founded.commit(trade)):  # type: ignore[misc]
            sold += energy
            locked += trade.lock
            assert 100_000 <= price <= 200_000
            assert charge <= 40_000
        assert founded.account(ANN).reserved + locked == bid.reserved
        assert founded.account(ANN).locked == locked
    assert sold <= 1000
    assert state(founded, offer)[0] == 1000 - sold
    founded.close(bid)
    assert founded.account(ANN).free == MICRO - locked
    assert founded.holds()
