"""The table [sensors]: what it describes, and what it refuses."""

import pytest
from tests.unit.scenario.texts import SMALL, write

from gridpact.errors import ScenarioError
from gridpact.safety.scripted import Fault, Hours, Release, Section, Silence, Storm, Warned
from gridpact.safety.verdict import Hazard
from gridpact.scenario.reader import load

TABLE = """
[sensors]
station = "roof"
train_days = 9
[[sensors.section]]
name = "T-7"
bus = 7
rating_kva = 250.0
[[sensors.storm]]
kind = "typhoon"
from_h = 1.0
until_h = 2.5
[[sensors.warning]]
kind = "lightning"
from_h = 0.5
until_h = 3.0
[[sensors.fault]]
transformer = "T-7"
from_h = 0.5
until_h = 1.0
[[sensors.silence]]
sensor = "meter ann"
from_h = 0.0
until_h = 4.0
[[sensors.release]]
target = "transformer T-7"
from_h = 0.5
until_h = 1.0
reason = "seen to"
"""


def test_sensors_of_a_scenario_are_read(tmp_path):
    found = load(write(tmp_path, SMALL + TABLE)).sensors
    assert (found.station, found.train_days) == ("roof", 9)
    assert found.sections == (Section("main", 1), Section("T-7", 7, 250.0))
    assert found.storms == (Storm(Hazard.TYPHOON, Hours(1.0, 2.5)),)
    assert found.warnings == (Warned(Hazard.LIGHTNING, Hours(0.5, 3.0)),)
    assert found.faults == (Fault("T-7", Hours(0.5, 1.0), 14.0),)
    assert found.silences == (Silence("meter ann", Hours(0.0, 4.0)),)
    assert found.releases == (Release("transformer T-7", Hours(0.5, 1.0), "seen to"),)


def test_without_the_table_nobody_watches(tmp_path):
    assert load(write(tmp_path)).sensors is None


def test_the_section_at_the_root_may_have_a_name_of_its_own(tmp_path):
    text = SMALL + TABLE.replace("bus = 7", "bus = 1", 1)
    assert load(write(tmp_path, text)).sensors.sections == (Section("T-7", 1, 250.0),)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("bus = 7", "bus = 777", "section 1.bus: unknown bus 777"),
        ('name = "T-7"', 'name = "main"', "duplicate name 'main'"),
        ("train_days = 9", "train_days = 2", "train_days: expected a whole number between 7"),
        ('kind = "typhoon"', 'kind = "hail"', "storm 1.kind: expected one of thunderstorm"),
        ('kind = "lightning"', 'kind = "fog"', "warning 1.kind: expected one of thunderstorm"),
        ("until_h = 3.0", "until_h = 0.2", "warning 1.until_h: 0.2 does not rise above from_h"),
        ("until_h = 2.5", "until_h = 0.5", "until_h: 0.5 does not rise above from_h 1"),
        ("until_h = 2.5", "until_h = 7.0", "until_h: expected a number between 0 and 4"),
        ('transformer = "T-7"', 'transformer = "T-8"', "fault 1.transformer: expected one of"),
        ('sensor = "meter ann"', 'sensor = "ann"', "silence 1.sensor: expected one of"),
        ('target = "transformer T-7"', 'target = "all"', "release 1.target: expected one of"),
        ('reason = "seen to"', 'reason = " "', "release 1.reason: expected a name"),
        ("rating_kva = 250.0", "rating_kw = 250.0", "rating_kw: unknown key"),
        ('station = "roof"', "wind = true", "sensors.wind: unknown key"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, before, after, words):
    text = SMALL + TABLE.replace(before, after, 1)
    with pytest.raises(ScenarioError, match=words):
        load(write(tmp_path, text))
