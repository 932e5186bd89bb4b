"""Bills line by line, and money that only ever changes hands."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.participant import Named
from gridpact.model.record import Incentive
from gridpact.model.statement import Bill, Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.settlement.account_lines import Flow, Reason, Settled, flows, lines, net, summed
from gridpact.settlement.split import split

TERMS = SettlementTerms()
A, S, P = b"A" * 20, b"S" * 20, b"P" * 20
GRID, WIRES = Named.GRID_SUPPLY.address, Named.NETWORK_OPERATOR.address
FUND = Named.NETWORK_LOSS.address


def settled(
    agreed: int,
    sent: int,
    received: int,
    unused: int = 0,
    seller: bytes = S,
    tier: Tier = Tier.LOCAL,
) -> Settled:
    fill = Fill(
        b"r" * 32,
        1,
        tier,
        0,
        b"b" * 32,
        b"o" * 32,
        A,
        seller,
        agreed + unused,
        150_000,
        40_000,
    )
    made = Delivery(b"f" * 32, agreed, sent, received, unused, unused, 0)
    return Settled(fill, made, split(fill, made, TERMS, 20_000))


def test_one_fill_and_one_bill_line_by_line():
    rows = [settled(600, 600, 590, unused=400)]
    billed = [Bill(A, 100, 0, 28_000, 9_000, 0), Bill(S, 0, 400, 0, 0, 32_000)]
    buyer, seller = lines(rows, billed, [], TERMS)
    assert (buyer.bought, buyer.sold, buyer.imbalance) == ((590, 0, 100), (0, 0, 0), 400)
    assert (buyer.paid, buyer.charges, buyer.fees) == (90_000, 24_000, 24_000)
    assert (buyer.retail, buyer.refund, buyer.total) == (28_000, 52_000, -166_000)
    assert (seller.sold, seller.imbalance) == ((600, 0, 400), 0)
    assert (seller.earned, seller.rewards, seller.fee_income) == (90_000, 1_800, 24_000)
    assert (seller.feed_in, seller.total) == (32_000, 147_800)


def test_short_and_held_energy_and_empty_accounts_show_in_the_lines():
    row = settled(600, 500, 490)
    held = Delivery(b"f" * 32, 600, 500, 490, 0, 0, 250)
    short = Statement(b"f" * 32, Case.LOSSY, 0, 0, 0, 0, 0, 0, 0, unpaid_reward=7, unpaid_claim=11)
    buyer, seller = lines([Settled(row.fill, held, short)], [], [], TERMS)
    assert (buyer.imbalance, buyer.held, buyer.unpaid) == (0, 250, 11)
    assert (seller.imbalance, seller.held, seller.unpaid) == (100, 250, 7)


def test_flows_of_one_fill_name_every_account():
    moved = flows([settled(600, 600, 590, unused=400)], [], 0, [], TERMS)
    assert moved == (
        Flow(A, S, Reason.ENERGY, 90_000),
        Flow(A, FUND, Reason.CHARGE, 4_800),
        Flow(A, WIRES, Reason.CHARGE, 19_200),
        Flow(A, S, Reason.UNUSED, 24_000),
        Flow(Named.REWARD.address, S, Reason.REWARD, 1_800),
    )


def test_losses_and_incentives_flow_between_named_accounts():
    granted = [Incentive(P, 1000, 25_000_000, 42_449, 42_449)]
    moved = flows([], [], 5_000, granted, TERMS)
    assert net(moved) == {
        WIRES: -5_000,
        GRID: 5_000,
        Named.INCENTIVE.address: -42_449,
        P: 42_449,
    }


def test_disputed_fill_moves_no_money_and_keeps_its_lock():
    row = settled(600, 600, 590)
    held = row._replace(statement=Statement(b"f" * 32, Case.DISPUTE, 0, 0, 0, 0, 0, 0, 0))
    assert flows([held], [], 0, [], TERMS) == ()
    buyer = lines([held], [], [], TERMS)[0]
    assert (buyer.bought, buyer.refund, buyer.total) == ((590, 0, 0), 0, 0)


def test_flows_add_up_per_pair_and_reason():
    moved = flows([settled(600, 600, 590), settled(100, 100, 99)], [], 0, [], TERMS)
    assert summed(moved)[0] == Flow(A, S, Reason.ENERGY, 105_000)


def test_unpaid_claims_stand_on_both_sides():
    buyer, seller = lines(
        [], [Bill(A, 9, 0, 1, 0, 0, unpaid_purchase=7), Bill(S, 0, 9, 0, 0, 0, 0, 5)], [], TERMS
    )
    assert (buyer.unpaid, seller.unpaid) == (-7, 5)


deliveries = st.integers(0, 5000).flatmap(
    lambda agreed: st.builds(
        settled,
        st.just(agreed),
        st.integers(0, agreed),
        st.integers(0, agreed + 20),
        st.integers(0, 500),
        st.sampled_from([S, P]),
        st.sampled_from([Tier.LOCAL, Tier.ZONAL]),
    )
)
bill_rows = st.builds(
    Bill,
    st.sampled_from([A, S, P]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(50, 99),
    st.integers(0, 50),
    st.integers(0, 99),
)


@given(st.lists(deliveries, max_size=8), st.lists(bill_rows, max_size=4), st.integers(0, 99))
def test_what_one_account_loses_another_gains(rows, billed, losses):
    moved = flows(rows, billed, losses, [], TERMS)
    assert sum(net(moved).values()) == 0
    assert all(flow.amount > 0 and flow.source != flow.target for flow in moved)


@given(st.lists(deliveries, max_size=8), st.lists(bill_rows, max_size=4))
def test_every_line_adds_up_to_its_total(rows, billed):
    gains = net(flows(rows, billed, 0, [], TERMS))
    for line in lines(rows, billed, [], TERMS):
        income = line.earned + line.rewards + line.fee_income + line.feed_in + line.incentives
        outlay = line.paid + line.charges + line.fees + line.retail
        assert line.total == income + line.claims - outlay == gains.get(line.participant, 0)
