"""Which variable stands in which column? The layout of a multi-interval optimal power flow.

All variables are per unit. A device has a variable only in intervals in which it has a choice
(PV with sun, a car within its window, a battery in the direction it may run), so that no variable
is squeezed between equal bounds, which interior-point methods dislike.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.grid.feeder import FloatArray, IntArray
from gridpact.grid.problem import Problem

NOTHING = 1e-9  # less power than a milliwatt is no choice [MW]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Variables of one kind: interval `t`, device `k` and column of each."""

    t: IntArray
    k: IntArray
    column: IntArray

    def spread(self, x: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the values as (interval, device), 0 where there is no variable."""
        full = np.zeros(shape)
        full[self.t, self.k] = x[self.column]
        return full


@dataclass(frozen=True, eq=False)
class Directions:
    """Where a battery may charge and discharge, (interval, battery)."""

    charge: np.ndarray
    discharge: np.ndarray


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of state (interval, branch), substation (interval,) and devices.

    `energy` (interval - 1, battery) is the content after each interval but the last; `shift` what
    a shiftable load draws above its least.
    """

    width: int
    P: IntArray
    Q: IntArray
    l: IntArray  # noqa: E741 - the symbol of the literature
    v: IntArray
    buy: IntArray
    sell: IntArray
    pv_p: Pairs
    pv_q: Pairs
    charge: Pairs
    discharge: Pairs
    energy: IntArray
    ev: Pairs
    generator_p: Pairs
    generator_q: Pairs
    shift: Pairs
    shed: Pairs

    @property
    def controls(self) -> IntArray:
        """Columns of everything that is decided freely, whatever the net does."""
        kinds = (self.pv_p, self.pv_q, self.charge, self.discharge, self.ev)
        more = (self.generator_p, self.generator_q, self.shift, self.shed)
        return np.concatenate([pairs.column for pairs in kinds + more])


def free_directions(problem: Problem) -> Directions:
    """Return the batteries' directions as the problem states them."""
    able = problem.devices.storage.p_max_mw > NOTHING
    both = np.broadcast_to(able, (problem.intervals, len(able)))
    return Directions(both, both)


def lay_out(problem: Problem, directions: Directions) -> Columns:
    """Give every variable its column."""
    T, m = problem.intervals, problem.feeder.size - 1
    devices = problem.devices
    next_column = 0

    def take(*shape: int) -> IntArray:
        nonlocal next_column
        count = int(np.prod(shape))
        columns = np.arange(next_column, next_column + count).reshape(shape)
        next_column += count
        return columns

    def pairs(mask: np.ndarray) -> Pairs:
        t, k = np.nonzero(mask)
        return Pairs(t, k, take(len(t)))

    # the state of an interval is contiguous, as `branch_flow.layout` has it
    state = take(T, 4, m)
    hours = np.arange(T)[:, None]
    able = devices.pv.s_mva > NOTHING
    sunny = (devices.pv.available_mw > NOTHING) & able if len(able) else np.zeros((T, 0), bool)
    reactive = np.broadcast_to(able & devices.pv.reactive, sunny.shape)
    ev = devices.ev
    inside = (hours >= ev.start) & (hours < ev.end) & (ev.p_max_mw > 0) & (ev.energy_mwh > 0)
    generator = np.ones((T, len(devices.generator.bus)), dtype=bool)
    shift = devices.shiftable
    moving = shift.inside(T) & (shift.p_max_mw > shift.p_min_mw)
    shed = devices.curtailable.most(problem.feeder, problem.load_p_mw) > 0
    return Columns(
        P=state[:, 0],
        Q=state[:, 1],
        l=state[:, 2],
        v=state[:, 3],
        buy=take(T),
        sell=take(T),
        pv_p=pairs(sunny),
        pv_q=pairs(reactive),
        charge=pairs(directions.charge),
        discharge=pairs(directions.discharge),
        energy=take(max(T - 1, 0), len(devices.storage.bus)),
        ev=pairs(inside),
        generator_p=pairs(generator),
        generator_q=pairs(generator),
        shift=pairs(moving),
        shed=pairs(shed),
        width=next_column,
    )
