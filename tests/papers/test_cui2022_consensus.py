"""[Cui22] figure 5: general against sharded consensus, in every reading of the paper."""

from pathlib import Path

import pytest

from gridpact.studies import repeated
from gridpact.studies.cui2022_consensus import figure_5, variants
from gridpact.studies.repeated import Repeated


@pytest.fixture(scope="module")
def found() -> Repeated:
    return figure_5(100, (10, 100, 101, 400, 1000))


def test_general_is_slower_and_grows_faster(found: Repeated) -> None:
    regional, final, growth, others, safety = found.claims
    assert regional.holds.startswith(("yes", "in the mean only"))
    assert " not at " not in regional.holds + final.holds
    assert growth.holds == "yes, in the mean"
    assert f"in {len(variants())} of {len(variants())};" in others.obtained
    assert "3 colluding nodes" in safety.obtained
    means = {one.name: one.mean for one in found.curves}
    whole, shard = means["general"], means["sharded: slowest shard"]
    assert whole[-1] - whole[0] > 3 * (shard[-1] - shard[0])
    # the 101st trade waits for the next round
    assert whole[2] > 1.5 * whole[1]
    assert shard[2] == pytest.approx(shard[1], rel=0.1)


def test_every_reading_is_in_the_words(found: Repeated, tmp_path: Path) -> None:
    paths = repeated.write(found, tmp_path)
    text = next(path for path in paths if path.suffix == ".md").read_text()
    for model in variants():
        assert f"| {model.puzzle} | {model.route} | {model.wave} |" in text
    assert "no proof of work" in text
