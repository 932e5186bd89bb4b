"""The weather that a simulated station measures, five minutes a row, with the scenario's storms.

The sun is that of the day's PV profiles; wind, pressure and temperature are a calm day's. A storm
changes what its instruments see and nothing else: how much light it takes is in the profiles.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer.devices import FloatArray
from gridpact.safety.scripted import Hours, Storm
from gridpact.safety.verdict import Hazard
from gridpact.safety.weather import FIELDS

_AT = {name: place for place, name in enumerate(FIELDS)}


def weather(hours: FloatArray, ghi: FloatArray, storms: Sequence[Storm], seed: int) -> FloatArray:
    """Return what the station measures, (row, field).

    Parameters
    ----------
    hours
        Of each row, from the market's beginning; clean days before it are negative. (row,)
    ghi
        Irradiance of each row. (row,) [W/m2]
    """
    rng = np.random.default_rng([seed, 31])
    rows, day = len(hours), hours / 24 * 2 * np.pi
    quick = rng.standard_normal((rows, 4))
    out = np.zeros((rows, len(FIELDS)))
    wind = np.abs(3.5 + np.sin(day / 3) + 0.5 * quick[:, 0])
    for name, values in (
        ("temp_c", 17 - 5 * np.cos(day - 0.8) + 0.2 * quick[:, 1]),
        ("rh", np.clip(65 + 12 * np.cos(day - 0.8) + quick[:, 2], 20, 100)),
        ("press_hpa", 1013 + 2 * np.sin(day / 2) + 0.1 * quick[:, 3]),
        ("wind_ms", wind),
        ("gust_ms", wind * (1.35 + 0.1 * rng.random(rows))),
        ("efield_kvm", 0.12 + 0.02 * quick[:, 3]),
        ("cape_jkg", 80 + 10 * quick[:, 2]),
        ("ghi_wm2", ghi),
    ):
        out[:, _AT[name]] = values
    for storm in storms:
        _rage(out, during(hours, storm.when), storm.kind, rng)
    return out.round(3)


def during(hours: FloatArray, when: Hours) -> NDArray[np.int64]:
    """Return the numbers of the rows that lie within some hours."""
    return np.flatnonzero((hours > when.since) & (hours <= when.until))


def _rage(out: FloatArray, rows: NDArray[np.int64], kind: Hazard, rng: np.random.Generator) -> None:
    """Put a storm into the rows: what the rules of 5-decisions, section 19, look for."""
    count = len(rows)
    if kind in (Hazard.HIGH_WIND, Hazard.TYPHOON):
        blow = 20 + 3 * rng.random(count) + (6 if kind is Hazard.TYPHOON else 0)
        out[rows, _AT["gust_ms"]], out[rows, _AT["wind_ms"]] = blow, blow / 1.45
        if kind is Hazard.TYPHOON:
            out[rows, _AT["press_hpa"]] -= 20
    else:
        out[rows, _AT["ltg_10km"]] = 1 + rng.poisson(2.0, count)
        out[rows, _AT["efield_kvm"]] = 6 + rng.random(count)
        out[rows, _AT["cape_jkg"]] = 1500
        out[rows, _AT["rain_mmh"]] = 12 if kind is Hazard.THUNDERSTORM else 0
