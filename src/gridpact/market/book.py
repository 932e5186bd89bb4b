"""The order book as columns of whole numbers: what every mechanism is given.

One row is one order. **Earlier rows win ties**: whoever fills a book puts bids in the order of the
draw and offers in the order of their hashes (`local_book`), so that no mechanism needs to know
where an order came from. Amounts are checked on the way in: a mechanism may trust its columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridpact.errors import FieldError
from gridpact.market.caps import NO_CHARGE, Pairs
from gridpact.quantities import MAX_ENERGY, MAX_PRICE, MAX_SCORE

Whole: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

ALWAYS = 2**62
"""The end of a window that never closes."""
ANY = 0
"""Of sources: whatever feeds in. Of a zone: everywhere."""
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Orders:
    """One side of a book; every column has the shape (order,).

    Attributes
    ----------
    owner
        Participant, a row of the book's reputations; `NOBODY` until a book numbers them.
    energy, price
        [Wh], [micro-units per kWh]: the highest a bid pays, the least an offer takes.
    whole
        All of it or nothing.
    location
        Locational price at the order's bus, which the pair's charge depends on.
        [micro-units per kWh, may be negative]
    min_reputation
        Bids: what a seller must have at least. [ppm]
    start, end
        The window in which a bid is needed, and in which an offer stands; end exclusive. A bid
        with a window (an end before `ALWAYS`) trades only with offers whose window holds it.
    source
        Offers: one bit of what feeds in. Bids: the bits that are welcome, `ANY` for all.
    partner
        Owner that is preferred at equal price, `NOBODY` for none.
    zone
        Network zone outside which the order does not trade, `ANY` for everywhere.
    """

    owner: Whole
    energy: Whole
    price: Whole
    whole: Flags
    location: Whole
    min_reputation: Whole
    start: Whole
    end: Whole
    source: Whole
    partner: Whole
    zone: Whole

    def __len__(self) -> int:
        return len(self.energy)

    def rows(self, chosen: ArrayLike) -> "Orders":
        """Return some of the orders, in the order asked for."""
        return Orders(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @classmethod
    def of(cls, energy: ArrayLike, price: ArrayLike, **attributes: ArrayLike) -> "Orders":
        """Return orders from columns; attributes not given have their neutral value.

        Raises
        ------
        FieldError
            A column that is not known, of another length, or holds what no order may.
        """
        energies = _column("energy", energy, 1, MAX_ENERGY)
        size = len(energies)
        for name in attributes:
            if name not in _LIMITS:
                raise FieldError(name, f"is no attribute of an order: {', '.join(_LIMITS)}")
        columns = {
            name: _column(name, attributes[name], low, high, size)
            if name in attributes
            else np.full(size, neutral)
            for name, (low, high, neutral) in _LIMITS.items()
        }
        crossed = columns["start"] >= columns["end"]
        if crossed.any():
            raise FieldError(f"end[{crossed.argmax()}]", "is not after the window's start")
        whole = columns.pop("whole").astype(np.bool_)
        prices = _column("price", price, 0, MAX_PRICE, size)
        return cls(energy=energies, price=prices, whole=whole, **columns)


_LIMITS: Mapping[str, tuple[int, int, int]] = {
    "owner": (NOBODY, 2**31, NOBODY),
    "whole": (0, 1, 0),
    "location": (-MAX_PRICE, MAX_PRICE, 0),
    "min_reputation": (0, MAX_SCORE, 0),
    "start": (0, ALWAYS, 0),
    "end": (0, ALWAYS, ALWAYS),
    "source": (0, 2**31, ANY),
    "partner": (NOBODY, 2**31, NOBODY),
    "zone": (0, 2**31, ANY),
}
"""Lowest and highest value of each attribute, and the one that says nothing."""


def _column(name: str, given: ArrayLike, low: int, high: int, size: int | None = None) -> Whole:
    """Return a column of whole numbers, each within its limits."""
    values = np.asarray(given)
    if values.ndim != 1 or (size is not None and len(values) != size):
        expected = "one value per order" if size is None else f"{size} values, one per order"
        raise FieldError(name, f"has the shape {values.shape}, expected {expected}")
    if not len(values):
        return np.zeros(0, np.int64)
    if values.dtype.kind not in "biu":
        _require_whole(name, values)
    outside = (values < low) | (values > high)
    if outside.any():
        row = int(outside.argmax())
        raise FieldError(f"{name}[{row}]", f"is {values[row]}, not within {low} and {high}")
    return values.astype(np.int64)


def _require_whole(name: str, values: NDArray[np.generic]) -> None:
    """Floats and objects are taken if each is a whole number; NaN, text and halves are not."""
    for row, value in enumerate(values.tolist()):
        if isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer()):
            continue
        raise FieldError(f"{name}[{row}]", f"is {value!r}, expected a whole number")


def _owned(orders: Orders, first: int) -> Orders:
    """Return orders with an owner each, counted from `first` where they name none."""
    if (orders.owner != NOBODY).all():
        return orders
    if (orders.owner != NOBODY).any():
        row = int((orders.owner == NOBODY).argmax())
        raise FieldError(f"owner[{row}]", "names nobody, while other orders name their owners")
    return replace(orders, owner=first + np.arange(len(orders)))


@dataclass(frozen=True, eq=False)
class OrderBook:
    """A closed book of one tier and interval.

    Attributes
    ----------
    reputation
        Of every owner. (owner,) [ppm]
    pairs
        What the wires cost between two locations, the cap and the floor.
    max_fills
        Most fills that one bid may have: what it reserved the rounding for.
    seed
        Of the closed book: where a mechanism draws lots, it draws from this.
    """

    bids: Orders
    offers: Orders
    reputation: Whole
    pairs: Pairs = NO_CHARGE
    max_fills: int = 2**31
    seed: bytes = b""

    @classmethod
    def of(
        cls,
        bids: Orders,
        offers: Orders,
        reputation: ArrayLike | None = None,
        pairs: Pairs = NO_CHARGE,
        max_fills: int = 2**31,
        seed: bytes = b"",
    ) -> "OrderBook":
        """Return a book; without reputations everybody has the highest, 1.

        Owners of bids and offers are the same people by number. A side that names none has as many
        as it has orders, all of them on no other side.

        Raises
        ------
        FieldError
            An owner without reputation.
        """
        bids = _owned(bids, 1 + int(offers.owner.max(initial=-1)))
        offers = _owned(offers, 1 + int(bids.owner.max(initial=-1)))
        people = 1 + max(int(bids.owner.max(initial=-1)), int(offers.owner.max(initial=-1)))
        scores = (
            np.full(people, 1_000_000)
            if reputation is None
            else _column("reputation", reputation, 0, MAX_SCORE)
        )
        if len(scores) < people:
            raise FieldError("reputation", f"has {len(scores)} values, expected {people} owners")
        return cls(bids, offers, scores, pairs, max_fills, seed)

    @cached_property
    def asked(self) -> Whole:
        """Return the price at which each offer trades: its own, lifted to the floor."""
        floor, price = self.pairs.floor, self.offers.price
        return np.maximum(price, floor) if floor else price

    @cached_property
    def merit(self) -> Whole:
        """Return the rows of the offers in merit order: price, higher reputation, row."""
        standing = -self.reputation[self.offers.owner]
        return np.lexsort((standing, self.asked))

    @cached_property
    def is_plain(self) -> bool:
        """Say whether every pair may trade that agrees on the price, at one charge.

        Then a mechanism need not look at pairs: one location, no wishes that somebody does not
        meet, nobody on both sides.
        """
        bids, offers = self.bids, self.offers
        return (
            not (bids.source.any() or bids.zone.any())
            and bool((bids.end == ALWAYS).all())
            and not (bids.whole.any() or offers.whole.any())
            and bool((bids.partner == NOBODY).all())
            and self._in_one_place
            and self._all_reputed
            and not self._on_both_sides
        )

    @property
    def _in_one_place(self) -> bool:
        here, there = self.bids.location, self.offers.location
        first = here[0] if len(here) else 0
        return bool((here == first).all() and (there == first).all())

    @property
    def _all_reputed(self) -> bool:
        """Say whether every seller has the reputation that every bid asks for."""
        least = int(self.bids.min_reputation.max(initial=0))
        return not least or bool((self.reputation[self.offers.owner] >= least).all())

    @property
    def _on_both_sides(self) -> bool:
        """Say whether anybody both buys and sells."""
        buys = np.zeros(len(self.reputation), np.bool_)
        buys[self.bids.owner] = True
        return bool(buys[self.offers.owner].any())

    def charge(self, bid: int | Whole, offer: int | Whole) -> Whole:
        """Return the network charge of pairs of rows. [micro-units per kWh]"""
        return self._terms(bid, offer)[0]

    def ceiling(self, bid: int | Whole, offer: int | Whole) -> Whole:
        """Return the highest price of pairs of rows: the bid's own, or the pair's cap if lower.

        `caps.NO_TRADE` where the pair may not trade at any price.
        """
        return np.minimum(self.bids.price[bid], self._terms(bid, offer)[1])

    def may_trade(self, bid: int | Whole, offer: int | Whole) -> Flags:
        """Say of pairs of rows whether both sides and the rules accept each other, price apart."""
        bids, offers = self.bids, self.offers
        wanted, there = bids.source[bid], bids.zone[bid]
        here = offers.zone[offer]
        return np.asarray(
            (bids.owner[bid] != offers.owner[offer])
            & (self.reputation[offers.owner[offer]] >= bids.min_reputation[bid])
            & (
                (bids.end[bid] == ALWAYS)
                | (offers.start[offer] <= bids.start[bid]) & (bids.end[bid] <= offers.end[offer])
            )
            & ((wanted == ANY) | ((wanted & offers.source[offer]) != 0))
            & ((there == ANY) | (here == ANY) | (there == here))
        )

    def _terms(self, bid: int | Whole, offer: int | Whole) -> tuple[Whole, Whole]:
        return self.pairs.by_difference(self.bids.location[bid] - self.offers.location[offer])
