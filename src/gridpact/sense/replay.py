"""Sensors over recorded data: learn from the clean days, then judge every moment in its turn.

Event time only: what is judged at a moment has seen nothing later. At equal times weather comes
first, then meters, then trades.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety import warning
from gridpact.safety.gate import gate
from gridpact.safety.learned import Learned, learn
from gridpact.safety.sensors import Row, Sensors, Tick
from gridpact.safety.terms import QUARTER, Terms
from gridpact.safety.verdict import Permit
from gridpact.sense.log import Floats, Log, Series, Times

_WEATHER = 300
"""Seconds between two rows of weather."""


@dataclass(frozen=True)
class Judged:
    """What the sensors said of a log: readings not ok in order of time, a permit per trade."""

    rows: tuple[Row, ...]
    permits: tuple[Permit, ...]


def learned(log: Log, terms: Terms | None = None) -> Learned:
    """Return what the clean days of a log teach."""
    times = log.readings.times
    times = times[times < log.trained]
    return learn(
        log.layout,
        times,
        log.readings.values[: len(times), 0].astype(np.float32),
        _at(log.feeders, times)[:, 0],
        _at(log.transformers, times)[:, 0],
        _at(log.transformers, times)[:, 1],
        _last(log.weather, times, QUARTER),
        terms,
        _at(log.transformers, times)[:, 2:],
        log.channels,
    )


def judged(log: Log, terms: Terms | None = None) -> Judged:
    """Return every reading that is not ok after the clean days, and a permit for every trade."""
    sensors = Sensors.of(learned(log, terms), terms)
    rows, permits = list[Row](), dict[int, Permit]()
    due = np.argsort(log.trades.times, kind="stable").tolist()
    for moment, is_tick in moments(log):
        while due and log.trades.times[due[0]] < moment:
            at = due.pop(0)
            permits[at] = permit(sensors, log, at)
        found = tick(sensors, log, moment) if is_tick else weather(sensors, log, moment)
        if moment >= log.trained:
            rows += found
    for at in due:
        permits[at] = permit(sensors, log, at)
    return Judged(tuple(rows), tuple(permits[at] for at in range(len(log.trades.names))))


def moments(log: Log) -> Iterator[tuple[int, bool]]:
    """Yield (time, is it the meters' clock), in order; a gap in the data is walked through."""
    sky = _without_holes(log.weather.times, _WEATHER)
    heard = (log.readings.times, log.feeders.times, log.transformers.times)
    ticks = _without_holes(np.unique(np.concatenate(heard)), QUARTER)
    times = np.concatenate([sky, ticks])
    clock = np.repeat([0, 1], [len(sky), len(ticks)])
    for at in np.lexsort((clock, times)).tolist():
        yield int(times[at]), bool(clock[at])


def weather(sensors: Sensors, log: Log, moment: int) -> list[Row]:
    """Let the sensors see the weather of a moment, and what is warned of."""
    return sensors.weather(moment, sky(log, moment), warned(log, moment))


def tick(sensors: Sensors, log: Log, moment: int) -> list[Row]:
    """Let the sensors see meters, feeders and transformers of a moment."""
    return sensors.tick(quarter(log, moment))


def sky(log: Log, moment: int) -> Floats:
    """Return a row of every station, (field, station); NaN for what was not recorded."""
    return _row(log.weather, moment)


def warned(log: Log, moment: int) -> NDArray[np.bool_]:
    """Return what each station is warned of, (level, station)."""
    return warning.warned(log.notices, log.layout.stations, moment)


def quarter(log: Log, moment: int) -> Tick:
    """Return what was recorded of meters, feeders and transformers at a moment."""
    feeders, machines = _row(log.feeders, moment), _row(log.transformers, moment)
    current = np.append(feeders[1], np.nan)[log.layout.line_feeder]
    power = _row(log.readings, moment)[0].astype(np.float32)
    return Tick(moment, power, feeders[0], current, machines[0], machines[1], machines[2:])


def permit(sensors: Sensors, log: Log, at: int) -> Permit:
    """Return the permit of a trade as the sensors stand now."""
    trades = log.trades
    parties = (int(trades.seller[at]), int(trades.buyer[at]))
    return gate(sensors, trades.names[at], int(trades.times[at]), parties)


def _without_holes(times: Times, step: int) -> Times:
    """Return times with the moments that a silent hour leaves out."""
    holes = np.flatnonzero(np.diff(times) > step)
    extra = [np.arange(times[at] + step, times[at + 1], step) for at in holes]
    return np.unique(np.concatenate([times, *extra]))


def _row(series: Series, moment: int) -> Floats:
    """Return the row of a moment (field, name); NaN if there is none."""
    at = int(np.searchsorted(series.times, moment))
    if at < len(series.times) and series.times[at] == moment:
        return np.asarray(series.values[at])
    return np.full(series.values.shape[1:], np.nan)


def _at(series: Series, times: Times) -> Floats:
    rows = [_row(series, int(one)) for one in times]
    return np.array(rows).reshape(len(times), *series.values.shape[1:])


def _last(series: Series, times: Times, age: int) -> Floats:
    """Return the newest row at each time, not older than `age`. [s]"""
    at = np.searchsorted(series.times, times, side="right") - 1
    newest = series.values[np.maximum(at, 0)]
    fresh = (at >= 0) & (times - series.times[np.maximum(at, 0)] < age)
    return np.where(fresh[:, None, None], newest, np.nan)
