"""A stranger calls every function there is: refused with a reason, or nobody else is the poorer."""

from tests.contracts.fuzz.anybody import sweep
from tests.contracts.fuzz.everything import market
from tests.contracts.harness import STRANGER

FREE = {"currency.approve", "registry.apply", "registry.add_deposits", "clearing.check_order"}
"""What anybody may do for itself, and what moves nothing: deposits, where nobody signed any."""


def test_a_stranger_is_refused_everywhere_with_a_reason() -> None:
    world, _ = market()
    assert sweep(world, STRANGER) <= FREE
