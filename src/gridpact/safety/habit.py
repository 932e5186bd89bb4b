"""Whose report, with the gap added, would look like that meter's own days again?

What a liar really used is its report and the gap of its feeder together. Of a liar the sum follows
the meter's own habits and the report does not; of anybody else it is the other way round, however
the lie was made: a random share of each reading, a day reversed, a mean, peaks cut. A habit is how
a meter's distance from its expected value goes on from one row to the next. Each row of a disturbed
feeder gives every member evidence for or against, bounded, so that no single row decides. Somebody
is named when its evidence is high, well above every other member's, and the sum really looks like
its days; if two explain the gap alike, nobody is.

Arrays are (feeder, member), padded where a feeder has fewer members than another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Small: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class HabitTerms:
    """tail: degrees of freedom of what is new in a row; most, least: evidence of one row; half:
    share of what a stranger's gap would cost a report that counts for the meter; kept, over: share
    of the evidence that a row leaves, and once the gap is gone. named: evidence at which a meter is
    named; lead: by how much it must beat every other; strange: how unlike its days the sum may
    look; patience: rows in a row before it is blamed. stirred, calm: mean squared gap at which a
    feeder is looked at, and below which its gap is gone; contradicted: evidence by which a meter
    lags or lacks at which no share of it is blamed; highest: bound of the evidence.
    """

    tail: float = 3.0
    most: float = 1.5
    half: float = 0.5
    least: float = -4.0
    kept: float = 0.99
    over: float = 0.95
    named: float = 10.0
    lead: float = 30.0
    strange: float = 1.0
    patience: int = 4
    stirred: float = 2.5
    calm: float = 1.5
    contradicted: float = 8.0
    highest: float = 60.0


@dataclass(frozen=True, eq=False)
class Habits:
    """Of each meter: the share of its distance that a row leaves, and variance of what is new."""

    keep: Small
    fresh: Small


@dataclass
class HabitState:
    """usual, mended: distance from the expected value, smoothed, of the report and of report and
    gap together [kW]; score: evidence; odd: how strange the sum looks; stir: fading mean of the
    squared gap (feeder,); open: feeders that are looked at; leader, sure: who would be named, and
    for how many rows (feeder,).
    """

    usual: Small
    mended: Small
    score: Small
    odd: Small
    stir: Floats
    open: Flags
    leader: Rows
    sure: Rows


def learned(distances: Iterator[Small], again: Iterator[Small], meters: int) -> Habits:
    """Return habits from the distances of clean rows, [kW] (meter,), which are given twice."""
    both, square = np.full(meters, 1e-9), np.full(meters, 1e-9)
    before = np.zeros(meters, np.float32)
    for now in distances:
        both += now * before
        square += before**2
        before = now
    keep = np.clip(both / square, 0.0, 0.98).astype(np.float32)
    size, rows, before = np.zeros(meters), 0, np.zeros(meters, np.float32)
    for now in again:
        size += np.abs(now - keep * before)
        rows += 1
        before = now
    spread = 1.25 * size / max(rows, 1)
    return Habits(keep, np.maximum(spread**2, 1e-6).astype(np.float32))


def gain(keep: Small, fresh: Small, noise: float) -> Small:
    """Return how far a new row moves the smoothed distance when area meters err by `noise`."""
    known = fresh
    for _ in range(100):
        known = keep**2 * known * noise / (known + noise) + fresh
    return np.asarray(known / (known + noise), np.float32)


def fresh(count: int, most: int) -> HabitState:
    """Return the state before the first row."""
    zeros = np.zeros((count, most), np.float32)
    return HabitState(
        zeros, zeros.copy(), zeros.copy(), zeros.copy(), np.ones(count), np.zeros(count, bool),
        np.full(count, -1), np.zeros(count, np.int64),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Heard:
    """One row of every feeder: reports' distance from what was expected [kW] and which of them are
    no word of the meter; gap beyond what blamed shares explain, and spread of the area meter [kW]
    (feeder,); whether that was heard. `own`: part of the gap that a member's own blamed share
    explains, by (feeder, member).
    """

    distance: Floats
    unsure: Flags
    gap: Floats
    scale: Floats
    heard: Flags
    own: dict[tuple[int, int], float]


def step(
    state: HabitState, keep: Small, fresh: Small, gain: Small, sign: Floats, new: Heard,
    terms: HabitTerms,
) -> None:  # fmt: skip
    """Take one row; the evidence is moved on where a feeder is looked at."""
    square = np.minimum((new.gap / new.scale) ** 2, 100.0)
    state.stir = np.where(new.heard, state.stir + 0.1 * (square - state.stir), state.stir)
    opened = ~state.open & (state.stir >= terms.stirred)
    state.mended[opened] = state.usual[opened]
    state.open |= opened
    guess = keep * state.usual
    moved = np.where(new.unsure, np.float32(0), new.distance.astype(np.float32) - guess)
    state.usual = guess + gain * moved
    at = np.flatnonzero(state.open & new.heard)
    if at.size:
        _weigh(state, at, moved[at], keep[at], fresh[at], gain[at], sign[at], new, terms)
        _lead(state, at, sign[at], terms)
    over = state.open & (state.stir < terms.calm)
    over[over] = state.score[over].max(axis=1, initial=0.0) < 1.0
    state.score[over], state.odd[over], state.open[over] = 0.0, 0.0, False
    state.leader[over], state.sure[over] = -1, 0


def _weigh(
    state: HabitState, at: Rows, moved: Small, keep: Small, fresh: Small, gain: Small,
    sign: Floats, new: Heard, terms: HabitTerms,
) -> None:  # fmt: skip
    """Move the evidence of the feeders `at`: how likely is a report, with the gap and without?"""
    missing = np.repeat(new.gap[at][:, None], sign.shape[1], axis=1)
    for row, feeder in enumerate(at.tolist()):
        for (where, member), part in new.own.items():
            if where == feeder:
                missing[row, member] += part
    guess = keep * state.mended[at]
    mended = np.where(new.unsure[at], 0.0, new.distance[at] + missing * sign - guess)
    state.mended[at] = guess + gain * mended
    spread = fresh + (new.scale[at] ** 2)[:, None]
    reported = _unlikely(moved, spread, terms)
    really = _unlikely(mended, spread, terms)
    # a gap that is none of its business makes a report unlikelier by about so much
    strangers = _unlikely(np.sqrt((mended - moved) ** 2 + spread), spread, terms) - 0.575
    weighs = np.clip(terms.half * strangers + reported - really, terms.least, terms.most)
    weighs = np.where(new.unsure[at] | (sign == 0), 0.0, weighs)
    kept = np.where(state.stir[at] < terms.calm, terms.over, terms.kept)[:, None]
    score = kept * state.score[at] + weighs
    state.score[at] = np.clip(score, -terms.highest, terms.highest)
    odd = np.where(new.unsure[at], 0.0, really - 0.5)
    state.odd[at] += 0.05 * (odd - state.odd[at])


def _unlikely(moved: NDArray[np.floating], spread: Floats, terms: HabitTerms) -> Floats:
    """Return how unlikely a step is: minus the logarithm of Student's density, 0 at its top."""
    half = 0.5 * (terms.tail + 1)
    return np.asarray(half * np.log1p(moved.astype(float) ** 2 / (terms.tail * spread)))


