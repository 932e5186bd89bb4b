"""Everybody tries everything: see `everything`. The long campaign is `python -m bench fuzz`."""

from hypothesis import HealthCheck, settings
from tests.contracts.fuzz.everything import Everything

TestEverything = Everything.TestCase
# the same examples in every run: what a campaign finds becomes a test of its own
TestEverything.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
