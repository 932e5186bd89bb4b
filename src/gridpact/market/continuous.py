"""The continuous double auction: a price-time book over the interval.

Orders come one after the other. Each takes from the standing orders of the other side, the best
price first and at equal price the one that came first, at **their** price; what is left of it
stands in the book. Who comes when decides who trades, so neither welfare nor fairness among rows
is claimed.

Without times the order of arrival is that of the rows, a bid before the offer of the same row.
An order that may not trade with a standing one passes it over. All-or-nothing orders trade when
they arrive or find one order for all of it later, or stand for ever. A standing bid above the
pair's ceiling trades at the ceiling.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from gridpact.errors import FieldError
from gridpact.market.book import OrderBook, Whole
from gridpact.market.curves import plain_values
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.serving import serve

CLAIMS = Claims(fair=False)

Row = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Continuous:
    """The auction with its orders' times of arrival; a side without times comes in row order."""

    bid_times: Whole | None = None
    offer_times: Whole | None = None

    def __call__(self, book: OrderBook) -> Clearing:
        """Return the fills in the order in which they come about."""
        bid_times = _times("bid_times", self.bid_times, len(book.bids))
        offer_times = _times("offer_times", self.offer_times, len(book.offers))
        run = (_Plain if book.is_plain else _Conditional)(book, bid_times, offer_times)
        rows: list[Row] = []
        sides = np.repeat([0, 1], [len(bid_times), len(offer_times)])
        places = np.concatenate([np.arange(len(bid_times)), np.arange(len(offer_times))])
        order = np.lexsort((places, sides, np.concatenate([bid_times, offer_times])))
        for side, row in zip(sides[order].tolist(), places[order].tolist(), strict=True):
            rows += run.offer_comes(row) if side else run.bid_comes(row)
        return Clearing.of(rows)


match = Continuous()
"""The auction in row order."""


def _times(name: str, given: Whole | None, count: int) -> Whole:
    if given is None:
        return np.arange(count)
    if len(given) != count:
        raise FieldError(name, f"has {len(given)} entries, expected {count}, one per order")
    return given


class _Plain:
    """A book in which everybody may trade with everybody: two heaps, the best order on top."""

    def __init__(self, book: OrderBook, bid_times: Whole, offer_times: Whole) -> None:
        values = plain_values(book)
        self.most = book.max_fills
        self.bid, self.offer = values.bid.tolist(), values.offer.tolist()
        self.bid_times, self.offer_times = bid_times.tolist(), offer_times.tolist()
        self.bid_left, self.offer_left = book.bids.energy.tolist(), book.offers.energy.tolist()
        self.fills = [0] * len(self.bid)
        self.bids: list[tuple[int, int, int]] = []
        self.offers: list[tuple[int, int, int]] = []

    def bid_comes(self, bid: int) -> list[Row]:
        rows: list[Row] = []
        while self._open(bid) and self.offers and self.offers[0][0] <= self.bid[bid]:
            offer = self.offers[0][2]
            rows.append(self._take(bid, offer, self.offer[offer]))
            if not self.offer_left[offer]:
                heappop(self.offers)
        if self._open(bid):
            heappush(self.bids, (-self.bid[bid], self.bid_times[bid], bid))
        return rows

    def offer_comes(self, offer: int) -> list[Row]:
        rows: list[Row] = []
        while self.offer_left[offer] and self.bids and -self.bids[0][0] >= self.offer[offer]:
            bid = self.bids[0][2]
            rows.append(self._take(bid, offer, self.bid[bid]))
            if not self._open(bid):
                heappop(self.bids)
        if self.offer_left[offer]:
            heappush(self.offers, (self.offer[offer], self.offer_times[offer], offer))
        return rows

    def _open(self, bid: int) -> bool:
        return self.bid_left[bid] > 0 and self.fills[bid] < self.most

    def _take(self, bid: int, offer: int, price: int) -> Row:
        energy = min(self.bid_left[bid], self.offer_left[offer])
        self.bid_left[bid] -= energy
        self.offer_left[offer] -= energy
        self.fills[bid] += 1
        return bid, offer, energy, price


class _Conditional:
    """A book in which pairs are judged one by one."""

    def __init__(self, book: OrderBook, bid_times: Whole, offer_times: Whole) -> None:
        self.book = book
        self.bids = np.lexsort((bid_times, -book.bids.price))
        self.offers = np.lexsort((offer_times, book.asked))
        self.bid_left, self.offer_left = book.bids.energy.copy(), book.offers.energy.copy()
        self.bid_here = np.zeros(len(book.bids), np.bool_)
        self.offer_here = np.zeros(len(book.offers), np.bool_)
        self.fills = np.zeros(len(book.bids), np.int64)

    def bid_comes(self, bid: int) -> list[Row]:
        book = self.book
        self.bid_here[bid] = True
        stand = self.offers[self.offer_here[self.offers] & (self.offer_left[self.offers] > 0)]
        fits = book.may_trade(bid, stand) & (book.asked[stand] <= book.ceiling(bid, stand))
        served = serve(book, bid, stand[fits], self.offer_left)
        self.bid_left[bid] -= sum(part.energy for part in served)
        self.fills[bid] += len(served)
        return [(bid, offer, energy, int(book.asked[offer])) for offer, energy in served]

    def offer_comes(self, offer: int) -> list[Row]:
        book, rows = self.book, list[Row]()
        self.offer_here[offer] = True
        stand = self.bids[self.bid_here[self.bids] & (self.bid_left[self.bids] > 0)]
        stand = stand[self.fills[stand] < book.max_fills]
        ceiling = book.ceiling(stand, offer)
        fits = book.may_trade(stand, offer) & (book.asked[offer] <= ceiling)
        for bid, price in zip(stand[fits].tolist(), ceiling[fits].tolist(), strict=True):
            energy = min(int(self.bid_left[bid]), int(self.offer_left[offer]))
            if not energy or self._cuts_a_whole_order(bid, offer, energy):
                continue
            self.bid_left[bid] -= energy
            self.offer_left[offer] -= energy
            self.fills[bid] += 1
            rows.append((bid, offer, energy, price))
        return rows

    def _cuts_a_whole_order(self, bid: int, offer: int, energy: int) -> bool:
        bids, offers = self.book.bids, self.book.offers
        return bool(
            (bids.whole[bid] and energy < bids.energy[bid])
            or (offers.whole[offer] and energy < offers.energy[offer])
        )
