"""A front of trading schemes: its points, the choice of one of them, and how good it is.

Points are (cost, weighted sales) by rising cost. Of a convex problem also every mixture of two
schemes is one, so the exact front is the line through its corners.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.market.pareto_case import Case, Floats

_NEAR = 1e-7
"""Shares of a range that count as rounding."""


@dataclass(frozen=True, eq=False)
class Sparse:
    """A scheme as its positive entries: places in the flattened (supplier, user) table."""

    place: np.ndarray
    energy: Floats

    def table(self, shape: tuple[int, int]) -> Floats:
        """Return the whole table, (supplier, user)."""
        flat = np.zeros(shape[0] * shape[1])
        flat[self.place] = self.energy
        return flat.reshape(shape)


@dataclass(frozen=True, eq=False)
class Front:
    """Schemes none of which is better than another in both objectives.

    Attributes
    ----------
    points
        (cost, weighted sales) by rising cost. (point, 2)
    schemes
        What is traded at each point.
    is_exact
        Whether no scheme at all beats the line through the points: each corner is proven.
    """

    case: Case
    points: Floats
    schemes: Sequence[Sparse]
    is_exact: bool

    def __len__(self) -> int:
        return len(self.schemes)

    def table(self, point: int) -> Floats:
        """Return the scheme of a point, (supplier, user)."""
        return self.schemes[point].table(self.case.shape)


def of_tables(case: Case, tables: Floats, is_exact: bool) -> Front:
    """Return the front of schemes given as whole tables, (scheme, supplier, user)."""
    flat = tables.reshape(len(tables), -1)
    points = case.objectives(tables)
    keep = undominated(points)
    places = [np.flatnonzero(flat[row]) for row in keep]
    schemes = [Sparse(place, flat[row][place]) for place, row in zip(places, keep, strict=True)]
    return Front(case, points[keep], schemes, is_exact)


def undominated(points: Floats) -> np.ndarray:
    """Return the rows that nothing beats, by rising cost; of equal points the first."""
    order = np.lexsort((-points[:, 1], points[:, 0]))
    best = np.maximum.accumulate(points[order, 1])
    rises = np.concatenate([[True], best[1:] > best[:-1]])[: len(order)]
    return np.asarray(order[rises])


def knee(points: Floats) -> int:
    """Return the point farthest above the straight line between the ends of a front.

    Both objectives are measured in shares of their range. Of equal ones the cheapest; of a front
    without a bend the dearest, which sells most.
    """
    spread = points[-1] - points[0]
    if len(points) < 3 or (spread <= 0).any():
        return len(points) - 1
    share = (points - points[0]) / spread
    height = share[:, 1] - share[:, 0]
    return int(height.argmax()) if height.max() > 1e-9 else len(points) - 1


def weighted(points: Floats, weights: tuple[float, float]) -> int:
    """Return the point with the least `weights[0] * cost - weights[1] * sales`; ties: cheapest."""
    return int((weights[0] * points[:, 0] - weights[1] * points[:, 1]).argmin())


def hypervolume(points: Floats, exact: Floats, mixed: bool = False) -> float:
    """Return the share of the unit square that points dominate, both objectives normalised.

    Parameters
    ----------
    points
        Whose volume is asked for.
    exact
        The exact front: 0 and 1 of each objective are its best value and its nadir, which is the
        reference point (5-decisions, section 12).
    mixed
        Whether mixtures of two points count, as they do of the exact front itself: then the volume
        lies under the line through the points instead of under their steps. A front of one point
        has no area: then 1 says that it is reached.
    """
    low, spread = exact[0], exact[-1] - exact[0]
    if (spread <= 0).any():
        near = points - low <= _NEAR * np.abs(low)
        return float((near[:, 0] & (low[1] - points[:, 1] <= _NEAR * abs(low[1]))).any())
    share = (points - low) / spread
    share = np.clip(share[(share[:, 0] <= 1 + _NEAR) & (share[:, 1] >= -_NEAR)], 0.0, 1.0)
    if not len(share):
        return 0.0
    share = share[undominated(share)]
    if mixed:
        share = share[_hull(share)]
        right = np.concatenate([share, [[1.0, share[-1, 1]]]])
        return float((np.diff(right[:, 0]) * (right[1:, 1] + right[:-1, 1]) / 2).sum())
    edges = np.append(share[:, 0], 1.0)
    return float((np.diff(edges) * share[:, 1]).sum())


def _hull(points: Floats) -> list[int]:
    """Return the corners of the upper hull of points that rise in both coordinates."""
    corners: list[int] = []
    for row, (x, y) in enumerate(points.tolist()):
        while len(corners) > 1:
            (x1, y1), (x2, y2) = points[corners[-2]].tolist(), points[corners[-1]].tolist()
            if (x2 - x1) * (y - y1) < (y2 - y1) * (x - x1):
                break
            corners.pop()
        corners.append(row)
    return corners
