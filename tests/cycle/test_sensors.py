"""A day that sensors watch: a storm, a faulty transformer, a silent meter, an operator's word."""

import csv
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import SCENARIOS, quietly, shortened
from tests.cycle.test_resume import Countdown, PowerCut, cuttable, ends

from gridpact.assembly.day import DayResult, Stopwatch, run_day, run_parts
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.cycle.permits import DURING, OPENING, held
from gridpact.cycle.result import IntervalResult
from gridpact.errors import Corrupt, NoQuorum
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Code
from gridpact.model.statement import Case
from gridpact.model.trade import Fill
from gridpact.report.findings import examine
from gridpact.report.page import page
from gridpact.report.summary import summary
from gridpact.report.trades import Trade, of_interval
from gridpact.safety.scripted import Fault, Hours, Section, SensorSettings, Silence, Warned
from gridpact.safety.verdict import Hazard, Permit
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario
from gridpact.sense.record import record, record_alerts
from gridpact.sense.rejudge import SensorAudit

FAULT, BLOCKED, RELEASED, STORM = 8, 9, 11, 14
INTERVALS = 16
MAIN = (Section("main", 1),)


@pytest.fixture(scope="module")
def stormy() -> Scenario:
    return shortened(load(SCENARIOS / "sce56-storm.toml"), INTERVALS)


@pytest.fixture(scope="module")
def storm(stormy: Scenario) -> DayResult:
    return run_day(stormy, memory_ledgers(stormy), quietly, signed=False)


def trades(result: IntervalResult) -> dict[bytes, Trade]:
    """Return the trades of an interval by the participants' own names."""
    own = [fill.hash for fill in result.cleared.fills]
    return dict(zip(own, of_interval(result), strict=True))


def causes(result: IntervalResult) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in result.verdicts:
        for hold in one.holds:
            why = f"{hold.cause} {hold.target}"
            found[why] = found.get(why, 0) + 1
    return found


def test_no_trade_flows_in_a_thunderstorm_and_all_its_money_goes_back(storm: DayResult) -> None:
    result = storm.intervals[STORM]
    assert causes(result) == {"thunderstorm station roof": len(result.cleared.fills)}
    for trade in trades(result).values():
        fill, made, said = trade.settled
        assert (made.held, made.agreed, made.sent) == (fill.energy_wh, 0, 0)
        assert said.case is not Case.DISPUTE
        assert (said.refund, said.paid, said.charge, said.reward) == (fill.lock, 0, 0, 0)
    assert result.rated == ()
    assert result.zonal_settlement.incentives == ()


def test_a_trade_that_is_stopped_half_way_is_paid_for_what_arrived(storm: DayResult) -> None:
    result = storm.intervals[STORM - 1]
    stopped = held(result.verdicts)
    assert len(stopped) == len(result.cleared.fills)
    begins = storm.intervals[0].verdicts[0].until
    for name, trade in trades(result).items():
        fill, made, said = trade.settled
        [hold] = [one for each in result.verdicts for one in each.holds if one.fill == name]
        assert hold.since == begins + (STORM - 1) * 3600 + 1800, "at half past one, when it warns"
        assert made.held == hold.energy_wh == fill.energy_wh // 2
        assert made.agreed + made.unused == fill.energy_wh - made.held
        spent = said.paid + said.charge + said.fee_seller + said.fee_network
        assert said.refund == fill.lock - spent > 0
    rated = {row.participant: row for row in result.rated}
    agreed: dict[bytes, int] = {}
    for trade in trades(result).values():
        seller = trade.settled.fill.seller
        agreed[seller] = agreed.get(seller, 0) + trade.settled.delivery.agreed
    assert {who: row.agreed_wh for who, row in rated.items()} == {
        who: energy for who, energy in agreed.items() if energy
    }


