"""Do a transformer's channels still belong together? Principal components, learned on clean days.

Load, the top-oil temperature that IEC 60076-7 explains (`equipment`), the one that is measured, the
ambient, the hour, and whatever else a transformer tells (winding, vibration, …). A fault may leave
every channel within its own limits and break how they go together: then the squared distance from
the principal subspace (SPE, Q) leaves its limit [Jackson and Mudholkar 1979], or Hotelling's T2
within it does. Which channel is wrong says the reconstruction that explains most [Alcala and Qin
2009]: load, weather and hour may be unusual without a fault, and oil counts from the kelvins on
that are a failure. All transformers at once, (machine, channel).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats: TypeAlias = NDArray[np.float64]

CHANNELS = ("load", "explained oil", "oil", "ambient", "hour sin", "hour cos")
"""Of every transformer; further ones come after them."""
LOAD, EXPLAINED, OIL, AMBIENT = range(4)
_TINY = 1e-9


@dataclass(frozen=True)
class PrincipalTerms:
    """variance: share of it that the principal subspace holds; level: of the limits; margin: times
    the most of the clean days that a limit is at least; rows: over which a statistic is averaged;
    excess: oil off by so much is a failure [K]; room: how far load and ambient may leave the range
    of the clean days, as a share of it; fewest: clean rows from which on anything is learned.
    """

    variance: float = 0.99
    level: float = 0.999
    margin: float = 1.5
    rows: int = 4
    excess: float = 6.0
    room: float = 0.1
    fewest: int = 96


@dataclass(frozen=True, eq=False)
class Principal:
    """What clean days taught. mean, scale: (machine, channel), scale infinite where a channel says
    nothing; outside, inside: projections whose squares are SPE and T2 (machine, channel, channel);
    spe, t2: limits; low, high: range of load and ambient (machine, 2). names: all channels.
    """

    mean: Floats
    scale: Floats
    outside: Floats
    inside: Floats
    spe: Floats
    t2: Floats
    low: Floats
    high: Floats
    names: tuple[str, ...] = CHANNELS


@dataclass
class PrincipalState:
    """SPE and T2 of the last rows, in limits. (row, statistic, machine)"""

    recent: Floats
    row: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """Which machines' channels do not belong together, how strongly, and through which channel.

    `off`: what that channel is off by, in spreads of its clean days.
    """

    broken: NDArray[np.bool_]
    strength: Floats
    channel: NDArray[np.int64]
    off: Floats


def channels(
    time: int, load: Floats, explained: Floats, oil: Floats, ambient: Floats, extra: Floats
) -> Floats:
    """Return one row of all channels, (machine, channel); `extra` is (channel, machine)."""
    angle = 2 * np.pi * (time % 86_400) / 86_400
    hour = [np.full(len(load), turn) for turn in (np.sin(angle), np.cos(angle))]
    return np.stack([load, explained, oil, ambient, *hour, *extra], axis=1).astype(float)


def fresh(machines: int, terms: PrincipalTerms) -> PrincipalState:
    """Return the state before the first row."""
    return PrincipalState(np.zeros((terms.rows, 2, machines)))


def fit(rows: Floats, names: tuple[str, ...], terms: PrincipalTerms) -> Principal:
    """Return what clean rows teach, (row, machine, channel); NaN for what was not heard.

    A machine with too few whole rows is not judged: its limits are infinite.
    """
    told = np.isfinite(rows).sum(axis=0) >= terms.fewest
    whole = (np.isfinite(rows) | ~told).all(axis=2)
    hot = np.abs(rows[..., OIL] - rows[..., EXPLAINED]) >= terms.excess
    whole &= ~np.where(told[:, OIL], hot, True)  # nothing is learned from what is no clean row
    count = whole.sum(axis=0)
    enough = count >= terms.fewest
    used = np.where(whole[..., None] & told, rows, 0.0)
    many = np.maximum(count, 2)[:, None]
    mean = used.sum(axis=0) / many
    apart = np.where(whole[..., None] & told, rows - mean, 0.0)
    spread = np.sqrt((apart**2).sum(axis=0) / (many - 1))
    scale = np.where(spread > _TINY, spread, np.inf)
    z = apart / scale
    together = np.einsum("rmc,rmd->mcd", z, z) / (many - 1)[..., None]
    values, vectors = np.linalg.eigh(together)
    values = np.maximum(values, 0.0)
    total = np.maximum(values.sum(axis=1, keepdims=True), _TINY)
    # from the largest on: those that hold the share, the one that completes it included
    kept = (np.cumsum(values[:, ::-1], axis=1) - values[:, ::-1])[:, ::-1] < terms.variance * total
    kept &= values > _TINY
    outside = _projection(vectors, (~kept).astype(float))
    inside = _projection(vectors, np.where(kept, 1 / np.maximum(values, _TINY), 0.0))
    model = Principal(
        mean, scale, outside, inside, np.ones(len(count)), np.ones(len(count)),
        *_range(rows[..., [LOAD, AMBIENT]], whole, terms.room), names,
    )  # fmt: skip
    spe, t2 = _statistics(model, z)
    most = [_longest(np.where(whole, one, 0.0), terms) for one in (spe, t2)]
    limits = (_jackson(values, kept, terms), _hotelling(kept.sum(axis=1), count, terms))
    at_least = [np.maximum(limit, terms.margin * one)
                for limit, one in zip(limits, most, strict=True)]  # fmt: skip
    spe_limit, t2_limit = (np.where(enough, np.maximum(one, _TINY), np.inf) for one in at_least)
    return Principal(
        mean, scale, outside, inside, spe_limit, t2_limit, model.low, model.high, names
    )


def step(state: PrincipalState, model: Principal, row: Floats, terms: PrincipalTerms) -> Found:
    """Take one row of all channels (machine, channel); the state is moved on in place.

    A row with a hole, or beyond the loads and weather of the clean days, is not judged.
    """
    known: NDArray[np.bool_] = np.all(np.isfinite(row) | np.isinf(model.scale), axis=1)
    drivers = row[:, [LOAD, AMBIENT]]
    with np.errstate(invalid="ignore"):
        known &= ((drivers >= model.low) & (drivers <= model.high)).all(axis=1)
    z = np.where(known[:, None] & np.isfinite(model.scale), row - model.mean, 0.0) / model.scale
    spe, t2 = _statistics(model, z)
    state.recent[state.row % terms.rows] = np.stack([spe / model.spe, t2 / model.t2])
    state.row += 1
    strength = state.recent.mean(axis=0)
    far = np.abs(row[:, OIL] - row[:, EXPLAINED]) >= terms.excess
    broken, channel, off = np.zeros(len(row), bool), np.zeros(len(row), np.int64), spe * 0.0
    for index, over in ((model.inside, strength[1]), (model.outside, strength[0])):
        which, by = _culprit(index, z)
        oily = (which == OIL) | (which == EXPLAINED)
        wrong = (which >= len(CHANNELS)) | (oily & far)
        here = known & (over >= 1) & wrong
        channel, off = np.where(here, which, channel), np.where(here, by, off)
        broken |= here
    return Found(broken, strength.max(axis=0), channel, off)


def _projection(vectors: Floats, weight: Floats) -> Floats:
    return np.asarray(np.einsum("mck,mk,mdk->mcd", vectors, weight, vectors))


def _statistics(model: Principal, z: Floats) -> tuple[Floats, Floats]:
    """Return SPE and T2 of standardised rows, (…, machine, channel) to (…, machine)."""
    spe, t2 = (np.einsum("...mc,mcd,...md->...m", z, one, z)
               for one in (model.outside, model.inside))  # fmt: skip
    return np.maximum(spe, 0.0), np.maximum(t2, 0.0)


def _culprit(index: Floats, z: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the channel whose correction takes most off a statistic, and what it is off by."""
    own = np.einsum("mcc->mc", index)
    pull = np.einsum("mcd,md->mc", index, z)
    sees = own > 1e-6
    by = np.where(sees, pull / np.where(sees, own, 1.0), 0.0)
    which = np.argmax(by * pull, axis=1)
    return which, by[np.arange(len(z)), which]


