"""Can this reading be, by itself? Plausibility and the residual of every meter, one tick at once.

Order of the tests: missing, beyond the meter's capacity, PV at night, frozen. How long readings
have been on one side of what was expected, `charts` tell. What is expected comes from clean days
alone, so that a theft is never learned. Where there is an area meter the feeder's balance says who
is wrong (`balance`): a household that changes its habits is no fault.
"""

import itertools
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.expected import LOAD, PV, Small

Flags: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int8]


@dataclass(frozen=True)
class MeterTerms:
    """capacity: share of the rating beyond which no reading lies; night: PV output in the dark, as
    a share of the rating; dark [W/m2]. frozen: equal readings in a row, beyond the longest such run
    of the clean days; silent: rows without a packet that are a loss of communication. fault: share
    of what a generator should give that it lacks, over `rows` of light; repaired: rise of what it
    gives that ends it; lasts: lit rows in a row that make a failure.
    """

    capacity: float = 1.25
    night: float = 0.02
    dark: float = 1.0
    frozen: int = 3
    silent: int = 8
    fault: float = 0.08
    rows: int = 6
    repaired: float = 0.25
    lasts: int = 4


@dataclass
class MeterState:
    """Arrays (meter,). `run`: equal readings in a row; `missing`: rows without a packet."""

    last: Small
    run: NDArray[np.int16]
    longest: NDArray[np.int16]
    missing: NDArray[np.int16]
    ratio: Small
    short: NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Seen:
    """One tick: expected value and spread, residual in spreads, and which tests failed."""

    expected: Small
    spread: Small
    residual: Small
    heard: Flags
    lost: Flags
    impossible: Flags
    still: Flags
    frozen: Flags
    short: Flags


def fresh(meters: int, longest: NDArray[np.int16], terms: MeterTerms) -> MeterState:
    """Return the state before the first tick; nothing was ever heard of any meter."""
    return MeterState(
        last=np.full(meters, np.nan, np.float32),
        run=np.zeros(meters, np.int16),
        longest=longest,
        missing=np.full(meters, terms.silent - 1, np.int16),
        ratio=np.ones(meters, np.float32),
        short=np.zeros(meters, np.int16),
    )


def longest_runs(power: Small, kind: NDArray[np.int8]) -> NDArray[np.int16]:
    """Return the longest run of equal readings of each meter in clean rows (row, meter).

    Zeros of generators do not count: they are what one without sun or wind reads.
    """
    run = np.zeros(power.shape[1], np.int16)
    longest = run.copy()
    for before, now in itertools.pairwise(power):
        same = (now == before) & ((now != 0) | (kind == LOAD))
        run = np.where(same, run + 1, 0).astype(np.int16)
        longest = np.maximum(longest, run)
    return longest


def look(
    state: MeterState,
    power: Small,
    expected: Small,
    spread: Small,
    kind: NDArray[np.int8],
    scale: Small,
    ghi: Small,
    terms: MeterTerms,
) -> Seen:
    """Judge one tick of readings by themselves; moves on what counts packets and equal readings."""
    heard = np.isfinite(power)
    value = np.where(heard, power, np.float32(0))
    state.missing = np.where(heard, 0, np.minimum(state.missing + 1, 10_000)).astype(np.int16)
    same = heard & (power == state.last) & ((value != 0) | (kind == LOAD))
    state.run = np.where(same, state.run + 1, np.where(heard, 0, state.run)).astype(np.int16)
    state.last = np.where(heard, power, state.last)
    with np.errstate(invalid="ignore"):
        residual = (power - expected) / spread
        night = (kind == PV) & (ghi <= terms.dark) & (np.abs(value) > terms.night * scale)
    impossible = heard & ((np.abs(value) > terms.capacity * scale) | night)
    return Seen(
        expected=expected,
        spread=spread,
        residual=np.where(np.isfinite(residual), residual, np.float32(0)),
        heard=heard,
        lost=state.missing >= terms.silent,
        impossible=impossible,
        still=state.run > state.longest,
        frozen=state.run >= state.longest + terms.frozen,
        short=_short(state, value, expected, kind, scale, heard, terms),
    )


def _short(
    state: MeterState,
    value: Small,
    expected: Small,
    kind: NDArray[np.int8],
    scale: Small,
    heard: Flags,
    terms: MeterTerms,
) -> Flags:
    """Say which generators give less than sun and wind explain, over the last lit rows."""
    lit = heard & (kind != LOAD) & (np.nan_to_num(expected) > 0.1 * scale)
    now = np.divide(value, expected, out=np.ones_like(value), where=lit)
    gain = np.float32(1 / terms.rows)
    # repaired: the memory of before counts no more
    state.ratio = np.where(lit & (now > state.ratio + terms.repaired), now, state.ratio)
    state.ratio = np.where(
        lit, state.ratio + gain * (np.clip(now, 0, 2) - state.ratio), state.ratio
    )
    lost = (1 - state.ratio) * np.nan_to_num(expected)
    below = (now < 1 - 0.5 * terms.fault) & (state.ratio < 1 - terms.fault) & (lost > 0.02 * scale)
    state.short = np.where(
        lit & below, np.minimum(state.short + 1, 1000), np.where(lit, 0, state.short)
    ).astype(np.int16)
    return np.asarray(lit & (state.short >= terms.lasts))
