"""Which user is served by which provider? The question, its answers, and how two are compared.

A user goes to one provider whole or to nobody; no provider gives more than it has. First the most
energy is served, then the sum of values is as large as it can be, then that of the ties
(5-decisions, section 10). It is a generalised assignment problem: numbers, no market.

Energies are whole numbers, so that "fits" is exact. Values are floats: between two assignments of
equal energy they decide which is the better one, never how much anybody gets.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Whole: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

NOBODY = -1
"""The provider of a user that nobody serves."""
FORBIDDEN = -np.inf
"""The value of a pair that may not be."""


class Worth(NamedTuple):
    """What an assignment is worth; larger tuples are better."""

    energy: int
    value: float
    tie: float


@dataclass(frozen=True, eq=False)
class Problem:
    """Users and providers.

    Attributes
    ----------
    demand
        What each user needs. (user,), > 0
    capacity
        What each provider has. (provider,), >= 0
    value
        Of serving a user by a provider; `FORBIDDEN` where that may not be. (user, provider)
    tie
        Decides where values are equal: the larger sum wins. (user, provider)

    Earlier providers win what is left of ties.
    """

    demand: Whole
    capacity: Whole
    value: Reals
    tie: Reals

    @cached_property
    def allowed(self) -> Flags:
        """Return which provider may serve which user, and could if it served nobody else."""
        return np.isfinite(self.value) & (self.demand[:, None] <= self.capacity)

    @cached_property
    def open_value(self) -> Reals:
        """Return values, `FORBIDDEN` where a pair is not allowed."""
        return np.where(self.allowed, self.value, FORBIDDEN)

    @cached_property
    def reachable(self) -> int:
        """Return the energy of all users whom some provider may serve."""
        return int(self.demand[self.allowed.any(axis=1)].sum())

    @cached_property
    def scale(self) -> float:
        """Return the largest value of an allowed pair, 1 if there is none above 0."""
        largest = float(np.max(self.value, initial=0.0, where=self.allowed))
        return largest if largest > 0 else 1.0

    def some(self, user: Whole) -> "Problem":
        """Return the problem of some of the users."""
        return Problem(self.demand[user], self.capacity, self.open_value[user], self.tie[user])

    def of_best(self, net: Reals, count: int) -> "Chosen":
        """Return all users with so many providers each, those of the largest net value."""
        providers = len(self.capacity)
        if count < providers:
            place = np.argpartition(net, providers - count, axis=1)[:, providers - count :]
            place = np.sort(place, axis=1)
        else:
            place = np.broadcast_to(np.arange(providers), net.shape)
        row = np.arange(len(self.demand))[:, None]
        value = np.where(np.isfinite(net[row, place]), self.value[row, place], FORBIDDEN)
        return Chosen(self.demand, self.capacity, value, place)

    def worth(self, provider: Whole) -> Worth:
        """Return what an assignment is worth. (user,) providers or `NOBODY`"""
        user = np.flatnonzero(provider != NOBODY)
        chosen = provider[user]
        return Worth(
            int(self.demand[user].sum()),
            float(self.value[user, chosen].sum()),
            float(self.tie[user, chosen].sum()),
        )

    def left(self, provider: Whole) -> Whole:
        """Return what each provider has left."""
        served = provider != NOBODY
        load = np.zeros_like(self.capacity)
        np.add.at(load, provider[served], self.demand[served])
        return self.capacity - load

    def better(self, one: Whole, other: Whole) -> Whole:
        """Return the better of two assignments, the first where they are worth the same."""
        first, second = self.worth(one), self.worth(other)
        if first.energy != second.energy:
            return one if first.energy > second.energy else other
        small = 1e-12 * self.scale * len(self.demand)
        if abs(first.value - second.value) > small:
            return one if first.value > second.value else other
        return other if second.tie > first.tie else one


@dataclass(frozen=True, eq=False)
class Chosen:
    """Users with some providers each: value and number of each, (user, choice)."""

    demand: Whole
    capacity: Reals | Whole
    value: Reals
    place: Whole

    @property
    def reachable(self) -> int:
        return int(self.demand[np.isfinite(self.value).any(axis=1)].sum())

    @property
    def scale(self) -> float:
        largest = float(np.max(self.value, initial=0.0, where=np.isfinite(self.value)))
        return largest if largest > 0 else 1.0


@dataclass(frozen=True, eq=False)
class Answer:
    """An assignment and what is known of better ones.

    Attributes
    ----------
    provider
        (user,), `NOBODY` for who is not served
    energy, energy_bound
        What is served, and what nobody can exceed.
    value, bound
        Sum of values, and what no assignment of this energy can exceed.
    optimal
        Proved: no more energy, and no more value at this energy, but for what floats resolve.
    out_of_time
        The clock ended the work, so a faster machine may answer better.
    """

    provider: Whole
    energy: int
    energy_bound: int
    value: float
    bound: float
    optimal: bool
    out_of_time: bool

    @property
    def gap(self) -> float:
        """Return how much of the bound may be missing at most."""
        return (self.bound - self.value) / self.bound if self.bound > 0 else 0.0
