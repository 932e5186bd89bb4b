"""Recorded data that can be used, and one sentence about what cannot."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridpact.errors import ScenarioError
from gridpact.sense.log import Log, read
from gridpact.sense.write import text


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the recorded days that a test may spoil."""
    return Path(shutil.copytree(folder, tmp_path / "days"))


def change(path: Path, old: str, new: str) -> None:
    held = path.read_text()
    assert old in held
    path.write_text(held.replace(old, new, 1))


def meta(path: Path, **changes: Any) -> None:
    file = path / "meta.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_rows_are_put_in_order_and_of_twins_the_first_counts(copy: Path, log: Log) -> None:
    file = copy / "readings.csv"
    header, *rows = file.read_text().splitlines()
    twin = rows[0].rsplit(",", 2)[0] + ",999.0,1.0"
    file.write_text("\n".join([header, *rows[::-1], *rows[:3], twin]) + "\n")
    again = read(copy)
    np.testing.assert_array_equal(again.readings.values, log.readings.values)
    assert again.readings.dropped == 4


def test_an_unknown_meter_is_counted_and_left_out(copy: Path, log: Log) -> None:
    with (copy / "readings.csv").open("a") as file:
        file.write("2026-01-02T00:00:00,stranger,1.0,1.0\n")
    again = read(copy)
    assert again.readings.unknown == 1
    assert again.layout.meters == log.layout.meters


def test_not_a_number_is_a_missing_reading(copy: Path) -> None:
    file = copy / "readings.csv"
    header, first, *rows = file.read_text().splitlines()
    cells = first.split(",")
    cells[2] = "nan"
    file.write_text("\n".join([header, ",".join(cells), *rows]) + "\n")
    again = read(copy)
    assert np.isnan(again.readings.values[0, 0, again.layout.meters.index(cells[1])])


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("2026-03-29T01:15:00", "2026-03-29T01:15:00"),
        ("2026-03-29 01:15", "2026-03-29 01:15"),
        ("2026-03-29T01:15:00Z", "2026-03-29T01:15:00Z"),
        ("1774746900", "1774746900"),
    ],
)
def test_answers_write_times_as_the_log_does(style: str, shown: str) -> None:
    assert text(1_774_746_900, style) == shown


def test_a_clock_change_leaves_neither_hole_nor_twin(copy: Path) -> None:
    """Local times with their offsets on the night of 29 March 2026."""
    rows = ["2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"]
    lines = "".join(f"{one},{name},1.0,1.0\n" for one in rows for name in ("F0L0", "F0L1"))
    (copy / "readings.csv").write_text("ts,meter,p_kw,v_pu\n" + lines)
    assert np.diff(read(copy).readings.times).tolist() == [900, 900]


def test_what_cannot_be_used_is_one_sentence(copy: Path) -> None:
    cases = [
        ("readings.csv", "p_kw", "power", "p_kw: no such column; there are ts, meter, power"),
        ("weather.csv", "2026-01-01T00:00:00", "noon", "ts: expected times like"),
        ("feeders.csv", ",F0,", ",F0,much", "area_p_kw: expected numbers"),
        ("trades.csv", "F0", "Q9", "is no meter of meta.json"),
    ]
    for name, old, new, problem in cases:
        held = (copy / name).read_text()
        change(copy / name, old, new)
        with pytest.raises(ScenarioError, match=problem) as caught:
            read(copy)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        (copy / name).write_text(held)


def test_a_layout_that_cannot_be_used_is_one_sentence(copy: Path) -> None:
    held = (copy / "meta.json").read_text()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"train_days": -1}, "train_days: expected a number of days, not -1"),
        ({"meters": []}, "meters: expected at least one"),
        ({"meters": [{"kind": "load"}]}, r'meters\[0\]: expected an object with "meter"'),
        ({"meters": [{"meter": "a", "rating_kw": 1}] * 2}, r"meters\[1\]: 'a' stands twice"),
        ({"meters": [{"meter": "a", "kind": "tap", "rating_kw": 1}]}, "meters.a.kind: 'tap' is"),
        ({"meters": [{"meter": "a"}]}, "meters.a.rating_kw: expected a number above 0"),
        ({"lines": [{"line": "x", "rating_a": 0}]}, "lines.x.rating_a: expected a number above"),
    ]
    for changes, problem in cases:
        meta(copy, **changes)
        with pytest.raises(ScenarioError, match=problem):
            read(copy)
        (copy / "meta.json").write_text(held)
    (copy / "meta.json").write_text("{")
    with pytest.raises(ScenarioError, match=r"meta.json: is no JSON"):
        read(copy)
    (copy / "meta.json").unlink()
    with pytest.raises(ScenarioError, match="cannot be read"):
        read(copy)
