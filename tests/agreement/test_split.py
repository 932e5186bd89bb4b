"""`settlement/split.py` and `split.vy` split a lock alike, to the last micro-unit."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement.conftest import Ask

from gridpact.ledger.onchain import packing
from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import MAX_ENERGY, MAX_PRICE, PPM, Score
from gridpact.settlement.split import split

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "settlement.json").read_text())
NAMES = ("paid", "charge", "fee_seller", "fee_network", "refund", "reward", "claim")


def _fill(energy: int, price: int, charge: int) -> Fill:
    name = bytes(range(32))
    return Fill(name, 1, Tier.LOCAL, 0, name, name, name[:20], name[12:], energy, price, charge)


def _agreed(
    rule: Ask, fill: Fill, delivery: Delivery, terms: SettlementTerms, loss_share: Score
) -> Statement:
    """Return the statement of the Python rule after the contract has come to the same."""
    numbers = [getattr(terms, name) for name in VECTORS["terms"]]
    there = rule("settle", fill.terms, packing.delivery(delivery), *numbers, loss_share)
    here = split(fill, delivery, terms, loss_share)
    assert there == (int(here.case), *(getattr(here, name) for name in NAMES), 0, 0)
    return here


@pytest.mark.parametrize("vector", VECTORS["fills"])
def test_both_come_to_the_frozen_numbers(rule: Ask, vector: dict[str, Any]) -> None:
    *numbers, disputed = vector["delivery"]
    agreed, sent, received, unused, unused_sent, held = numbers
    fill = _fill(agreed + unused + held, vector["price"], vector["chargePrice"])
    delivery = Delivery(fill.hash, agreed, sent, received, unused, unused_sent, held, disputed)
    terms = SettlementTerms(**VECTORS["terms"])
    statement = _agreed(rule, fill, delivery, terms, VECTORS["lossShare"])
    assert fill.lock == vector["lock"]
    assert (int(statement.case), *(getattr(statement, name) for name in NAMES)) == (
        vector["case"],
        *(vector[name] for name in NAMES),
    )


def test_the_frozen_numbers_show_every_case() -> None:
    assert {vector["case"] for vector in VECTORS["fills"]} == {int(case) for case in Case}


shares = st.integers(0, PPM)
prices = st.integers(0, MAX_PRICE) | st.integers(0, 400_000)
terms_drawn = st.builds(
    SettlementTerms,
    tau=shares,
    eps=shares,
    eps_floor_wh=st.integers(0, 10_000),
    kappa=st.integers(0, 3 * PPM),
    reward=shares,
    unused_fee=prices,
    feed_in=prices,
    loss_fund_share=shares,
)


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Draw what can become of a fill; often near the limits between two cases."""
    most = draw(st.sampled_from([20, 10_000, MAX_ENERGY // 3]))
    agreed, unused, held = (draw(st.integers(0, most)) for _ in range(3))
    missing = draw(st.integers(0, agreed) | st.integers(0, agreed // 40))
    lost = draw(st.integers(-20, agreed // 10 + 20))
    sent = agreed - missing
    received = max(0, min(sent - lost, MAX_ENERGY))
    unused_sent = draw(st.integers(0, unused))
    disputed = draw(st.integers(0, 9)) == 0
    return Delivery(bytes(32), agreed, sent, received, unused, unused_sent, held, disputed)


@settings(max_examples=400, deadline=None)
@given(
    delivery=deliveries(),
    price=prices,
    charge=prices,
    terms=st.just(SettlementTerms()) | terms_drawn,
    loss_share=st.integers(0, 100_000) | shares,
)
def test_both_split_every_lock_alike(
    rule: Ask,
    delivery: Delivery,
    price: int,
    charge: int,
    terms: SettlementTerms,
    loss_share: Score,
) -> None:
    fill = _fill(delivery.agreed + delivery.unused + delivery.held, price, charge)
    _agreed(rule, fill, delivery, terms, loss_share)
