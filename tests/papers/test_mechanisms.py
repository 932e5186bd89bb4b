"""The study that puts every mechanism before the same days."""

from pathlib import Path

import numpy as np
import pytest

from gridpact.errors import BadInput
from gridpact.report.comparison import CONSUMERS, OWNERS
from gridpact.scenario.reader import load
from gridpact.studies import index, mechanisms, mechanisms_page, mechanisms_picture
from gridpact.studies.mechanisms import MEASURES, Outcome, against, cell

SCENARIO = Path(__file__).parents[2] / "scenarios" / "sce56-day.toml"


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the day in intervals of four hours."""
    text = SCENARIO.read_text(encoding="utf-8").replace("intervals = 24", "intervals = 6")
    path = tmp_path_factory.mktemp("study") / "day.toml"
    path.write_text(text.replace("interval_minutes = 60", "interval_minutes = 240"))
    return path


@pytest.fixture(scope="module")
def found(scenario: Path) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)
        return mechanisms.figure(1, scenario, 2)


def test_every_runnable_mechanism_is_compared_on_the_same_days(found: Outcome) -> None:
    assert found.variants == mechanisms.runnable()
    assert "vickrey" not in found.variants
    assert set(found.values) == set(MEASURES)
    assert all(drawn.shape == (len(found.variants), 2) for drawn in found.values.values())
    merit, seen = found.variants.index("merit_order"), found.values["traded locally"]
    assert (seen[merit] > 0).all()
    assert (seen <= seen[merit] + 1e-9).all()


def test_a_higher_price_moves_money_from_consumers_to_owners(found: Outcome) -> None:
    at_offer, at_bid = (found.variants.index(name) for name in ("merit_order", "pay_as_bid"))
    consumers, owners = found.values[CONSUMERS], found.values[OWNERS]
    assert (consumers[at_offer] > consumers[at_bid]).all()
    assert (owners[at_offer] < owners[at_bid]).all()


def test_the_ablation_takes_one_rule_away_at_a_time(scenario: Path) -> None:
    own = load(scenario)
    variants = mechanisms.ablation(own)
    assert variants.pop("as it is") == {}
    for changes in variants.values():
        ((name, value),) = changes.items()
        assert getattr(own, name) != value


def test_table_picture_and_csv_hold_the_same_rows(found: Outcome, tmp_path: Path) -> None:
    picture, data, words = mechanisms_picture.write(found, tmp_path)
    assert picture.read_text(encoding="utf-8").count("merit order") == 1
    assert len(data.read_text(encoding="utf-8").splitlines()) == 1 + 2 * len(found.variants)
    mean, half = found.cell("welfare", 0)
    assert f"{mean:.2f} ± {half:.2f}" in words.read_text(encoding="utf-8")
    once = Outcome(1, "", ("one",), {name: np.array([[1.0]]) for name in MEASURES})
    assert "nan" not in mechanisms.table(once)


def test_the_page_shows_who_gains_and_who_loses(found: Outcome, tmp_path: Path) -> None:
    html = mechanisms_page.write([found], tmp_path).read_text(encoding="utf-8")
    assert html.count("<svg") == 1
    mean, half = found.cell(OWNERS, 0)
    assert f"<td>merit order</td><td>{cell(*found.cell(CONSUMERS, 0))}</td>" in html
    assert f"{mean:.2f} ± {half:.2f}" in html
    more = against(found)
    assert more.variants == found.variants[1:]
    gap = found.values[OWNERS][2] - found.values[OWNERS][0]
    assert (more.values[OWNERS][1] == gap).all()
    assert f"<td>pay as bid</td><td>{cell(*more.cell(CONSUMERS, 1))}</td>" in html


def test_a_study_is_read_back_from_its_csv(found: Outcome, tmp_path: Path) -> None:
    data = mechanisms_picture.write(found, tmp_path)[1]
    again = mechanisms_page.read(data, 1, found.title)
    assert again.variants == found.variants
    for name in MEASURES:
        np.testing.assert_allclose(again.values[name], found.values[name], rtol=1e-5)
    short = tmp_path / "short.csv"
    short.write_text("variant,seed\nmerit_order,1\n")
    with pytest.raises(BadInput, match="expected a row per variant and seed"):
        mechanisms_page.read(short, 1, "")


def test_the_index_knows_the_study() -> None:
    assert index.chosen("mechanisms", None) == (1, 2)
