"""Which of some moves are taken together? The best subset whose weights add up within limits.

All subsets of two halves, one half sorted by weight: for each subset of the first half the best
partner lies within a range of the second (meet in the middle, Horowitz and Sahni 1974; the best of
a range from a table of doubling lengths). Exact: 2^24 subsets in about a millisecond.
"""

import numpy as np

from gridpact.market.assignment.problem import Flags, Reals, Whole

HALF = 10
"""Moves of a half: the table of a half has 2^HALF rows."""


def best_subset(weight: Whole, gain: Reals, low: int, high: int) -> Flags:
    """Return the subset of the largest gain whose weights add up to low .. high.

    No moves at all (weight 0, gain 0) where nothing is better or nothing fits.
    At most 2 * HALF moves, weights may be negative; ties go to the first subset found.
    """
    middle = len(weight) // 2
    left, left_gain = _sums(weight[:middle], gain[:middle])
    right, right_gain = _sums(weight[middle:], gain[middle:])
    order = np.argsort(right, kind="stable")
    right, right_gain = right[order], right_gain[order]
    first = np.searchsorted(right, low - left, "left")
    last = np.searchsorted(right, high - left, "right")
    one = _best_in(right_gain, first, last, left_gain)
    if one is None:
        return np.zeros(len(weight), np.bool_)
    mine, other = one
    picked = int(mine) | int(order[other]) << middle
    return np.asarray((picked >> np.arange(len(weight))) & 1 == 1)


def _best_in(gain: Reals, first: Whole, last: Whole, extra: Reals) -> tuple[int, int] | None:
    """Return (row, place) of the largest extra[row] + gain[place], first <= place < last."""
    rows = np.flatnonzero(first < last)
    if not len(rows):
        return None
    first, last = first[rows], last[rows]
    level = np.log2(last - first).astype(np.int64)
    best = np.full(len(rows), -np.inf)
    tables = [gain]
    for step in range(int(level.max())):
        half = 1 << step
        tables.append(np.maximum(tables[-1][:-half], tables[-1][half:]))
    for step in np.unique(level).tolist():
        of = level == step
        table = tables[step]
        best[of] = np.maximum(table[first[of]], table[last[of] - (1 << step)])
    row = int(np.argmax(best + extra[rows]))
    place = int(first[row] + np.argmax(gain[first[row] : last[row]]))
    return int(rows[row]), place


def _sums(weight: Whole, gain: Reals) -> tuple[Whole, Reals]:
    """Return the weights and gains of all subsets; bit i of the row says whether i is in it."""
    weights, gains = np.zeros(1, np.int64), np.zeros(1)
    for one, more in zip(weight.tolist(), gain.tolist(), strict=True):
        weights = np.concatenate((weights, weights + one))
        gains = np.concatenate((gains, gains + more))
    return weights, gains
