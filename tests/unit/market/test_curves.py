"""Where demand and supply cross."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.market.curves import SAMPLE, Crossing, curves, midpoint

Side = tuple[np.ndarray, np.ndarray]
SIDES = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=12)


def side(rows: list[tuple[int, int]]) -> Side:
    price, energy = np.array(rows, np.int64).reshape(-1, 2).T
    return price, energy


def crossing(bids: Side, offers: Side) -> Crossing | None:
    return curves(bids, offers).crossing()


def by_trying(bids: Side, offers: Side) -> Crossing | None:
    """Try every price of the book; find the prices that clear by their definition."""
    volume = max(
        (
            min(bids[1][bids[0] >= price].sum(), offers[1][offers[0] <= price].sum())
            for price in (*bids[0], *offers[0])
        ),
        default=0,
    )
    if not volume:
        return None
    falling, rising = np.argsort(-bids[0]), np.argsort(offers[0])
    demand, supply = np.cumsum(bids[1][falling]), np.cumsum(offers[1][rising])
    bid = bids[0][falling[(demand >= volume).argmax()]]
    offer = offers[0][rising[(supply >= volume).argmax()]]
    left_bids = bids[0][falling[demand > volume]]
    left_offers = offers[0][rising[supply > volume]]
    return Crossing(
        int(volume),
        int(bid),
        int(offer),
        max(int(offer), int(left_bids.max(initial=-1))),
        min(int(bid), int(left_offers.min(initial=2**62))),
    )


@given(SIDES, SIDES)
def test_the_crossing_is_that_of_trying_every_price(
    bids: list[tuple[int, int]], offers: list[tuple[int, int]]
) -> None:
    assert crossing(side(bids), side(offers)) == by_trying(side(bids), side(offers))


@pytest.mark.parametrize(
    ("bids", "offers", "found"),
    [
        ([(10, 5), (8, 5)], [(4, 5), (6, 5)], Crossing(10, 8, 6, 6, 8)),
        ([(10, 5), (8, 5)], [(4, 7)], Crossing(7, 8, 4, 8, 8)),
        ([(10, 5)], [(4, 7)], Crossing(5, 10, 4, 4, 4)),
        ([(10, 5), (7, 5)], [(4, 5), (9, 5)], Crossing(5, 10, 4, 7, 9)),
        ([(10, 5), (2, 5)], [(10, 3)], Crossing(3, 10, 10, 10, 10)),
        ([(3, 5)], [(4, 5)], None),
        ([], [(4, 5)], None),
        ([(4, 5)], [], None),
        ([], [], None),
    ],
)
def test_whoever_is_served_in_part_sets_the_price(
    bids: list[tuple[int, int]], offers: list[tuple[int, int]], found: Crossing | None
) -> None:
    assert crossing(side(bids), side(offers)) == found


def test_the_midpoint_is_rounded_half_to_even() -> None:
    assert [midpoint(low, low + 1) for low in (0, 1, 2, 3)] == [0, 2, 2, 4]
    assert midpoint(4, 8) == 6


def _many(kind: str) -> tuple[Side, Side]:
    rng = np.random.default_rng(5)
    size = 5 * SAMPLE
    bids, offers = rng.integers(0, 2**40, size), rng.integers(0, 2**40, size)
    if kind == "ticks":
        bids, offers = bids % 97, offers % 97
    elif kind == "sorted":
        bids, offers = np.sort(bids), np.sort(offers)[::-1].copy()
    elif kind == "hidden from the sample":
        offers[:: size // SAMPLE] += 2**41
        bids[:: size // SAMPLE] += 2**41
    elif kind == "one huge order":
        bids[7] = 2**47
    elif kind == "no crossing":
        offers += 2**40
    return (bids, rng.integers(1, 5000, size)), (offers, rng.integers(1, 5000, size))


@pytest.mark.parametrize(
    "kind", ["free", "ticks", "sorted", "hidden from the sample", "one huge order", "no crossing"]
)
def test_a_sample_never_changes_the_result(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bids, offers = _many(kind)
    found = served(bids, offers)
    monkeypatch.setattr("gridpact.market.curves.SAMPLE", 2**62)
    assert found == served(bids, offers)
    assert (found is None) == (kind == "no crossing")


def served(bids: Side, offers: Side) -> tuple[Crossing, list[tuple[int, int]]] | None:
    """Return the crossing, and the bids within its volume with their energy."""
    both = curves(bids, offers)
    found = both.crossing()
    if found is None:
        return None
    first = both.demand.first(found.volume, found.bid, lambda rows: rows)
    assert first.energy.sum() == found.volume
    return found, sorted(zip(first.rows.tolist(), first.energy.tolist(), strict=True))