def test_a_faulty_transformer_stops_the_trades_behind_it_and_no_others(
    stormy: Scenario, storm: DayResult
) -> None:
    bus = {site.name: site.bus for site in (*stormy.sites, *stormy.plants)}
    result = storm.intervals[BLOCKED]
    assert set(causes(result)) == {"equipment_failure transformer T-7"}
    stopped = held(result.verdicts)
    for fill in result.cleared.fills:
        places = {bus[storm.names[party]] for party in (fill.buyer, fill.seller)}
        assert (fill.hash in stopped) == any(7 <= place <= 19 for place in places)


def test_a_fault_between_two_sections_stops_what_passes_it_and_nothing_else(
    stormy: Scenario,
) -> None:
    assert stormy.sensors is not None
    fault = (Fault("main", Hours(6.0, 9.0), 14.0),)
    faulty = SensorSettings("roof", stormy.sensors.sections, 7, faults=fault)
    short = shortened(replace(stormy, sensors=faulty), 9)
    day = run_day(short, memory_ledgers(short), quietly, signed=False)
    bus = {site.name: site.bus for site in (*stormy.sites, *stormy.plants)}
    result = day.intervals[8]
    assert set(causes(result)) == {"equipment_failure transformer main"}
    stopped, within = held(result.verdicts), 0
    for fill in result.cleared.fills:
        places = [bus[day.names[party]] for party in (fill.buyer, fill.seller)]
        one = all(7 <= at <= 19 for at in places) or all(at >= 41 for at in places)
        assert (fill.hash in stopped) != one
        within += one
    assert 0 < within < len(result.cleared.fills)


def test_the_operator_lets_trades_flow_and_its_word_is_on_record(storm: DayResult) -> None:
    result = storm.intervals[RELEASED]
    assert causes(result) == {}
    released = {one.fill: one.reason for each in result.verdicts for one in each.released}
    assert released
    assert set(released.values()) == {"crew on site reads 58 degrees at the top oil"}
    assert all(trades(result)[name].settled.delivery.held == 0 for name in released)


def test_whose_meter_is_silent_is_refused_with_the_code_of_sensors(storm: DayResult) -> None:
    who = next(address for address, name in storm.names.items() if name == "homes-014")
    before, after = storm.intervals[7].book, storm.intervals[BLOCKED].book
    assert who in {one.order.participant for one in before.orders}
    assert [one.participant for one in after.refusals if one.code is Code.SENSOR] == [who]
    assert who not in {one.order.participant for one in after.orders}


def test_report_and_summary_show_what_was_held_why_and_for_whom(storm: DayResult) -> None:
    found = examine(storm)
    told = summary(found)["sensors"]
    seen = {(one["target"], one["hazard"]) for one in told["episodes"]}
    assert {("station roof", "thunderstorm"), ("transformer T-7", "equipment_failure")} <= seen
    stops = sum(len(one.holds) for each in storm.intervals for one in each.verdicts)
    assert sum(one["trades"] for one in told["stops"]) == stops > 0
    assert sum(one["held_wh"] for one in told["stops"]) == sum(
        one.held for one in found.compared.hours
    )
    assert "homes-014" in {one["name"] for one in told["alerts"] if one["refused"]}
    shown = page(found, {}, [])
    assert "Held trades" in shown
    assert "crew on site reads 58 degrees" in shown
    assert list(told["warnings"]) == [
        {"station": "roof", "hazard": "thunderstorm", "since": 13.5, "until": 14.5}
    ]
    assert "The weather service warned of thunderstorm at station roof" in shown
    warned = [one for one in told["episodes"] if one["target"] == "station roof"]
    assert [one["means"] for one in warned] == ["lightning and rain within 10 km"], "it came"


