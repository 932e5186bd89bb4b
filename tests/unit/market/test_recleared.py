"""A clearing that the mechanism did not make is found, whatever the chain let pass."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.unit.market.book_case import SEED, Market, bid, market, offer, person

from gridpact.crypto.eip712 import Domain
from gridpact.market.caps import Pairs
from gridpact.market.choice import chosen
from gridpact.market.local_book import cleared
from gridpact.market.recleared import other_fill, recleared
from gridpact.model.market import MarketTerms
from gridpact.model.order import Code, Refusal, Tier
from gridpact.model.record import Book, Cleared
from gridpact.model.trade import Cut, Fill

DOMAIN = Domain(1, b"\0" * 20)


def case() -> Market:
    book = [bid(1, 1000, 300_000), bid(2, 1500, 250_000)]
    book += [offer(3 + n, 900, 100_000 + 20_000 * n) for n in range(3)]
    return market(book)


def made(of: Market, terms: MarketTerms) -> tuple[Fill, ...]:
    pairs = Pairs.of(of.prices, Tier.LOCAL)
    return cleared(chosen(terms).match, of.book, pairs, of.buses, of.scores, SEED)


def posted(of: Market, fills: Sequence[Fill], **rest: tuple[object, ...]) -> Cleared:
    scores = tuple(of.scores[one.order.participant] for one in of.book)
    names = ("unmet", "cuts", "limits", "refusals", "binding")
    empty: dict[str, tuple[object, ...]] = dict.fromkeys(names, ())
    return Cleared(tuple(fills), **empty | rest, scores=scores)  # type: ignore[arg-type]


def judged(of: Market, terms: MarketTerms, there: Cleared) -> str:
    book = Book(SEED, of.book, ())
    return other_fill(recleared(terms, book, of.prices, there, of.buses, DOMAIN), there)


@pytest.mark.parametrize("name", ["merit_order", "uniform_price", "seller_choice"])
def test_the_mechanisms_own_clearing_is_found_in_order(name: str) -> None:
    terms, market_case = MarketTerms(name), case()
    fills = made(market_case, terms)
    assert len(fills) > 1
    assert judged(market_case, terms, posted(market_case, fills)) == ""


@pytest.mark.parametrize(
    "change",
    [{"price": 1}, {"energy_wh": -1}, {"charge": 1}],
)
def test_a_changed_fill_is_found_under_any_mechanism(change: dict[str, int]) -> None:
    terms, market_case = MarketTerms("uniform_price"), case()
    first, *others = made(market_case, terms)
    wrong = replace(first, **{name: getattr(first, name) + by for name, by in change.items()})
    said = judged(market_case, terms, posted(market_case, (wrong, *others)))
    assert said == "local fill 0 is not the one that the mechanism makes"


def test_a_clearing_by_another_mechanism_is_found() -> None:
    market_case = case()
    fills = made(market_case, MarketTerms("merit_order"))
    there = posted(market_case, fills)
    assert judged(market_case, MarketTerms("merit_order"), there) == ""
    assert "not the one" in judged(market_case, MarketTerms("uniform_price"), there)


def test_an_omitted_fill_is_found() -> None:
    market_case = case()
    fills = made(market_case, MarketTerms())
    said = judged(market_case, MarketTerms(), posted(market_case, fills[:-1]))
    assert said == f"{len(fills) - 1} local fills, the mechanism makes {len(fills)}"


def test_what_the_wires_cut_is_taken_as_stated() -> None:
    market_case = case()
    fills = made(market_case, MarketTerms())
    last = fills[-1]
    less = (*fills[:-1], replace(last, energy_wh=last.energy_wh - 100))
    cut = Cut(last.seller, 0, 100, "voltage", 1)
    assert judged(market_case, MarketTerms(), posted(market_case, less, cuts=(cut,))) == ""
    other = replace(cut, participant=person(99))
    assert "not the one" in judged(market_case, MarketTerms(), posted(market_case, less))
    assert "not the one" in judged(
        market_case, MarketTerms(), posted(market_case, less, cuts=(other,))
    )


def test_where_limits_conflict_nothing_trades_and_every_fill_is_refused() -> None:
    market_case = case()
    fills = made(market_case, MarketTerms())
    refusals = tuple(Refusal(one.offer, one.seller, Code.GRID, "conflict") for one in fills)
    assert judged(market_case, MarketTerms(), posted(market_case, (), refusals=refusals)) == ""
    assert "0 local fills" in judged(market_case, MarketTerms(), posted(market_case, ()))
