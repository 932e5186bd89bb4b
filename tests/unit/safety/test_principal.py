"""Transformers whose channels no longer belong together, though each lies within its own limits."""

import numpy as np

from gridpact.safety.equipment import filtered, ultimate
from gridpact.safety.principal import (
    CHANNELS,
    OIL,
    Found,
    Principal,
    PrincipalTerms,
    channels,
    fit,
    fresh,
    step,
)

TERMS = PrincipalTerms()
DAYS, CLEAN = 21, 14
WINDING = len(CHANNELS)


def machines(seed: int, count: int = 3) -> np.ndarray:
    """Return days of a few transformers with windings, (row, machine, channel)."""
    rng, rows = np.random.default_rng(seed), DAYS * 96
    hour = np.arange(rows)[:, None] / 4
    days = rng.standard_normal((DAYS, 2)).repeat(96, axis=0)
    load = 0.5 + 0.3 * np.sin(hour / 24 * 2 * np.pi + np.arange(count)) + 0.05 * days[:, :1]
    load = load + 0.03 * rng.standard_normal((rows, count))
    ambient = np.repeat(12 + 6 * np.sin((hour - 8) / 24 * 2 * np.pi) + days[:, 1:], count, axis=1)
    steady = ultimate(load)
    explained = ambient + 2 + 50 * filtered(steady, steady[0], np.full(count, 3.0), 15)
    oil = explained + 0.4 * rng.standard_normal((rows, count))
    winding = oil + 15 * load + 0.5 * rng.standard_normal((rows, count))
    return np.stack([
        channels(900 * at, load[at], explained[at], oil[at], ambient[at], winding[at][None])
        for at in range(rows)
    ])  # fmt: skip


def taught(rows: np.ndarray) -> Principal:
    return fit(rows[: CLEAN * 96], (*CHANNELS, "winding"), TERMS)


def judged(model: Principal, rows: np.ndarray) -> list[Found]:
    state = fresh(rows.shape[1], TERMS)
    return [step(state, model, row, TERMS) for row in rows]


def test_clean_days_are_never_an_alarm() -> None:
    for seed in range(1, 7):
        rows = machines(seed)
        found = judged(taught(rows), rows[CLEAN * 96 :])
        assert not np.any([one.broken for one in found]), seed


def test_a_winding_within_its_own_limits_that_leaves_its_load_is_found() -> None:
    rows = machines(1)
    model, late = taught(rows), rows[CLEAN * 96 :].copy()
    clean = rows[: CLEAN * 96, 1, WINDING]
    # a winding that no longer follows load and oil: it stays at the mean of its clean days
    late[100:, 1, WINDING] = clean.mean()
    assert clean.min() < late[100:, 1, WINDING].min() <= late[100:, 1, WINDING].max() < clean.max()
    found = judged(model, late)
    broken = np.array([one.broken for one in found])
    assert broken[100:148, 1].any(), "within half a day"
    assert not broken[:, [0, 2]].any()
    first = int(np.flatnonzero(broken[:, 1])[0])
    assert model.names[found[first].channel[1]] == "winding"


def test_oil_is_a_failure_from_the_kelvins_on_that_are_one_and_cold_oil_is_one_too() -> None:
    rows = machines(2)
    model, late = taught(rows), rows[CLEAN * 96 :, :, :].copy()
    for kelvin, wrong in ((4.0, False), (9.0, True), (-9.0, True)):
        changed = late.copy()
        changed[50:150, 0, OIL] += kelvin
        changed[50:150, 0, WINDING] += kelvin
        found = np.array([one.broken for one in judged(model, changed)])
        assert found[54:150, 0].any() == wrong, kelvin
        assert not found[:50].any()
        assert not found[:, 1:].any()


def test_weather_and_loads_that_clean_days_never_had_are_not_judged() -> None:
    rows = machines(3)
    model, late = taught(rows), rows[CLEAN * 96 :].copy()
    late[:, :, [1, 2, 3, WINDING]] += 25.0
    assert not np.any([one.broken for one in judged(model, late)])


def test_a_hole_in_any_channel_is_not_judged_and_a_channel_that_says_nothing_is_left_out() -> None:
    rows = machines(4)
    silent = rows.copy()
    silent[:, 0, WINDING] = np.nan
    silent[: CLEAN * 96, 2] = np.nan
    model = taught(silent)
    assert np.isinf(model.scale[0, WINDING])
    assert np.isinf(model.spe[2])
    late = silent[CLEAN * 96 :].copy()
    late[60:, 0, OIL] -= 9.0
    late[60:, 1, WINDING] += 9.0
    late[64:68, 1, 3] = np.nan
    found = np.array([one.broken for one in judged(model, late)])
    assert found[66, 0]
    assert not found[64:68, 1].any()
    assert found[75, 1]
    assert not found[:, 2].any()