def test_alerts_of_a_run_are_a_file_and_name_whom_they_concern(
    storm: DayResult, stormy: Scenario, tmp_path: Path
) -> None:
    assert storm.measured is not None
    with record_alerts(storm.measured[0], storm.sensed, tmp_path).open() as file:
        rows = {(one["target_type"], one["target"]): one for one in csv.DictReader(file)}
    sky, oil = rows["station", "roof"], rows["transformer", "T-7"]
    assert (sky["since"], sky["cls"]) == ("2016-06-09T13:30:00Z", "thunderstorm")
    assert (oil["since"][:14], oil["cls"]) == ("2016-06-09T08:", "equipment_failure")
    everybody, behind = sky["meters"].split(";"), oil["meters"].split(";")
    assert len(everybody) == len(storm.measured[0].layout.meters)
    bus = {one.name: one.bus for one in (*stormy.sites, *stormy.plants)}
    assert {bus[name.removesuffix(" pv")] for name in behind} <= set(range(7, 20))
    assert rows["meter", "homes-014"]["meters"].split(";") == ["homes-014"]
    assert rows["meter", "homes-014"]["cls"] == "comm_loss"


def test_a_day_without_sensors_says_nothing_of_them(day: DayResult) -> None:
    found = examine(day)
    assert summary(found)["sensors"] is None
    assert "Held trades" not in page(found, {}, [])


def test_without_the_weather_nothing_flows(stormy: Scenario) -> None:
    silence = (Silence("station roof", Hours(6.4, 8.9)),)
    deaf = replace(stormy, sensors=SensorSettings("roof", MAIN, 7, silences=silence))
    day = run_day(shortened(deaf, 10), memory_ledgers(deaf), quietly, signed=False)
    for interval, share in ((6, 4), (7, 1), (8, 1)):
        result = day.intervals[interval]
        assert causes(result) == {"stale station roof": len(result.cleared.fills)}
        for one in (one for each in result.verdicts for one in each.holds):
            fill = trades(result)[one.fill].settled.fill
            assert one.energy_wh == fill.energy_wh // share
    assert causes(day.intervals[9]) == {}


def test_sensors_change_nothing_where_nothing_is_wrong(stormy: Scenario, day: DayResult) -> None:
    calm = shortened(replace(stormy, sensors=SensorSettings("roof", MAIN)), 12)
    watched = run_day(calm, memory_ledgers(calm), quietly, signed=False)
    for one, other in zip(watched.intervals, day.intervals, strict=False):
        assert one.settlement.statements == other.settlement.statements
        assert [each.holds for each in one.verdicts] == [(), ()]


def test_whatever_is_held_whenever_no_money_is_lost_and_nobody_is_blamed(
    stormy: Scenario,
) -> None:
    """Permits drawn at random: any trade may stop at any quarter of an hour."""
    calm = shortened(replace(stormy, sensors=SensorSettings("roof", MAIN, 7)), 12)
    ledgers = memory_ledgers(calm)
    parts = assemble(calm, ledgers, signed=False)
    watch = parts.market.watch
    assert watch is not None
    honest, rng = watch.permit, random.Random(1)

    def drawn(fill: Fill) -> Permit:
        permit = honest(fill)
        if rng.random() < 0.75:
            return permit
        return changed(permit, allowed=False, stale=("station roof",))

    watch.permit = drawn  # type: ignore[method-assign]
    day = run_parts(parts, ledgers, Stopwatch(quietly))
    examine(day)  # every micro-unit is booked, and what is booked is what the ledgers hold
    assert all(chain.totals.holds for chain in day.chains)
    assert all(chain.totals.locked == calm.council.pledged for chain in day.chains)
    whole = part = 0
    for result in day.intervals:
        stopped, agreed = held(result.verdicts), dict[bytes, int]()
        for name, trade in trades(result).items():
            fill, made, said = trade.settled
            assert made.held == stopped.get(name, 0)
            agreed[fill.seller] = agreed.get(fill.seller, 0) + made.agreed
            spent = said.paid + said.charge + said.fee_seller + said.fee_network
            assert spent + said.refund == fill.lock
            if trade.is_held:
                assert said.refund == fill.lock
                whole += 1
            part += 0 < made.held < fill.energy_wh
        moved = {row.participant: row.agreed_wh for row in result.rated}
        assert moved == {who: energy for who, energy in agreed.items() if energy}
    assert min(whole, part) > 50


