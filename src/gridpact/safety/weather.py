"""Is the weather dangerous at a station? Rules with hysteresis, one row each five minutes.

5-decisions, section 19. All stations at once: every array has the shape (station,), rings
(row, station). A sensor that cannot be believed (frozen or chattering anemometer, counts without
any other sign of a storm) is a fault of the sensor and no hazard; a counter that stays silent while
everything else says thunderstorm is not believed either, and the trade is held.

A warning feed (`warned`, `safety.warning`) can only raise the level.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]

FIELDS = (
    "temp_c", "rh", "press_hpa", "wind_ms", "gust_ms", "rain_mmh", "ltg_10km", "efield_kvm",
    "cape_jkg", "ghi_wm2",
)  # fmt: skip
"""Columns of a weather row, missing values NaN."""
TEMP, WIND, GHI = (FIELDS.index(one) for one in ("temp_c", "wind_ms", "ghi_wm2"))


@dataclass(frozen=True)
class WeatherTerms:
    """The numbers of the rules, rows of `minutes`.

    gust, mean: wind that counts [m/s]; fall: of pressure below its trailing 24-hour maximum [hPa];
    in `count` of `among` rows. flashes within `among` rows make lightning, with rain a
    thunderstorm. lull: rows without wind that still belong to a storm while it blows harder than
    `breeze` [m/s]. frozen: equal gusts in a row that no wind makes. convective: rain [mm/h], CAPE
    [J/kg] and field [kV/m] that together mean thunder whatever the counter says; sign: field and
    CAPE of which a true flash shows one. silent: rows after which a station is stale.
    """

    minutes: int = 5
    gust: float = 17.2
    mean: float = 10.8
    fall: float = 8.0
    count: int = 4
    among: int = 6
    flashes: int = 3
    rain: float = 2.5
    lull: int = 24
    breeze: float = 10.0
    frozen: int = 12
    convective: tuple[float, float, float] = (8.0, 800.0, 4.0)
    sign: tuple[float, float] = (1.0, 300.0)
    silent: int = 3

    @property
    def day(self) -> int:
        """Rows of 24 hours."""
        return 24 * 60 // self.minutes


@dataclass
class WeatherState:
    """What the rules remember: rings of the last rows and how long ago things happened."""

    windy: Flags
    blowing: Flags
    flashes: Floats
    thundery: Flags
    rained: Floats
    pressure: Floats
    gusts: Floats
    since_wind: Counts
    since_typhoon: Counts
    same_gust: Counts
    last_gust: Floats
    silent: Counts
    row: int = 0
    latest: Floats = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, eq=False)
class Weather:
    """The verdict of one row. `score` is the strength over its threshold, 0 where nothing is.

    `told`: a warning raised the level above what the instruments show.
    """

    high_wind: Flags
    typhoon: Flags
    thunderstorm: Flags
    lightning: Flags
    told: Flags
    faulty: Flags
    stale: Flags
    score: Floats


_LONG = 10**6


def fresh(stations: int, terms: WeatherTerms) -> WeatherState:
    """Return the state before the first row."""
    ring, long = (terms.among, stations), np.full(stations, _LONG)
    return WeatherState(
        windy=np.zeros(ring, bool),
        blowing=np.zeros(ring, bool),
        flashes=np.zeros(ring),
        thundery=np.zeros(stations, bool),
        rained=np.zeros(ring),
        pressure=np.full((terms.day, stations), np.nan),
        gusts=np.zeros(ring),
        since_wind=long.copy(),
        since_typhoon=long.copy(),
        same_gust=np.zeros(stations, np.int64),
        last_gust=np.full(stations, np.nan),
        silent=np.full(stations, terms.silent),
        latest=np.full((len(FIELDS), stations), np.nan),
    )


def step(
    state: WeatherState, rows: Floats, terms: WeatherTerms, warned: Flags | None = None
) -> Weather:
    """Take one row per station, (field, station) in the order of `FIELDS`; NaN for a missing one.

    `warned` says which stations are warned of what, (level, station): lightning, high wind,
    thunderstorm, typhoon. The state is moved on in place.
    """
    _temp, _rh, press, wind, gust, rain, flashes, efield, cape, _ghi = rows
    heard = np.isfinite(rows).any(axis=0)
    state.silent = np.where(heard, 0, state.silent + 1)
    state.latest = np.where(np.isfinite(rows), rows, state.latest)
    faulty_wind = _bad_wind(state, gust, wind, terms)
    sign = (np.abs(np.nan_to_num(efield)) >= terms.sign[0]) | (np.nan_to_num(cape) >= terms.sign[1])
    believed = np.where(sign | (np.nan_to_num(rain) > 0), np.nan_to_num(flashes), 0.0)
    false_counts = (np.nan_to_num(flashes) > 0) & (believed == 0)
    at = state.row % terms.among
    blows = np.where(faulty_wind, 0.0, np.nan_to_num(gust))
    state.windy[at] = blows >= terms.gust
    state.blowing[at] = state.windy[at] | (~faulty_wind & (np.nan_to_num(wind) >= terms.mean))
    state.gusts[at] = blows
    state.flashes[at], state.rained[at] = believed, np.nan_to_num(rain)
    state.pressure[state.row % terms.day] = press
    state.row += 1
    depression = _depression(state, press)
    windy = state.windy.sum(axis=0) >= terms.count
    stormy = (state.blowing.sum(axis=0) >= terms.count) & (depression >= terms.fall)
    state.since_wind = np.where(windy, 0, state.since_wind + 1)
    state.since_typhoon = np.where(stormy, 0, state.since_typhoon + 1)
    still = state.gusts.mean(axis=0) >= terms.breeze
    high_wind = windy | ((state.since_wind <= terms.lull) & still)
    # the eye is calm, but the pressure in it is lower still
    typhoon = stormy | ((state.since_typhoon <= terms.lull) & (still | (depression >= terms.fall)))
    count, wettest = state.flashes.sum(axis=0), state.rained.max(axis=0)
    # once there, it is over when no flash was heard for the length of the ring
    thunder = (count >= terms.flashes) | (state.thundery & (count > 0))
    state.thundery = thunder
    dead = (
        (wettest >= terms.convective[0])
        & (np.nan_to_num(cape) >= terms.convective[1])
        & (np.abs(np.nan_to_num(efield)) >= terms.convective[2])
    )
    wet = wettest >= terms.rain
    seen = np.stack([thunder & ~wet & ~dead, high_wind & ~typhoon, (thunder & wet) | dead, typhoon])
    told = np.zeros(seen.shape[1], bool) if warned is None else _level(warned) > _level(seen)
    lightning, high_wind, thunderstorm, typhoon = (
        seen if warned is None else np.where(told, warned, seen)
    )
    score = np.maximum(state.gusts.max(axis=0) / terms.gust, count / terms.flashes)
    return Weather(
        high_wind=high_wind,
        typhoon=typhoon,
        thunderstorm=thunderstorm,
        lightning=lightning,
        told=told,
        faulty=faulty_wind | false_counts,
        stale=state.silent >= terms.silent,
        score=np.where(told, np.maximum(score, 1.0), score),
    )


def _level(kinds: Flags) -> Counts:
    """Return the highest level that is true of each station, 0 for none."""
    return np.asarray((kinds * np.arange(1, len(kinds) + 1)[:, None]).max(axis=0))


def _bad_wind(state: WeatherState, gust: Floats, wind: Floats, terms: WeatherTerms) -> Flags:
    """Say which anemometers are frozen (one gust for an hour) or chatter (a gust of no wind)."""
    same = (gust == state.last_gust) & (gust > 0)
    state.same_gust = np.where(same, state.same_gust + 1, 0)
    state.last_gust = gust
    with np.errstate(invalid="ignore"):
        chatter = (gust < 0.8 * wind) | (gust > 4.0 * wind + 12.0) | (gust > 110) | (gust < 0)
    return (state.same_gust >= terms.frozen) | chatter


def _depression(state: WeatherState, press: Floats) -> Floats:
    """Return how far the pressure lies below its trailing 24-hour maximum. [hPa]"""
    known = np.where(np.isfinite(state.pressure), state.pressure, -np.inf).max(axis=0)
    return np.where(np.isfinite(press) & np.isfinite(known), known - press, 0.0)
