"""How do area meters follow their reports on clean days, and how far from it do they stray?

The area meter of a feeder sees losses and the gains of the meters, learned by least squares on
clean rows, and noise that grows with what it reads. Sign: loads count positive, generators
negative. Arrays are (feeder, member), padded where a feeder has fewer members than another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from gridpact.safety import habit
from gridpact.safety.attribution import AttributionTerms
from gridpact.safety.expected import LOAD
from gridpact.safety.habit import Habits, HabitTerms, Small

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class BalanceTerms:
    """lasting: t-value at which a share is blamed, or by `margin` what it reached on clean days;
    worth: share below which no error counts. caution: by how much a model is trusted less than its
    fit says. single: gap of one row that asks whose it is, in spreads; outstanding: by how much it
    must exceed the gap there was before; lead: by how much, twice a logarithm, one meter must
    explain it better than any other. window: rows in which errors are looked for; kept:
    shares of the past that a row leaves in the fading memories; loud: share of the limit there at
    which the window is searched, and young: rows after a change for which it is searched at every
    row; pause: rows without a search after one that explained too little.
    """

    single: float = 5.0
    outstanding: float = 4.0
    lead: float = 9.0
    lasting: float = 7.0
    margin: float = 1.3
    worth: float = 0.04
    window: int = 96
    kept: tuple[float, ...] = (0.8, 0.95, 0.99)
    loud: float = 0.5
    young: int = 16
    pause: int = 3
    caution: float = 3.0
    attribution: AttributionTerms = field(default_factory=AttributionTerms)
    habit: HabitTerms = field(default_factory=HabitTerms)


@dataclass(frozen=True, eq=False)
class FeederModels:
    """How area meters follow their reports on clean days.

    area = loads - generation + weights . columns(loads, generation); what is left has the spread
    sqrt(floor^2 + (share area)^2). [kW] `doubt` is the covariance of the weights: how far the model
    itself may be off. `sign`: 1 for loads, -1 for generators, 0 for nobody. `limit`: t-value that
    no share reached on the clean days by a good margin. `known`: whether there is a model at all.
    keep, fresh, gain: the members' habits, see `habit`.
    """

    members: Rows
    sign: Floats
    weights: Floats
    doubt: Floats
    floor: Floats
    share: Floats
    limit: Floats
    known: Flags
    keep: Small
    fresh: Small
    gain: Small

    def explained(self, power: Floats) -> tuple[Floats, Floats]:
        """Return what area meters should read, and how unsure the models are. (feeder,) [kW]"""
        loads = np.where(self.sign > 0, power, 0.0).sum(axis=1)
        fed = np.where(self.sign < 0, power, 0.0).sum(axis=1)
        columns = _columns(loads, fed)
        unsure = np.sqrt(np.maximum(np.einsum("fi,fij,fj->f", columns, self.doubt, columns), 0.0))
        return loads - fed + (columns * self.weights).sum(axis=1), unsure


def _columns(loads: Floats, fed: Floats) -> Floats:
    """Return what losses and meter gains depend on: both sums, their squares and their product."""
    return np.column_stack([loads, fed, loads**2, fed**2, loads * fed, np.ones_like(loads)])


def fit(
    groups: Sequence[Rows],
    kind: NDArray[np.int8],
    power: NDArray[np.float32],
    area: Floats,
    habits: Habits,
    terms: BalanceTerms,
) -> FeederModels:
    """Return the models of all feeders from clean rows.

    Parameters
    ----------
    groups
        The meters of each feeder.
    power, area
        (row, meter), (row, feeder) [kW]; rows with a hole are left out.
    habits
        Of the meters.
    """
    most = max((len(one) for one in groups), default=0)
    count = len(groups)
    models = FeederModels(
        np.full((count, most), power.shape[1]), np.zeros((count, most)), np.zeros((count, 6)),
        np.zeros((count, 6, 6)), np.ones(count), np.zeros(count), np.full(count, terms.lasting),
        np.zeros(count, bool), np.zeros((count, most), np.float32),
        np.ones((count, most), np.float32), np.zeros((count, most), np.float32),
    )  # fmt: skip
    for at, who in enumerate(groups):
        models.members[at, : len(who)] = who
        models.sign[at, : len(who)] = np.where(kind[who] == LOAD, 1.0, -1.0)
        reports, seen = power[:, who].astype(float), area[:, at]
        whole = np.isfinite(reports).all(axis=1) & np.isfinite(seen)
        if len(who) and whole.sum() >= 96:
            _fit_one(models, at, reports[whole], seen[whole], terms)
            noise = models.floor[at] ** 2 + float(np.mean((models.share[at] * seen[whole]) ** 2))
            keep, fresh = habits.keep[who], habits.fresh[who]
            models.keep[at, : len(who)], models.fresh[at, : len(who)] = keep, fresh
            models.gain[at, : len(who)] = habit.gain(keep, fresh, noise)
    return models


def _fit_one(
    models: FeederModels, at: int, power: Floats, area: Floats, terms: BalanceTerms
) -> None:
    """Fit one feeder: weights by least squares, how the spread grows, the highest t-value."""
    sign = models.sign[at, : power.shape[1]]
    loads, fed = power[:, sign > 0].sum(axis=1), power[:, sign < 0].sum(axis=1)
    columns, rest = _columns(loads, fed), area - loads + fed
    weights, _ = _weighted(columns, rest, np.ones_like(area))
    floor, share = _growth(rest - columns @ weights, area)
    weights, doubt = _weighted(columns, rest, np.hypot(floor, share * area))
    left = rest - columns @ weights
    floor, share = _growth(left, area)
    scale = np.hypot(floor, share * area)
    models.weights[at], models.doubt[at] = weights, terms.caution**2 * doubt
    models.floor[at], models.share[at], models.known[at] = floor, share, True
    highest = _highest(left / scale, power * sign / scale[:, None], terms)
    models.limit[at] = max(terms.lasting, terms.margin * highest)


def _weighted(columns: Floats, rest: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Return weights and their covariance; a weak prior holds each effect within the whole."""
    size = np.maximum(np.abs(columns).max(axis=0, initial=0.0), 1e-9)
    scaled = columns / size / scale[:, None]
    whole = max(float(np.abs(rest).max(initial=0.0)), 1e-3)
    inverse = np.linalg.inv(scaled.T @ scaled + np.eye(len(size)) / whole**2)
    weights = inverse @ (scaled.T @ (rest / scale)) / size
    return weights, inverse / np.outer(size, size)


