"""Forecasts err as the scenario says, and the same way each time."""

import numpy as np
import pytest
from tests.unit.prosumer.fleets import site
from tests.unit.simulation.days import shipped

from gridpact.errors import BadInput
from gridpact.prosumer.fleet import stack
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.simulation.forecast import error_factors, forecast


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_error_has_its_standard_deviation_in_every_hour_and_its_correlation(sigma, phi):
    settings = ForecastSettings(Model.AR1, sigma, phi)
    errors = error_factors((20_000, 6), settings, np.random.default_rng(1)) - 1
    assert errors.std(axis=0) == pytest.approx(np.full(6, sigma), rel=0.04, abs=1e-12)
    assert np.abs(errors.mean(axis=0)).max() < 0.02
    if sigma:
        assert np.corrcoef(errors[:, 2], errors[:, 3])[0, 1] == pytest.approx(phi, abs=0.03)


def test_factors_are_never_negative_even_at_large_errors():
    settings = ForecastSettings(Model.AR1, 2.0, 0.5)
    assert error_factors((500, 24), settings, np.random.default_rng(1)).min() == 0.0


def test_same_seed_same_forecast_and_every_participant_errs_on_its_own():
    day = shipped("day")
    fleet = stack(day.sites)
    first, again = (forecast(fleet, day.plants, day.forecast, 3) for _ in range(2))
    assert (first.load_w == again.load_w).all()
    other = forecast(fleet, day.plants, day.forecast, 4)
    assert (first.load_w != other.load_w).any()
    errors = first.load_w / fleet.load_w - 1
    correlation = np.corrcoef(errors)
    assert abs(correlation[np.triu_indices_from(correlation, 1)].mean()) < 0.05
    assert errors.std() == pytest.approx(0.2, rel=0.1)


def test_sun_is_never_expected_above_the_rating_and_never_at_night():
    day = shipped("day")
    fleet = stack(day.sites)
    outlook = forecast(fleet, day.plants, ForecastSettings(sigma=0.4), 1)
    assert (outlook.pv_w <= fleet.pv_peak_w[:, None]).all()
    assert (outlook.plant_w <= np.array([[p.peak_w] for p in day.plants])).all()
    assert not outlook.pv_w[:, :4].any()


def test_perfect_foresight_is_the_truth():
    day = shipped("day")
    fleet = stack(day.sites)
    outlook = forecast(fleet, day.plants, ForecastSettings(Model.PERFECT), 1)
    assert (outlook.load_w == fleet.load_w).all()
    assert (outlook.plant_w[0] == day.plants[0].power_w).all()


def test_persistence_is_yesterday():
    fleet = stack([site(load_w=1000.0, pv_w=800.0)])
    outlook = forecast(fleet, (), ForecastSettings(Model.PERSISTENCE), 1)
    assert (outlook.load_w == 1500).all()
    assert (outlook.pv_w == 400).all()
    assert outlook.plant_w.shape == (0, 4)


def test_persistence_errs_more_for_the_shipped_groups_than_the_default_model():
    day = shipped("day")
    fleet = stack(day.sites)
    outlook = forecast(fleet, day.plants, ForecastSettings(Model.PERSISTENCE), 1)
    error = np.sqrt(((outlook.load_w - fleet.load_w) ** 2).mean(axis=1)) / fleet.load_w.mean(axis=1)
    assert 0.2 < error.mean() < 0.5


def test_persistence_without_yesterday_is_bad_input():
    cloudy = shipped("cloudy")
    fleet = stack(cloudy.sites)
    with pytest.raises(BadInput, match="has no profile of the day before"):
        forecast(fleet, cloudy.plants, ForecastSettings(Model.PERSISTENCE), 1)
