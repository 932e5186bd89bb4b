"""The digest changes with every value a run depends on, and with nothing else."""

import pytest
from tests.unit.scenario.texts import SMALL, csv, write

from gridpact.scenario.digest import digest
from gridpact.scenario.reader import load


def of(folder, text=SMALL, profiles=None, seed=None):
    folder.mkdir(parents=True, exist_ok=True)
    return digest(load(write(folder, text, profiles), seed))


def test_comment_and_place_do_not_count(tmp_path):
    assert of(tmp_path / "here") == of(tmp_path / "there", "# a note\n" + SMALL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed = 7", "seed = 8"),
        ("rated_kw = 2.0", "rated_kw = 2.1"),
        ("per_kwh = 0.30", "per_kwh = 0.31"),
        ("battery_kwh = 5.0", "battery_kwh = 6.0"),
        ('"bob"', '"bert"'),
        ("peak_kw = 100.0", "peak_kw = 101.0"),
        ('case = "sce56"', 'case = "sce56"\nroot_voltage_pu = 1.01'),
        ("[profiles]", "[owners]\nstrategy = 'market'\n[profiles]"),
    ],
)
def test_every_setting_counts(tmp_path, old, new):
    assert of(tmp_path) != of(tmp_path, SMALL.replace(old, new))


def test_one_cell_of_a_profile_counts(tmp_path):
    assert of(tmp_path) != of(tmp_path, profiles=csv(value="0.26", at=3))


def test_seed_given_instead_of_the_files_own_counts(tmp_path):
    assert of(tmp_path) != of(tmp_path, seed=9)
