"""What participants do by themselves, and what the chain refuses them."""

from typing import Any

import pytest
from tests.contracts.fills import Hands
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    INTERVAL,
    MICRO,
    RETAIL,
    SHARE,
    World,
    fill,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.model.order import Accepted, Side
from gridpact.model.participant import Account, Named
from gridpact.model.statement import Case
from gridpact.model.trade import Fill
from gridpact.quantities import amount

LOSS, NETWORK, REWARD = (
    Named.NETWORK_LOSS.address,
    Named.NETWORK_OPERATOR.address,
    Named.REWARD.address,
)
HOUR = 3600


@pytest.fixture
def hands(world: World) -> Hands:
    for account in (ANN, BOB, CEM, REWARD, LOSS):
        world.mint(account, MICRO)
    world.price()
    hands = Hands(world)
    hands.at(INTERVAL, -2 * HOUR)
    yield hands
    world.time = 0


def state(hands: Hands, order: Accepted) -> tuple[int, int, int, int]:
    found: tuple[int, int, int, int] = hands.world.view(Contract.ORDERS, "state", order.hash)
    return found


def posted(hands: Hands, energy: int = 1000, charge: int = 30_000) -> tuple[Any, Any, Fill]:
    """Return a bid of ann's and an offer of bob's on the chain, and a fill between them."""
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    return bid, offer, fill(bid, offer, energy, 100_000, charge)


def locked(hands: Hands, **numbers: int) -> Fill:
    """Return a fill that is locked, an interval after its end."""
    bid, offer, trade = posted(hands, **numbers)
    hands.match(bid, offer, trade)
    hands.at(INTERVAL + 2)
    return trade


def paid(event: Any) -> tuple[Case, int, int, int]:
    """Return case, the seller's part, the charge and the refund."""
    word, mask = event.values["money"], 2**80 - 1
    return Case(word >> 240), word >> 160 & mask, word >> 80 & mask, word & mask


# posting


