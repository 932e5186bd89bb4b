"""The kit itself, and every mechanism that gridpact knows by name run through it."""

import time
from dataclasses import replace

import numpy as np
import pytest

from gridpact.market import pay_as_bid, uniform_price, vickrey
from gridpact.market.book import OrderBook
from gridpact.market.conformance import RAISES, check, main, problems
from gridpact.market.conformance_books import KINDS, corners, of_rows
from gridpact.market.mechanism import Claims, Clearing, Mechanism
from gridpact.market.mechanisms import MECHANISMS
from gridpact.quantities import PPM

PROMISED = uniform_price.CLAIMS


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_keeps_the_rules_and_what_it_claims(name: str) -> None:
    known = MECHANISMS[name]
    report = check(known.match, known.claims, range(20))
    assert report.holds, str(report)
    assert report.books == len(list(corners())) + 20 * len(KINDS)


def creating(book: OrderBook) -> Clearing:
    """Sell each bid what it wants, whatever is left (HAMLET: 25 of 20 Wh)."""
    fills = uniform_price.match(book)
    return replace(fills, energy=np.minimum(fills.energy + 5, book.bids.energy[fills.bid]))


def crashing(book: OrderBook) -> Clearing:
    """Take the first fill's price, there is always one (pymarket)."""
    fills = uniform_price.match(book)
    return replace(fills, uniform=int(fills.price[0]))


def one_trade(book: OrderBook) -> Clearing:
    """Trade the first pair that fits and stop (gsy-framework: 7.5 % of the welfare)."""
    fills = pay_as_bid.match(book)
    return Clearing(*(column[:1] for column in _columns(fills)))


def careless_of_pairs(book: OrderBook) -> Clearing:
    """Clear every book as if everybody might trade with everybody."""
    return pay_as_bid._plain(book)


def at_a_loss(book: OrderBook) -> Clearing:
    fills = uniform_price.match(book)
    return replace(fills, price=fills.price + 1, uniform=None)


def fresh_lots(book: OrderBook) -> Clearing:
    return MECHANISMS["muda"].match(replace(book, seed=time.perf_counter_ns().to_bytes(8, "big")))


def writing(book: OrderBook) -> Clearing:
    fills = uniform_price.match(book)
    book.bids.price.sort()
    return fills


def as_floats(book: OrderBook) -> Clearing:
    fills = uniform_price.match(book)
    return replace(fills, energy=fills.energy.astype(float))


def splitting(book: OrderBook) -> Clearing:
    """Make each fill two: more than a bid has reserved for."""
    fills = MECHANISMS["merit_order"].match(book)
    twice = Clearing(*(np.repeat(column, 2) for column in _columns(fills)))
    energy = twice.energy.copy()
    energy[::2], energy[1::2] = energy[::2] // 2, energy[1::2] - energy[1::2] // 2
    kept = energy > 0
    return Clearing(*(column[kept] for column in _columns(replace(twice, energy=energy))))


def _columns(fills: Clearing) -> tuple[np.ndarray, ...]:
    return fills.bid, fills.offer, fills.energy, fills.price, fills.levy


@pytest.mark.parametrize(
    ("wrong", "claims", "rules"),
    [
        (creating, PROMISED, {"no over-fill"}),
        (crashing, PROMISED, {RAISES}),
        (one_trade, pay_as_bid.CLAIMS, {"welfare"}),
        (careless_of_pairs, pay_as_bid.CLAIMS, {"pairs", "all or nothing"}),
        (vickrey.match, PROMISED, {"budget"}),
        (at_a_loss, PROMISED, {"pairs"}),
        (fresh_lots, MECHANISMS["muda"].claims, {"repeatable"}),
        (writing, PROMISED, {"repeatable"}),
        (as_floats, PROMISED, {"form"}),
        (splitting, Claims(fair=False), {"fills of a bid"}),
        (uniform_price.match, replace(PROMISED, truthful=True), {"truthful"}),
        (MECHANISMS["continuous"].match, Claims(), {"fair"}),
        (MECHANISMS["merit_order"].match, Claims(welfare=PPM, fair=False), {"welfare"}),
    ],
)
def test_a_broken_rule_is_found(wrong: Mechanism, claims: Claims, rules: set[str]) -> None:
    report = check(wrong, claims, range(10))
    assert rules <= {one.rule for one in report.failures}


def test_the_book_shown_is_a_small_one() -> None:
    """One price for all is not truthful: with two orders the price lies between them."""
    report = check(uniform_price.match, replace(PROMISED, truthful=True), range(10))
    [failure] = report.failures
    assert len(failure.book.bids) == len(failure.book.offers) == 1
    assert "gains" in str(report)
    assert "bid 0: 1 Wh at" in str(report)


def test_energy_out_of_nothing_is_shown_on_one_small_book() -> None:
    failure = check(creating, PROMISED, range(3)).failures[0]
    assert failure.rule == "no over-fill"
    assert len(failure.book.bids) + len(failure.book.offers) <= 3


def test_a_book_of_ones_own_is_tried_too() -> None:
    book = of_rows([(30, 10), (30, 10)], [(10, 15), (10, 5)])
    assert set(problems(creating, PROMISED, book)) == {"no over-fill", "welfare"}
    assert problems(uniform_price.match, PROMISED, book) == {}


def test_the_command_line_says_what_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["uniform_price", "--seeds", "2"]) == 0
    assert "every rule and claim holds on" in capsys.readouterr().out
    assert main(["gridpact.market.vickrey:reduced", "--seeds", "5", "--budget", "surplus"]) == 1
    assert "welfare" in capsys.readouterr().out
    assert main(["gridpact.market.merit_order:match", "--seeds", "2"]) == 0
    assert main(["continuous", "--seeds", "5", "--fair"]) == 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nothing", "mechanism 'nothing' is not known, expected module:function or merit_order"),
        ("no.such:thing", "mechanism 'no.such:thing': No module named 'no'"),
        ("gridpact.market.muda:MATCH", "gridpact.market.muda has no function MATCH"),
    ],
)
def test_a_name_that_is_none_is_refused(
    name: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 2
    assert problem in capsys.readouterr().err
