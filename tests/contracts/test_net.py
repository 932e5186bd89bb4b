"""Net settlement: reserved, committed, posted, open to proofs, applied once."""

import pytest
from tests.contracts.harness import BOB, World, refused
from tests.contracts.parts import INTERVAL, TERMS, NetWorld, disputed
from tests.contracts.reading import Contract

from gridpact.model.participant import Named

POSTED, FINAL = 3, 4


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world)


def test_part_pays_what_its_statements_say(market: NetWorld) -> None:
    settled = market.market(trades=30)
    accounts = [row.account for row in settled.rows]
    before = {account: market.world.account(account) for account in accounts}
    part = market.posted(settled)
    market.after_window(part)
    market.finalise(part)
    for row, change in zip(part.rows, part.changes, strict=True):
        after = market.world.account(row.account)
        assert after.free == before[row.account].free + change.delta
        assert after.reserved == 0
    assert market.holds()


def test_reservation_moves_money_and_commit_and_post_move_none(market: NetWorld) -> None:
    part = market.part(market.market())
    row = next(row for row in part.rows if row.reserved > row.lock > 0)
    market.reserve(part)
    assert market.world.account(row.account).reserved == row.reserved
    before = [market.world.account(row.account) for row in part.rows]
    market.commit(part)
    market.post(part)
    assert [market.world.account(row.account) for row in part.rows] == before
    assert market.state(part)[0] == POSTED


def test_each_step_again_changes_nothing_and_another_content_is_refused(market: NetWorld) -> None:
    part, other = market.part(market.market()), market.part(market.market(seed=2))
    for step in (market.reserve, market.commit, market.post):
        assert step(part)
        assert step(part) == []
        if step is not market.reserve:
            with refused("net: written otherwise"):
                step(other)


def test_steps_come_in_order(market: NetWorld) -> None:
    part = market.part(market.market())
    with refused("net: written otherwise"):
        market.commit(part)
    with refused("net: written otherwise"):
        market.post(part)
    with refused("net: not posted"):
        market.finalise(part)


def test_what_is_held_is_settled_by_the_next_part(market: NetWorld) -> None:
    settled = market.market(disputed=1)
    assert disputed(settled)
    part = market.posted(settled)
    market.after_window(part)
    market.finalise(part)
    held = {row.account: c.held for row, c in zip(part.rows, part.changes, strict=True) if c.held}
    assert held
    for account, money in held.items():
        assert market.world.account(account).reserved == money
    following = part._replace(place=part.place.held)
    market.carry(part)
    assert market.state(following)[0] == 2
    with refused("net: next part taken"):
        market.carry(part)


def test_only_the_operator_reserves_and_commits(market: NetWorld) -> None:
    part = market.part(market.market())
    with refused("net: not the operator"):
        market.reserve(part, sender=BOB)
    market.reserve(part)
    with refused("net: not the operator"):
        market.commit(part, sender=BOB)


def test_a_member_with_a_bond_may_post_and_anybody_finalises(market: NetWorld) -> None:
    part = market.part(market.market())
    market.reserve(part)
    market.commit(part)
    market.post(part, sender=market.council[0].address)
    market.after_window(part)
    market.finalise(part, sender=BOB)
    assert market.state(part)[0] == FINAL


def test_posting_closes(market: NetWorld) -> None:
    part = market.part(market.market())
    market.reserve(part)
    market.commit(part)
    market.world.go_to(INTERVAL + TERMS.posting + 1)
    with refused("net: too late"):
        market.post(part)


def test_rewards_come_from_the_reward_account_alone(market: NetWorld) -> None:
    before = market.world.account(Named.REWARD.address).free
    part = market.posted(market.market())
    market.after_window(part)
    market.finalise(part)
    paid = before - market.world.account(Named.REWARD.address).free
    assert paid == sum(leaf.statement.reward for leaf in part.leaves) > 0


def test_council_bond_is_pledged_and_comes_back_after_the_notice(market: NetWorld) -> None:
    member = market.council[0].address
    free = market.world.account(member).free
    assert market.world.account(member).locked == TERMS.bond
    market.world.send(Contract.COUNCIL, "leave", sender=member)
    with refused("council: notice not over"):
        market.world.send(Contract.COUNCIL, "withdraw", sender=member)
    market.world.go_to(INTERVAL + TERMS.notice + 1)
    market.world.send(Contract.COUNCIL, "withdraw", sender=member)
    assert market.world.account(member).free == free + TERMS.bond
