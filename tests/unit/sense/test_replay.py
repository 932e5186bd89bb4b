"""Recorded days judged: the same whatever the pauses, and right about what was put in."""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from gridpact.safety.assess import assess
from gridpact.safety.gate import gate
from gridpact.safety.sensors import Row, Sensors
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Days
from gridpact.sense.log import Log
from gridpact.sense.replay import Judged, judged, learned, moments, tick, weather


def test_a_replay_that_was_stopped_goes_on_from_its_snapshot_to_the_byte(log: Log) -> None:
    models = learned(log)
    whole, parts = Sensors.of(models), Sensors.of(models)
    rows: tuple[list[Row], list[Row]] = ([], [])
    for at, (moment, is_tick) in enumerate(moments(log)):
        if at % 777 == 500:
            parts = Sensors.of(models).restored(parts.snapshot())
        for sensors, found in zip((whole, parts), rows, strict=True):
            found += tick(sensors, log, moment) if is_tick else weather(sensors, log, moment)
    assert rows[0] == rows[1]
    assert whole.snapshot() == parts.snapshot()


def test_what_was_put_in_is_found_and_little_else(log: Log, days: Days) -> None:
    found = judged(log)
    got = by_target(found)
    for target, truth in days.label.items():
        hazard = next(iter(truth.values()))
        hit = sum(time in got[target] for time in truth)
        if hazard is not Hazard.DRIFT:
            assert hit >= 0.7 * len(truth), (target, hazard, hit, len(truth))
    wrong = {target: rows for target, rows in got.items() if target not in days.label}
    assert sum(map(len, wrong.values())) <= 0.1 * sum(map(len, got.values()))


def test_without_an_area_meter_charts_find_false_reports_and_blame_few(
    log: Log, days: Days
) -> None:
    area, reports = log.feeders.values.copy(), log.readings.values.copy()
    area[:, 0] = np.nan
    honest = [at for at, name in enumerate(log.layout.meters)
              if (Target.METER, name) not in days.label]  # fmt: skip
    kinds = [days.meters[at]["kind"] for at in honest]
    plant, home = (honest[kinds.index(one)] for one in ("pv", "load"))
    late = log.readings.times >= log.trained
    reports[late, 0, plant] *= 1.4
    reports[late, 0, home] *= 0.2
    found = judged(replace(log, feeders=replace(log.feeders, values=area),
                           readings=replace(log.readings, values=reports)))  # fmt: skip
    got = by_target(found)
    liars = [(Target.METER, log.layout.meters[at]) for at in (plant, home)]
    assert [set(got[one].values()) for one in liars] == [{Hazard.FALSE_DATA}, {Hazard.THEFT}]
    wrong = {one for one in got if one[0] is Target.METER} - {*days.label, *liars}
    assert len(wrong) <= 1


def by_target(found: Judged) -> dict[tuple[Target, str], dict[int, Hazard]]:
    got: defaultdict[tuple[Target, str], dict[int, Hazard]] = defaultdict(dict)
    for row in found.rows:
        got[row.target, row.name][row.time] = row.hazard
    return got


def test_every_trade_has_a_permit_and_storms_hold_them_all(log: Log, days: Days) -> None:
    found = judged(log)
    assert [one.trade for one in found.permits] == list(log.trades.names)
    stormy = set(days.label[Target.STATION, "S0"])
    in_storm = [one for one in found.permits if one.time in stormy]
    assert in_storm
    held = [one for one in in_storm if not one.allowed]
    assert len(held) >= 0.8 * len(in_storm)
    assert all(one.blocking or one.stale for one in held)


def test_sensors_that_heard_nothing_permit_nothing(log: Log) -> None:
    permit = gate(Sensors.of(learned(log)), "t", 0, (0, 1))
    assert not permit.allowed
    assert permit.stale == ("station S0", "transformer T0", "line L0")


def test_a_verdict_says_what_was_expected_and_why(log: Log) -> None:
    sensors = Sensors.of(learned(log))
    for moment, is_tick in moments(log):
        found = tick(sensors, log, moment) if is_tick else weather(sensors, log, moment)
        bad = [row for row in found if row.target is Target.METER]
        if bad and moment >= log.trained:
            meter = log.layout.meters.index(bad[0].name)
            verdict = assess(sensors, meter)
            assert (verdict.ok, verdict.hazard, verdict.time) == (False, bad[0].hazard, moment)
            assert verdict.reason
            assert verdict.evidence
            assert "EWMA" in verdict.evidence
            assert verdict.since is not None
            assert verdict.model.startswith("sensors-1-")
            honest = next(at for at, code in enumerate(sensors.state.code) if code < 0)
            fine = assess(sensors, honest)
            assert fine.ok
            assert fine.lower is not None
            assert fine.upper is not None
            assert fine.lower < fine.upper
            return
    raise AssertionError("nothing was found in days with faults")
