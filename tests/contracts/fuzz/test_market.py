"""Stateful fuzzing of the contracts, a little of it; `make soak` does much more."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_no_disturbance_loses_money_pays_a_lock_twice_or_enters_a_contract_again() -> None:
    from tests.contracts.fuzz.machine import Market

    few = settings(
        max_examples=10,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    Market.counts.clear()
    run_state_machine_as_test(Market, settings=few)
    for what in ("done", "refused", "locked", "locks paid"):
        assert Market.counts[what] > 0, Market.counts
