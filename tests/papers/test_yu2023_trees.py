"""[Yu23] figures 5 to 8 and table 2: what of the claims is left, and what is written."""

import csv
from pathlib import Path

import numpy as np
import pytest

from gridpact.propagation.scenarios import MIN_TRUST, drawn
from gridpact.quantities import PPM
from gridpact.studies import repeated
from gridpact.studies.repeated import Repeated, exceeds
from gridpact.studies.yu2023 import Trees, figure, grown, table_2
from gridpact.studies.yu2023_confirmation import Measured, figure_5


@pytest.fixture(scope="module")
def trees() -> Trees:
    return grown((10, 50, 100), 60)


def holds(found: Repeated) -> dict[str, str]:
    return {one.claimed: one.holds for one in found.claims}


def test_the_papers_set_up_is_drawn() -> None:
    one = drawn(50, 1)
    assert np.bincount(one.nodes.links).tolist() == [0, 40, 7, 3]
    assert (one.nodes.trust >= MIN_TRUST * PPM).sum() == 40
    table = one.costs.between(np.arange(50)[:, None], np.arange(50)[None, :])
    assert (table == table.T).all()
    assert table.max() <= 10
    assert table[table > 0].min() >= 1
    # 5, 15 and 80 % are 2.5, 7.5 and 40; 0.5, 1.5 and 8: ties go to the larger number of links
    assert np.bincount(drawn(10, 1).nodes.links, minlength=4).tolist() == [0, 8, 1, 1]


def test_figure_6_trust(trees: Trees) -> None:
    said = holds(figure(6, trees))
    assert said["TFT best: above WCT"] == "yes, on every draw (or level)"
    assert said["WCT clearly above LFT"] in ("in the mean only", "yes, on every draw (or level)")
    assert said["Weights 1:1 (a) and 3:2 (b) differ"] == "only normalised"
    means = {one.name: one.mean[1] for one in figure(6, trees).curves}
    assert means["LFT"] == pytest.approx(0.800, abs=0.01)
    assert means["WCT 1:1"] == pytest.approx(0.900, abs=0.005)
    assert means["TFT"] == pytest.approx(0.903, abs=0.005)


def test_figure_7_time(trees: Trees) -> None:
    said = holds(figure(7, trees))
    assert said["WCT below TFT"].startswith("in the mean only")
    assert said["LFT and WCT stay nearly flat"] == "in the mean, beside TFT"
    rounds = [trees.values["rounds", tree][1].mean() for tree in ("LFT", "WCT 1:1", "TFT")]
    assert rounds == pytest.approx([5.0, 6.4, 12.3], abs=0.7)


def test_figure_8_concurrency(trees: Trees) -> None:
    said = holds(figure(8, trees))
    assert said["LFT above TFT"].startswith(("in the mean only", "yes"))
    assert said["more so with many nodes"] == "in the mean"


def test_table_2_ranks_as_the_paper_in_the_mean(trees: Trees) -> None:
    assert set(holds(table_2(trees)).values()) == {"in the mean"}


def test_figure_5_is_fitted_and_says_so() -> None:
    found = figure_5(3, Measured("a day", 94.0, 60.0, 0.3, 24))
    assert [one.holds for one in found.claims] == ["yes, by the fitted parameters"] * 4 + [
        "measured"
    ]
    assert "94 min by the market's clock: 60 of delivery" in found.claims[4].obtained
    assert found.curves[0].mean[:4] == pytest.approx([60, 10, 6.5, 6], rel=0.06)
    assert found.curves[1].mean[4] == 94


def test_claims_are_held_against_paired_means() -> None:
    chance = np.random.default_rng(1)
    low = chance.normal(size=(2, 500))

    def said(more: np.ndarray) -> str:
        return exceeds("more", more, low, "nodes", (1, 2), 1).holds

    assert said(low + 0.1) == "yes, on every draw (or level)"
    assert said(low + chance.normal(1, 1, (2, 500))) == "in the mean only"
    assert said(low + np.array([[-0.5], [0.5]])) == "in the mean only, and not at 1 nodes"
    assert said(low) == "**no**"


def test_everything_that_is_written_says_the_same(trees: Trees, tmp_path: Path) -> None:
    for found in (figure(7, trees), table_2(trees), figure_5(2, Measured("x", 94, 60, 0.3, 24))):
        files = {path.suffix: path.read_text() for path in repeated.write(found, tmp_path)}
        assert set(files) == {".svg", ".csv", ".md"}
        assert files[".svg"].startswith("<svg")
        assert repeated.table(found) in files[".md"]
        assert "draws" in files[".md"]
    rows = list(csv.DictReader((tmp_path / "figure7.csv").read_text().splitlines()))
    assert [row["nodes"] for row in rows] == ["10", "50", "100"]
    expected = trees.values["concurrent_time", "DTT"][1].mean()
    assert float(rows[1]["DTT mean"]) == pytest.approx(expected, rel=1e-5)
