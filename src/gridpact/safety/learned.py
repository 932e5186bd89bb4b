"""What clean days teach the sensors: models of meters, feeders and transformers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.crypto.keccak import keccak
from gridpact.safety import area as areas
from gridpact.safety import charts, equipment, habit, meters, principal
from gridpact.safety.area import FeederModels
from gridpact.safety.charts import Limits
from gridpact.safety.equipment import OilModel
from gridpact.safety.expected import Context, Models, Small
from gridpact.safety.expected import fit as fit_models
from gridpact.safety.habit import Habits
from gridpact.safety.layout import Layout, members
from gridpact.safety.principal import Principal
from gridpact.safety.terms import Terms
from gridpact.safety.weather import FIELDS, GHI, TEMP, WIND


@dataclass(frozen=True, eq=False)
class Learned:
    """What clean days taught: models of meters, feeders and transformers, and their version."""

    layout: Layout
    models: Models
    longest: NDArray[np.int16]
    limits: Limits
    feeders: FeederModels
    oil: OilModel
    principal: Principal
    version: str


def learn(
    layout: Layout,
    times: NDArray[np.int64],
    power: Small,
    area: NDArray[np.float64],
    load: NDArray[np.float64],
    oil: NDArray[np.float64],
    sky: NDArray[np.float64],
    terms: Terms | None = None,
    extra: NDArray[np.float64] | None = None,
    named: tuple[str, ...] = (),
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
    extra, named
        Further channels of the transformers, (row, channel, transformer), and their names.
    """
    numbers = terms or Terms()
    pad = np.full((len(times), len(FIELDS), 1), np.nan)
    padded = np.concatenate([sky, pad], axis=2).astype(np.float32)
    by_meter = padded[:, :, layout.meter_station]
    warm, sun, wind = (by_meter[:, one] for one in (TEMP, GHI, WIND))
    hours = np.array([hour_of_week(int(one)) for one in times])
    models = fit_models(
        layout.meter_kind, layout.meter_scale, power, hours, warm, sun, wind, layout.meter_station
    )
    left = models.residuals(power, hours, warm, sun, wind)
    limits = charts.fit(left, len(layout.meters), numbers.charts)
    groups = [members(layout, at) for at in range(len(layout.feeders))]
    habits = _habits(models, power, hours, by_meter)
    feeders = areas.fit(groups, layout.meter_kind, power, area, habits, numbers.balance)
    temp = padded[:, TEMP].astype(float)[:, layout.transformer_station]
    fitted = equipment.fit(load, oil, temp, numbers.equipment)
    return Learned(
        layout,
        models,
        meters.longest_runs(power, layout.meter_kind),
        limits,
        feeders,
        fitted,
        _principal(times, load, oil, temp, extra, named, fitted, numbers),
        _version(models, limits, fitted),
    )


def _habits(models: Models, power: Small, hours: NDArray[np.int64], by_meter: Small) -> Habits:
    """Return how each meter's distance from its model goes on from row to row."""

    def distances() -> Iterator[Small]:
        for row, hour in enumerate(hours.tolist()):
            sky = by_meter[row]
            value, _ = models.predict(Context(hour, sky[TEMP], sky[GHI], sky[WIND]))
            heard = np.isfinite(power[row])
            yield np.where(heard, power[row] - np.nan_to_num(value), np.float32(0))

    return habit.learned(distances(), distances(), power.shape[1])


def _principal(
    times: NDArray[np.int64],
    load: NDArray[np.float64],
    oil: NDArray[np.float64],
    temp: NDArray[np.float64],
    extra: NDArray[np.float64] | None,
    named: tuple[str, ...],
    fitted: OilModel,
    terms: Terms,
) -> Principal:
    """Return how the channels of each transformer belong together."""
    more = np.zeros((len(times), 0, load.shape[1])) if extra is None else extra
    explained = equipment.explained(load, temp, fitted, terms.equipment)
    rows = [
        principal.channels(int(time), load[at], explained[at], oil[at], temp[at], more[at])
        for at, time in enumerate(times)
    ]
    every = (*principal.CHANNELS, *named)
    return principal.fit(
        np.array(rows).reshape(len(times), load.shape[1], len(every)), every, terms.principal
    )


def _version(models: Models, limits: Limits, oil: OilModel) -> str:
    parts = (
        models.weekly,
        models.step,
        models.by_hour,
        models.curve,
        models.heating,
        limits.sums,
        limits.mean,
        oil.rise,
        oil.hours,
    )
    return "sensors-1-" + keccak(b"".join(one.tobytes() for one in parts)).hex()[:12]


def hour_of_week(time: int) -> int:
    """Return the hour of the week, 0 on Monday at midnight UTC. Day 0 of 1970 was a Thursday."""
    return (time // 3600 + 72) % 168