def _growth(left: Floats, area: Floats) -> tuple[float, float]:
    """Return floor and share of the spread: least squares of left^2 on 1 and area^2, both >= 0."""
    whole = max(float(np.mean(left**2)), 1e-12)
    design = np.column_stack([np.ones_like(area), area**2])
    weight = 1.0 / (whole + area**2 * whole / max(float(np.mean(area**2)), 1e-12))
    solved, _ = nnls(design * weight[:, None], left**2 * weight)
    floor = max(float(np.sqrt(solved[0])), 0.1 * float(np.sqrt(whole)), 1e-4)
    return floor, float(np.sqrt(solved[1]))


def _highest(gap: Floats, power: Floats, terms: BalanceTerms) -> float:
    """Return the largest t-value that one share alone reached."""
    highest, kept = 0.0, np.array(terms.kept)[:, None]
    cross, square = np.zeros((len(kept), power.shape[1])), np.zeros((len(kept), power.shape[1]))
    for row, value in zip(power, gap, strict=True):
        cross, square = kept * cross + row * value, kept * square + row**2
        worth = np.abs(cross) >= terms.worth * square
        value_t = np.abs(cross) / np.sqrt(np.maximum(square, 1e-9))
        highest = max(highest, float(value_t[worth & (square > 0)].max(initial=0.0)))
    return highest
