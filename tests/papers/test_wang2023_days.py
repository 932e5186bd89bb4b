"""[Wang23] figures 4 to 7: one market day over and over, claimed and obtained."""

import csv
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from gridpact.__main__ import main
from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.findings import examine
from gridpact.scenario.reader import load
from gridpact.studies import figures_day
from gridpact.studies.days import Draw, draw_days
from gridpact.studies.wang2023_days import SUBJECTS, DayFigure, day_figure

SCENARIO = Path(__file__).parents[2] / "scenarios" / "sce56-day.toml"


@pytest.fixture(scope="module")
def draws() -> tuple[Draw, ...]:
    return draw_days(SCENARIO, 2)


@pytest.fixture(scope="module", params=SUBJECTS)
def found(draws: tuple[Draw, ...], request: pytest.FixtureRequest) -> DayFigure:
    return day_figure(request.param, draws)


def test_draws_have_people_of_their_own_and_repeat(draws: tuple[Draw, ...]) -> None:
    first, second = draws
    assert not np.array_equal(first.curves["demand"], second.curves["demand"])
    scenario = load(SCENARIO, seed=2, fleet_seed=2)
    again = examine(run_day(scenario, memory_ledgers(scenario), unwatched, signed=False))
    assert np.array_equal(again.curves.demand, second.curves["demand"])
    said = [one for one in again.claims if one.source.startswith("[Wang23]")]
    assert tuple(said) == second.claims


def test_each_figure_is_written_with_picture_table_and_data(
    found: DayFigure, tmp_path: Path
) -> None:
    files = figures_day.write(found, tmp_path)
    assert [file.name for file in files] == [
        f"figure{found.number}{end}" for end in (".svg", ".csv", "-days.csv", ".md")
    ]
    assert ET.fromstring(files[0].read_text()).tag.endswith("svg")
    rows = list(csv.DictReader(files[1].read_text().splitlines()))
    assert len(rows) == 24
    for name, band in found.bands.items():
        values = np.array([float(row[f"{name}_mean"]) for row in rows])
        assert values == pytest.approx(band.mean, rel=1e-4, abs=1e-4)
        assert (band.low <= band.mean + 1e-9).all()
        assert (band.mean <= band.high + 1e-9).all()
    text = files[3].read_text()
    for verdict in found.verdicts:
        assert verdict.claimed in text
        assert f"{verdict.days or 'none'} of 2 days" in text or verdict.holds


def test_verdicts_count_the_days_on_which_a_claim_holds(
    found: DayFigure, draws: tuple[Draw, ...]
) -> None:
    for verdict in found.verdicts:
        on = [one for draw in draws for one in draw.claims if one.claimed == verdict.claimed]
        assert (verdict.days, verdict.of) == (sum(one.holds for one in on), 2)
        assert all(one.measured for one in on)


def test_market_never_raises_price_or_contracts(draws: tuple[Draw, ...]) -> None:
    for draw in draws:
        curves = draw.curves
        assert (curves["price_after"] <= curves["price_before"] + 1e-9).all()
        assert (curves["contracted_after"] <= curves["contracted_before"] + 1e-9).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["yu1999"], "study yu1999: is not known"),
        (["wang2023", "--figure", "9"], "--figure 9: is not known of wang2023"),
        (["wang2023", "--figure", "4", "--draws", "0"], "--draws 0: expected at least one draw"),
        (["wang2023", "--figure", "4", "--scenario", "no.toml"], "no.toml"),
    ],
)
def test_study_that_cannot_be_done_ends_with_2(
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "argv", ["gridpact", "study", *options, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err