def _lead(state: HabitState, at: Rows, sign: Floats, terms: HabitTerms) -> None:
    """Note who would be named on the feeders `at`, and for how many rows in a row."""
    score = np.where(sign == 0, -np.inf, state.score[at].astype(float))
    who = score.argmax(axis=1)
    rows = np.arange(len(at))
    best = score[rows, who]
    score[rows, who] = -np.inf
    second = score.max(axis=1, initial=-np.inf)
    clear = (
        (best >= terms.named)
        & (best - second >= terms.lead)
        & (state.odd[at, who] <= terms.strange)
        & (state.stir[at] >= terms.stirred)
    )
    same = state.leader[at] == who
    state.sure[at] = np.where(clear, np.where(same, state.sure[at] + 1, 1), 0)
    state.leader[at] = np.where(clear, who, -1)


def named(state: HabitState, terms: HabitTerms) -> list[tuple[int, int]]:
    """Return feeder and member of everybody who is to blame."""
    return [
        (feeder, int(state.leader[feeder]))
        for feeder in np.flatnonzero(state.sure >= terms.patience).tolist()
    ]


def contradicted(state: HabitState, feeder: int, terms: HabitTerms) -> Flags:
    """Say whom the evidence speaks against: it fell, or another member's is much higher."""
    score = state.score[feeder]
    low = max(-terms.contradicted, float(score.max(initial=0.0)) - terms.contradicted)
    return np.asarray(score < low)
