"""What every contract counts time by is sound before the first interval."""

import pytest
from tests.contracts.harness import World, refused

from gridpact.model.record import Timing


@pytest.mark.parametrize(
    ("timing", "reason"),
    [
        (Timing(seconds=0), "clock: no interval"),
        (Timing(begins=2**64), "clock: no moment"),
        (Timing(seconds=2**64), "clock: no moment"),
    ],
)
def test_a_market_without_measurable_time_is_not_founded(timing: Timing, reason: str) -> None:
    with refused(reason):
        World(timing=timing)
