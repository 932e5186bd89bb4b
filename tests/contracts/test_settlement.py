"""Settlement: the lock of a fill is split by the meters' word, and only so."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.contracts.harness import (
    ANN,
    AREA,
    BOB,
    FEED_IN,
    INTERVAL,
    LOSS_SHARE,
    MICRO,
    REGION,
    World,
    decoded,
    delivery,
    fill,
    refused,
)
from tests.contracts.holds import hold, judge
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.delivery import Delivery
from gridpact.model.order import NONE, Side
from gridpact.model.participant import Named
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Wh, amount, part
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

OUT, HOME = keccak(b"out"), keccak(b"home")
LOSS, NETWORK = Named.NETWORK_LOSS.address, Named.NETWORK_OPERATOR.address
SUPPLY, REWARD = Named.GRID_SUPPLY.address, Named.REWARD.address


@pytest.fixture
def rich(world: World) -> World:
    for account in (ANN, BOB, AREA, SUPPLY, REWARD, NETWORK):
        world.mint(account, MICRO)
    return world


def locked(world: World, loss_share: int = LOSS_SHARE, weighed: Wh = 1050) -> Fill:
    """Return a locked fill of 1000 Wh at 0.15 + 0.03, in an interval with prices and readings."""
    _, _, trade = world.trade()
    world.price(loss_share)
    world.commit(trade)
    world.deliver(loss=weighed * 50 // 1050, weighed=weighed)
    return trade


def statement(log: Event) -> Statement:
    return Statement(**{**log.values, "case": Case(log.values["case"])})


def state(world: World, trade: Fill) -> int:
    number: int = world.view(Contract.SETTLEMENT, "fill_state", trade.hash)
    return number


# commit


def test_commit_locks_what_the_fill_may_cost(rich: World) -> None:
    bid, _, trade = rich.trade()
    committed = rich.commit(trade)[-1]
    assert committed.name == "Committed"
    assert (committed.values["count"], committed.values["locked"]) == (1, trade.lock)
    assert rich.account(ANN).locked == trade.lock == amount(150_000, 1000) + amount(30_000, 1000)
    assert rich.account(ANN).reserved == bid.reserved - trade.lock
    assert state(rich, trade) == 1


def test_fill_is_locked_once(rich: World) -> None:
    _, _, trade = rich.trade(energy=100)
    rich.commit(trade)
    with refused("settlement: committed before"):
        rich.commit(trade)


def test_nobody_trades_with_itself(rich: World) -> None:
    bid, offer = rich.order("bob", Side.BID), rich.order("bob", Side.OFFER)
    rich.collect(bid, offer)
    with refused("settlement: trade with oneself"):
        rich.commit(fill(bid, offer, 10, 200_000, 0))


def test_terms_wider_than_their_word_are_refused(rich: World) -> None:
    single = (REGION, INTERVAL, (NONE, NONE, "0x" + ANN.hex(), "0x" + BOB.hex(), 1 << 160))
    with refused("packing: terms too wide"):
        rich.send(Contract.SETTLEMENT, "take_back", single)


# the five cases


def settled(world: World, trade: Fill, sent: Delivery, loss_share: int = LOSS_SHARE) -> Statement:
    """Settle with the rule's own statement as expectation, and return the chain's."""
    owed = split(trade, sent, world.settlement, loss_share)
    (expected,) = fund([owed], world.free(REWARD), world.free(LOSS), world.settlement)
    log = world.settle((trade, sent), expected=packing.statements_digest([expected]))[-1]
    assert statement(log) == expected
    return expected


def test_full_delivery_is_paid_with_the_full_reward(rich: World) -> None:
    trade = locked(rich)
    before = {account: rich.free(account) for account in (ANN, BOB, NETWORK, LOSS, REWARD)}
    owed = settled(rich, trade, delivery(trade, 1000, loss=47), loss_share=LOSS_SHARE)
    assert (owed.case, owed.paid, owed.charge) == (Case.HALF, 150_000, 30_000)
    rich.engine.undo()
    for account in (ANN, BOB, AREA, SUPPLY, REWARD, NETWORK):
        rich.mint(account, MICRO)
    trade = locked(rich, loss_share=50_000)
    owed = settled(rich, trade, delivery(trade, 1000, loss=47), loss_share=50_000)
    assert (owed.case, owed.paid, owed.reward, owed.refund) == (Case.FULL, 150_000, 3_000, 0)
    assert rich.free(BOB) == before[BOB] + 153_000
    assert rich.free(LOSS) == before[LOSS] + part(30_000, 200_000)
    assert rich.free(NETWORK) == before[NETWORK] + 24_000
    assert rich.free(REWARD) == before[REWARD] - 3_000
    assert rich.account(ANN).locked == 0
    assert rich.holds()


def test_delivery_with_more_loss_than_expected_earns_half_the_reward(rich: World) -> None:
    trade = locked(rich)
    owed = settled(rich, trade, delivery(trade, 1000, loss=47))
    assert (owed.case, owed.reward) == (Case.HALF, 1_500)


def test_loss_beyond_what_is_reasonable_is_the_networks(rich: World) -> None:
    _, _, trade = rich.trade()
    rich.commit(trade)
    rich.price()
    rich.deliver(loss=150, weighed=1000)
    rich.mint(LOSS, MICRO)
    ann = rich.free(ANN)
    owed = settled(rich, trade, delivery(trade, 1000, loss=150))
    assert (owed.case, owed.paid, owed.reward) == (Case.LOSSY, 150_000, 0)
    assert owed.claim == amount(180_000, 150 - 30 - 50)
    assert rich.free(ANN) == ann + owed.claim


def test_seller_who_delivers_short_is_paid_for_what_arrived(rich: World) -> None:
    trade = locked(rich)
    owed = settled(rich, trade, delivery(trade, 600, loss=28))
    assert owed.case is Case.SHORT
    assert owed.paid == 150_000 - amount(150_000, 500)  # 400 Wh missing, times 1.25
    assert owed.charge == amount(30_000, 600)
    assert rich.account(ANN).locked == 0
    assert rich.holds()


def test_disputed_fill_keeps_its_lock_until_it_is_resolved(rich: World) -> None:
    trade = locked(rich)
    owed = settled(rich, trade, delivery(trade, 0, disputed=True))
    assert (owed.case, state(rich, trade)) == (Case.DISPUTE, 4)
    assert rich.account(ANN).locked == trade.lock
    settled(rich, trade, delivery(trade, 0, disputed=True))
    owed = settled(rich, trade, delivery(trade, 900, loss=10))
    assert (owed.case, state(rich, trade)) == (Case.SHORT, 3)
    assert rich.account(ANN).locked == 0


def test_unused_energy_costs_the_fee_and_makes_good_the_sellers_loss(rich: World) -> None:
    trade = locked(rich)
    sent = delivery(trade, 600, loss=28, unused=400, unused_sent=300)
    owed = settled(rich, trade, sent)
    assert owed.fee_seller == min(amount(60_000, 300), amount(150_000 - FEED_IN, 300))
    assert owed.fee_seller + owed.fee_network == amount(60_000, 400)
    assert owed.paid == amount(150_000, 600)


def test_held_energy_is_owed_by_nobody(rich: World) -> None:
    _, _, trade = rich.trade()
    rich.commit(trade)
    judge(rich, hold(trade))
    rich.deliver()
    owed = settled(rich, trade, delivery(trade, 0, held=1000))
    assert (owed.paid, owed.charge, owed.refund) == (0, 0, trade.lock)


def test_empty_accounts_leave_a_recorded_claim(world: World) -> None:
    world.mint(ANN, MICRO)
    _, _, trade = world.trade()
    world.commit(trade)
    world.price()
    world.deliver(loss=150, weighed=1000)
    owed = settled(world, trade, delivery(trade, 1000, loss=150))
    fund_part = part(30_000, 200_000)  # what this fill itself brought into network_loss
    assert (owed.claim, owed.unpaid_claim) == (fund_part, amount(180_000, 70) - fund_part)
    assert world.free(BOB) == 150_000  # the trading parties are paid all the same
    assert world.holds()


def test_empty_reward_account_leaves_a_recorded_claim(world: World) -> None:
    world.mint(ANN, MICRO)
    trade = locked(world)
    owed = settled(world, trade, delivery(trade, 1000, loss=47))
    assert (owed.reward, owed.unpaid_reward) == (0, 1_500)


def test_fill_is_settled_once(rich: World) -> None:
    trade = locked(rich)
    settled(rich, trade, delivery(trade, 1000, loss=47))
    with refused("settlement: not locked"):
        rich.settle((trade, delivery(trade, 1000, loss=47)))


def test_unknown_and_crossed_fills_are_not_settled_here(rich: World) -> None:
    _, _, trade = rich.trade()
    rich.price()
    rich.deliver()
    with refused("settlement: not locked"):
        rich.settle((trade, delivery(trade, 1000)))
    rich.cross(OUT, trade)
    with refused("settlement: not locked"):
        rich.settle((trade, delivery(trade, 1000)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"agreed": 999}, "split: energies are not the fill's"),
        ({"sent": 1001, "received": 954}, "split: sent above agreed"),
        ({"unused_sent": 1}, "split: unused sent above unused"),
        ({"received": 951}, "settlement: other loss share"),
        ({"received": 954}, "settlement: other loss share"),
        ({"received": 1001}, "settlement: received above sent"),
    ],
)
def test_readings_that_do_not_add_up_are_refused(
    rich: World, change: dict[str, Any], reason: str
) -> None:
    trade = locked(rich)
    with refused(reason):
        rich.settle((trade, replace(delivery(trade, 1000, loss=47), **change)))


def test_both_roundings_of_a_loss_share_are_taken(rich: World) -> None:
    for loss in (47, 48):
        trade = locked(rich)
        rich.settle((trade, delivery(trade, 1000, loss=loss)))
        rich.engine.undo()
        rich.mint(ANN, MICRO)


def test_without_energy_nobody_loses(rich: World) -> None:
    trade = locked(rich, weighed=0)
    rich.settle((trade, delivery(trade, 0)))
    assert rich.holds()


def test_energy_out_of_nothing_is_refused(rich: World) -> None:
    trade = locked(rich, weighed=0)
    with refused("settlement: other loss share"):
        rich.settle((trade, delivery(trade, 1000, loss=1)))


def test_settlement_waits_for_prices_and_readings(rich: World) -> None:
    _, _, trade = rich.trade()
    with refused("clearing: no prices"):
        rich.settle((trade, delivery(trade, 1000)))
    rich.commit(trade)
    with refused("clearing: no readings"):
        rich.settle((trade, delivery(trade, 1000)))


def test_other_amounts_than_the_records_are_refused(rich: World) -> None:
    trade = locked(rich)
    with refused("settlement: other amounts"):
        rich.settle((trade, delivery(trade, 1000, loss=47)), expected=keccak(b"other"))
    assert state(rich, trade) == 1


def test_delivery_wider_than_its_word_is_refused(rich: World) -> None:
    trade = locked(rich)
    row = packing.fill(trade) + packing.words((1 << 248,))
    with refused("packing: delivery too wide"):
        rich.rows(Contract.SETTLEMENT, "settle", [row], after=NONE)


def test_volumes_count_settled_fills(rich: World) -> None:
    trade = locked(rich)
    settled(rich, trade, delivery(trade, 600, loss=28, unused=100))
    assert rich.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL) == (600, amount(30_000, 600))
    assert rich.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL + 16) == (0, 0)


# crossing


def test_crossing_takes_the_lock_into_transit(rich: World) -> None:
    _, _, trade = rich.trade()
    (departed, crossed) = rich.cross(OUT, trade)[-2:]
    assert departed.values == {"account": ANN, "amount": trade.lock, "crossing": OUT}
    assert (crossed.values["crossing"], crossed.values["amount"]) == (OUT, trade.lock)
    assert rich.view(Contract.VAULT, "departed", OUT) == trade.lock
    number, buyer, left = rich.view(Contract.CROSSING, "fill_state", trade.hash)
    assert (number, bytes.fromhex(buyer[2:]), left) == (2, ANN, trade.lock)
    assert rich.holds()


def test_at_most_what_crossed_for_a_fill_comes_home_to_its_buyer(rich: World) -> None:
    _, _, trade = rich.trade()
    rich.cross(OUT, trade)
    ann = rich.free(ANN)
    with refused("crossing: more than crossed"):
        rich.refund(HOME, (trade.hash, trade.lock + 1))
    (arrived, refunded) = rich.refund(HOME, (trade.hash, 100_000))
    assert arrived.values == {"account": ANN, "amount": 100_000, "crossing": HOME}
    assert (refunded.values["buyer"], refunded.values["amount"]) == (ANN, 100_000)
    assert rich.free(ANN) == ann + 100_000
    with refused("crossing: more than crossed"):
        rich.refund(keccak(HOME), (trade.hash, trade.lock - 99_999))
    assert rich.holds()


def test_locked_fill_is_not_refunded(rich: World) -> None:
    _, _, trade = rich.trade()
    rich.commit(trade)
    with refused("crossing: not crossed"):
        rich.refund(HOME, (trade.hash, 1))


def test_crossing_id_is_used_under_one_key(rich: World) -> None:
    bid, offer, trade = rich.trade(energy=100)
    rich.cross(OUT, trade)
    rich.cross(OUT, fill(bid, offer, 50, 150_000, 0, index=1))  # another batch of the same key
    later = rich.write(interval=INTERVAL + 1)
    with refused("crossing: crossing used"):
        rich.cross(OUT, write=later)
    with refused("crossing: crossing used"):
        rich.rows(Contract.CROSSING, "refund", [], before=OUT, write=later)
    with refused("crossing: no crossing"):
        rich.cross(NONE)


def test_only_a_region_sends_money_home(rich: World) -> None:
    write = decoded(rich.write())
    with refused("crossing: not a region"):
        rich.send(Contract.CROSSING, "send_home", write, "0x" + BOB.hex(), 10, HOME)
    with refused("vault: not enough free"):
        rich.send(Contract.CROSSING, "send_home", write, "0x" + AREA.hex(), 2 * MICRO, HOME)
    *_, burned, sent = rich.send(
        Contract.CROSSING, "send_home", write, "0x" + AREA.hex(), MICRO, HOME
    )
    assert burned.values == {"account": AREA, "amount": MICRO, "ref": HOME}
    assert sent.values == {"region": AREA, "amount": MICRO, "crossing": HOME}
    assert rich.free(AREA) == 0
    assert rich.holds()


# who may, and what happens twice


def test_only_the_operator_brings_records(rich: World) -> None:
    write = decoded(rich.write())
    for name, arguments in (
        ("commit", ([], [])),
        ("settle", ([], NONE)),
    ):
        with refused("settlement: not the operator"):
            rich.send(Contract.SETTLEMENT, name, write, *arguments, sender=ANN)
    for name, arguments in (
        ("cross", ([], [], OUT)),
        ("refund", (OUT, [])),
        ("send_home", ("0x" + AREA.hex(), 0, OUT)),
    ):
        with refused("crossing: not the operator"):
            rich.send(Contract.CROSSING, name, write, *arguments, sender=ANN)


def test_the_same_settlement_again_pays_nothing(rich: World) -> None:
    trade = locked(rich)
    write = rich.write()
    row = (trade, delivery(trade, 1000, loss=47))
    assert len(rich.settle(row, write=write)) == 1
    bob = rich.free(BOB)
    assert rich.settle(row, write=write) == []
    assert rich.free(BOB) == bob


def test_the_rules_are_those_of_the_founding(world: World) -> None:
    t = world.settlement
    assert world.view(Contract.SETTLEMENT, "rules") == (
        *(t.tau, t.eps, t.eps_floor_wh, t.kappa, t.reward, t.unused_fee, t.feed_in),
        t.loss_fund_share,
    )


energies = st.tuples(*(st.integers(0, 1000) for _ in range(5)), st.booleans())


@settings(max_examples=60, deadline=None)
@given(energies, st.integers(0, 300), st.integers(0, 1_000_000), st.integers(0, 400_000))
def test_every_delivery_splits_the_lock_to_the_micro_unit(
    founded: World, numbers: tuple[int, int, int, int, int, bool], loss: int, share: int, pot: int
) -> None:
    founded.engine.undo()
    founded.mint(ANN, MICRO)
    founded.mint(LOSS, pot)
    founded.mint(REWARD, pot % 5_000)
    bid, offer, _ = founded.trade()
    trade = fill(bid, offer, 1000, 100_000 + numbers[0], 10_000 + numbers[1])
    founded.price(share)
    founded.commit(trade)
    founded.close(bid, offer)
    unused = numbers[2]
    held = min(numbers[3], 1000 - unused)
    if held:
        judge(founded, hold(trade, held))
    founded.deliver(loss, 1000 + loss)
    sent = min(numbers[4], 1000 - unused - held)
    lost = loss * sent // (1000 + loss)
    row = delivery(trade, sent, lost, unused, min(unused, numbers[0]), held, numbers[5])
    owed = settled(founded, trade, row, loss_share=share)
    if owed.case is Case.DISPUTE:
        assert founded.account(ANN).locked == trade.lock
    else:
        assert founded.account(ANN).locked == 0
        parts = owed.paid + owed.charge + owed.fee_seller + owed.fee_network + owed.refund
        assert parts == trade.lock
        assert founded.free(ANN) == MICRO - trade.lock + owed.refund + owed.claim
        assert founded.free(BOB) == owed.paid + owed.fee_seller + owed.reward
    assert founded.holds()


@pytest.mark.parametrize(("bid", "offer"), [(0, 2), (2, 1), (2**16 - 1, 0)])
def test_place_beyond_the_orders_brought_is_refused_with_its_reason(
    rich: World, bid: int, offer: int
) -> None:
    def elsewhere(one: Fill, book: Any, places: Any) -> bytes:
        for name in (one.bid, one.offer):
            places.of(name, book[name].participant, book)
        return packing.match(one, bid, offer)

    def away(one: Fill, book: Any, places: Any) -> bytes:
        elsewhere(one, book, places)
        return packing.cross(one, bid, offer)

    _, _, trade = rich.trade()
    rich.price()
    with refused("settlement: no such order"):
        rich.filled("settlement", "commit", rich.write(), [trade], elsewhere)
    with refused("crossing: no such order"):
        rich.filled("crossing", "cross", rich.write(), [trade], away, OUT)
