"""[Cui22] figure 4 (page 2855): order and swings hold, "above 1" after some cycles only."""

from pathlib import Path

import numpy as np
import pytest

from gridpact.model.rating import ComprehensiveTerms
from gridpact.reputation.comprehensive import PAPER
from gridpact.studies import repeated
from gridpact.studies.cui2022_reputation import figure_4, reputations
from gridpact.studies.repeated import Repeated

DRAWS = 500


@pytest.fixture(scope="module")
def found() -> Repeated:
    return figure_4(DRAWS)


def test_order_and_swings_hold_in_the_mean_of_every_cycle(found: Repeated) -> None:
    for claim in found.claims[:4]:
        assert claim.holds.startswith(("yes", "in the mean only")), claim
        assert "not at" not in claim.holds


def test_provider_one_is_above_one_from_the_fifth_cycle_in_the_mean(found: Repeated) -> None:
    """RC(T) = (1 - 0.6^T) 1.1 exceeds 1 from T = 5 on (1.0145)."""
    honest = found.curves[0].mean
    expected = 1.1 * (1 - 0.6 ** np.arange(1, 11))
    assert honest == pytest.approx(expected, abs=0.005)
    assert found.claims[4].holds == "from cycle 5 on"


def test_by_default_nobody_is_above_one() -> None:
    assert reputations(20, ComprehensiveTerms()).max() <= 1
    assert reputations(20, PAPER).max() > 1


def test_the_study_writes_picture_table_and_words(found: Repeated, tmp_path: Path) -> None:
    paths = repeated.write(found, tmp_path)
    assert {path.name for path in paths} == {"figure4.svg", "figure4.csv", "figure4.md"}
    assert "RC(0) = 0" in (tmp_path / "figure4.md").read_text()
