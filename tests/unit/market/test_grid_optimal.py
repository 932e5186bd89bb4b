"""The most welfare a feeder carries: cut energy finds another seller, prices know the place."""

from dataclasses import replace

import numpy as np
import pytest

from gridpact.grid.check import RadialCheck
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.market import grid_optimal, merit_order, uniform_price
from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.conformance import problems
from gridpact.market.grid_optimal import CLAIMS, GridOptimal, Wires
from gridpact.market.mechanism import Clearing
from gridpact.market.rank import Span
from gridpact.market.totals import energy_of
from gridpact.model.grid_check import Injector
from gridpact.quantities import PPM

HOUR = Span(60)
BUYER, FAR, NEAR = 0, 1, 2


def feeder() -> Feeder:
    """Bus 2 near the substation; bus 3 at the end of a long line that lifts its voltage."""
    return build(1, [Line(1, 2, 0.5, 0.3), Line(2, 3, 16.0, 8.0)], {}, 1.0, 12.0)


def wires(bus: dict[int, int], v_max: float = 1.05, load: int = 100_000) -> Wires:
    check = RadialCheck(feeder(), 0.9, v_max)
    return Wires(check, 0, {2: (load, 0)}, bus, {}, HOUR)


def book(
    bids: list[tuple[int, int, int]], offers: list[tuple[int, int, int]], **more: object
) -> OrderBook:
    """Return a book of rows (owner, price, Wh)."""
    sides = [
        Orders.of(
            [one[2] for one in side], [one[1] for one in side], owner=[one[0] for one in side]
        )
        for side in (bids, offers)
    ]
    return OrderBook.of(*sides, **more)  # type: ignore[arg-type]


def sold(given: OrderBook, fills: Clearing) -> list[int]:
    return energy_of(fills.offer, fills.energy, len(given.offers))


def welfare(given: OrderBook, fills: Clearing) -> int:
    gain = given.bids.price[fills.bid] - given.asked[fills.offer]
    return sum(map(int.__mul__, gain.tolist(), fills.energy.tolist()))


def test_energy_that_the_wires_cut_is_bought_from_a_dearer_seller_nearby() -> None:
    given = book([(BUYER, 300, 900_000)], [(FAR, 50, 800_000), (NEAR, 120, 800_000)])
    there = wires({FAR: 3, NEAR: 2})
    fills = GridOptimal(there)(given)
    far, near = sold(given, fills)
    assert 300_000 < far < 700_000
    assert far + near == 900_000
    assert not there.check(0, there.load, injectors(given, fills, there)).curtailments
    after_cut = welfare(given, merit_order.match(given)) - 250 * (800_000 - far)
    assert welfare(given, fills) > after_cut


def injectors(given: OrderBook, fills: Clearing, there: Wires) -> list[Injector]:
    """Return who feeds in, written out once more."""
    return [
        Injector(bytes([row]), there.bus[int(given.offers.owner[row])], energy, row, energy)
        for row, energy in enumerate(sold(given, fills))
        if energy
    ]


def test_a_cut_seller_is_paid_what_one_more_kwh_is_worth_where_it_stands() -> None:
    given = book([(BUYER, 300, 900_000)], [(FAR, 50, 800_000), (NEAR, 120, 800_000)])
    fills = GridOptimal(wires({FAR: 3, NEAR: 2}))(given)
    price = dict(zip(fills.offer.tolist(), fills.price.tolist(), strict=True))
    assert price[0] == 50, "behind the full line it is the offer that sets the price"
    assert price[1] == 120, "sold in part"
    assert fills.uniform is None


def test_all_sellers_of_a_full_bus_get_the_price_of_the_dearest_that_still_sells() -> None:
    offers = [(FAR, 50, 200_000), (3, 80, 800_000), (NEAR, 120, 900_000)]
    given = book([(BUYER, 300, 1_200_000)], offers)
    fills = GridOptimal(wires({FAR: 3, 3: 3, NEAR: 2}))(given)
    energy = sold(given, fills)
    price = dict(zip(fills.offer.tolist(), fills.price.tolist(), strict=True))
    assert energy[0] == 200_000, "the cheaper of the two is kept"
    assert 0 < energy[1] < 800_000
    assert (price[0], price[1]) == (80, 80)


def test_without_limits_that_bind_it_is_the_optimum_of_the_book_at_one_price() -> None:
    given = book([(BUYER, 300, 900_000)], [(FAR, 50, 800_000), (NEAR, 120, 800_000)])
    fills = GridOptimal(wires({FAR: 3, NEAR: 2}, v_max=1.5))(given)
    once = uniform_price.match(given)
    assert sold(given, fills) == sold(given, once) == [800_000, 100_000]
    assert fills.uniform == once.uniform


def test_location_in_the_day_ahead_price_is_in_the_fill_price() -> None:
    pairs = Pairs(retail=10**6, margin=0, floor=0, base=0, keep=PPM, locational={})
    bids = Orders.of([100], [300], owner=[0], location=[40])
    offers = Orders.of([60, 60], [100, 110], owner=[1, 2], location=[0, 40])
    given = OrderBook.of(bids, offers, pairs=pairs)
    fills = grid_optimal.match(given)
    price = dict(zip(fills.offer.tolist(), fills.price.tolist(), strict=True))
    # the second saves the charge of 40 and is used up; both get energy's price and their place's
    assert sold(given, fills) == [40, 60]
    assert price[1] - price[0] == 40


def test_where_limits_cannot_hold_at_all_nothing_is_sold() -> None:
    given = book([(BUYER, 300, 900_000)], [(FAR, 50, 800_000), (NEAR, 120, 800_000)])
    fills = GridOptimal(wires({FAR: 3, NEAR: 2}, load=80_000_000))(given)
    assert not len(fills)


def test_all_or_nothing_offer_that_is_not_carried_whole_stands_back() -> None:
    bids = Orders.of([900_000], [300], owner=[BUYER])
    offers = Orders.of([800_000, 800_000], [50, 120], owner=[FAR, NEAR], whole=[1, 0])
    given = OrderBook.of(bids, offers)
    assert sold(given, GridOptimal(wires({FAR: 3, NEAR: 2}))(given)) == [0, 800_000]


@pytest.mark.parametrize("seed", range(30))
def test_what_any_book_sells_the_wires_carry_and_no_rule_of_the_market_is_broken(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = int(rng.integers(2, 9))
    bids = [(k, int(rng.integers(100, 400)), int(rng.integers(1, 400_000))) for k in range(people)]
    offers = [
        (people + k, int(rng.integers(20, 300)), int(rng.integers(1, 500_000)))
        for k in range(people)
    ]
    given = book(bids, offers)
    there = wires({people + k: int(rng.integers(2, 4)) for k in range(people)}, v_max=1.03)
    match = GridOptimal(there)
    said = problems(match, CLAIMS, given)
    assert set(said) <= {"welfare"}, said
    fills = match(given)
    verdict = there.check(0, there.load, injectors(given, fills, there))
    assert not verdict.curtailments
    assert not verdict.conflicts
    assert welfare(given, fills) >= welfare(given, cut(given, merit_order.match(given), there))


def cut(given: OrderBook, fills: Clearing, there: Wires) -> Clearing:
    """Return fills without what the wires do not carry, the last of a seller first."""
    before = np.array(sold(given, fills), np.int64)
    over = (before - np.minimum(before, there.carried(given, before))).tolist()
    energy = fills.energy.copy()
    for row in reversed(range(len(fills))):
        taken = min(int(energy[row]), over[fills.offer[row]])
        energy[row] -= taken
        over[fills.offer[row]] -= taken
    return replace(fills, energy=energy)
