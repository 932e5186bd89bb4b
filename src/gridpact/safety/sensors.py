"""The sensors of a region at work: what they say of each moment.

Two clocks: weather every five minutes (`weather`), meters, feeders, lines and transformers every
quarter of an hour (`tick`). Only event time counts: the same log gives the same verdicts to the
byte, whole or stopped at any moment and taken up again from a snapshot. What decides is told in
`docs/safety.md`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridpact.safety import balance, charts, equipment, meters, principal, snapshot, weather
from gridpact.safety.balance import Blame, Newest
from gridpact.safety.expected import LOAD, Context, Small
from gridpact.safety.layout import NONE
from gridpact.safety.learned import Learned, hour_of_week
from gridpact.safety.meters import Seen
from gridpact.safety.state import State, fresh
from gridpact.safety.terms import QUARTER, Terms
from gridpact.safety.verdict import CLASSES, OK, Hazard, Target
from gridpact.safety.weather import FIELDS, GHI, TEMP, WIND, Weather

_CODE = {hazard: code for code, hazard in enumerate(CLASSES)}


@dataclass(frozen=True, eq=False)
class Tick:
    """One moment of the meters' clock. NaN for what was not heard.

    power (meter,) [kW], area (feeder,) [kW], current (line,) [A], load (transformer,) [pu],
    oil (transformer,) [degC]; extra: further channels of the transformers, (channel, transformer);
    time in seconds since 1970, UTC.
    """

    time: int
    power: Small
    area: NDArray[np.float64]
    current: NDArray[np.float64]
    load: NDArray[np.float64]
    oil: NDArray[np.float64]
    extra: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True)
class Row:
    """One reading, or one moment of a station, that was judged not ok.

    `warned`: only a warning says so, the station's own instruments do not.
    """

    time: int
    target: Target
    name: str
    hazard: Hazard
    score: float
    warned: bool = False


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
        return cls(learned, fresh(learned, numbers), numbers)

    def snapshot(self) -> bytes:
        """Return all that is remembered; with the same `Learned` it goes on from there."""
        return snapshot.freeze(self.state)

    def restored(self, data: bytes) -> "Sensors":
        """Return these sensors as they stood when a snapshot was taken."""
        like = fresh(self.learned, self.terms)
        return replace(self, state=snapshot.thaw(data, like), seen=None, power=None)

    # weather

    def weather(
        self, time: int, rows: NDArray[np.float64], warned: NDArray[np.bool_] | None = None
    ) -> list[Row]:
        """Take a row of every station, (field, station); return the stations that are unsafe.

        `warned`, (level, station), is what each is warned of (`safety.warning.warned`). A row
        that is not newer than the last one changes nothing.
        """
        state = self.state
        if time <= state.weathered:
            return []
        state.weathered = time
        found = weather.step(state.weather, rows, self.terms.weather, warned)
        code = _sky(found)
        began = (code != OK) & (state.sky == OK)
        state.sky_since = np.where(began, time, np.where(code == OK, 0, state.sky_since))
        state.sky, state.sky_score, state.time = code, found.score, time
        state.sky_told = found.told
        return [
            Row(time, Target.STATION, self.learned.layout.stations[at], CLASSES[code[at]],
                float(found.score[at]), bool(found.told[at]))
            for at in np.flatnonzero(code != OK)
        ]  # fmt: skip

    # the quarter of an hour

    def tick(self, now: Tick) -> list[Row]:
        """Take one moment of meters, feeders, lines and transformers; return what is not ok.

        A moment that is not newer than the last one changes nothing.
        """
        state, learned, terms = self.state, self.learned, self.terms
        if now.time <= state.ticked:
            return []
        state.ticked = now.time
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
        self._chart(seen, context, code)
        self.seen, self.power = seen, now.power
        rows = [
            Row(now.time, Target.METER, learned.layout.meters[at], CLASSES[code[at]],
                float(score[at]))
            for at in np.flatnonzero(code != OK)
        ]  # fmt: skip
        return rows + self._machines(now)

    def _chart(self, seen: Seen, context: Context, code: NDArray[np.int8]) -> None:
        """Move the charts of the meters that are ok, or not ok only by their own chart."""
        state, learned = self.state, self.learned
        known = seen.heard & np.isfinite(seen.expected) & ~learned.models.beyond(context)
        other = seen.impossible | seen.frozen | seen.short | (state.share != 0)
        own = (code != OK) & ~self._watched() & ~other
        which = known & ((code == OK) | own)
        charts.move(state.charts, seen.residual, which, learned.limits, self.terms.charts)

    def _context(self, time: int) -> Context:
        """Return what the stations say, by meter; NaN where a station is silent."""
        latest, where = self.state.weather.latest, self.learned.layout.meter_station
        silent = self.state.weather.silent >= self.terms.weather.silent
        heard = np.where(silent, np.nan, latest).astype(np.float32)
        padded = np.column_stack([heard, np.full(len(FIELDS), np.nan, np.float32)])
        by_meter = padded[:, where]
        hour = hour_of_week(time)
        return Context(hour, by_meter[TEMP], by_meter[GHI], by_meter[WIND])

    def _alone(self, seen: Seen) -> tuple[NDArray[np.int8], Small]:
        """Return class and score of each reading as far as it shows by itself."""
        kind = self.learned.layout.meter_kind
        watched = self._watched()
        code = np.full(len(kind), OK, np.int8)
        score = np.zeros(len(kind), np.float32)
        size, loads = np.abs(seen.residual), kind == LOAD
        out = charts.strength(self.state.charts, self.learned.limits)
        alarm, less = (out >= 1) & ~watched & seen.heard, charts.below(self.state.charts)
        for which, hazard, strength in (
            (alarm & (loads != less), Hazard.BIAS, out),
            (alarm & loads & less, Hazard.THEFT, out),
            (alarm & ~loads & ~less, Hazard.FALSE_DATA, out),
            (seen.short & (self.state.share == 0), Hazard.EQUIPMENT_FAILURE,
             1 + 10 * (1 - self.state.meters.ratio - self.terms.meters.fault)),
            (seen.frozen, Hazard.STUCK_AT, self.state.meters.run / np.maximum(
                self.state.meters.longest + self.terms.meters.frozen, 1)),
            (seen.impossible & loads, Hazard.SPIKE, 1 + size),
            (seen.impossible & ~loads, Hazard.FALSE_DATA, 1 + size),
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
        found = balance.step(state.feeders, models, new, now.area, self.terms.balance)
        heard = np.append(models.known & np.isfinite(now.area), False)
        judged = heard[self.learned.layout.meter_feeder]
        lasting = {int(who[one.feeder, one.member]): one for one in found if not one.lone}
        for meter in np.flatnonzero((state.share != 0) & judged).tolist():
            if meter not in lasting:
                state.share[meter] = state.offset[meter] = 0.0
        for meter, blame in lasting.items():
            self._blame(now, meter, blame)
            score[meter] = blame.strength
        self._mark(now, code, score)
        for one in found:
            meter = int(who[one.feeder, one.member])
            if one.lone and code[meter] == OK:
                code[meter], score[meter] = _CODE[Hazard.SPIKE], one.strength

    def _blame(self, now: Tick, meter: int, blame: Blame) -> None:
        """Keep a meter's missing share, and what class of error it is."""
        state, time = self.state, now.time
        missing = blame.share * np.nan_to_num(now.power[meter]) + blame.value > 0
        load = self.learned.layout.meter_kind[meter] == LOAD
        if state.share[meter] == 0:
            again = time - (state.until[meter] - self.terms.memory) > self.terms.pause
            state.bouts[meter] += again
            state.first[meter] = blame.share
            hazard = Hazard.THEFT if missing else Hazard.BIAS
            if not load:
                hazard = Hazard.BIAS if missing else Hazard.FALSE_DATA
            state.lasting[meter] = _CODE[hazard]
        state.share[meter], state.offset[meter] = blame.share, blame.value
        state.until[meter] = time + self.terms.memory
        grown = abs(blame.share) > self.terms.drift * abs(state.first[meter])
        long = state.since[meter] > 0 and time - state.since[meter] >= 32 * QUARTER
        if load and grown and long and not blame.free:
            state.lasting[meter] = _CODE[Hazard.DRIFT]

    def _mark(self, now: Tick, code: NDArray[np.int8], score: Small) -> None:
        """Give the blamed their class wherever the error is material."""
        who = np.flatnonzero(self.state.share)
        shares, value = self.state.share[who], np.nan_to_num(now.power[who]).astype(float)
        error = np.abs(shares * value + self.state.offset[who] * (value != 0))
        true = np.abs(value * (1 + shares))
        of_true, of_scale = self.terms.material
        scale = self.learned.layout.meter_scale[who]
        counts = error > self.terms.clear * np.maximum(of_true * true, of_scale * scale)
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
        learned, layout, state = self.learned, self.learned.layout, self.state
        temp = np.append(
            np.where(
                state.weather.silent >= self.terms.weather.silent,
                np.nan,
                state.weather.latest[TEMP],
            ),
            np.nan,
        )
        found = equipment.step(
            state.equipment, self.learned.oil, now.load, now.oil,
            temp[layout.transformer_station], now.current, layout.line_rating,
            temp[layout.line_station], self.terms.equipment,
        )  # fmt: skip
        channels = principal.channels(
            now.time, now.load, found.expected, now.oil, temp[layout.transformer_station], now.extra
        )
        parted = principal.step(state.principal, learned.principal, channels, self.terms.principal)
        fails = found.failing | parted.broken
        failing = np.where(fails, _CODE[Hazard.EQUIPMENT_FAILURE], OK).astype(np.int8)
        hot = np.where(found.overloaded, _CODE[Hazard.LINE_OVERLOAD], OK).astype(np.int8)
        state.machine_since = _since(state.machine_since, failing != OK, now.time)
        state.line_since = _since(state.line_since, hot != OK, now.time)
        state.machine, state.line = failing, hot
        hot_oil = found.excess / self.terms.equipment.alarm
        state.machine_score = np.where(parted.broken, np.maximum(hot_oil, parted.strength), hot_oil)
        state.machine_channel = np.where(parted.broken, parted.channel, NONE)
        state.machine_off = parted.off
        state.line_score = found.loading
        rows = [
            Row(now.time, Target.TRANSFORMER, layout.transformers[at], Hazard.EQUIPMENT_FAILURE,
                float(state.machine_score[at]))
            for at in np.flatnonzero(fails)
        ]  # fmt: skip
        return rows + [
            Row(now.time, Target.LINE, layout.lines[at], Hazard.LINE_OVERLOAD,
                float(found.loading[at]))
            for at in np.flatnonzero(found.overloaded)
        ]  # fmt: skip


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


def _padded(values: NDArray[Any], who: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return values by feeder and member; nobody has 0."""
    return np.append(values, 0).astype(float)[who]
