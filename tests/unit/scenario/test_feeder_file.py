"""A feeder file is read, or refused with file, row and reason."""

from pathlib import Path

import pytest

from gridpact.errors import BadInput, FeederError, ScenarioError
from gridpact.scenario.feeder_file import read_feeder

GOOD = """
name = "three buses"
s_base_mva = 1.0
v_base_kv = 1.0
root = 1
power_factor = 0.9
buses = [[1, 0.0, 0.0], [2, 0.1, 0.0], [3, 0.2, 0.05]]
lines = [[1, 2, 0.01, 0.02], [2, 3, 0.01, 0.02, 0.5]]
"""


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "feeder.toml"
    path.write_text(text)
    return path


def test_feeder_is_read_with_loads_shunts_and_ratings(tmp_path: Path) -> None:
    read = read_feeder(_file(tmp_path, GOOD))
    assert read.name == "three buses"
    assert dict(read.peak_load_mva) == {1: 0.0, 2: 0.1, 3: 0.2}
    assert read.power_factor == 0.9
    assert list(read.feeder.ids) == [1, 2, 3]
    assert read.feeder.shunt[2] == pytest.approx(0.05)
    assert read.feeder.s_max[2] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("[2, 0.1, 0.0]", "[2, 0.1]", "buses, row 2", "expected"),
        ("[2, 0.1, 0.0]", "[2, -0.1, 0.0]", "buses, row 2", "negative load"),
        ("[2, 0.1, 0.0]", "[2, nan, 0.0]", "buses, row 2", "expected numbers"),
        ("[3, 0.2, 0.05]", "[2, 0.2, 0.05]", "buses, row 3", "numbered twice"),
        ("[2, 3, 0.01, 0.02, 0.5]", "[2, 9, 0.01, 0.02]", "lines, row 2", "bus 9"),
        ("[1, 2, 0.01, 0.02]", "[1, 2, 0.01]", "lines, row 1", "expected"),
        ("[1, 2, 0.01, 0.02]", '[1, 2, "x", 0.02]', "lines, row 1", "expected numbers"),
        ("power_factor = 0.9", "power_factor = 1.2", "power_factor", "1.2"),
        ("v_base_kv = 1.0", "v_base_kv = true", "v_base_kv", "number"),
        ("v_base_kv = 1.0", "", "v_base_kv", "number"),
        ("root = 1", 'root = "one"', "root", "expected a whole number"),
        ("v_base_kv = 1.0", "v_base_v = 1000.0", "v_base_v", "wrong unit: expected v_base_kv"),
        ("root = 1", "root = 1\ncolour = 3", "colour", "unknown key"),
        ("root = 1", "root = 1\nlimes = []", "limes", "did you mean lines?"),
        ("[2, 0.1, 0.0]", f"[2, 1{'0' * 400}, 0.0]", "buses, row 2", "expected numbers"),
        ("[2, 0.1, 0.0]", "[-2, 0.1, 0.0]", "buses, row 2", "bus -2 is not between"),
    ],
)
def test_unusable_row_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, problem: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_feeder(_file(tmp_path, GOOD.replace(old, new)))
    assert caught.value.place == place
    assert problem in caught.value.problem
    assert caught.value.file.endswith("feeder.toml")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[2, 3, 0.01, 0.02, 0.5]", "[2, 3, 0.0, 0.0]", "zero"),
        ("[2, 3, 0.01, 0.02, 0.5]", "[2, 3, 0.1, 0.1], [3, 1, 0.1, 0.1]", "cycle"),
        (", [2, 3, 0.01, 0.02, 0.5]", "", "island"),
    ],
)
def test_net_that_is_no_feeder_is_refused_with_its_file(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    with pytest.raises(FeederError) as caught:
        read_feeder(_file(tmp_path, GOOD.replace(old, new)))
    assert "feeder.toml" in str(caught.value)
    assert problem in caught.value.problem
    assert isinstance(caught.value, BadInput)


def test_missing_file_and_broken_file_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_feeder(tmp_path / "nowhere.toml")
    with pytest.raises(ScenarioError, match="no TOML"):
        read_feeder(_file(tmp_path, "buses = [["))


IN_CSV = """
name = "three buses"
s_base_mva = 1.0
v_base_kv = 1.0
root = 1
power_factor = 0.9
buses_file = "buses.csv"
lines_file = "lines.csv"
"""
BUSES = "bus,peak_mva,shunt_mvar\n1,0.0,0.0\n2,0.1,0\n3,0.2,0.05\n"
LINES = "to,from,r_ohm,x_ohm,s_max_mva\n2,1,0.01,0.02,\n3,2,0.01,0.02,0.5\n"


def _csv(tmp_path: Path, buses: str = BUSES, lines: str = LINES, text: str = IN_CSV) -> Path:
    (tmp_path / "buses.csv").write_text(buses)
    (tmp_path / "lines.csv").write_text(lines)
    return _file(tmp_path, text)


def test_tables_may_stand_in_csv_files(tmp_path: Path) -> None:
    plain, read = read_feeder(_file(tmp_path, GOOD)), read_feeder(_csv(tmp_path))
    assert dict(read.peak_load_mva) == dict(plain.peak_load_mva)
    for field in ("ids", "parent", "r", "x", "shunt", "s_max"):
        assert getattr(read.feeder, field).tolist() == getattr(plain.feeder, field).tolist()


@pytest.mark.parametrize(
    ("change", "file", "place", "problem"),
    [
        ({"buses": BUSES.replace("2,0.1", "two,0.1")}, "buses.csv", "row 3, bus", "'two'"),
        ({"buses": BUSES.replace("2,0.1,0", "2,,0")}, "buses.csv", "row 3, peak_mva", "''"),
        ({"buses": BUSES.replace("2,0.1,0", "2,0.1")}, "buses.csv", "row 3", "3 cells, found 2"),
        ({"buses": BUSES.replace("peak_mva", "peak_kw")}, "buses.csv", "row 1", "peak_mva"),
        ({"lines": LINES.replace("s_max", "limit")}, "lines.csv", "row 1", "'limit_mva'"),
        ({"lines": ""}, "lines.csv", "row 1", "no column from"),
        ({"lines": LINES.replace("0.01", "nan")}, "feeder.toml", "lines, row 1", "nan"),
        ({"text": IN_CSV.replace("lines.csv", "none.csv")}, "none.csv", "", "cannot be read"),
        ({"text": IN_CSV + "buses = []"}, "feeder.toml", "buses", "beside buses_file"),
    ],
)
def test_unusable_csv_is_refused_with_file_row_and_column(
    tmp_path: Path, change: dict[str, str], file: str, place: str, problem: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_feeder(_csv(tmp_path, **change))
    assert caught.value.file.endswith(file)
    assert caught.value.place == place
    assert problem in caught.value.problem
