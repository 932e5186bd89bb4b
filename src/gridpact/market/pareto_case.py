"""Paper D's trading scheme as numbers: who could supply whom, and what a scheme costs and sells.

[Zeng23] section 4, in the reading of 5-decisions, section 12. A scheme says how much each supplier
sells to each user. It is allowed when no supplier sells more than it has, every user gets between
its least and its most, and the mean delivered price stays at or below the cap. Two objectives: the
least cost of the users and the most weighted sales of the suppliers.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridpact.errors import FieldError

Floats: TypeAlias = NDArray[np.float64]

Places: TypeAlias = NDArray[np.int64]

NO_CAP = float("inf")


@dataclass(frozen=True, eq=False)
class Case:
    """One trading problem; energies and prices in any units that fit each other.

    Attributes
    ----------
    unit_cost
        Delivered price, psi_s + psi_bar_su. (supplier, user)
    capacity
        Most that each supplier can sell. (supplier,)
    demand_min, demand_max
        Least and most that each user takes. (user,)
    weight
        How much a unit sold counts: 1 for all is sales, 1 for renewables alone their use.
    price_cap
        Highest mean delivered price, `NO_CAP` for none.
    barred
        Pairs that may not trade, as places in the flattened (supplier, user) table.
    """

    unit_cost: Floats
    capacity: Floats
    demand_min: Floats
    demand_max: Floats
    weight: Floats
    price_cap: float = NO_CAP
    barred: Places = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(
        cls,
        unit_cost: ArrayLike,
        capacity: ArrayLike,
        demand_min: ArrayLike,
        demand_max: ArrayLike,
        weight: ArrayLike,
        price_cap: float = NO_CAP,
    ) -> "Case":
        """Return a case from checked numbers.

        Raises
        ------
        FieldError
            A list of another length, a number that is not finite, or an energy or weight below 0.
        """
        costs = np.asarray(unit_cost, np.float64)
        if costs.ndim != 2 or not costs.size:
            raise FieldError("unit_cost", "expected one row a supplier, one number a user in each")
        suppliers, users = costs.shape
        if not np.isfinite(costs).all():
            raise FieldError("unit_cost", "holds a number that is not finite")
        least = _energies("demand_min", demand_min, users, "user")
        most = _energies("demand_max", demand_max, users, "user")
        if (least > most).any():
            user = int((least > most).argmax())
            raise FieldError(f"demand_min[{user}]", f"is above demand_max, {most[user]:g}")
        if np.isnan(price_cap):
            raise FieldError("price_cap", "is not a number")
        return cls(
            costs,
            _energies("capacity", capacity, suppliers, "supplier"),
            least,
            most,
            _energies("weight", weight, suppliers, "supplier"),
            float(price_cap),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of suppliers and of users."""
        return self.unit_cost.shape[0], self.unit_cost.shape[1]

    @property
    def is_capped(self) -> bool:
        return math.isfinite(self.price_cap)

    @property
    def is_short(self) -> bool:
        """Say whether the least demands alone are more than all suppliers have."""
        return bool(self.demand_min.sum() > self.capacity.sum() * (1 + 1e-12))

    @cached_property
    def scale(self) -> float:
        """Return the largest energy, 1 where all are 0: tolerances are relative to it."""
        return float(max(self.capacity.max(), self.demand_max.max())) or 1.0

    def objectives(self, schemes: Floats) -> Floats:
        """Return (cost, weighted sales) of one scheme or of many, (..., supplier, user)."""
        cost = (schemes * self.unit_cost).sum(axis=(-2, -1))
        return np.stack([cost, schemes.sum(axis=-1) @ self.weight], axis=-1)

    def violation(self, schemes: Floats) -> Floats:
        """Return by how much the worst limit is broken, as a share of the largest energy.

        The price cap counts as money above the cap, per unit of the largest price.
        """
        sold, taken = schemes.sum(axis=-1), schemes.sum(axis=-2)
        worst = np.maximum(
            (-schemes).max(axis=(-2, -1)),
            np.maximum(
                (sold - self.capacity).max(axis=-1),
                np.maximum(taken - self.demand_max, self.demand_min - taken).max(axis=-1),
            ),
        )
        if self.is_capped:
            above = self.unit_cost - self.price_cap
            worst = np.maximum(
                worst, (schemes * above).sum(axis=(-2, -1)) / (np.abs(above).max() or 1.0)
            )
        return np.asarray(np.maximum(worst, 0.0) / self.scale)


def _energies(name: str, given: ArrayLike, size: int, whose: str) -> Floats:
    """Return one finite number >= 0 for each supplier or user."""
    values = np.asarray(given, np.float64)
    if values.shape != (size,):
        raise FieldError(name, f"has the shape {values.shape}, expected {size}: one a {whose}")
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        row = int(bad.argmax())
        raise FieldError(f"{name}[{row}]", f"is {values[row]}, expected a finite number >= 0")
    return values
