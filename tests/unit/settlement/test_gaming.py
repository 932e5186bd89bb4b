"""What cheating earns over whole intervals: trades, rewards, fees and the grid tier together.

Every strategy is compared with what the same people with the same energy get by the truth.
"""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.delivery import Metered
from gridpact.model.order import Tier
from gridpact.model.record import Prices
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.settlement.account_lines import Settled, flows, net
from gridpact.settlement.allocation import allocate
from gridpact.settlement.bills import bills
from gridpact.settlement.split import split, tolerance

TERMS = SettlementTerms()
TARIFF = Prices(
    retail=280_000,
    network_share=90_000,
    feed_in=TERMS.feed_in,
    margin=0,
    local_charge=40_000,
    zonal_charge=60_000,
    loss_share=0,
    buses=(),
    solver="none",
)
SELLER, BUYER, SHELL = b"S" * 20, b"B" * 20, b"X" * 20
RICH = 10**15


class Rich(dict[bytes, int]):
    """Everybody's purse: the tests are about what is owed."""

    def get(self, _key: bytes, _default: int = 0) -> int:  # type: ignore[override]
        return RICH


def fill(buyer: bytes, energy: int, price: int) -> Fill:
    return Fill(
        region=b"r" * 32,
        interval=0,
        tier=Tier.LOCAL,
        index=0,
        bid=b"b" * 32,
        offer=b"o" * 32,
        buyer=buyer,
        seller=SELLER,
        energy_wh=energy,
        price=price,
        charge=TARIFF.local_charge,
    )


def gains(fills: list[Fill], imports: dict[bytes, int], exported: int) -> dict[bytes, int]:
    """Return what everybody gains in an interval, SELLER exporting and the others importing."""
    rows = [Metered(SELLER, 0, exported)]
    rows += [Metered(party, imports.get(party, 0), 0) for party in (BUYER, SHELL)]
    result = allocate(fills, rows, 0, sum(imports.values()))
    settled = [
        Settled(trade, made, split(trade, made, TERMS))
        for trade, made in zip(fills, result.deliveries, strict=True)
    ]
    return net(flows(settled, bills(result.balances, TARIFF, Rich()), 0, [], TERMS))


energies = st.integers(1, 50_000)
prices = st.integers(TERMS.feed_in, TARIFF.retail - TARIFF.local_charge)


@given(energies, energies, prices)
def test_seller_gains_nothing_by_offering_more_than_it_has(has, extra, price):
    wanted = {BUYER: has + extra}
    honest = gains([fill(BUYER, has, price)], wanted, has)
    greedy = gains([fill(BUYER, has + extra, price)], wanted, has)
    if extra > tolerance(has + extra, TERMS):
        assert greedy.get(SELLER, 0) < honest[SELLER]
        assert greedy[BUYER] >= honest[BUYER]


@given(energies, prices, prices)
def test_one_stored_kwh_offered_twice_earns_no_more_than_offered_once(stored, first, second):
    """Delivered in one interval it is missing in the other, whichever the seller chooses."""
    wanted = {BUYER: stored}
    sold = [gains([fill(BUYER, stored, price)], wanted, stored) for price in (first, second)]
    missed = [gains([fill(BUYER, stored, price)], wanted, 0) for price in (first, second)]
    best = max(interval[SELLER] for interval in sold)
    if stored > tolerance(stored, TERMS):
        for delivered, other in ((0, 1), (1, 0)):
            twice = sold[delivered][SELLER] + missed[other].get(SELLER, 0)
            assert twice <= best
            assert missed[other] == gains([], wanted, 0)  # the buyer is as if it had not traded


@given(energies, energies, prices)
def test_buyer_gains_nothing_by_bidding_for_more_than_it_uses(uses, extra, price):
    """Nor does its seller lose more than the fee can cover at the default charge."""
    honest = gains([fill(BUYER, uses, price)], {BUYER: uses}, uses + extra)
    greedy = gains([fill(BUYER, uses + extra, price)], {BUYER: uses}, uses + extra)
    assert greedy[BUYER] < honest[BUYER]
    assert greedy[SELLER] >= honest[SELLER]


@given(energies, energies, prices)
def test_trading_with_a_shell_that_uses_nothing_never_pays(sold, produced, price):
    before = gains([], {}, produced)
    washed = gains([fill(SHELL, sold, price)], {}, produced)
    owner = [one.get(SELLER, 0) + one.get(SHELL, 0) for one in (before, washed)]
    assert owner[1] <= owner[0]


@given(energies, prices, prices)
def test_own_second_meter_earns_by_trading_less_than_the_network_charge_it_pays(energy, low, high):
    """Whatever price an owner sets between its own two meters, reward never covers the charge."""
    supplied = {SHELL: energy}
    for price in (low, high):
        traded = gains([fill(SHELL, energy, price)], supplied, energy)
        between = traded[SELLER] + traded[SHELL]
        assert between <= 0


@given(energies, energies, prices)
def test_seller_that_falls_short_leaves_its_buyer_no_worse_than_grid_supply(has, missing, price):
    """At or below the old bill, whatever the forecast error, up to the meters' tolerance."""
    wanted = {BUYER: has + missing}
    traded = gains([fill(BUYER, has + missing, price)], wanted, has)
    alone = gains([], wanted, has)
    free = tolerance(has + missing, TERMS) * (price + TARIFF.local_charge) // 1000 + 1
    assert traded[BUYER] >= alone[BUYER] - free
