"""What a mechanism must keep, and what it may claim: each rule says what is wrong, "" if nothing.

Sums are of Python's whole numbers: no rule is broken or kept by an overflow.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TypeAlias

import numpy as np

from gridpact.market.book import OrderBook, Orders
from gridpact.market.curves import book_curves, plain_values, volumes
from gridpact.market.mechanism import Budget, Claims, Clearing, Mechanism
from gridpact.market.totals import energy_of, worth
from gridpact.quantities import MAX_PRICE, PPM

Rule: TypeAlias = Callable[[Mechanism, Claims, OrderBook, Clearing], str]
"""(mechanism, its claims, book, what it made of the book) -> what is wrong."""

COLUMNS = ("bid", "offer", "energy", "price", "levy")


def form(_match: Mechanism, _claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """Columns of whole numbers, of one length, over rows that the book has."""
    columns = {name: np.asarray(getattr(cleared, name)) for name in COLUMNS}
    for name, column in columns.items():
        if column.shape != (len(cleared.energy),):
            return f"{name} has the shape {column.shape}, energy has {len(cleared.energy)} entries"
        if column.dtype != np.int64:
            return f"{name} has the type {column.dtype}, expected int64"
    for name, count in (("bid", len(book.bids)), ("offer", len(book.offers))):
        if ((columns[name] < 0) | (columns[name] >= count)).any():
            return f"a fill names a {name} that is none of the book's {count}"
    if (columns["energy"] <= 0).any():
        return f"a fill of {int(columns['energy'].min())} Wh"
    if cleared.uniform is not None and (columns["price"] != cleared.uniform).any():
        return f"says {cleared.uniform} is the one price, but not every fill has it"
    return ""


def no_overfill(_match: Mechanism, _claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """No order trades more than its energy; each fill is bought and sold at once."""
    sides = (("bid", cleared.bid, book.bids), ("offer", cleared.offer, book.offers))
    for name, rows, orders in sides:
        traded = energy_of(rows, cleared.energy, len(orders))
        for row, energy in enumerate(traded):
            if energy > orders.energy[row]:
                return f"{name} {row} trades {energy} Wh, it has {orders.energy[row]} Wh"
    return ""


def pairs(_match: Mechanism, claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """Who trades may trade, at a price within floor and cap, and its own limit if it is claimed."""
    may = book.may_trade(cleared.bid, cleared.offer)
    if not may.all():
        row = int((~may).argmax())
        return f"bid {cleared.bid[row]} and offer {cleared.offer[row]} may not trade"
    ceiling = book.ceiling(cleared.bid, cleared.offer)
    least, paid = book.asked[cleared.offer], cleared.price + cleared.levy
    if not claims.rational:
        anybody = replace(book, bids=replace(book.bids, price=np.full(len(book.bids), MAX_PRICE)))
        ceiling = anybody.ceiling(cleared.bid, cleared.offer)
        least = np.full(len(cleared), book.pairs.floor)
    for row, (price, low, pays, high) in enumerate(
        zip(*(one.tolist() for one in (cleared.price, least, paid, ceiling)), strict=True)
    ):
        pair = f"bid {cleared.bid[row]} and offer {cleared.offer[row]}"
        if price < low:
            return f"{pair}: the seller gets {price}, expected at least {low}"
        if pays > high:
            return f"{pair}: the buyer pays {pays}, expected at most {high}"
    return ""


def max_fills(_match: Mechanism, _claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """No bid has more fills than it reserved the rounding for."""
    for bid, count in enumerate(np.bincount(cleared.bid, minlength=len(book.bids)).tolist()):
        if count > book.max_fills:
            return f"bid {bid} has {count} fills, at most {book.max_fills} are allowed"
    return ""


def all_or_nothing(_match: Mechanism, _claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """An all-or-nothing order trades all of its energy or none."""
    sides = (("bid", cleared.bid, book.bids), ("offer", cleared.offer, book.offers))
    for name, rows, orders in sides:
        traded = energy_of(rows, cleared.energy, len(orders))
        for row in np.flatnonzero(orders.whole).tolist():
            if traded[row] not in (0, orders.energy[row]):
                energy = f"{traded[row]} of its {orders.energy[row]} Wh"
                return f"{name} {row} is all or nothing, but trades {energy}"
    return ""


def repeatable(match: Mechanism, _claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """The same book gives the same clearing, and is left as it was."""
    before = [getattr(side, one.name).copy() for side in _sides(book) for one in fields(side)]
    again = match(book)
    after = [getattr(side, one.name) for side in _sides(book) for one in fields(side)]
    if not all(map(np.array_equal, before, after)):
        return "the mechanism changes the book that it is given"
    for name in COLUMNS:
        if not np.array_equal(getattr(cleared, name), getattr(again, name)):
            return f"a second run of the same book gives another {name}"
    return "" if cleared.uniform == again.uniform else "a second run gives another uniform price"


def budget(_match: Mechanism, claims: Claims, _book: OrderBook, cleared: Clearing) -> str:
    """Levies add up to what is claimed."""
    pairs_of = zip(cleared.levy.tolist(), cleared.energy.tolist(), strict=True)
    kept = sum(levy * energy for levy, energy in pairs_of)
    if claims.budget is Budget.BALANCED and kept:
        return f"levies add up to {kept}, expected 0"
    if claims.budget is Budget.SURPLUS and kept < 0:
        return f"levies add up to {kept}, expected 0 or more"
    return ""


def welfare(_match: Mechanism, claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """At least the claimed share of the best welfare, in plain books of divisible orders.

    Books in which a bid may need more fills than it may have are left out.
    """
    if not book.is_plain or book.max_fills < len(book.bids) + len(book.offers):
        return ""
    curves = book_curves(book, plain_values(book))
    found = curves.crossing()
    if found is None:
        return ""
    bought, sold = (side.tolist() for side in volumes(book, curves, found))
    best = worth(bought, book.bids.price) - worth(sold, book.asked)
    sides = (cleared.bid, book.bids.price, 1), (cleared.offer, book.asked, -1)
    energy = cleared.energy.tolist()
    reached = sum(sign * worth(energy, price[rows]) for rows, price, sign in sides)
    if reached > best:
        return f"welfare {reached} is more than the best there is, {best}"
    if reached * PPM < best * claims.welfare:
        return f"welfare {reached} of {best}, expected a share of {claims.welfare / PPM:.4g}"
    return ""


def truthful(match: Mechanism, claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """In a book of one unit each nobody gains by another price; every other price is tried."""
    if not claims.truthful or not _is_of_units(book):
        return ""
    known = {0, *book.bids.price.tolist(), *book.offers.price.tolist()}
    tried = sorted({price + step for price in known for step in (-1, 0, 1) if price + step >= 0})
    for name, orders in (("bid", book.bids), ("offer", book.offers)):
        for row, true in enumerate(orders.price.tolist()):
            honest = _gain(name, row, true, cleared)
            for price in tried:
                other = match(_with_price(book, name, row, price))
                gain = _gain(name, row, true, other)
                if gain > honest:
                    what = f"{name} {row} gains {gain} by the price {price}"
                    return f"{what}, with its true price {true} it gains {honest}"
    return ""


def fair(match: Mechanism, claims: Claims, book: OrderBook, cleared: Clearing) -> str:
    """Where all prices differ, the order of the rows changes nothing for anybody."""
    prices = [*book.bids.price.tolist(), *book.asked.tolist()]
    if not claims.fair or not book.is_plain or len(set(prices)) < len(prices):
        return ""
    if book.max_fills < len(prices):
        return ""
    turned = replace(
        book,
        bids=book.bids.rows(np.arange(len(book.bids))[::-1]),
        offers=book.offers.rows(np.roll(np.arange(len(book.offers)), 1)),
    )
    first, second = _by_owner(book, cleared), _by_owner(turned, match(turned))
    for owner in sorted({*first, *second}):
        if first.get(owner) != second.get(owner):
            return f"owner {owner} has (Wh, money) {first.get(owner)}, turned {second.get(owner)}"
    return ""


RULES: Mapping[str, Rule] = {
    "form": form,
    "no over-fill": no_overfill,
    "pairs": pairs,
    "fills of a bid": max_fills,
    "all or nothing": all_or_nothing,
    "repeatable": repeatable,
    "budget": budget,
    "welfare": welfare,
    "truthful": truthful,
    "fair": fair,
}


def _sides(book: OrderBook) -> tuple[Orders, Orders]:
    return book.bids, book.offers


def _is_of_units(book: OrderBook) -> bool:
    energy = np.concatenate([book.bids.energy, book.offers.energy])
    return book.is_plain and bool((energy == 1).all())


def _gain(side: str, row: int, true: int, cleared: Clearing) -> int:
    """Return what an order of one unit is worth to its owner beyond what it pays or costs."""
    if side == "bid":
        own = cleared.bid == row
        return int((true - cleared.price - cleared.levy)[own].sum())
    return int((cleared.price - true)[cleared.offer == row].sum())


def _with_price(book: OrderBook, side: str, row: int, price: int) -> OrderBook:
    orders = book.bids if side == "bid" else book.offers
    prices = orders.price.copy()
    prices[row] = price
    changed = replace(orders, price=prices)
    return replace(book, bids=changed) if side == "bid" else replace(book, offers=changed)


def _by_owner(book: OrderBook, cleared: Clearing) -> dict[int, tuple[int, int]]:
    """Return each owner's energy and money: bought and paid, or sold and received (negative)."""
    sums: dict[int, tuple[int, int]] = {}
    paid, price = (cleared.price + cleared.levy).tolist(), cleared.price.tolist()
    for row, energy in enumerate(cleared.energy.tolist()):
        buyer = int(book.bids.owner[cleared.bid[row]])
        seller = int(book.offers.owner[cleared.offer[row]])
        for who, much, each in ((buyer, energy, paid[row]), (seller, -energy, price[row])):
            had = sums.get(who, (0, 0))
            sums[who] = had[0] + much, had[1] + much * each
    return sums