def test_ones_own_order_needs_no_signature(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    (event,) = hands.post(bid)
    assert (event.name, event.values) == ("Posted", {"order": bid.hash})
    assert state(hands, bid) == (1000, bid.reserved, 16, 1)
    assert hands.world.account(ANN) == Account(MICRO - bid.reserved, bid.reserved, 0)
    with refused("orders: seen before"):
        hands.post(bid)
    with refused("orders: not one's own"):
        hands.post(hands.world.order("ann", Side.BID), sender=BOB)
    with refused("orders: too many fills"):
        hands.post(hands.world.order("ann", Side.BID), fills=17)


def test_collector_relays_what_was_signed(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    (event,) = hands.relay(bid)
    assert (event.name, event.values) == ("Posted", {"order": bid.hash})
    assert state(hands, bid) == (1000, bid.reserved, 16, 1)
    offer = hands.world.order("bob", Side.OFFER)
    hands.relay(offer)
    assert state(hands, offer) == (1000, 0, 0, 1)


def test_posting_is_for_those_who_may_order(hands: Hands) -> None:
    world = hands.world
    world.send(Contract.REGISTRY, "suspend", "0x" + ANN.hex(), keccak(b"why"))
    for side in Side:
        with refused("orders: suspended"):
            hands.post(world.order("ann", side))
    world.send(Contract.REGISTRY, "reinstate", "0x" + ANN.hex(), keccak(b"why"))
    hands.post(world.order("ann", Side.BID))
    assert world.account(ANN).free + world.account(ANN).reserved == MICRO
    with refused("vault: account not open"):
        hands.post(world.order("stranger", Side.BID))
    with refused("orders: not registered"):
        hands.post(world.order("stranger", Side.OFFER))


def test_book_closes_twenty_minutes_before_the_interval(hands: Hands) -> None:
    first, second = (hands.world.order("ann", Side.BID) for _ in range(2))
    hands.at(INTERVAL, -1201)
    hands.post(first)
    hands.at(INTERVAL, -1200)
    with refused("orders: the book is closed"):
        hands.post(second)
    with refused("orders: the book is closed"):
        hands.relay(second)


def test_cancelled_order_frees_its_reservation(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    hands.post(bid)
    (event,) = hands.cancel(bid)
    assert event.values == {"order": bid.hash, "released": bid.reserved}
    assert hands.world.account(ANN) == Account(MICRO)
    with refused("orders: not open"):
        hands.cancel(bid)
    with refused("orders: seen before"):
        hands.post(bid)


def test_reservation_that_nobody_freed_comes_back_after_the_interval(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    hands.post(bid)
    hands.at(INTERVAL + 1, -1)
    with refused("orders: the book is closed"):
        hands.cancel(bid)
    hands.at(INTERVAL + 1)
    hands.cancel(bid)
    assert hands.world.account(ANN) == Account(MICRO)


# fills


def test_matched_fill_is_locked_at_once_or_later(hands: Hands) -> None:
    bid, offer, trade = posted(hands, energy=400)
    (event,) = hands.match(bid, offer, trade)
    assert (event.name, event.values) == ("Matched", {"fill": trade.hash, "state": 1})
    assert hands.world.account(ANN).locked == trade.lock
    assert state(hands, bid) == (600, bid.reserved - trade.lock, 15, 1)
    later = fill(bid, offer, 600, 100_000, 30_000, index=1)
    hands.match(bid, offer, later, lock=False)
    assert hands.world.account(ANN).locked == trade.lock
    (event,) = hands.lock(later)
    assert event.values == {"fill": later.hash, "state": 1}
    assert hands.world.account(ANN).locked == trade.lock + later.lock
    with refused("settlement: not matched"):
        hands.lock(later)
    assert hands.world.holds()


def test_fills_are_made_and_locked_until_ten_minutes_before_the_interval(hands: Hands) -> None:
    bid, offer, trade = posted(hands, energy=400)
    later = fill(bid, offer, 400, 100_000, 30_000, index=1)
    hands.at(INTERVAL, -601)
    hands.match(bid, offer, trade, lock=False)
    hands.at(INTERVAL, -600)
    with refused("settlement: too late for a fill"):
        hands.match(bid, offer, later)
    with refused("settlement: too late for a lock"):
        hands.lock(trade)


def test_buyer_takes_a_posted_offer_at_its_price_and_the_full_network_share(hands: Hands) -> None:
    world = hands.world
    bid = world.order("ann", Side.BID, charge=SHARE)
    offer = world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    for change, reason in (
        ((100_001, SHARE), "settlement: not the offer's price"),
        ((100_000, SHARE - 1), "settlement: below the network share"),
    ):
        with refused(reason):
            hands.match(bid, offer, fill(bid, offer, 500, *change), sender=ANN)
    trade = fill(bid, offer, 500, 100_000, SHARE)
    with refused("settlement: not the operator or the buyer"):
        hands.match(bid, offer, trade, sender=BOB)
    hands.match(bid, offer, trade, sender=ANN)
    assert world.account(ANN).locked == trade.lock


def test_signed_orders_are_matched_without_being_posted(hands: Hands) -> None:
    world = hands.world
    bid = world.order("ann", Side.BID)
    offer = world.order("bob", Side.OFFER, price=100_000)
    trade = fill(bid, offer, 600, 120_000, 30_000)
    (event,) = hands.bind(bid, offer, trade)
    assert event.values == {"bid": bid.hash, "fill": trade.hash, "locked": trade.lock}
    assert world.account(ANN) == Account(MICRO - trade.lock, 0, trade.lock)
    assert state(hands, bid) == (0, 0, 0, 3)
    assert state(hands, offer) == (400, 0, 0, 1)
    other = world.order("cem", Side.BID)
    second = fill(other, offer, 400, 120_000, 30_000)
    hands.bind(other, offer, second)
    hands.at(INTERVAL + 2)
    hands.settle(trade, sent=1000, taken=1000)
    hands.settle(second, sent=1000, taken=1000)
    assert world.free(BOB) == MICRO + 72_000 + 48_000 + 1_440 + 960
    assert world.holds()


@pytest.mark.parametrize(
    ("energy", "price", "charge", "reason"),
    [
        (1001, 120_000, 0, "orders: above the order's energy"),
        (0, 120_000, 0, "orders: above the order's energy"),
        (10, 170_000, 30_001, "orders: above the bid's price"),
        (10, 99_999, 0, "orders: below the offer's price"),
    ],
)
def test_signed_match_stays_within_what_both_signed(
    hands: Hands, energy: int, price: int, charge: int, reason: str
) -> None:
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    with refused(reason):
        hands.bind(bid, offer, fill(bid, offer, energy, price, charge))


# settlement of one fill


def test_full_delivery_is_paid_by_two_meters(hands: Hands) -> None:
    world, trade = hands.world, locked(hands)
    (event,) = hands.settle(trade, sent=1000, taken=1000, sender=BOB)
    assert paid(event) == (Case.FULL, 100_000, 30_000, 0)
    assert world.free(BOB) == MICRO + 102_000
    assert world.free(NETWORK) == 24_000
    assert world.free(LOSS) == MICRO + 6_000
    assert world.account(ANN).locked == 0
    assert world.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL) == (1000, 30_000)
    assert world.holds()


def test_short_delivery_costs_the_seller_its_penalty(hands: Hands) -> None:
    world, trade = hands.world, locked(hands)
    (event,) = hands.settle(trade, sent=600, taken=1000)
    assert paid(event) == (Case.SHORT, 100_000 - amount(100_000, 500), 18_000, 62_000)
    assert world.free(REWARD) == MICRO
    assert world.holds()


def test_buyer_owes_what_it_imported_and_the_fee_for_the_rest(hands: Hands) -> None:
    world, trade = hands.world, locked(hands)
    (event,) = hands.settle(trade, sent=1000, taken=400)
    fee_seller = amount(20_000, 600)  # the seller's loss against its price is below the fee
    assert paid(event) == (
        Case.FULL,
        40_000 + fee_seller,
        12_000,
        130_000 - 40_000 - 12_000 - amount(60_000, 600),
    )
    assert world.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL)[0] == 400
    assert world.holds()


def test_import_serves_the_bids_fills_in_their_order(hands: Hands) -> None:
    bid, offer, _ = posted(hands)
    first, second = (fill(bid, offer, 500, 100_000, 0, index) for index in range(2))
    hands.match(bid, offer, first)
    hands.match(bid, offer, second)
    hands.at(INTERVAL + 2)
    (event,) = hands.settle(second, sent=1000, taken=700)
    assert event.values["delivery"] >> 208 == 200
    (event,) = hands.settle(first, sent=1000, taken=700)
    assert event.values["delivery"] >> 208 == 500


def test_parties_wait_an_interval_for_the_operator(hands: Hands) -> None:
    trade = locked(hands)
    hands.at(INTERVAL + 2, -1)
    with refused("settlement: too early"):
        hands.settle(trade, 1000, 1000, sender=BOB)
    hands.settle(trade, 1000, 1000)


def test_two_words_of_one_meter_make_a_dispute(hands: Hands) -> None:
    trade = locked(hands)
    first, second = (hands.profile("bob", exported=wh) for wh in (1000, 900))
    (event,) = hands.contradict(trade, BOB, first, second)
    assert (event.name, event.values) == ("Contradicted", {"fill": trade.hash, "meter": BOB})
    assert hands.world.view(Contract.SETTLEMENT, "fill_state", trade.hash) == 4
    with refused("settlement: not locked"):
        hands.settle(trade, 1000, 1000)
    hands.at(INTERVAL + 1 + 4, -1)
    with refused("settlement: too early"):
        hands.take_back(trade)
    hands.at(INTERVAL + 1 + 4)
    hands.take_back(trade)
    assert hands.world.account(ANN).locked == 0


def test_no_dispute_without_a_contradiction(hands: Hands) -> None:
    trade, first = locked(hands), hands.profile("bob", exported=1000)
    with refused("settlement: no contradiction"):
        hands.contradict(trade, BOB, first, first)
    with refused("settlement: another participant's meter"):
        hands.contradict(trade, CEM, first, hands.profile("cem", exported=1))
    with refused("settlement: not the meter's signature"):
        forged = hands.profile("bob", exported=900, signer="ann")
        hands.contradict(trade, BOB, first, forged)


def test_lock_comes_back_when_nobody_settled(hands: Hands) -> None:
    world, trade = hands.world, locked(hands)
    hands.at(INTERVAL + 1 + 2, -1)
    with refused("settlement: too early"):
        hands.take_back(trade)
    hands.at(INTERVAL + 1 + 2)
    (event,) = hands.take_back(trade)
    assert (event.name, event.values) == ("TakenBack", {"fill": trade.hash, "amount": trade.lock})
    assert world.account(ANN).locked == 0
    for again in (hands.take_back, lambda one: hands.settle(one, 1000, 1000)):
        with refused("settlement: not locked"):
            again(trade)
    assert world.holds()


def test_match_that_nobody_locked_lapses_after_the_interval(hands: Hands) -> None:
    bid, offer, trade = posted(hands)
    hands.match(bid, offer, trade, lock=False)
    hands.at(INTERVAL + 1, -1)
    with refused("settlement: too early"):
        hands.take_back(trade)
    hands.at(INTERVAL + 1)
    hands.take_back(trade)
    hands.cancel(bid)
    assert hands.world.account(ANN) == Account(MICRO)


def test_bound_lock_comes_back_once(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    trade = fill(bid, offer, 600, 120_000, 30_000)
    hands.bind(bid, offer, trade)
    hands.at(INTERVAL + 3)
    hands.take_back(trade)
    assert hands.world.account(ANN) == Account(MICRO)
    with refused("settlement: not locked"):
        hands.take_back(trade)


# ratings


def test_anybody_rates_a_seller_whom_the_operator_forgot(hands: Hands) -> None:
    trade = locked(hands)
    hands.settle(trade, 1000, 1000)
    hands.at(INTERVAL + 1 + 3, -1)
    with refused("reputation: too early"):
        hands.rate(BOB)
    hands.at(INTERVAL + 1 + 3)
    (event,) = hands.rate(BOB)
    assert (event.values["agreed"], event.values["sent"]) == (1000, 1000)
    with refused("reputation: nothing to rate"):
        hands.rate(BOB)
    with refused("reputation: nothing to rate"):
        hands.rate(CEM)


def test_prices_bound_what_an_operator_may_state(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID, price=250_000, charge=40_000)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    with refused("settlement: above retail"):
        hands.match(bid, offer, fill(bid, offer, 10, RETAIL - 40_000 + 1, 40_000))
    hands.match(bid, offer, fill(bid, offer, 10, RETAIL - 40_000, 40_000))
