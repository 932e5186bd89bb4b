"""Are lines and transformers within what load and weather explain? (5-decisions, section 19)

Transformers: top-oil temperature after IEC 60076-7 in discrete time, fitted to each on clean days;
oil that stays hotter than that is a failing machine. Lines: current against the rating at the
ambient temperature. Arrays (transformer,) and (line,), one step each 15 minutes.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class EquipmentTerms:
    """excess: oil above its explanation that is a failure [K]; alarm: the mean of the last rows at
    which the episode begins, below it because a mean lags [K]. loss_ratio, exponent: R and x of
    IEC 60076-7 for natural cooling. hottest, reference: conductor and rating temperature of a line
    [degC]; overload: rows at or above the rating. minutes of a row; silent: rows without a reading
    after which a machine is stale.
    """

    excess: float = 6.0
    alarm: float = 5.0
    rows: int = 2
    loss_ratio: float = 6.0
    exponent: float = 0.8
    hottest: float = 80.0
    reference: float = 25.0
    overload: int = 2
    minutes: int = 15
    silent: int = 8


DEFAULTS = EquipmentTerms()


@dataclass(frozen=True, eq=False)
class OilModel:
    """What explains the oil: rise at rated load [K], offset to the ambient [K], time constant [h].

    `spread` is the standard deviation of what is left on the clean days. [K]
    """

    rise: Floats
    offset: Floats
    hours: Floats
    spread: Floats


def ultimate(load: Floats, terms: EquipmentTerms = DEFAULTS) -> Floats:
    """Return the steady top-oil rise at a load, in shares of the rated rise.

    Notes
    -----
    ((1 + R K^2) / (1 + R))^x, IEC 60076-7.
    """
    ratio = terms.loss_ratio
    return ((1.0 + ratio * load**2) / (1.0 + ratio)) ** terms.exponent


def filtered(target: Floats, first: Floats, hours: Floats, minutes: int) -> Floats:
    """Return a first-order lag of the rows of `target` (row, machine) that begins at `first`."""
    gain = 1.0 - np.exp(-minutes / 60.0 / hours)
    out, now = np.empty_like(target), first.astype(float)
    for row, aim in enumerate(target):
        now = now + gain * (np.where(np.isfinite(aim), aim, now) - now)
        out[row] = now
    return out


def fit(load: Floats, oil: Floats, ambient: Floats, terms: EquipmentTerms = DEFAULTS) -> OilModel:
    """Return the model of each transformer from clean rows, (row, transformer) each.

    The time constant is the best of a few; rise and offset are least squares with it.
    """
    machines = load.shape[1]
    best = np.full(machines, np.inf)
    rise, offset, lag = np.full(machines, 45.0), np.zeros(machines), np.full(machines, 3.0)
    target = ultimate(load, terms)
    skip = min(len(load) // 4, 96)
    for hours in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0):
        tried = np.full(machines, hours)
        shape = filtered(target, np.nan_to_num(target[0]), tried, terms.minutes)[skip:]
        above = (oil - ambient)[skip:]
        slope, level, error = _lines(shape, above)
        better = error < best
        best = np.where(better, error, best)
        rise, offset = np.where(better, slope, rise), np.where(better, level, offset)
        lag = np.where(better, hours, lag)
    spread = np.where(np.isfinite(best), np.sqrt(best), 1.0)
    return OilModel(rise, offset, lag, np.maximum(spread, 0.2))


def explained(
    load: Floats, ambient: Floats, model: OilModel, terms: EquipmentTerms = DEFAULTS
) -> Floats:
    """Return the top oil that load and ambient explain, (row, transformer), as `step` has it."""
    target = ultimate(load, terms)
    first = np.full(load.shape[1], np.nan)
    for row in target[::-1]:
        first = np.where(np.isfinite(row), row, first)
    return ambient + model.offset + model.rise * filtered(target, first, model.hours, terms.minutes)


def _lines(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return slope, level and mean square error of y over x, column by column, NaN left out."""
    known = np.isfinite(x) & np.isfinite(y)
    count = np.maximum(known.sum(axis=0), 1)
    x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
    mx, my = x.sum(axis=0) / count, y.sum(axis=0) / count
    dx, dy = np.where(known, x - mx, 0.0), np.where(known, y - my, 0.0)
    slope = (dx * dy).sum(axis=0) / np.maximum((dx * dx).sum(axis=0), 1e-9)
    slope = np.clip(slope, 5.0, 120.0)
    level = my - slope * mx
    error = np.where(known, y - level - slope * x, 0.0)
    return slope, level, np.where(known.any(axis=0), (error**2).sum(axis=0) / count, np.inf)


