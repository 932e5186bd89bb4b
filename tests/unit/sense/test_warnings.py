"""warnings.csv: what a weather service says beside the instruments."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from gridpact.errors import ScenarioError
from gridpact.safety.alerts import alerts
from gridpact.safety.gate import gate
from gridpact.safety.sensors import Row, Sensors
from gridpact.safety.verdict import Hazard, Target
from gridpact.safety.warning import LEVELS, Notice, warned
from gridpact.sense.generator import Made, make, write
from gridpact.sense.log import Log, read
from gridpact.sense.replay import learned, moments, tick, weather

MADE = Made(seed=22, days=8, train_days=7, feeders=1, loads=3, pv=1, wind=0, storms=0, trades=2,
            events=0.0)  # fmt: skip
HEAD = "station,from,until,cls\n"
GALE = "S0,2026-01-08T10:00:00,2026-01-08T12:00:00,high_wind\n"
BEGIN = 1_767_866_400
"""10:00 of that day."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calm")
    write(make(MADE), path)
    return path


@pytest.fixture
def copy(calm: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(calm, tmp_path / "days"))


def replayed(log: Log, sensors: Sensors, cut: int = -1) -> tuple[list[Row], set[int], Sensors]:
    """Return the stations' rows, when a trade was held for one, and the sensors at the end."""
    rows, held = list[Row](), set[int]()
    for at, (moment, is_tick) in enumerate(moments(log)):
        if at == cut:
            sensors = Sensors.of(sensors.learned).restored(sensors.snapshot())
        if is_tick:
            tick(sensors, log, moment)
            blocking = gate(sensors, "t", moment, (0, 1)).blocking
            held |= {moment for one in blocking if one.reason.startswith("warned of: gusts")}
        else:
            rows += weather(sensors, log, moment)
    return rows, held, sensors


def test_a_warning_holds_trades_as_long_as_it_counts_and_says_that_it_is_one(copy: Path) -> None:
    (copy / "warnings.csv").write_text(HEAD + GALE)
    log = read(copy)
    models = learned(log)
    rows, held, whole = replayed(log, Sensors.of(models))
    assert {one.time for one in rows} == set(range(BEGIN, BEGIN + 7200, 300))
    assert {(one.hazard, one.warned) for one in rows} == {(Hazard.HIGH_WIND, True)}
    assert held == set(range(BEGIN, BEGIN + 7200, 900))
    (told,) = alerts(rows, log.layout, BEGIN + 86_400)
    assert (told.target, told.reason) == (
        Target.STATION, "warned of: gusts of Beaufort 8 and more"
    )  # fmt: skip
    cut = next(at for at, (moment, _) in enumerate(moments(log)) if moment > BEGIN + 1800)
    again, also, parts = replayed(log, Sensors.of(models), cut)
    assert (again, also) == (rows, held)
    assert parts.snapshot() == whole.snapshot()


def test_without_the_file_nobody_is_warned(calm: Path) -> None:
    log = read(calm)
    assert log.notices == ()
    assert replayed(log, Sensors.of(learned(log)))[0] == []


def test_times_may_have_an_offset_and_a_service_may_have_nothing_to_say(copy: Path) -> None:
    local = GALE.replace("T10:00:00", "T11:00:00+01:00").replace("T12:00:00", "T13:00:00+01:00")
    (copy / "warnings.csv").write_text(HEAD + local)
    assert read(copy).notices == (Notice("S0", Hazard.HIGH_WIND, BEGIN, BEGIN + 7200),)
    (copy / "warnings.csv").write_text(HEAD)
    assert read(copy).notices == ()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("high_wind", "theft", "row 2, cls: 'theft' is none of lightning, high_wind"),
        ("high_wind", "", "row 2, cls: None is none of"),
        ("S0", "S9", "row 2, station: 'S9' is none of meta.json"),
        ("T12", "T10", "row 2, until: does not come after from"),
        ("2026-01-08T12:00:00", "", "row 2, until: a row without a time"),
        ("2026-01-08T10:00:00", "soon", "from: expected times like"),
        (",cls", ",level", "cls: no such column; there are station, from, until, level"),
    ],
)
def test_a_warning_that_cannot_be_understood_is_refused(
    copy: Path, old: str, new: str, problem: str
) -> None:
    (copy / "warnings.csv").write_text((HEAD + GALE).replace(old, new, 1))
    with pytest.raises(ScenarioError, match=problem) as caught:
        read(copy)
    assert "warnings.csv" in str(caught.value)


def test_each_station_is_warned_of_its_own_until_the_warning_ends() -> None:
    notices = (Notice("A", Hazard.TYPHOON, 10, 20), Notice("B", Hazard.LIGHTNING, 0, 15))
    levels = [warned(notices, ("A", "B"), time) for time in (9, 10, 15, 20)]
    shown = [{(LEVELS[level], "AB"[at]) for level, at in np.argwhere(one)} for one in levels]
    typhoon, flash = (Hazard.TYPHOON, "A"), (Hazard.LIGHTNING, "B")
    assert shown == [{flash}, {typhoon, flash}, {typhoon}, set()]
