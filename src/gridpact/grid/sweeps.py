"""How is the power flow of a tree found? Two sweeps to the same fixed point.

Both go up the tree with what is drawn and down the tree with the voltage, until the voltage stands
still. `by_power` sums powers with their losses, bus after bus, every step over a block of intervals
that stays in the processor's cache: many intervals. `by_current` sums currents of the whole tree at
once, by one small matrix or a sparse triangular solve: few intervals.

Arrays here are (bus, interval), so that one bus of many intervals is one piece of memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.feeder import Feeder, FloatArray, IntArray

ComplexArray = npt.NDArray[np.complex128]

_BLOCK = 4096  # intervals at a time, fewer on large nets
_CELLS = 2**22  # buses times intervals of a block: keeps memory within 1 GB
_LEADING = 16  # shunts whose effect is anticipated
_DENSE_UP_TO = 800
_STEPS = 200


Consumption = Callable[[slice, FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Demand:
    """What is drawn at the buses: `p`, `q` (bus, interval) and, where given, `more`. [pu]

    more(intervals, squared voltage (bus, interval of these)) returns the active and reactive power
    drawn on top of `p` and `q` by loads that depend on voltage.
    """

    p: FloatArray
    q: FloatArray
    more: Consumption | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """Squared voltage, power sent into the branch above each bus, its squared current. [pu]

    Shape (bus, interval); row 0 of `sent` is what the root is fed with.
    """

    v: FloatArray
    sent: ComplexArray
    l: FloatArray  # noqa: E741 - the symbol of the literature


def by_power(feeder: Feeder, demand: Demand, v_root: FloatArray, tolerance: float) -> Found:
    """Return the flow of many intervals, a block at a time."""
    shape = demand.p.shape
    found = Found(np.empty(shape), np.empty(shape, dtype=complex), np.empty(shape))
    block = max(128, min(_BLOCK, _CELLS // feeder.size))
    for first in range(0, shape[1], block):
        at = slice(first, min(first + block, shape[1]))
        v, power, l = _block(feeder, demand, at, v_root[at] ** 2, tolerance)  # noqa: E741
        found.v[:, at], found.l[:, at] = v, l
        found.sent.real[:, at], found.sent.imag[:, at] = power[:, 0], power[:, 1]
    return found


def _block(
    feeder: Feeder, demand: Demand, at: slice, root: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return v, (P, Q) sent and l of some intervals.

    Up:   l = (P^2 + Q^2) / v with P, Q at the lower end, plus r l and x l at the upper end.
    Down: v_j = v_i - 2 (r P + x Q) + (r^2 + x^2) l with P, Q at the upper end.
    """
    shape = (feeder.size, len(root))
    v, below, inverse, drop, part = (np.empty(shape) for _ in range(5))
    v[:], below[0] = root, root
    l = np.zeros(shape)  # noqa: E741
    power, scratch = np.empty((feeder.size, 2, len(root))), np.empty((2, len(root)))
    upper = feeder.parent.tolist()
    impedance = np.stack([feeder.r, feeder.x], axis=1)[:, :, None]
    squared = (feeder.r**2 + feeder.x**2)[:, None]
    walk = [
        (power[bus], power[upper[bus]], l[bus], inverse[bus], impedance[bus])
        for bus in range(feeder.size - 1, 0, -1)
    ]
    fixed, lead = _shunts(feeder), _lead(feeder)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            power[:, 0], power[:, 1] = demand.p[:, at], demand.q[:, at]
            power[fixed.bus] += fixed.draws * v[fixed.bus, None]
            if demand.more is not None:
                active, reactive = demand.more(at, v)
                power[:, 0] += active
                power[:, 1] += reactive
            np.divide(1.0, v, out=inverse)
            for flow, above, current, inverse_v, z in walk:
                np.multiply(flow, flow, out=scratch)
                np.add(scratch[0], scratch[1], out=current)
                np.multiply(current, inverse_v, out=current)
                np.multiply(z, current, out=scratch)
                np.add(flow, scratch, out=flow)
                np.add(above, flow, out=above)
            np.multiply(power[:, 0], 2 * impedance[:, 0], out=drop)
            np.multiply(power[:, 1], 2 * impedance[:, 1], out=part)
            drop += part
            np.multiply(l, squared, out=part)
            drop -= part
            for bus in range(1, feeder.size):
                np.subtract(below[upper[bus]], drop[bus], out=below[bus])
            below += lead.rise @ (below[lead.bus] - v[lead.bus])
            np.subtract(below, v, out=part)
            v, below = below, v
            moved = max(float(part.max()), -float(part.min()))
            if moved <= tolerance and v.min() > 0:
                return v, power, l
            if not np.isfinite(moved):
                break
    raise _diverged(feeder, np.where(v > 0, np.abs(part), np.inf), at.start)


@dataclass(frozen=True, eq=False)
class _Shunts:
    """Buses with shunts and what these draw at 1 pu, as (active, reactive)."""

    bus: IntArray
    draws: FloatArray


