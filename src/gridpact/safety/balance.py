"""Who does not tell the truth? The area meter of a feeder against the sum of its reports.

What the area meter sees beyond what the reports explain (the gap) is somebody's error. A share of
a report that is missing (theft, bias, drift) makes a gap in proportion to that report; so the gap
is regressed on all reports of the feeder at once, and as few meters as will do are blamed:
stepwise, each beside the others, and only when nobody else would explain it nearly as well.
Nothing is committed: the next row may acquit. When the gap stops following what is known, somebody
began or ended, and the memory starts anew. One row that stands out alone is given to the meter
whose expected value closes it.

Sign: a positive share is what was used, or not generated, beyond the report. All feeders at once:
arrays are (feeder, member), padded where a feeder has fewer members than another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from gridpact.safety.expected import LOAD

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class BalanceTerms:
    """kept: share of the past that a row leaves. single: gap of one row that asks whose it is, in
    spreads. lasting: t-value at which a share is blamed, or by `margin` what it reached on clean
    days; holds: t-value at which it stays blamed; lead: by how much of the squared gap the blamed
    must explain more than anybody else would. worth: share below which no error counts. culprits:
    most meters blamed at once on a feeder. surprise: mean squared gap beyond what is known at which
    the memory starts anew, calm: at which it is trusted again; carried: rows that a known share
    counts for then. rows: fewest that blame somebody. caution: by how much a model is trusted less
    than its fit says.
    """

    kept: float = 0.95
    single: float = 8.0
    lasting: float = 7.0
    margin: float = 1.3
    holds: float = 4.0
    lead: float = 9.0
    worth: float = 0.04
    culprits: int = 6
    surprise: float = 4.0
    calm: float = 2.0
    carried: float = 1.0
    rows: int = 4
    caution: float = 3.0


@dataclass(frozen=True, eq=False)
class FeederModels:
    """How area meters follow their reports on clean days.

    area = loads - generation + weights . columns(loads, generation); what is left has the spread
    sqrt(floor^2 + (share area)^2). [kW] `doubt` is the covariance of the weights: how far the model
    itself may be off. `sign`: 1 for loads, -1 for generators, 0 for nobody. `limit`: t-value that
    no share reached on the clean days by a good margin. `known`: whether there is a model at all.
    """

    members: Rows
    sign: Floats
    weights: Floats
    doubt: Floats
    floor: Floats
    share: Floats
    limit: Floats
    known: Flags

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
    terms: BalanceTerms,
) -> FeederModels:
    """Return the models of all feeders from clean rows.

    Parameters
    ----------
    groups
        The meters of each feeder.
    power, area
        (row, meter), (row, feeder) [kW]; rows with a hole are left out.
    """
    most = max((len(one) for one in groups), default=0)
    count = len(groups)
    models = FeederModels(
        np.full((count, most), power.shape[1]), np.zeros((count, most)), np.zeros((count, 6)),
        np.zeros((count, 6, 6)), np.ones(count), np.zeros(count), np.full(count, terms.lasting),
        np.zeros(count, bool),
    )  # fmt: skip
    for at, who in enumerate(groups):
        models.members[at, : len(who)] = who
        models.sign[at, : len(who)] = np.where(kind[who] == LOAD, 1.0, -1.0)
        reports, seen = power[:, who].astype(float), area[:, at]
        whole = np.isfinite(reports).all(axis=1) & np.isfinite(seen)
        if len(who) and whole.sum() >= 96:
            _fit_one(models, at, reports[whole], seen[whole], terms)
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
    highest, kept = 0.0, terms.kept
    cross, square = np.zeros(power.shape[1]), np.zeros(power.shape[1])
    for row, value in zip(power, gap, strict=True):
        cross, square = kept * cross + row * value, kept * square + row**2
        worth = np.abs(cross) >= terms.worth * square
        value_t = np.abs(cross) / np.sqrt(np.maximum(square, 1e-9))
        highest = max(highest, float(value_t[worth & (square > 0)].max(initial=0.0)))
    return highest


@dataclass
class FeederStates:
    """What the memory of each feeder holds: products of the reports (feeder, member, member), their
    products with the gap (feeder, member); rows `since` it began anew; running mean square
    `surprise` and whether it was `calm` since; `lone`: rows in a row given to a single meter.
    """

    square: Floats
    cross: Floats
    size: Floats
    since: Rows
    surprise: Floats
    calm: Flags
    lone: Rows


def fresh(models: FeederModels) -> FeederStates:
    """Return empty memories."""
    count, most = models.members.shape
    return FeederStates(
        np.zeros((count, most, most)), np.zeros((count, most)), np.zeros((count, most)),
        np.zeros(count, np.int64), np.ones(count), np.zeros(count, bool),
        np.zeros(count, np.int64),
    )  # fmt: skip


@dataclass(frozen=True)
class Blame:
    """One meter's error on a feeder: the `share` of its report that is missing, or, `lone`, one
    row's `value` [kW]. `strength` over the limit.
    """

    feeder: int
    member: int
    share: float
    value: float
    strength: float
    lone: bool


@dataclass(frozen=True, eq=False)
class Newest:
    """The newest row of every feeder by member, padded: reports, what was expected and how unsure
    that is [kW], residual in spreads, whether a report is missing or false by itself.
    """

    power: Floats
    expected: Floats
    spread: Floats
    residual: Floats
    odd: Flags


def step(
    state: FeederStates,
    models: FeederModels,
    new: Newest,
    shares: Floats,
    area: Floats,
    terms: BalanceTerms,
) -> list[Blame]:
    """Take one row of every feeder and return all who are to blame now; the state is moved on.

    `shares` (feeder, member) are those blamed up to now; who is not in the answer is acquitted.
    """
    heard = models.known & np.isfinite(area)
    unsure = new.odd | ~np.isfinite(new.power)
    filled = np.nan_to_num(np.where(unsure, new.expected, new.power))
    # what stands in for a report is off for hours alike: it must not add up to evidence
    wide = np.where(unsure & (models.sign != 0), 3 * np.nan_to_num(new.spread), 0.0) ** 2
    should, doubt = models.explained(filled)
    scale = np.sqrt(
        models.floor**2 + (models.share * np.nan_to_num(area)) ** 2 + wide.sum(axis=1) + doubt**2
    )
    gap = np.where(heard, (area - should) / scale, 0.0)
    rows = filled * models.sign / scale[:, None]
    left = gap - (rows * np.where(unsure, 0.0, shares)).sum(axis=1)
    lone = _lone(state, models, new, left, scale, terms)
    alone = np.zeros(len(gap), bool)
    alone[[one.feeder for one in lone]] = True
    state.lone = np.where(alone, state.lone + 1, 0)
    taken = heard & ~alone
    _begin_anew(state, left, shares, taken, terms)
    _remember(state, rows, gap, taken, terms)
    found = list(lone)
    for feeder in np.flatnonzero(heard & _suspicious(state, models, shares)).tolist():
        found += _culprits(state, models, feeder, shares[feeder], terms)
    return found


def _begin_anew(
    state: FeederStates, left: Floats, shares: Floats, taken: Flags, terms: BalanceTerms
) -> None:
    """Forget what came before where the gap no longer follows what is known.

    The shares that are known go on with the weight of some rows of their meter's usual size.
    """
    square = np.minimum(left**2, 100.0)
    state.surprise = np.where(taken, 0.75 * state.surprise + 0.25 * square, state.surprise)
    settled = (state.surprise <= terms.calm) & (state.since >= terms.rows)
    state.calm = state.calm | settled | (state.since >= 48)
    again = taken & state.calm & (state.surprise >= terms.surprise)
    weight = terms.carried * state.size * (shares != 0)
    known = weight[:, :, None] * np.eye(shares.shape[1])
    state.square = np.where(again[:, None, None], known, state.square)
    state.cross = np.where(again[:, None], weight * shares, state.cross)
    state.since = np.where(again, 0, state.since)
    state.calm = state.calm & ~again


def _remember(
    state: FeederStates, rows: Floats, gap: Floats, taken: Flags, terms: BalanceTerms
) -> None:
    new = np.where(taken[:, None], rows, 0.0)
    keep = np.where(taken, terms.kept, 1.0)
    state.square = keep[:, None, None] * state.square + new[:, :, None] * new[:, None, :]
    state.cross = keep[:, None] * state.cross + new * gap[:, None]
    state.size = np.where(taken[:, None], 0.98 * state.size + 0.02 * rows**2, state.size)
    state.since = state.since + taken


def _suspicious(state: FeederStates, models: FeederModels, shares: Floats) -> Flags:
    """Say where somebody is blamed already or may have to be."""
    own = np.einsum("fii->fi", state.square)
    value = np.abs(state.cross) / np.sqrt(np.maximum(own, 1e-9))
    loud = value.max(axis=1, initial=0.0) >= models.limit
    return np.asarray((shares != 0).any(axis=1) | loud)


def _culprits(
    state: FeederStates, models: FeederModels, feeder: int, shares: Floats, terms: BalanceTerms
) -> list[Blame]:
    """Return who makes the gap of one feeder, stepwise, beginning with those who did."""
    square, cross = state.square[feeder], state.cross[feeder]
    limit, chosen = float(models.limit[feeder]), np.flatnonzero(shares).tolist()
    enough = state.since[feeder] >= terms.rows
    for _ in range(4 * terms.culprits):
        share, removal, gain, would = _judge(square, cross, chosen)
        if chosen:
            weakest = int(removal.argmin())
            if removal[weakest] < terms.holds**2 or abs(share[weakest]) < 0.5 * terms.worth:
                del chosen[weakest]
                continue
        gain = np.where(np.abs(would) >= terms.worth, gain, 0.0)
        if not gain.size or not enough or len(chosen) >= terms.culprits:
            break
        best = int(gain.argmax())
        next_best = float(np.delete(gain, best).max(initial=0.0))
        if gain[best] < limit**2 or gain[best] - next_best < terms.lead:
            break
        chosen.append(best)
    share, removal, _, _ = _judge(square, cross, chosen)
    return [
        Blame(
            feeder, member, float(share[at]), 0.0, float(np.sqrt(removal[at])) / limit, lone=False
        )
        for at, member in enumerate(chosen)
    ]


def _judge(
    square: Floats, cross: Floats, chosen: list[int]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the chosen's shares, what leaving each out would cost, and what each other would gain.

    Costs and gains are drops of the squared gap, t-values squared; the last are the others' shares.
    """
    own = np.diag(square)
    if not chosen:
        safe = np.maximum(own, 1e-9)
        would = cross / safe
        gain = np.where(own > 1e-6, cross**2 / safe, 0.0)
        return np.zeros(0), np.zeros(0), gain, would
    among = square[np.ix_(chosen, chosen)]
    inverse = np.linalg.pinv(among + 1e-6 * np.diag(np.diag(among) + 1e-9))
    share = inverse @ cross[chosen]
    removal = share**2 / np.maximum(np.diag(inverse), 1e-12)
    with_chosen = square[:, chosen]
    rest = cross - with_chosen @ share
    free = own - np.einsum("ij,jk,ik->i", with_chosen, inverse, with_chosen)
    usable = free > 0.05 * own + 1e-6
    would = np.where(usable, rest / np.where(usable, free, 1.0), 0.0)
    gain = np.where(usable, rest * would, 0.0)
    gain[chosen] = 0.0
    return share, removal, gain, would


def _lone(
    state: FeederStates,
    models: FeederModels,
    new: Newest,
    left: Floats,
    scale: Floats,
    terms: BalanceTerms,
) -> list[Blame]:
    """Return whose newest report, replaced by what was expected, closes a gap of this row alone."""
    found = []
    for feeder in np.flatnonzero((np.abs(left) >= terms.single) & (state.lone < 2)).tolist():
        off = np.nan_to_num(new.expected[feeder] - new.power[feeder]) * models.sign[feeder]
        doubt = np.sqrt((np.nan_to_num(new.spread[feeder]) / scale[feeder]) ** 2 + 1.0)
        closes = np.abs(left[feeder] - off / scale[feeder]) / doubt
        far = (np.abs(new.residual[feeder]) >= 4.0) & ~new.odd[feeder]
        closes = np.where(far & (models.sign[feeder] != 0), closes, np.inf)
        if not closes.size:
            continue
        who = int(closes.argmin())
        if closes[who] <= 3.0:
            value, strength = float(left[feeder] * scale[feeder]), abs(float(left[feeder]))
            found.append(Blame(feeder, who, 0.0, value, strength / terms.single, lone=True))
    return found
