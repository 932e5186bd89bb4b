"""What should a meter read now? One model per meter, learned from clean days, kept small.

load: the profile of its week by hour, and how it follows the temperature. pv: irradiance times a
yield by hour of the day, cooler is better. wind: a power curve over the wind speed. Arrays over
meters; a model takes about 0.5 kB a meter, so that a million fit into memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Small: TypeAlias = NDArray[np.float32]

LOAD, PV, WIND = 0, 1, 2
"""Kinds of meters."""
WEEK, DAY = 168, 24
SPEEDS = 30
"""Bins of the power curve, 1 m/s each."""
_PRIOR = 2.0
"""Days' worth of trust in the usual day when the same hour of the week was seen few times."""
_FEW = 3
"""Readings at one wind speed from which on they are believed."""
_DARK = 20.0
"""Irradiance below which PV yields nothing to learn from. [W/m2]"""


@dataclass(frozen=True, eq=False)
class Context:
    """What is known of the moment, by meter: weather of its station, NaN where it is silent.

    `hour` is the hour of the week, 0 on Monday at midnight. temp [degC], ghi [W/m2], wind [m/s]
    """

    hour: int
    temp: Small
    ghi: Small
    wind: Small


@dataclass(frozen=True, eq=False)
class Models:
    """Models of all meters. Profiles are (slot, meter) so that one slot lies together.

    `weekly` of loads by hour of the week, in 255 steps of `step` from `low` [kW]; `heating`,
    `cooling` [kW/K] below and above the comfort band, beyond what the profile holds at `usual`
    temperature (hour of day, place) [degC], where the meter is `of_place`;
    `by_hour`: yield of PV [kW per W/m2] by hour of the day; `curve`: power curve of wind [kW] by
    speed; `spread` [kW] of what is left, by hour of the day, and `share` of the expected value.
    `scale` is the rated power. [kW] `fastest`: wind that clean days had, of wind turbines. [m/s]
    """

    kind: NDArray[np.int8]
    scale: Small
    weekly: NDArray[np.uint8]
    low: Small
    step: Small
    usual: NDArray[np.float16]
    of_place: NDArray[np.int32]
    heating: Small
    cooling: Small
    by_hour: NDArray[np.float16]
    curve: NDArray[np.float16]
    of_pv: NDArray[np.int32]
    of_wind: NDArray[np.int32]
    spread: NDArray[np.float16]
    share: Small
    fastest: Small

    def predict(self, now: Context) -> tuple[Small, Small]:
        """Return the expected value of every meter and its spread. [kW] (meter,)"""
        day = now.hour % DAY
        value = self.low + self.step * self.weekly[now.hour]
        usual = self.usual[day].astype(np.float32)[self.of_place]
        change = self.heating * (degrees_below(now.temp) - degrees_below(usual))
        change += self.cooling * (degrees_above(now.temp) - degrees_above(usual))
        value += np.nan_to_num(change)
        pv, wind = self.kind == PV, self.kind == WIND
        if pv.any():
            column = self.of_pv[pv]
            value[pv] = self.by_hour[day, column] * warmed(now.ghi[pv], now.temp[pv])
        if wind.any():
            value[wind] = _on_curve(self.curve[:, self.of_wind[wind]], now.wind[wind])
        spread = self.spread[day].astype(np.float32) + self.share * np.abs(np.nan_to_num(value))
        return value, np.maximum(spread, 0.01 * self.scale)

    def residuals(
        self, power: Small, hours: NDArray[np.int64], temp: Small, ghi: Small, wind: Small
    ) -> Iterator[Small]:
        """Yield what is left of rows, in spreads; NaN where nothing is known. (meter,)"""
        for row, hour in enumerate(hours.tolist()):
            now = Context(hour, temp[row], ghi[row], wind[row])
            value, spread = self.predict(now)
            yield np.where(self.beyond(now), np.nan, (power[row] - value) / spread)

    def beyond(self, now: Context) -> NDArray[np.bool_]:
        """Say of which turbines nobody knows what such a wind yields: clean days had none."""
        away = np.zeros(len(self.kind), bool)
        turbines = self.kind == WIND
        if turbines.any():
            away[turbines] = now.wind[turbines] > self.fastest[self.of_wind[turbines]]
        return away


def degrees_below(temp: Small, comfort: float = 15.0) -> Small:
    return np.asarray(np.maximum(comfort - temp, np.float32(0)))


