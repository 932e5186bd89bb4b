"""Who makes the gap between an area meter and its reports."""

import numpy as np
import pytest

from gridpact.safety.area import BalanceTerms, FeederModels, fit
from gridpact.safety.balance import Blame, FeederStates, Newest, fresh, step
from gridpact.safety.expected import LOAD, PV
from gridpact.safety.habit import learned

TERMS = BalanceTerms()
CLEAN = 10 * 96
KINDS = np.array([LOAD] * 12 + [PV] * 2, np.int8)


def feeder(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what meters measure and the area meter, which sees losses and errs by 0.3 %."""
    rng = np.random.default_rng(seed)
    noise = np.empty((rows, 14))
    now = rng.standard_normal(14)
    for row in range(rows):
        now = 0.8 * now + 0.6 * rng.standard_normal(14)
        noise[row] = now
    hour = np.arange(rows)[:, None] / 4 % 24
    power = (0.5 + rng.random(14)) * np.exp(0.4 * noise) * (1 + 0.3 * np.sin(hour / 24 * 6.28))
    power[:, 12:] = 4 * np.maximum(0, np.sin((hour - 6) / 12 * np.pi)) * (1 + 0.05 * noise[:, 12:])
    net = power[:, :12].sum(axis=1) - power[:, 12:].sum(axis=1)
    area = (net + 0.03 * power.sum(axis=1)) * (1 + 0.003 * rng.standard_normal(rows)) + 0.05
    return power, area


def model(seed: int) -> FeederModels:
    return taught(*feeder(seed, CLEAN))


def taught(power: np.ndarray, area: np.ndarray) -> FeederModels:
    """Return the model of clean rows; what is expected of a meter is its usual report."""
    small = power.astype(np.float32)
    habits = learned(small - power.mean(axis=0), small - power.mean(axis=0), 14)
    return fit([np.arange(14)], KINDS, small, area[:, None], habits, TERMS)


def blamed(models: FeederModels, power: np.ndarray, area: np.ndarray) -> list[list[Blame]]:
    """Return who is blamed at each row; what is expected of a meter is its usual report."""
    state: FeederStates = fresh(models, TERMS)
    usual, spread = power.mean(axis=0)[None], power.std(axis=0)[None]
    found = []
    for row, seen in zip(power, area, strict=True):
        now = row[None]
        new = Newest(now, usual, spread, (now - usual) / spread, ~np.isfinite(now))
        found.append(step(state, models, new, np.array([seen]), TERMS))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_blamed_for_clean_days(seed: int) -> None:
    power, area = feeder(seed, CLEAN + 2000)
    found = blamed(model(seed), power[CLEAN:], area[CLEAN:])
    assert not [one for row in found for one in row]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_a_thief_is_found_within_hours_and_nobody_else(seed: int, share: float) -> None:
    power, area = feeder(seed, CLEAN + 600)
    reported = power[CLEAN:].copy()
    reported[100:500, 3] *= 1 - share
    found = blamed(model(seed), reported, area[CLEAN:])
    assert not [one for row in found[:100] for one in row]
    names = [{one.member for one in row} for row in found]
    assert sum(3 in row for row in names[130:500]) > 345
    assert sum(bool(row - {3}) for row in names[100:]) < 5
    late = [one.share for row in found[200:480] for one in row if one.member == 3]
    assert abs(float(np.median(late)) - share / (1 - share)) < 0.1 * share + 0.05
    assert not [one for row in found[560:] for one in row]


def test_overstated_generation_is_the_generators() -> None:
    power, area = feeder(7, CLEAN + 400)
    reported = power[CLEAN:].copy()
    reported[50:, 12] *= 1.4
    found = blamed(model(7), reported, area[CLEAN:])
    shares = [one.share for row in found[250:] for one in row if one.member == 12]
    assert len(shares) > 100
    assert abs(float(np.median(shares)) - (1 / 1.4 - 1)) < 0.1


def test_one_row_far_off_is_the_meters_whose_expected_value_closes_the_gap() -> None:
    power, area = feeder(5, CLEAN + 100)
    reported = power[CLEAN:].copy()
    reported[60, 4] += 12.0
    found = blamed(model(5), reported, area[CLEAN:])
    assert [(row, one.member, one.lone) for row, ones in enumerate(found) for one in ones] == [
        (60, 4, True)
    ]


def test_missing_reports_blame_nobody() -> None:
    power, area = feeder(6, CLEAN + 300)
    reported = power[CLEAN:].copy()
    reported[50:150, 2] = np.nan
    models = model(6)
    state = fresh(models, TERMS)
    usual, spread = np.nanmean(reported, axis=0)[None], np.nanstd(reported, axis=0)[None]
    for row, seen in zip(reported, area[CLEAN:], strict=True):
        now = row[None]
        odd = ~np.isfinite(now)
        residual = np.nan_to_num((now - usual) / spread)
        new = Newest(now, usual, spread, residual, odd)
        assert not step(state, models, new, np.array([seen]), TERMS)


def test_a_feeder_with_too_few_clean_rows_judges_nobody() -> None:
    power, area = feeder(1, 50)
    models = taught(power, area)
    assert not models.known[0]
    assert not [one for row in blamed(models, power * 0.5, area) for one in row]


def test_a_wrong_reading_is_told_from_an_honest_neighbours_peak() -> None:
    power, area = feeder(3, CLEAN + 200)
    peak = 4.5 * power[:, 2].std()
    power[CLEAN + 60, 2], area[CLEAN + 60] = power[CLEAN + 60, 2] + peak, area[CLEAN + 60] + peak
    reported = power[CLEAN:].copy()
    reported[60, 5] += peak
    found = blamed(model(3), reported, area[CLEAN:])
    assert {one.member for one in found[60]} <= {5}
    reported[60, 5] += 8 * power[:, 5].std()
    found = blamed(model(3), reported, area[CLEAN:])
    assert [(one.member, one.lone) for one in found[60]] == [(5, True)]
