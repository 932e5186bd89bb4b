"""The grid tier's bills: what is owed, what is paid, in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.record import Prices
from gridpact.model.statement import Bill
from gridpact.quantities import amount
from gridpact.settlement.allocation import Balance
from gridpact.settlement.bills import GRID_SUPPLY, bills, loss_price, loss_purchase

A, B = b"A" * 20, b"B" * 20
RICH = 10**12


def prices(retail: int = 280_000, share: int = 90_000, feed_in: int = 80_000) -> Prices:
    return Prices(
        retail=retail,
        network_share=share,
        feed_in=feed_in,
        margin=0,
        local_charge=40_000,
        zonal_charge=60_000,
        loss_share=0,
        buses=(),
        solver="none",
    )


def test_purchase_at_retail_and_sale_at_feed_in():
    rows = bills([Balance(A, 1500, 0), Balance(B, 0, 2500)], prices(), {A: RICH, GRID_SUPPLY: RICH})
    assert rows == (
        Bill(A, 1500, 0, purchase=420_000, network_share=135_000, sale=0),
        Bill(B, 0, 2500, purchase=0, network_share=0, sale=200_000),
    )


def test_participant_short_of_money_pays_the_energy_first():
    (row,) = bills([Balance(A, 1500, 0)], prices(), {A: 300_000})
    # energy 285000 of 420000
    assert (row.purchase, row.network_share, row.unpaid_purchase) == (300_000, 15_000, 120_000)
    (row,) = bills([Balance(A, 1500, 0)], prices(), {A: 200_000})
    assert (row.purchase, row.network_share, row.unpaid_purchase) == (200_000, 0, 220_000)


def test_grid_supply_pays_for_surplus_out_of_what_it_has_by_then():
    before, after = Balance(B, 0, 2500), Balance(A, 1000, 0)
    first, _ = bills([before, after], prices(), {A: RICH})
    assert (first.sale, first.unpaid_sale) == (0, 200_000)
    _, last = bills([after, before], prices(), {A: RICH})
    # 280000 - 90000 came in first
    assert (last.sale, last.unpaid_sale) == (190_000, 10_000)


def test_losses_cost_the_energy_part_of_retail():
    assert loss_price(prices()) == 190_000
    assert loss_purchase(2000, prices(), RICH) == 380_000
    assert loss_purchase(2000, prices(), 100) == 100


def test_network_share_above_retail_is_refused():
    with pytest.raises(SettlementError, match="network share 300000"):
        bills([], prices(share=300_000), {})


money = st.integers(0, 10**6)


@given(
    st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999), money), max_size=8),
    st.integers(0, 500_000),
    st.integers(0, 10**6),
    st.data(),
)
def test_nothing_owed_is_forgotten_and_nobody_is_overdrawn(rows, retail, supply, data):
    tariff = prices(retail, data.draw(st.integers(0, retail)))
    parties = [bytes([i]) * 20 for i in range(len(rows))]
    free = dict(zip(parties, (row[2] for row in rows), strict=True)) | {GRID_SUPPLY: supply}
    balances = [Balance(p, row[0], row[1]) for p, row in zip(parties, rows, strict=True)]
    for balance, bill in zip(balances, bills(balances, tariff, free), strict=True):
        assert bill.purchase + bill.unpaid_purchase == amount(retail, balance.bought_wh)
        assert bill.sale + bill.unpaid_sale == amount(tariff.feed_in, balance.sold_wh)
        assert 0 <= bill.network_share <= bill.purchase <= free[bill.participant]
        supply += bill.purchase - bill.network_share - bill.sale
        assert supply >= 0