def degrees_above(temp: Small, comfort: float = 22.0) -> Small:
    return np.asarray(np.maximum(temp - comfort, np.float32(0)))


def warmed(ghi: Small, temp: Small) -> Small:
    """Return irradiance as a warm module uses it: 0.4 % less for each K of the cell above 25 degC.

    The cell is 0.03 K per W/m2 warmer than the air. Without a temperature it is taken as 15 degC.
    """
    cell = np.where(np.isfinite(temp), temp, np.float32(15)) + np.float32(0.03) * ghi
    return np.asarray(ghi * (1 - np.float32(0.004) * (cell - 25)), np.float32)


def _on_curve(curve: NDArray[np.float16], speed: Small) -> Small:
    """Interpolate each column of a power curve at its own speed."""
    known = np.clip(np.nan_to_num(speed), 0, SPEEDS - 1.001)
    low = known.astype(np.int64)
    part, column = known - low, np.arange(curve.shape[1])
    value = curve[low, column] * (1 - part) + curve[low + 1, column] * part
    return np.where(np.isfinite(speed), value, np.nan).astype(np.float32)


def fit(
    kind: NDArray[np.int8],
    scale: Small,
    power: Small,
    hours: NDArray[np.int64],
    temp: Small,
    ghi: Small,
    wind: Small,
    place: NDArray[np.int64],
) -> Models:
    """Return models from clean rows.

    Parameters
    ----------
    place
        Weather station of each meter. (meter,)
    power, temp, ghi, wind
        (row, meter), NaN where missing.
    hours
        Hour of the week of each row. (row,)
    """
    meters = power.shape[1]
    known = np.isfinite(power)
    filled = np.where(known, power, np.float32(0))
    weekly = _weekly(filled, known, hours)
    _, first, of_place = np.unique(place, return_index=True, return_inverse=True)
    usual = _by_slot(temp[:, first], np.isfinite(temp[:, first]), hours % DAY, DAY)
    heating, cooling = _slopes(power - weekly[hours], temp, usual[hours % DAY][:, of_place])
    pv, winds = np.flatnonzero(kind == PV), np.flatnonzero(kind == WIND)
    of_pv, of_wind = np.zeros(meters, np.int32), np.zeros(meters, np.int32)
    of_pv[pv], of_wind[winds] = np.arange(len(pv)), np.arange(len(winds))
    by_hour = _yields(power[:, pv], warmed(ghi[:, pv], temp[:, pv]), hours % DAY)
    curve = _curves(power[:, winds], wind[:, winds])
    loads = kind == LOAD
    heating, cooling = np.where(loads, heating, 0), np.where(loads, cooling, 0)
    weekly = np.where(loads, weekly, np.float32(0))
    low = weekly.min(axis=0)
    step = np.maximum((weekly.max(axis=0) - low) / np.float32(255), np.float32(1e-9))
    bare = Models(
        kind,
        scale.astype(np.float32),
        np.round((weekly - low) / step).astype(np.uint8),
        low,
        step,
        usual.astype(np.float16),
        of_place.astype(np.int32),
        heating.astype(np.float32),
        cooling.astype(np.float32),
        by_hour.astype(np.float16),
        curve.astype(np.float16),
        of_pv,
        of_wind,
        np.zeros((DAY, meters), np.float16),
        np.zeros(meters, np.float32),
        _fastest(power[:, winds], wind[:, winds]),
    )
    return _with_spread(bare, power, hours, temp, ghi, wind)


