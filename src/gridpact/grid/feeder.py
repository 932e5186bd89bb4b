"""What does the grid consist of? A radial feeder as arrays, checked once and then only calculated.

Buses stand in an order in which every bus follows its parent (root first); branch i is the line
from `parent[i]` down to bus i, so one index serves both. Everything is per unit of `s_base_mva`
and `v_base_kv`. Validation happens in `build` alone.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from gridpact.errors import FeederError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """A line or transformer as a person writes it. Rating in MVA (none = unlimited).

    r_ohm, x_ohm: of a transformer as seen from `from_bus`.
    """

    from_bus: int
    to_bus: int
    r_ohm: float
    x_ohm: float
    s_max_mva: float | None = None

    def __str__(self) -> str:
        return f"line {self.from_bus}-{self.to_bus}"


@dataclass(frozen=True, eq=False)
class Feeder:
    """A radial net. All arrays have shape (bus,), entry 0 belongs to the root.

    `r`, `x`, `s_max` [pu] are those of the branch above the bus (0, 0 and inf at the root);
    `shunt` [pu] supplies reactive power `shunt * v**2`, `conductance` [pu] draws active power
    `conductance * v**2`; `v_kv` is the voltage of 1 pu at a bus; `parent[0]` is -1.
    """

    ids: IntArray
    parent: IntArray
    r: FloatArray
    x: FloatArray
    shunt: FloatArray
    conductance: FloatArray
    s_max: FloatArray
    v_kv: FloatArray
    s_base_mva: float

    @property
    def v_base_kv(self) -> float:
        """Voltage of 1 pu at the root."""
        return float(self.v_kv[0])

    @property
    def size(self) -> int:
        """Number of buses, the root included."""
        return len(self.ids)

    @cached_property
    def index(self) -> Mapping[int, int]:
        """Place in the arrays by bus number."""
        return {int(bus): place for place, bus in enumerate(self.ids)}

    def at(self, bus: int) -> int:
        """Return the place of a bus.

        Raises
        ------
        FeederError
            The feeder has no such bus.
        """
        try:
            return self.index[int(bus)]
        except KeyError:
            raise FeederError(f"bus {bus}", "is not on the feeder") from None

    def up(self, values: FloatArray) -> FloatArray:
        """Return the sums of everything at and below each bus. (..., bus)"""
        summed = np.array(values, dtype=float)
        for place in range(self.size - 1, 0, -1):
            summed[..., self.parent[place]] += summed[..., place]
        return summed

    def down(self, values: FloatArray) -> FloatArray:
        """Return the sums of everything at and above each bus. (..., bus)"""
        summed = np.array(values, dtype=float)
        for place in range(1, self.size):
            summed[..., place] += summed[..., self.parent[place]]
        return summed

    def branch_name(self, place: int) -> str:
        return f"line {self.ids[self.parent[place]]}-{self.ids[place]}"

    @cached_property
    def impedance(self) -> npt.NDArray[np.complex128]:
        """Series impedance of the branch above each bus. (bus,) [pu]"""
        return self.r + 1j * self.x

    @cached_property
    def admittance(self) -> npt.NDArray[np.complex128]:
        """Shunt admittance at each bus. (bus,) [pu]"""
        return self.conductance + 1j * self.shunt


@lru_cache(maxsize=128)
def rebased(feeder: Feeder, s_base_mva: float) -> Feeder:
    """Return the same feeder per unit of another power; asked again, the same object."""
    change = s_base_mva / feeder.s_base_mva
    return Feeder(
        ids=feeder.ids,
        parent=feeder.parent,
        r=feeder.r * change,
        x=feeder.x * change,
        shunt=feeder.shunt / change,
        conductance=feeder.conductance / change,
        s_max=feeder.s_max / change,
        v_kv=feeder.v_kv,
        s_base_mva=s_base_mva,
    )


def build(
    root: int,
    lines: Sequence[Line],
    shunt_mvar: Mapping[int, float],
    s_base_mva: float,
    v_base_kv: float,
    shunt_mw: Mapping[int, float] | None = None,
    v_kv: Mapping[int, float] | None = None,
) -> Feeder:
    """Return the feeder of plain tables, in an order in which parents come first.

    Parameters
    ----------
    shunt_mvar, shunt_mw
        Reactive power supplied and active power drawn by shunts at 1 pu, by bus.
    v_kv
        Voltage of 1 pu at buses where it is not `v_base_kv`: behind transformers.

    Raises
    ------
    FeederError
        A cycle, an island, a line given twice, an impedance or rating that is not positive, a
        number that is not finite, an unknown root or bus; names the line or bus and the field.
    """
    _require_positive("s_base_mva", s_base_mva)
    _require_positive("v_base_kv", v_base_kv)
    _check_lines(lines)
    order = _walk(root, lines)
    places = {bus: place for place, (bus, _, _) in enumerate(order)}
    volts = np.full(len(order), v_base_kv)
    for bus, kv in (v_kv or {}).items():
        _require_positive(f"bus {bus}: v_kv", kv)
        volts[_place(places, bus, "v_kv")] = kv
    branches = [line for _, _, line in order]
    ohm = [volts[places[line.from_bus]] ** 2 / s_base_mva if line else 1.0 for line in branches]
    ratings = [line.s_max_mva if line else None for line in branches]
    return Feeder(
        ids=np.array([bus for bus, _, _ in order], dtype=np.int64),
        parent=np.array(
            [-1 if above is None else places[above] for _, above, _ in order], dtype=np.int64
        ),
        r=np.array([line.r_ohm if line else 0.0 for line in branches]) / ohm,
        x=np.array([line.x_ohm if line else 0.0 for line in branches]) / ohm,
        shunt=_by_bus(places, "shunt_mvar", shunt_mvar) / s_base_mva,
        conductance=_by_bus(places, "shunt_mw", shunt_mw or {}) / s_base_mva,
        s_max=np.array([np.inf if mva is None else mva / s_base_mva for mva in ratings]),
        v_kv=volts,
        s_base_mva=s_base_mva,
    )


def _by_bus(places: Mapping[int, int], field: str, given: Mapping[int, float]) -> FloatArray:
    values = np.zeros(len(places))
    for bus, value in given.items():
        if not math.isfinite(value):
            raise FeederError(f"bus {bus}: {field}", f"{value} is not a finite number")
        values[_place(places, bus, field)] = value
    return values


def _place(places: Mapping[int, int], bus: int, field: str) -> int:
    if bus not in places:
        raise FeederError(f"bus {bus}", f"has a {field} but no line")
    return places[bus]


def _require_positive(place: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise FeederError(place, f"{value} is not a positive number")


def check_line(line: Line) -> None:
    """Look at a line by itself.

    Raises
    ------
    FeederError
        Its impedance, rating or ends cannot be used; names the line and the field.
    """
    for field, value in (("r_ohm", line.r_ohm), ("x_ohm", line.x_ohm)):
        if not (math.isfinite(value) and value >= 0):
            raise FeederError(f"{line}: {field}", f"{value} is not a number >= 0")
    if line.r_ohm + line.x_ohm <= 0:
        raise FeederError(f"{line}: r_ohm, x_ohm", "the impedance is zero")
    if line.s_max_mva is not None:
        _require_positive(f"{line}: s_max_mva", line.s_max_mva)
    if line.from_bus == line.to_bus:
        raise FeederError(str(line), "connects a bus with itself")


def _check_lines(lines: Sequence[Line]) -> None:
    """Look at each line by itself, and for lines given twice."""
    seen: set[frozenset[int]] = set()
    for line in lines:
        check_line(line)
        ends = frozenset((line.from_bus, line.to_bus))
        if ends in seen:
            raise FeederError(str(line), "is given twice: lines side by side are written as one")
        seen.add(ends)


def _walk(root: int, lines: Sequence[Line]) -> list[tuple[int, int | None, Line | None]]:
    """Return (bus, bus above, line above) breadth first from the root."""
    around: dict[int, list[tuple[int, Line]]] = {}
    for line in lines:
        around.setdefault(line.from_bus, []).append((line.to_bus, line))
        around.setdefault(line.to_bus, []).append((line.from_bus, line))
    if root not in around:
        raise FeederError(f"bus {root}", "the root has no line")
    order: list[tuple[int, int | None, Line | None]] = [(root, None, None)]
    reached = {root}
    queue = deque(order)
    while queue:
        bus, _, above = queue.popleft()
        for other, line in around[bus]:
            if line is above:
                continue
            if other in reached:
                raise FeederError(str(line), _cycle(order, bus, other))
            reached.add(other)
            order.append((other, bus, line))
            queue.append(order[-1])
    if island := sorted(set(around) - reached):
        raise FeederError(f"bus {island[0]}", f"is an island: no path from root {root}")
    return order


def _cycle(order: Sequence[tuple[int, int | None, Line | None]], bus: int, other: int) -> str:
    """Say which cycle a line between two buses closes."""
    above = {place: upper for place, upper, _ in order}

    def path(place: int | None) -> list[int]:
        found = []
        while place is not None:
            found.append(place)
            place = above[place]
        return found

    first, second = path(bus), path(other)
    meet = next(place for place in first if place in second)
    down, back = first[: first.index(meet) + 1], second[: second.index(meet)]
    way = "-".join(str(place) for place in [other, *down, *reversed(back)])
    return (
        f"closes the cycle {way}; prices and optimal power flow need a radial feeder, for their"
        " relaxation is exact on trees alone (power flow of meshed nets: grid.meshed)"
    )