# resume


@pytest.fixture(scope="module")
def deaf(stormy: Scenario) -> Scenario:
    """Some hours; in the last one the weather falls silent."""
    silence = (Silence("station roof", Hours(7.1, 8.0)),)
    return shortened(replace(stormy, sensors=SensorSettings("roof", MAIN, 7, silences=silence)), 8)


@pytest.fixture(scope="module")
def undisturbed(deaf: Scenario) -> tuple[DayResult, list[Key]]:
    counted = Countdown()
    return run_day(deaf, cuttable(deaf, counted), quietly, signed=False), counted.written


@pytest.mark.parametrize(("part", "chain", "after"), [(OPENING, 0, True), (DURING, 1, False)])
def test_run_cut_around_the_sensors_word_ends_the_same(
    deaf: Scenario,
    undisturbed: tuple[DayResult, list[Key]],
    part: int,
    chain: int,
    after: bool,
) -> None:
    whole, written = undisturbed
    assert held(whole.intervals[7].verdicts)
    places = [
        n for n, key in enumerate(written, 1)
        if (key.interval, key.phase, key.part) == (7, Phase.DELIVER, part)
    ]  # fmt: skip
    ledgers = cuttable(deaf, Countdown(places[chain], after))
    with pytest.raises(PowerCut):
        run_day(deaf, ledgers, quietly, signed=False)
    assert ends(run_day(deaf, ledgers, quietly, signed=False)) == ends(whole)


# council and audit


def test_a_watched_run_is_self_consistent(stormy: Scenario, tmp_path: Path) -> None:
    assert stormy.sensors is not None
    foretold = (Warned(Hazard.HIGH_WIND, Hours(7.25, 7.75)), *stormy.sensors.warnings)
    stormy = replace(stormy, sensors=replace(stormy.sensors, warnings=foretold))
    stormy = shortened(stormy, BLOCKED + 1)
    file, log = tmp_path / "ledger.db", tmp_path / "sensors"
    ledgers = embedded_ledgers(stormy, file)
    day = run_day(stormy, ledgers, quietly)
    ledgers.close()
    assert day.measured is not None
    log.mkdir()
    record(*day.measured, log)
    again = SensorAudit(log)
    assert len(audit_ledger(file, {}, [again]).chains) == 2
    assert again.judged == BLOCKED + 1, "who has the log comes to the same verdicts"
    [stop] = {(one.cause, one.target) for each in day.intervals[7].verdicts for one in each.holds}
    assert stop == ("high_wind", "station roof")
    header, said = (log / "warnings.csv").read_text().splitlines()
    assert (header, said.split(",")[::3]) == ("station,from,until,cls", ["roof", "high_wind"])
    (log / "warnings.csv").rename(tmp_path / "kept")
    with pytest.raises(Corrupt, match="sensors say"):
        again.with_log(log).finish()
    (tmp_path / "kept").rename(log / "warnings.csv")
    weather = (log / "weather.csv").read_text().splitlines()
    (log / "weather.csv").write_text("\n".join(weather[:-30]) + "\n")
    with pytest.raises(Corrupt, match="sensors say"):
        again.with_log(log).finish()
    readings = (log / "readings.csv").read_text().splitlines()
    (log / "readings.csv").write_text("\n".join(readings[:2] + readings[60:]) + "\n")
    with pytest.raises(Corrupt, match="clean days teach"):
        again.with_log(log).finish()


def test_the_council_signs_no_hold_that_its_sensors_do_not_know(stormy: Scenario) -> None:
    short = shortened(stormy, 8)
    market = assemble(short, memory_ledgers(short)).market
    assert market.watch is not None
    honest = market.watch.permit

    def invented(fill: Fill) -> Permit:
        return changed(honest(fill), allowed=False, stale=("station roof",))

    market.watch.permit = invented  # type: ignore[method-assign]
    with pytest.raises(NoQuorum, match="sensors say"):
        list(run(market, short.time.intervals))
