"""A better assignment by rings: up to four users, each takes the next one's place.

A place may also be empty, so that a ring of two is a change of places or a move, and one of three
or four does what no pair can do alone. All rings are looked at as tables over pairs: with D the
gain of one user in another's place and P = D (max, +) D, rings of two are D + D', of three P + D',
of four P + P' (cyclic transfers, Thompson and Psaraftis 1993). Of those that are of use the best
are taken together, each only if it still fits. Who waits is served by nobody, who has endless
room.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gridpact.market.assignment.problem import NOBODY, Problem, Reals, Whole

_TOGETHER = 200
_WIDE = 5_000_000
"""Cells of a table above which rings of two alone are looked for."""

Members = Sequence[int]


class Rings:
    """An assignment that grows better ring by ring.

    Only a user's `choices` best providers by `net` value (values less what energy costs) are
    considered: far worse ones are never part of a good assignment.
    """

    def __init__(self, problem: Problem, provider: Whole, net: Reals, choices: int) -> None:
        users, nobody = len(problem.demand), len(problem.capacity)
        self.users, self.nobody = users, nobody
        self.value = np.zeros((users + nobody + 1, nobody + 1))
        self.value[:users, :nobody] = _worth(problem, provider, net, choices)
        self.demand = np.append(problem.demand, np.zeros(nobody + 1, np.int64))
        self.place = np.append(
            np.where(provider == NOBODY, nobody, provider), np.arange(nobody + 1)
        )
        self.room = np.append(problem.left(provider), np.int64(2**62))
        self.small = 1e-11 * problem.scale

    @property
    def provider(self) -> Whole:
        place = self.place[: self.users]
        return np.where(place == self.nobody, NOBODY, place)

    def settle(self, turns: int) -> int:
        """Take rings until none makes it better, or for so many turns; return how many it took."""
        for turn in range(turns):
            if not self.turn():
                return turn
        return turns

    def turn(self) -> bool:
        """Take the best rings of two; where there are none, of three; of four."""
        gains = self.gains()
        if self._take(gains + gains.T, lambda one, other: (one, other)):
            return True
        if gains.size > _WIDE:
            return False
        two = through(gains)

        def between(one: int, other: int) -> int:
            return int(np.argmax(gains[one] + gains[:, other]))

        if self._take(two + gains.T, lambda one, other: (one, between(one, other), other)):
            return True
        return self._take(
            two + two.T,
            lambda one, other: (one, between(one, other), other, between(other, one)),
        )

    def gains(self) -> Reals:
        """Return what each gains in each other's place, `-inf` where it does not fit."""
        now = self.value[np.arange(len(self.place)), self.place]
        gain = self.value[:, self.place] - now[:, None]
        more = self.demand[:, None] - self.demand
        gain[(more > self.room[self.place]) | (self.place[:, None] == self.place)] = -np.inf
        return np.asarray(gain)

    def _take(self, gain: Reals, members: Callable[[int, int], Members]) -> bool:
        flat = gain.ravel()
        useful = np.flatnonzero(flat > self.small)
        if len(useful) > _TOGETHER:
            useful = useful[np.argpartition(-flat[useful], _TOGETHER)[:_TOGETHER]]
        useful = useful[np.lexsort((useful, -flat[useful]))]
        moved = set[int]()
        for cell in useful.tolist():
            ring = members(*divmod(cell, len(gain)))
            if not moved.intersection(ring) and self.try_ring(ring):
                moved.update(ring)
        return bool(moved)

    def try_ring(self, ring: Members, even_worse: bool = False) -> bool:
        """Let each take the next one's place if all fit then and it is of use."""
        member = np.array(ring)
        old = self.place[member]
        new = np.roll(old, -1)
        room = self.room.copy()
        np.add.at(room, old, self.demand[member])
        np.subtract.at(room, new, self.demand[member])
        if len(set(ring)) < len(ring) or room[old].min() < 0:
            return False
        gain = float((self.value[member, new] - self.value[member, old]).sum())
        if not (gain > self.small or (even_worse and np.isfinite(gain))):
            return False
        self.room = room
        real = member < self.users
        self.place[member[real]] = new[real]
        return True


def _worth(problem: Problem, provider: Whole, net: Reals, choices: int) -> Reals:
    """Return what counts in a place: energy before value before tie, in one number."""
    users, providers = net.shape
    # so large that a user served outweighs all values; and the sum keeps its digits
    unit = max(1.0, float(problem.demand.max(initial=1)) / 1e6)
    served = 4.0 * users * problem.scale / unit
    largest = float(np.abs(problem.tie).max(initial=0.0, where=problem.allowed))
    hint = problem.tie * (1e-9 * problem.scale / largest) if largest else 0.0
    worth = np.where(
        problem.allowed, problem.value + hint + problem.demand[:, None] * served, -np.inf
    )
    if choices < providers:
        worst = np.partition(net, providers - choices, axis=1)[:, providers - choices]
        far = net < worst[:, None]
        at = np.flatnonzero(provider != NOBODY)
        far[at, provider[at]] = False
        worth[far] = -np.inf
    return worth


def through(gain: Reals) -> Reals:
    """Return the best gain over one place between: max_k gain[i, k] + gain[k, l]."""
    best = np.full_like(gain, -np.inf)
    finite = np.isfinite(gain)
    for k in range(len(gain)):
        rows, columns = np.flatnonzero(finite[:, k]), np.flatnonzero(finite[k])
        block = np.ix_(rows, columns)
        best[block] = np.maximum(best[block], gain[rows, k][:, None] + gain[k, columns])
    return best
