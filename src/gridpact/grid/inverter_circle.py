"""The half circles p >= 0, p^2 + q^2 <= rating^2 of inverters, as polygons for a linear programme.

A polygon lies within its circle, with corners at q = 0, at p = 0 and, closer and closer together,
about the angle at which the inverter now stands: repeated there, the circle's own edge is reached.
"""

import math

import numpy as np
from scipy import sparse

from gridpact.grid.feeder import FloatArray

_SIDES = 16
_CLOSER = (1.0, 0.25, 0.06, 0.015, 0.004)  # of half a side, on either hand of where it stands


def within_circles(
    rating: FloatArray, p: FloatArray, q: FloatArray
) -> tuple[sparse.csr_array, FloatArray]:
    """Return rows over (p, q+, q-) of every inverter, and what each row may be at most."""
    count = len(rating)
    regular = np.linspace(-math.pi / 2, math.pi / 2, _SIDES + 1)
    half = math.pi / (2 * _SIDES)
    closer = np.array([-part for part in _CLOSER] + [0.0] + list(_CLOSER)) * half
    about = np.arctan2(q, np.maximum(p, 0))[:, None] + closer
    corners = np.sort(
        np.hstack([np.tile(regular, (count, 1)), np.clip(about, -math.pi / 2, math.pi / 2)]), axis=1
    )
    middle = (corners[:, 1:] + corners[:, :-1]) / 2
    width = (corners[:, 1:] - corners[:, :-1]) / 2
    unit, side = np.nonzero(width > 1e-9)
    angle = middle[unit, side]
    row = np.arange(len(unit))
    values = np.concatenate([np.cos(angle), np.sin(angle), -np.sin(angle)])
    where = np.tile(row, 3), np.concatenate([unit, count + unit, 2 * count + unit])
    table = sparse.csr_array((values, where), shape=(len(row), 3 * count))
    return table, rating[unit] * np.cos(width[unit, side])
