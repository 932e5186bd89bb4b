"""One alert per episode, to those whom it concerns."""

import numpy as np

from gridpact.safety.alerts import PAUSE, alerts
from gridpact.safety.layout import NONE, Layout
from gridpact.safety.sensors import Row
from gridpact.safety.verdict import Hazard, Target

NOW = 1_000_000
LAYOUT = Layout(
    ("a", "b", "c"), np.zeros(3, np.int8), np.ones(3, np.float32), np.array([0, 0, 1]),
    np.array([0, NONE, 0]), ("S",), ("F", "G"), ("L",), np.array([0]), np.array([0]),
    np.array([100.0]), ("T",), np.array([1]), np.array([0]),
)  # fmt: skip


def row(time: int, target: Target, name: str, hazard: Hazard, score: float = 1.0) -> Row:
    return Row(time, target, name, hazard, score)


def test_readings_without_a_long_pause_are_one_alert_of_the_class_known_last() -> None:
    rows = [
        row(0, Target.METER, "b", Hazard.THEFT, 1.5),
        row(900, Target.METER, "b", Hazard.THEFT, 2.5),
        row(900 + PAUSE, Target.METER, "b", Hazard.DRIFT, 1.0),
    ]
    (told,) = alerts(rows, LAYOUT, NOW)
    assert (told.since, told.until, told.hazard, told.score) == (0, 900 + PAUSE, Hazard.DRIFT, 2.5)
    assert told.concerns == ("b",)
    assert told.reason == "the report departs more and more from the truth"


def test_a_longer_pause_parts_two_alerts() -> None:
    rows = [row(one, Target.METER, "a", Hazard.THEFT) for one in (0, 901 + PAUSE)]
    assert [one.since for one in alerts(rows, LAYOUT, NOW)] == [0, 901 + PAUSE]


def test_an_alert_runs_until_the_pause_is_over() -> None:
    rows = [row(NOW - PAUSE, Target.METER, "a", Hazard.THEFT)]
    assert alerts(rows, LAYOUT, NOW)[0].until is None
    assert alerts(rows, LAYOUT, NOW + 1)[0].until == NOW - PAUSE


def test_a_machine_concerns_everybody_behind_it() -> None:
    rows = [
        row(0, Target.STATION, "S", Hazard.TYPHOON),
        row(1, Target.LINE, "L", Hazard.LINE_OVERLOAD),
        row(2, Target.TRANSFORMER, "T", Hazard.EQUIPMENT_FAILURE),
    ]
    told = [one.concerns for one in alerts(rows, LAYOUT, NOW)]
    assert told == [("a", "c"), ("a", "b"), ("c",)]


def test_no_verdict_is_no_alert() -> None:
    assert alerts([], LAYOUT, NOW) == ()
