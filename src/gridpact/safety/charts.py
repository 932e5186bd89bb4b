"""How long have readings been on one side of what was expected? Two charts of each meter.

CUSUM sums what exceeds a slack: a large shift shows within hours. EWMA is a mean that forgets: a
small steady shift shows within a day or two, and its sign says which way. What a household leaves
unexplained lasts for hours, so limits for readings that err independently are crossed every day:
each meter's limits are the textbook's or, where it is more, a multiple of what its clean days had.

The charts judge meters that no area meter watches; of the others they are evidence. They move while
the verdict is ok or is their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.expected import Small

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ChartTerms:
    """Residuals count in spreads, each up to `clip`. CUSUM: slack and limit, and how many times the
    most of the clean days it may reach (`sums`). EWMA: weight of the newest (lambda), width of its
    band in standard deviations (L), and how many times the most of the clean days (`means`). most:
    where the CUSUM stops, in limits, so that an end is soon seen.
    """

    clip: float = 4.0
    slack: float = 1.0
    limit: float = 12.0
    sums: float = 5.0
    weight: float = 0.02
    width: float = 3.0
    means: float = 2.5
    most: float = 1.5

    @property
    def band(self) -> float:
        """Limit of the EWMA of residuals that err independently.

        Notes
        -----
        L sqrt(lambda / (2 - lambda)), its steady state.
        """
        return self.width * float(np.sqrt(self.weight / (2 - self.weight)))


@dataclass
class ChartState:
    """Both sides of the CUSUM, and the EWMA. (meter,) [spreads]"""

    up: Small
    down: Small
    mean: Small

    @property
    def sums(self) -> Small:
        """The larger side of the CUSUM."""
        return np.maximum(self.up, self.down)


@dataclass(frozen=True, eq=False)
class Limits:
    """Of each meter's CUSUM and EWMA. (meter,) [spreads]"""

    sums: Small
    mean: Small


def fresh(meters: int) -> ChartState:
    """Return the charts before the first reading."""
    return ChartState(*(np.zeros(meters, np.float32) for _ in range(3)))


def move(
    state: ChartState, residual: Small, which: Flags, limits: Limits, terms: ChartTerms
) -> None:
    """Take one row of residuals of some meters; the others' charts wait."""
    z = np.clip(residual, -np.float32(terms.clip), np.float32(terms.clip))
    slack, most = np.float32(terms.slack), np.float32(terms.most) * limits.sums
    state.up = np.where(which, np.clip(state.up + z - slack, 0, most), state.up)
    state.down = np.where(which, np.clip(state.down - z - slack, 0, most), state.down)
    moved = state.mean + np.float32(terms.weight) * (z - state.mean)
    state.mean = np.where(which, moved, state.mean)


def strength(state: ChartState, limits: Limits) -> Small:
    """Return how far each meter's charts are out: 1 at the limit of either."""
    return np.asarray(np.maximum(state.sums / limits.sums, np.abs(state.mean) / limits.mean))


def below(state: ChartState) -> Flags:
    """Say which meters read less than expected, as their EWMA has it."""
    return np.asarray(state.mean < 0)


def fit(residuals: Iterable[Small], meters: int, terms: ChartTerms) -> Limits:
    """Return each meter's limits from the residuals of clean rows, NaN where nothing is known."""
    state, free = fresh(meters), Limits(*(np.full(meters, np.inf, np.float32) for _ in range(2)))
    sums, mean = np.zeros(meters, np.float32), np.zeros(meters, np.float32)
    for residual in residuals:
        move(state, residual, np.isfinite(residual), free, terms)
        sums, mean = np.maximum(sums, state.sums), np.maximum(mean, np.abs(state.mean))
    return Limits(
        np.maximum(np.float32(terms.limit), np.float32(terms.sums) * sums),
        np.maximum(np.float32(terms.band), np.float32(terms.means) * mean),
    )
