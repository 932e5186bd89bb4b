"""[Zeng23] figures 6 to 9: claimed and obtained, with honest baselines."""

import csv
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from gridpact.__main__ import main
from gridpact.studies import repeated, zeng2023, zeng2023_delay, zeng2023_requests

DRAWS = 4


def test_figure_6_prices_fall_where_renewables_peak() -> None:
    found = zeng2023.figure_6(DRAWS)
    assert found.claims[3].holds == "yes, on every day"
    used, grid, made, load = (one.mean for one in found.curves)
    assert used + grid == pytest.approx(load)
    assert (used <= made + 1e-5).all()
    assert grid.max() <= zeng2023.GRID_MW


def test_figure_9_paper_d_costs_least_where_all_serve_the_same() -> None:
    found = zeng2023.figure_9(DRAWS)
    held = {one.claimed.split(" (")[0]: one.holds for one in found.claims}
    assert held["least cost"] == "yes, over the day"
    assert held["below double-layer and heterogeneous blockchain"] == "cannot be tested"


def test_figure_9_the_papers_turnover_conflicts_with_its_own_price_limit_at_night() -> None:
    """250 MW of grid and a fifth of the wind, at 0.5 yuan/kWh, are below 200,000 yuan an hour."""
    most = 1000 * zeng2023.CAP * (zeng2023.GRID_MW + 0.2 * sum(zeng2023.WIND_MW))
    assert most == 143_000 < zeng2023.TURNOVER
    found = zeng2023.figure_9(DRAWS)
    assert found.claims[1].holds.startswith("**no**")


@pytest.mark.parametrize("method", zeng2023.METHODS)
def test_no_method_sells_more_than_there_is_or_is_wanted(method: str) -> None:
    day = zeng2023.drawn(3)
    for hour in (2, 12, 19):
        found = zeng2023.cleared(day, hour, method)
        assert 0 < found.served <= day.load[:, hour].sum()
        assert found.renewable <= day.available[1:, hour].sum() + 1e-5
        if method == "grid only":
            assert found.renewable == 0


def test_figure_7_both_perceptions_are_told_apart_by_node() -> None:
    found = zeng2023_requests.figure_7(30)
    assert [one.name for one in found.curves] == ["cost perception", "storage perception"]
    assert not np.array_equal(found.curves[0].mean, found.curves[1].mean)
    rich = zeng2023_requests.benefit("cost_aware", 1)
    poor = zeng2023_requests.benefit("cost_aware", 1, stored=0)
    assert rich[zeng2023_requests.RICH] > poor[zeng2023_requests.RICH]


def test_figure_8_runs_signatures_clearing_and_ledger(tmp_path: Path) -> None:
    took = zeng2023_delay.delays(6, 2)
    assert all(one.fills > 0 and one.wall > 0 and one.clearing <= one.cpu for one in took)
    found = zeng2023_delay.figure_8(1, sizes=(2, 4))
    assert found.claims[2].holds == "cannot be tested"
    files = repeated.write(found, tmp_path)
    assert ET.fromstring(files[0].read_text()).tag.endswith("svg")


def test_the_command_writes_a_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["study", "zeng2023", "--figure", "6", "--draws", "2", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["gridpact", *given])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "| claimed | obtained | holds? |" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "figure6.csv").read_text().splitlines()))
    assert len(rows) == 24
