"""A table reads what is asked and names the nearest key when it is not."""

import pytest

from gridpact.errors import ScenarioError
from gridpact.scenario.table import Table, stem


@pytest.mark.parametrize(
    ("key", "bare"),
    [("peak_kw", "peak"), ("retail_per_kwh", "retail"), ("name", "name"), ("from_h", "from"),
     ("interval_minutes", "interval"), ("kw", "kw")],
)  # fmt: skip
def test_stem_drops_the_unit(key, bare):
    assert stem(key) == bare


def test_error_carries_file_place_and_problem():
    with pytest.raises(ScenarioError) as caught:
        Table("day.toml", "plant 2", {"peak_kw": -1}).number("peak_kw")
    error = caught.value
    assert (error.file, error.place) == ("day.toml", "plant 2.peak_kw")
    assert str(error) == "day.toml: plant 2.peak_kw: expected a number >= 0, not -1"


def test_rows_are_numbered_from_one_in_nested_places():
    rows = Table("f", "tariff", {"retail": [{"a": 1}, {"a": 2}]}).tables("retail")
    assert [row.place for row in rows] == ["tariff.retail 1", "tariff.retail 2"]


def test_all_known_keys_read_leaves_nothing_to_refuse():
    table = Table("f", "", {"a": 1, "b": "x", "c": [1, 2]})
    assert (table.whole("a"), table.text("b"), table.pair("c", (0, 1))) == (1, "x", (1.0, 2.0))
    table.finish()


def test_key_that_resembles_nothing_is_still_named():
    table = Table("f", "fleet", {"zzz": 1})
    table.whole("seed", 1)
    with pytest.raises(ScenarioError, match=r"fleet\.zzz: unknown key$"):
        table.finish()