def _weekly(filled: Small, known: NDArray[np.bool_], hours: NDArray[np.int64]) -> Small:
    """Return the mean by hour of the week, drawn towards that of the usual workday or weekend."""
    weekend = (hours // DAY) >= 5
    kinds = weekend * DAY + hours % DAY
    total, count = _sums(filled, known, kinds, 2 * DAY)
    both = total[:DAY] + total[DAY:], count[:DAY] + count[DAY:]
    day = both[0] / np.maximum(both[1], 1)
    usual = (total + _PRIOR * 4 * np.tile(day, (2, 1))) / (count + _PRIOR * 4)
    slots = np.arange(WEEK)
    prior = usual[((slots // DAY) >= 5) * DAY + slots % DAY]
    total, count = _sums(filled, known, hours, WEEK)
    mean: Small = (total + _PRIOR * 4 * prior) / (count + _PRIOR * 4)
    return mean


def _sums(
    filled: Small, known: NDArray[np.bool_], slot: NDArray[np.int64], slots: int
) -> tuple[Small, Small]:
    total = np.zeros((slots, filled.shape[1]), np.float32)
    count = np.zeros((slots, filled.shape[1]), np.float32)
    for at in range(slots):
        rows = slot == at
        total[at], count[at] = filled[rows].sum(axis=0), known[rows].sum(axis=0)
    return total, count


def _by_slot(values: Small, known: NDArray[np.bool_], slot: NDArray[np.int64], slots: int) -> Small:
    total, count = _sums(np.where(known, values, np.float32(0)), known, slot, slots)
    overall = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    return np.where(count > 0, total / np.maximum(count, 1), overall)


def _slopes(left: Small, temp: Small, usual: Small) -> tuple[Small, Small]:
    """Return heating and cooling slopes of what the profile leaves, by ridge regression. [kW/K]"""
    found = []
    for degrees in (degrees_below, degrees_above):
        x = degrees(temp) - degrees(usual)
        known = np.isfinite(x) & np.isfinite(left)
        x, y = np.where(known, x, 0), np.where(known, left, 0)
        found.append((x * y).sum(axis=0) / ((x * x).sum(axis=0) + 200.0))
    return found[0], found[1]


def _yields(power: Small, sun: Small, day: NDArray[np.int64]) -> Small:
    """Return kW per W/m2 by hour of the day, least squares, drawn to the whole day's yield."""
    known = np.isfinite(power) & np.isfinite(sun) & (sun > _DARK)
    x, y = np.where(known, sun, 0), np.where(known, power, 0)
    whole = (x * y).sum(axis=0) / np.maximum((x * x).sum(axis=0), 1)
    rows = [day == at for at in range(DAY)]
    up = np.array([(x[r] * y[r]).sum(axis=0) for r in rows])
    down = np.array([(x[r] * x[r]).sum(axis=0) for r in rows])
    return np.asarray((up + 1e5 * whole) / (down + 1e5), np.float32)


def _curves(power: Small, speed: Small) -> Small:
    """Return the mean power by wind speed, holes filled from below, never falling before 12 m/s."""
    curves = np.zeros((SPEEDS, power.shape[1]), np.float32)
    slot, known = _slots(power, speed)
    for at in range(SPEEDS):
        there = known & (slot == at)
        count = there.sum(axis=0)
        mean = np.where(there, power, 0).sum(axis=0) / np.maximum(count, 1)
        before = curves[at - 1] if at else np.zeros(power.shape[1], np.float32)
        curves[at] = np.where(count >= _FEW, mean, before)
    return curves


def _fastest(power: Small, speed: Small) -> Small:
    """Return the highest wind at which the curve rests on readings from either side. [m/s]"""
    slot, known = _slots(power, speed)
    fastest = np.zeros(power.shape[1], np.float32)
    for at in range(1, SPEEDS):
        fastest[(known & (slot == at)).sum(axis=0) >= _FEW] = at - 1
    return fastest


def _slots(power: Small, speed: Small) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each reading's place on a power curve, and whether it is one."""
    slot = np.clip(np.nan_to_num(speed) + 0.5, 0, SPEEDS - 1).astype(np.int64)
    return slot, np.isfinite(power) & np.isfinite(speed)


def _with_spread(
    bare: Models,
    power: Small,
    hours: NDArray[np.int64],
    temp: Small,
    ghi: Small,
    wind: Small,
) -> Models:
    """Return the models with the spread of what they leave of the clean rows."""
    left = np.empty_like(power)
    size = np.empty_like(power)
    for row, hour in enumerate(hours.tolist()):
        value, _ = bare.predict(Context(hour, temp[row], ghi[row], wind[row]))
        left[row], size[row] = power[row] - value, np.abs(value)
    known = np.isfinite(left)
    squares = np.where(known, left, 0) ** 2
    total, count = _sums(squares, known, hours % DAY, DAY)
    loads = bare.kind == LOAD
    spread = np.sqrt(total / np.maximum(count, 1))
    heavy = np.where(known, size, 0)
    share = np.sqrt(squares.sum(axis=0) / np.maximum((heavy**2).sum(axis=0), 1e-6))
    return replace(
        bare,
        spread=np.where(loads, spread, 0).astype(np.float16),
        share=np.where(loads, 0, np.minimum(share, 1)).astype(np.float32),
    )