@lru_cache(maxsize=32)
def _shunts(feeder: Feeder) -> _Shunts:
    bus = np.flatnonzero((feeder.shunt != 0) | (feeder.conductance != 0))
    draws = np.stack([feeder.conductance[bus], -feeder.shunt[bus]], axis=1)[:, :, None]
    return _Shunts(bus, draws)


@dataclass(frozen=True, eq=False)
class _Lead:
    """How far the voltage will still rise because of shunts, per rise seen at some of them.

    The sweep up used the shunts' power at the last voltage. With K what a shunt's power lifts,
    the fixed point of the linear part is reached from `v + d` at `v + d + K (1 - K)^-1 d`: half
    the sweeps on a feeder with capacitors. At rest d = 0, so it moves no result.
    """

    bus: IntArray
    rise: FloatArray


@lru_cache(maxsize=32)
def _lead(feeder: Feeder) -> _Lead:
    bus = _shunts(feeder).bus
    bus = bus[bus > 0]
    share = np.zeros((feeder.size, len(bus)))
    for column, place in enumerate(bus):
        share[_path(feeder, int(place)), column] = 1.0
    weight = 2 * (
        share * feeder.x[:, None] * feeder.shunt[bus]
        - share * feeder.r[:, None] * feeder.conductance[bus]
    )
    for place in range(1, feeder.size):
        weight[place] += weight[feeder.parent[place]]
    own = np.abs(weight[bus, np.arange(len(bus))])
    strong = np.sort(np.argsort(own)[::-1][:_LEADING])
    lift = weight[:, strong]
    rise = lift @ np.linalg.inv(np.eye(len(strong)) - lift[bus[strong]])
    return _Lead(bus[strong], rise)


def _path(feeder: Feeder, place: int) -> list[int]:
    """Return the branches between the root and a bus."""
    path = []
    while place > 0:
        path.append(place)
        place = int(feeder.parent[place])
    return path


_Sum = Callable[[FloatArray], FloatArray]


class _Sums:
    """Sums over the tree: `up` adds everything below a bus, `down` everything above it."""

    def __init__(self, feeder: Feeder) -> None:
        count = feeder.size - 1
        above = feeder.parent[1:] - 1
        inner = np.flatnonzero(above >= 0)
        step = sparse.csc_array((np.ones(len(inner)), (above[inner], inner)), shape=(count, count))
        tree = (sparse.eye_array(count, format="csc") - step).tocsc()
        self._up: _Sum = splu(tree).solve
        self._down: _Sum = splu(tree.T.tocsc()).solve
        if count <= _DENSE_UP_TO:
            dense = self._up(np.eye(count))
            self._up, self._down = dense.__matmul__, dense.T.__matmul__

    def up(self, values: ComplexArray) -> ComplexArray:
        return _summed(self._up, values)

    def down(self, values: ComplexArray) -> ComplexArray:
        return _summed(self._down, values)


@lru_cache(maxsize=32)
def _sums(feeder: Feeder) -> _Sums:
    return _Sums(feeder)


def _summed(by: _Sum, values: ComplexArray) -> ComplexArray:
    """Sum real and imaginary parts side by side: half the work of complex ones."""
    return np.ascontiguousarray(by(values.view(np.float64))).view(np.complex128)


def by_current(feeder: Feeder, demand: Demand, v_root: FloatArray, tolerance: float) -> Found:
    """Return the flow of few intervals."""
    sums, every = _sums(feeder), slice(0, len(v_root))
    voltage = np.repeat(v_root.astype(complex)[None], feeder.size, axis=0)
    impedance, admittance = feeder.impedance[1:, None], feeder.admittance[:, None]
    drawn = constant = demand.p + 1j * demand.q
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            if demand.more is not None:
                active, reactive = demand.more(every, np.abs(voltage) ** 2)
                drawn = constant + active + 1j * reactive
            current = (drawn / voltage).conj() + admittance * voltage
            through = sums.up(current[1:])
            below = v_root - sums.down(through * impedance)
            moved = np.abs(below - voltage[1:])
            voltage[1:] = below
            if moved.max(initial=0.0) <= tolerance:
                return _found(feeder, voltage, current[0], through)
            if not np.isfinite(moved).all():
                break
    raise _diverged(feeder, np.vstack([np.zeros_like(moved[:1]), moved]), 0)


def _found(
    feeder: Feeder, voltage: ComplexArray, at_root: ComplexArray, through: ComplexArray
) -> Found:
    sent = np.empty_like(voltage)
    sent[1:] = voltage[feeder.parent[1:]] * through.conj()
    top = np.flatnonzero(feeder.parent[1:] == 0)
    sent[0] = voltage[0] * (at_root + through[top].sum(axis=0)).conj()
    squared = np.zeros(voltage.shape)
    squared[1:] = np.abs(through) ** 2
    return Found(np.abs(voltage) ** 2, sent, squared)


def _diverged(feeder: Feeder, moved: FloatArray, first: int) -> PowerFlowDiverged:
    worst = np.nan_to_num(moved, nan=np.inf)
    place, interval = np.unravel_index(int(worst.argmax()), worst.shape)
    mismatch = float(worst[place, interval])
    return PowerFlowDiverged(first + int(interval), int(feeder.ids[place]), mismatch)
