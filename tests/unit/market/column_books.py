"""Books of columns for the tests of mechanisms: random ones, and a linear programme to compare."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, vstack

from gridpact.market.book import OrderBook, Orders


def book(bids: list[tuple[int, int]], offers: list[tuple[int, int]], **rules: object) -> OrderBook:
    """Return a book from rows (price, energy)."""
    sides = (
        Orders.of([one[1] for one in side], [one[0] for one in side]) for side in (bids, offers)
    )
    return OrderBook.of(*sides, **rules)  # type: ignore[arg-type]


def random_book(seed: int, prices: int = 1000, most: int = 500) -> OrderBook:
    """Return a plain book of up to 40 orders a side."""
    rng = np.random.default_rng(seed)
    bids, offers = rng.integers(0, 40, 2)
    return OrderBook.of(
        Orders.of(rng.integers(1, most + 1, bids), rng.integers(0, prices, bids)),
        Orders.of(rng.integers(1, most + 1, offers), rng.integers(0, prices, offers)),
        seed=seed.to_bytes(8, "big"),
    )


def best_welfare(book: OrderBook) -> float:
    """Return the highest welfare of a book of divisible orders, by HiGHS over all pairs."""
    bid, offer = np.meshgrid(np.arange(len(book.bids)), np.arange(len(book.offers)), indexing="ij")
    bid, offer = bid.ravel(), offer.ravel()
    may = book.may_trade(bid, offer) & (book.asked[offer] <= book.ceiling(bid, offer))
    bid, offer = bid[may], offer[may]
    if not len(bid):
        return 0.0
    column, ones = np.arange(len(bid)), np.ones(len(bid))
    limits = vstack(
        [
            coo_array((ones, (rows, column)), shape=(size, len(bid)))
            for rows, size in ((bid, len(book.bids)), (offer, len(book.offers)))
        ]
    )
    gain = (book.bids.price[bid] - book.asked[offer]).astype(float)
    most = np.concatenate([book.bids.energy, book.offers.energy])
    found = linprog(-gain, A_ub=limits, b_ub=most, method="highs")
    assert found.status == 0
    return float(-found.fun)
