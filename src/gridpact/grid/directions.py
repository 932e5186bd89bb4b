"""Which way is each battery to run? Branching, where an optimum would burn energy in one.

At prices below zero it pays to charge and discharge at once, and no convex programme can forbid it.
A point that burns energy is better than any that does not, so it bounds what its branches reach:
first every burning battery is held to the way in which it runs more, then single ones are branched
on, most promising first, until nothing better is left or enough was tried. Every try costs as much
as the net is large, so large nets get fewer. Limits that conflict get one, which holds every
battery to the way its energy went: no schedule is worth more than another that breaks them as
little.
"""

from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import Protocol, TypeVar

import numpy as np

from gridpact.grid.columns import Directions
from gridpact.grid.exactness import burned
from gridpact.grid.problem import Problem, SetPoints

BURNED = 1e-5  # of a battery's power: less is not burning
_DIVES = 4
_BRANCHES = 12
_WORK = 5_000  # buses times intervals times branches
_BROKEN = 1e-6  # pu: what a point breaks limits by, when it breaks them
_NEAR = 1e-5  # a branch that promises less more than this is not worth a try


class Point(Protocol):
    """What branching asks of an operating point; less merit is better."""

    @property
    def points(self) -> SetPoints: ...

    @property
    def merit(self) -> float: ...

    @property
    def excess(self) -> float: ...


P = TypeVar("P", bound=Point)


def burning(problem: Problem, points: SetPoints) -> np.ndarray:
    """Return where a battery charges and discharges at once. (interval, battery)"""
    where: np.ndarray = burned(points) > BURNED * np.maximum(problem.devices.storage.p_max_mw, 1e-9)
    return where


def unburned(problem: Problem, points: SetPoints) -> SetPoints:
    """Return set points whose batteries run one way and hold the same energy as before."""
    units = problem.devices.storage
    stored = units.eta_charge * points.charge_mw - points.discharge_mw / units.eta_discharge
    return replace(
        points,
        charge_mw=np.maximum(stored, 0) / units.eta_charge,
        discharge_mw=np.maximum(-stored, 0) * units.eta_discharge,
    )


def branch(
    problem: Problem, settle: Callable[[Directions, SetPoints | None], P | None], free: Directions
) -> P | None:
    """Return the best point found in which no battery burns energy, else the last one tried.

    settle: the best point with batteries in given directions, if there is one; looked for near
    set points that keep to them, if these are given.
    """
    root = settle(free, None)
    if root is None or not burning(problem, root.points).any():
        return root
    if root.excess > _BROKEN:
        points = unburned(problem, root.points)
        charges = points.charge_mw > 0
        return settle(Directions(free.charge & charges, free.discharge & ~charges), points) or root
    best, last = _dive(problem, settle, free, root, _DIVES)
    number = count()
    waiting = [(root.merit, next(number), root, free)]
    for _ in range(min(_BRANCHES, _WORK // problem.load_p_mw.size)):
        if not waiting or (best and waiting[0][0] >= best.merit - _NEAR * (1 + abs(best.merit))):
            break
        _, _, point, directions = heappop(waiting)
        for child in _children(point.points, directions):
            found = settle(child, None)
            if found is None or (best and found.merit >= best.merit):
                continue
            if burning(problem, found.points).any():
                heappush(waiting, (found.merit, next(number), found, child))
            else:
                best = found
    return best or last


def _dive(
    problem: Problem,
    settle: Callable[[Directions, SetPoints | None], P | None],
    directions: Directions,
    point: P,
    dives: int,
) -> tuple[P | None, P]:
    """Hold all that burn to the way in which they run more, until none does; in the end, all."""
    for turn in range(dives):
        where = burning(problem, point.points)
        if not where.any():
            return point, point
        where |= turn == dives - 1
        emptying = point.points.discharge_mw >= point.points.charge_mw
        directions = Directions(
            directions.charge & ~(where & emptying), directions.discharge & ~(where & ~emptying)
        )
        found = settle(directions, None)
        if found is None:
            return None, point
        point = found
    return (None if burning(problem, point.points).any() else point), point


def _children(points: SetPoints, directions: Directions) -> list[Directions]:
    """Return both ways of the battery that burns most, in its interval."""
    most = np.unravel_index(int(burned(points).argmax()), points.charge_mw.shape)
    charge, discharge = directions.charge.copy(), directions.discharge.copy()
    charge[most] = discharge[most] = False
    return [Directions(charge, directions.discharge), Directions(directions.charge, discharge)]
