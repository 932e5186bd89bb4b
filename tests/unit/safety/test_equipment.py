"""Oil that is hotter than its load explains, and lines above their rating."""

import numpy as np

from gridpact.safety.equipment import (
    DEFAULTS,
    EquipmentState,
    OilModel,
    at_ambient,
    filtered,
    fit,
    fresh,
    step,
    ultimate,
)

ROWS = 14 * 96


def machine(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return load, oil and ambient of one transformer with a rise of 50 K and 3 h."""
    rng = np.random.default_rng(seed)
    hour = np.arange(ROWS) / 4
    load = 0.5 + 0.3 * np.sin(hour / 24 * 2 * np.pi) + 0.05 * rng.standard_normal(ROWS)
    ambient = 12 + 6 * np.sin((hour - 8) / 24 * 2 * np.pi)
    steady = ultimate(load)[:, None]
    lag = filtered(steady, steady[0], np.array([3.0]), 15)[:, 0]
    oil = ambient + 2 + 50 * lag + 0.3 * rng.standard_normal(ROWS)
    return load[:, None], oil[:, None], ambient[:, None]


def test_rise_and_time_constant_are_found_from_clean_days() -> None:
    model = fit(*machine())
    assert abs(model.rise[0] - 50) < 3
    assert abs(model.hours[0] - 3) <= 0.5
    assert model.spread[0] < 0.6


def watched(
    model: OilModel, extra: np.ndarray, current: np.ndarray | None = None
) -> tuple[list[bool], list[bool]]:
    """Return whether transformer and line were bad at each row."""
    load, oil, ambient = machine(2)
    state: EquipmentState = fresh(1, 1)
    failing, hot = [], []
    for row, more in enumerate(extra):
        amps = np.array([0.0 if current is None else current[row]])
        found = step(
            state, model, load[row], oil[row] + more, ambient[row], amps, np.array([100.0]),
            np.array([25.0]),
        )  # fmt: skip
        failing.append(bool(found.failing[0]))
        hot.append(bool(found.overloaded[0]))
    return failing, hot


def test_oil_of_six_kelvin_too_much_is_a_failure_and_clean_oil_is_none() -> None:
    extra = np.zeros(800)
    extra[600:700] = 8.0
    failing, _ = watched(fit(*machine()), extra)
    assert not any(failing[100:600])
    assert all(failing[602:700])
    assert not any(failing[703:])


def test_two_rows_at_the_rating_are_an_overload_and_one_is_not() -> None:
    amps = np.full(20, 90.0)
    amps[5], amps[10:13] = 100.0, 101.0
    _, hot = watched(fit(*machine()), np.zeros(20), amps)
    assert [row for row, one in enumerate(hot) if one] == [11, 12]


def test_a_cold_day_carries_more_and_an_unknown_one_the_reference() -> None:
    rating = np.full(3, 100.0)
    cold, reference, unknown = at_ambient(rating, np.array([0.0, 25.0, np.nan]))
    assert cold > reference == unknown == 100.0


def test_a_machine_that_says_nothing_is_stale() -> None:
    state = fresh(1, 1)
    nothing = np.array([np.nan])
    model = OilModel(np.array([50.0]), np.array([0.0]), np.array([3.0]), np.array([0.3]))
    for _ in range(DEFAULTS.silent):
        found = step(state, model, nothing, nothing, nothing, nothing, np.array([1.0]), nothing)
    assert found.stale[0]
    assert found.line_stale[0]
    assert not found.failing[0]
