"""Rewards and claims as far as the accounts reach."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.settlement.fund import fund, loss_fund_part

TERMS = SettlementTerms()


def rewarded(reward: int) -> Statement:
    return Statement(b"f" * 32, Case.FULL, 1000, 0, 0, 0, 0, reward, 0)


def claiming(claim: int, charge: int = 0, fee: int = 0) -> Statement:
    return Statement(b"f" * 32, Case.LOSSY, 10_000, charge, 0, fee, 0, 0, claim)


def test_full_accounts_pay_everything():
    rows = (rewarded(300), claiming(500))
    assert fund(rows, 300, 500, TERMS) == rows


def test_empty_reward_account_leaves_a_recorded_claim():
    rows = fund((rewarded(300), rewarded(300)), 400, 0, TERMS)
    assert [(row.reward, row.unpaid_reward) for row in rows] == [(300, 0), (100, 200)]


def test_charges_and_fees_fill_the_loss_fund_before_its_claims_are_paid():
    first, second = fund((claiming(500, charge=1000, fee=50), claiming(80)), 0, 10, TERMS)
    # 10 + a fifth of 1000 + 50 = 260
    assert (first.claim, first.unpaid_claim) == (260, 240)
    assert (second.claim, second.unpaid_claim) == (0, 80)


def test_disputed_fill_takes_nothing():
    row = Statement(b"f" * 32, Case.DISPUTE, 0, 0, 0, 0, 0, 0, 0)
    assert fund((row,), 100, 100, TERMS) == (row,)


def test_a_fifth_of_the_charge_goes_to_the_loss_fund():
    assert loss_fund_part(40_000, TERMS) == 8_000


money = st.integers(0, 10_000)


@given(
    st.lists(st.one_of(st.builds(rewarded, money), st.builds(claiming, money, money, money))),
    money,
    money,
)
def test_nothing_owed_is_forgotten_and_no_account_is_overdrawn(rows, reward, loss):
    paid = fund(rows, reward, loss, TERMS)
    assert sum(row.reward for row in paid) <= reward
    income = sum(loss_fund_part(row.charge, TERMS) + row.fee_network for row in rows)
    assert sum(row.claim for row in paid) <= loss + income
    for before, after in zip(rows, paid, strict=True):
        assert after.reward + after.unpaid_reward == before.reward
        assert after.claim + after.unpaid_claim == before.claim
        assert min(after.unpaid_reward, after.unpaid_claim) >= 0
        assert (after.paid, after.refund) == (before.paid, before.refund)
