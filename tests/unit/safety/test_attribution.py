"""Whom the gap of a feeder is blamed on when the lie follows no share of the report."""

from collections.abc import Callable

import numpy as np
import pytest

from gridpact.safety import snapshot
from gridpact.safety.area import BalanceTerms, FeederModels, fit
from gridpact.safety.balance import Blame, FeederStates, Newest, fresh, step
from gridpact.safety.expected import LOAD
from gridpact.safety.habit import learned

TERMS = BalanceTerms()
DAY, COUNT, LIAR = 96, 10, 3
CLEAN = 10 * DAY
Lie = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def days(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what households use, what is expected of them, and the area meter."""
    rng = np.random.default_rng(seed)
    hour = np.arange(rows)[:, None] / 4 % 24
    peak, size = rng.uniform(0, 24, COUNT), rng.uniform(1, 2, COUNT)
    usual = size * (1 + 0.6 * np.cos((hour - peak) / 24 * 2 * np.pi))
    noise, now = np.empty((rows, COUNT)), np.zeros(COUNT)
    for row in range(rows):
        now = 0.9 * now + 0.1 * rng.standard_normal(COUNT)
        noise[row] = now
    power = usual * np.exp(noise)
    area = 1.03 * power.sum(axis=1) * (1 + 0.003 * rng.standard_normal(rows)) + 0.05
    return power, usual, area


def model(power: np.ndarray, usual: np.ndarray, area: np.ndarray) -> FeederModels:
    far = (power - usual)[:CLEAN].astype(np.float32)
    habits = learned(far, far, COUNT)
    kinds = np.full(COUNT, LOAD, np.int8)
    clean = power[:CLEAN].astype(np.float32)
    return fit([np.arange(COUNT)], kinds, clean, area[:CLEAN, None], habits, TERMS)


def blamed(
    models: FeederModels, reports: np.ndarray, usual: np.ndarray, area: np.ndarray,
    state: FeederStates,
) -> list[list[Blame]]:  # fmt: skip
    """Return who is blamed at each row."""
    found = []
    for row, expected, seen in zip(reports, usual, area, strict=True):
        now, spread = row[None], np.maximum(0.2 * expected[None], 0.05)
        far = (now - expected) / spread
        new = Newest(now, expected[None], spread, far, ~np.isfinite(now))
        found.append(step(state, models, new, np.array([seen]), TERMS))
    return found


def by_row(rng: np.random.Generator, true: np.ndarray) -> np.ndarray:
    return np.asarray(true * rng.uniform(0.1, 0.8, len(true)))


def mean_by_row(rng: np.random.Generator, true: np.ndarray) -> np.ndarray:
    return np.asarray(true.mean() * rng.uniform(0.1, 0.8, len(true)))


def turned(_: np.random.Generator, true: np.ndarray) -> np.ndarray:
    return np.asarray(true.reshape(-1, DAY)[:, ::-1].ravel())


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("lie", [by_row, mean_by_row, turned])
def test_who_lies_at_random_is_named_and_the_neighbours_are_not(lie: Lie, seed: int) -> None:
    power, usual, area = days(seed, CLEAN + 3 * DAY)
    models = model(power, usual, area)
    reports = power[CLEAN:].copy()
    reports[:, LIAR] = lie(np.random.default_rng(seed), reports[:, LIAR])
    found = blamed(models, reports, usual[CLEAN:], area[CLEAN:], fresh(models, TERMS))
    names = [one.member for row in found for one in row]
    assert set(names) == {LIAR}
    assert sum(LIAR in [one.member for one in row] for row in found[DAY:]) > DAY


def test_what_is_missing_is_what_a_free_liar_did_not_report() -> None:
    power, usual, area = days(1, CLEAN + 2 * DAY)
    models = model(power, usual, area)
    reports = power[CLEAN:].copy()
    reports[:, LIAR] = by_row(np.random.default_rng(1), reports[:, LIAR])
    found = blamed(models, reports, usual[CLEAN:], area[CLEAN:], fresh(models, TERMS))
    said = [(row, one) for row, ones in enumerate(found) for one in ones if one.free]
    assert len(said) > DAY
    really = power[CLEAN:, LIAR]
    off = [reports[row, LIAR] * (1 + one.share) + one.value - really[row] for row, one in said]
    assert float(np.mean(np.abs(off))) < 0.1 * float(really.mean())


def test_nobody_is_named_when_two_explain_the_gap_alike() -> None:
    power, usual, area = days(4, CLEAN + 2 * DAY)
    twin = LIAR + 1
    area += 1.03 * (power[:, LIAR] - power[:, twin])
    power[:, twin], usual[:, twin] = power[:, LIAR], usual[:, LIAR]
    models = model(power, usual, area)
    reports = power[CLEAN:].copy()
    reports[:, LIAR] = reports[:, twin] = by_row(np.random.default_rng(4), reports[:, LIAR])
    half = area[CLEAN:] - 1.03 * (power[CLEAN:, LIAR] - reports[:, LIAR])
    found = blamed(models, reports, usual[CLEAN:], half, fresh(models, TERMS))
    assert not [one for row in found for one in row if not one.lone]


def test_a_gap_that_nobody_explains_blames_nobody() -> None:
    power, usual, area = days(5, CLEAN + 2 * DAY)
    models = model(power, usual, area)
    strange = area[CLEAN:] + np.random.default_rng(5).normal(0, 3, 2 * DAY)
    found = blamed(models, power[CLEAN:], usual[CLEAN:], strange, fresh(models, TERMS))
    assert not [one for row in found[1:] for one in row]


def test_a_liar_who_stops_is_acquitted() -> None:
    power, usual, area = days(6, CLEAN + 3 * DAY)
    models = model(power, usual, area)
    reports = power[CLEAN:].copy()
    reports[:DAY, LIAR] = by_row(np.random.default_rng(6), reports[:DAY, LIAR])
    found = blamed(models, reports, usual[CLEAN:], area[CLEAN:], fresh(models, TERMS))
    assert LIAR in [one.member for one in found[DAY - 1]]
    assert not [one for row in found[DAY + 40 :] for one in row]


def test_the_evidence_survives_a_snapshot() -> None:
    power, usual, area = days(7, CLEAN + DAY)
    models = model(power, usual, area)
    reports = power[CLEAN:].copy()
    reports[:, LIAR] = by_row(np.random.default_rng(7), reports[:, LIAR])
    whole = fresh(models, TERMS)
    found = blamed(models, reports, usual[CLEAN:], area[CLEAN:], whole)
    parts, again = [], fresh(models, TERMS)
    for part in (slice(0, 31), slice(31, 60), slice(60, DAY)):
        parts += blamed(models, reports[part], usual[CLEAN:][part], area[CLEAN:][part], again)
        again = snapshot.thaw(snapshot.freeze(again), fresh(models, TERMS))
    assert parts == found
    assert snapshot.freeze(again) == snapshot.freeze(whole)
