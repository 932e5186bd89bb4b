"""Net settlement: reserved, committed, posted, open to proofs, applied once."""

import pytest
from msgspec.structs import replace
from tests.contracts.harness import BOB, World, refused
from tests.contracts.parts import NOW, TERMS, NetWorld, disputed
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.errors import LedgerError
from gridpact.ledger.proving import net
from gridpact.ledger.proving.part import MOST_ACCOUNTS
from gridpact.model.participant import Named
from gridpact.model.statement import Case
from gridpact.quantities import MAX_ENERGY
from gridpact.quantities import part as amount_part

POSTED, FINAL = 3, 4


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


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
    market.world.go_to(NOW + TERMS.posting + 1)
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
    market.world.go_to(NOW + TERMS.notice + 1)
    market.world.send(Contract.COUNCIL, "withdraw", sender=member)
    assert market.world.account(member).free == free + TERMS.bond


@pytest.mark.parametrize("seed", range(12))
def test_changes_are_the_sums_of_the_statements_and_conserve(market: NetWorld, seed: int) -> None:
    settled = market.market(trades=5 + 9 * seed, seed=seed, disputed=seed % 3)
    part = market.part(settled)
    owed = dict.fromkeys((row.account for row in part.rows), 0)
    held = dict(owed)
    for _, fill, _, s in settled.trades:
        to_loss = amount_part(s.charge, market.world.settlement.loss_fund_share)
        owed[fill.buyer] += s.claim - s.paid - s.charge - s.fee_seller - s.fee_network
        owed[fill.seller] += s.paid + s.fee_seller + s.reward
        owed[Named.NETWORK_LOSS.address] += to_loss + s.fee_network - s.claim
        owed[Named.NETWORK_OPERATOR.address] += s.charge - to_loss
        owed[Named.REWARD.address] -= s.reward
        held[fill.buyer] += fill.lock if s.case is Case.DISPUTE else 0
    changes = dict(zip(owed, part.changes, strict=True))
    assert {account: change.delta for account, change in changes.items()} == owed
    assert {account: change.held for account, change in changes.items()} == held
    assert sum(owed.values()) == 0


def test_a_part_takes_no_more_accounts_than_a_call() -> None:
    strangers = {keccak(b"%d" % n)[12:]: 0 for n in range(MOST_ACCOUNTS)}
    with pytest.raises(LedgerError, match="1027 accounts in one part, a part takes 1024"):
        net.locks((), strangers)


def test_a_part_takes_no_more_energy_of_an_account_than_a_word(market: NetWorld) -> None:
    settled = market.market(trades=3)
    at, fill, made, statement = settled.trades[0]
    most = replace(made, agreed=MAX_ENERGY, sent=MAX_ENERGY)
    one = settled.trades[1]
    settled.trades = [(at, fill, most, statement), (one[0], fill, one[2], one[3])]
    with pytest.raises(LedgerError, match=f"a part takes {MAX_ENERGY} Wh of an account"):
        market.part(settled)


def test_an_account_that_reserved_less_than_its_lock_has_no_row(market: NetWorld) -> None:
    fill = market.market().trades[0][1]
    with pytest.raises(LedgerError, match=f"reserved {fill.lock - 1}, locks {fill.lock}"):
        net.locks((fill,), {fill.buyer: fill.lock - 1})


def test_a_part_that_was_never_posted_gives_everything_back_once(market: NetWorld) -> None:
    part = market.part(market.market())
    before = [market.world.account(row.account) for row in part.rows]
    market.reserve(part)
    market.commit(part)
    market.world.go_to(NOW + TERMS.posting + TERMS.per_fill)
    with refused("fallback: too early"):
        market.release(part)
    market.world.go_to(NOW + TERMS.posting + TERMS.per_fill + 1)
    with refused("fallback: another book"):
        market.release(part, rows=[row._replace(reserved=row.reserved + 1) for row in part.rows])
    market.release(part)
    assert [market.world.account(row.account) for row in part.rows] == before
    with refused("net: not failed"):
        market.release(part)
    assert market.holds()


def test_a_book_that_was_never_committed_gives_everything_back(market: NetWorld) -> None:
    part = market.part(market.market())
    before = [market.world.account(row.account) for row in part.rows]
    market.reserve(part)
    market.world.go_to(NOW + TERMS.posting + 1)
    market.release(part, rows=[row._replace(lock=0) for row in part.rows])
    assert [market.world.account(row.account) for row in part.rows] == before


def test_a_posted_part_is_not_released(market: NetWorld) -> None:
    part = market.posted(market.market())
    market.after_window(part)
    with refused("net: not failed"):
        market.release(part)
