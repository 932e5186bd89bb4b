"""Profiles: means over market intervals of the right hours."""

import datetime

import numpy as np
import pytest

from gridpact.errors import ScenarioError
from gridpact.scenario.profiles import BUILT_IN, read

NINTH = datetime.datetime(2016, 6, 9)


def test_hourly_means_are_those_of_the_four_quarters():
    profiles = read(BUILT_IN["simbench-summer"])
    means = profiles.means(NINTH, 24, 60, "PV5")
    row = (NINTH - profiles.begins) // profiles.step
    assert means[12] == pytest.approx(profiles.column("PV5", "")[row + 48 : row + 52].mean())
    assert means.shape == (24,)


def test_ninth_of_june_is_the_sunniest_of_its_week_for_the_plants():
    profiles = read(BUILT_IN["simbench-summer"])
    days = [
        profiles.means(NINTH + datetime.timedelta(days=d), 24, 60, "PV5").sum()
        for d in range(-3, 4)
    ]
    assert int(np.argmax(days)) == 3
    assert days[0] < 0.6 * days[3]


def test_shift_turns_the_day_round_and_keeps_its_energy():
    profiles = read(BUILT_IN["simbench-winter"])
    begins = datetime.datetime(2016, 1, 12)
    plain = profiles.means(begins, 24, 60, "H0-A_pload")
    later = profiles.means(begins, 24, 60, "H0-A_pload", datetime.timedelta(hours=2))
    assert later == pytest.approx(np.roll(plain, 2))


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_week_is_whole(name):
    profiles = read(BUILT_IN[name])
    assert profiles.values.shape[0] == 7 * 96
    assert np.isfinite(profiles.values).all()


def test_binary_file_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ScenarioError, match="cannot be read as CSV"):
        read(path)
