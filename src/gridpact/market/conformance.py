"""Does a mechanism keep the market's rules and its own promises? A kit for anybody's own.

    from gridpact.market.conformance import check

    report = check(my_mechanism, Claims(welfare=1_000_000))
    assert report.holds, report

or `python -m gridpact.market.conformance my_package.my_module:my_mechanism`. The mechanism is run
on books out of the corners of the rules and on random ones; of what it breaks, the smallest book
found is shown. `conformance_rules` has the rules, `conformance_books` the books.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module

import numpy as np

from gridpact.errors import BadInput
from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import NO_CHARGE
from gridpact.market.conformance_books import Named, corners, random_books
from gridpact.market.conformance_rules import RULES, Rule, form
from gridpact.market.mechanism import Budget, Claims, Clearing, Mechanism
from gridpact.market.mechanisms import MECHANISMS
from gridpact.quantities import PPM

RAISES = "never raises"
ALL = (RAISES, *RULES)
NOTHING = Claims(welfare=0)
"""What is claimed of a mechanism that says nothing: balanced, rational and fair."""
TRIES = 2000
"""Most smaller books that are tried for each rule that is broken."""


@dataclass(frozen=True, eq=False)
class Failure:
    """A rule that is broken: how, on which of the books, and the smallest book that shows it."""

    rule: str
    problem: str
    where: str
    book: OrderBook

    def __str__(self) -> str:
        return f"{self.rule}: {self.problem}\n  (book: {self.where}; made smaller:)\n" + "\n".join(
            f"    {line}" for line in described(self.book)
        )


@dataclass(frozen=True)
class Report:
    """What came of a check; `print` it to read it."""

    books: int
    failures: tuple[Failure, ...]

    @property
    def holds(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        if self.holds:
            return f"every rule and claim holds on {self.books} books"
        broken = f"{len(self.failures)} rules or claims are broken (tried on {self.books} books)"
        return "\n\n".join([broken, *map(str, self.failures)])


def check(
    mechanism: Mechanism,
    claims: Claims = NOTHING,
    seeds: Sequence[int] = range(40),
    books: Iterable[Named] = (),
) -> Report:
    """Try a mechanism on all corners, on random books of each seed, and on books of one's own.

    Each rule is reported once, by the first book that breaks it, made as small as was found.
    """
    found: dict[str, Failure] = {}
    count = 0
    for named in (*corners(), *random_books(seeds), *books):
        count += 1
        open_ = [rule for rule in ALL if rule not in found]
        for rule, problem in problems(mechanism, claims, named.book, open_).items():
            book, problem = _smallest(mechanism, claims, named.book, rule, problem)
            found[rule] = Failure(rule, problem, named.name, book)
    return Report(count, tuple(found.values()))


def problems(
    mechanism: Mechanism, claims: Claims, book: OrderBook, rules: Iterable[str] = ALL
) -> dict[str, str]:
    """Return how a mechanism breaks some of the rules on one book.

    Where it raises or its columns have no form nothing else can be judged.
    """
    asked = set(rules)
    try:
        cleared = mechanism(book)
    except Exception as error:  # noqa: BLE001  somebody else's code may raise anything
        return {RAISES: f"{type(error).__name__}: {error}"} if RAISES in asked else {}
    if shapeless := form(mechanism, claims, book, cleared):
        return {"form": shapeless} if "form" in asked else {}
    said = {
        name: _judged(rule, mechanism, claims, book, cleared)
        for name, rule in RULES.items()
        if name in asked
    }
    return {name: problem for name, problem in said.items() if problem}


def _judged(
    rule: Rule, mechanism: Mechanism, claims: Claims, book: OrderBook, cleared: Clearing
) -> str:
    """Return what a rule says; some run the mechanism again, on a book slightly changed."""
    try:
        return rule(mechanism, claims, book, cleared)
    except Exception as error:  # noqa: BLE001  as above
        return f"raises {type(error).__name__} on the book slightly changed: {error}"


def _smallest(
    mechanism: Mechanism, claims: Claims, book: OrderBook, rule: str, problem: str
) -> tuple[OrderBook, str]:
    """Return the smallest book found that breaks a rule, and how it does."""
    tries = 0
    simpler = _simpler(book)
    while tries < TRIES and (candidate := next(simpler, None)) is not None:
        tries += 1
        if said := problems(mechanism, claims, candidate, [rule]):
            book, problem = candidate, said[rule]
            simpler = _simpler(book)
    return book, problem


def _simpler(book: OrderBook) -> Iterator[OrderBook]:
    """Yield books with fewer orders, less energy, or fewer conditions."""
    for side in ("bids", "offers"):
        orders: Orders = getattr(book, side)
        size = len(orders)
        cut = size
        while cut:
            for start in range(0, size, cut):
                rows = np.r_[0:start, start + cut : size].astype(np.int64)
                yield _changed(book, side, orders.rows(rows))
            cut //= 2
    for side in ("bids", "offers"):
        orders = getattr(book, side)
        for row in np.flatnonzero(orders.energy > 1).tolist():
            energy = orders.energy.copy()
            energy[row] = 1
            yield _changed(book, side, replace(orders, energy=energy))
        for name, neutral in _neutral().items():
            if (getattr(orders, name) != neutral).any():
                column = np.full_like(getattr(orders, name), neutral)
                yield _changed(book, side, replace(orders, **{name: column}))
    if book.pairs is not NO_CHARGE:
        yield replace(book, pairs=NO_CHARGE)


def _changed(book: OrderBook, side: str, orders: Orders) -> OrderBook:
    return replace(book, bids=orders) if side == "bids" else replace(book, offers=orders)


def _neutral() -> dict[str, int]:
    """Return what each attribute is when it says nothing."""
    one = Orders.of([1], [0])
    names = (one.name for one in fields(one))
    return {
        name: getattr(one, name)[0] for name in names if name not in ("owner", "energy", "price")
    }


def described(book: OrderBook) -> list[str]:
    """Return a book as lines of text; attributes that say nothing are left out."""
    lines = []
    for name, orders in (("bid", book.bids), ("offer", book.offers)):
        for row in range(len(orders)):
            said = {
                field: getattr(orders, field)[row]
                for field, neutral in _neutral().items()
                if getattr(orders, field)[row] != neutral
            }
            more = "".join(f", {field} {value}" for field, value in said.items())
            owner = orders.owner[row]
            lines.append(
                f"{name} {row}: {orders.energy[row]} Wh at {orders.price[row]}, owner {owner}{more}"
            )
    if (book.reputation != PPM).any():
        lines.append(f"reputation by owner: {book.reputation.tolist()}")
    if book.pairs is not NO_CHARGE:
        lines.append(f"wires: {book.pairs}")
    return [*(lines or ["no orders"]), f"max_fills {book.max_fills}, seed {book.seed!r}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names; 0 if all holds, 1 if not, 2 for a name that is none."""
    given = _parser().parse_args(arguments)
    try:
        mechanism, claims = _named(given.mechanism)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    report = check(mechanism, _claimed(claims, given), range(given.seeds))
    print(report)
    return 0 if report.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gridpact.market.conformance",
        description="Check a mechanism: energy in Wh, prices in micro-units per kWh.",
    )
    known = ", ".join(MECHANISMS)
    parser.add_argument("mechanism", help=f"module:function, or one of {known}")
    parser.add_argument("--seeds", type=int, default=40, help="random books of each kind")
    parser.add_argument("--budget", choices=[str(one) for one in Budget])
    parser.add_argument("--welfare", type=int, help="share of the best welfare claimed [ppm]")
    for name in ("rational", "truthful", "fair"):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction)
    return parser


def _named(name: str) -> tuple[Mechanism, Claims]:
    """Return a mechanism by its name or place, and the claims that stand beside it."""
    if name in MECHANISMS:
        return MECHANISMS[name]
    module_name, _, attribute = name.partition(":")
    if not attribute:
        known = ", ".join(MECHANISMS)
        raise BadInput(f"mechanism {name!r} is not known, expected module:function or {known}")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise BadInput(f"mechanism {name!r}: {error}") from None
    if not callable(found := getattr(module, attribute, None)):
        raise BadInput(f"mechanism {name!r}: {module_name} has no function {attribute}")
    return found, getattr(module, "CLAIMS", NOTHING)


def _claimed(claims: Claims, given: argparse.Namespace) -> Claims:
    """Return claims with those that the command line names."""
    names = ("budget", "welfare", "rational", "truthful", "fair")
    told = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    if "budget" in told:
        told["budget"] = Budget(told["budget"])
    return replace(claims, **told)


if __name__ == "__main__":
    sys.exit(main())