def _range(drivers: Floats, whole: NDArray[np.bool_], room: float) -> tuple[Floats, Floats]:
    """Return the least and the most of load and ambient in clean rows, with some room."""
    low = np.where(whole[..., None], drivers, np.inf).min(axis=0, initial=np.inf)
    high = np.where(whole[..., None], drivers, -np.inf).max(axis=0, initial=-np.inf)
    some = np.isfinite(low)
    wide = np.where(some, high - np.where(some, low, 0.0), 0.0)
    return low - room * wide, high + room * wide


def _longest(values: Floats, terms: PrincipalTerms) -> Floats:
    """Return the largest running mean of rows of a statistic. (machine,)"""
    if len(values) < terms.rows:
        return np.zeros(values.shape[1])
    total = np.cumsum(np.vstack([np.zeros((1, values.shape[1])), values]), axis=0)
    return np.asarray((total[terms.rows :] - total[: -terms.rows]).max(axis=0) / terms.rows)


def _jackson(values: Floats, kept: NDArray[np.bool_], terms: PrincipalTerms) -> Floats:
    """Return the limit of SPE from the eigenvalues that are left out.

    Notes
    -----
    theta1 (c sqrt(2 theta2 h^2) / theta1 + 1 + theta2 h (h - 1) / theta1^2)^(1/h),
    h = 1 - 2 theta1 theta3 / (3 theta2^2).
    """
    left = np.where(kept, 0.0, values)
    one, two, three = (np.maximum((left**power).sum(axis=1), _TINY**power) for power in (1, 2, 3))
    h = np.maximum(1 - 2 * one * three / (3 * two**2), 1e-3)
    beyond = float(stats.norm.ppf(terms.level))
    inner = beyond * np.sqrt(2 * two * h**2) / one + 1 + two * h * (h - 1) / one**2
    return np.asarray(one * np.maximum(inner, _TINY) ** (1 / h))


def _hotelling(kept: NDArray[np.int64], count: NDArray[np.int64], terms: PrincipalTerms) -> Floats:
    """Return the limit of T2.

    Notes
    -----
    k (n^2 - 1) / (n (n - k)) F(k, n - k).
    """
    k, n = np.maximum(kept, 1), np.maximum(count, kept + 2)
    quantile = stats.f.ppf(terms.level, k, n - k)
    return np.asarray(k * (n**2 - 1) / (n * (n - k)) * quantile)
