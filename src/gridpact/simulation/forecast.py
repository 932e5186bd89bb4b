"""What is expected of the day before it happens (5-decisions, section 3).

Three models: the truth times an AR(1) factor, the same hours of the day before (persistence), and
the truth itself. Errors are drawn once for the whole horizon from the seed, per party, for load
and sun apart; nothing is drawn while the market runs, so a resumed run sees the same forecasts.
"""

from collections.abc import Sequence

import numpy as np

from gridpact.errors import BadInput
from gridpact.prosumer.devices import FloatArray, Plant
from gridpact.prosumer.fleet import Fleet
from gridpact.prosumer.outlook import ForecastSettings, Model, Outlook


def forecast(
    fleet: Fleet, plants: Sequence[Plant], settings: ForecastSettings, seed: int
) -> Outlook:
    """Return what participants expect.

    Raises
    ------
    BadInput
        Persistence is asked for and a profile has no day before.
    """
    truth = plant_power(plants, fleet.intervals)
    if settings.model is Model.PERFECT:
        return Outlook(fleet.load_w, fleet.pv_w, truth)
    if settings.model is Model.PERSISTENCE:
        return Outlook(
            _known([(site.name, site.load_yesterday_w) for site in fleet.sites]),
            _known([(site.name, site.pv_yesterday_w) for site in fleet.sites]),
            _known([(plant.name, plant.power_yesterday_w) for plant in plants], fleet.intervals),
        )
    rng = np.random.default_rng([seed, 3])
    load = fleet.load_w * error_factors(fleet.load_w.shape, settings, rng)
    pv = fleet.pv_w * error_factors(fleet.pv_w.shape, settings, rng)
    power = truth * error_factors(truth.shape, settings, rng)
    peaks = np.array([plant.peak_w for plant in plants])
    return Outlook(
        load, np.minimum(pv, fleet.pv_peak_w[:, None]), np.minimum(power, peaks[:, None])
    )


def plant_power(plants: Sequence[Plant], intervals: int) -> FloatArray:
    """Return what the plants will really have. (plant, interval) [W]"""
    if not plants:
        return np.zeros((0, intervals))
    return np.array([plant.power_w for plant in plants])


def error_factors(
    shape: tuple[int, ...], settings: ForecastSettings, rng: np.random.Generator
) -> FloatArray:
    """Return 1 + e with e an AR(1) process per row, standard deviation sigma, never negative.

    Notes
    -----
    e_t = phi e_{t-1} + sqrt(1 - phi^2) sigma n_t, e_0 = sigma n_0: stationary from the start.
    """
    noise = rng.standard_normal(shape)
    phi = settings.correlation
    error = np.empty(shape)
    error[:, :1] = noise[:, :1]
    for t in range(1, shape[1]):
        error[:, t] = phi * error[:, t - 1] + np.sqrt(1 - phi**2) * noise[:, t]
    return np.maximum(1 + settings.sigma * error, 0.0)


def _known(rows: Sequence[tuple[str, FloatArray | None]], intervals: int = 0) -> FloatArray:
    profiles = []
    for name, profile in rows:
        if profile is None:
            raise BadInput(f"persistence: {name} has no profile of the day before")
        profiles.append(profile)
    return np.array(profiles) if profiles else np.zeros((0, intervals))
