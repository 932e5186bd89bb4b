"""Auctions of pymarket (PyPI, MIT), on the same books in the same run.

It is no dependency of ours (pandas, PuLP with a solver of 30 MB): `pip install pymarket`. Without
it a row says so.
"""

import importlib.util
import warnings
from typing import Any

from bench.grid_timing import once
from bench.market_books import units
from bench.rows import Row
from gridpact.market.book import OrderBook
from gridpact.market.mechanisms import MECHANISMS

PAIRS = (("mcafee", "huang"), ("muda", "muda"))
"""Our name and pymarket's for the same idea; its `huang` is the multi-unit trade reduction."""


def rows() -> list[Row]:
    missing = [name for name in ("pymarket", "pulp") if importlib.util.find_spec(name) is None]
    if missing:
        return [Row(f"peer pymarket: {' and '.join(missing)} not installed", 0, "peers measured")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_row(ours, theirs, size) for ours, theirs in PAIRS for size in (200, 1000)]


def _row(ours: str, theirs: str, size: int) -> Row:
    book = units(size)
    took, fills = once(lambda: MECHANISMS[ours].match(book))
    market = _filled(book)
    slow, (trades, _) = once(lambda: market.run(theirs))
    done = len(trades.get_df())
    return Row(
        f"{ours}, {size} unit orders: {len(fills)} fills", 1e3 * took, "ms CPU",
        f"pymarket {theirs}, {done} sides of trades: {slow:.4g} s", took / slow,
    )  # fmt: skip


def _filled(book: OrderBook) -> Any:
    import pymarket

    market = pymarket.Market()
    sides = ((book.bids, True), (book.offers, False))
    for side, buying in sides:
        for row in range(len(side)):
            owner, price = int(side.owner[row]), int(side.price[row])
            market.accept_bid(int(side.energy[row]), price, owner, buying)
    return market
