"""How fast are auctions, beside what any program must do, and is every watt-hour right?"""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import linprog
from tests.unit.market.column_books import best_welfare, random_book

from bench.grid_timing import once
from bench.market_books import conditional, free, ticks, units
from bench.rows import Row
from gridpact.market import uniform_price
from gridpact.market.book import OrderBook, Orders
from gridpact.market.conformance import check
from gridpact.market.mechanism import Clearing
from gridpact.market.mechanisms import MECHANISMS

MILLION = 1_000_000
TIMES = 25
BOOKS = 1000


def rows() -> list[Row]:
    return [*_uniform(), *_welfare(), *_mechanisms(), _conformance()]


def least(act: Callable[[], object], times: int = TIMES) -> float:
    """Return the least CPU time of many calls: whatever else runs can only add to it. [s]"""
    return min(once(act)[0] for _ in range(times))


def _uniform() -> list[Row]:
    """A million orders: price and all bilateral fills."""
    cold = float(subprocess.run([sys.executable, "-c", COLD], **COLLECTED).stdout)
    _warm_allocator()
    on_ticks, anywhere, few = ticks(MILLION), free(MILLION), ticks(10_000)
    fills = len(_clear(on_ticks))
    ticked, floor_ticked = least(lambda: _clear(on_ticks)), least(lambda: _floor(on_ticks))
    open_, floor_open = least(lambda: _clear(anywhere)), least(lambda: _floor(anywhere))
    built = least(lambda: _built(on_ticks), 5)
    ours, highs = least(lambda: _clear(few)), least(lambda: _by_highs(few), 3)
    many = "uniform price, 1e6 orders"
    floor = "NumPy: argsort and cumsum of both sides, {:.4g} s"
    return [
        Row(
            f"{many} on ticks: price and {fills} fills", 1e3 * ticked, "ms CPU",
            floor.format(floor_ticked), ticked / floor_ticked, "at most 20 ms", ticked <= 0.02,
        ),
        Row(
            f"{many}, any prices", 1e3 * open_, "ms CPU",
            floor.format(floor_open), open_ / floor_open, "at most 2 times the floor",
            open_ <= 2 * floor_open,
        ),
        Row(f"{many} on ticks, memory fresh from the system at each call", 1e3 * cold, "ms CPU"),
        Row("once per book: is it plain, 1e6 orders", 1e3 * least(lambda: _judge(on_ticks)),
            "ms CPU"),
        Row(
            "book of 1e6 orders built from columns", built, "s CPU",
            goal="less than 1 s", holds=built < 1,
        ),
        Row(
            "uniform price, 1e4 orders", 1e3 * ours, "ms CPU",
            f"HiGHS, the same volume as a linear programme: {highs:.4g} s", ours / highs,
        ),
    ]  # fmt: skip


def _warm_allocator() -> None:
    """Free one large array: the C library then keeps freed memory, as in any long-lived process."""
    np.ones(3_900_000)


COLD = """
from bench.market_auction import MILLION, TIMES, _clear, least, ticks
book = ticks(MILLION)
_clear(book)
print(least(lambda: _clear(book)))
"""
COLLECTED: Any = {"check": True, "capture_output": True, "text": True}


def _clear(book: OrderBook) -> Clearing:
    book.__dict__.pop("asked", None)
    return uniform_price.match(book)


def _judge(book: OrderBook) -> bool:
    book.__dict__.pop("is_plain", None)
    return book.is_plain


def _built(book: OrderBook) -> OrderBook:
    bids, offers = (Orders.of(one.energy, one.price) for one in (book.bids, book.offers))
    return OrderBook.of(bids, offers)


def _floor(book: OrderBook) -> list[int]:
    """Sort both sides and add up: what a program does that sorts at all."""
    sums = []
    for side in (book.bids, book.offers):
        order = np.argsort(side.price)
        sums.append(int(np.cumsum(side.energy[order])[-1]))
    return sums


def _by_highs(book: OrderBook) -> float:
    """Return the best welfare by HiGHS: one variable an order, bought equals sold."""
    gain = np.concatenate([-book.bids.price, book.offers.price]).astype(float)
    most = np.concatenate([book.bids.energy, book.offers.energy])
    sign = np.repeat([1.0, -1.0], [len(book.bids), len(book.offers)])
    found = linprog(gain, A_eq=sign[None, :], b_eq=[0], bounds=np.c_[0 * most, most])
    return -float(found.fun)


def _welfare() -> list[Row]:
    """Against HiGHS on all pairs of random books of up to 40 orders a side."""
    reached = best = 0.0
    over = worse = 0
    for seed in range(BOOKS):
        book = random_book(seed, prices=(1000, 12)[seed % 2], most=(500, 1, 3)[seed % 3])
        fills = uniform_price.match(book)
        gain = (book.bids.price[fills.bid] - book.asked[fills.offer]) * fills.energy
        most = best_welfare(book)
        reached, best = reached + int(gain.sum()), best + most
        worse += int(gain.sum()) < most * (1 - 1e-9)
        for rows_, side in ((fills.bid, book.bids), (fills.offer, book.offers)):
            traded = np.bincount(rows_, fills.energy, len(side))
            over += int((traded > side.energy).sum())
    return [
        Row(
            f"welfare of the uniform price in {BOOKS} random books", 100 * reached / best, "%",
            "HiGHS, linear programme over all pairs", reached / best, "100 % in each",
            worse == 0,
        ),
        Row(f"orders over-filled in {BOOKS} random books", over, "orders", goal="0",
            holds=over == 0),
    ]  # fmt: skip


def _mechanisms() -> list[Row]:
    """Mechanisms known by name on plain books and on one with conditions."""
    many, single = ticks(100_000), units(100_000)
    large, small = conditional(1000), conditional(200)
    found = []
    for name in FAST:
        found += [_timed(name, "1e5 orders", many), _timed(name, "1e5 unit orders", single)]
    for name in MECHANISMS:
        if name not in SMALL_ONLY:
            found.append(_timed(name, "1,000 orders with wishes and zones", large))
        found.append(_timed(name, "200 orders with wishes and zones", small))
    return found


def _timed(name: str, what: str, book: OrderBook) -> Row:
    took, fills = once(partial(MECHANISMS[name].match, book))
    return Row(f"{name}, {what}: {len(fills)} fills", 1e3 * took, "ms CPU")


FAST = (
    "uniform_price", "pay_as_bid", "vickrey", "mcafee", "muda", "continuous", "nash_bargaining"
)  # fmt: skip
"""The others judge pairs one by one: a region has at most 1,000 participants."""
SMALL_ONLY = ("matching_degree",)
"""Looks for the best of all assignments: its own sizes are in `market_matching`."""


def _conformance() -> Row:
    broken = sum(len(check(known.match, known.claims).failures) for known in MECHANISMS.values())
    what = f"rules and claims broken by {len(MECHANISMS)} mechanisms in the conformance kit"
    return Row(what, broken, "rules", goal="0", holds=broken == 0)
