"""Whatever the input, nothing is lost and nothing appears: random markets, held to every promise.

`python -m bench soak` plays many more. A seed below is a market that once broke a promise.
"""

from pathlib import Path

import pytest
from bench.promises import require_promises
from bench.random_markets import draw
from bench.random_runs import play, require_chains

from gridpact.errors import PowerFlowDiverged

ONCE_BROKEN = (
    13,  # a feed-in tariff above the energy part of retail stopped the day-ahead flow
    16,  # a region without money of its own could not reserve for its consumers
    61,
)
BEYOND_THE_WIRES = 2_136


@pytest.mark.parametrize("seed", [*ONCE_BROKEN, *range(2_000, 2_020)])
def test_random_market_keeps_every_promise(seed: int) -> None:
    require_promises(play(draw(seed, faulty=False), signed=False))


def test_market_whose_load_no_voltage_can_carry_stops_by_name() -> None:
    with pytest.raises(PowerFlowDiverged, match="bus"):
        play(draw(BEYOND_THE_WIRES, faulty=True))


@pytest.mark.parametrize("seed", sorted({*range(2_132, 2_148)} - {BEYOND_THE_WIRES}))
def test_random_market_with_silent_and_lying_meters_keeps_every_promise(seed: int) -> None:
    require_promises(play(draw(seed, faulty=True), signed=True))


@pytest.mark.parametrize("seed", [2_141, 2_203, 2_216])
def test_random_market_on_both_chains_agrees_is_audited_and_resumes(
    seed: int, tmp_path: Path
) -> None:
    assert require_chains(draw(seed, faulty=True), tmp_path).intervals
