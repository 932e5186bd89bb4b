"""Metered energy given to fills: examples by hand, and nothing invented or lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.delivery import Metered
from gridpact.model.order import Tier
from gridpact.model.record import Curtailed
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.settlement.allocation import Allocation, allocate
from gridpact.settlement.split import split

A, B, C, P = (letter * 20 for letter in (b"A", b"B", b"C", b"P"))


def fill(buyer: bytes, seller: bytes, energy: int, index: int, tier: Tier = Tier.LOCAL) -> Fill:
    return Fill(
        region=b"r" * 32,
        interval=3,
        tier=tier,
        index=index,
        bid=buyer * 2,
        offer=seller * 2,
        buyer=buyer,
        seller=seller,
        energy_wh=energy,
        price=150_000,
        charge=40_000,
    )


def balances(result: Allocation) -> dict[bytes, tuple[int, int]]:
    return {row.participant: (row.bought_wh, row.sold_wh) for row in result.balances}


def test_local_fill_comes_before_zonal_fill_on_both_sides():
    fills = [fill(A, C, 500, 0), fill(A, P, 400, 0, Tier.ZONAL)]
    rows = [Metered(A, 800, 0), Metered(C, 0, 450), Metered(P, 0, 400)]
    local, zonal = allocate(fills, rows, 0, 800).deliveries
    assert (local.agreed, local.sent, local.unused) == (500, 450, 0)
    assert (zonal.agreed, zonal.sent, zonal.unused, zonal.unused_sent) == (300, 300, 100, 100)


def test_surplus_of_a_seller_goes_to_grid_supply_and_shortage_of_a_buyer_comes_from_it():
    rows = [Metered(A, 900, 0), Metered(C, 0, 700)]
    result = allocate([fill(A, C, 500, 0)], rows, 0, 900)
    assert balances(result) == {A: (400, 0), C: (0, 200)}


def test_unused_energy_is_sold_to_grid_supply_by_its_seller():
    rows = [Metered(A, 300, 0), Metered(C, 0, 500)]
    result = allocate([fill(A, C, 500, 0)], rows, 0, 300)
    made = result.deliveries[0]
    assert (made.agreed, made.sent, made.unused, made.unused_sent) == (300, 300, 200, 200)
    assert balances(result)[C] == (0, 200)


def test_curtailed_energy_is_held_on_the_last_fills_first():
    fills = [fill(A, P, 300, 0), fill(B, P, 300, 1)]
    rows = [Metered(A, 400, 0), Metered(B, 400, 0), Metered(P, 0, 200)]
    first, last = allocate(fills, rows, 0, 800, curtailed=[Curtailed(P, 400)]).deliveries
    assert (first.held, first.agreed, first.sent) == (100, 200, 200)
    assert (last.held, last.agreed, last.unused) == (300, 0, 0)


def test_curtailment_excuses_only_what_the_export_really_misses():
    fills = [fill(A, P, 300, 0)]
    rows = [Metered(A, 400, 0), Metered(P, 0, 250)]
    made = allocate(fills, rows, 0, 400, curtailed=[Curtailed(P, 1000)]).deliveries[0]
    assert (made.held, made.agreed, made.sent) == (50, 250, 250)
    rows = [Metered(A, 400, 0), Metered(P, 0, 200)]
    made = allocate(fills, rows, 0, 400, curtailed=[Curtailed(P, 30)]).deliveries[0]
    assert (made.held, made.agreed, made.sent) == (30, 270, 200)


def test_loss_is_shared_over_all_energy_not_over_trades_alone():
    fills = [fill(A, C, 100, 0), fill(B, C, 100, 1)]
    rows = [Metered(A, 300, 0), Metered(B, 300, 0), Metered(C, 0, 200)]
    result = allocate(fills, rows, 50, 650)
    # floor(50 * 100 / 650) = 7, floor(50 * 200 / 650) = 15: shares 7 and 8
    assert [made.received for made in result.deliveries] == [93, 92]
    assert result.network_loss_wh == 35


def test_running_sum_continues_where_another_chain_stopped():
    fills = [fill(A, C, 100, 0), fill(B, C, 100, 1)]
    rows = [Metered(A, 300, 0), Metered(B, 300, 0), Metered(C, 0, 200)]
    both = allocate(fills, rows, 50, 650).deliveries
    again = allocate(fills[1:], [Metered(B, 300, 0), Metered(C, 0, 100)], 50, 650, before_wh=100)
    assert again.deliveries[0].received == both[1].received


def test_party_without_a_usable_reading_disputes_its_fills_only():
    fills = [fill(A, C, 100, 0), fill(B, C, 100, 1)]
    rows = [Metered(A, 0, 0), Metered(B, 300, 0), Metered(C, 0, 200)]
    made = allocate(fills, rows, 0, 300, disputed={A}).deliveries
    assert [row.disputed for row in made] == [True, False]


def test_region_without_any_energy_settles():
    result = allocate([fill(A, C, 100, 0)], [Metered(A, 0, 0), Metered(C, 0, 0)], 0, 0)
    made = result.deliveries[0]
    assert (made.agreed, made.unused, made.received, result.network_loss_wh) == (0, 100, 0, 0)


def test_nothing_to_settle_is_no_error():
    assert allocate([], [], 0, 0) == Allocation((), (), 0)


@pytest.mark.parametrize(
    ("rows", "loss", "weighed", "words"),
    [
        ([Metered(A, 10, 0)], 0, 10, "no meter row"),
        ([Metered(A, 10, 0), Metered(A, 10, 0), Metered(C, 0, 9)], 0, 20, "two meter rows"),
        ([Metered(A, 10, 0), Metered(C, 0, 9)], 5, 10, "shared over 10 Wh"),
        ([Metered(A, 10, 0), Metered(C, 0, 9)], -1, 10, "loss -1"),
        ([Metered(A, 10, 0), Metered(C, 0, -9)], 0, 10, "below zero"),
    ],
)
def test_meters_that_do_not_fit_are_refused(rows, loss, weighed, words):
    with pytest.raises(SettlementError, match=words):
        allocate([fill(A, C, 5, 0)], rows, loss, weighed)


# properties

PARTIES = [bytes([65 + i]) * 20 for i in range(6)]


@st.composite
def markets(draw: st.DrawFn):
    """Any fills among six parties, any meters, any loss: exports may exceed imports."""
    size = st.integers(0, 400) | st.integers(0, 2**40 - 1)
    rows = [Metered(party, draw(size) * draw(st.integers(0, 1)), draw(size)) for party in PARTIES]
    parties = st.permutations(PARTIES).map(lambda order: order[:2])
    pairs = draw(st.lists(parties, max_size=10))
    locals_ = draw(st.integers(0, len(pairs)))
    fills = [
        fill(buyer, seller, draw(st.integers(1, 400) | size.filter(bool)), i % 100, tier)
        for i, (buyer, seller) in enumerate(pairs)
        for tier in [Tier.LOCAL if i < locals_ else Tier.ZONAL]
    ]
    loss = draw(st.integers(0, 300))
    curtailed = [Curtailed(party, draw(size)) for party in draw(st.lists(st.sampled_from(PARTIES)))]
    return fills, rows, loss, sum(row.import_wh for row in rows) + loss, curtailed


@given(markets())
def test_metered_energy_is_allocated_exactly_once(market):
    fills, rows, loss, weighed, curtailed = market
    result = allocate(fills, rows, loss, weighed, curtailed=curtailed)
    imports, exports = sum(r.import_wh for r in rows), sum(r.export_wh for r in rows)
    bought = sum(row.bought_wh for row in result.balances)
    sold = sum(row.sold_wh for row in result.balances)
    assert sum(made.received for made in result.deliveries) + bought == imports
    assert sum(made.sent for made in result.deliveries) + sold == exports
    substation = loss + imports - exports
    assert bought + result.network_loss_wh - sold == substation


@given(markets())
def test_no_energy_is_negative_and_no_fill_gets_more_than_it_agreed(market):
    fills, rows, loss, weighed, curtailed = market
    result = allocate(fills, rows, loss, weighed, curtailed=curtailed)
    assert result.network_loss_wh >= 0
    assert all(min(row.bought_wh, row.sold_wh) >= 0 for row in result.balances)
    for trade, made in zip(fills, result.deliveries, strict=True):
        assert made.fill == trade.hash
        assert made.agreed + made.unused + made.held == trade.energy_wh
        assert 0 <= made.received <= made.sent <= made.agreed
        assert 0 <= made.unused_sent <= made.unused
        assert made.held >= 0
        split(trade, made, SettlementTerms(), 20_000)


@given(markets())
def test_no_buyer_owes_more_than_it_imported_and_no_seller_gives_more_than_it_exported(market):
    fills, rows, loss, weighed, curtailed = market
    result = allocate(fills, rows, loss, weighed, curtailed=curtailed)
    owed, given_ = Counter(), Counter()
    for trade, made in zip(fills, result.deliveries, strict=True):
        owed[trade.buyer] += made.agreed
        given_[trade.seller] += made.sent + made.unused_sent
    for row in rows:
        assert owed[row.participant] <= row.import_wh
        assert given_[row.participant] <= row.export_wh


@given(markets())
def test_held_energy_never_exceeds_what_was_curtailed_nor_what_is_missing(market):
    fills, rows, loss, weighed, curtailed = market
    result = allocate(fills, rows, loss, weighed, curtailed=curtailed)
    held, sold, stopped = Counter(), Counter(), Counter()
    for trade, made in zip(fills, result.deliveries, strict=True):
        held[trade.seller] += made.held
        sold[trade.seller] += trade.energy_wh
    for cut in curtailed:
        stopped[cut.participant] += cut.energy_wh
    for row in rows:
        missing = max(sold[row.participant] - row.export_wh, 0)
        assert held[row.participant] == min(stopped[row.participant], missing)


@given(markets(), st.lists(st.sampled_from([0, 1, 2, 4, 4]), min_size=10, max_size=10))
def test_what_sensors_hold_is_owed_by_nobody_and_its_money_goes_back(market, quarters):
    fills, rows, loss, weighed, curtailed = market
    stopped = {
        trade.hash: trade.energy_wh * n // 4 for trade, n in zip(fills, quarters, strict=False)
    }
    everybody = {row.participant for row in rows}
    for silent in (set(), everybody):
        result = allocate(
            fills, rows, loss, weighed, curtailed=curtailed, disputed=silent, stopped=stopped
        )
        sent = sum(made.sent for made in result.deliveries)
        sold = sum(row.sold_wh for row in result.balances)
        assert sent + sold == sum(row.export_wh for row in rows)
        for trade, made in zip(fills, result.deliveries, strict=True):
            assert made.held >= stopped[trade.hash]
            assert made.agreed + made.unused + made.held == trade.energy_wh
            assert split(trade, made, SettlementTerms()).refund >= 0
            if stopped[trade.hash] == trade.energy_wh:
                owed = split(trade, made, SettlementTerms(), 20_000)
                assert owed.refund == trade.lock, "whole, and at once, whoever is silent"
                assert (owed.paid, owed.charge, owed.reward, owed.claim) == (0, 0, 0, 0)


def test_more_than_a_fill_cannot_be_held():
    [trade] = fills = [fill(A, C, 100, 0)]
    rows = [Metered(A, 100, 0), Metered(C, 0, 100)]
    with pytest.raises(SettlementError, match="more of a fill than its energy"):
        allocate(fills, rows, 0, 100, stopped={trade.hash: 101})


@given(markets())
def test_last_fills_are_the_first_to_go_unused(market):
    """A fill of a buyer is used in part only if all later ones of that buyer are unused."""
    fills, rows, loss, weighed, curtailed = market
    result = allocate(fills, rows, loss, weighed, curtailed=curtailed)
    shrunk = set()
    for trade, made in zip(fills, result.deliveries, strict=True):
        if trade.buyer in shrunk:
            assert made.agreed == 0
        if made.unused:
            shrunk.add(trade.buyer)


@given(
    energies=st.lists(st.integers(0, 3_000), min_size=1, max_size=8),
    loss=st.integers(0, 1_000),
    starts=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_where_the_running_sum_begins_decides_how_shares_round_and_no_more(
    energies: list[int], loss: int, starts: tuple[int, int]
) -> None:
    """Why nothing holds a part's beginning against a cancelled one: see docs/ledger.md."""
    fills = [fill(A, B, energy, index) for index, energy in enumerate(energies)]
    total = sum(energies)
    metered = [Metered(A, total, 0), Metered(B, 0, total)]
    weighed = total + loss + 10**6
    found = []
    for before in starts:
        shares = [
            one.sent - one.received
            for one in allocate(fills, metered, loss, weighed, before).deliveries
        ]
        for energy, share in zip(energies, shares, strict=True):
            assert share - loss * energy // weighed in (0, 1)
        found.append(sum(shares))
    assert abs(found[0] - found[1]) <= 1
