"""`gridpact solve auction`: one book cleared by a mechanism of `market.mechanisms`.

Prices and quantities are whole numbers of any unit; payments and surplus are price times quantity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from gridpact.errors import BadInput, FieldError
from gridpact.market.book import OrderBook, Orders
from gridpact.market.mechanism import Clearing, Mechanism
from gridpact.market.mechanisms import MECHANISMS
from gridpact.market.totals import energy_of, money_of, worth
from gridpact.quantities import MAX_ENERGY, MAX_PRICE
from gridpact.solve.read import decode

OTHER_NAMES = {"uniform": "uniform_price", "vcg": "vickrey"}
LIMITS = (("price", 0, MAX_PRICE), ("quantity", 1, MAX_ENERGY))


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The JSON as it is asked for."""

    mechanism: str
    bids: list[Any]
    offers: list[Any]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


@dataclass(frozen=True, eq=False)
class Auction:
    """A book, and what clears it."""

    book: OrderBook
    match: Mechanism


@dataclass(frozen=True, eq=False)
class Cleared:
    """A book with its clearing."""

    book: OrderBook
    clearing: Clearing


def request(data: object) -> Auction:
    """Return what JSON data asks for.

    Raises
    ------
    FieldError
        A key that is missing or not known, or a row that is no [price, quantity].
    BadInput
        A mechanism that is not known.
    """
    form = decode(data, _Form)
    name = OTHER_NAMES.get(form.mechanism, form.mechanism)
    if name not in MECHANISMS:
        known = ", ".join([*OTHER_NAMES, *MECHANISMS])
        raise BadInput(f"mechanism: {form.mechanism!r} is not known, expected one of {known}")
    bids, offers = _side("bids", form.bids), _side("offers", form.offers)
    book = OrderBook.of(bids, offers, seed=form.seed.to_bytes(8, "big"))
    return Auction(book, MECHANISMS[name].match)


def _side(name: str, rows: Sequence[object]) -> Orders:
    checked = [_row(f"{name}[{place}]", row) for place, row in enumerate(rows)]
    return Orders.of([quantity for _, quantity in checked], [price for price, _ in checked])


def _row(place: str, row: object) -> tuple[int, int]:
    """Return a row [price, quantity] of whole numbers."""
    if not isinstance(row, list) or len(row) != 2:
        raise FieldError(place, "expected [price, quantity]")
    numbers = []
    for entry, (what, low, high) in enumerate(LIMITS):
        given = row[entry]
        whole = (isinstance(given, float) and given.is_integer()) or type(given) is int
        if not whole:
            raise FieldError(
                f"{place}[{entry}]",
                f"{what} is {given!r}, expected a whole number: choose the unit",
            )
        if not low <= given <= high:
            raise FieldError(f"{place}[{entry}]", f"{what} is {given}, expected {low} to {high}")
        numbers.append(int(given))
    return numbers[0], numbers[1]


def solved(asked: Auction) -> Cleared:
    """Return the book with its fills."""
    return Cleared(asked.book, asked.match(asked.book))


def answer(done: Cleared) -> dict[str, Any]:
    """Return the answer as JSON data: fills, and what each bid pays and each offer gets."""
    book, fills = done.book, done.clearing
    bought = energy_of(fills.bid, fills.energy, len(book.bids))
    paid = fills.price + fills.levy
    sold = energy_of(fills.offer, fills.energy, len(book.offers))
    return {
        "price": fills.uniform,
        "volume": sum(bought),
        "surplus": worth(bought, book.bids.price) - worth(sold, book.offers.price),
        "fills": {"bids": bought, "offers": sold},
        "payments": {
            "bids": money_of(fills.bid, fills.energy, paid, len(book.bids)),
            "offers": money_of(fills.offer, fills.energy, fills.price, len(book.offers)),
        },
    }
