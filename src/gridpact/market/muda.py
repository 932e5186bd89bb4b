"""MUDA: each half of the market trades at the price of the other half [SegalHalevi18].

People are split into two halves by lot. A half that has a uniform price gives it to the other one.
There all who accept that price are willing; the side with less energy trades all of it, and on the
other side a lot decides who is served first. Nobody's bid touches the price it trades at, so asking
for another than one's true price never pays for orders of one unit each; the mechanism keeps
nothing and pays nothing. What it costs is welfare: none is claimed of a small book; the loss
vanishes as the market grows.

Lots are drawn from the book's seed and the owner's number, never from what an order says. In a
book with wishes, locations or all-or-nothing orders the willing trade with whom they may.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from gridpact.market.book import Flags, OrderBook, Whole
from gridpact.market.curves import NEVER, Values, crossed
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.pairing import everywhere, settled, values_of
from gridpact.quantities import Price

CLAIMS = Claims(truthful=True)


def match(book: OrderBook) -> Clearing:
    """Return the fills of both halves."""
    values, lots = values_of(book), _lots(book)
    first = lots % 2 == 0
    halves = [_half(book, values, part) for part in (first, ~first)]
    prices = [_price(book, half) for half in halves]
    parts = [
        _traded(book, half, price, lots)
        for half, price in zip(halves, reversed(prices), strict=True)
        if price is not None
    ]
    return Clearing.joined(parts)


def _lots(book: OrderBook) -> NDArray[np.uint64]:
    """Return a number of 64 bits for every owner, drawn from the seed of the closed book."""
    return np.frombuffer(hashlib.shake_256(book.seed).digest(8 * len(book.reputation)), "<u8")


def _half(book: OrderBook, values: Values, part: Flags) -> Values:
    """Return values at which those outside a part of the people do not trade."""
    return Values(
        np.where(part[book.bids.owner], values.bid, -1),
        np.where(part[book.offers.owner], values.offer, NEVER),
    )


def _price(book: OrderBook, half: Values) -> Price | None:
    found = crossed(book, half)
    return None if found is None else found.middle


def _traded(book: OrderBook, half: Values, price: Price, lots: NDArray[np.uint64]) -> Clearing:
    """Return the fills of one half at a price that is given."""
    wanted = book.bids.energy * (half.bid >= price)
    given = book.offers.energy * (half.offer <= price)
    volume = min(int(wanted.sum()), int(given.sum()))
    bought = _by_lot(wanted, lots[book.bids.owner], volume)
    sold = _by_lot(given, lots[book.offers.owner], volume)
    return settled(book, bought, sold, *everywhere(book, price, price))


def _by_lot(energy: Whole, lots: NDArray[np.uint64], volume: int) -> Whole:
    """Return the first so much energy in the order of the lots."""
    order = np.argsort(lots, kind="stable")
    before = np.cumsum(energy[order]) - energy[order]
    served = np.zeros_like(energy)
    served[order] = np.clip(volume - before, 0, energy[order])
    return served
