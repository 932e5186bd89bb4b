"""Everybody tries everything: see `everything`. The long campaign is `python -m bench fuzz`."""

import pytest
from hypothesis import HealthCheck, settings
from tests.contracts.fuzz import tour, watched
from tests.contracts.fuzz.everything import Everything, FasterStrict

# the same examples in every run: what a campaign finds becomes a test of its own
SHORT = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestEverything = Everything.TestCase
TestEverything.settings = SHORT
TestFasterStrict = FasterStrict.TestCase
TestFasterStrict.settings = settings(SHORT, max_examples=30)


def test_the_tour_calls_every_function_with_success(monkeypatch: pytest.MonkeyPatch) -> None:
    found = watched.Tally()
    monkeypatch.setattr(watched, "TALLY", found)
    tour.take()
    assert found.never_called() == []
    assert found.checks["every account is worth what events explain"] > 100
