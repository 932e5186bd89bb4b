"""Bills item by item, and the tax in them."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.settlement.test_account_lines import TERMS, A, P, S, settled

from gridpact.model.order import Tier
from gridpact.model.record import Incentive
from gridpact.model.statement import Bill
from gridpact.quantities import PPM
from gridpact.settlement.account_lines import Reason, flows, lines, net
from gridpact.settlement.invoice import Item, contained, invoices


def test_a_bill_names_energy_charge_imbalance_and_grid_supply_with_their_tax() -> None:
    rows = [settled(600, 600, 590, unused=400)]
    billed = [Bill(A, 100, 0, 28_000, 9_000, 0), Bill(S, 0, 400, 0, 0, 32_000)]
    bills = invoices(rows, billed, [], TERMS, 190_000)
    assert bills[A] == (
        Item(Reason.ENERGY, Tier.LOCAL, 590, 90_000, 14_370),
        Item(Reason.CHARGE, Tier.LOCAL, 0, 24_000, 3_832),
        Item(Reason.UNUSED, Tier.LOCAL, 400, 24_000, 3_832),
        Item(Reason.RETAIL, Tier.GRID, 100, 19_000, 3_034),
        Item(Reason.NETWORK_SHARE, Tier.GRID, 0, 9_000, 1_437),
    )
    assert bills[S] == (
        Item(Reason.ENERGY, Tier.LOCAL, 600, -90_000, 0),
        Item(Reason.UNUSED, Tier.LOCAL, 400, -24_000, 0),
        Item(Reason.REWARD, Tier.LOCAL, 0, -1_800, 0),
        Item(Reason.FEED_IN, Tier.GRID, 400, -32_000, 0),
    )
    assert bills[A][0].net == 75_630


def test_tiers_are_items_of_their_own() -> None:
    rows = [settled(600, 600, 590), settled(100, 100, 99, tier=Tier.ZONAL, seller=P)]
    granted = [Incentive(P, 1000, 25_000_000, 42_449, 42_449)]
    bills = invoices(rows, [], granted, TERMS, 0)
    energies = [(one.tier, one.energy) for one in bills[A] if one.reason is Reason.ENERGY]
    assert energies == [(Tier.LOCAL, 590), (Tier.ZONAL, 99)]
    assert Item(Reason.INCENTIVE, Tier.ZONAL, 0, -42_449, 0) in bills[P]


@given(st.integers(0, 2**80), st.integers(0, PPM))
def test_net_and_tax_add_up_and_the_rate_is_on_the_net(gross: int, rate: int) -> None:
    tax = contained(gross, rate)
    kept = gross - tax
    assert 0 <= tax <= gross
    assert abs(kept * (PPM + rate) - gross * PPM) * 2 <= PPM + rate


_TRADES = st.tuples(st.integers(1, 900), st.integers(0, 900), st.integers(0, 300))


@given(st.lists(_TRADES, max_size=6), st.integers(0, 300_000))
def test_bills_add_up_to_the_lines_and_to_zero(
    trades: list[tuple[int, int, int]], rate: int
) -> None:
    rows = [settled(due, min(due, sent), min(due, sent), unused) for due, sent, unused in trades]
    billed = [Bill(A, 100, 0, 28_000, 9_000, 0), Bill(S, 0, 400, 0, 0, 32_000)]
    bills = invoices(rows, billed, [], TERMS, rate)
    for line in lines(rows, billed, [], TERMS):
        assert sum(one.amount for one in bills[line.participant]) == -line.total
    gains = net(flows(rows, billed, 0, [], TERMS))
    assert {who: -sum(one.amount for one in items) for who, items in bills.items()} == gains
    assert sum(one.amount for items in bills.values() for one in items) == 0
