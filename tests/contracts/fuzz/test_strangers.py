"""A stranger calls every function there is: refused with a reason, or nobody else is the poorer."""

import pytest
from tests.contracts.fuzz import surface
from tests.contracts.fuzz.everything import market
from tests.contracts.fuzz.test_calls_out import plain
from tests.contracts.fuzz.watched import Watched
from tests.contracts.harness import ANN, STRANGER
from tests.contracts.reading import Contract, call

from gridpact.errors import Reverted

FREE = {
    # what anybody may do for itself, and what moves nothing
    "currency.approve",
    "registry.apply",
}


@pytest.fixture(scope="module")
def watched() -> Watched:
    world, _ = market()
    return world


@pytest.mark.parametrize("contract", Contract)
def test_a_stranger_is_refused_with_a_reason(watched: Watched, contract: Contract) -> None:
    allowed = set()
    for selector, entry in surface.functions(contract).items():
        watched.begin()
        given = (plain(one, ANN) for one in entry["inputs"])
        data = call(contract, entry["name"], *given)
        assert data[:4] == selector
        try:
            watched.raw(contract, data, STRANGER)
        except Reverted:
            continue
        allowed.add(f"{contract.value}.{entry['name']}")
        watched.moved = True
        watched.require_money()
    assert allowed <= FREE