@dataclass
class EquipmentState:
    """Lagged rise of each transformer, its last residuals, rows above rating of each line."""

    shape: Floats
    recent: Floats
    row: int
    hot: NDArray[np.int64]
    silent: NDArray[np.int64]
    line_silent: NDArray[np.int64]


def fresh(transformers: int, lines: int, terms: EquipmentTerms = DEFAULTS) -> EquipmentState:
    """Return the state before the first row; stale until something is heard."""
    return EquipmentState(
        np.full(transformers, np.nan),
        np.zeros((terms.rows, transformers)),
        0,
        np.zeros(lines, np.int64),
        np.full(transformers, terms.silent),
        np.full(lines, terms.silent),
    )


@dataclass(frozen=True, eq=False)
class Equipment:
    """One row's verdict: which transformers fail, which lines are overloaded, how strongly."""

    failing: Flags
    excess: Floats
    expected: Floats
    overloaded: Flags
    loading: Floats
    stale: Flags
    line_stale: Flags


def step(
    state: EquipmentState,
    model: OilModel,
    load: Floats,
    oil: Floats,
    ambient: Floats,
    current: Floats,
    rating: Floats,
    line_ambient: Floats,
    terms: EquipmentTerms = DEFAULTS,
) -> Equipment:
    """Take one row of every transformer and line; the state is moved on in place.

    Parameters
    ----------
    load, oil, ambient
        Per unit, degC, degC. (transformer,)
    current, rating, line_ambient
        A, A at the reference temperature, degC. (line,)
    """
    target = ultimate(load, terms)
    begun = np.isfinite(state.shape)
    gain = 1.0 - np.exp(-terms.minutes / 60.0 / model.hours)
    moved = state.shape + gain * (target - state.shape)
    state.shape = np.where(np.isfinite(target), np.where(begun, moved, target), state.shape)
    expected = ambient + model.offset + model.rise * state.shape
    residual = oil - expected
    heard = np.isfinite(residual)
    state.recent[state.row % terms.rows] = np.where(heard, residual, 0.0)
    state.row += 1
    excess = state.recent.mean(axis=0)
    state.silent = np.where(np.isfinite(oil) & np.isfinite(load), 0, state.silent + 1)
    limit = at_ambient(rating, line_ambient, terms)
    with np.errstate(invalid="ignore", divide="ignore"):
        loading = current / limit
    state.hot = np.where(loading >= 1.0, state.hot + 1, 0)
    state.line_silent = np.where(np.isfinite(current), 0, state.line_silent + 1)
    return Equipment(
        failing=excess >= np.maximum(terms.alarm, 4 * model.spread),
        excess=excess,
        expected=expected,
        overloaded=state.hot >= terms.overload,
        loading=np.nan_to_num(loading),
        stale=state.silent >= terms.silent,
        line_stale=state.line_silent >= terms.silent,
    )


def at_ambient(rating: Floats, ambient: Floats, terms: EquipmentTerms = DEFAULTS) -> Floats:
    """Return a line's rating at an ambient temperature; the reference's where it is not known. [A]

    Notes
    -----
    I = I_ref sqrt((T_max - T_ambient) / (T_max - T_ref)): the heat that the conductor can shed.
    """
    known = np.where(np.isfinite(ambient), ambient, terms.reference)
    room = np.maximum(terms.hottest - known, 1.0) / (terms.hottest - terms.reference)
    return rating * np.sqrt(room)
