"""The sensors of a region: what they learn from clean days, and what they say of each moment.

Two clocks: weather every five minutes (`weather`), meters, feeders, lines and transformers every
quarter of an hour (`tick`). Only event time counts: the same log gives the same verdicts to the
byte, whole or stopped at any moment and taken up again from a snapshot. What decides is told in
`docs/safety.md`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridpact.crypto.keccak import keccak
from gridpact.safety import balance, equipment, meters, snapshot, weather
from gridpact.safety.balance import BalanceTerms, Blame, FeederModels, FeederStates, Newest
from gridpact.safety.equipment import EquipmentState, EquipmentTerms, OilModel
from gridpact.safety.expected import LOAD, Context, Models, Small
from gridpact.safety.expected import fit as fit_models
from gridpact.safety.layout import NONE, Layout, members
from gridpact.safety.meters import MeterState, MeterTerms, Seen
from gridpact.safety.verdict import CLASSES, OK, Hazard, Permit, Target, Verdict
from gridpact.safety.weather import FIELDS, Weather, WeatherState, WeatherTerms

QUARTER = 900
"""Seconds of one tick of the meters."""
_CODE = {hazard: code for code, hazard in enumerate(CLASSES)}
_TEMP, _WIND, _GHI = FIELDS.index("temp_c"), FIELDS.index("wind_ms"), FIELDS.index("ghi_wm2")


@dataclass(frozen=True)
class Terms:
    """All numbers of the sensors. `material`: an error counts beyond the larger of these shares of
    the true value and of the meter's scale; `bouts` within `memory` seconds make a meter unsafe
    between them, too; `drift`: growth of a share within the window that makes it a drift.
    """

    weather: WeatherTerms = field(default_factory=WeatherTerms)
    equipment: EquipmentTerms = field(default_factory=EquipmentTerms)
    meters: MeterTerms = field(default_factory=MeterTerms)
    balance: BalanceTerms = field(default_factory=BalanceTerms)
    material: tuple[float, float] = (0.05, 0.02)
    bouts: int = 2
    memory: int = 2 * 86_400
    drift: float = 1.5


@dataclass(frozen=True, eq=False)
class Tick:
    """One moment of the meters' clock. NaN for what was not heard.

    power (meter,) [kW], area (feeder,) [kW], current (line,) [A], load (transformer,) [pu],
    oil (transformer,) [degC]; time in seconds since 1970, UTC.
    """

    time: int
    power: Small
    area: NDArray[np.float64]
    current: NDArray[np.float64]
    load: NDArray[np.float64]
    oil: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Learned:
    """What clean days taught: models of meters, feeders and transformers, and their version."""

    layout: Layout
    models: Models
    longest: NDArray[np.int16]
    feeders: FeederModels
    oil: OilModel
    version: str


@dataclass(eq=False)
class State:
    """All that changes. `share`: missing share of each blamed report; `code`: class of each
    meter's verdict; `since`: when its episode began; `bouts`, `until`: how often it was blamed, and
    until when that counts.
    """

    weather: WeatherState
    equipment: EquipmentState
    meters: MeterState
    feeders: FeederStates
    share: NDArray[np.float64]
    lasting: NDArray[np.int8]
    first: NDArray[np.float64]
    code: NDArray[np.int8]
    score: Small
    since: NDArray[np.int64]
    bouts: NDArray[np.int16]
    until: NDArray[np.int64]
    sky: NDArray[np.int8]
    sky_score: NDArray[np.float64]
    sky_since: NDArray[np.int64]
    machine: NDArray[np.int8]
    machine_since: NDArray[np.int64]
    line: NDArray[np.int8]
    line_since: NDArray[np.int64]
    area_silent: NDArray[np.int64]
    machine_score: NDArray[np.float64]
    line_score: NDArray[np.float64]
    time: int = 0


@dataclass(frozen=True)
class Row:
    """One reading, or one moment of a station, that was judged not ok."""

    time: int
    target: Target
    name: str
    hazard: Hazard
    score: float


@dataclass(eq=False)
class Sensors:
    """Sensors at work: `weather` and `tick` take what was measured, in order of time."""

    learned: Learned
    state: State
    terms: Terms = field(default_factory=Terms)
    seen: Seen | None = None
    power: Small | None = None

    @classmethod
    def of(cls, learned: Learned, terms: Terms | None = None) -> "Sensors":
        """Return sensors before their first reading: nothing is permitted before one was heard."""
        numbers = terms or Terms()
        return cls(learned, _fresh(learned, numbers), numbers)

    def snapshot(self) -> bytes:
        """Return all that is remembered; with the same `Learned` it goes on from there."""
        return snapshot.freeze(self.state)

    def restored(self, data: bytes) -> "Sensors":
        """Return these sensors as they stood when a snapshot was taken."""
        like = _fresh(self.learned, self.terms)
        return replace(self, state=snapshot.thaw(data, like), seen=None, power=None)

    # weather

    def weather(
        self, time: int, rows: NDArray[np.float64], warned: NDArray[np.bool_] | None = None
    ) -> list[Row]:
        """Take a row of every station, (field, station); return the stations that are unsafe."""
        state = self.state
        found = weather.step(state.weather, rows, self.terms.weather, warned)
        code = _sky(found)
        began = (code != OK) & (state.sky == OK)
        state.sky_since = np.where(began, time, np.where(code == OK, 0, state.sky_since))
        state.sky, state.sky_score, state.time = code, found.score, time
        return [
            Row(time, Target.STATION, self.learned.layout.stations[at], CLASSES[code[at]],
                float(found.score[at]))
            for at in np.flatnonzero(code != OK)
        ]  # fmt: skip

    # the quarter of an hour

    def tick(self, now: Tick) -> list[Row]:
        """Take one moment of meters, feeders, lines and transformers; return what is not ok."""
        state, learned, terms = self.state, self.learned, self.terms
        state.time = now.time
        context = self._context(now.time)
        expected, spread = learned.models.predict(context)
        kind, scale = learned.layout.meter_kind, learned.layout.meter_scale
        seen = meters.look(
            state.meters, now.power, expected, spread, kind, scale, context.ghi, terms.meters
        )
        code, score = self._alone(seen)
        self._together(now, seen, code, score)
        self._episodes(now.time, code, score)
        meters.learn(state.meters, seen, code == OK, terms.meters)
        self.seen, self.power = seen, now.power
        rows = [
            Row(now.time, Target.METER, learned.layout.meters[at], CLASSES[code[at]],
                float(score[at]))
            for at in np.flatnonzero(code != OK)
        ]  # fmt: skip
        return rows + self._machines(now)

    def _context(self, time: int) -> Context:
        """Return what the stations say, by meter; NaN where a station is silent."""
        latest, where = self.state.weather.latest, self.learned.layout.meter_station
        silent = self.state.weather.silent >= self.terms.weather.silent
        heard = np.where(silent, np.nan, latest).astype(np.float32)
        padded = np.column_stack([heard, np.full(len(FIELDS), np.nan, np.float32)])
        by_meter = padded[:, where]
        hour = hour_of_week(time)
        return Context(hour, by_meter[_TEMP], by_meter[_GHI], by_meter[_WIND])

    def _alone(self, seen: Seen) -> tuple[NDArray[np.int8], Small]:
        """Return class and score of each reading as far as it shows by itself."""
        kind = self.learned.layout.meter_kind
        watched = self._watched()
        code = np.full(len(kind), OK, np.int8)
        score = np.zeros(len(kind), np.float32)
        size = np.abs(seen.residual)
        for which, hazard, strength in (
            (seen.short & (self.state.share == 0), Hazard.EQUIPMENT_FAILURE,
             1 + 10 * (1 - self.state.meters.ratio - self.terms.meters.fault)),
            (seen.alarm & ~watched, Hazard.BIAS,
             np.maximum(self.state.meters.up, self.state.meters.down) / self.terms.meters.limit),
            (seen.frozen, Hazard.STUCK_AT, self.state.meters.run / np.maximum(
                self.state.meters.longest + self.terms.meters.frozen, 1)),
            (seen.impossible & (kind == LOAD), Hazard.SPIKE, 1 + size),
            (seen.impossible & (kind != LOAD), Hazard.FALSE_DATA, 1 + size),
            (seen.lost, Hazard.COMM_LOSS, self.state.meters.missing / self.terms.meters.silent),
        ):  # fmt: skip
            code = np.where(which, np.int8(_CODE[hazard]), code)
            score = np.where(which, strength, score).astype(np.float32)
        return code, score

    def _watched(self) -> NDArray[np.bool_]:
        """Say which meters hang on a feeder whose area meter is known and heard."""
        alive = self.learned.feeders.known & (self.state.area_silent < self.terms.meters.silent)
        return np.append(alive, False)[self.learned.layout.meter_feeder]

    def _together(self, now: Tick, seen: Seen, code: NDArray[np.int8], score: Small) -> None:
        """Blame whoever makes the gap of each feeder; classes and scores are changed in place."""
        state, models = self.state, self.learned.feeders
        state.area_silent = np.where(np.isfinite(now.area), 0, state.area_silent + 1)
        who = models.members
        odd = seen.impossible | seen.still | seen.lost
        new = Newest(
            _padded(now.power, who),
            _padded(seen.expected, who),
            _padded(seen.spread, who),
            _padded(seen.residual, who),
            _padded(odd, who).astype(bool),
        )
        shares = _padded(state.share, who)
        found = balance.step(state.feeders, models, new, shares, now.area, self.terms.balance)
        heard = np.append(models.known & np.isfinite(now.area), False)
        judged = heard[self.learned.layout.meter_feeder]
        lasting = {int(who[one.feeder, one.member]): one for one in found if not one.lone}
        for meter in np.flatnonzero((state.share != 0) & judged).tolist():
            if meter not in lasting:
                state.share[meter] = 0.0
        for meter, blame in lasting.items():
            self._blame(now.time, meter, blame)
            score[meter] = blame.strength
        self._mark(now, code, score)
        for one in found:
            meter = int(who[one.feeder, one.member])
            if one.lone and code[meter] == OK:
                code[meter], score[meter] = _CODE[Hazard.SPIKE], one.strength

    def _blame(self, time: int, meter: int, blame: Blame) -> None:
        """Keep a meter's missing share, and what class of error it is."""
        state, missing = self.state, blame.share > 0
        load = self.learned.layout.meter_kind[meter] == LOAD
        if state.share[meter] == 0:
            state.bouts[meter] += 1
            state.first[meter] = blame.share
            hazard = Hazard.THEFT if missing else Hazard.BIAS
            if not load:
                hazard = Hazard.BIAS if missing else Hazard.FALSE_DATA
            state.lasting[meter] = _CODE[hazard]
        state.share[meter] = blame.share
        state.until[meter] = time + self.terms.memory
        grown = abs(blame.share) > self.terms.drift * abs(state.first[meter])
        long = state.since[meter] > 0 and time - state.since[meter] >= 32 * QUARTER
        if load and grown and long:
            state.lasting[meter] = _CODE[Hazard.DRIFT]

    def _mark(self, now: Tick, code: NDArray[np.int8], score: Small) -> None:
        """Give the blamed their class wherever the error is material."""
        who = np.flatnonzero(self.state.share)
        shares, value = self.state.share[who], np.nan_to_num(now.power[who]).astype(float)
        error, true = np.abs(shares * value), np.abs(value * (1 + shares))
        of_true, of_scale = self.terms.material
        scale = self.learned.layout.meter_scale[who]
        counts = error > np.maximum(of_true * true, of_scale * scale)
        chosen = who[counts & (code[who] == OK)]
        code[chosen] = self.state.lasting[chosen]
        score[chosen] = np.maximum(score[chosen], 1.0)

    def _episodes(self, time: int, code: NDArray[np.int8], score: Small) -> None:
        state = self.state
        bad = (code != OK) | (state.share != 0)
        was = state.since > 0
        state.since = np.where(bad, np.where(was, state.since, time), 0)
        state.bouts = np.where((time > state.until) & ~bad, 0, state.bouts).astype(np.int16)
        state.code = np.where((code == OK) & bad, state.lasting, code).astype(np.int8)
        state.score = score

    def _machines(self, now: Tick) -> list[Row]:
        layout, state = self.learned.layout, self.state
        temp = np.append(
            np.where(
                state.weather.silent >= self.terms.weather.silent,
                np.nan,
                state.weather.latest[_TEMP],
            ),
            np.nan,
        )
        found = equipment.step(
            state.equipment, self.learned.oil, now.load, now.oil,
            temp[layout.transformer_station], now.current, layout.line_rating,
            temp[layout.line_station], self.terms.equipment,
        )  # fmt: skip
        failing = np.where(found.failing, _CODE[Hazard.EQUIPMENT_FAILURE], OK).astype(np.int8)
        hot = np.where(found.overloaded, _CODE[Hazard.LINE_OVERLOAD], OK).astype(np.int8)
        state.machine_since = _since(state.machine_since, failing != OK, now.time)
        state.line_since = _since(state.line_since, hot != OK, now.time)
        state.machine, state.line = failing, hot
        state.machine_score = found.excess / self.terms.equipment.alarm
        state.line_score = found.loading
        rows = [
            Row(now.time, Target.TRANSFORMER, layout.transformers[at], Hazard.EQUIPMENT_FAILURE,
                float(state.machine_score[at]))
            for at in np.flatnonzero(found.failing)
        ]  # fmt: skip
        return rows + [
            Row(now.time, Target.LINE, layout.lines[at], Hazard.LINE_OVERLOAD,
                float(found.loading[at]))
            for at in np.flatnonzero(found.overloaded)
        ]  # fmt: skip

    # what one asks of them

    def assess(self, meter: int) -> Verdict:
        """Return the verdict on the newest reading of a meter."""
        state, layout = self.state, self.learned.layout
        code, share = int(state.code[meter]), float(state.share[meter])
        hazard = None if code == OK else CLASSES[code]
        expected = spread = power = None
        if self.seen is not None and self.power is not None:
            expected = _known(self.seen.expected[meter])
            spread = _known(self.seen.spread[meter])
            power = _known(self.power[meter])
        estimated = None
        if hazard is not None:
            estimated = power * (1 + share) if share and power is not None else expected
        band = None if expected is None or spread is None else 3 * spread
        return Verdict(
            time=state.time,
            target=Target.METER,
            name=layout.meters[meter],
            ok=hazard is None,
            reason="" if hazard is None else REASONS[hazard],
            hazard=hazard,
            score=round(float(state.score[meter]), 6),
            expected=expected,
            lower=None if band is None or expected is None else expected - band,
            upper=None if band is None or expected is None else expected + band,
            estimated=estimated,
            evidence=self._evidence(meter, hazard, share),
            since=int(state.since[meter]) or None,
            model=self.learned.version,
        )

    def _evidence(self, meter: int, hazard: Hazard | None, share: float) -> str:
        if hazard is None:
            return ""
        feeder = int(self.learned.layout.meter_feeder[meter])
        if share and feeder != NONE:
            where = self.learned.layout.feeders[feeder]
            more = "more" if share > 0 else "less"
            return f"feeder {where} says {abs(share):.0%} {more} than the meter reports"
        if hazard is Hazard.COMM_LOSS:
            return f"{int(self.state.meters.missing[meter])} rows without a packet"
        if hazard is Hazard.STUCK_AT:
            return f"{int(self.state.meters.run[meter]) + 1} equal readings"
        residual = 0.0 if self.seen is None else float(self.seen.residual[meter])
        return f"{residual:+.1f} spreads from what was expected"

    def gate(self, trade: str, time: int, parties: Sequence[int]) -> Permit:
        """Return whether a trade between meters may flow now.

        Held while a hazard or fault of its meters, their stations, lines or transformers runs, and
        while one of them has not spoken for too long.
        """
        blocking = [verdict for meter in parties for verdict in self._against(meter)]
        stale = [name for meter in parties for name in self._stale(meter)]
        return Permit(
            trade,
            time,
            not blocking and not stale,
            tuple(dict.fromkeys(blocking)),
            tuple(dict.fromkeys(stale)),
            (time // QUARTER + 1) * QUARTER,
        )

    def _against(self, meter: int) -> Iterator[Verdict]:
        state, layout = self.state, self.learned.layout
        again = state.bouts[meter] >= self.terms.bouts and state.time <= state.until[meter]
        if state.code[meter] != OK or state.share[meter] != 0:
            yield self.assess(meter)
        elif again:
            hazard = CLASSES[int(state.lasting[meter])]
            yield Verdict(state.time, Target.METER, layout.meters[meter], False,
                          "false again and again, not cleared yet", hazard)  # fmt: skip
        station, feeder = int(layout.meter_station[meter]), int(layout.meter_feeder[meter])
        if station != NONE and state.sky[station] != OK:
            hazard = CLASSES[int(state.sky[station])]
            yield Verdict(
                state.time, Target.STATION, layout.stations[station], False, REASONS[hazard],
                hazard, round(float(state.sky_score[station]), 6),
                since=int(state.sky_since[station]) or None,
            )  # fmt: skip
        if feeder == NONE:
            return
        for kind, names, places, codes, since in (
            (Target.TRANSFORMER, layout.transformers, layout.transformer_feeder, state.machine,
             state.machine_since),
            (Target.LINE, layout.lines, layout.line_feeder, state.line, state.line_since),
        ):  # fmt: skip
            for at in np.flatnonzero((places == feeder) & (codes != OK)):
                hazard = CLASSES[int(codes[at])]
                yield Verdict(state.time, kind, names[at], False, REASONS[hazard], hazard,
                              since=int(since[at]) or None)  # fmt: skip

    def _stale(self, meter: int) -> Iterator[str]:
        """Name the sensors of a trade that were not heard: the gate fails closed."""
        state, layout = self.state, self.learned.layout
        station, feeder = int(layout.meter_station[meter]), int(layout.meter_feeder[meter])
        if station != NONE and state.weather.silent[station] >= self.terms.weather.silent:
            yield f"station {layout.stations[station]}"
        if feeder == NONE:
            return
        for kind, names, places, silent in (
            ("transformer", layout.transformers, layout.transformer_feeder, state.equipment.silent),
            ("line", layout.lines, layout.line_feeder, state.equipment.line_silent),
        ):
            for at in np.flatnonzero((places == feeder) & (silent >= self.terms.equipment.silent)):
                yield f"{kind} {names[at]}"


REASONS = {
    Hazard.SPIKE: "one reading far off",
    Hazard.STUCK_AT: "the reading does not move",
    Hazard.DRIFT: "the report departs more and more from the truth",
    Hazard.BIAS: "the report is off by a constant share",
    Hazard.THEFT: "less is reported than is used",
    Hazard.FALSE_DATA: "more is reported than can be generated",
    Hazard.EQUIPMENT_FAILURE: "the machine does not do what its load and the weather explain",
    Hazard.COMM_LOSS: "no packet for two hours",
    Hazard.LINE_OVERLOAD: "current at or above the rating",
    Hazard.TYPHOON: "a tropical cyclone is near",
    Hazard.HIGH_WIND: "gusts of Beaufort 8 and more",
    Hazard.THUNDERSTORM: "lightning and rain within 10 km",
    Hazard.LIGHTNING: "lightning within 10 km",
}


def hour_of_week(time: int) -> int:
    """Return the hour of the week, 0 on Monday at midnight UTC. Day 0 of 1970 was a Thursday."""
    return (time // 3600 + 72) % 168


def _sky(found: Weather) -> NDArray[np.int8]:
    code = np.full(len(found.typhoon), OK, np.int8)
    for which, hazard in (
        (found.lightning, Hazard.LIGHTNING),
        (found.high_wind, Hazard.HIGH_WIND),
        (found.thunderstorm, Hazard.THUNDERSTORM),
        (found.typhoon, Hazard.TYPHOON),
    ):
        code = np.where(which, np.int8(_CODE[hazard]), code)
    return code


def _since(before: NDArray[np.int64], bad: NDArray[np.bool_], time: int) -> NDArray[np.int64]:
    return np.where(bad, np.where(before > 0, before, time), 0)


def _known(value: np.float32) -> float | None:
    return float(value) if np.isfinite(value) else None


def learn(
    layout: Layout,
    times: NDArray[np.int64],
    power: Small,
    area: NDArray[np.float64],
    load: NDArray[np.float64],
    oil: NDArray[np.float64],
    sky: NDArray[np.float64],
    terms: Terms | None = None,
) -> Learned:
    """Return what clean rows teach.

    Parameters
    ----------
    times
        Of the rows. (row,) [s]
    power, area
        (row, meter), (row, feeder) [kW]; NaN where missing.
    load, oil
        (row, transformer)
    sky
        Weather at the rows, (row, field, station) in the order of `weather.FIELDS`.
    """
    numbers = terms or Terms()
    pad = np.full((len(times), len(FIELDS), 1), np.nan)
    padded = np.concatenate([sky, pad], axis=2).astype(np.float32)
    by_meter = padded[:, :, layout.meter_station]
    hours = np.array([hour_of_week(int(one)) for one in times])
    models = fit_models(
        layout.meter_kind, layout.meter_scale, power, hours,
        by_meter[:, _TEMP], by_meter[:, _GHI], by_meter[:, _WIND],
    )  # fmt: skip
    groups = [members(layout, at) for at in range(len(layout.feeders))]
    feeders = balance.fit(groups, layout.meter_kind, power, area, numbers.balance)
    temp = padded[:, _TEMP].astype(float)[:, layout.transformer_station]
    fitted = equipment.fit(load, oil, temp, numbers.equipment)
    return Learned(
        layout, models, meters.longest_runs(power), feeders, fitted, _version(models, fitted)
    )


def _padded(values: NDArray[Any], who: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return values by feeder and member; nobody has 0."""
    return np.append(values, 0).astype(float)[who]


def _version(models: Models, oil: OilModel) -> str:
    parts = (models.weekly, models.by_hour, models.curve, models.heating, oil.rise, oil.hours)
    return "sensors-1-" + keccak(b"".join(one.tobytes() for one in parts)).hex()[:12]


def _fresh(learned: Learned, terms: Terms) -> State:
    layout = learned.layout
    count, stations = len(layout.meters), len(layout.stations)
    machines, lines = len(layout.transformers), len(layout.lines)
    none = OK
    return State(
        weather=weather.fresh(stations, terms.weather),
        equipment=equipment.fresh(machines, lines, terms.equipment),
        meters=meters.fresh(count, learned.longest, terms.meters),
        feeders=balance.fresh(learned.feeders),
        share=np.zeros(count),
        lasting=np.full(count, none, np.int8),
        first=np.zeros(count),
        code=np.full(count, none, np.int8),
        score=np.zeros(count, np.float32),
        since=np.zeros(count, np.int64),
        bouts=np.zeros(count, np.int16),
        until=np.zeros(count, np.int64),
        sky=np.full(stations, none, np.int8),
        sky_score=np.zeros(stations),
        sky_since=np.zeros(stations, np.int64),
        machine=np.full(machines, none, np.int8),
        machine_since=np.zeros(machines, np.int64),
        line=np.full(lines, none, np.int8),
        line_since=np.zeros(lines, np.int64),
        area_silent=np.zeros(len(layout.feeders), np.int64),
        machine_score=np.zeros(machines),
        line_score=np.zeros(lines),
    )
