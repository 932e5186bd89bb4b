"""A part that was cancelled or never posted: paid fill by fill, then given back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.failing import RELEASED, Failed
from tests.contracts.harness import World, refused
from tests.contracts.parts import NOW, NetWorld

from gridpact.model.participant import Named
from gridpact.model.statement import Case
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.quantities import part as share_of


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


WAYS = pytest.mark.parametrize("way", [Failed.unposted, Failed.cancelled], ids=["unposted", "cut"])


@WAYS
def test_every_fill_is_paid_what_the_meters_say(market: NetWorld, way) -> None:
    failed = way(market, market.market(trades=12, shortfall=0.0))
    failed.open_all()
    free = {one.address: market.world.free(one.address) for one in market.people}
    for index, fill in enumerate(failed.fills):
        (paid,) = [event for event in failed.pay(index) if event.name == "Paid"]
        assert paid.values["fill"] == fill.hash
        assert paid.values["money"] >> 240 == Case.FULL
    for one in market.people:
        sold = [fill for fill in failed.fills if fill.seller == one.address]
        owed = sum(amount(fill.price, fill.energy_wh) for fill in sold)
        reward = sum(
            share_of(amount(f.price, f.energy_wh), market.world.settlement.reward) for f in sold
        )
        assert market.world.free(one.address) == free[one.address] + owed + reward
        bought = sum(fill.lock for fill in failed.fills if fill.buyer == one.address)
        assert failed.lock(one.address) == (bought, bought)
    failed.after_paying()
    market.release(failed.part)
    assert all(market.world.account(row.account).reserved == 0 for row in failed.part.rows)
    assert market.state(failed.part)[0] == RELEASED
    assert market.holds()


@pytest.mark.parametrize("seed", range(4))
def test_in_the_clearings_order_energies_are_those_of_the_rule(market: NetWorld, seed: int) -> None:
    failed = Failed.unposted(market, market.market(trades=10, seed=seed))
    failed.open_all()
    for index, (_, _, due, _) in enumerate(failed.settled.trades):
        said = failed.pay(index)[-1].values["delivery"]
        assert (said >> 208, said >> 168 & 2**40 - 1) == (due.agreed, due.sent)
        assert said >> 88 & 2**40 - 1 == due.unused


def test_a_short_delivery_gives_the_rest_back_at_once(market: NetWorld) -> None:
    failed = Failed.unposted(market, market.market(trades=1))
    failed.open_all()
    (fill,) = failed.fills
    before = market.world.account(fill.buyer)
    taken = failed.profile(fill.buyer, more=(5_000, 0))
    nothing = failed.profile(fill.seller, more=(0, -failed.metered(fill.seller)[1]))
    (paid,) = [one for one in failed.pay(0, nothing, taken) if one.name == "Paid"]
    assert paid.values["money"] >> 240 == Case.SHORT
    after = market.world.account(fill.buyer)
    assert after.free == before.free + fill.lock
    assert after.reserved == before.reserved - fill.lock


@WAYS
def test_what_nobody_paid_goes_back_by_itself_after_its_time(market: NetWorld, way) -> None:
    failed = way(market, market.market(trades=6))
    failed.open_all()
    failed.pay(2)
    fill = failed.fills[4]
    with refused("fallback: too early"):
        failed.refund(4)
    with refused("fallback: too early"):
        market.release(failed.part)
    failed.after_paying()
    with refused("fallback: too late"):
        failed.pay(4)
    before = market.world.account(fill.buyer)
    (back,) = failed.refund(4)
    assert back.values == {"fill": fill.hash, "key": failed.part.place.key, "amount": fill.lock}
    after = market.world.account(fill.buyer)
    assert (after.free, after.reserved) == (before.free + fill.lock, before.reserved - fill.lock)
    market.release(failed.part)
    assert all(market.world.account(row.account).reserved == 0 for row in failed.part.rows)
    assert market.holds()


def test_rewards_money_is_free_again_when_its_row_is_opened(market: NetWorld) -> None:
    failed = Failed.unposted(market, market.market(trades=2))
    named = Named.REWARD.address
    at = [row.account for row in failed.part.rows].index(named)
    before = market.world.account(named)
    assert before.reserved == failed.part.rows[at].reserved > 0
    failed.open(at)
    assert market.world.account(named) == type(before)(before.free + before.reserved, 0, 0)


def test_a_part_of_a_condemned_clearing_is_given_back_at_once(market: NetWorld) -> None:
    part = market.part(market.market(trades=4))
    market.reserve(part)
    market.commit(part)
    market.condemn(part)
    with refused("net: clearing condemned"):
        market.post(part)
    market.release(part)
    assert all(market.world.account(row.account).reserved == 0 for row in part.rows)
    assert market.holds()


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    trades=st.integers(1, 9),
    shortfall=st.sampled_from([0.0, 0.3, 1.0]),
    cancelled=st.booleans(),
    data=st.data(),
)
def test_nothing_is_made_or_lost_in_whatever_order_fills_are_paid(
    founded: World, seed: int, trades: int, shortfall: float, cancelled: bool, data: st.DataObject
) -> None:
    founded.engine.undo()
    founded.time = 0
    market = NetWorld.of(founded, now=NOW)
    settled = market.market(trades=trades, seed=seed, shortfall=shortfall)
    way = Failed.cancelled if cancelled else Failed.unposted
    failed = way(market, settled)
    worth = {row.account: sum_of(market, row.account) for row in failed.part.rows}
    failed.open_all()
    order = data.draw(st.permutations(range(trades)))
    paid = order[: data.draw(st.integers(0, trades))]
    statements = [failed.pay(index)[-1].values for index in paid]
    for index in paid:
        with refused("fallback: fill done with"):
            failed.pay(index)
    assert market.holds()
    failed.after_paying()
    for index in order:
        if index in paid or data.draw(st.booleans()):
            continue
        failed.refund(index)
    market.release(failed.part)
    require_bounds(failed, paid, statements)
    for row in failed.part.rows:
        assert market.world.account(row.account).reserved == 0
        lost = worth[row.account] - sum_of(market, row.account)
        due = sum(
            fill.lock - (values["money"] & 2**80 - 1)
            for fill, values in rows_of(failed.fills, paid, statements)
            if fill.buyer == row.account
        )
        assert lost <= due <= row.lock or row.account in {named.address for named in Named}
    assert market.holds()


def rows_of(fills: list[Fill], paid, statements):
    return [(fills[index], values) for index, values in zip(paid, statements, strict=True)]


def require_bounds(failed: Failed, paid, statements) -> None:
    """No energy that a meter took or gave is sold twice."""
    took, gave = {}, {}
    for fill, values in rows_of(failed.fills, paid, statements):
        agreed, sent = values["delivery"] >> 208, values["delivery"] >> 168 & 2**40 - 1
        took[fill.buyer] = took.get(fill.buyer, 0) + agreed
        gave[fill.seller] = gave.get(fill.seller, 0) + sent
        assert sent <= agreed <= fill.energy_wh
        assert sent + (values["delivery"] >> 48 & 2**40 - 1) <= failed.metered(fill.seller)[1]
    assert all(energy <= failed.metered(account)[0] for account, energy in took.items())
    assert all(energy <= failed.metered(account)[1] for account, energy in gave.items())


def sum_of(market: NetWorld, account: bytes) -> int:
    pots = market.world.account(account)
    return pots.free + pots.reserved + pots.locked
