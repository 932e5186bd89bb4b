"""What sensors do with readings that are late, twice, from the future, missing or no numbers."""

import csv
import datetime
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridpact.safety.gate import gate
from gridpact.safety.sensors import Sensors, Tick
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Made, make, write
from gridpact.sense.log import read
from gridpact.sense.replay import Judged, judged, learned, moments, tick, weather

MADE = Made(seed=21, days=8, train_days=6, feeders=1, loads=4, pv=1, wind=0, storms=0, trades=60,
            events=0.0)  # fmt: skip
NIGHT = datetime.datetime(2026, 1, 8, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small")
    write(make(MADE), path)
    return path


@pytest.fixture(scope="module")
def usual(small: Path) -> Judged:
    return judged(read(small))


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "days"))


def rows(path: Path) -> tuple[list[str], list[list[str]]]:
    header, *found = csv.reader(path.read_text().splitlines())
    return header, found


def change(path: Path, how: Callable[[list[list[str]]], list[list[str]]]) -> None:
    header, found = rows(path)
    lines = [",".join(one) for one in [header, *how(found)]]
    path.write_text("\n".join(lines) + "\n")


def test_late_and_unordered_readings_and_twins_change_no_verdict(copy: Path, usual: Judged) -> None:
    def shuffled(found: list[list[str]]) -> list[list[str]]:
        order = random.Random(3).sample(found, len(found))
        return [*order, *([*one[:2], "77.0", *one[3:]] for one in order[:50])]

    change(copy / "readings.csv", shuffled)
    log = read(copy)
    assert log.readings.dropped == 50
    assert judged(log) == usual


def test_a_clock_years_ahead_or_behind_moves_neither_end_nor_training(
    copy: Path, usual: Judged
) -> None:
    with (copy / "readings.csv").open("a") as file:
        file.write("2036-05-01T00:00:00,F0L0,1.0,1.0\n1970-01-01T00:15:00,F0L0,1.0,1.0\n")
    log = read(copy)
    assert log.readings.strays == 2
    assert judged(log) == usual


def test_unknown_meters_change_no_verdict(copy: Path, usual: Judged) -> None:
    change(copy / "readings.csv", lambda found: [*found, *([one[0], "who", *one[2:]]
                                                           for one in found[:9])])  # fmt: skip
    log = read(copy)
    assert log.readings.unknown == 9
    assert judged(log) == usual


@pytest.mark.parametrize("odd", ["nan", "inf", ""])
def test_what_is_no_number_counts_as_missing(copy: Path, odd: str) -> None:
    def spoiled(found: list[list[str]]) -> list[list[str]]:
        return [[*one[:2], odd, one[3]] if at % 97 == 5 else one for at, one in enumerate(found)]

    change(copy / "readings.csv", spoiled)
    there = read(copy).readings.values
    change(copy / "readings.csv", lambda found: [one for one in found if one[2] != odd])
    np.testing.assert_array_equal(there, read(copy).readings.values)
    assert np.isnan(there).sum() == 40


def test_a_meter_silent_for_hours_is_lost_after_two_and_found_again(copy: Path) -> None:
    gone = [(NIGHT + datetime.timedelta(minutes=15 * one)).strftime("%Y-%m-%dT%H:%M:%S")
            for one in range(20)]  # fmt: skip
    change(copy / "readings.csv", lambda found: [
        one for one in found if one[1] != "F0L1" or one[0] not in gone])  # fmt: skip
    found = judged(read(copy)).rows
    lost = [one.time for one in found if one.hazard is Hazard.COMM_LOSS]
    begin = int(NIGHT.timestamp())
    assert lost == [begin + 900 * one for one in range(7, 20)]
    assert {one.name for one in found if one.time in lost} == {"F0L1"}


def test_a_station_silent_for_hours_holds_every_trade_and_then_none(copy: Path) -> None:
    until = NIGHT + datetime.timedelta(hours=5)
    span = [one.strftime("%Y-%m-%dT%H:%M:%S") for one in (NIGHT, until)]
    change(copy / "weather.csv", lambda found: [
        one for one in found if not span[0] <= one[0] < span[1]])  # fmt: skip
    log = read(copy)
    sensors, said = Sensors.of(learned(log)), {}
    for moment, is_tick in moments(log):
        if is_tick:
            tick(sensors, log, moment)
            said[moment] = gate(sensors, "t", moment, (0, 1))
        else:
            weather(sensors, log, moment)
    night = int(NIGHT.timestamp())
    assert said[night].allowed
    assert all(said[night + 900 * one].stale == ("station S0",) for one in range(1, 20))
    assert said[night + 5 * 3600].allowed


def test_local_times_over_a_clock_change_are_judged_as_their_moments_are(
    copy: Path, usual: Judged
) -> None:
    """The same days, written with the offset of a clock that is put forward within them."""
    change_over = "2026-01-07T01:00:00"

    def local(found: list[list[str]]) -> list[list[str]]:
        def shown(text: str) -> str:
            hours = 1 + (text >= change_over)
            moment = datetime.datetime.fromisoformat(text) + datetime.timedelta(hours=hours)
            return f"{moment.isoformat()}+0{hours}:00"

        return [[shown(one[0]), *one[1:]] for one in found]

    for name in ("readings", "weather", "feeders", "transformers"):
        change(copy / f"{name}.csv", local)
    change(copy / "trades.csv", lambda found: [
        [one[0], one[1] + "+00:00", *one[2:]] for one in found])  # fmt: skip
    assert judged(read(copy)) == usual


def test_a_moment_that_comes_late_or_twice_changes_nothing(small: Path) -> None:
    log = read(small)
    sensors = Sensors.of(learned(log))
    sky = np.array([5, 60, 1013, 4, 6, 0, 0, 0.1, 50, 0.0])[:, None]
    one = Tick(900, np.ones(5, np.float32), np.ones(1), np.ones(1), np.full(1, 0.5), np.full(1, 30))
    sensors.weather(900, sky)
    sensors.tick(one)
    before = sensors.snapshot()
    for late in (900, 0):
        assert sensors.weather(late, sky + 100) == []
        assert sensors.tick(replace(one, time=late, power=one.power * 50)) == []
    assert sensors.snapshot() == before


def test_a_trade_long_after_the_last_word_of_any_sensor_is_held(small: Path) -> None:
    log = read(small)
    sensors = Sensors.of(learned(log))
    for moment, is_tick in list(moments(log))[:400]:
        tick(sensors, log, moment) if is_tick else weather(sensors, log, moment)
    last = sensors.state.time
    assert gate(sensors, "t", last + 900, (0, 1)).allowed
    late = gate(sensors, "t", last + 3600, (0, 1))
    assert (late.allowed, late.stale) == (False, (f"all sensors since {last}",))


def test_nothing_bad_is_seen_in_good_days(usual: Judged) -> None:
    assert not [one for one in usual.rows if one.target is not Target.METER]
    assert len(usual.permits) == 60
