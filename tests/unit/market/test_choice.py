"""Mechanisms by name, with settings, and what their fills may cost."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from tests.unit.market.book_case import bid, both, market, offer

from gridpact.errors import BadInput, InvalidClearing
from gridpact.market import choice, mechanisms
from gridpact.market.book import OrderBook
from gridpact.market.clearing import Pricing, verify
from gridpact.market.mechanism import Budget, Claims, Clearing
from gridpact.market.mechanisms import Known
from gridpact.model.market import MarketTerms


@dataclass(frozen=True)
class Steep:
    """A mechanism with settings."""

    share: float = 0.5
    rounds: int = 3

    def __call__(self, _book: OrderBook) -> Clearing:
        return Clearing.of([])


@pytest.fixture(autouse=True)
def steep(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dict(mechanisms.MECHANISMS)
    table["steep"] = Known(Steep(), Claims())
    table["levying"] = Known(Steep(), Claims(budget=Budget.SURPLUS))
    monkeypatch.setattr(mechanisms, "MECHANISMS", table)


def test_settings_replace_a_mechanisms_own() -> None:
    assert choice.chosen(MarketTerms("steep")).match == Steep()
    terms = MarketTerms("steep", (("rounds", 7),))
    assert choice.chosen(terms).match == Steep(rounds=7)
    assert choice.settings_of(Steep()) == {"share": 0.5, "rounds": 3}


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (MarketTerms("steep", (("pace", 7),)), "no setting 'pace', there are: share, rounds"),
        (MarketTerms("merit_order", (("pace", 7),)), "no setting 'pace', there are: none"),
        (MarketTerms("lottery"), "'lottery' is not known"),
    ],
)
def test_what_is_not_there_is_refused(terms: MarketTerms, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        choice.chosen(terms)


@pytest.mark.parametrize(
    ("name", "pricing"),
    [
        ("merit_order", Pricing.OFFER),
        ("steep", Pricing.BETWEEN),
        ("levying", Pricing.LEVIED),
    ],
)
def test_a_fill_may_cost_what_its_mechanism_allows(name: str, pricing: Pricing) -> None:
    assert choice.pricing(MarketTerms(name)) is pricing


@pytest.mark.parametrize(
    ("pricing", "price", "charge", "says"),
    [
        (Pricing.OFFER, 150_000, 40_000, ""),
        (Pricing.OFFER, 150_001, 40_000, "not priced at its offer"),
        (Pricing.BETWEEN, 149_999, 40_000, "costs 149999, below its offer's 150000"),
        (Pricing.BETWEEN, 160_000, 40_000, ""),
        (Pricing.BETWEEN, 160_001, 40_000, "costs 160001, above its bid's 160000"),
        (Pricing.BETWEEN, 155_000, 40_001, "charged 40001, not 40000"),
        (Pricing.LEVIED, 155_000, 45_000, ""),
        (Pricing.LEVIED, 155_000, 45_001, "costs 160001, above its bid's 160000"),
        (Pricing.LEVIED, 155_000, 39_999, "charged 39999, not 40000"),
    ],
)
def test_prices_stay_between_the_orders(
    pricing: Pricing, price: int, charge: int, says: str
) -> None:
    case = market([bid(1, 100, 160_000), offer(2, 100)])
    (fill,) = (replace(one, price=price, charge=charge) for one in case.clear())
    if not says:
        verify(case.orders, [fill], both(case.prices), case.buses, case.scores, pricing)
        return
    with pytest.raises(InvalidClearing, match=says):
        verify(case.orders, [fill], both(case.prices), case.buses, case.scores, pricing)
