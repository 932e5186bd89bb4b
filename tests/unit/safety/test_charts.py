"""CUSUM and EWMA of each meter's residual: what each is for, and when they move."""

import numpy as np
import pytest

from gridpact.safety.charts import ChartState, ChartTerms, Limits, below, fit, fresh, move, strength

TERMS = ChartTerms()
TEXTBOOK = Limits(*(np.array([one], np.float32) for one in (TERMS.limit, TERMS.band)))


def charted(
    residuals: np.ndarray, limits: Limits = TEXTBOOK, state: ChartState | None = None
) -> tuple[list[float], list[float]]:
    """Return how far out each chart of one meter is at each row."""
    state = state or fresh(1)
    sums, mean = [], []
    for one in residuals.astype(np.float32):
        move(state, np.array([one]), np.ones(1, bool), limits, TERMS)
        sums.append(float(state.sums[0] / limits.sums[0]))
        mean.append(float(abs(state.mean[0]) / limits.mean[0]))
    return sums, mean


def first(rows: list[float]) -> int:
    return next(at for at, one in enumerate(rows) if one >= 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_small_steady_shift_shows_in_the_ewma_and_never_in_the_cusum(sign: int) -> None:
    """Eight tenths of a spread lie within the slack of the CUSUM."""
    sums, mean = charted(sign * np.full(400, 0.8))
    assert max(sums) == 0
    assert first(mean) == 23


@pytest.mark.parametrize("sign", [1, -1])
def test_a_large_shift_shows_in_the_cusum_within_hours(sign: int) -> None:
    sums, _ = charted(sign * np.full(8, 4.0))
    assert first(sums) == 3


def test_the_ewma_keeps_its_textbook_band_where_readings_err_independently() -> None:
    noise = np.random.default_rng(5).standard_normal((1, 20_000))[0]
    state, levels = fresh(1), []
    for one in noise.astype(np.float32):
        move(state, np.array([one]), np.ones(1, bool), TEXTBOOK, TERMS)
        levels.append(float(state.mean[0]))
    assert np.std(levels[500:]) == pytest.approx(TERMS.band / TERMS.width, rel=0.1)


def test_limits_are_wider_for_a_meter_whose_clean_days_wander() -> None:
    rng = np.random.default_rng(6)
    quiet, wandering = rng.standard_normal(2000), np.repeat(rng.standard_normal(40), 50)
    clean = np.column_stack([quiet, wandering]).astype(np.float32)
    limits = fit(iter(clean), 2, TERMS)
    assert limits.sums[0] >= TERMS.limit
    assert limits.mean[0] >= TERMS.band
    assert limits.mean[1] > 2 * limits.mean[0]
    assert limits.sums[1] > 2 * limits.sums[0]
    state, most = fresh(2), 0.0
    for row in clean:
        move(state, row, np.ones(2, bool), limits, TERMS)
        most = max(most, float(strength(state, limits).max()))
    assert most < 1, "clean days never reach the limits that they taught"


def test_rows_without_a_residual_teach_nothing() -> None:
    rows = np.full((50, 1), np.nan, np.float32)
    limits = fit(iter(rows), 1, TERMS)
    assert (limits.sums[0], limits.mean[0]) == (TERMS.limit, np.float32(TERMS.band))


def test_charts_that_may_not_move_stay_where_they_are() -> None:
    state = fresh(2)
    limits = Limits(np.full(2, 12, np.float32), np.full(2, 0.3, np.float32))
    row = np.array([-3.0, np.nan], np.float32)
    for _ in range(5):
        move(state, row, np.array([True, False]), limits, TERMS)
    assert below(state).tolist() == [True, False]
    assert state.mean[1] == state.sums[1] == 0
    before = state.mean[0]
    move(state, row, np.zeros(2, bool), limits, TERMS)
    assert state.mean[0] == before


def test_an_end_is_soon_seen_for_the_cusum_stops_beyond_its_limit() -> None:
    state = fresh(1)
    sums, _ = charted(np.full(500, 4.0), TEXTBOOK, state)
    assert max(sums) == pytest.approx(TERMS.most)
    after, _ = charted(np.zeros(7), TEXTBOOK, state)
    assert after[-1] < 1
